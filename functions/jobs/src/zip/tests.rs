use super::*;

/// A number of `N` bytes at a place.
fn number<const N: usize>(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + N].iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

fn entry(name: &str, offset: u64) -> Entry {
    Entry { name: name.to_owned(), crc: 1, compressed: 2, size: 3, offset }
}

#[test]
fn a_small_archive_has_the_short_end_alone() {
    let mut archive = Vec::new();
    let first = add(&mut archive, 0, "a.json", b"[1, 1, 1, 1]").unwrap_or_else(|_| unreachable!());
    let second = add(&mut archive, 0, "b.json", b"").unwrap_or_else(|_| unreachable!());
    assert_eq!((first.offset, first.size, second.size), (0, 12, 0));
    let start = archive.len();
    end(&mut archive, 0, &[first, second]);
    let tail = archive.len() - 22;
    assert_eq!(&archive[tail..tail + 4], b"PK\x05\x06");
    assert_eq!((number::<2>(&archive, tail + 10), number::<4>(&archive, tail + 16)), (2, start as u64));
    assert_eq!(number::<4>(&archive, tail + 12), (tail - start) as u64);
    assert!(!archive.windows(4).any(|four| four == b"PK\x06\x06"));
}

#[test]
fn behind_four_gigabytes_places_stand_in_zip64s_fields() {
    let far = 5_u64 << 30;
    let mut directory = Vec::new();
    end(&mut directory, far, &[entry("near", 7), entry("far", far - 10)]);
    let near = 46 + 4;
    assert_eq!((number::<4>(&directory, 42), number::<2>(&directory, 30)), (7, 0));
    assert_eq!((number::<4>(&directory, near + 42), number::<2>(&directory, near + 30)), (u64::from(ELSEWHERE), 12));
    assert_eq!(number::<8>(&directory, near + 46 + 3 + 4), far - 10);
    let long = near + 46 + 3 + 12;
    assert_eq!(&directory[long..long + 4], b"PK\x06\x06");
    assert_eq!((number::<8>(&directory, long + 32), number::<8>(&directory, long + 48)), (2, far));
    assert_eq!(&directory[long + 56..long + 60], b"PK\x06\x07");
    assert_eq!(number::<8>(&directory, long + 64), far + long as u64);
    let tail = directory.len() - 22;
    assert_eq!(number::<4>(&directory, tail + 16), u64::from(ELSEWHERE));
}
