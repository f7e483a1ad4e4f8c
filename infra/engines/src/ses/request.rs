//! A request to send a mail, held to SES's rules. What the embedded SES does not know of (copies, templates, attachments)
//! is refused, lest it be taken for sent.

use serde::Deserialize;

use super::{Refusal, SentMail};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SendEmail {
    from_email_address: Option<String>,
    destination: Option<Destination>,
    content: Option<Content>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Destination {
    #[serde(default)]
    to_addresses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Content {
    simple: Option<Simple>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Simple {
    subject: Option<Text>,
    body: Option<Body>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Body {
    text: Option<Text>,
    html: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Text {
    data: Option<String>,
    charset: Option<String>,
}

/// Recipients of one mail at the most.
const MOST_RECIPIENTS: usize = 50;

/// The mail in a request's body.
pub(super) fn read(body: &[u8]) -> Result<SentMail, Refusal> {
    let request: SendEmail = serde_json::from_slice(body)
        .map_err(|error| Refusal::bad(format!("The embedded SES can't read the request: {error}")))?;
    let from = request.from_email_address.ok_or_else(|| Refusal::bad("The FromEmailAddress is missing."))?;
    check_address(&from)?;
    let to = request.destination.map(|destination| destination.to_addresses).unwrap_or_default();
    if !(1..=MOST_RECIPIENTS).contains(&to.len()) {
        return Err(Refusal::bad(format!("A message has 1 to {MOST_RECIPIENTS} recipients.")));
    }
    to.iter().try_for_each(|address| check_address(address))?;
    let content = request.content.and_then(|content| content.simple);
    let Simple { subject, body } = content.ok_or_else(|| Refusal::bad("The content is missing."))?;
    let subject = subject.ok_or_else(|| Refusal::bad("The subject is missing."))?.read("subject")?;
    if subject.contains(char::is_control) {
        return Err(Refusal::bad("The subject holds a control character."));
    }
    let Some(Body { text: Some(text), html }) = body else {
        return Err(Refusal::bad("The message has no text; SES would take HTML alone, filters of spam do not."));
    };
    let html = html.map(|html| html.read("HTML")).transpose()?.unwrap_or_default();
    Ok(SentMail { from, to, subject, text: text.read("text")?, html })
}

impl Text {
    fn read(self, part: &str) -> Result<String, Refusal> {
        let data = self.data.filter(|data| !data.is_empty());
        let data = data.ok_or_else(|| Refusal::bad(format!("The {part} is empty.")))?;
        match self.charset.as_deref() {
            Some(charset) if charset.eq_ignore_ascii_case("utf-8") => Ok(data),
            // SES makes `?` of what the charset has not: nobody wants that.
            None if data.is_ascii() => Ok(data),
            _ => Err(Refusal::bad(format!("The {part} is not in its charset; the embedded SES knows UTF-8."))),
        }
    }
}

/// One plain address. SES does not speak SMTPUTF8: it takes nothing but ASCII.
fn check_address(address: &str) -> Result<(), Refusal> {
    let bad = |why: &str| Err(Refusal::bad(why.to_owned()));
    let Some((local, domain)) = address.rsplit_once('@') else { return bad("Missing final '@domain'") };
    if !address.is_ascii() {
        return bad("Address contains non-ASCII characters");
    }
    let is_atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    let is_atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_atext);
    if local.len() > 64 || !local.split('.').all(is_atom) {
        return bad("Illegal address: the local part is none");
    }
    let is_label = |label: &str| {
        let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        (1..=63).contains(&label.len()) && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    if domain.len() > 253 || !domain.contains('.') || !domain.split('.').all(is_label) {
        return bad("Illegal address: the domain is none");
    }
    Ok(())
}
