//! The deployment's bucket: what is too large for an answer, below a prefix for each kind of it.

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use contract::id::{ClientId, JobId};
use contract::{Error, Time};
use serde::{Deserialize, Serialize};

/// What the keys of objects begin with; a function's role is held to the prefixes that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Prefix {
    /// What jobs export. It is gone after 7 days.
    Exports,
}

impl Prefix {
    /// Every prefix.
    pub const ALL: [Self; 1] = [Self::Exports];

    /// As keys have it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Exports => "exports/",
        }
    }

    /// How long its objects are kept, if not for ever.
    #[must_use]
    pub const fn kept(self) -> Option<Duration> {
        match self {
            Self::Exports => Some(Duration::from_secs(7 * 24 * 3600)),
        }
    }
}

/// How long an upload may stay incomplete: whatever began it goes on within minutes, or not at all.
pub const INCOMPLETE: Duration = Duration::from_secs(2 * 24 * 3600);

/// Actions of S3 on objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "S3's own names")]
pub enum ObjectAction {
    PutObject,
    AbortMultipartUpload,
    GetObject,
    DeleteObject,
    ListBucket,
}

impl ObjectAction {
    /// The name, without `s3:`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PutObject => "PutObject",
            Self::AbortMultipartUpload => "AbortMultipartUpload",
            Self::GetObject => "GetObject",
            Self::DeleteObject => "DeleteObject",
            Self::ListBucket => "ListBucket",
        }
    }
}

/// An action on the objects below a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectGrant {
    /// Which objects.
    pub prefix: Prefix,
    /// What may be done.
    pub action: ObjectAction,
}

/// The bucket. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bucket {
    s3: Client,
    /// What signs addresses: on one machine they lead elsewhere than the calls.
    signer: Client,
    name: Arc<str>,
}

/// An object that is being uploaded in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    key: String,
    id: String,
}

/// A part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    etag: String,
    checksum: Option<String>,
}

/// What every part has at least, but for the last (S3: 5 MiB).
pub const SMALLEST_PART: usize = 5 * 1024 * 1024;

/// Why an upload can't go on.
#[derive(Debug)]
pub enum UploadError {
    /// It is no longer there: it was completed, or given up. It is to be begun anew.
    Gone,
    /// S3 did not do it.
    Failed(Error),
}

impl From<UploadError> for Error {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::Gone => Self::unavailable("an upload to the bucket is no longer there"),
            UploadError::Failed(error) => error,
        }
    }
}

/// An address by which anybody reads an object, for a while.
pub struct SignedAddress {
    /// The address.
    pub url: String,
    /// Until when.
    pub expires_at: Time,
}

/// Where what a job exported lies.
pub(crate) fn export_key(client: ClientId, job: JobId) -> String {
    format!("{}{client}/{job}", Prefix::Exports.word())
}

impl Bucket {
    /// A bucket by its name; `signer` makes the addresses.
    #[must_use]
    pub fn new(s3: Client, signer: Client, name: &str) -> Self {
        Self { s3, signer, name: name.into() }
    }

    /// What the SDK's settings name. Where S3 is not at its own addresses, a bucket has no name of its own there.
    #[must_use]
    pub fn of_sdk(sdk: &SdkConfig, name: &str) -> Self {
        let config = Builder::from(sdk).force_path_style(sdk.endpoint_url().is_some()).build();
        let s3 = Client::from_conf(config);
        Self::new(s3.clone(), s3, name)
    }

    pub(crate) async fn begin(&self, key: String, content_type: &str) -> Result<Upload, Error> {
        let call = self.s3.create_multipart_upload().bucket(&*self.name).key(&key).content_type(content_type);
        let begun = call.checksum_algorithm(ChecksumAlgorithm::Crc32).send().await;
        let begun = begun.map_err(|error| fault("CreateMultipartUpload", &error))?;
        let id = begun.upload_id.ok_or_else(|| Error::internal("CreateMultipartUpload: no identifier"))?;
        Ok(Upload { key, id })
    }

    pub(crate) async fn put_part(&self, upload: &Upload, number: i32, body: Vec<u8>) -> Result<Part, UploadError> {
        let call = self.s3.upload_part().bucket(&*self.name).key(&upload.key).upload_id(&upload.id);
        let call = call.part_number(number).checksum_algorithm(ChecksumAlgorithm::Crc32).body(body.into());
        let done = call.send().await.map_err(|error| upload_fault("UploadPart", &error))?;
        let etag = done.e_tag.ok_or_else(|| UploadError::Failed(Error::internal("UploadPart: no ETag")))?;
        Ok(Part { etag, checksum: done.checksum_crc32 })
    }

    pub(crate) async fn complete(&self, upload: &Upload, parts: &[Part]) -> Result<(), UploadError> {
        let named = (1..).zip(parts).map(|(number, part)| {
            let named = CompletedPart::builder().part_number(number).e_tag(&part.etag);
            named.set_checksum_crc32(part.checksum.clone()).build()
        });
        let parts = CompletedMultipartUpload::builder().set_parts(Some(named.collect())).build();
        let call = self.s3.complete_multipart_upload().bucket(&*self.name).key(&upload.key).upload_id(&upload.id);
        let done = call.multipart_upload(parts).send().await;
        done.map(|_| ()).map_err(|error| upload_fault("CompleteMultipartUpload", &error))
    }

    pub(crate) async fn abort(&self, upload: &Upload) -> Result<(), Error> {
        let call = self.s3.abort_multipart_upload().bucket(&*self.name).key(&upload.key).upload_id(&upload.id);
        match call.send().await.map_err(|error| upload_fault("AbortMultipartUpload", &error)) {
            Ok(_) | Err(UploadError::Gone) => Ok(()),
            Err(UploadError::Failed(error)) => Err(error),
        }
    }

    pub(crate) async fn delete(&self, key: &str) -> Result<(), Error> {
        let done = self.s3.delete_object().bucket(&*self.name).key(key).send().await;
        done.map(|_| ()).map_err(|error| fault("DeleteObject", &error))
    }

    /// The keys below a prefix: as many as one call tells.
    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let told = self.s3.list_objects_v2().bucket(&*self.name).prefix(prefix).send().await;
        let told = told.map_err(|error| fault("ListObjectsV2", &error))?;
        Ok(told.contents.unwrap_or_default().into_iter().filter_map(|object| object.key).collect())
    }

    pub(crate) async fn sign(&self, key: &str, file: &FileName<'_>, at: Time) -> Result<SignedAddress, Error> {
        let config = PresigningConfig::expires_in(ADDRESS_LIFE).map_err(Error::internal)?;
        let call = self.signer.get_object().bucket(&*self.name).key(key);
        let call = call.response_content_type(file.content_type);
        let call = call.response_content_disposition(format!("attachment; filename=\"{}\"", file.name));
        let signed = call.presigned(config).await.map_err(|error| fault("GetObject", &error))?;
        Ok(SignedAddress { url: signed.uri().to_owned(), expires_at: at.plus(ADDRESS_LIFE) })
    }
}

/// How long a signed address lives. In AWS no longer than the credentials of the function that signed it, which live for
/// an hour at the least.
const ADDRESS_LIFE: Duration = Duration::from_secs(15 * 60);

/// What a browser is told of an object that it keeps as a file.
pub struct FileName<'f> {
    /// A name of letters, digits, dots and dashes.
    pub name: &'f str,
    /// Its media type.
    pub content_type: &'f str,
}

fn fault<E: std::error::Error + ProvideErrorMetadata + 'static, R: std::fmt::Debug + 'static>(
    call: &str,
    error: &SdkError<E, R>,
) -> Error {
    let passing = |code: &str| matches!(code, "SlowDown" | "InternalError" | "ServiceUnavailable" | "RequestTimeout");
    let cause = format!("{call}: {}", DisplayErrorContext(error));
    match error.as_service_error().map(|service| service.code().unwrap_or_default()) {
        Some(code) if !passing(code) => Error::internal(cause),
        _ => Error::unavailable(cause),
    }
}

fn upload_fault<E: std::error::Error + ProvideErrorMetadata + 'static, R: std::fmt::Debug + 'static>(
    call: &str,
    error: &SdkError<E, R>,
) -> UploadError {
    match error.as_service_error().and_then(ProvideErrorMetadata::code) {
        // Of the latter, another worker put a part in place of one of ours.
        Some("NoSuchUpload" | "InvalidPart") => UploadError::Gone,
        _ => UploadError::Failed(fault(call, error)),
    }
}
