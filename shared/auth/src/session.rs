//! Dashboard sessions: a cookie that names its user and carries 32 random bytes, stored only as a hash.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::id::UserId;

use crate::{random, sha256_hex};

/// The cookie's name; the prefix makes browsers insist on `Secure`, `Path=/` and no `Domain` (RFC 6265bis §4.1.3.2).
pub const COOKIE: &str = "__Host-hedgerow_session";

/// A session's secret. Prints as `…`.
pub struct SessionToken {
    user: UserId,
    secret: [u8; 32],
}

impl SessionToken {
    /// A new session's token.
    #[must_use]
    pub fn generate(user: UserId) -> Self {
        Self { user, secret: random::bytes() }
    }

    /// The token of a session that is to be known beforehand, as that of the sample events is.
    #[must_use]
    pub const fn known(user: UserId, secret: [u8; 32]) -> Self {
        Self { user, secret }
    }

    /// The token in a `Cookie` header, if there is one in form.
    #[must_use]
    pub fn from_cookies(header: &str) -> Option<Self> {
        // No other blanks: a browser lets anybody set a cookie whose name begins with one of them, and then `__Host-`.
        let pairs = header.split(';').filter_map(|pair| pair.trim_matches([' ', '\t']).split_once('='));
        let mut own = pairs.filter(|(name, _)| *name == COOKIE);
        // A browser has one of this name at the most.
        let (Some((_, value)), None) = (own.next(), own.next()) else { return None };
        let (user, secret) = value.split_once('.')?;
        let secret = URL_SAFE_NO_PAD.decode(secret).ok()?.try_into().ok()?;
        Some(Self { user: user.parse().ok()?, secret })
    }

    /// Whose session it says it is.
    #[must_use]
    pub const fn user(&self) -> UserId {
        self.user
    }

    /// What it is stored and found under.
    #[must_use]
    pub fn hash(&self) -> String {
        sha256_hex(&self.secret)
    }

    /// The value of the `Set-Cookie` header that starts it. Without `Max-Age`: a session is not kept when the browser is
    /// closed (OWASP Session Management Cheat Sheet, "Expire and Max-Age Attributes").
    #[must_use]
    pub fn set_cookie(&self) -> String {
        let secret = URL_SAFE_NO_PAD.encode(self.secret);
        format!("{COOKIE}={}.{secret}; {}", self.user, attributes())
    }
}

/// The value of the `Set-Cookie` header that ends a session.
#[must_use]
pub fn clear_cookie() -> String {
    format!("{COOKIE}=; {}; Max-Age=0", attributes())
}

const fn attributes() -> &'static str {
    "Path=/; HttpOnly; Secure; SameSite=Lax"
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_goes_there_and_back() {
        let user: UserId = "usr_00000000000000000000000000000007".parse().expect("an identifier");
        let token = SessionToken::generate(user);
        let set = token.set_cookie();
        let sent = format!("a=b; {}", set.split(';').next().expect("a pair"));
        let read = SessionToken::from_cookies(&sent).expect("a token");
        assert_eq!((read.user(), read.hash()), (user, token.hash()));
        assert!(set.ends_with("; Path=/; HttpOnly; Secure; SameSite=Lax"));
        for bad in
            ["", COOKIE, "__Host-hedgerow_session=", "__Host-hedgerow_session=usr_1.x", "x__Host-hedgerow_session=a.b"]
        {
            assert!(SessionToken::from_cookies(bad).is_none(), "{bad}");
        }
    }

    /// To a browser a name that begins with one of these blanks has no prefix: whoever has a sibling domain may set it.
    #[test]
    fn nobody_else_can_set_it() {
        let user: UserId = "usr_00000000000000000000000000000007".parse().expect("an identifier");
        let set = || SessionToken::generate(user).set_cookie().split(';').next().expect("a pair").to_owned();
        let (own, planted) = (set(), set());
        for blank in ['\u{85}', '\u{a0}', '\u{2000}', '\u{2028}', '\u{3000}', '\u{b}', '\u{c}'] {
            let read = SessionToken::from_cookies(&format!("{blank}{planted}; {own}")).expect("a token");
            assert!(own.contains(&URL_SAFE_NO_PAD.encode(read.secret)), "{blank:?}");
        }
        assert!(SessionToken::from_cookies(&format!("{own}; {planted}")).is_none());
        assert!(SessionToken::from_cookies(&format!("a=b;\t {own} ;")).is_some());
    }
}
