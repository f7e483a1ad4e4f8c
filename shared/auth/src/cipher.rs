//! AES-256-GCM under random nonces: what is sealed opens only at the context that it was sealed for.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};

/// A key of the cipher.
pub struct Cipher(RandomizedNonceKey);

/// Why something can't be sealed or opened, or a keyring not be read. It says nothing of either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VaultError(pub(crate) &'static str);

impl fmt::Display for VaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for VaultError {}

pub(crate) const ALTERED: VaultError = VaultError("what is sealed does not open");
pub(crate) const FAILED: VaultError = VaultError("the cipher failed");

impl Cipher {
    pub(crate) fn new(key: &[u8; 32]) -> Result<Self, VaultError> {
        RandomizedNonceKey::new(&AES_256_GCM, key).map(Self).map_err(|_| FAILED)
    }

    /// The nonce, `plain` enciphered, and the tag over it and its `context`.
    ///
    /// # Errors
    /// If the cipher fails.
    pub fn seal(&self, context: &str, mut plain: Vec<u8>) -> Result<Vec<u8>, VaultError> {
        let nonce = self.0.seal_in_place_append_tag(Aad::from(context), &mut plain).map_err(|_| FAILED)?;
        Ok([&nonce.as_ref()[..], &plain].concat())
    }

    /// What was sealed for this `context`.
    ///
    /// # Errors
    /// If it was sealed for another context, by another key, or was altered.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN).ok_or(ALTERED)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| ALTERED)?;
        let mut rest = rest.to_vec();
        let length = self.0.open_in_place(nonce, Aad::from(context), &mut rest).map_err(|_| ALTERED)?.len();
        rest.truncate(length);
        Ok(rest)
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
