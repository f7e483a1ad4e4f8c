//! Two clients with two tenants each, all using the same names: whatever one of them does, with its own identifiers or
//! with another's, none of the others can see a difference, over every read there is.

use contract::id::{FieldId, GroupId, KeyId};
use contract::names::GroupRef;
use contract::{Code, Error};
use hedgerow_store::global_fields::GlobalFieldChange;
use hedgerow_store::values::Save;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixture::{
    Account, Tables, all, by_key, named, new_global, new_group, new_own, object, schema, schema_change, string,
};
use crate::life::new_key;

const TENANTS: [&str; 2] = ["acme", "acme-2"];
const KEYS: [&str; 2] = ["a", "b"];
const ENTITIES: [&str; 2] = ["e", "f"];

/// One write: which, by whom, and which of the names and identifiers known so far it uses.
#[derive(Debug, Clone, Copy)]
struct Step {
    write: u8,
    client: usize,
    tenant: usize,
    key: usize,
    pick: usize,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..20_u8, 0..2_usize, 0..2_usize, 0..2_usize, 0..256_usize);
    let step = step.prop_map(|(write, client, tenant, key, pick)| Step { write, client, tenant, key, pick });
    proptest::collection::vec(step, 8..16)
}

/// Identifiers of everyone's resources, as they might leak, each with its client.
#[derive(Default, Clone, PartialEq)]
struct Known {
    groups: Vec<(usize, GroupId)>,
    fields: Vec<(usize, FieldId)>,
    keys: Vec<(usize, KeyId)>,
}

/// One of the client's own three times out of four, otherwise anyone's.
fn pick<T: Copy>(of: &[(usize, T)], client: usize, number: usize) -> Option<T> {
    let own = |(owner, _): &&(usize, T)| number.is_multiple_of(4) || *owner == client;
    let matching: Vec<T> = of.iter().filter(own).map(|(_, id)| *id).collect();
    matching.get((number / 4).checked_rem(matching.len())?).copied()
}

/// Writes that belong to a tenant are numbered from here.
const OF_TENANT: u8 = 11;

async fn write(account: &Account, step: Step, known: &mut Known) -> Option<Result<(), Error>> {
    let (key, tenant) = (KEYS[step.key], TENANTS[step.tenant]);
    let group = || pick(&known.groups, step.client, step.pick);
    let at = || group().map(GroupRef::Id);
    let field = || pick(&known.fields, step.client, step.pick / 2);
    let entity = || named(ENTITIES[step.key]);
    let done = match step.write {
        0 | 1 => account.groups().create(new_group(key)).await.map(|made| known.groups.push((step.client, made.id))),
        2 => account.groups().update(&at()?, None, |group| group.name = named("New")).await.map(drop),
        3 => account.groups().delete(&at()?, None).await,
        4 => account.groups().restore(&at()?, None).await.map(drop),
        5 => {
            let made = account.globals().create(new_global(key, string(), &[group()?])).await;
            made.map(|made| known.fields.push((step.client, made.id)))
        }
        6 => {
            let change = GlobalFieldChange {
                groups: Some(vec![group()?]),
                label: Some(named("Moved")),
                ..GlobalFieldChange::default()
            };
            account.globals().update(field()?, None, &change).await.map(drop)
        }
        7 => account.globals().delete(field()?, None).await,
        8 => account.globals().restore(field()?, None).await.map(drop),
        9 => account.keys().create(new_key()).await.map(|(made, _)| known.keys.push((step.client, made.id))),
        10 => account.keys().delete(pick(&known.keys, step.client, step.pick)?, None).await,
        11 => {
            let made = account.fields(tenant).create(&at()?, new_own(key, string())).await;
            made.map(|made| known.fields.push((step.client, made.id)))
        }
        12 => {
            let stricter = schema(json!({ "type": "string", "validation": { "maxLength": 9 } }));
            account.fields(tenant).update(&at()?, field()?, None, &schema_change(&stricter)).await.map(drop)
        }
        13 => account.fields(tenant).delete(&at()?, field()?, None).await,
        14 => account.fields(tenant).restore(&at()?, field()?, None).await.map(drop),
        15 => {
            let sent = object(json!({ key: tenant }));
            account.values(tenant).save(&at()?, &entity(), &sent, Save::Merge, None).await.map(drop)
        }
        16 => account.values(tenant).delete(&at()?, &entity(), None).await,
        // A save that no field can stand in the way of.
        _ => account.values(tenant).save(&at()?, &entity(), &object(json!({})), Save::Merge, None).await.map(drop),
    };
    Some(done)
}

fn shown<T: serde::Serialize>(result: Result<T, Error>) -> Value {
    match result {
        Ok(value) => serde_json::to_value(value).unwrap(),
        Err(error) => json!(error.code().name()),
    }
}

/// All that a client can read of its own, by every name and identifier that anyone has.
async fn client_view(account: &Account, known: &Known) -> Vec<Value> {
    let mut view = vec![
        shown(account.groups().list(&all()).await.map(|page| page.items)),
        shown(account.globals().list(None, &all()).await.map(|page| page.items)),
        shown(account.keys().list(&all()).await.map(|page| page.items)),
    ];
    for key in KEYS {
        view.push(shown(account.groups().get(&by_key(key)).await));
    }
    for (_, group) in &known.groups {
        view.push(shown(account.groups().get(&GroupRef::Id(*group)).await));
        view.push(shown(account.globals().list(Some(*group), &all()).await.map(|page| page.items)));
    }
    for (_, field) in &known.fields {
        view.push(shown(account.globals().get(*field).await));
    }
    for (_, key) in &known.keys {
        view.push(shown(account.keys().get(*key).await));
    }
    view
}

/// All that a tenant can read of its own.
async fn tenant_view(account: &Account, tenant: &str, known: &Known) -> Vec<Value> {
    let listed = account.tenants().list(&all()).await.unwrap().items;
    let mut view = vec![json!(listed.iter().find(|listed| listed.tenant_id.as_str() == tenant))];
    for group in KEYS.map(by_key) {
        for entity in ENTITIES {
            view.push(shown(account.values(tenant).get(&group, &named(entity)).await));
        }
    }
    for (_, group) in &known.groups {
        let group = GroupRef::Id(*group);
        view.push(shown(account.fields(tenant).list(&group, &all()).await.map(|page| page.items)));
        view.push(shown(account.values(tenant).list(&group, &all()).await.map(|page| page.items)));
        for (_, field) in &known.fields {
            view.push(shown(account.fields(tenant).get(&group, *field).await));
        }
    }
    view
}

/// Which write, by which client and tenant, of which key.
const FIRST: [(u8, usize, usize, usize); 12] = [
    (0, 0, 0, 0),
    (5, 0, 0, 0),
    (11, 0, 0, 1),
    (11, 0, 1, 1),
    (15, 0, 0, 0),
    (15, 0, 1, 0),
    (0, 1, 0, 0),
    (5, 1, 0, 0),
    (11, 1, 0, 1),
    (11, 1, 1, 1),
    (15, 1, 0, 0),
    (15, 1, 1, 0),
];

type View = Vec<Value>;

async fn views(accounts: &[Account; 2], known: &Known) -> ([View; 2], [[View; 2]; 2]) {
    let mut clients = [View::new(), View::new()];
    let mut tenants = [[View::new(), View::new()], [View::new(), View::new()]];
    for (c, account) in accounts.iter().enumerate() {
        clients[c] = client_view(account, known).await;
        for (t, tenant) in TENANTS.iter().enumerate() {
            tenants[c][t] = tenant_view(account, tenant, known).await;
        }
    }
    (clients, tenants)
}

async fn run(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let tables = Tables::new().await;
    let accounts = [tables.account().await, tables.account().await];
    let mut known = Known::default();
    // Everyone has a group, a field of its own and an entity to begin with.
    for (number, client, tenant, key) in FIRST {
        let step = Step { write: number, client, tenant, key, pick: 1 };
        prop_assert!(matches!(write(&accounts[client], step, &mut known).await, Some(Ok(()))), "{:?}", step);
    }
    let mut before = views(&accounts, &known).await;
    for step in steps {
        let old = known.clone();
        let Some(done) = write(&accounts[step.client], step, &mut known).await else { continue };
        if let Err(error) = &done {
            prop_assert!(error.code().status() < 500, "{step:?}: {error:?}");
            prop_assert_ne!(error.code(), Code::VersionConflict);
        }
        // Compared over the same identifiers.
        let after = views(&accounts, &old).await;
        let ((clients, tenants), (clients_after, tenants_after)) = (&before, &after);
        let stranger = 1 - step.client;
        prop_assert_eq!(&clients[stranger], &clients_after[stranger], "{:?} showed to the other client", step);
        prop_assert_eq!(&tenants[stranger], &tenants_after[stranger], "{:?} showed to its tenants", step);
        if step.write >= OF_TENANT {
            prop_assert_eq!(&clients[step.client], &clients_after[step.client], "{:?} showed to the client", step);
            let other = 1 - step.tenant;
            let (was, is) = (&tenants[step.client][other], &tenants_after[step.client][other]);
            prop_assert_eq!(was, is, "{:?} showed to the other tenant", step);
        }
        if done.is_err() {
            prop_assert_eq!(&before, &after, "{:?} was refused and did something", step);
        }
        before = if known == old { after } else { views(&accounts, &known).await };
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn nobody_sees_what_another_writes(steps in steps()) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run(steps))?;
    }
}

/// The property is worth nothing if the views show nothing: each write that succeeds shows to its author.
#[tokio::test]
async fn everyone_sees_what_they_write() {
    let tables = Tables::new().await;
    let accounts = [tables.account().await, tables.account().await];
    let mut known = Known::default();
    for number in [0, 5, 9, 11, 15, 2, 12, 16, 17, 13, 14, 7, 8, 6, 3, 4, 10] {
        // The tenant's field is the second that there is.
        let (own_key, own_field) = (usize::from(number == 11), usize::from((12..=14).contains(&number)));
        let step = Step { write: number, client: 0, tenant: 0, key: own_key, pick: 2 + own_field * 8 };
        let before = views(&accounts, &known).await;
        let old = known.clone();
        write(&accounts[0], step, &mut known).await.unwrap().unwrap_or_else(|e| panic!("{step:?}: {e:?}"));
        let after = views(&accounts, &old).await;
        let seen = if number >= OF_TENANT { before.1[0][0] != after.1[0][0] } else { before.0[0] != after.0[0] };
        assert!(seen, "{step:?}");
    }
}
