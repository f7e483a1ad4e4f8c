//! What jobs export, in the bucket, each part for one operation: from these come a function's grants on objects.

use std::marker::PhantomData;

use contract::id::{ClientId, JobId};
use contract::{Error, Time};
use store::grant::{Create, Delete, Get};

use super::{FromRequest, Part};
use crate::app::App;
use crate::bucket::{
    Bucket, FileName, ObjectAction, ObjectGrant, Part as UploadedPart, Prefix, SignedAddress, Upload, UploadError,
    export_key,
};
use crate::config::BadSetting;
use crate::request::RequestContext;
use crate::spec::operation::{OperationSpec, Permissions};
use crate::start::Start;

/// What jobs export.
pub struct Exports<A> {
    bucket: Bucket,
    operation: PhantomData<A>,
}

/// What an operation does with objects.
pub trait ObjectOperation: Send + 'static {
    /// The actions that it takes.
    const ACTIONS: &'static [ObjectAction];
}

impl ObjectOperation for Create {
    const ACTIONS: &'static [ObjectAction] = &[ObjectAction::PutObject, ObjectAction::AbortMultipartUpload];
}

impl ObjectOperation for Get {
    const ACTIONS: &'static [ObjectAction] = &[ObjectAction::GetObject];
}

impl ObjectOperation for Delete {
    const ACTIONS: &'static [ObjectAction] = &[ObjectAction::DeleteObject, ObjectAction::ListBucket];
}

impl Exports<Create> {
    /// Begins an object, in parts; whoever reads it sees it once it is complete.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn begin(&self, client: ClientId, job: JobId, content_type: &str) -> Result<Upload, Error> {
        self.bucket.begin(export_key(client, job), content_type).await
    }

    /// Puts the part with this number, from 1 on, in place of one that was there.
    ///
    /// # Errors
    /// [`UploadError`].
    pub async fn put_part(&self, upload: &Upload, number: i32, body: Vec<u8>) -> Result<UploadedPart, UploadError> {
        self.bucket.put_part(upload, number, body).await
    }

    /// The parts, in their order, are the object.
    ///
    /// # Errors
    /// [`UploadError`].
    pub async fn complete(&self, upload: &Upload, parts: &[UploadedPart]) -> Result<(), UploadError> {
        self.bucket.complete(upload, parts).await
    }

    /// Gives an upload up, with its parts; one that is gone already is given up.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn abort(&self, upload: &Upload) -> Result<(), Error> {
        self.bucket.abort(upload).await
    }
}

impl Exports<Get> {
    /// An address of what a job exported, for a quarter of an hour.
    ///
    /// # Errors
    /// `unavailable`, if there are no credentials to sign by.
    pub async fn sign(
        &self,
        client: ClientId,
        job: JobId,
        file: &FileName<'_>,
        at: Time,
    ) -> Result<SignedAddress, Error> {
        self.bucket.sign(&export_key(client, job), file, at).await
    }
}

impl Exports<Delete> {
    /// Deletes what a job exported, and says whether there was anything.
    ///
    /// # Errors
    /// `unavailable`, `internal`; also if it is still there.
    pub async fn delete(&self, client: ClientId, job: JobId) -> Result<bool, Error> {
        let key = export_key(client, job);
        if self.bucket.list(&key).await?.is_empty() {
            return Ok(false);
        }
        self.bucket.delete(&key).await?;
        if self.bucket.list(&key).await?.is_empty() {
            return Ok(true);
        }
        Err(Error::unavailable("an object that was deleted is still listed"))
    }
}

impl<A: ObjectOperation> Part for Exports<A> {
    fn take(app: &App) -> Result<Self, Error> {
        Ok(Self { bucket: app.bucket()?.clone(), operation: PhantomData })
    }
    fn prepare(start: &mut Start<'_>) -> Result<(), BadSetting> {
        start.app.bucket = Some(Bucket::of_sdk(start.sdk, start.config.bucket()?));
        Ok(())
    }
    fn permissions(permissions: &mut Permissions) {
        let grant = |action: &ObjectAction| ObjectGrant { prefix: Prefix::Exports, action: *action };
        permissions.objects.extend(A::ACTIONS.iter().map(grant));
    }
}

impl<A: ObjectOperation> FromRequest for Exports<A> {
    fn take(context: &RequestContext) -> Result<Self, Error> {
        <Self as Part>::take(&context.app)
    }
    fn prepare(start: &mut Start<'_>) -> Result<(), BadSetting> {
        <Self as Part>::prepare(start)
    }
    fn describe(operation: &mut OperationSpec) {
        <Self as Part>::permissions(&mut operation.permissions);
    }
}
