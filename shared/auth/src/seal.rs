//! Seals: texts that we hand out and take back only unaltered, from the client they were made for; and what is kept
//! enciphered under the client's own key.

use aws_lc_rs::hkdf::{HKDF_SHA256, Prk};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::cipher::{Cipher, FAILED, VaultError};
use crate::{Secret, random};

const TAG: usize = 16;

/// A client's own key for seals. Prints as `…`.
#[derive(Debug, Clone)]
pub struct SealKey(Secret<[u8; 32]>);

impl SealKey {
    /// A new client's key.
    #[must_use]
    pub fn generate() -> Self {
        Self(Secret::new(random::bytes()))
    }

    /// What [`SealKey::stored`] gave.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(Secret::new(bytes.try_into().ok()?)))
    }

    /// The text to store.
    #[must_use]
    pub fn stored(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.expose())
    }

    /// HMAC-SHA256 over the parts, each preceded by its length, so that no two lists of parts are the same bytes.
    #[must_use]
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        // RFC 2104 §2: a key shorter than the hash's block is padded with zeros.
        let mut block = [0; 64];
        block[..32].copy_from_slice(self.0.expose());
        let mut mac = Hmac::<Sha256>::new(&block.into());
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// A text that holds `payload` and opens only for the same `context`.
    #[must_use]
    pub fn seal(&self, context: &[&str], payload: &str) -> String {
        let tag = self.tag(context, payload.as_bytes());
        URL_SAFE_NO_PAD.encode([&tag[..], payload.as_bytes()].concat())
    }

    /// The payload of a text that was sealed for this `context` by this key.
    #[must_use]
    pub fn open(&self, context: &[&str], sealed: &str) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (tag, payload) = bytes.split_at_checked(TAG)?;
        let genuine: bool = self.tag(context, payload).ct_eq(tag).into();
        if genuine { String::from_utf8(payload.to_vec()).ok() } else { None }
    }

    /// A cipher for one purpose, under a key of its own: the expansion of RFC 5869 §2.3. No [`SealKey::mac`] gives such
    /// a key away: its input begins with a length of 8 bytes, and no part is as long as `hedgerow` would say.
    ///
    /// # Errors
    /// If the cipher fails.
    pub fn cipher(&self, purpose: &'static str) -> Result<Cipher, VaultError> {
        let mut key = [0; 32];
        let info = [b"hedgerow ", purpose.as_bytes()];
        let expanded = Prk::new_less_safe(HKDF_SHA256, self.0.expose());
        let expanded = expanded.expand(&info, HKDF_SHA256).map_err(|_| FAILED)?;
        expanded.fill(&mut key).map_err(|_| FAILED)?;
        Cipher::new(&key)
    }

    fn tag(&self, context: &[&str], payload: &[u8]) -> [u8; TAG] {
        let mut parts: Vec<&[u8]> = context.iter().map(|part| part.as_bytes()).collect();
        parts.push(payload);
        let mac = self.mac(&parts);
        let mut tag = [0; TAG];
        tag.copy_from_slice(&mac[..TAG]);
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_for_its_own_context_and_key_only() {
        let key = SealKey::generate();
        let sealed = key.seal(&["list", "t1"], "here");
        assert_eq!(key.open(&["list", "t1"], &sealed).as_deref(), Some("here"));
        assert_eq!(key.open(&["list", "t2"], &sealed), None);
        assert_eq!(key.open(&["listt", "1"], &sealed), None);
        assert_eq!(SealKey::generate().open(&["list", "t1"], &sealed), None);
        assert_eq!(
            SealKey::from_stored(&key.stored()).and_then(|k| k.open(&["list", "t1"], &sealed)).as_deref(),
            Some("here")
        );
        for at in 0..sealed.len() {
            let mut other = sealed.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(key.open(&["list", "t1"], std::str::from_utf8(&other).expect("text")), None, "{at}");
        }
        assert_eq!(key.open(&[], ""), None);
    }

    #[test]
    fn what_is_enciphered_opens_at_its_place_for_its_purpose_unaltered() {
        let key = SealKey::generate();
        let cipher = key.cipher("answers").expect("a cipher");
        let sealed = cipher.seal("I#1", b"the answer".to_vec()).expect("sealed");
        assert_eq!(cipher.open("I#1", &sealed).as_deref(), Ok(&b"the answer"[..]));
        assert!(!sealed.windows(6).any(|six| six == b"answer"));
        assert_ne!(cipher.seal("I#1", b"the answer".to_vec()).expect("sealed"), sealed);
        for (other, purpose) in [(SealKey::generate(), "answers"), (key, "else")] {
            assert!(other.cipher(purpose).expect("a cipher").open("I#1", &sealed).is_err());
        }
        assert!(cipher.open("I#2", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(cipher.open("I#1", &altered).is_err(), "{at}");
            assert!(cipher.open("I#1", &sealed[..at]).is_err(), "{at}");
        }
    }

    /// RFC 5869 §2.3 with one block: HMAC(PRK, info | 0x01), computed here by hand.
    #[test]
    fn a_purpose_is_the_info_of_an_expansion() {
        let key = SealKey::generate();
        let mut block = [0; 64];
        block[..32].copy_from_slice(key.0.expose());
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(b"hedgerow answers\x01");
        let by_hand = Cipher::new(&mac.finalize().into_bytes().into()).expect("a cipher");
        let sealed = key.cipher("answers").and_then(|cipher| cipher.seal("x", vec![7])).expect("sealed");
        assert_eq!(by_hand.open("x", &sealed), Ok(vec![7]));
    }
}
