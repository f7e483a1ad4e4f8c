//! Mails as files: RFC 5322, with text and HTML as alternatives (RFC 2046 §5.1.4).

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mail_builder::MessageBuilder;

use super::SentMail;

/// Writes a mail into a folder, for the owner of the process alone, and says where. The file's name begins with the time,
/// to the microsecond, so that they stand in the order in which they were sent; it is there as a whole or not at all.
pub(super) fn write(folder: &Path, id: &str, mail: &SentMail) -> io::Result<PathBuf> {
    let now = Timestamp::now();
    let name = format!("{}-{}", now.strftime("%Y%m%dT%H%M%S.%6fZ"), &id[..8]);
    let (half, whole) = (folder.join(format!(".{name}")), folder.join(format!("{name}.eml")));
    let file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&half)?;
    message(id, now.as_second(), mail).write_to(io::BufWriter::new(file))?;
    fs::rename(half, &whole)?;
    Ok(whole)
}

fn message<'m>(id: &str, seconds: i64, mail: &'m SentMail) -> MessageBuilder<'m> {
    let to: Vec<&str> = mail.to.iter().map(String::as_str).collect();
    let message = MessageBuilder::new().message_id(format!("{id}@email.local")).date(seconds);
    let message = message.from(mail.from.as_str()).to(to).subject(mail.subject.as_str());
    let message = message.text_body(mail.text.as_str());
    if mail.html.is_empty() { message } else { message.html_body(mail.html.as_str()) }
}
