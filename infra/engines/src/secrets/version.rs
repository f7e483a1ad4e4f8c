//! Versions of a secret, and the stages that are on them.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};

use super::Refusal;
use super::secret::Secret;

pub(super) const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// A secret's value is no longer than this.
const MAX_SECRET_BYTES: usize = 65_536;

/// What is secret: a text, or bytes in base64.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) text: Option<String>,
    pub(super) binary: Option<String>,
}

impl Content {
    /// A request's value, if it has one, held to AWS's rules.
    pub(super) fn of(text: Option<String>, binary: Option<String>) -> Result<Option<Self>, Refusal> {
        let (member, length) = match (&text, &binary) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => {
                return Err(Refusal::parameter("You can't specify both a SecretString and a SecretBinary value."));
            }
            (Some(text), None) => ("secretString", text.len()),
            (None, Some(binary)) => {
                let bytes = aws_smithy_types::base64::decode(binary)
                    .map_err(|_| Refusal::malformed("SecretBinary is not base64"))?;
                ("secretBinary", bytes.len())
            }
        };
        if !(1..=MAX_SECRET_BYTES).contains(&length) {
            let rule = format!("Member must have length between 1 and {MAX_SECRET_BYTES}");
            return Err(Refusal::constraint(member, &rule));
        }
        Ok(Some(Self { text, binary }))
    }
}

/// A version's name: the caller's token, so that the same call again makes no second version.
pub(super) fn id_of(token: Option<String>) -> Result<String, Refusal> {
    let token = token.ok_or_else(|| {
        Refusal::request("You must provide a ClientRequestToken value. We recommend a UUID-type value.")
    })?;
    if !(32..=64).contains(&token.len()) {
        return Err(Refusal::parameter("ClientRequestToken must be 32-64 characters long."));
    }
    Ok(token)
}

impl Secret {
    /// Adds a version, unless it is there with the same content. Tells whether it was added.
    pub(super) fn add(&self, database: &Connection, id: &str, content: &Content, now: i64) -> Result<bool, Refusal> {
        if let Some((known, _)) = self.version(database, id)? {
            if known == *content {
                return Ok(false);
            }
            return Err(Refusal::exists(format!(
                "You can't use ClientRequestToken {id} because that value is already in use for a version of secret {}.",
                self.arn
            )));
        }
        database.execute(
            "INSERT INTO versions (secret, id, text, binary, created) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![self.id, id, content.text, content.binary, now],
        )?;
        // AWS keeps about a hundred versions, and those that have a stage in any case.
        database.execute(
            "DELETE FROM versions WHERE secret = ?1 AND id NOT IN (SELECT version FROM stages WHERE secret = ?1) \
             AND id != ?2 AND rowid NOT IN (SELECT rowid FROM versions WHERE secret = ?1 ORDER BY rowid DESC LIMIT 100)",
            params![self.id, id],
        )?;
        self.touch(database, now)?;
        Ok(true)
    }

    /// The content of a version, and when it was made.
    pub(super) fn version(&self, database: &Connection, id: &str) -> Result<Option<(Content, i64)>, Refusal> {
        let found = database
            .prepare_cached("SELECT text, binary, created FROM versions WHERE secret = ?1 AND id = ?2")?
            .query_row(params![self.id, id], |row| {
                Ok((Content { text: row.get(0)?, binary: row.get(1)? }, row.get(2)?))
            })
            .optional()?;
        Ok(found)
    }

    /// All versions, newest first, with when they were made.
    pub(super) fn versions(&self, database: &Connection) -> Result<Vec<(String, i64)>, Refusal> {
        let mut list =
            database.prepare_cached("SELECT id, created FROM versions WHERE secret = ?1 ORDER BY rowid DESC")?;
        let rows = list.query_map([self.id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The version that a stage is on.
    pub(super) fn staged(&self, database: &Connection, stage: &str) -> Result<Option<String>, Refusal> {
        let found = database
            .prepare_cached("SELECT version FROM stages WHERE secret = ?1 AND name = ?2")?
            .query_row(params![self.id, stage], |row| row.get(0))
            .optional()?;
        Ok(found)
    }

    /// The stages, by the version that they are on.
    pub(super) fn stages(&self, database: &Connection) -> Result<BTreeMap<String, Vec<String>>, Refusal> {
        let mut list =
            database.prepare_cached("SELECT version, name FROM stages WHERE secret = ?1 ORDER BY version, name")?;
        let rows = list.query_map([self.id], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
        let mut stages: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in rows {
            let (version, name) = row?;
            stages.entry(version).or_default().push(name);
        }
        Ok(stages)
    }

    /// The stages of one version.
    pub(super) fn stages_of(&self, database: &Connection, id: &str) -> Result<Vec<String>, Refusal> {
        Ok(self.stages(database)?.remove(id).unwrap_or_default())
    }

    /// Puts a stage on a version, off whichever it was on. Where the current version changes, the one that it was
    /// becomes the previous one.
    pub(super) fn stage(&self, database: &Connection, stage: &str, version: &str) -> Result<(), Refusal> {
        let before = self.staged(database, stage)?;
        let set = "INSERT OR REPLACE INTO stages (secret, name, version) VALUES (?1, ?2, ?3)";
        database.execute(set, params![self.id, stage, version])?;
        if stage == CURRENT
            && let Some(before) = before.filter(|before| before != version)
        {
            database.execute(set, params![self.id, PREVIOUS, before])?;
        }
        Ok(())
    }

    /// Takes a stage off whichever version it is on.
    pub(super) fn unstage(&self, database: &Connection, stage: &str) -> Result<(), Refusal> {
        database.execute("DELETE FROM stages WHERE secret = ?1 AND name = ?2", params![self.id, stage])?;
        Ok(())
    }

    /// A version's name and stages beside the secret's.
    pub(super) fn told_with(&self, database: &Connection, version: &str) -> Result<Value, Refusal> {
        Ok(json!({
            "ARN": self.arn,
            "Name": self.name,
            "VersionId": version,
            "VersionStages": self.stages_of(database, version)?,
        }))
    }
}
