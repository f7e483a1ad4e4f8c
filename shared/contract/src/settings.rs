//! What a client sets for itself: who may call from where, and how often.

use std::collections::HashSet;
use std::net::IpAddr;

use deserr::{Deserr, IntoValue, MergeWithError as _, Value, ValuePointerRef};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::names::IpBlock;
use crate::resource::{RequestsPerSecond, Resource};
use crate::{Broken, Origin, Problems, elements};

/// Origins that a list has at the most: all of one list and all that replace them fit into one transaction.
pub const MOST_ORIGINS: usize = 40;
/// Entries that an allow-list has at the most.
pub const MOST_ENTRIES: usize = 200;

/// What a client sets for itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// 1, then one more a change.
    pub version: u64,
    /// Pages that may call the API.
    pub cors: OriginList,
    /// Pages that may frame the editor.
    pub embed: OriginList,
    /// Addresses that management keys are taken from.
    pub ip_allowlist: IpAllowlist,
    /// How often keys may call.
    pub rate_limits: RateLimits,
}

impl Resource for Settings {
    fn version(&self) -> Option<u64> {
        Some(self.version)
    }
}

impl Default for Settings {
    /// Those of a client that has set nothing.
    fn default() -> Self {
        Self {
            version: 1,
            cors: OriginList::default(),
            embed: OriginList::default(),
            ip_allowlist: IpAllowlist::default(),
            rate_limits: RateLimits::default(),
        }
    }
}

/// Pages, by their origins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OriginList {
    /// The origins.
    pub origins: Origins,
}

/// Up to 40 origins, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Origins(Vec<Origin>);

impl Origins {
    /// The origins, as they were sent.
    #[must_use]
    pub fn as_slice(&self) -> &[Origin] {
        &self.0
    }
}

impl Deserr<Problems> for Origins {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, location: ValuePointerRef<'_>) -> Result<Self, Problems> {
        let origins: Vec<Origin> = elements(value, location, 0..=MOST_ORIGINS)?;
        let (mut seen, mut problems) = (HashSet::new(), Problems::default());
        for (index, origin) in origins.iter().enumerate() {
            if !seen.insert(origin) {
                let broken = Broken::new("duplicate", format!("`{origin}` is there already."));
                let again = Problems::merge(Some(problems), broken, location.push_index(index));
                problems = deserr::take_cf_content(again);
            }
        }
        problems.or(Self(origins))
    }
}

impl JsonSchema for Origins {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Origins".into()
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        let items = schemas.subschema_for::<Origin>();
        json_schema!({ "type": "array", "items": items, "maxItems": MOST_ORIGINS, "uniqueItems": true })
    }
}

/// Addresses that management keys are taken from, and sessions if it is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IpAllowlist {
    /// Whether it is in force.
    pub enabled: bool,
    /// The addresses and CIDR blocks, merged where they touch.
    pub entries: IpBlocks,
    /// Whether it holds for sessions, too.
    pub apply_to_admin: bool,
}

impl IpAllowlist {
    /// Whether it lets an address in, while it is in force: one that it names, or this machine's own. An unknown address is
    /// none of these.
    #[must_use]
    pub fn admits(&self, address: Option<IpAddr>) -> bool {
        let is_in = |address: IpAddr| address.to_canonical().is_loopback() || self.entries.holds(address);
        !self.enabled || address.is_some_and(is_in)
    }
}

/// Up to 200 addresses and CIDR blocks, none of which touches another that it makes a block with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IpBlocks(Vec<IpBlock>);

impl IpBlocks {
    /// The blocks, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[IpBlock] {
        &self.0
    }

    fn holds(&self, address: IpAddr) -> bool {
        self.0.iter().any(|block| block.holds(address))
    }
}

impl Deserr<Problems> for IpBlocks {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, location: ValuePointerRef<'_>) -> Result<Self, Problems> {
        elements(value, location, 0..=MOST_ENTRIES).map(IpBlock::merged).map(Self)
    }
}

impl JsonSchema for IpBlocks {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "IpBlocks".into()
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": schemas.subschema_for::<IpBlock>(), "maxItems": MOST_ENTRIES })
    }
}

/// How often keys may call; `null` where the deployment's own limit holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RateLimits {
    /// A management key.
    pub management_per_second: Option<RequestsPerSecond>,
    /// A delivery or preview key.
    pub delivery_per_second: Option<RequestsPerSecond>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read<T: Deserr<Problems>>(value: serde_json::Value) -> Result<T, Vec<(String, &'static str)>> {
        let read = deserr::deserialize::<T, _, Problems>(value);
        read.map_err(|problems| problems.as_slice().iter().map(|one| (one.path.clone(), one.code)).collect())
    }

    #[test]
    fn an_origin_is_listed_once_however_it_is_written() {
        let kept: Origins = read(json!(["HTTPS://B.example:443", "https://a.example"])).unwrap();
        assert_eq!(serde_json::to_value(kept).unwrap(), json!(["https://b.example", "https://a.example"]));
        assert_eq!(read::<Origins>(json!([])), Ok(Origins::default()));
        let twice = json!(["https://a.example", "https://b.example", "https://A.example", "https://a.example:443"]);
        assert_eq!(
            read::<Origins>(twice).unwrap_err(),
            [("[2]".to_owned(), "duplicate"), ("[3]".to_owned(), "duplicate")]
        );
        let most: Vec<_> = (0..=MOST_ORIGINS).map(|n| format!("https://{n}.example")).collect();
        assert!(read::<Origins>(json!(most[1..])).is_ok());
        assert_eq!(read::<Origins>(json!(most)).unwrap_err(), [(String::new(), "too_many")]);
        let bad = json!(["https://a.example/", "null", 1]);
        let bad = read::<Origins>(bad).unwrap_err();
        assert_eq!(bad.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["[0]", "[1]", "[2]"]);
    }

    #[test]
    fn blocks_that_touch_are_one() {
        for (sent, kept) in [
            (json!([]), json!([])),
            (json!(["10.0.0.0/9", "10.128.0.0/9"]), json!(["10.0.0.0/8"])),
            (json!(["192.0.2.7", "192.0.2.6", "192.0.2.0/24"]), json!(["192.0.2.0/24"])),
            (json!(["192.0.2.6", "192.0.2.7"]), json!(["192.0.2.6/31"])),
            (json!(["192.0.2.7", "192.0.2.8"]), json!(["192.0.2.7", "192.0.2.8"])),
            (json!(["::ffff:192.0.2.6", "192.0.2.7"]), json!(["192.0.2.6/31"])),
            (json!(["2001:db8:1::/48", "2001:DB8::/48", "10.0.0.1/8"]), json!(["10.0.0.0/8", "2001:db8::/47"])),
            (json!(["0.0.0.0/1", "128.0.0.0/1", "::/0"]), json!(["0.0.0.0/0", "::/0"])),
        ] {
            let blocks: IpBlocks = read(sent.clone()).unwrap();
            assert_eq!(serde_json::to_value(&blocks).unwrap(), kept, "{sent}");
        }
        let bad = read::<IpBlocks>(json!(["10.0.0.0/33", "10.0.0.1", "x", "1.2.3", "::/129", "10.0.0.1-10.0.0.9"]));
        let bad: Vec<_> = bad.unwrap_err().into_iter().map(|(path, _)| path).collect();
        assert_eq!(bad, ["[0]", "[2]", "[3]", "[4]", "[5]"]);
        let many: Vec<_> = (0..=MOST_ENTRIES).map(|_| "10.0.0.1").collect();
        assert_eq!(read::<IpBlocks>(json!(many)).unwrap_err(), [(String::new(), "too_many")]);
    }

    #[test]
    fn a_list_in_force_admits_what_it_names_and_this_machine() {
        let list = |enabled, entries| IpAllowlist { enabled, entries: read(entries).unwrap(), apply_to_admin: false };
        let in_force = list(true, json!(["192.0.2.0/24", "2001:db8::/32"]));
        for (address, admitted) in [
            ("192.0.2.255", true),
            ("::ffff:192.0.2.1", true),
            ("192.0.3.0", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::1", false),
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("::", false),
            ("0.0.0.0", false),
        ] {
            assert_eq!(in_force.admits(address.parse().ok()), admitted, "{address}");
        }
        assert!(!in_force.admits(None));
        assert!(list(false, json!(["192.0.2.0/24"])).admits(None));
        assert!(!list(true, json!([])).admits("192.0.2.1".parse().ok()));
    }
}
