//! A small account to try things on: that of the demo, whose credentials are made on the machine, and that of the sample
//! events, whose identifiers and credentials are the same wherever it is made and in this repository for all to read.
//! It is made in stores on one machine only, never by a function.

use std::sync::Arc;

use auth::{ApiKeySecret, Keyring, MailedToken, PasswordHash, SessionToken, WebhookSecret};
use contract::id::{DeliveryId, FieldId, GroupId, InvitationId, JobId, KeyId, SessionId, UserId, WebhookId};
use contract::names::{EntityId, GroupRef, TenantId};
use contract::permission::{KeyType, Permissions, Role};
use contract::resource::{Invitation, Publishing};
use contract::schema::FieldSchema;
use contract::webhook::{Events, Headers};
use contract::{Error, Problems, Time};
use serde_json::{Map, Value, json};
use store::acceptance::Acceptance;
use store::accounts::Signup;
use store::api_keys::{ApiKeys, NewApiKey};
use store::author::{Author, RequestInfo, Seed};
use store::deliveries::Deliveries;
use store::field_groups::{FieldGroups, NewFieldGroup};
use store::global_fields::{GlobalFields, NewGlobalField};
use store::invitations::Invitations;
use store::jobs::Jobs;
use store::passwords::Mailboxes;
use store::scope::ClientScope;
use store::tenant_fields::{NewTenantField, TenantFields};
use store::values::{Save, Values};
use store::webhooks::{NewWebhook, Webhooks};
use store::{OpContext, Store};

/// The management key of the sample events' account.
pub const KEY: &str = "hr_live_00000000000000000000000000samples3QuP71";

/// When the sample events are: 2026-01-01T00:00:00Z.
pub const AT_MILLIS: i64 = 1_767_225_600_000;

/// The data keys of the sample events: they open [`MAIL`].
pub const DATA_KEYS: &str = r#"{"current":"1","1":"the sample data key, in this repository for all to read"}"#;

/// The message of a sample mail to the account's owner, sealed under [`DATA_KEYS`]. It is written down since no two
/// sealings are alike.
pub const MAIL: &str = "1.z-3T4LEFTD6kA_l_aNbotK0FkiYcGVsrOXsQwu3t7EAkboIxaQPSwFP6rFqse7KSgbwgQLjk-oN3CWNncIx5k7rr0yOE9r3t32S-10xJHdGCfeK3oaVC_kxYQUsu9PFFhQP5BSerCqyvkorgHYEmSp_ieBkeNjMVHyd2OfSJFh-L72ZS8RHsuKfOFbrXT0PIxamfzoaez8iT2quR9PyUkE8kLLW8R3f34XZiWLGYjbmve3oZZ-ocMLXbAPPA4cbMGEzYsFyW5V03lqbAINtGIYZvXj1eWMMAhVoOcIvYhIM04q8WKn31Cg";

/// Whose account it is, and what its identifiers are made from.
pub struct Identity {
    /// The owner's e-mail address.
    pub email: String,
    /// The owner's password.
    pub password: String,
    /// The management key.
    pub key: String,
    session: [u8; 32],
    seed: Seed,
}

impl Identity {
    /// The sample events'.
    #[must_use]
    pub fn of_events() -> Self {
        let seed = Seed { at: Time::from_millis(AT_MILLIS), bytes: [0; 32] };
        let password = "a sample password".to_owned();
        Self { email: "owner@example.com".to_owned(), password, key: KEY.to_owned(), session: [0; 32], seed }
    }

    /// A demo's, with new credentials.
    #[must_use]
    pub fn of_demo(now: Time) -> Self {
        let key = ApiKeySecret::generate(KeyType::Management).reveal().to_owned();
        let password = auth::hex(&auth::random::bytes::<8>());
        // An address of its own, so that a start that was killed half-way stands in no later one's way.
        let email = format!("demo-{}@example.com", auth::hex(&auth::random::bytes::<3>()));
        Self { email, password, key, session: auth::random::bytes(), seed: Seed::new(now) }
    }

    /// The author of the `number`th write, a millisecond after the one before.
    fn author(&self, number: u8) -> Arc<Author> {
        let origin =
            RequestInfo { address: None, agent: "samples".to_owned(), request_id: format!("req_sample{number}") };
        let at = Time::from_millis(self.seed.at.millis() + i64::from(number));
        let bytes = auth::sha256(&[&self.seed.bytes[..], &[number]].concat());
        Arc::new(Author::new("samples", &origin, Seed { at, bytes }))
    }
}

/// What was made, for the events to name.
pub struct Samples {
    /// The account.
    pub shop: Shop,
    /// A member, and one to remove.
    pub members: [UserId; 2],
    /// An open invitation.
    pub invitation: InvitationId,
    /// The token of another one.
    pub invitation_token: MailedToken,
    /// An API key to rotate.
    pub rotated_key: KeyId,
    /// The token of a reset of the owner's password.
    pub reset_token: MailedToken,
    /// A webhook, and one to delete. They are off: nothing is sent to an address that is a sample.
    pub webhooks: [WebhookId; 2],
    /// The delivery of a ping to the webhook. It is held.
    pub delivery: DeliveryId,
    /// A job that recovers the webhook's deliveries. Nobody works on it.
    pub job: JobId,
}

/// An account with something in it. A `spare` one of a pair is there to be deleted.
pub struct Shop {
    /// Its owner.
    pub owner: UserId,
    /// The owner's second session.
    pub spare_session: SessionId,
    scope: ClientScope,
    /// The value of a `Cookie` header.
    pub cookie: String,
    /// An API key, and one to delete.
    pub api_keys: [KeyId; 2],
    /// The group `product`, and one to delete.
    pub groups: [GroupId; 2],
    /// The global field `title` of `product`, and one to delete.
    pub global_fields: [FieldId; 2],
    /// The field `color` of the tenant `acme` in `product`, and one to delete.
    pub tenant_fields: [FieldId; 2],
    /// The entity `sku-1` with values in `product`, and one to delete.
    pub entities: [EntityId; 2],
    /// The tenant `acme`.
    pub tenant: TenantId,
}

/// Makes the sample account, with webhooks, in a store that has none of it; their secrets are sealed under the ring.
///
/// # Errors
/// `email_taken` if it is there.
pub async fn seed(store: &Store, identity: &Identity, ring: &Keyring) -> Result<Samples, Error> {
    let shop = open_shop(store, identity).await?;
    let op = |number| OpContext::new(store.clone(), shop.scope.clone(), identity.author(number));
    let (webhook, _) = Webhooks::open(&op(11)).create(new_webhook("https://example.com/hooks/hedgerow")?, ring).await?;
    let (spare_webhook, _) =
        Webhooks::open(&op(12)).create(new_webhook("https://example.com/hooks/old")?, ring).await?;
    let (delivery, _) = Deliveries::open(&op(13)).ping(webhook.id, None, "req_sample13").await?;
    let (job, _) = Jobs::open(&op(14)).recover(webhook.id, webhook.created_at).await?;
    let (invitation_token, reset_token) = (MailedToken::known([1; 32]), MailedToken::known([2; 32]));
    let mut members = Vec::new();
    for (number, email) in [(15, "editor@example.com"), (17, "former@example.com")] {
        let (token, password) = (MailedToken::generate(), parse(&identity.password)?);
        invite(&op(number), shop.owner, email, &token).await?;
        let accepted = Acceptance::open(store, identity.author(number + 1))
            .accept(&token, Some(password), None, ring)
            .await
            .map_err(|refused| refused.error)?;
        members.push(accepted.0.user.id);
    }
    let invitation = invite(&op(19), shop.owner, "new@example.com", &MailedToken::generate()).await?.id;
    invite(&op(20), shop.owner, "invited@example.com", &invitation_token).await?;
    let rotated_key = ApiKeys::open(&op(21)).create(key("Search", KeyType::Delivery)?).await?.0.id;
    Mailboxes::open(store).start_reset(&parse(&identity.email)?, &reset_token, store.clock().now()).await?;
    Ok(Samples {
        shop,
        members: members.try_into().map_err(|_| Error::internal("two members"))?,
        invitation,
        invitation_token,
        rotated_key,
        reset_token,
        webhooks: [webhook.id, spare_webhook.id],
        delivery: delivery.id,
        job: job.id,
    })
}

/// Made now, so that it is open whenever the samples are tried.
async fn invite(op: &OpContext, by: UserId, email: &str, token: &MailedToken) -> Result<Invitation, Error> {
    let now = op.store().clock().now();
    Invitations::open(op).create_known(by, parse(email)?, Role::Editor, token, now).await
}

/// Makes the sample account without webhooks, as the demo has it.
///
/// # Errors
/// `email_taken` if it is there.
pub async fn open_shop(store: &Store, identity: &Identity) -> Result<Shop, Error> {
    let opening = Signup::open(store, identity.author(0));
    let hash = PasswordHash::of(&parse(&identity.password)?).ok_or_else(|| Error::internal("no memory for a hash"))?;
    let opened = opening.open_account(parse(&identity.email)?, &hash, parse("Sample Shop")?).await?;
    let token = SessionToken::known(opened.user.id, identity.session);
    opening.start_known(&opened, &token).await?;
    let (spare_session, _) = opening.start_known(&opened, &SessionToken::generate(opened.user.id)).await?;
    let op = |number| OpContext::new(store.clone(), opened.op.scope().clone(), identity.author(number));

    let main = ApiKeySecret::parse(&identity.key).ok_or_else(|| Error::internal("the sample key"))?;
    let spare = ApiKeySecret::generate(KeyType::Delivery);
    let main = ApiKeys::open(&op(1)).create_known(key("Server", KeyType::Management)?, &main).await?.0;
    let spare = ApiKeys::open(&op(2)).create_known(key("Old website", KeyType::Delivery)?, &spare).await?.0;
    let product = FieldGroups::open(&op(3)).create(group("product", "Product")?).await?;
    let spare_group = FieldGroups::open(&op(4)).create(group("old", "Old fields")?).await?;

    let title = json!({ "type": "string", "validation": { "required": true, "maxLength": 80 } });
    let sale = json!({ "type": "boolean" });
    let title = GlobalFields::open(&op(5)).create(global("title", "Title", title, product.id)?).await?;
    let sale = GlobalFields::open(&op(6)).create(global("on_sale", "On sale", sale, product.id)?).await?;

    let tenant: TenantId = parse("acme")?;
    let scope = || op(0).scope().tenant(tenant.clone());
    let product_ref = GroupRef::Id(product.id);
    let color = json!({ "type": "select", "validation": { "options": ["red", "green", "blue"] } });
    let color = TenantFields::open(&op(7), scope()).create(&product_ref, own("color", "Color", color)?).await?;
    let weight = json!({ "type": "number", "validation": { "min": 0 } });
    let weight = TenantFields::open(&op(8), scope()).create(&product_ref, own("weight", "Weight", weight)?).await?;

    let entities: [EntityId; 2] = [parse("sku-1")?, parse("sku-0")?];
    for (number, entity) in (9..).zip(&entities) {
        let sent = Map::from_iter([("title".to_owned(), Value::from("Oak table")), ("color".to_owned(), "red".into())]);
        Values::open(&op(number), scope()).save(&product_ref, entity, &sent, Save::Merge, None).await?;
    }
    Ok(Shop {
        owner: opened.user.id,
        spare_session,
        scope: op(0).scope().clone(),
        cookie: token.set_cookie().split(';').next().unwrap_or_default().to_owned(),
        api_keys: [main.id, spare.id],
        groups: [product.id, spare_group.id],
        global_fields: [title.id, sale.id],
        tenant_fields: [color.id, weight.id],
        entities,
        tenant,
    })
}

fn parse<T: std::str::FromStr<Err = contract::Broken>>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|broken: contract::Broken| Error::internal(format!("{text}: {}", broken.message)))
}

fn key(name: &str, key_type: KeyType) -> Result<NewApiKey, Error> {
    let management = key_type == KeyType::Management;
    let permissions = management.then(Permissions::all);
    let name = parse(name)?;
    Ok(NewApiKey { name, key_type, permissions, expires_at: None, rate_limit: None, allowed_ips: None })
}

fn group(key: &str, name: &str) -> Result<NewFieldGroup, Error> {
    Ok(NewFieldGroup { key: parse(key)?, name: parse(name)?, description: None, publishing: Publishing::Immediate })
}

fn global(key: &str, label: &str, schema: Value, group: GroupId) -> Result<NewGlobalField, Error> {
    let schema = FieldSchema::parse(schema, "schema")?;
    Ok(NewGlobalField { key: parse(key)?, label: parse(label)?, schema, groups: vec![group] })
}

fn own(key: &str, label: &str, schema: Value) -> Result<NewTenantField, Error> {
    Ok(NewTenantField { key: parse(key)?, label: parse(label)?, schema: FieldSchema::parse(schema, "schema")? })
}

fn new_webhook(url: &str) -> Result<NewWebhook, Error> {
    let events: Events = deserr::deserialize::<_, _, Problems>(json!(["field_value.*", "field_group.deleted"]))?;
    Ok(NewWebhook {
        url: url.to_owned(),
        description: Some(parse("The search index of the shop.")?),
        events,
        tenant_ids: None,
        headers: Headers::default(),
        signature_header: None,
        active: false,
        secret: WebhookSecret::generate(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_key_is_a_key() {
        assert!(ApiKeySecret::parse(KEY).is_some());
    }
}
