//! A secret: its names, and how long it has to live.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Refusal;

/// What a secret's ARN is before its name.
const ARN: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:";

/// A secret as its row has it.
#[derive(Debug)]
pub(super) struct Secret {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) description: Option<String>,
    pub(super) created: i64,
    pub(super) changed: i64,
    /// When it was marked for deletion.
    pub(super) deleted: Option<i64>,
}

const COLUMNS: &str = "id, name, arn, description, created, changed, deleted";

impl Secret {
    fn of_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            arn: row.get(2)?,
            description: row.get(3)?,
            created: row.get(4)?,
            changed: row.get(5)?,
            deleted: row.get(6)?,
        })
    }

    /// The secret that an identifier names, marked for deletion or not.
    pub(super) fn find(database: &Connection, id: Option<&str>, now: i64) -> Result<Option<Self>, Refusal> {
        let id = id.ok_or_else(|| Refusal::constraint("secretId", "Member must not be null"))?;
        if !(1..=2048).contains(&id.len()) {
            return Err(Refusal::constraint("secretId", "Member must have length between 1 and 2048"));
        }
        // A name, an ARN, or an ARN without the six letters of chance.
        let name = name_in(id);
        let found = database
            .prepare_cached(&format!("SELECT {COLUMNS}, gone FROM secrets WHERE name = ?1 OR arn = ?2"))?
            .query_row([name, id], |row| Ok((Self::of_row(row)?, row.get::<_, Option<i64>>(7)?)))
            .optional()?;
        match found {
            Some((secret, Some(gone))) if gone <= now => {
                secret.remove(database)?;
                Ok(None)
            }
            found => Ok(found.map(|(secret, _)| secret)),
        }
    }

    /// The secret that an identifier names, which has to be there and not marked for deletion.
    pub(super) fn living(database: &Connection, id: Option<&str>, now: i64) -> Result<Self, Refusal> {
        let secret = Self::find(database, id, now)?.ok_or_else(Refusal::no_secret)?;
        match secret.deleted {
            None => Ok(secret),
            Some(_) => Err(Refusal::request(
                "You can't perform this operation on the secret because it was marked for deletion.",
            )),
        }
    }

    pub(super) fn create(
        database: &Connection,
        name: String,
        description: Option<String>,
        now: i64,
    ) -> Result<Self, Refusal> {
        let chance = getrandom::u32().map_err(|e| Refusal::internal(e.to_string()))?;
        let arn = format!("{ARN}{name}-{:06x}", chance & 0xff_ffff);
        database.execute(
            "INSERT INTO secrets (name, arn, description, created, changed) VALUES (?1, ?2, ?3, ?4, ?4)",
            params![name, arn, description, now],
        )?;
        let id = database.last_insert_rowid();
        Ok(Self { id, name, arn, description, created: now, changed: now, deleted: None })
    }

    /// Notes that it has changed.
    pub(super) fn touch(&self, database: &Connection, now: i64) -> Result<(), Refusal> {
        database.execute("UPDATE secrets SET changed = ?2 WHERE id = ?1", [self.id, now])?;
        Ok(())
    }

    /// Marks it for deletion, or takes the mark away.
    pub(super) fn mark(&self, database: &Connection, deleted: Option<i64>, gone: Option<i64>) -> Result<(), Refusal> {
        database
            .execute("UPDATE secrets SET deleted = ?2, gone = ?3 WHERE id = ?1", params![self.id, deleted, gone])?;
        Ok(())
    }

    /// Deletes it with all its versions.
    pub(super) fn remove(&self, database: &Connection) -> Result<(), Refusal> {
        for rows in ["stages WHERE secret", "versions WHERE secret", "secrets WHERE id"] {
            database.execute(&format!("DELETE FROM {rows} = ?1"), [self.id])?;
        }
        Ok(())
    }
}

/// The name in an identifier, which may be an ARN. A whole ARN's six letters of chance stay at its end.
pub(crate) fn name_in(id: &str) -> &str {
    id.strip_prefix(ARN).unwrap_or(id)
}

/// The resource by which IAM knows a secret.
pub(super) fn resource(id: Option<&str>) -> String {
    id.map_or_else(|| "*".to_owned(), |id| format!("{ARN}{}-??????", name_in(id)))
}

/// A new secret's name has to be one that AWS takes.
pub(super) fn check_name(name: &str) -> Result<(), Refusal> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-/_+=.@!".contains(c);
    if !(1..=512).contains(&name.len()) {
        return Err(Refusal::constraint("name", "Member must have length between 1 and 512"));
    }
    if !name.chars().all(allowed) {
        return Err(Refusal::validation(
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        ));
    }
    Ok(())
}
