//! Embed tokens: JSON Web Tokens (RFC 7519) that this deployment signs and takes back, by the rules of RFC 8725.
//!
//! The `jsonwebtoken` crate verifies the signature, `alg` against the one algorithm that our keys have, and `aud`. What it
//! leaves to its caller is done here: sizes before anything is parsed; a header of three members alone (it would let
//! `crit`, `jwk`, `jku` and `x5u` pass unread); the claims' exact form (it takes `iss` and `aud` out of lists, and times
//! with a fraction); and times, since it goes by the system's clock and we by the process's.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::id::{ClientId, GroupId, KeyId, TokenId};
use contract::names::{EntityId, GroupKey, TenantId};
use contract::permission::TokenPermissions;
use contract::{Origin, Time};
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::token_key::{LONGEST_LIFE, SKEW, TokenKey, is_kid};

/// The origins that a token names at the most: it travels in a header, and those have 10 KiB together.
pub const MOST_ORIGINS: usize = 10;

const AUDIENCE: &str = "hedgerow-embed";
const ALGORITHM: Algorithm = Algorithm::HS256;
/// A header of ours with the longest name of a key, in base64url.
const LONGEST_HEADER: usize = 150;
/// The longest claims, in base64url.
const LONGEST_CLAIMS: usize = 6 * 1024;
/// 32 bytes in base64url.
const SIGNATURE: usize = 43;

/// Whom a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Audience {
    /// This API, when pages call it.
    #[serde(rename = "hedgerow-embed")]
    Embed,
}

/// What an embed token says (contract: Credentials; `keyId` and `fieldGroupKey` are ours).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EmbedClaims {
    /// The deployment that made it.
    pub iss: Origin,
    /// Whom it is for.
    pub aud: Audience,
    /// Whose data it reaches.
    pub client_id: ClientId,
    /// The API key that it was made by, and dies with.
    pub key_id: KeyId,
    /// The one tenant that it reaches.
    pub tenant_id: TenantId,
    /// The one field group, if it is bound to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field_group_id: Option<GroupId>,
    /// That group's key: paths may name it so, and another group may have it once this one is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field_group_key: Option<GroupKey>,
    /// The one entity, if it is bound to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<EntityId>,
    /// What it may do.
    pub permissions: TokenPermissions,
    /// The fields that the tenant may have in a group, as far as this token makes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field_limit: Option<u32>,
    /// The pages that may use it; any, if there is no list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origins: Option<Vec<Origin>>,
    /// When it was made, in seconds since 1970 (RFC 7519 §2: NumericDate).
    pub iat: u64,
    /// When it begins to count.
    pub nbf: u64,
    /// When it is over.
    pub exp: u64,
    /// Its identifier, which also tells the millisecond in which it was made.
    pub jti: TokenId,
}

impl EmbedClaims {
    /// Whether the times are those of a token that lives now (RFC 7519 §4.1.4 to §4.1.6).
    fn lives(&self, now: Time) -> bool {
        let (now, skew) = (u64::try_from(now.seconds()).unwrap_or(0), SKEW.as_secs());
        let begun = |time: u64| time <= now.saturating_add(skew);
        let life = self.exp.checked_sub(self.iat);
        begun(self.iat)
            && begun(self.nbf)
            && now < self.exp.saturating_add(skew)
            && life.is_some_and(|life| (1..=LONGEST_LIFE.as_secs()).contains(&life))
    }

    /// The token, signed.
    ///
    /// # Errors
    /// Nothing is told of why it can't be.
    pub fn sign(&self, key: &TokenKey) -> Result<String, crate::VaultError> {
        let header = Header { kid: Some(key.kid().to_owned()), ..Header::new(ALGORITHM) };
        let signed = key.signs().and_then(|secret| jsonwebtoken::encode(&header, self, &secret).ok());
        signed.ok_or(crate::VaultError("a token could not be signed"))
    }
}

/// The header: these members and no other, each once, so that nothing that has to be understood is passed over (RFC 7515
/// §4.1.11) and no key is brought along (RFC 8725 §3.10).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnHeader {
    typ: String,
    alg: String,
    kid: String,
}

/// A token that has the form of ours; nothing that it says is known to be true.
#[derive(Debug)]
pub struct UnverifiedToken<'t> {
    text: &'t str,
    kid: String,
}

impl<'t> UnverifiedToken<'t> {
    /// The token in a text, if it has the form of one: three parts of base64url within their sizes, and a header of ours.
    #[must_use]
    pub fn parse(text: &'t str) -> Option<Self> {
        // Before anything is decoded.
        let mut parts = text.split('.');
        let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
        let sized = (1..=LONGEST_HEADER).contains(&header.len())
            && (1..=LONGEST_CLAIMS).contains(&claims.len())
            && signature.len() == SIGNATURE;
        if parts.next().is_some() || !sized || ![header, claims, signature].into_iter().all(is_base64url) {
            return None;
        }
        let header: OwnHeader = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        // RFC 8725 §3.1: there is one algorithm; the header only has to agree.
        let ours = header.typ == "JWT" && header.alg == "HS256" && is_kid(&header.kid);
        ours.then_some(Self { text, kid: header.kid })
    }

    /// The name of the key that it says has signed it.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What it says, if this key has signed it for this deployment and it lives.
    #[must_use]
    pub fn verify(&self, key: &TokenKey, deployment: &Origin, now: Time) -> Option<EmbedClaims> {
        let mut validation = Validation::new(ALGORITHM);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "exp", "nbf"]);
        validation.validate_exp = false;
        let verified = jsonwebtoken::decode::<EmbedClaims>(self.text, key.verifies(), &validation).ok()?;
        let claims = verified.claims;
        let bound = claims.field_group_id.is_some() == claims.field_group_key.is_some();
        (key.kid() == self.kid && bound && claims.iss.is_same_deployment(deployment) && claims.lives(now))
            .then_some(claims)
    }
}

fn is_base64url(part: &str) -> bool {
    part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

#[cfg(test)]
mod tests;
