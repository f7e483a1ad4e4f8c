//! The operations of Secrets Manager.

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Value, json};

use super::secret::{Secret, check_name, resource};
use super::version::{CURRENT, Content, id_of};
use super::{PREFIX, Refusal};
use crate::answer::{Answer, not_authorized};
use crate::fault::Fault;

/// A day in milliseconds.
const DAY: i64 = 24 * 3600 * 1000;

/// Expands to the type, its names and its dispatch, so that an operation is written once.
macro_rules! operations {
    ($($name:ident = $method:ident,)*) => {
        /// An operation of Secrets Manager that the embedded engine knows. Its name is its IAM action too.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Operation { $($name,)* }

        impl Operation {
            /// The operation that a target names, if there is one.
            pub(crate) fn of(target: &str) -> Option<Self> {
                match target.strip_prefix(PREFIX)? {
                    $(stringify!($name) => Some(Self::$name),)*
                    _ => None,
                }
            }

            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            pub(super) fn run(self, database: &Connection, body: &[u8], now: i64) -> Result<Value, Refusal> {
                let request: Request = serde_json::from_slice(body)?;
                match self { $(Self::$name => request.$method(database, now),)* }
            }
        }
    };
}

operations! {
    CreateSecret = create,
    DeleteSecret = delete,
    DescribeSecret = describe,
    GetSecretValue = get,
    ListSecretVersionIds = list_versions,
    PutSecretValue = put,
    RestoreSecret = restore,
    UpdateSecretVersionStage = update_stage,
}

/// What a target is answered that names no operation here.
pub(crate) fn unknown() -> Answer {
    Refusal::unknown_operation("The embedded Secrets Manager has no such operation.").answer()
}

/// What IAM says when no statement allows the call.
pub(crate) fn denied(action: &str, id: Option<&str>) -> Answer {
    Refusal::access(not_authorized("secretsmanager", action, &resource(id))).answer()
}

/// What a fault is answered with in place of the call.
pub(crate) fn faulty(fault: Fault) -> Option<Answer> {
    match fault {
        Fault::Lost | Fault::Slow(_) => None,
        Fault::Throughput | Fault::Throttling => Some(Refusal::throttled("Rate exceeded").answer()),
        Fault::Internal | Fault::Partial | Fault::TransactionConflict => {
            Some(Refusal::internal("An error occurred on the server side.").answer())
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    secret_id: Option<String>,
    name: Option<String>,
    description: Option<String>,
    client_request_token: Option<String>,
    secret_string: Option<String>,
    secret_binary: Option<String>,
    version_id: Option<String>,
    version_stage: Option<String>,
    version_stages: Option<Vec<String>>,
    remove_from_version_id: Option<String>,
    move_to_version_id: Option<String>,
    recovery_window_in_days: Option<i64>,
    force_delete_without_recovery: Option<bool>,
    include_deprecated: Option<bool>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

/// Seconds, with a fraction.
fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}

impl Request {
    fn living(&self, database: &Connection, now: i64) -> Result<Secret, Refusal> {
        Secret::living(database, self.secret_id.as_deref(), now)
    }

    fn create(self, database: &Connection, now: i64) -> Result<Value, Refusal> {
        let name = self.name.ok_or_else(|| Refusal::constraint("name", "Member must not be null"))?;
        check_name(&name)?;
        let content = Content::of(self.secret_string, self.secret_binary)?;
        let known = Secret::find(database, Some(&name), now)?;
        if known.as_ref().is_some_and(|secret| secret.deleted.is_some()) {
            return Err(Refusal::request(
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
            ));
        }
        let taken = || Refusal::exists(format!("The operation failed because the secret {name} already exists."));
        let Some(content) = content else {
            return match known {
                Some(_) => Err(taken()),
                None => {
                    let secret = Secret::create(database, name, self.description, now)?;
                    Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
                }
            };
        };
        let version = id_of(self.client_request_token)?;
        let secret = match known {
            // The same call again, which may have lost its answer.
            Some(secret) if secret.version(database, &version)?.is_some_and(|(known, _)| known == content) => secret,
            Some(_) => return Err(taken()),
            None => {
                let secret = Secret::create(database, name, self.description, now)?;
                secret.add(database, &version, &content, now)?;
                secret.stage(database, CURRENT, &version)?;
                secret
            }
        };
        Ok(json!({ "ARN": secret.arn, "Name": secret.name, "VersionId": version }))
    }

    fn put(self, database: &Connection, now: i64) -> Result<Value, Refusal> {
        let secret = self.living(database, now)?;
        let content = Content::of(self.secret_string, self.secret_binary)?
            .ok_or_else(|| Refusal::request("You must provide either SecretString or SecretBinary."))?;
        let version = id_of(self.client_request_token)?;
        let mut stages = self.version_stages.unwrap_or_else(|| vec![CURRENT.to_owned()]);
        if !(1..=20).contains(&stages.len()) || !stages.iter().all(|stage| (1..=256).contains(&stage.len())) {
            return Err(Refusal::constraint("versionStages", "Member must have 1 to 20 stages of 1 to 256 characters"));
        }
        // The first version is the current one, whatever it is said to be.
        if secret.staged(database, CURRENT)?.is_none() && !stages.iter().any(|stage| stage == CURRENT) {
            stages.push(CURRENT.to_owned());
        }
        // The same call again doesn't move stages that have gone on since.
        if secret.add(database, &version, &content, now)? {
            for stage in stages {
                secret.stage(database, &stage, &version)?;
            }
        }
        secret.told_with(database, &version)
    }

    fn get(self, database: &Connection, now: i64) -> Result<Value, Refusal> {
        let secret = self.living(database, now)?;
        let lacking = |what: &str, value: &str| {
            Refusal::missing(format!("Secrets Manager can't find the specified secret value for {what}: {value}"))
        };
        let version = match (self.version_id, self.version_stage) {
            (Some(version), stage) => {
                if let Some(stage) = stage
                    && secret.version(database, &version)?.is_some()
                    && secret.staged(database, &stage)?.as_ref() != Some(&version)
                {
                    return Err(Refusal::request(
                        "You provided a VersionStage that is not associated to the provided VersionId.",
                    ));
                }
                version
            }
            (None, stage) => {
                let stage = stage.as_deref().unwrap_or(CURRENT);
                secret.staged(database, stage)?.ok_or_else(|| lacking("staging label", stage))?
            }
        };
        let (content, created) = secret.version(database, &version)?.ok_or_else(|| lacking("VersionId", &version))?;
        let mut told = secret.told_with(database, &version)?;
        told["CreatedDate"] = json!(seconds(created));
        if let Some(text) = content.text {
            told["SecretString"] = json!(text);
        }
        if let Some(binary) = content.binary {
            told["SecretBinary"] = json!(binary);
        }
        Ok(told)
    }

    fn update_stage(self, database: &Connection, now: i64) -> Result<Value, Refusal> {
        let secret = self.living(database, now)?;
        let stage = self.version_stage.ok_or_else(|| Refusal::constraint("versionStage", "Member must not be null"))?;
        if !(1..=256).contains(&stage.len()) {
            return Err(Refusal::constraint("versionStage", "Member must have length between 1 and 256"));
        }
        let (from, to) = (self.remove_from_version_id, self.move_to_version_id);
        for version in [&from, &to].into_iter().flatten() {
            if secret.version(database, version)?.is_none() {
                return Err(Refusal::missing("Secrets Manager can't find the specified secret version."));
            }
        }
        let holder = secret.staged(database, &stage)?;
        match (&from, &to, &holder) {
            (None, None, _) => {
                return Err(Refusal::parameter("You must specify RemoveFromVersionId or MoveToVersionId."));
            }
            (Some(from), _, holder) if holder.as_ref() != Some(from) => {
                return Err(Refusal::parameter(format!("Staging label {stage} is not attached to version {from}.")));
            }
            (Some(_), None, _) if stage == CURRENT => {
                return Err(Refusal::parameter(format!(
                    "You can only move staging label {stage} to a different secret version. It can't be completely \
                     removed."
                )));
            }
            (None, Some(to), Some(holder)) if to != holder => {
                return Err(Refusal::parameter(format!(
                    "The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to \
                     version {holder}, so you must explicitly reference that version in RemoveFromVersionId."
                )));
            }
            (_, Some(to), _) => secret.stage(database, &stage, to)?,
            (Some(_), None, _) => secret.unstage(database, &stage)?,
        }
        secret.touch(database, now)?;
        Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
    }

    fn describe(self, database: &Connection, now: i64) -> Result<Value, Refusal> {
        let secret = Secret::find(database, self.secret_id.as_deref(), now)?.ok_or_else(Refusal::no_secret)?;
        let mut told = json!({
            "ARN": secret.arn,
            "Name": secret.name,
            "CreatedDate": seconds(secret.created),
            "LastChangedDate": seconds(secret.changed),
            "VersionIdsToStages": secret.stages(database)?,
        });
        if let Some(description) = secret.description {
            told["Description"] = json!(description);
        }
        if let Some(deleted) = secret.deleted {
            told["DeletedDate"] = json!(seconds(deleted));
        }
        Ok(told)
    }

    fn list_versions(self, database: &Connection, now: i64) -> Result<Value, Refusal> {
        let secret = Secret::find(database, self.secret_id.as_deref(), now)?.ok_or_else(Refusal::no_secret)?;
        let most = self.max_results.unwrap_or(100);
        if !(1..=100).contains(&most) {
            return Err(Refusal::constraint("maxResults", "Member must have value between 1 and 100"));
        }
        let stages = secret.stages(database)?;
        let mut versions = secret.versions(database)?;
        if !self.include_deprecated.unwrap_or(false) {
            versions.retain(|(id, _)| stages.contains_key(id));
        }
        if let Some(after) = self.next_token {
            let at = versions.iter().position(|(id, _)| *id == after);
            let at = at.ok_or_else(|| Refusal::token("The NextToken value is invalid."))?;
            versions.drain(..=at);
        }
        let page = versions.iter().take(most.unsigned_abs() as usize);
        let told: Vec<_> = page
            .map(|(id, created)| match stages.get(id) {
                Some(on) => json!({ "VersionId": id, "CreatedDate": seconds(*created), "VersionStages": on }),
                None => json!({ "VersionId": id, "CreatedDate": seconds(*created) }),
            })
            .collect();
        let mut answer = json!({ "ARN": secret.arn, "Name": secret.name });
        if versions.len() > told.len() {
            answer["NextToken"] = told.last().map_or(Value::Null, |last| last["VersionId"].clone());
        }
        answer["Versions"] = Value::Array(told);
        Ok(answer)
    }

    fn delete(self, database: &Connection, now: i64) -> Result<Value, Refusal> {
        let force = self.force_delete_without_recovery.unwrap_or(false);
        if force && self.recovery_window_in_days.is_some() {
            return Err(Refusal::parameter(
                "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
            ));
        }
        let window = self.recovery_window_in_days.unwrap_or(30);
        if !(7..=30).contains(&window) {
            return Err(Refusal::parameter("RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."));
        }
        if force {
            // One that isn't there is as good as deleted.
            let Some(secret) = Secret::find(database, self.secret_id.as_deref(), now)? else {
                return Ok(json!({ "Name": self.secret_id, "DeletionDate": seconds(now) }));
            };
            secret.remove(database)?;
            return Ok(json!({ "ARN": secret.arn, "Name": secret.name, "DeletionDate": seconds(now) }));
        }
        let secret = self.living(database, now)?;
        secret.mark(database, Some(now), Some(now + window * DAY))?;
        Ok(json!({ "ARN": secret.arn, "Name": secret.name, "DeletionDate": seconds(now + window * DAY) }))
    }

    fn restore(self, database: &Connection, now: i64) -> Result<Value, Refusal> {
        let secret = Secret::find(database, self.secret_id.as_deref(), now)?.ok_or_else(Refusal::no_secret)?;
        secret.mark(database, None, None)?;
        Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
    }
}
