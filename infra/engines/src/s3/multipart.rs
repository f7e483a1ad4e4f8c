//! Objects that are uploaded in parts: begun, filled, and completed or given up.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest as _, Md5};
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::request::Request;
use super::{BUCKET, Refusal, S3, now, xml};
use crate::answer::Answer;

/// The number of an upload's last part at the most.
const MOST_PARTS: u32 = 10_000;
/// What every part has at least, but for the last.
const SMALLEST_PART: usize = 5 * 1024 * 1024;
const CHECKSUM: &str = "x-amz-checksum-crc32";

impl S3 {
    pub(super) fn begin(&self, request: &Request<'_>) -> Result<Answer, Refusal> {
        let checksums = match request.header("x-amz-checksum-algorithm") {
            None => false,
            Some("CRC32") => true,
            Some(_) => return Err(Refusal::not_implemented("The embedded S3 knows CRC32 alone.")),
        };
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| Refusal::internal(error.to_string()))?;
        let id = format!("{:032x}", u128::from_be_bytes(bytes));
        self.database().execute(
            "INSERT INTO uploads (id, key, type, checksums, created) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![id, request.key, request.header("content-type"), checksums, now()],
        )?;
        let told = [("Bucket", BUCKET), ("Key", &*request.key), ("UploadId", &*id)];
        Ok(Answer::rest_xml(200, xml::document("InitiateMultipartUploadResult", &told)))
    }

    pub(super) fn put_part(&self, request: &Request<'_>) -> Result<Answer, Refusal> {
        let number = request.query.get("partNumber").and_then(|text| text.parse::<u32>().ok());
        let number = number.filter(|number| (1..=MOST_PARTS).contains(number)).ok_or_else(|| {
            Refusal::argument(format!("Part number must be an integer between 1 and {MOST_PARTS}, inclusive"))
        })?;
        if request.header("content-encoding").is_some_and(|how| how.contains("aws-chunked")) {
            return Err(Refusal::not_implemented("The embedded S3 takes no chunks."));
        }
        let checksum = BASE64_STANDARD.encode(crc32fast::hash(request.body).to_be_bytes());
        if request.header(CHECKSUM).is_some_and(|sent| sent != checksum) {
            return Err(Refusal::digest("The CRC32 you specified did not match the calculated checksum."));
        }
        let etag = format!("\"{}\"", hex(&Md5::digest(request.body)));
        let mut database = self.database();
        let changes = database.transaction()?;
        let (upload, _) = open(&changes, request)?;
        changes.execute(
            "INSERT OR REPLACE INTO parts (upload, number, etag, checksum, body) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![upload, number, etag, checksum, &request.body[..]],
        )?;
        changes.commit()?;
        let answer = Answer::rest_xml(200, String::new()).with("etag", etag);
        Ok(if request.header(CHECKSUM).is_some() { answer.with(CHECKSUM, checksum) } else { answer })
    }

    /// What the parts are together becomes the object, in place of whatever was there.
    pub(super) fn complete(&self, request: &Request<'_>) -> Result<Answer, Refusal> {
        let named = xml::parts(request.body)?;
        if !named.is_sorted_by(|a, b| a.number < b.number) {
            return Err(Refusal::part_order("The list of parts was not in ascending order."));
        }
        let mut database = self.database();
        let changes = database.transaction()?;
        let (upload, checksums) = open(&changes, request)?;
        let (mut size, mut digests) = (0, Vec::new());
        for (at, part) in named.iter().enumerate() {
            let found = changes
                .prepare_cached("SELECT etag, checksum, length(body) FROM parts WHERE upload = ?1 AND number = ?2")?
                .query_row(params![upload, part.number], |row| {
                    Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, usize>(2)?))
                })
                .optional()?;
            let missing = || {
                Refusal::part(
                    "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
                )
            };
            let (etag, checksum, length) = found.ok_or_else(missing)?;
            let same = part.etag.trim_matches('"') == etag.trim_matches('"');
            if !same || part.checksum.as_ref().is_some_and(|named| *named != checksum) {
                return Err(missing());
            }
            if checksums && part.checksum.is_none() {
                return Err(Refusal::request(format!(
                    "The upload was created using a crc32 checksum. The complete request must include the checksum for \
                     each part. It was missing for part {} in the request.",
                    part.number
                )));
            }
            if length < SMALLEST_PART && at + 1 < named.len() {
                return Err(Refusal::part_size("Your proposed upload is smaller than the minimum allowed size"));
            }
            size += length;
            digests.extend(unhex(etag.trim_matches('"')));
            changes.execute(
                "UPDATE parts SET number = -?1 WHERE upload = ?2 AND number = ?1",
                params![part.number, upload],
            )?;
        }
        // What was uploaded and not named is no part of it.
        changes.execute("DELETE FROM parts WHERE upload = ?1 AND number > 0", [&upload])?;
        changes.execute("UPDATE parts SET number = -number WHERE upload = ?1", [&upload])?;
        changes
            .execute("DELETE FROM parts WHERE upload = (SELECT upload FROM objects WHERE key = ?1)", [&request.key])?;
        let etag = format!("\"{}-{}\"", hex(&Md5::digest(&digests)), named.len());
        changes.execute(
            "INSERT OR REPLACE INTO objects (key, upload, size, etag, type, modified)
             SELECT key, id, ?2, ?3, type, ?4 FROM uploads WHERE id = ?1",
            params![upload, size, etag, now()],
        )?;
        changes.execute("DELETE FROM uploads WHERE id = ?1", [&upload])?;
        changes.commit()?;
        let told = [("Bucket", BUCKET), ("Key", &*request.key), ("ETag", &*etag)];
        Ok(Answer::rest_xml(200, xml::document("CompleteMultipartUploadResult", &told)))
    }

    pub(super) fn abort(&self, request: &Request<'_>) -> Result<Answer, Refusal> {
        let mut database = self.database();
        let changes = database.transaction()?;
        let (upload, _) = open(&changes, request)?;
        changes.execute("DELETE FROM parts WHERE upload = ?1", [&upload])?;
        changes.execute("DELETE FROM uploads WHERE id = ?1", [&upload])?;
        changes.commit()?;
        Ok(Answer::nothing())
    }
}

/// The upload that a request names, and whether its parts have checksums.
fn open(changes: &Transaction<'_>, request: &Request<'_>) -> Result<(String, bool), Refusal> {
    let id = request.query.get("uploadId").cloned().unwrap_or_default();
    let found = changes
        .prepare_cached("SELECT checksums FROM uploads WHERE id = ?1 AND key = ?2")?
        .query_row(params![id, request.key], |row| row.get(0))
        .optional()?;
    let checksums = found.ok_or_else(|| {
        Refusal::upload("The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.")
    })?;
    Ok((id, checksums))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).filter_map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}
