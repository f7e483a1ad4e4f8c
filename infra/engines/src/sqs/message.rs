//! What is sent: the checks that AWS makes of a message, and its sums.

use std::collections::BTreeMap;

use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use super::{Refusal, queue::Queue};

/// What a message may say of itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Outgoing {
    message_body: Option<String>,
    delay_seconds: Option<i64>,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
    #[serde(default)]
    message_attributes: BTreeMap<String, Attribute>,
    #[serde(default)]
    message_system_attributes: BTreeMap<String, Attribute>,
}

/// A value that goes with a message.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Attribute {
    #[serde(default)]
    data_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    string_value: Option<String>,
    /// In base64, as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    binary_value: Option<String>,
}

/// A message that has passed the checks.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) body: String,
    /// Seconds.
    pub(super) delay: i64,
    pub(super) group: Option<String>,
    pub(super) attributes: BTreeMap<String, Attribute>,
    pub(super) trace: Option<String>,
}

impl Outgoing {
    /// What counts against the limits on size.
    pub(super) fn size(&self) -> i64 {
        let attributes = self.message_attributes.iter().map(|(name, attribute)| name.len() + attribute.size());
        (self.message_body.as_deref().unwrap_or_default().len() + attributes.sum::<usize>()) as i64
    }

    /// Holds it to AWS's rules.
    pub(super) fn check(self, queue: &Queue) -> Result<Accepted, Refusal> {
        let size = self.size();
        let body = self.message_body.filter(|body| !body.is_empty()).ok_or_else(|| Refusal::missing("MessageBody"))?;
        if size > queue.largest {
            let most = queue.largest;
            let reason =
                format!("One or more parameters are invalid. Reason: Message must be shorter than {most} bytes.");
            return Err(Refusal::value(reason));
        }
        check_characters(&body)?;
        let delay = self.delay_seconds.unwrap_or(queue.delay);
        if !(0..=900).contains(&delay) {
            return Err(Refusal::invalid("DelaySeconds", delay, "DelaySeconds must be >= 0 and <= 900."));
        }
        if let Some(id) = self.message_deduplication_id {
            let reason = "The request include parameter that is not valid for this queue type";
            return Err(Refusal::invalid("MessageDeduplicationId", id, reason));
        }
        if let Some(group) = &self.message_group_id
            && !((1..=128).contains(&group.len()) && group.bytes().all(|c| c.is_ascii_graphic()))
        {
            let reason = "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.";
            return Err(Refusal::invalid("MessageGroupId", group, reason));
        }
        if self.message_attributes.len() > 10 {
            let reason = "Number of message attributes cannot be greater than 10.";
            return Err(Refusal::invalid("MessageAttributes", self.message_attributes.len(), reason));
        }
        for (name, attribute) in &self.message_attributes {
            attribute.check(name)?;
        }
        let mut trace = None;
        for (name, attribute) in self.message_system_attributes {
            if name != "AWSTraceHeader" || attribute.data_type != "String" {
                let reason = "Message system attribute name is invalid.";
                return Err(Refusal::invalid("MessageSystemAttributes", name, reason));
            }
            trace = attribute.string_value;
        }
        Ok(Accepted { body, delay, group: self.message_group_id, attributes: self.message_attributes, trace })
    }
}

/// XML's characters are the only ones that a message may have.
fn check_characters(text: &str) -> Result<(), Refusal> {
    let allowed =
        |c: char| !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    if text.chars().all(allowed) {
        return Ok(());
    }
    Err(Refusal::contents(
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | \
         #x10000 to #x10FFFF",
    ))
}

impl Attribute {
    fn size(&self) -> usize {
        let binary = self.binary().map_or(0, |bytes| bytes.len());
        self.data_type.len() + self.string_value.as_deref().map_or(0, str::len) + binary
    }

    fn binary(&self) -> Option<Vec<u8>> {
        aws_smithy_types::base64::decode(self.binary_value.as_deref()?).ok()
    }

    fn check(&self, name: &str) -> Result<(), Refusal> {
        let of = |reason: &str| Refusal::value(format!("The message attribute '{name}' {reason}"));
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let reserved = ["aws.", "amazon."].iter().any(|prefix| name.to_ascii_lowercase().starts_with(prefix));
        let dots = name.starts_with('.') || name.ends_with('.') || name.contains("..");
        if name.is_empty() || name.len() > 256 || !name.chars().all(letter) || reserved || dots {
            return Err(of("has a name that is not allowed."));
        }
        let value = match self.data_type.split('.').next().unwrap_or_default() {
            "String" => {
                check_characters(self.string_value.as_deref().unwrap_or_default())?;
                self.string_value.as_ref().is_some_and(|text| !text.is_empty())
            }
            "Number" => self.string_value.as_deref().is_some_and(|text| text.parse::<f64>().is_ok_and(f64::is_finite)),
            "Binary" => self.binary().is_some_and(|bytes| !bytes.is_empty()),
            _ => {
                let types = "has an invalid message attribute type, the set of supported type prefixes is Binary, \
                             Number, and String.";
                return Err(of(types));
            }
        };
        let both = self.string_value.is_some() && self.binary_value.is_some();
        if value && !both { Ok(()) } else { Err(of("must contain a non-empty message attribute value of its type.")) }
    }
}

/// The sum of a text, as the SDKs check it.
pub(super) fn sum(text: &str) -> String {
    hex(&Md5::digest(text))
}

/// The sum of attributes: of each its name, type and value with their lengths, in the order of the names.
pub(super) fn sum_of_attributes(attributes: &BTreeMap<String, Attribute>) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut all = Vec::new();
    for (name, attribute) in attributes {
        let binary = attribute.binary();
        let kind = if binary.is_some() { 2 } else { 1 };
        let value = binary.unwrap_or_else(|| attribute.string_value.clone().unwrap_or_default().into_bytes());
        append(&mut all, name.as_bytes());
        append(&mut all, attribute.data_type.as_bytes());
        all.push(kind);
        append(&mut all, &value);
    }
    Some(hex(&Md5::digest(&all)))
}

fn append(all: &mut Vec<u8>, part: &[u8]) {
    all.extend((part.len() as u32).to_be_bytes());
    all.extend(part);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
