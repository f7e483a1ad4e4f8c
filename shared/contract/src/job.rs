//! Jobs: work that goes on after its request was answered, and what comes of it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Time;
use crate::id::JobId;
use crate::permission::Permission;
use crate::resource::Resource;

/// Work that goes on after its request was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// `job_…`
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// Where it stands.
    pub status: JobStatus,
    /// How far it has come.
    pub progress: Progress,
    /// What came of it, where that is more than that it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<JobResult>,
    /// When it was asked for.
    pub created_at: Time,
    /// When it last came on.
    pub updated_at: Time,
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Sends again what failed and what is held.
    WebhookRecovery,
    /// Sends what was held while a webhook was off or did not answer.
    WebhookRelease,
    /// Erases a client that was closed, 30 days later.
    ClientErasure,
    /// Erases a tenant.
    TenantErasure,
    /// Writes all of a tenant into a file.
    TenantExport,
}

impl JobKind {
    /// The permissions any one of which lets a caller follow it: those of what it works on.
    #[must_use]
    pub const fn permissions(self) -> &'static [Permission] {
        match self {
            Self::WebhookRecovery | Self::WebhookRelease => &[Permission::WebhooksRead, Permission::WebhooksWrite],
            Self::ClientErasure | Self::TenantErasure => &[Permission::TenantsErase],
            // Whoever has its address has the data.
            Self::TenantExport => &[Permission::ValuesRead],
        }
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobStatus {
    /// It has not begun.
    Pending,
    /// It has begun.
    Running,
    /// It is done.
    Completed,
    /// It could not be done, and is not tried again.
    Failed,
}

/// How far a job has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// How many it has dealt with.
    pub done: u64,
}

/// What came of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum JobResult {
    /// Of an export.
    Export(ExportResult),
    /// Of an erasure.
    Erasure(Certificate),
}

/// A file that was exported. It is kept for 7 days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportResult {
    /// Where it is read, by whoever has the address, until `expiresAt`; asking for the job again gives another one. `null`
    /// once the file is gone.
    #[serde(default)]
    pub url: Option<String>,
    /// How long the address works.
    #[serde(default)]
    pub expires_at: Option<Time>,
    /// Its size in bytes.
    pub size: u64,
    /// How many of each kind are in it, as in its manifest.
    pub counts: BTreeMap<String, u64>,
    /// How long the file itself is kept.
    pub kept_until: Time,
}

/// What was erased, and that it was found gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// Whose data it was: the SHA-256, in hexadecimal digits, of the client's identifier, `/` and the tenant's. The
    /// tenant's own is not kept.
    pub subject: String,
    /// When its data could no longer be read, and its embed tokens were dead.
    pub closed_at: Time,
    /// How many items of each kind were erased.
    pub erased: BTreeMap<String, u64>,
    /// When every place was read again, and nothing was found.
    pub verified_at: Time,
    /// What this deployment can't erase at once, and how long it lasts.
    pub remains: Vec<Remainder>,
}

/// Something that passes by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Remainder {
    /// What it is.
    pub what: String,
    /// When it is gone at the latest.
    pub until: Time,
}

impl Resource for Job {
    fn version(&self) -> Option<u64> {
        None
    }
}
