//! What was found, in sentences.

use std::fmt;

/// Why a delivery's signatures do or do not match. Printed, it is the verdict and then a line for each finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What it comes to.
    pub verdict: Verdict,
    /// What was found: the changes with which the signatures match, or hints.
    pub findings: Vec<Finding>,
}

/// What it comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every signature matches.
    Genuine,
    /// A signature does not match, and the findings say why.
    Explained,
    /// No signature matches, whatever was tried.
    Unexplained,
    /// There is no signature.
    Unsigned,
}

/// Something that was found. Printed, it is a sentence or two for the person who has to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// No header is a signature.
    NoSignature,
    /// Nothing makes this header match.
    NoMatch {
        /// The header's name.
        header: String,
    },
    /// This header is by the other of the two secrets of a rotation, and right so.
    Rotation {
        /// The header's name.
        header: String,
    },
    /// A header is not there.
    MissingHeader {
        /// The header's name.
        header: &'static str,
    },
    /// The signature is right, its encoding is not.
    HeaderEncoding {
        /// The header's name.
        header: String,
        /// How it is written.
        encoding: Encoding,
    },
    /// Bare digits, where `sha256=` is expected before them.
    HeaderLacksSha256 {
        /// The header's name.
        header: String,
    },
    /// The signature is right, what surrounds it is not.
    HeaderShape {
        /// The header's name.
        header: String,
    },
    /// A header that is right, in an unusual spelling.
    HeaderUntidy {
        /// The header's name.
        header: &'static str,
    },
    /// A header without anything that reads as a signature.
    HeaderUnreadable {
        /// The header's name.
        header: String,
    },
    /// `webhook-id` is not the event's identifier, which was signed.
    IdAltered,
    /// `webhook-timestamp` is in milliseconds; seconds were signed.
    TimestampInMilliseconds,
    /// The body's signature matches, `webhook-signature` does not.
    MetadataAltered,
    /// Another signature matches, this one of the body does not.
    BodySignatureAltered {
        /// The header's name.
        header: String,
    },
    /// The secret is empty.
    SecretEmpty,
    /// The secret has white space around it.
    SecretWhitespace,
    /// The secret has quotation marks around it.
    SecretQuoted,
    /// The secret is base64 that has lost its `whsec_`.
    SecretLacksPrefix,
    /// The secret is a text that has gained a `whsec_`.
    SecretPrefixed,
    /// The secret was used as text, though it can be decoded.
    SecretIsText,
    /// The secret is in the other base64 alphabet.
    SecretUrlSafe,
    /// The body has gained a line end.
    BodyLineEnd,
    /// The body has gained a byte order mark.
    BodyMark,
    /// The body is in base64.
    BodyBase64,
    /// The body is a JSON string that holds the body.
    BodyQuoted,
    /// The body was parsed and written again, with other white space or escapes.
    BodyRespaced,
    /// The body was parsed and written again, in another order.
    BodyReordered,
    /// The body was parsed and written again, without its indentation.
    BodyCompacted,
    /// A hint: the body is not written as a sender writes it.
    BodyRewritten,
    /// A hint: the body is not JSON.
    BodyNotJson,
    /// A hint: the body is empty.
    BodyEmpty,
}

/// How 32 bytes were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Lower-case hexadecimal digits.
    Hex,
    /// Hexadecimal digits, not all lower-case.
    UpperHex,
    /// Standard base64 with padding.
    Base64,
    /// Standard base64 without padding.
    Unpadded,
    /// URL-safe base64.
    UrlSafe,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.verdict.fmt(f)?;
        self.findings.iter().try_for_each(|finding| write!(f, "\n- {finding}"))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Genuine => "The delivery is genuine: its signatures match.",
            Self::Explained => "The delivery does not match as it is, and here is why:",
            Self::Unexplained => "The delivery does not match, and nothing that was tried makes it match:",
            Self::Unsigned => "The delivery has no signature to verify:",
        })
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hex => "hexadecimal",
            Self::UpperHex => "upper-case hexadecimal",
            Self::Base64 => "base64",
            Self::Unpadded => "base64 without its padding",
            Self::UrlSafe => "URL-safe base64",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoMatch { header } => {
                return write!(
                    f,
                    "`{header}` does not match: the secret is another endpoint's, or the body was altered."
                );
            }
            Self::Rotation { header } => {
                return write!(f, "`{header}` is by another secret, as it should be while the secret is rotated.");
            }
            Self::MissingHeader { header } => {
                return write!(f, "The header `{header}` is missing.");
            }
            Self::HeaderEncoding { header, encoding } => {
                return write!(f, "The signature in `{header}` matches, but is written as {encoding}.");
            }
            Self::HeaderLacksSha256 { header } => {
                return write!(f, "The signature in `{header}` matches, but lacks the `sha256=` before it.");
            }
            Self::HeaderShape { header } => {
                return write!(f, "The signature in `{header}` matches, but something was added or taken around it.");
            }
            Self::HeaderUntidy { header } => {
                return write!(f, "The header `{header}` is not written as it should be, and receivers may refuse it.");
            }
            Self::HeaderUnreadable { header } => {
                return write!(f, "The header `{header}` holds nothing that reads as a signature.");
            }
            Self::BodySignatureAltered { header } => {
                return write!(f, "`{header}` alone does not match: it was altered, or is by another secret.");
            }
            Self::NoSignature => "There is neither `webhook-signature` nor a header with a signature of the body.",
            Self::IdAltered => "It matches with the body's `eventId` as `webhook-id`: that header was altered.",
            Self::TimestampInMilliseconds => {
                "It matches with `webhook-timestamp` in seconds: here it is in milliseconds."
            }
            Self::MetadataAltered => {
                "Secret and body are right, since the body's signature matches. `webhook-id`, `webhook-timestamp` or \
                 `webhook-signature` was altered."
            }
            Self::SecretEmpty => "The secret is empty.",
            Self::SecretWhitespace => "The secret matches without the white space around it.",
            Self::SecretQuoted => "The secret matches without the quotation marks around it.",
            Self::SecretLacksPrefix => {
                "The key is what the secret decodes to as base64, not its text: the secret has lost its `whsec_`."
            }
            Self::SecretPrefixed => {
                "The key is the text after `whsec_`, not decoded: the secret never had that prefix."
            }
            Self::SecretIsText => {
                "The key is the secret's whole text, `whsec_` included: the sender has not decoded it as base64."
            }
            Self::SecretUrlSafe => "The secret is URL-safe base64; only standard base64 is decoded after `whsec_`.",
            Self::BodyLineEnd => "The body matches without the line end after it: a file or an editor has added it.",
            Self::BodyMark => "The body matches without the byte order mark before it.",
            Self::BodyBase64 => "The body matches once it is decoded: it is here as base64, as gateways pass bytes on.",
            Self::BodyQuoted => "The body matches once it is parsed: it is here as a JSON string.",
            Self::BodyRespaced => {
                "The body was parsed and written again, with other white space or escapes. Verify the bytes that came."
            }
            Self::BodyReordered => {
                "The body was parsed and written again, with its members in another order. Verify the bytes that came."
            }
            Self::BodyCompacted => {
                "The body was parsed and written again, without its indentation. Verify the bytes that came."
            }
            Self::BodyRewritten => {
                "The body is not written as the sender writes it: it was parsed and written again, and no longer holds \
                 what was signed. Verify the bytes that came."
            }
            Self::BodyNotJson => "The body is not JSON: it was cut off, or is something else.",
            Self::BodyEmpty => "The body is empty: something has read it before.",
        })
    }
}
