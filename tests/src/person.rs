//! What a person has beside the API: a mailbox, and an authenticator app.

use contract::Time;

/// What the link in a mail carries, if there is one in its text.
#[must_use]
pub fn token_in(mail: &str) -> Option<&str> {
    mail.split("?token=").nth(1)?.split_whitespace().next()
}

/// What an authenticator app shows at a time for a secret in base 32.
#[must_use]
pub fn totp_code(secret: &str, at: Time) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    totp_rs::Builder::new().with_secret(secret).build().unwrap().generate(at.seconds().try_into().unwrap()).to_string()
}
