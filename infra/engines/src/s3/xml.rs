//! The little XML that S3 speaks.

use aws_smithy_xml::decode::{Document, try_data};

use super::Refusal;

/// A part as the end of an upload names it.
pub(super) struct NamedPart {
    pub(super) number: u32,
    pub(super) etag: String,
    pub(super) checksum: Option<String>,
}

/// A document of an element with texts.
pub(super) fn document(root: &str, texts: &[(&str, &str)]) -> String {
    let inner: String = texts.iter().map(|(name, text)| element(name, text)).collect();
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root}>{inner}</{root}>")
}

/// An element with a text.
pub(super) fn element(name: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    format!("<{name}>{text}</{name}>")
}

/// The parts in the body of `CompleteMultipartUpload`.
pub(super) fn parts(body: &[u8]) -> Result<Vec<NamedPart>, Refusal> {
    let malformed = || {
        Refusal::malformed_xml(
            "The XML you provided was not well-formed or did not validate against our published schema",
        )
    };
    let text = std::str::from_utf8(body).map_err(|_| malformed())?;
    let mut document = Document::new(text);
    let mut root = document.root_element().map_err(|_| malformed())?;
    let mut parts = Vec::new();
    while let Some(mut part) = root.next_tag() {
        let (mut number, mut etag, mut checksum) = (None, None, None);
        while let Some(mut member) = part.next_tag() {
            let name = member.start_el().local().to_owned();
            let value = try_data(&mut member).map_err(|_| malformed())?.into_owned();
            match name.as_str() {
                "PartNumber" => number = value.parse().ok(),
                "ETag" => etag = Some(value),
                "ChecksumCRC32" => checksum = Some(value),
                _ => return Err(malformed()),
            }
        }
        let (number, etag) = number.zip(etag).ok_or_else(malformed)?;
        parts.push(NamedPart { number, etag, checksum });
    }
    if parts.is_empty() { Err(malformed()) } else { Ok(parts) }
}
