//! Names that callers choose: identifiers of tenants and entities, keys, slugs, and texts for people.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::id::GroupId;
use crate::{Broken, Several, email, patterns, prose, text_type};

/// Identifiers of the client's own: they stand in partition and sort keys, hence the narrow alphabet.
fn own_identifier(text: &str) -> Result<(), Broken> {
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'@' | b'-');
    if (1..=128).contains(&text.len()) && text.bytes().all(known) && text != "." && text != ".." {
        return Ok(());
    }
    Err(Broken::new(
        "invalid_identifier",
        "Must be 1 to 128 of the characters A-Z a-z 0-9 . _ : @ - and not `.` or `..`.",
    ))
}

fn key(text: &str, dash: bool) -> bool {
    let known = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_') || (dash && b == b'-');
    text.len() <= 64 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(known)
}

fn group_key(text: &str) -> Result<(), Broken> {
    // `fg_` begins an identifier, and a path may hold either.
    if key(text, true) && !text.starts_with(GroupId::PREFIX) {
        return Ok(());
    }
    Err(Broken::new("invalid_key", "Must match ^[a-z][a-z0-9_-]{0,63}$ and not start with `fg_`."))
}

fn field_key(text: &str) -> Result<(), Broken> {
    if key(text, false) { Ok(()) } else { Err(Broken::new("invalid_key", "Must match ^[a-z][a-z0-9_]{0,63}$.")) }
}

fn slug(text: &str) -> Result<(), Broken> {
    let known = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-');
    let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if (1..=63).contains(&text.len()) && text.bytes().all(known) && text.starts_with(ends) && text.ends_with(ends) {
        return Ok(());
    }
    Err(Broken::new("invalid_slug", "Must be 1 to 63 of a-z 0-9 and `-`, with no `-` at either end."))
}

text_type! {
    /// The client's own identifier for one of its customers.
    TenantId {
        read: |text| own_identifier(text).map(|()| text.to_owned()),
        schema: { "type": "string", "pattern": r"^(?!\.{1,2}$)[A-Za-z0-9._:@-]{1,128}$" }
    }
    /// The client's own identifier for a record in its system.
    EntityId {
        read: |text| own_identifier(text).map(|()| text.to_owned()),
        schema: { "type": "string", "pattern": r"^(?!\.{1,2}$)[A-Za-z0-9._:@-]{1,128}$" }
    }
    /// A field group's key: unique within the client, never changed.
    GroupKey {
        read: |text| group_key(text).map(|()| text.to_owned()),
        schema: { "type": "string", "pattern": r"^(?!fg_)[a-z][a-z0-9_-]{0,63}$" }
    }
    /// A field's key.
    FieldKey {
        read: |text| field_key(text).map(|()| text.to_owned()),
        schema: { "type": "string", "pattern": r"^[a-z][a-z0-9_]{0,63}$" }
    }
    /// A part of a public address, unique in the deployment.
    Slug {
        read: |text| slug(text).map(|()| text.to_owned()),
        schema: { "type": "string", "pattern": r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$" }
    }
    /// What people call a thing: 1 to 200 characters on one line, in NFC, trimmed, with nothing invisible among them.
    Name {
        read: |text| prose::read(text, 1..=200, false),
        schema: { "type": "string", "description": "Counted in NFC, trimmed.", "minLength": 1, "maxLength": 200, "pattern": patterns::line() }
    }
    /// What people say of a thing: at most 2,000 characters, in NFC, trimmed, with nothing invisible among them.
    Description {
        read: |text| prose::read(text, 0..=2_000, true),
        schema: { "type": "string", "description": "Counted in NFC, trimmed.", "maxLength": 2000, "pattern": patterns::lines() }
    }
    /// An e-mail address (RFC 6531), in NFC.
    Email {
        read: email::read,
        schema: { "type": "string", "format": "idn-email", "maxLength": 254, "pattern": patterns::email() }
    }
}

impl Slug {
    /// The slug nearest to a name, written in Latin letters where it is not: `acme-co` for `Acme & Co`, `lodz` for
    /// `Łódź`; `client` if nothing of it can be written so.
    #[must_use]
    pub fn from_name(name: &Name) -> Self {
        let latin = any_ascii::any_ascii(name.as_str()).to_ascii_lowercase();
        let words: Vec<&str> = latin.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
        let short: String = words.join("-").chars().take(48).collect();
        let trimmed = short.trim_end_matches('-');
        Self(if trimmed.is_empty() { "client".to_owned() } else { trimmed.to_owned() })
    }

    /// The same slug, told apart by a suffix of at most 14 characters of `a-z 0-9`.
    #[must_use]
    pub fn with_suffix(&self, suffix: &str) -> Self {
        Self(format!("{}-{suffix}", self.0))
    }
}

impl Email {
    /// The spelling under which an address is unique: without case, the domain in ASCII.
    #[must_use]
    pub fn folded(&self) -> String {
        email::fold(&self.0)
    }

    /// Whether mail to both surely reaches one mailbox, where [`Email::folded`] is the same: what stands before the `@`
    /// differs in the case of ASCII letters at the most.
    #[must_use]
    pub fn is_spelt_as(&self, other: &Self) -> bool {
        let local = |email: &Self| email.0.rsplit_once('@').map(|(local, _)| local.to_ascii_lowercase());
        local(self) == local(other)
    }

    /// The address for mail systems that do not speak RFC 6531, as Amazon SES; nothing if they can't have it, since what
    /// stands before its `@` is not ASCII.
    #[must_use]
    pub fn in_ascii(&self) -> Option<AsciiEmail> {
        email::in_ascii(&self.0).map(AsciiEmail)
    }
}

/// An e-mail address in ASCII: letters, digits, and the signs of RFC 5322's `atext`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsciiEmail(String);

impl AsciiEmail {
    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A field group as a path names it: by its identifier or by its key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GroupRef {
    /// `fg_…`
    Id(GroupId),
    /// The key within the client.
    Key(GroupKey),
}

impl std::str::FromStr for GroupRef {
    type Err = Broken;
    fn from_str(text: &str) -> Result<Self, Broken> {
        if text.starts_with(GroupId::PREFIX) { text.parse().map(Self::Id) } else { text.parse().map(Self::Key) }
    }
}

impl schemars::JsonSchema for GroupRef {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "GroupRef".into()
    }
    fn json_schema(schemas: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "anyOf": [schemas.subschema_for::<GroupId>(), schemas.subschema_for::<GroupKey>()]
        })
    }
}

/// An address or a CIDR block, in one form: an address is the block of itself alone, a block has no bits beyond its
/// prefix, and IPv4 is IPv4 where it is written as IPv6, too.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IpBlock(IpNet);

/// What may use a key: 1 to 100 addresses and CIDR blocks.
pub type AllowedIps = Several<IpBlock, 100>;

impl IpBlock {
    /// The same addresses in as few blocks as they fit into, in order.
    #[must_use]
    pub fn merged(blocks: Vec<Self>) -> Vec<Self> {
        let blocks = blocks.into_iter().map(|block| block.0).collect();
        IpNet::aggregate(&blocks).into_iter().map(Self).collect()
    }

    /// Whether the address is in the block; `::ffff:a.b.c.d` is `a.b.c.d`.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl std::str::FromStr for IpBlock {
    type Err = Broken;
    fn from_str(text: &str) -> Result<Self, Broken> {
        let block = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        block.map(canonical).map(Self).map_err(|_| Broken::new("invalid_ip", "Must be an IP address or a CIDR block."))
    }
}

fn canonical(block: IpNet) -> IpNet {
    // `::ffff:0:0/96` is all of IPv4 (RFC 4291 §2.5.5.2).
    let of_ipv4 = match (block.addr().to_canonical(), block.prefix_len().checked_sub(96)) {
        (address @ IpAddr::V4(_), Some(length)) if block.addr().is_ipv6() => IpNet::new(address, length).ok(),
        _ => None,
    };
    of_ipv4.unwrap_or(block).trunc()
}

impl serde::Serialize for IpBlock {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let alone = self.0.prefix_len() == self.0.max_prefix_len();
        if alone { to.collect_str(&self.0.addr()) } else { to.collect_str(&self.0) }
    }
}

/// A block of IPv4 addresses, as a regular expression.
fn ipv4_block() -> String {
    format!("^{}/(3[0-2]|[12]?[0-9])$", patterns::ipv4())
}

/// A block of IPv6 addresses, as a regular expression.
fn ipv6_block() -> String {
    format!("^{}/(12[0-8]|1[01][0-9]|[1-9]?[0-9])$", patterns::ipv6())
}

crate::parsed_from_text!(IpBlock, {
    "description": "An IP address or a CIDR block.",
    "type": "string",
    "anyOf": [
        { "format": "ipv4" },
        { "format": "ipv6" },
        { "pattern": ipv4_block() },
        { "pattern": ipv6_block() }
    ]
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_keep_separators_and_dots_out() {
        for good in ["a", "A.b_c:d@e-f", "...", &"x".repeat(128)] {
            assert!(good.parse::<TenantId>().is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "a#b", "a b", "a\0", "ä", "a%2Fb", &"x".repeat(129)] {
            assert!(bad.parse::<TenantId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn keys_follow_the_contract() {
        assert!("a-b_1".parse::<GroupKey>().is_ok());
        assert!("a-b".parse::<FieldKey>().is_err());
        for bad in ["", "1a", "A", "fg_x", "a.b", &"a".repeat(65)] {
            assert!(bad.parse::<GroupKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn slugs_come_from_names() {
        let slug = |name: &str| Slug::from_name(&name.parse().expect("a name")).to_string();
        assert_eq!(slug("Acme & Co."), "acme-co");
        for (name, expected) in [
            ("Łódź", "lodz"),
            ("Lo\u{301}dz\u{301}", "lodz"),
            ("Ærøskøbing Đorđe", "aeroskobing-dorde"),
            ("Straße Œuvre ığ Þór ð", "strasse-oeuvre-ig-thor-d"),
            ("Việt Nam", "viet-nam"),
            ("ﬁ ①", "fi-1"),
            ("日本", "riben"),
            ("Яндекс", "yandeks"),
            ("Ελλάδα", "ellada"),
            ("شركة", "shrkh"),
            ("संपर्क", "smprk"),
            ("🌳", "deciduous-tree"),
            ("---", "client"),
        ] {
            assert_eq!(slug(name), expected, "{name}");
        }
        assert!(slug(&"ab ".repeat(60)).parse::<Slug>().is_ok());
    }

    #[test]
    fn texts_for_people_hold_no_control_characters() {
        assert!("two\nlines".parse::<Description>().is_ok());
        for bad in ["", "   ", "a\nb", "a\0b", &"x".repeat(201)] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
        assert_eq!("\tCafe\u{301} ".parse::<Name>().map(|name| name.to_string()), Ok("Café".to_owned()));
        assert!("\u{200b}".parse::<Name>().is_err() && "\u{200b}".parse::<Description>().is_err());
    }
}
