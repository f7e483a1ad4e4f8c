//! When API keys were last used, and from where, each of a key's secrets for itself: so that after a rotation one sees
//! who still sends the old one. Written once a minute and secret, over all instances, beside what the request does.

use std::net::IpAddr;
use std::time::Duration;

use contract::id::{ClientId, KeyId};
use contract::{Error, Time};

use crate::Store;
use crate::author::RequestInfo;
use crate::cache::{Cache, Heavy};
use crate::change::{Change, Written};
use crate::credentials::KeyCredential;
use crate::dynamo::{Item, get_text, text};
use crate::grant::{Grant, grants};
use crate::keys;

/// A use is written down no more often than this.
const INTERVAL: Duration = Duration::from_secs(60);

/// The uses of a key's secrets.
pub(crate) struct Uses(Option<Item>);

impl Uses {
    pub(crate) const fn of_item(item: Option<Item>) -> Self {
        Self(item)
    }

    /// When the secret of this number was last used, and from where.
    pub(crate) fn of(&self, number: u64) -> (Option<Time>, Option<IpAddr>) {
        let read = |name: String| self.0.as_ref().and_then(|item| get_text(item, &name));
        let at = read(at(number)).and_then(|at| at.parse().ok());
        (at, read(address(number)).and_then(|address| address.parse().ok()))
    }
}

fn at(number: u64) -> String {
    format!("at_{number}")
}

fn address(number: u64) -> String {
    format!("address_{number}")
}

/// The place where a new key's uses are written down. Where there is none, the key has been deleted.
pub(crate) fn none_yet(client: ClientId, key: KeyId) -> Change {
    Change::put(keys::key_uses(client, key)).unstamped()
}

/// That the uses of a secret are of no interest any more.
pub(crate) fn forgotten(client: ClientId, key: KeyId, number: u64) -> Change {
    Change::update(keys::key_uses(client, key)).remove(&at(number)).remove(&address(number)).unstamped()
}

/// When each secret's use was last written down, as far as this instance knows.
pub(crate) type KeyUseCache = Cache<(KeyId, u64), Time>;

/// A use that is being written down: forgotten, if that fails or is given up.
struct Undone<'c> {
    cache: &'c KeyUseCache,
    secret: (KeyId, u64),
}

impl Drop for Undone<'_> {
    fn drop(&mut self) {
        self.cache.remove(&self.secret);
    }
}

impl Heavy for Time {
    fn weight(&self) -> usize {
        size_of::<Self>()
    }
}

impl Store {
    /// What noting the use of an API key needs.
    pub const KEY_USE_GRANTS: &'static [Grant] = &grants![Log UpdateItem [KeyUses]];

    /// Writes down that a key was used, if that was not done within the last minute by anyone.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn note_key_use(&self, key: &KeyCredential, by: &RequestInfo) -> Result<(), Error> {
        let (now, number) = (self.clock().now(), key.secret_number);
        let secret = (key.id, number);
        if self.0.key_uses.get(&secret).is_some_and(|noted| now < noted.plus(INTERVAL)) {
            return Ok(());
        }
        // Before it is done, so that of many requests at once one does it; if it is not, the next one does.
        self.0.key_uses.insert(secret, now);
        let undone = Undone { cache: &self.0.key_uses, secret };
        let from = by.address.map(|address| address.to_string()).unwrap_or_default();
        let change = Change::update(keys::key_uses(key.scope.client(), key.id))
            .set(&at(number), text(now.to_string()))
            .set(&address(number), text(from))
            .when(&format!("attribute_exists(#pk) AND (attribute_not_exists(#at_{number}) OR #at_{number} <= :over)"))
            .with(":over", text(now.minus(INTERVAL).to_string()));
        let written = self.conditional_write(change).await?;
        std::mem::forget(undone);
        if let Written::Refused(Some(item)) = written
            && let (Some(noted), _) = Uses(Some(item)).of(number)
        {
            self.0.key_uses.insert(secret, noted);
        }
        Ok(())
    }
}
