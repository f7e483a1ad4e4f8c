//! What is kept encrypted: AES-256-GCM under the deployment's data keys, bound to the context that it is kept in.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;

use crate::Secret;
use crate::cipher::{ALTERED, Cipher, VaultError};

/// A key's text has at least this many characters: of 62 kinds, they hold 256 bits.
const LEAST: usize = 43;

/// The data keys of a deployment, by name. What is sealed names its key, so that keys can be changed: a new one is
/// added beside the old and made `current`; what the old one sealed still opens.
#[derive(Debug, Clone)]
pub struct Keyring {
    current: String,
    keys: HashMap<String, Secret<[u8; 32]>>,
}

#[derive(Deserialize)]
struct Stored {
    current: String,
    #[serde(flatten)]
    keys: HashMap<String, String>,
}

impl Keyring {
    /// The keyring in a secret's text: `{"current": "1", "1": "<random text>"}`.
    ///
    /// # Errors
    /// If it has another form, no current key, or a key of less than 43 characters.
    pub fn parse(text: &str) -> Result<Self, VaultError> {
        let stored: Stored = serde_json::from_str(text).map_err(|_| VaultError("the data keys are no JSON object"))?;
        if !stored.keys.contains_key(&stored.current) {
            return Err(VaultError("the current data key is not there"));
        }
        if stored.keys.values().any(|key| key.len() < LEAST) {
            return Err(VaultError("a data key is too short"));
        }
        let keys = stored.keys.into_iter().map(|(name, text)| (name, Secret::new(derive(text.as_bytes())))).collect();
        Ok(Self { current: stored.current, keys })
    }

    /// A new keyring's text.
    #[must_use]
    pub fn generate() -> String {
        let key = URL_SAFE_NO_PAD.encode(crate::random::bytes::<48>());
        serde_json::json!({ "current": "1", "1": key }).to_string()
    }

    /// A text that holds `plain` and opens only at the same `context`.
    ///
    /// # Errors
    /// If the cipher fails.
    pub fn seal(&self, context: &str, plain: &str) -> Result<String, VaultError> {
        let sealed = self.cipher(&self.current)?.seal(context, plain.as_bytes().to_vec())?;
        let sealed = URL_SAFE_NO_PAD.encode(sealed);
        Ok(format!("{}.{sealed}", self.current))
    }

    /// What was sealed for this `context`.
    ///
    /// # Errors
    /// If it was sealed for another context, by a key that is not there, or was altered.
    pub fn open(&self, context: &str, sealed: &str) -> Result<String, VaultError> {
        let (name, text) = sealed.split_once('.').ok_or(ALTERED)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| ALTERED)?;
        String::from_utf8(self.cipher(name)?.open(context, &bytes)?).map_err(|_| ALTERED)
    }

    fn cipher(&self, name: &str) -> Result<Cipher, VaultError> {
        Cipher::new(self.keys.get(name).ok_or(VaultError("a data key is not there any more"))?.expose())
    }
}

/// HMAC as the extraction of RFC 5869 §2.2: a text of high entropy to a key of 256 bits.
fn derive(text: &[u8]) -> [u8; 32] {
    let block = crate::sha256(b"hedgerow data key");
    let mut padded = [0; 64];
    padded[..32].copy_from_slice(&block);
    let mut mac = Hmac::<Sha256>::new(&padded.into());
    mac.update(text);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(text: &str) -> Keyring {
        Keyring::parse(text).expect("a keyring")
    }

    #[test]
    fn opens_at_its_own_place_with_its_own_key_unaltered() {
        let ring = ring(&Keyring::generate());
        let sealed = ring.seal("W#cl_1 whk_1", "whsec_x").expect("sealed");
        assert_eq!(ring.open("W#cl_1 whk_1", &sealed).as_deref(), Ok("whsec_x"));
        assert!(!sealed.contains("whsec"));
        assert_ne!(ring.seal("W#cl_1 whk_1", "whsec_x").expect("sealed"), sealed);
        assert!(ring.open("W#cl_1 whk_2", &sealed).is_err());
        assert!(
            super::Keyring::parse(&Keyring::generate()).is_ok_and(|other| other.open("W#cl_1 whk_1", &sealed).is_err())
        );
        for at in 0..sealed.len() {
            let mut altered = sealed.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            assert!(ring.open("W#cl_1 whk_1", &String::from_utf8_lossy(&altered)).is_err(), "{at}");
        }
    }

    #[test]
    fn a_key_that_was_replaced_still_opens() {
        let (one, two) = ("a".repeat(43), "b".repeat(43));
        let before = ring(&serde_json::json!({ "current": "1", "1": one }).to_string());
        let after = ring(&serde_json::json!({ "current": "2", "1": one, "2": two }).to_string());
        let sealed = before.seal("x", "secret").expect("sealed");
        assert_eq!(after.open("x", &sealed).as_deref(), Ok("secret"));
        assert!(before.open("x", &after.seal("x", "secret").expect("sealed")).is_err());
    }

    #[test]
    fn a_keyring_is_whole_or_refused() {
        for bad in ["", "{}", r#"{"current":"1"}"#, r#"{"current":"1","1":"short"}"#, r#"{"current":"2","1":"x"}"#] {
            assert!(Keyring::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(format!("{:?}", ring(&Keyring::generate()).keys["1"]), "…");
    }
}
