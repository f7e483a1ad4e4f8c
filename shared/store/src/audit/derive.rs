//! What a record of the stream says of who did what: every kind of item in the main table is named in
//! [`Subject`](crate::keys::Subject), whether its changes are written down or others tell of them.

mod draft;
mod members;
mod people;

pub(super) use draft::Draft;

use contract::Error;
use contract::audit::Action::{self, *};
use contract::id::ClientId;
use contract::names::TenantId;
use contract::resource::{Client, FieldGroup, GlobalField, TenantField};
use contract::settings::Settings;
use serde_json::{Map, Value, json};

use self::draft::Stamp;
use self::members::{capped, difference, object};
use super::note::Note;
use crate::api_keys::StoredKey;
use crate::document::{deleted_at, event_of, from_doc};
use crate::dynamo::{Item, get_number, get_text, must};
use crate::keys::{Key, Subject};
use crate::standing::StoredSubscription;
use crate::stream::{Record, ValuesChange};
use crate::tables::Table;
use crate::values::Stored;
use crate::webhooks::Endpoint;

/// The actions of a resource's life.
#[derive(Clone, Copy)]
struct Life {
    created: Action,
    updated: Action,
    deleted: Action,
    restored: Action,
}

/// What a record says of who did what.
pub(super) fn drafts(record: &Record) -> Result<Vec<Draft>, Error> {
    Seen(record).drafts()
}

/// A record, looked at for this.
struct Seen<'r>(&'r Record);

impl Seen<'_> {
    fn drafts(&self) -> Result<Vec<Draft>, Error> {
        // What goes for good is told by what goes with it: a note, or the user's card. A purge and an erasure say so
        // themselves.
        let Some(new) = &self.0.new else { return Ok(Vec::new()) };
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
                let Some(change) = self.0.values_change(new, group, entity)? else { return Ok(Vec::new()) };
                return Ok(vec![self.values(new, client, tenant, change)?]);
            }
            Subject::Webhook(client) => self.webhook(new, client)?,
            Subject::ApiKey(client) => self.api_key(new, client)?,
            Subject::Client(client) => return self.client(new, client),
            Subject::Settings(client) => {
                // Until they are changed first, nothing is stored of them.
                let before = self.0.old.as_ref().map_or_else(|| object(&Settings::default()), whole)?;
                let (before, after) = difference(before, whole(new)?);
                Some(Stamp::of(new)?.of_client(client, SettingsUpdated, "settings").before(before).after(after))
            }
            Subject::Tenant(client, tenant) => return self.tenant(new, client, &tenant),
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
            Subject::User(user) => return self.user(new, user),
            Subject::Password(user) => self.password(new, user)?,
            Subject::SecondFactor(user) => self.second_factor(new, user)?,
            Subject::Note if self.0.old.is_none() => Some(note(new, pk, sk)?),
            // Of what is not known here, as of a newer version, `fan-out` tells.
            Subject::Invitation(_) | Subject::Note | Subject::Other | Subject::Unknown => None,
        };
        Ok(drafts.into_iter().collect())
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
        if is_new("subscription") {
            let stood =
                self.0.old.as_ref().map_or_else(|| Ok(StoredSubscription::initial()), StoredSubscription::of)?;
            let (before, after) = difference(object(&stood)?, object(&StoredSubscription::of(new)?)?);
            let draft = Stamp::of(new)?.of_client(client, SubscriptionUpdated, "subscription");
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
