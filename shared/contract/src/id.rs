//! Identifiers that we make: a prefix and a time-ordered unique part (UUIDv7, RFC 9562 §5.7, as 32 hex digits).

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::Broken;

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident $prefix:literal)+) => { $(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// What every identifier of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// The identifier with this unique part.
            #[must_use]
            pub const fn new(unique: Uuid) -> Self {
                Self(unique)
            }

            /// The unique part.
            #[must_use]
            pub const fn unique(self) -> Uuid {
                self.0
            }

            /// When it was made, by its unique part (RFC 9562 §5.7).
            #[must_use]
            pub const fn made_at(self) -> crate::Time {
                crate::Time::from_millis((self.0.as_u128() >> 80) as i64)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($prefix)?;
                fmt::Display::fmt(&self.0.as_simple(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = Broken;
            fn from_str(text: &str) -> Result<Self, Broken> {
                unique_part(text, $prefix).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        crate::parsed_from_text!($name, {
            "type": "string",
            "pattern": concat!("^", $prefix, "[0-9a-f]{32}$"),
        });
    )+ };
}

ids! {
    /// A client: an account.
    ClientId "cl_"
    /// A user of the dashboard.
    UserId "usr_"
    /// A session of the dashboard.
    SessionId "ses_"
    /// An invitation to become a member.
    InvitationId "inv_"
    /// An API key.
    KeyId "key_"
    /// A field group.
    GroupId "fg_"
    /// A field, global or a tenant's.
    FieldId "fld_"
    /// An event: one committed change.
    EventId "evt_"
    /// A webhook: an endpoint that events are delivered to.
    WebhookId "whk_"
    /// A delivery: one event to one webhook.
    DeliveryId "dlv_"
    /// A job: work that goes on after its request was answered.
    JobId "job_"
    /// An embed token. Its unique part tells the millisecond in which it was made.
    TokenId "tok_"
    /// A line of the audit log. Its unique part is made of the event and what it was done to, so twice is once.
    AuditId "aud_"
}

fn unique_part(text: &str, prefix: &str) -> Result<Uuid, Broken> {
    // One spelling only: two spellings of one identifier would be two partition keys.
    text.strip_prefix(prefix)
        .filter(|rest| rest.len() == 32 && rest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
        .and_then(|rest| Uuid::try_parse(rest).ok())
        .ok_or_else(|| Broken::new("invalid_id", format!("Must be an identifier like `{prefix}…`.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_it_parses_and_nothing_else() {
        let id = GroupId::new(Uuid::from_u128(7));
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in [
            "",
            "fg_",
            "cl_00000000000000000000000000000007",
            "fg_0000000000000000000000000000000G",
            "fg_00000000-0000-0000-0000-000000000007",
            "fg_000000000000000000000000000000AA",
        ] {
            assert!(bad.parse::<GroupId>().is_err(), "{bad}");
        }
    }
}
