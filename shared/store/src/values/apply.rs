//! What a save makes of what is there.

use std::sync::Arc;

use contract::id::ClientId;
use contract::schema::QUICK_STEPS;
use contract::{Error, Problems};

use super::{Document, Save, Sent};
use crate::apart;
use crate::definitions::Fields;

const TOO_LONG: &str = "The patterns and texts of this save together take too long to compile and match; save fewer such fields at a time.";

/// The document after a save: what may take long to match is matched apart, where nobody else waits for it.
pub(super) async fn apply(
    client: ClientId,
    fields: &Arc<Fields>,
    before: Option<&Document>,
    sent: &Sent<'_>,
    how: Save,
) -> Result<Document, Error> {
    let fields_sent = sent.values.iter().filter_map(|(key, value)| Some((fields.by_key(key)?, value)));
    let steps = fields_sent.map(|(field, value)| field.schema.foreseen_steps(value)).fold(0, usize::saturating_add);
    if steps <= QUICK_STEPS {
        return Ok(applied(fields, before, sent, how)?);
    }
    let (fields, before, values, wrong) = (fields.clone(), before.cloned(), sent.values.clone(), sent.wrong.clone());
    let work = move || applied(&fields, before.as_ref(), &Sent { values: &values, wrong }, how);
    Ok(apart::for_client(client, work).await??)
}

/// Values of fields that the tenant does not see now (shadowed, deleted) stay untouched.
/// With an entity's first save, and with a replacement, a field that is not named takes its default.
fn applied(
    fields: &Fields,
    before: Option<&Document>,
    Sent { values: sent, wrong }: &Sent<'_>,
    how: Save,
) -> Result<Document, Problems> {
    let mut problems = Problems::default();
    let mut spent = 0;
    let mut document = before.cloned().unwrap_or_default();
    for (key, value) in *sent {
        match fields.by_key(key) {
            None => problems.add(key, "unknown_field", "There is no such field."),
            Some(field) if value.is_null() => {
                document.remove(&field.id.to_string());
                if how == Save::Merge && field.schema.required() {
                    problems.add(key, "required", "Is required.");
                }
            }
            Some(field) => {
                if !field.schema.spend(value, &mut spent) {
                    problems.add(key, "too_long", TOO_LONG);
                    continue;
                }
                field.schema.check(value, key, &mut problems);
                document.insert(field.id.to_string(), field.schema.kept(value));
            }
        }
    }
    for field in fields.visible().filter(|field| !sent.contains_key(field.key.as_str())) {
        let default = field.schema.default().filter(|_| how == Save::Replace || before.is_none());
        match default {
            Some(value) => {
                document.insert(field.id.to_string(), value.clone());
            }
            None if how == Save::Replace => {
                document.remove(&field.id.to_string());
            }
            None => {}
        }
    }
    if how == Save::Replace {
        for field in fields.visible().filter(|field| field.schema.required()) {
            if !document.contains_key(&field.id.to_string()) {
                problems.add(field.key.as_str(), "required", "Is required.");
            }
        }
    }
    let mut all = wrong.clone();
    all.extend_elsewhere(problems);
    all.or(document)
}
