//! Every write of every repository, once or more, with the exact versions that it must lead to.

use contract::id::{FieldId, GroupId, KeyId};
use contract::names::GroupRef;
use contract::permission::{KeyType, Permissions};
use contract::settings::{Origins, Settings};
use contract::{Error, Problems};
use hedgerow_store::api_keys::NewApiKey;
use hedgerow_store::global_fields::GlobalFieldChange;
use hedgerow_store::sessions::Sessions;
use hedgerow_store::values::Save;
use serde_json::{Value, json};

use crate::fixture::{
    Account, Tables, if_match, named, new_global, new_group, new_own, object, relabelled, request_info, schema,
    schema_change, string,
};

/// What a life leaves behind.
pub(crate) struct Lived {
    pub(crate) group: GroupId,
    pub(crate) other_group: GroupId,
    pub(crate) global: FieldId,
    pub(crate) own: FieldId,
    pub(crate) key: KeyId,
}

pub(crate) fn new_key() -> NewApiKey {
    NewApiKey {
        name: named("Server"),
        key_type: KeyType::Management,
        permissions: Some(Permissions::all()),
        expires_at: None,
        rate_limit: None,
        allowed_ips: None,
    }
}

/// Signs up, logs in and lives.
pub(crate) async fn from_birth(tables: &Tables) -> Result<(Account, Lived), Error> {
    let account = tables.account_of("ada@example.com").await;
    sessions(&account).await?;
    let lived = live(&account).await?;
    Ok((account, lived))
}

pub(crate) async fn live(account: &Account) -> Result<Lived, Error> {
    let (group, other_group) = groups(account).await?;
    let global = global_fields(account, [group, other_group]).await?;
    let own = tenant_fields(account, group).await?;
    values(account, group).await?;
    settings(account).await?;
    let key = api_keys(account).await?;
    Ok(Lived { group, other_group, global, own, key })
}

async fn sessions(account: &Account) -> Result<(), Error> {
    let (info, token) = account.tables.log_in(&named("Ada@Example.com"), named("correct horse"), None).await?;
    assert_eq!((&info.user, &info.client), (&account.user, &account.client));
    let session = account.store.verify_session(&token, &request_info()).await?.unwrap();
    assert_eq!(Sessions::open(&account.store).info(&session).await?, info);
    Sessions::open(&account.store).end(&session).await?;
    assert!(account.store.verify_session(&token, &request_info()).await?.is_none());
    Ok(())
}

async fn groups(account: &Account) -> Result<(GroupId, GroupId), Error> {
    let made = account.groups().create(new_group("product")).await?;
    let group = GroupRef::Id(made.id);
    assert_eq!(made.version, 1);
    let updated = account.groups().update(&group, if_match(1), |group| group.name = named("Product")).await?;
    assert_eq!(updated.version, 2);
    account.groups().delete(&group, if_match(2)).await?;
    assert_eq!(account.groups().restore(&group, None).await?.version, 4);
    assert_eq!(account.groups().get(&group).await?.version, 4);
    Ok((made.id, account.groups().create(new_group("order")).await?.id))
}

async fn global_fields(account: &Account, groups: [GroupId; 2]) -> Result<FieldId, Error> {
    let field = account.globals().create(new_global("title", string(), &groups[..1])).await?;
    let join = GlobalFieldChange { groups: Some(groups.to_vec()), ..GlobalFieldChange::default() };
    assert_eq!(account.globals().update(field.id, if_match(1), &join).await?.version, 2);
    let leave = GlobalFieldChange {
        groups: Some(groups[..1].to_vec()),
        label: Some(named("Title")),
        ..GlobalFieldChange::default()
    };
    assert_eq!(account.globals().update(field.id, if_match(2), &leave).await?.version, 3);
    account.globals().delete(field.id, if_match(3)).await?;
    assert_eq!(account.globals().restore(field.id, None).await?.version, 5);
    assert_eq!(account.globals().get(field.id).await?.version, 5);
    let nowhere = account.globals().create(new_global("nowhere", string(), &[])).await?;
    assert_eq!(account.globals().update(nowhere.id, if_match(1), &relabelled()).await?.version, 2);
    Ok(field.id)
}

async fn tenant_fields(account: &Account, group: GroupId) -> Result<FieldId, Error> {
    let group = GroupRef::Id(group);
    let field = account.fields("acme").create(&group, new_own("color", string())).await?;
    let stricter = schema(json!({ "type": "string", "validation": { "maxLength": 9 } }));
    let updated = account.fields("acme").update(&group, field.id, if_match(1), &schema_change(&stricter)).await?;
    assert_eq!(updated.version, 2);
    account.fields("acme").delete(&group, field.id, if_match(2)).await?;
    assert_eq!(account.fields("acme").restore(&group, field.id, None).await?.version, 4);
    assert_eq!(account.fields("acme").create(&group, new_own("size", string())).await?.version, 1);
    assert_eq!(account.fields("acme").get(&group, field.id).await?.version, 4);
    Ok(field.id)
}

async fn values(account: &Account, group: GroupId) -> Result<(), Error> {
    let at = GroupRef::Id(group);
    // One tenant is there already, another one comes with its values.
    for tenant in ["acme", "newcomer"] {
        let save = |sent, how, version| account.save(tenant, group, "sku", sent, how, version);
        assert_eq!(save(json!({ "title": "a" }), Save::Merge, None).await?.version, 1);
        assert_eq!(save(json!({ "title": "b" }), Save::Merge, if_match(1)).await?.version, 2);
        assert_eq!(save(json!({ "title": "c" }), Save::Replace, if_match(2)).await?.version, 3);
        account.values(tenant).delete(&at, &named("sku"), if_match(3)).await?;
        assert_eq!(account.values(tenant).restore(&at, &named("sku"), None).await?.version, 5);
        account.values(tenant).delete(&at, &named("sku"), if_match(5)).await?;
        assert_eq!(save(json!({ "title": "d" }), Save::Merge, if_match(0)).await?.version, 7);
        let read = account.read(tenant, group, "sku").await?;
        assert_eq!((read.version, read.values), (7, object(json!({ "title": "d" }))));
    }
    Ok(())
}

async fn settings(account: &Account) -> Result<(), Error> {
    for (version, origins) in
        [(2, json!(["https://a.example", "https://b.example"])), (3, json!(["https://b.example"]))]
    {
        let changed = account.settings().update([if_match(version - 1), None], list_origins(&origins)).await?;
        assert_eq!(changed.version, version);
    }
    assert_eq!(account.settings().get().await?.version, 3);
    Ok(())
}

/// Has these origins call.
pub(crate) fn list_origins(origins: &Value) -> impl Fn(&mut Settings) -> Result<(), Error> {
    move |settings| {
        settings.cors.origins = deserr::deserialize::<Origins, _, Problems>(origins.clone())?;
        Ok(())
    }
}

async fn api_keys(account: &Account) -> Result<KeyId, Error> {
    let (key, secret) = account.keys().create(new_key()).await?;
    let secret = secret.unwrap();
    assert_eq!(account.store.verify_key(&secret).await?.map(|key| key.id), Some(key.id));
    let rename = |key: &mut contract::resource::ApiKey| {
        key.name = named("Renamed");
        Ok(())
    };
    assert_eq!(account.keys().update(key.id, if_match(1), rename).await?.version, 2);
    account.keys().delete(key.id, if_match(2)).await?;
    assert!(account.store.verify_key(&secret).await?.is_none());
    Ok(account.keys().create(new_key()).await?.0.id)
}
