//! Exports of tenants: a ZIP of JSON, written to the bucket in parts. What is noted after each part is all that whoever
//! goes on has to know; of what was read since, the next one reads again.

use std::collections::BTreeMap;

use contract::id::GroupId;
use contract::job::{ExportResult, JobResult, JobStatus};
use contract::names::GroupKey;
use contract::{Error, Time};
use runtime::Exports;
use runtime::bucket::{Part, Prefix, SMALLEST_PART, Upload, UploadError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::grant::Create;
use store::jobs::{JobRuns, Noted, Running, Work};
use store::tenant_reads::{Reading, TenantReads};

use crate::share::{GoneOn, Share};
use crate::zip::{self, Entry};

/// How long a file gets before the next one is begun, in bytes of JSON.
const FILE_BYTES: usize = 8 * 1024 * 1024;
/// Files of one export at the most: what is noted of each has to fit into the job's item.
const MOST_FILES: usize = 1_500;

runtime::parts! {
    pub(crate) struct ExportTenant {
        reads: TenantReads,
        exports: Exports<Create>,
        jobs: JobRuns,
    }
}

/// How far an export is.
#[derive(Clone, Serialize, Deserialize)]
struct State {
    upload: Upload,
    started_at: Time,
    parts: Vec<Part>,
    /// Bytes in them.
    written: u64,
    files: Vec<File>,
    counts: BTreeMap<String, u64>,
    /// The groups, in the order in which their values are written.
    groups: Vec<(GroupId, GroupKey)>,
    /// Where the values go on: how many groups are done, in the next one after which cursor, in which file of it.
    done: usize,
    cursor: Option<String>,
    file: u32,
}

/// A file in the archive.
#[derive(Clone, Serialize, Deserialize)]
struct File {
    #[serde(flatten)]
    entry: Entry,
    sha256: String,
    /// How many resources are in it.
    count: u64,
}

/// Why an export stopped.
enum Stopped {
    /// Its upload is gone: it begins anew.
    Anew,
    /// There is no such tenant any more, or it is too large.
    ForGood,
    Failed(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<UploadError> for Stopped {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::Gone => Self::Anew,
            UploadError::Failed(error) => Self::Failed(error),
        }
    }
}

impl ExportTenant {
    pub(crate) async fn run(&self, mut running: Running, share: &Share) -> Result<GoneOn, Error> {
        running.job.status = JobStatus::Running;
        loop {
            match self.part(&mut running, share).await {
                Ok(true) => return Ok(GoneOn::Over),
                Ok(false) if share.is_over() => return Ok(GoneOn::From(share.now)),
                Ok(false) => {}
                Err(Stopped::Failed(error)) => return Err(error),
                Err(Stopped::Anew) => {
                    self.give_up(&running).await?;
                    set(&mut running, Value::Null)?;
                }
                Err(Stopped::ForGood) => {
                    self.give_up(&running).await?;
                    running.job.status = JobStatus::Failed;
                    set(&mut running, Value::Null)?;
                    self.jobs.advance(&mut running).await?;
                    return Ok(GoneOn::Over);
                }
            }
        }
    }

    /// Gives up what was uploaded so far.
    async fn give_up(&self, running: &Running) -> Result<(), Error> {
        match state(running)? {
            Some(state) => self.exports.abort(&state.upload).await,
            None => Ok(()),
        }
    }

    /// Writes the next part, and says whether that was the last.
    async fn part(&self, running: &mut Running, share: &Share) -> Result<bool, Stopped> {
        let tenant = running.work.tenant().ok_or_else(|| Error::internal("not an export"))?.clone();
        let reading = self.reads.tenant(running.client, &tenant).await?.ok_or(Stopped::ForGood)?;
        let (mut archive, before) = (Vec::new(), state(running)?);
        let begun_here = before.is_none();
        let mut state = match before {
            Some(state) => state,
            None => self.begin(running, &reading, share.now, &mut archive).await?,
        };
        while archive.len() < SMALLEST_PART && state.done < state.groups.len() {
            write_values(&reading, &mut state, &mut archive).await?;
            if state.files.len() > MOST_FILES {
                let (client, job) = (running.client, running.job.id);
                tracing::error!(operation = crate::RUN_JOBS.id, %client, %job, "a tenant is too large to be exported");
                return Err(Stopped::ForGood);
            }
        }
        let last = state.done == state.groups.len();
        if last {
            let manifest = manifest(&reading, &state, running)?;
            state.add(&mut archive, "manifest.json", &manifest, 1)?;
            let entries: Vec<Entry> = state.files.iter().map(|file| file.entry.clone()).collect();
            zip::end(&mut archive, state.written, &entries);
        }
        let size = u64::try_from(archive.len()).map_err(Error::internal)?;
        let number = i32::try_from(state.parts.len() + 1).map_err(Error::internal)?;
        state.parts.push(self.exports.put_part(&state.upload, number, archive).await?);
        state.written += size;
        running.job.progress.done = state.counts.get("entities").copied().unwrap_or(0);
        if last {
            self.exports.complete(&state.upload, &state.parts).await?;
            running.job.status = JobStatus::Completed;
            running.job.result = Some(JobResult::Export(ExportResult {
                url: None,
                expires_at: None,
                size: state.written,
                counts: state.counts.clone(),
                kept_until: share.now.plus(Prefix::Exports.kept().unwrap_or_default()),
            }));
            set(running, Value::Null)?;
        } else {
            set(running, serde_json::to_value(&state).map_err(Error::internal)?)?;
        }
        match self.jobs.advance(running).await? {
            Noted::Done => return Ok(last),
            Noted::Elsewhere if !begun_here => {}
            // Whoever erased the tenant meanwhile took the job with it.
            Noted::Gone | Noted::Elsewhere => self.exports.abort(&state.upload).await?,
        }
        Ok(true)
    }

    /// Begins the archive with all but the values.
    async fn begin(
        &self,
        running: &Running,
        reading: &Reading,
        now: Time,
        archive: &mut Vec<u8>,
    ) -> Result<State, Stopped> {
        let (groups, global) = (reading.groups().await?, reading.global_fields().await?);
        let mut fields = Vec::new();
        for group in &groups {
            fields.extend(reading.fields(group.id).await?);
        }
        let upload = self.exports.begin(running.client, running.job.id, "application/zip").await?;
        let mut state = State {
            upload,
            started_at: now,
            parts: Vec::new(),
            written: 0,
            files: Vec::new(),
            counts: BTreeMap::from([("entities".to_owned(), 0)]),
            groups: groups.iter().map(|group| (group.id, group.key.clone())).collect(),
            done: 0,
            cursor: None,
            file: 1,
        };
        state.add(archive, "tenant.json", &text(&reading.tenant)?, 1)?;
        state.list(archive, ("field-groups.json", "fieldGroups"), &groups)?;
        state.list(archive, ("global-fields.json", "globalFields"), &global)?;
        state.list(archive, ("fields.json", "fields"), &fields)?;
        Ok(state)
    }
}

/// Writes the next file of values, if there are any more in the group.
async fn write_values(reading: &Reading, state: &mut State, archive: &mut Vec<u8>) -> Result<(), Error> {
    let Some((group, key)) = state.groups.get(state.done).cloned() else { return Ok(()) };
    let mut content = Vec::new();
    let mut count = 0;
    while content.len() < FILE_BYTES {
        let page = reading.values(group, state.cursor.take()).await?;
        for values in &page.items {
            content.extend(if count == 0 { b"[\n" } else { b",\n" });
            content.extend(text(values)?);
            count += 1;
        }
        state.cursor = page.next_cursor;
        if state.cursor.is_none() {
            state.done += 1;
            break;
        }
    }
    if count > 0 {
        content.extend(b"\n]\n");
        state.add(archive, &format!("values/{key}/{:04}.json", state.file), &content, count)?;
        *state.counts.entry("entities".to_owned()).or_default() += count;
    }
    state.file = if state.cursor.is_none() { 1 } else { state.file + 1 };
    Ok(())
}

impl State {
    fn add(&mut self, archive: &mut Vec<u8>, name: &str, content: &[u8], count: u64) -> Result<(), Error> {
        let entry = zip::add(archive, self.written, name, content)?;
        self.files.push(File { entry, sha256: auth::hex(&auth::sha256(content)), count });
        Ok(())
    }

    fn list<T: Serialize>(
        &mut self,
        archive: &mut Vec<u8>,
        (name, counted): (&str, &str),
        all: &[T],
    ) -> Result<(), Error> {
        let count = u64::try_from(all.len()).map_err(Error::internal)?;
        self.counts.insert(counted.to_owned(), count);
        self.add(archive, name, &text(&all)?, count)
    }
}

/// What is in the archive, so that its reader can tell that it is whole.
fn manifest(reading: &Reading, state: &State, running: &Running) -> Result<Vec<u8>, Error> {
    let files = state.files.iter().map(|File { entry, sha256, count }| {
        json!({ "name": entry.name, "size": entry.size, "sha256": sha256, "count": count })
    });
    text(&json!({
        "format": 1,
        "clientId": running.client,
        "tenantId": reading.tenant.tenant_id,
        "jobId": running.job.id,
        "startedAt": state.started_at,
        "counts": state.counts,
        "files": files.collect::<Value>(),
    }))
}

fn text<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(Error::internal)
}

fn state(running: &Running) -> Result<Option<State>, Error> {
    match &running.work {
        Work::ExportTenant(export) => serde_json::from_value(export.state.clone()).map_err(Error::internal),
        _ => Err(Error::internal("not an export")),
    }
}

fn set(running: &mut Running, state: Value) -> Result<(), Error> {
    match &mut running.work {
        Work::ExportTenant(export) => {
            export.state = state;
            Ok(())
        }
        _ => Err(Error::internal("not an export")),
    }
}
