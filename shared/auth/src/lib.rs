//! Secrets and what is proved with them: API keys, sessions, embed tokens, passwords, seals. No I/O, no AWS.

pub mod api_key;
pub mod audit_chain;
pub mod bearer;
pub mod cipher;
pub mod csrf;
pub mod embed_token;
pub mod mailed_token;
pub mod mask;
pub mod password;
pub mod random;
pub mod recovery_code;
pub mod seal;
pub mod second_factor;
pub mod secret;
pub mod session;
pub mod stripe_signature;
pub mod target;
pub mod token_key;
pub mod totp;
pub mod vault;
pub mod webhook_secret;

pub use api_key::{ApiKeySecret, KeyHash};
pub use bearer::bearer;
pub use cipher::{Cipher, VaultError};
pub use embed_token::{EmbedClaims, UnverifiedToken};
pub use mailed_token::MailedToken;
pub use mask::{has_credential, mask};
pub use password::{Password, PasswordAttempt, PasswordHash};
pub use recovery_code::RecoveryCode;
pub use seal::SealKey;
pub use second_factor::{SecondFactorAttempt, SecondFactorForm};
pub use secret::Secret;
pub use session::SessionToken;
pub use stripe_signature::StripeSignature;
pub use token_key::{TokenKey, TokenKeys};
pub use totp::{TotpCode, TotpSecret};
pub use vault::Keyring;
pub use webhook_secret::WebhookSecret;

/// SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).into()
}

/// SHA-256 of what comes piece by piece.
#[derive(Clone, Default)]
pub struct Sha256(sha2::Sha256);

impl Sha256 {
    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        sha2::Digest::update(&mut self.0, piece);
    }

    /// That of all that came, in lower-case hexadecimal digits.
    #[must_use]
    pub fn so_far(&self) -> String {
        hex(&sha2::Digest::finalize(self.0.clone()))
    }
}

/// SHA-256 in lower-case hexadecimal digits: how a secret of high entropy is kept and looked up.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&sha256(bytes))
}

/// Whether two texts are the same, in a time that does not tell where they differ.
#[must_use]
pub fn is_same(one: &str, other: &str) -> bool {
    use subtle::ConstantTimeEq as _;
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// Lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
