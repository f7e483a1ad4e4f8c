//! What a record of the stream says of who did what: every kind of item in the main table is named in
//! [`Subject`](crate::keys::Subject), whether its changes are written down or others tell of them.

use contract::audit::Action::{self, *};
use contract::audit::Entry;
use contract::id::{AuditId, ClientId, EventId, GroupId, KeyId, UserId};
use contract::names::TenantId;
use contract::resource::{Client, FieldGroup, GlobalField, TenantField};
use contract::{Error, Time};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Builder;

use super::note::{Note, Whose};
use crate::api_keys::StoredKey;
use crate::document::{deleted_at, event_of, from_doc};
use crate::dynamo::{Item, get_number, get_text, must, must_parse};
use crate::keys::{Key, Subject};
use crate::standing::StoredSubscription;
use crate::stream::{Record, ValuesChange};
use crate::tables::Table;
use crate::users::UserCard;
use crate::values::Stored;
use crate::webhooks::Endpoint;

/// A member of a resource that is longer than this is told by its hash: a line is read by people.
const LONGEST_MEMBER: usize = 16 * 1024;

/// A line before it has a place in a chain.
pub(super) struct Draft {
    pub(super) whose: Whose,
    pub(super) entry: Entry,
    /// Values by field identifier, whose keys are to be looked up.
    pub(super) values: Option<ValuesChange>,
    /// The item that tells this alone, and has had its time when the line is written.
    pub(super) note: Option<Key>,
}

/// What a record comes to.
pub(super) enum Derived {
    /// These.
    Drafts(Vec<Draft>),
    /// It is of a kind that is not known here.
    Unknown,
}

/// Who wrote an item last, and when.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct By {
    actor: String,
    key: Option<KeyId>,
    address: Option<String>,
    agent: String,
    request_id: String,
}

#[derive(Clone)]
struct Stamp {
    by: By,
    at: Time,
    event: EventId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StampText {
    by: String,
    at: Time,
    event_id: EventId,
}

impl Stamp {
    fn of(item: &Item) -> Result<Self, Error> {
        let by = must(get_text(item, "by"), "by")?;
        Self::read(by, must_parse(item, "at")?, must_parse(item, "eventId")?)
    }

    fn read(by: &str, at: Time, event: EventId) -> Result<Self, Error> {
        Ok(Self { by: serde_json::from_str(by).map_err(Error::internal)?, at, event })
    }

    /// That of an attribute which says by itself who wrote it.
    fn of_text(text: &str) -> Result<Self, Error> {
        let StampText { by, at, event_id } = serde_json::from_str(text).map_err(Error::internal)?;
        Self::read(&by, at, event_id)
    }

    fn draft(&self, whose: Whose, action: Action, resource: String) -> Draft {
        let Self { by, at, event } = self.clone();
        let entry = Entry {
            // Made when it is known whose it is.
            id: AuditId::new(event.unique()),
            at,
            client_id: None,
            actor: by.actor,
            key_id: by.key,
            action: action.name().to_owned(),
            resource,
            tenant_id: None,
            field_group_id: None,
            field_group_key: None,
            entity_id: None,
            changed: None,
            before: None,
            after: None,
            reason: None,
            count: None,
            address: by.address,
            agent: by.agent,
            request_id: by.request_id,
            event_id: Some(event),
            sequence: 0,
            previous: String::new(),
            hash: String::new(),
        };
        Draft { whose, entry, values: None, note: None }
    }

    fn of_client(&self, client: ClientId, action: Action, resource: impl Into<String>) -> Draft {
        self.draft(Whose::Client(client), action, resource.into())
    }
}

impl Draft {
    fn before(mut self, before: Map<String, Value>) -> Self {
        self.entry.before = Some(before);
        self
    }

    fn after(mut self, after: Map<String, Value>) -> Self {
        self.entry.after = Some(after);
        self
    }

    fn in_tenant(mut self, tenant: TenantId, group: Option<GroupId>) -> Self {
        self.entry.tenant_id = Some(tenant);
        self.entry.field_group_id = group;
        self
    }

    /// Gives it its log, and the identifier that goes with that: the same each time that the record comes.
    pub(super) fn in_log_of(&self, client: Option<ClientId>) -> Entry {
        let mut entry = self.entry.clone();
        entry.client_id = client;
        let whose = client.map(|client| client.to_string()).unwrap_or_default();
        let event = entry.event_id.map(|event| event.to_string()).unwrap_or_default();
        let digest = auth::sha256(format!("{event} {whose} {} {}", entry.action, entry.resource).as_bytes());
        let mut tail = [0; 10];
        tail.copy_from_slice(&digest[..10]);
        let millis = u64::try_from(entry.at.millis()).unwrap_or(0);
        entry.id = AuditId::new(Builder::from_unix_timestamp_millis(millis, &tail).into_uuid());
        entry
    }
}

/// The actions of a resource's life.
struct Life {
    created: Action,
    updated: Action,
    deleted: Action,
    restored: Action,
}

/// What a record says of who did what.
pub(super) fn drafts(record: &Record) -> Result<Derived, Error> {
    Seen(record).drafts()
}

/// A record, looked at for this.
struct Seen<'r>(&'r Record);

impl Seen<'_> {
    fn drafts(&self) -> Result<Derived, Error> {
        // What goes for good is told by what goes with it: a note, or the user's card. A purge and an erasure say so
        // themselves.
        let Some(new) = &self.0.new else { return Ok(Derived::Drafts(Vec::new())) };
        let (pk, sk) = (must(get_text(new, "pk"), "pk")?, must(get_text(new, "sk"), "sk")?);
        let drafts = match Subject::of(pk, sk)? {
            Subject::FieldGroup(client) => {
                let path = |item: &Item| Ok(format!("field-groups/{}", from_doc::<FieldGroup>(item)?.id));
                let life = life(FieldGroupCreated, FieldGroupUpdated, FieldGroupDeleted, FieldGroupRestored);
                self.resource(new, client, path, whole, life)?
            }
            Subject::GlobalField(client) => {
                let path = |item: &Item| Ok(format!("global-fields/{}", from_doc::<GlobalField>(item)?.id));
                let life = life(GlobalFieldCreated, GlobalFieldUpdated, GlobalFieldDeleted, GlobalFieldRestored);
                self.resource(new, client, path, whole, life)?
            }
            Subject::TenantField(client, tenant) => {
                let field: TenantField = from_doc(new)?;
                let path = |_: &Item| {
                    Ok(format!("tenants/{tenant}/field-groups/{}/fields/{}", field.field_group_id, field.id))
                };
                let life = life(TenantFieldCreated, TenantFieldUpdated, TenantFieldDeleted, TenantFieldRestored);
                let drafts = self.resource(new, client, path, whole, life)?;
                drafts.map(|draft| draft.in_tenant(tenant.clone(), Some(field.field_group_id)))
            }
            Subject::Values(client, tenant, group, entity) => {
                let Some(change) = self.0.values_change(new, group, entity)? else { return none() };
                return Ok(Derived::Drafts(vec![self.values(new, client, tenant, change)?]));
            }
            Subject::Webhook(client) => self.webhook(new, client)?,
            Subject::ApiKey(client) => self.api_key(new, client)?,
            Subject::Client(client) => return self.client(new, client).map(Derived::Drafts),
            Subject::Tenant(client, tenant) => return self.tenant(new, client, &tenant).map(Derived::Drafts),
            Subject::Member(client, user) => {
                let path = |_: &Item| Ok(format!("members/{user}"));
                self.resource(
                    new,
                    client,
                    path,
                    whole,
                    life(MemberCreated, MemberUpdated, MemberDeleted, MemberUpdated),
                )?
            }
            // One that is accepted, taken back or replaced leaves nothing; a note tells of it.
            Subject::Invitation(client) if self.0.old.is_none() => {
                let doc = whole(new)?;
                let path = format!("members/invitations/{}", doc["id"].as_str().unwrap_or_default());
                Some(Stamp::of(new)?.of_client(client, InvitationCreated, path).after(capped(doc)))
            }
            Subject::User(user) => return self.user(new, user).map(Derived::Drafts),
            Subject::Password(user) => self.password(new, user)?,
            Subject::SecondFactor(user) => self.second_factor(new, user)?,
            Subject::Note if self.0.old.is_none() => Some(note(new, pk, sk)?),
            Subject::Invitation(_) | Subject::Note | Subject::Other => None,
            Subject::Unknown => return Ok(Derived::Unknown),
        };
        Ok(Derived::Drafts(drafts.into_iter().collect()))
    }

    /// Whether it is no change by anyone: what stands beside a resource goes on saying who changed that last.
    fn is_beside(&self, new: &Item) -> bool {
        self.0.old.as_ref().is_some_and(|old| event_of(old) == event_of(new))
    }

    fn resource(
        &self,
        new: &Item,
        client: ClientId,
        path: impl Fn(&Item) -> Result<String, Error>,
        shown: impl Fn(&Item) -> Result<Map<String, Value>, Error>,
        life: Life,
    ) -> Result<Option<Draft>, Error> {
        let version = |item: &Item| get_number::<u64>(item, "version");
        let gone = |item: &Item| deleted_at(item).is_some();
        if self.0.old.as_ref().is_some_and(|old| version(old) == version(new)) || self.is_beside(new) {
            return Ok(None);
        }
        let (stamp, path, now) = (Stamp::of(new)?, path(new)?, shown(new)?);
        let draft = |action| stamp.of_client(client, action, path.as_str());
        let was_gone = self.0.old.as_ref().is_some_and(gone);
        Ok(Some(match &self.0.old {
            _ if gone(new) && !was_gone => draft(life.deleted).before(capped(now)),
            None if version(new) == Some(1) => draft(life.created).after(capped(now)),
            Some(old) if !was_gone => {
                let (before, after) = difference(shown(old)?, now);
                draft(life.updated).before(before).after(after)
            }
            _ => draft(life.restored).after(capped(now)),
        }))
    }

    fn values(&self, new: &Item, client: ClientId, tenant: TenantId, change: ValuesChange) -> Result<Draft, Error> {
        let version = |item: &Item| get_number::<u64>(item, "version");
        let Stored { deleted_at, created_at, .. } = &change.stored;
        let stamp = Stamp::of(new)?;
        // What is saved anew over deleted values begins then; what is restored began before.
        let action = match &self.0.old {
            _ if deleted_at.is_some() => FieldValueDeleted,
            None if version(new) != Some(1) && *created_at != stamp.at => FieldValueRestored,
            _ => FieldValueSaved,
        };
        let (group, entity) = (change.group, change.entity.clone());
        let path = format!("tenants/{tenant}/field-groups/{group}/entities/{entity}/values");
        let mut draft = stamp.of_client(client, action, path).in_tenant(tenant, Some(group));
        draft.entry.entity_id = Some(entity);
        let at = |version: Option<u64>| Map::from_iter(version.map(|version| ("version".to_owned(), json!(version))));
        draft.entry.before = self.0.old.as_ref().map(|old| at(version(old)));
        draft.entry.after = Some(at(version(new)));
        draft.values = Some(change);
        Ok(draft)
    }

    fn webhook(&self, new: &Item, client: ClientId) -> Result<Option<Draft>, Error> {
        let endpoint: Endpoint = from_doc(new)?;
        let path = |_: &Item| Ok(format!("webhooks/{}", endpoint.webhook.id));
        let shown = |item: &Item| object(&from_doc::<Endpoint>(item)?.webhook);
        let before = self.0.old.as_ref().map(from_doc::<Endpoint>).transpose()?;
        let updated = match &before {
            Some(before) if before.webhook.active && endpoint.webhook.disabled.is_some() => WebhookDisabled,
            Some(before) if before.has_other_secrets(&endpoint) => WebhookRotated,
            _ => WebhookUpdated,
        };
        let mut draft =
            self.resource(new, client, path, shown, life(WebhookCreated, updated, WebhookDeleted, updated))?;
        // The values of headers are secrets: that they are others is told, and no more.
        if let (Some(draft), Some(before)) = (&mut draft, &before)
            && before.has_other_headers(&endpoint)
        {
            draft.entry.changed = Some(vec!["headers".to_owned()]);
        }
        Ok(draft)
    }

    fn api_key(&self, new: &Item, client: ClientId) -> Result<Option<Draft>, Error> {
        let shown = |item: &Item| StoredKey::described(item);
        let path = |item: &Item| {
            let key = StoredKey::described(item)?;
            Ok(format!("api-keys/{}", key["id"].as_str().unwrap_or_default()))
        };
        let other_secret = match &self.0.old {
            Some(old) => {
                shown(old)?["prefix"] != shown(new)?["prefix"] || get_text(old, "hash") != get_text(new, "hash")
            }
            None => false,
        };
        let updated = if other_secret { ApiKeyRotated } else { ApiKeyUpdated };
        self.resource(new, client, path, shown, life(ApiKeyCreated, updated, ApiKeyDeleted, updated))
    }

    fn client(&self, new: &Item, client: ClientId) -> Result<Vec<Draft>, Error> {
        let mut drafts = Vec::new();
        let is_new = |name| get_text(new, name).is_some_and(|now| self.was(name) != Some(now));
        if get_text(new, "erasing").is_some() {
            if self.was("erasing").is_none() {
                drafts.push(Stamp::of(new)?.of_client(client, ClientErased, "client"));
            }
            return Ok(drafts);
        }
        let closed = from_doc::<Client>(new)?.closed_at.is_some();
        let updated = match &self.0.old {
            Some(old) if from_doc::<Client>(old)?.closed_at.is_some() != closed => {
                if closed {
                    ClientClosed
                } else {
                    ClientRestored
                }
            }
            _ => ClientUpdated,
        };
        let path = |_: &Item| Ok("client".to_owned());
        drafts.extend(self.resource(new, client, path, whole, life(ClientCreated, updated, updated, updated))?);
        if let (true, Some(by)) = (is_new("subscription"), get_text(new, "subscriptionBy")) {
            let stood =
                self.0.old.as_ref().map_or_else(|| Ok(StoredSubscription::initial()), StoredSubscription::of)?;
            let (before, after) = difference(object(&stood)?, object(&StoredSubscription::of(new)?)?);
            let draft = Stamp::of_text(by)?.of_client(client, SubscriptionUpdated, "subscription");
            drafts.push(draft.before(before).after(after));
        }
        Ok(drafts)
    }

    fn was(&self, name: &str) -> Option<&str> {
        self.0.old.as_ref().and_then(|old| get_text(old, name))
    }

    /// The tenant's card: its first use, a revocation of its tokens, its erasure.
    fn tenant(&self, new: &Item, client: ClientId, tenant: &TenantId) -> Result<Vec<Draft>, Error> {
        if self.is_beside(new) {
            return Ok(Vec::new());
        }
        let stamp = Stamp::of(new)?;
        let number = |item: Option<&Item>, name: &str| item.and_then(|item| get_number::<i64>(item, name));
        let grew = |name| number(Some(new), name) > number(self.0.old.as_ref(), name);
        let first_used = get_text(new, "doc").is_some() && self.was("doc").is_none();
        let erased = grew("epoch") && !first_used;
        let all = [
            (first_used, TenantCreated, String::new()),
            (grew("tokensNotBefore"), TenantTokensRevoked, "/embed-tokens".to_owned()),
            (erased, TenantErased, String::new()),
        ];
        let happened = all.into_iter().filter(|(happened, ..)| *happened);
        let draft = |(_, action, below): (bool, Action, String)| {
            stamp.of_client(client, action, format!("tenants/{tenant}{below}")).in_tenant(tenant.clone(), None)
        };
        Ok(happened.map(draft).collect())
    }

    /// The user's card: logins, the end of sessions, the second factor, and memberships that ended.
    fn user(&self, new: &Item, user: UserId) -> Result<Vec<Draft>, Error> {
        let Some(old) = &self.0.old else { return Ok(Vec::new()) };
        if self.is_beside(new) {
            return Ok(Vec::new());
        }
        let (stamp, was, is) = (Stamp::of(new)?, UserCard::read(old)?, UserCard::read(new)?);
        let path = format!("members/{user}");
        let mut drafts = Vec::new();
        for (client, membership) in was.memberships.iter().filter(|(client, _)| !is.memberships.contains_key(client)) {
            let before = object(&json!({ "id": user, "email": was.person.email, "role": membership.role }))?;
            drafts.push(stamp.of_client(*client, MemberDeleted, path.as_str()).before(before));
        }
        if self.was("loggedInAt") != get_text(new, "loggedInAt")
            && let Some(client) = get_text(new, "lastClient").and_then(|id| id.parse().ok())
        {
            drafts.push(stamp.of_client(client, LoginSucceeded, path.as_str()));
        }
        let everywhere = [
            (is.epoch != was.epoch, SessionsEnded),
            (is.has_second_factor && !was.has_second_factor, SecondFactorCreated),
            (!is.has_second_factor && was.has_second_factor, SecondFactorDeleted),
        ];
        for (_, action) in everywhere.into_iter().filter(|(happened, _)| *happened) {
            drafts.extend(is.memberships.keys().map(|client| stamp.of_client(*client, action, path.as_str())));
        }
        Ok(drafts)
    }

    /// A first password is told by the account, or the member, that it is of.
    fn password(&self, new: &Item, user: UserId) -> Result<Option<Draft>, Error> {
        if self.0.old.is_none() || self.is_beside(new) {
            return Ok(None);
        }
        Ok(Some(Stamp::of(new)?.draft(Whose::User(user), PasswordUpdated, format!("members/{user}"))))
    }

    /// That it is in force, or not any more, stands on the user's card.
    fn second_factor(&self, new: &Item, user: UserId) -> Result<Option<Draft>, Error> {
        if get_text(new, "pending").is_none() || self.was("pending") == get_text(new, "pending") {
            return Ok(None);
        }
        Ok(Some(Stamp::of(new)?.draft(Whose::User(user), SecondFactorStarted, format!("members/{user}"))))
    }
}

fn none() -> Result<Derived, Error> {
    Ok(Derived::Drafts(Vec::new()))
}

const fn life(created: Action, updated: Action, deleted: Action, restored: Action) -> Life {
    Life { created, updated, deleted, restored }
}

/// What a note says.
fn note(item: &Item, pk: &str, sk: &str) -> Result<Draft, Error> {
    let Note { whose, action, resource, tenant_id, before, after, reason, count } = from_doc(item)?;
    let mut draft = Stamp::of(item)?.draft(whose, action, resource);
    draft.entry.tenant_id = tenant_id;
    draft.entry.before = before.map(capped);
    draft.entry.after = after.map(capped);
    draft.entry.reason = reason;
    draft.entry.count = count;
    draft.note = Some(Key { table: Table::Main, pk: pk.to_owned(), sk: sk.to_owned() });
    Ok(draft)
}

/// A document that is a resource as it is shown.
fn whole(item: &Item) -> Result<Map<String, Value>, Error> {
    from_doc(item)
}

fn object(value: &impl serde::Serialize) -> Result<Map<String, Value>, Error> {
    serde_json::to_value(value).and_then(serde_json::from_value).map_err(Error::internal)
}

/// The members that differ, as they were and as they are.
fn difference(
    mut before: Map<String, Value>,
    mut after: Map<String, Value>,
) -> (Map<String, Value>, Map<String, Value>) {
    for moves in ["updatedAt"] {
        before.remove(moves);
        after.remove(moves);
    }
    let same: Vec<String> = before.keys().filter(|name| before.get(*name) == after.get(*name)).cloned().collect();
    for name in same {
        before.remove(&name);
        after.remove(&name);
    }
    (capped(before), capped(after))
}

/// The members, those that are too long by their hash.
fn capped(mut members: Map<String, Value>) -> Map<String, Value> {
    for value in members.values_mut() {
        let text = value.to_string();
        if text.len() > LONGEST_MEMBER {
            *value = json!({ "bytes": text.len(), "sha256": auth::sha256_hex(text.as_bytes()) });
        }
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(value: &Value) -> Map<String, Value> {
        object(value).expect("an object")
    }

    #[test]
    fn what_stays_is_not_told() {
        let before = members(&json!({ "name": "a", "key": "k", "updatedAt": "1", "version": 1, "gone": true }));
        let after = members(&json!({ "name": "b", "key": "k", "updatedAt": "2", "version": 2, "new": null }));
        let (before, after) = difference(before, after);
        assert_eq!(Value::Object(before), json!({ "name": "a", "version": 1, "gone": true }));
        assert_eq!(Value::Object(after), json!({ "name": "b", "version": 2, "new": null }));
    }

    #[test]
    fn what_is_long_is_told_by_its_hash() {
        let long = "x".repeat(LONGEST_MEMBER);
        let told = capped(members(&json!({ "schema": { "pattern": long }, "name": "a" })));
        assert_eq!(told["name"], "a");
        assert_eq!(told["schema"]["bytes"], LONGEST_MEMBER + 14);
        assert_eq!(told["schema"]["sha256"].as_str().map(str::len), Some(64));
    }
}
