//! A Query of a stretch of a partition, as a store makes it, answered with the items as they lie. `dynoxide` would read
//! each of them and write it anew, which is most of what a list costs; it gets whatever is of another form, or wrong.

use std::collections::HashMap;
use std::sync::Mutex;

use bytes::Bytes;
use rusqlite::{Connection, params};
use serde::Deserialize;
use serde_json::json;

/// A page ends before it holds more than this.
const PAGE: usize = 1024 * 1024;

/// What `dynoxide` puts before a text that is part of a key.
const TEXT: &str = "S:";

const WHOLE: &str = "pk = :pk";
const BETWEEN: &str = "pk = :pk AND sk BETWEEN :low AND :high";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    table_name: String,
    key_condition_expression: String,
    expression_attribute_values: HashMap<String, Text>,
    #[serde(rename = "ConsistentRead")]
    _consistent_read: Option<bool>,
    scan_index_forward: Option<bool>,
    limit: Option<usize>,
    exclusive_start_key: Option<Place>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(rename = "S")]
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    pk: Text,
    sk: Text,
}

/// A stretch of a partition, from where it begins in the direction in which it is read.
struct KeyRange {
    table: String,
    pk: String,
    forward: bool,
    from: String,
    to: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

impl KeyRange {
    /// What is asked for, if it is of this form and nothing is wrong with it.
    fn of(body: &[u8]) -> Option<Self> {
        let mut request: Request = serde_json::from_slice(body).ok()?;
        let mut value = |name| request.expression_attribute_values.remove(name).map(|value: Text| value.text);
        let (pk, low, high) = (value(":pk")?, value(":low"), value(":high"));
        let forward = request.scan_index_forward.unwrap_or(true);
        let after = match request.exclusive_start_key {
            Some(place) if place.pk.text != pk => return None,
            place => place.map(|place| place.sk.text),
        };
        let (from, to) = match (request.key_condition_expression.as_str(), low, high) {
            (WHOLE, None, None) if forward => (String::new(), None),
            (BETWEEN, Some(low), Some(high)) => {
                let inside = |sk: &String| (&low..=&high).contains(&sk);
                if low.is_empty() || low > high || !after.as_ref().is_none_or(inside) {
                    return None;
                }
                if forward { (low, Some(high)) } else { (high, Some(low)) }
            }
            _ => return None,
        };
        let named = request.table_name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let sound =
            named && !pk.is_empty() && request.limit != Some(0) && request.expression_attribute_values.is_empty();
        let from = after.clone().unwrap_or(from);
        sound.then_some(Self { table: request.table_name, pk, forward, from, to, after, limit: request.limit })
    }

    fn is_over_at(&self, sk: &str) -> bool {
        self.to.as_deref().is_some_and(|to| if self.forward { sk > to } else { sk < to })
    }

    fn read(&self, database: &Connection) -> Result<Bytes, rusqlite::Error> {
        let (from, order) = if self.forward { (">=", "ASC") } else { ("<=", "DESC") };
        let rows = format!(
            "SELECT sk, item_json, item_size FROM \"{}\" WHERE pk = ?1 AND sk {from} ?2 ORDER BY sk {order}",
            self.table
        );
        let mut rows = database.prepare_cached(&rows)?;
        let mut rows = rows.query(params![format!("{TEXT}{}", self.pk), format!("{TEXT}{}", self.from)])?;
        let mut answer = String::from("{\"Items\":[");
        let (mut count, mut bytes, mut last, mut more) = (0, 0, String::new(), false);
        while let Some(row) = rows.next()? {
            let (sk, size) = (row.get_ref(0)?.as_str()?, row.get::<_, usize>(2)?);
            let Some(sk) = sk.strip_prefix(TEXT) else { continue };
            if self.after.as_deref() == Some(sk) {
                continue;
            }
            if self.is_over_at(sk) {
                break;
            }
            more = count > 0 && bytes + size > PAGE;
            if more {
                break;
            }
            if count > 0 {
                answer.push(',');
            }
            answer.push_str(row.get_ref(1)?.as_str()?);
            sk.clone_into(&mut last);
            (count, bytes) = (count + 1, bytes + size);
            // As DynamoDB does, which does not look whether there is another.
            more = self.limit == Some(count);
            if more {
                break;
            }
        }
        answer.push_str(&format!("],\"Count\":{count},\"ScannedCount\":{count}"));
        if more {
            let place = json!({ "pk": { "S": self.pk }, "sk": { "S": last } });
            answer.push_str(&format!(",\"LastEvaluatedKey\":{place}"));
        }
        answer.push('}');
        Ok(Bytes::from(answer))
    }
}

/// The answer to such a Query; none to any other, and none where the file can't be read.
pub(super) fn answer(database: &Mutex<Connection>, body: &[u8]) -> Option<Bytes> {
    let stretch = KeyRange::of(body)?;
    stretch.read(&*database.lock().ok()?).ok()
}
