//! Requests that may be repeated (contract: `Idempotency-Key`): the first success is kept for a day, sealed, and a
//! repetition that finds the first try dead goes on with its identifiers, so that it meets what was already written.
//!
//! What says that a request was answered is written last, by whoever holds the key: the further pieces of a long answer
//! are under the holder's name, so that no try that was taken for dead can mix its own in.

use std::time::Duration;

use auth::SealKey;
use aws_sdk_dynamodb::types::AttributeValue;
use contract::id::ClientId;
use contract::names::TenantId;
use contract::{Code, Error, Time};

use crate::Store;
use crate::author::Seed;
use crate::change::{Change, Written};
use crate::dynamo::{Item, get_number, get_text, must, number, text};
use crate::grant::{Grant, grants};
use crate::keys::{self, Key};
use crate::persist::persist;
use crate::pieces;
use crate::scope::ClientScope;
use crate::tables::Table;

/// How long a first answer is kept.
const RETENTION: Duration = Duration::from_secs(24 * 3600);
/// How much longer its further pieces are kept than what names them: clocks differ, and items vanish in any order.
const LONGER: Duration = Duration::from_secs(3600);
/// How long a try may take before it counts as dead.
const LEASE: Duration = Duration::from_secs(60);
/// How long a busy store is asked to keep an answer; the caller waits for its own meanwhile. What is not kept is carried
/// out again if it is asked for again, and finds what it had written.
const REMEMBERING: Duration = Duration::from_secs(8);
/// How much of a sealed answer is with what says that there is one. Whoever is refused by an item pays for its size, so
/// it is less than an item could have; but all that only a [`Resource::LONG`](contract::resource::Resource) exceeds.
const INLINE: usize = 128 * 1024;
/// The lease of a try that is known to have failed.
const OVER: i64 = 0;

/// An answer as it is kept: secrets are no longer in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// The status.
    pub status: u16,
    /// The `ETag`, if it had one.
    pub etag: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// A request that is being carried out under its key.
#[derive(Clone)]
pub struct Reservation {
    place: Place,
    /// Which try has the lease. Not its end: two tries can ask for the same.
    holder: String,
    seal: SealKey,
    /// What identifiers are made from: the first try's, if there was one.
    pub seed: Seed,
    /// Whether a try before this one may have written.
    pub again: bool,
}

/// What a key says of a request.
pub enum Reserved {
    /// It is to be carried out.
    Proceed(Reservation),
    /// It has been answered.
    Answered(Remembered),
}

/// What became of a request.
pub enum Ending {
    /// It succeeded, and is answered with this for a day.
    Answered(Remembered),
    /// It was refused and nothing is written: the key is free. If a try before it may have written, as after a failure.
    Refused,
    /// It failed, and what it wrote is not known: whoever repeats it goes on with its identifiers, and another request
    /// finds the key free.
    Failed,
}

/// A request with a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Keyed<'a> {
    /// The caller: a key's or a user's identifier.
    pub caller: &'a str,
    /// The method and the path, parameters filled in.
    pub route: &'a str,
    /// The caller's key.
    pub key: &'a str,
    /// The body, byte for byte.
    pub body: &'a [u8],
    /// The body's media type, without parameters.
    pub media_type: &'a str,
    /// The header `If-Match`, byte for byte.
    pub if_match: &'a [u8],
    /// The header `If-None-Match`, byte for byte.
    pub if_none_match: &'a [u8],
    /// The tenant that its path names.
    pub tenant: Option<&'a TenantId>,
}

/// Where an answer is kept: a tenant's in a partition of their own, so that they are erased with it.
#[derive(Debug, Clone)]
struct Place {
    tenant: Option<(ClientId, TenantId)>,
    mac: String,
}

impl Place {
    fn key(&self) -> Key {
        match &self.tenant {
            None => keys::idempotency(&self.mac),
            Some((client, tenant)) => keys::tenant_idempotency(*client, tenant, &self.mac),
        }
    }

    /// A further piece of a long answer, of the try that gave it.
    fn piece(&self, holder: &str, at: usize) -> Key {
        let key = self.key();
        let sk = format!("{holder}#{at:02}");
        Key { sk: if self.tenant.is_some() { format!("{}#{sk}", key.sk) } else { sk }, ..key }
    }
}

impl Keyed<'_> {
    /// What the request is kept under.
    fn mac(&self, seal: &SealKey) -> String {
        auth::hex(&seal.mac(&[self.caller.as_bytes(), self.route.as_bytes(), self.key.as_bytes()]))
    }

    /// What has to be the same for it to be the same request.
    fn fingerprint(&self, seal: &SealKey) -> String {
        auth::hex(&seal.mac(&[self.body, self.media_type.as_bytes(), self.if_match, self.if_none_match]))
    }
}

impl Store {
    /// What remembering answers needs.
    pub const IDEMPOTENCY_GRANTS: &'static [Grant] =
        &grants![Log PutItem [Idempotency]; Log UpdateItem [Idempotency]; Log DeleteItem [Idempotency]];
    /// What it needs besides where answers may be long.
    pub const LONG_ANSWER_GRANTS: &'static [Grant] =
        &grants![Log BatchWriteItem [Idempotency]; Log BatchGetItem [Idempotency]];

    /// Claims a key, or finds the answer that was given under it.
    ///
    /// # Errors
    /// `idempotency_key_reused` for another request, `idempotency_in_progress` while the first try lives.
    pub async fn begin(&self, scope: &ClientScope, request: &Keyed<'_>) -> Result<Reserved, Error> {
        let (now, seal) = (self.clock().now(), scope.seal());
        let tenant = request.tenant.map(|tenant| (scope.client(), tenant.clone()));
        let (place, fingerprint) = (Place { tenant, mac: request.mac(seal) }, request.fingerprint(seal));
        let (seed, lease) = (Seed::new(now), now.plus(LEASE).millis());
        let holder = auth::hex(&auth::random::bytes::<16>());
        let go = |seed, again| {
            let (place, holder, seal) = (place.clone(), holder.clone(), seal.clone());
            Ok(Reserved::Proceed(Reservation { place, holder, seal, seed, again }))
        };
        let claim = Change::put(place.key())
            .set("fingerprint", text(&fingerprint))
            .set("lease", number(lease))
            .set("holder", text(&holder))
            .set("expiresAt", number(now.plus(RETENTION).millis()))
            .set("ttl", number(now.plus(RETENTION).seconds()))
            .set("seedAt", number(seed.at.millis()))
            .set("seed", text(auth::hex(&seed.bytes)))
            .when("(attribute_not_exists(#pk) OR #expiresAt <= :now OR (#lease = :over AND #fingerprint <> :this))")
            .with(":now", number(now.millis()))
            .with(":over", number(OVER))
            .with(":this", text(&fingerprint));
        let Written::Refused(found) = self.conditional_write(claim).await? else { return go(seed, false) };
        let found = must(found, "item")?;
        if get_text(&found, "fingerprint") != Some(&fingerprint) {
            return Err(Code::IdempotencyKeyReused.into());
        }
        if found.contains_key("body") {
            return Ok(Reserved::Answered(self.answer(seal, &place, &found).await?));
        }
        let first = seed_of(&found)?;
        if is_held_by(&found, &holder) {
            return go(seed, false);
        }
        if must(get_number::<i64>(&found, "lease"), "lease")? > now.millis() {
            return Err(Code::IdempotencyInProgress.into());
        }
        let dead = must(get_text(&found, "holder"), "holder")?;
        let take = Change::update(place.key())
            .set("lease", number(lease))
            .set("holder", text(&holder))
            .when("#holder = :dead AND attribute_not_exists(#body)")
            .with(":dead", text(dead));
        match self.conditional_write(take).await? {
            Written::Refused(found) if !found.as_ref().is_some_and(|found| is_held_by(found, &holder)) => {
                Err(Code::IdempotencyInProgress.into())
            }
            _ => go(first, true),
        }
    }

    /// Says what became of a request, if the claim is still its own.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn finish(&self, reservation: Reservation, ending: Ending) -> Result<(), Error> {
        let key = reservation.place.key();
        match ending {
            Ending::Answered(answer) => persist(REMEMBERING, || self.remember(&reservation, &answer)).await,
            Ending::Refused if !reservation.again => self.end(&reservation, Change::delete(key)).await,
            Ending::Refused | Ending::Failed => {
                self.end(&reservation, Change::update(key).set("lease", number(OVER))).await
            }
        }
    }

    async fn remember(&self, reservation: &Reservation, answer: &Remembered) -> Result<(), Error> {
        let (body, pieces) = self.write_answer(reservation, answer).await?;
        let key = reservation.place.key();
        self.end(reservation, Change::update(key).set("body", body).set("pieces", pieces)).await
    }

    async fn end(&self, reservation: &Reservation, change: Change) -> Result<(), Error> {
        self.conditional_write(change.when("#holder = :holder").with(":holder", text(&reservation.holder)))
            .await
            .map(|_| ())
    }

    /// Seals an answer and writes all of it but its first piece, which is given back.
    async fn write_answer(
        &self,
        reservation: &Reservation,
        answer: &Remembered,
    ) -> Result<(AttributeValue, AttributeValue), Error> {
        let cipher = reservation.seal.cipher(PURPOSE).map_err(Error::internal)?;
        let sealed = cipher
            .seal(&seal_context(&reservation.place.mac, &reservation.holder), answer.to_bytes())
            .map_err(Error::internal)?;
        let mut pieces = pieces::cut(&sealed, INLINE).into_iter().enumerate();
        let ttl = self.clock().now().plus(RETENTION + LONGER).seconds();
        let (_, first) = must(pieces.next(), "body")?;
        let item = |(at, piece): (usize, pieces::Piece)| {
            let mut item = piece.at(&reservation.place.piece(&reservation.holder, at));
            item.insert("ttl".to_owned(), number(ttl));
            (Table::Log, item)
        };
        self.batch_put(pieces.map(item).collect()).await?;
        Ok((first.body, first.pieces))
    }

    async fn answer(&self, seal: &SealKey, place: &Place, item: &Item) -> Result<Remembered, Error> {
        let holder = must(get_text(item, "holder"), "holder")?;
        let sealed = self.join(item, |at| place.piece(holder, at)).await?;
        let cipher = seal.cipher(PURPOSE).map_err(Error::internal)?;
        let bytes = cipher.open(&seal_context(&place.mac, holder), &sealed).map_err(Error::internal)?;
        must(Remembered::from_bytes(bytes), "body")
    }
}

/// What answers are sealed for.
const PURPOSE: &str = "remembered answers";

/// Where an answer is kept, for the seal.
fn seal_context(mac: &str, holder: &str) -> String {
    format!("{mac} {holder}")
}

impl Remembered {
    /// Status and `ETag` in a line, then the body as it is.
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} {}\n", self.status, self.etag.as_deref().unwrap_or_default()).into_bytes();
        bytes.extend(&self.body);
        bytes
    }

    fn from_bytes(mut bytes: Vec<u8>) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let body = bytes.split_off(end + 1);
        let (status, etag) = std::str::from_utf8(&bytes[..end]).ok()?.split_once(' ')?;
        let etag = (!etag.is_empty()).then(|| etag.to_owned());
        Some(Self { status: status.parse().ok()?, etag, body })
    }
}

/// Whether a claim that was refused had been committed before, and only its answer lost.
fn is_held_by(item: &Item, holder: &str) -> bool {
    get_text(item, "holder") == Some(holder)
}

fn seed_of(item: &Item) -> Result<Seed, Error> {
    let digits = must(get_text(item, "seed"), "seed")?;
    let at = must(get_number(item, "seedAt"), "seedAt")?;
    let bytes: Option<Vec<u8>> =
        (0..digits.len()).step_by(2).map(|i| u8::from_str_radix(digits.get(i..i + 2)?, 16).ok()).collect();
    let bytes = must(bytes.and_then(|bytes| bytes.try_into().ok()), "seed")?;
    Ok(Seed { at: Time::from_millis(at), bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_goes_there_and_back() {
        for etag in [None, Some("\"12\"".to_owned())] {
            for body in ["", "{}", "\n\n 201 \"x\"\n"] {
                let answer = Remembered { status: 201, etag: etag.clone(), body: body.into() };
                assert_eq!(Remembered::from_bytes(answer.to_bytes()), Some(answer));
            }
        }
    }
}
