//! ZIP, as far as an export needs it: files that are whole when they are added, and a directory that is written from what
//! was noted of them. What writes a ZIP elsewhere keeps the directory in memory from the first file to the last; a job is
//! gone on with by other processes.

use std::io::Write as _;

use contract::Error;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};

/// What the directory says of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// ASCII.
    pub(crate) name: String,
    crc: u32,
    compressed: u32,
    /// In bytes, before it was compressed.
    pub(crate) size: u32,
    offset: u64,
}

/// 1 January 1980: times of files are not told.
const DATE: u16 = 0x21;
/// Deflate.
const METHOD: u16 = 8;
/// A value that is in the extra field of ZIP64 instead.
const ELSEWHERE: u32 = u32::MAX;

/// Adds a file to `archive`, whose first byte is the `at`th of the whole.
pub(crate) fn add(archive: &mut Vec<u8>, at: u64, name: &str, content: &[u8]) -> Result<Entry, Error> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    let packed = encoder.write_all(content).and_then(|()| encoder.finish()).map_err(Error::internal)?;
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(Error::internal);
    let offset = at + u64::try_from(archive.len()).unwrap_or(u64::MAX);
    let crc = crc32fast::hash(content);
    let entry = Entry { name: name.to_owned(), crc, compressed: length(&packed)?, size: length(content)?, offset };
    archive.extend(b"PK\x03\x04");
    archive.extend(20_u16.to_le_bytes());
    head(archive, &entry);
    archive.extend(0_u16.to_le_bytes());
    archive.extend(name.as_bytes());
    archive.extend(packed);
    Ok(entry)
}

/// What stands before a file and in the directory alike: from the flags to the name's length.
fn head(archive: &mut Vec<u8>, entry: &Entry) {
    for short in [0, METHOD, 0, DATE] {
        archive.extend(short.to_le_bytes());
    }
    for long in [entry.crc, entry.compressed, entry.size] {
        archive.extend(long.to_le_bytes());
    }
    archive.extend(u16::try_from(entry.name.len()).unwrap_or(u16::MAX).to_le_bytes());
}

/// Ends the archive, which has `at` bytes before `archive`, with the directory of its files; with ZIP64's where it is longer
/// than 4 GiB or has more than 65,534 of them.
pub(crate) fn end(archive: &mut Vec<u8>, at: u64, entries: &[Entry]) {
    let here = |archive: &Vec<u8>| at + u64::try_from(archive.len()).unwrap_or(u64::MAX);
    let start = here(archive);
    for entry in entries {
        let near = u32::try_from(entry.offset).ok().filter(|offset| *offset != ELSEWHERE);
        archive.extend(b"PK\x01\x02");
        archive.extend(45_u16.to_le_bytes());
        archive.extend(45_u16.to_le_bytes());
        head(archive, entry);
        archive.extend((if near.is_some() { 0_u16 } else { 12 }).to_le_bytes());
        // No comment, one disk, no attributes.
        archive.extend([0; 10]);
        archive.extend(near.unwrap_or(ELSEWHERE).to_le_bytes());
        archive.extend(entry.name.as_bytes());
        if near.is_none() {
            archive.extend(1_u16.to_le_bytes());
            archive.extend(8_u16.to_le_bytes());
            archive.extend(entry.offset.to_le_bytes());
        }
    }
    let (end, count) = (here(archive), u64::try_from(entries.len()).unwrap_or(u64::MAX));
    let size = end - start;
    let short = u16::try_from(count).ok().filter(|count| *count != u16::MAX);
    let near = u32::try_from(start).ok().zip(u32::try_from(size).ok()).filter(|(start, _)| *start != ELSEWHERE);
    if short.is_none() || near.is_none() {
        archive.extend(b"PK\x06\x06");
        archive.extend(44_u64.to_le_bytes());
        archive.extend(45_u16.to_le_bytes());
        archive.extend(45_u16.to_le_bytes());
        archive.extend([0; 8]);
        for long in [count, count, size, start] {
            archive.extend(long.to_le_bytes());
        }
        archive.extend(b"PK\x06\x07");
        archive.extend([0; 4]);
        archive.extend(end.to_le_bytes());
        archive.extend(1_u32.to_le_bytes());
    }
    archive.extend(b"PK\x05\x06");
    archive.extend([0; 4]);
    for _ in 0..2 {
        archive.extend(short.filter(|_| near.is_some()).unwrap_or(u16::MAX).to_le_bytes());
    }
    let (start, size) = near.filter(|_| short.is_some()).unwrap_or((ELSEWHERE, ELSEWHERE));
    archive.extend(size.to_le_bytes());
    archive.extend(start.to_le_bytes());
    archive.extend([0; 2]);
}

#[cfg(test)]
mod tests;
