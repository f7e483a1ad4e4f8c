//! Two instances on the same tables, both with warm caches: what one changes, the other goes by with its very next
//! read and save.

use contract::Code;
use contract::id::{FieldId, GroupId};
use contract::names::GroupRef;
use hedgerow_store::global_fields::GlobalFieldChange;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixture::{Account, Tables, all, by_key, named, new_global, new_own, refused, schema, schema_change};

const KEYS: [&str; 2] = ["a", "b"];

/// A field that takes numbers from its least one on.
#[derive(Debug, Clone, Copy)]
struct Field {
    id: FieldId,
    key: usize,
    least: u32,
    live: bool,
}

/// What ought to be.
#[derive(Default)]
struct Model {
    global: Vec<Field>,
    own: Vec<Field>,
    deleted: bool,
    count: u32,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    change: u8,
    instance: usize,
    key: usize,
    pick: usize,
}

fn schema_from(least: u32) -> Value {
    json!({ "type": "number", "validation": { "min": least } })
}

impl Model {
    fn least(&mut self) -> u32 {
        self.count += 10;
        self.count
    }

    /// The field that values under a key go to.
    fn seen(&self, key: usize) -> Option<Field> {
        let of = |fields: &[Field]| fields.iter().find(|field| field.live && field.key == key).copied();
        of(&self.global).or_else(|| of(&self.own))
    }

    fn pick(fields: &mut [Field], number: usize, live: bool) -> Option<&mut Field> {
        let mut matching: Vec<&mut Field> = fields.iter_mut().filter(|field| field.live == live).collect();
        if matching.is_empty() { None } else { Some(matching.swap_remove(number % matching.len())) }
    }

    /// Whether a field may be made or restored under this key.
    fn free(fields: &[Field], key: usize) -> bool {
        !fields.iter().any(|field| field.live && field.key == key)
    }

    /// Carries out a change on the store and here.
    async fn change(&mut self, account: &Account, group: GroupId, step: Step) -> Option<()> {
        let at = GroupRef::Id(group);
        if self.deleted && step.change != 9 {
            return None;
        }
        let (key, name) = (step.key, KEYS[step.key]);
        match step.change {
            0 if Self::free(&self.global, key) => {
                let least = self.least();
                let made = account.globals().create(new_global(name, schema_from(least), &[group])).await.unwrap();
                self.global.push(Field { id: made.id, key, least, live: true });
            }
            1 => {
                let least = self.least();
                let field = Self::pick(&mut self.global, step.pick, true)?;
                let change =
                    GlobalFieldChange { schema: Some(schema(schema_from(least))), ..GlobalFieldChange::default() };
                account.globals().update(field.id, None, &change).await.unwrap();
                field.least = least;
            }
            2 => {
                let field = Self::pick(&mut self.global, step.pick, true)?;
                account.globals().delete(field.id, None).await.unwrap();
                field.live = false;
            }
            3 => {
                let fields = self.global.clone();
                let field = Self::pick(&mut self.global, step.pick, false)?;
                let restored = account.globals().restore(field.id, None).await;
                field.live = Self::free(&fields, field.key);
                assert_eq!(restored.is_ok(), field.live);
            }
            4 if self.seen(key).is_none() => {
                let least = self.least();
                let made = account.fields("acme").create(&at, new_own(name, schema_from(least))).await.unwrap();
                self.own.push(Field { id: made.id, key, least, live: true });
            }
            5 => {
                let least = self.least();
                let field = Self::pick(&mut self.own, step.pick, true)?;
                let of = schema(schema_from(least));
                account.fields("acme").update(&at, field.id, None, &schema_change(&of)).await.unwrap();
                field.least = least;
            }
            6 => {
                let field = Self::pick(&mut self.own, step.pick, true)?;
                account.fields("acme").delete(&at, field.id, None).await.unwrap();
                field.live = false;
            }
            7 => {
                let fields = self.own.clone();
                let field = Self::pick(&mut self.own, step.pick, false)?;
                let restored = account.fields("acme").restore(&at, field.id, None).await;
                field.live = Self::free(&fields, field.key);
                assert_eq!(restored.is_ok(), field.live);
            }
            8 => {
                account.groups().delete(&at, None).await.unwrap();
                self.deleted = true;
            }
            9 if self.deleted => {
                account.groups().restore(&at, None).await.unwrap();
                self.deleted = false;
            }
            _ => return None,
        }
        Some(())
    }

    /// Asserts that an instance goes by the model with its very next call, whichever that is.
    async fn check(&self, account: &Account, group: GroupId, first: usize) {
        let at = if first.is_multiple_of(2) { GroupRef::Id(group) } else { by_key("product") };
        let (values, sku) = (account.values("acme"), named("sku"));
        if self.deleted {
            assert_eq!(refused(values.get(&at, &sku).await), Code::FieldGroupNotFound);
            assert_eq!(refused(account.fields("acme").list(&at, &all()).await), Code::FieldGroupNotFound);
            assert_eq!(refused(account.merge("acme", group, "sku", json!({})).await), Code::FieldGroupNotFound);
            return;
        }
        for turn in 0..2 {
            let key = (first + turn) % 2;
            let save = |number: u32| account.merge("acme", group, "sku", json!({ KEYS[key]: number }));
            match self.seen(key) {
                None => assert_eq!(crate::fixture::problems(save(1).await), [format!("{} unknown_field", KEYS[key])]),
                Some(field) => {
                    let low = save(field.least - 1).await;
                    assert_eq!(crate::fixture::problems(low), [format!("{} too_small", KEYS[key])]);
                    let saved = save(field.least).await.unwrap();
                    assert_eq!(saved.values[KEYS[key]], json!(field.least));
                    assert_eq!(values.get(&at, &sku).await.unwrap(), saved);
                }
            }
        }
        let listed = account.fields("acme").list(&at, &all()).await.unwrap().items;
        let live =
            |fields: &[Field]| fields.iter().filter(|field| field.live).map(|field| field.id).collect::<Vec<_>>();
        let mut expected = [live(&self.global), live(&self.own)].concat();
        let mut ids: Vec<FieldId> = listed.iter().map(|field| field.id).collect();
        expected.sort();
        ids.sort();
        assert_eq!(ids, expected);
    }
}

async fn run(steps: Vec<Step>) {
    let tables = Tables::new().await;
    let one = tables.account().await;
    let instances = [one.elsewhere(), one.elsewhere()];
    let group = one.group("product").await.id;
    let mut model = Model::default();
    for account in &instances {
        model.check(account, group, 0).await;
    }
    for step in steps {
        if model.change(&instances[step.instance], group, step).await.is_some() {
            // The one that did not change it goes first.
            model.check(&instances[1 - step.instance], group, step.pick).await;
            model.check(&instances[step.instance], group, step.pick).await;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn an_instance_goes_by_what_another_changed(
        steps in proptest::collection::vec((0..10_u8, 0..2_usize, 0..2_usize, 0..16_usize), 10..40)
    ) {
        let step = |(change, instance, key, pick)| Step { change, instance, key, pick };
        let steps = steps.into_iter().map(step).collect();
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run(steps));
    }
}

#[tokio::test]
async fn while_fields_change_each_save_is_judged_by_a_schema_that_stood() {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let group = account.group("product").await.id;
    let field = account.global("a", schema_from(0), &[group]).await;
    let (writer, reader) = (account.elsewhere(), account.elsewhere());
    for round in 1..=30_u32 {
        let change =
            GlobalFieldChange { schema: Some(schema(schema_from(round * 10))), ..GlobalFieldChange::default() };
        let globals = writer.globals();
        let (changed, saved) = tokio::join!(
            globals.update(field.id, None, &change),
            reader.merge("acme", group, "sku", json!({ "a": round * 10 - 5 })),
        );
        changed.unwrap();
        // By the old schema it is accepted, by the new one refused; by none is it anything else.
        if saved.is_err() {
            assert_eq!(crate::fixture::problems(saved), ["a too_small"]);
        }
        let after = reader.merge("acme", group, "sku", json!({ "a": round * 10 - 5 })).await;
        assert_eq!(crate::fixture::problems(after), ["a too_small"], "round {round}");
    }
}

/// On the embedded engine alone, which can hold a call up. What is read beside the cards may be older than they are.
#[tokio::test(start_paused = true)]
async fn definitions_that_were_read_before_their_cards_are_read_again() {
    for of_tenant in [true, false] {
        let tables = Tables::embedded().await;
        let account = tables.account().await;
        let group = account.group("product").await.id;
        let own = account.own("acme", group, "own", schema_from(1)).await.id;
        let global = account.global("global", schema_from(1), &[group]).await.id;
        account.merged("acme", group).await;
        let (cold, at) = (account.elsewhere(), GroupRef::Id(group));
        // The cold reader's cards are throttled once, and read again when the change has been made.
        tables.connector().trace().reset();
        tables
            .connector()
            .faults()
            .set(|call| (call.operation == "BatchGetItem" && call.nth == 1).then_some(engines::Fault::Throttling));
        let change = async {
            let stricter = schema(schema_from(5));
            if of_tenant {
                account.fields("acme").update(&at, own, None, &schema_change(&stricter)).await.map(drop)
            } else {
                let change = GlobalFieldChange { schema: Some(stricter), ..GlobalFieldChange::default() };
                account.globals().update(global, None, &change).await.map(drop)
            }
        };
        let (read, changed) = tokio::join!(cold.merged("acme", group), change);
        changed.unwrap();
        assert_eq!(read, account.merged("acme", group).await);
        let (key, sent) = if of_tenant { ("own", json!({ "own": 4 })) } else { ("global", json!({ "global": 4 })) };
        let saved = cold.merge("acme", group, "sku", sent).await;
        assert_eq!(crate::fixture::problems(saved), [format!("{key} too_small")]);
    }
}

#[tokio::test]
async fn readers_and_writers_at_once_agree_in_the_end() {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let group = account.group("product").await.id;
    let instances = [account.elsewhere(), account.elsewhere(), account.elsewhere()];
    let work = instances.iter().enumerate().map(|(n, account)| async move {
        for round in 0..8 {
            let key = format!("f{n}_{round}");
            if n == 0 {
                account.global(&key, schema_from(1), &[group]).await;
            } else {
                account.own("acme", group, &key, schema_from(1)).await;
            }
            let seen = account.merged("acme", group).await;
            assert!(seen.iter().any(|field| field.key.as_str() == key), "an instance sees what it made");
        }
    });
    futures_util::future::join_all(work).await;
    let expected = tables.store();
    let expected = Account { store: expected, ..account.clone() }.merged("acme", group).await;
    assert_eq!(expected.len(), 24);
    for account in &instances {
        assert_eq!(account.merged("acme", group).await, expected);
    }
}
