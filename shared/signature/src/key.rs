//! The key that signs.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// What the text of a decoded secret begins with.
pub const PREFIX: &str = "whsec_";

// The libraries for Node and Python take a secret with or without padding and ignore the bits after its last byte.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
pub(crate) const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// An HMAC-SHA256 key. Prints as `…`.
///
/// It has at least one byte. That a good one has 32 is a rule for who makes secrets, not for who uses them.
#[derive(Clone)]
pub struct Key {
    // Holds the key's two padded blocks already hashed, so that a signature costs the message alone.
    mac: Hmac<Sha256>,
    len: usize,
}

impl Key {
    /// The key of a secret as it was handed out.
    ///
    /// `whsec_` and standard base64, padded or not, is the bytes it encodes. Any other text is its own bytes.
    ///
    /// # Errors
    /// If the key has no bytes.
    pub fn parse(secret: &str) -> Result<Self, EmptyKey> {
        match secret.strip_prefix(PREFIX).and_then(|encoded| BASE64.decode(encoded).ok()) {
            Some(decoded) => Self::from_bytes(&decoded),
            None => Self::from_bytes(secret.as_bytes()),
        }
    }

    /// The key with exactly these bytes.
    ///
    /// # Errors
    /// If there are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EmptyKey> {
        if bytes.is_empty() {
            return Err(EmptyKey);
        }
        // RFC 2104 §2: a key longer than the hash's block is hashed first, a shorter one is padded with zeros.
        let mut block = [0; 64];
        match block.get_mut(..bytes.len()) {
            Some(start) => start.copy_from_slice(bytes),
            None => block[..32].copy_from_slice(&Sha256::digest(bytes)),
        }
        Ok(Self { mac: Hmac::new(&block.into()), len: bytes.len() })
    }

    /// How many bytes the key has: at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a key is never empty")]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// The signature of the parts one after the other.
    pub(crate) fn sign(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A key without a byte is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmptyKey;

impl fmt::Display for EmptyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("The secret is empty.")
    }
}

impl std::error::Error for EmptyKey {}

#[cfg(test)]
mod tests {
    use super::*;

    fn len(secret: &str) -> Result<usize, EmptyKey> {
        Key::parse(secret).map(|key| key.len())
    }

    #[test]
    fn decodes_base64_after_the_prefix_and_takes_other_texts_as_they_are() {
        assert_eq!(len("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"), Ok(24));
        assert_eq!(len("whsec_AAAAAAAAAAAAAAAAAAAAAA=="), Ok(16));
        assert_eq!(len("whsec_AAAAAAAAAAAAAAAAAAAAAA"), Ok(16));
        assert_eq!(len("whsec_AAAAAAAAAAAAAAAAAAAAAB"), Ok(16));
        assert_eq!(len("C2FVsBQIhrscChlQIMV+b5sSYspob7oD"), Ok(32));
        assert_eq!(len("whsec_not base64"), Ok(16));
        assert_eq!(len("é"), Ok(2));
        assert_eq!(len(""), Err(EmptyKey));
        assert_eq!(len("whsec_"), Err(EmptyKey));
    }

    #[test]
    fn prints_nothing_of_itself() {
        assert_eq!(format!("{:?}", Key::parse("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")), "Ok(…)");
    }

    // RFC 4231 §4.3, and §4.7 with a key longer than a block.
    #[test]
    fn signs_as_rfc_4231_does() {
        let sign =
            |key: &[u8], text: &str| Key::from_bytes(key).map(|key| crate::make::hex(&key.sign(&[text.as_bytes()])));
        assert_eq!(
            sign(b"Jefe", "what do ya want for nothing?").as_deref(),
            Ok("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        );
        assert_eq!(
            sign(&[0xaa; 131], "Test Using Larger Than Block-Size Key - Hash Key First").as_deref(),
            Ok("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
        );
    }
}
