//! Objects that are whole: read, listed, deleted.

use rusqlite::{OptionalExtension as _, params};

use super::request::Request;
use super::{BUCKET, Refusal, S3, xml};
use crate::answer::Answer;

/// Keys in one answer to a list at the most.
const PAGE: usize = 1000;

/// An object, whole.
pub(super) struct Object {
    pub(super) body: Vec<u8>,
    pub(super) etag: String,
    pub(super) content_type: String,
}

impl S3 {
    pub(super) fn object(&self, key: &str) -> Result<Object, Refusal> {
        let database = self.database();
        let found = database
            .prepare_cached("SELECT upload, size, etag, type FROM objects WHERE key = ?1")?
            .query_row([key], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, usize>(1)?, row.get(2)?, row.get::<_, Option<String>>(3)?))
            })
            .optional()?;
        let Some((upload, size, etag, content_type)) = found else {
            return Err(Refusal::key("The specified key does not exist."));
        };
        let mut body = Vec::with_capacity(size);
        let mut parts = database.prepare_cached("SELECT body FROM parts WHERE upload = ?1 ORDER BY number")?;
        let mut rows = parts.query([upload])?;
        while let Some(row) = rows.next()? {
            body.extend_from_slice(row.get_ref(0)?.as_blob().map_err(|error| Refusal::internal(error.to_string()))?);
        }
        let content_type = content_type.unwrap_or_else(|| "binary/octet-stream".to_owned());
        Ok(Object { body, etag, content_type })
    }

    pub(super) fn get(&self, request: &Request<'_>) -> Result<Answer, Refusal> {
        if request.header("range").is_some() {
            return Err(Refusal::not_implemented("The embedded S3 reads objects whole."));
        }
        let Object { body, etag, content_type } = self.object(&request.key)?;
        Ok(Answer::object(content_type, body).with("etag", etag))
    }

    /// Deletes whatever is there; that nothing is, is no failure.
    pub(super) fn delete(&self, request: &Request<'_>) -> Result<Answer, Refusal> {
        let mut database = self.database();
        let changes = database.transaction()?;
        changes
            .execute("DELETE FROM parts WHERE upload = (SELECT upload FROM objects WHERE key = ?1)", [&request.key])?;
        changes.execute("DELETE FROM objects WHERE key = ?1", [&request.key])?;
        changes.commit()?;
        Ok(Answer::nothing())
    }

    pub(super) fn list(&self, request: &Request<'_>) -> Result<Answer, Refusal> {
        let known = ["list-type", "prefix", "max-keys", "x-id"];
        if let Some(other) = request.query.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(Refusal::not_implemented(format!("The embedded S3 knows no `{other}` of a list.")));
        }
        let most = match request.query.get("max-keys").map(|text| text.parse::<usize>()) {
            None => PAGE,
            Some(Ok(most)) => most.min(PAGE),
            Some(Err(_)) => return Err(Refusal::argument("max-keys is no number.")),
        };
        let prefix = request.query.get("prefix").map(String::as_str).unwrap_or_default();
        let database = self.database();
        let mut listed = database.prepare_cached(
            "SELECT key, size, etag FROM objects WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key LIMIT ?2",
        )?;
        let limit = i64::try_from(most + 1).unwrap_or(i64::MAX);
        let rows = listed.query_map(params![prefix, limit], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, u64>(1)?, row.get::<_, String>(2)?))
        })?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let contents = rows.iter().take(most).map(|(key, size, etag)| {
            let members = [("Key", key.as_str()), ("Size", &size.to_string()), ("ETag", etag)];
            let members: String = members.iter().map(|(name, text)| xml::element(name, text)).collect();
            format!("<Contents>{members}</Contents>")
        });
        let head = [
            ("Name", BUCKET.to_owned()),
            ("Prefix", prefix.to_owned()),
            ("KeyCount", rows.len().min(most).to_string()),
            ("IsTruncated", (rows.len() > most).to_string()),
        ];
        let head = head.iter().map(|(name, text)| xml::element(name, text));
        let inner: String = head.chain(contents).collect();
        Ok(Answer::rest_xml(200, format!("<ListBucketResult>{inner}</ListBucketResult>")))
    }
}
