//! SES, embedded: mails that are sent become files in a folder, one each, or are kept in memory.

mod eml;
mod operation;
mod refusal;
mod request;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::file::{self, OpenError};
pub(crate) use operation::{Operation, denied, faulty, sender, unknown};
use refusal::Refusal;

/// What the paths of this service begin with. It goes by methods and paths, where the others have `X-Amz-Target`.
pub(crate) const PATH: &str = "/v2/email/";
/// What a method and a path of it are as a target: `ses:POST /v2/email/outbound-emails`.
pub(crate) const PREFIX: &str = "ses:";

/// An embedded SES. A clone is another handle on the same one. All identities are verified.
#[derive(Clone)]
pub struct Ses {
    kept: Kept,
}

#[derive(Clone)]
enum Kept {
    InFolder(PathBuf),
    InMemory(Arc<Mutex<Vec<SentMail>>>),
}

/// A mail that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMail {
    /// Whom it is from.
    pub from: String,
    /// Whom it goes to.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
    /// The body as HTML; empty if it has none.
    pub html: String,
}

impl Ses {
    /// Writes what is sent to `mail/` in `folder`, both of which are created for their owner alone.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        Ok(Self { kept: Kept::InFolder(file::private_folder(&folder.join("mail"))?) })
    }

    /// Keeps what is sent in memory, as long as its handles last.
    pub fn memory() -> Self {
        Self { kept: Kept::InMemory(Arc::default()) }
    }

    /// The mails to an address, in the order in which they were sent, if they are kept in memory.
    pub fn sent_to(&self, address: &str) -> Vec<SentMail> {
        match &self.kept {
            Kept::InFolder(_) => Vec::new(),
            Kept::InMemory(sent) => {
                let sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
                sent.iter().filter(|mail| mail.to.iter().any(|to| to == address)).cloned().collect()
            }
        }
    }

    /// Carries out one call: `target` is the method and the path behind [`PREFIX`], `body` its JSON.
    pub fn call(&self, target: &str, body: &[u8]) -> Answer {
        let done = Operation::of(target).map(|operation| operation.run(self, body));
        match done {
            Some(Ok(body)) => Answer::rest_json(200, &body),
            Some(Err(refusal)) => refusal.answer(),
            None => unknown(),
        }
    }

    fn send(&self, body: &[u8]) -> Result<Value, Refusal> {
        let mail = request::read(body)?;
        let id = new_id()?;
        match &self.kept {
            Kept::InFolder(folder) => {
                let file = eml::write(folder, &id, &mail)?;
                tracing::info!(subject = mail.subject, file = %file.display(), "a mail was written");
            }
            Kept::InMemory(sent) => sent.lock().unwrap_or_else(PoisonError::into_inner).push(mail),
        }
        Ok(json!({ "MessageId": id }))
    }
}

/// A message's identifier: 128 bits of chance.
fn new_id() -> Result<String, Refusal> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|e| Refusal::internal(e.to_string()))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

impl fmt::Debug for Ses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ses")
    }
}

impl From<io::Error> for Refusal {
    fn from(e: io::Error) -> Self {
        Self::internal(e.to_string())
    }
}
