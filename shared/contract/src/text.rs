//! The one way in which a checked text becomes a type: it parses, prints, serialises, and describes itself.

/// Declares newtypes over `String` whose only constructor reads a text by a rule of the contract.
///
/// `read` is a `fn(&str) -> Result<String, Broken>` to the form that is kept; `schema` is the same rule for the API's
/// description.
#[macro_export]
macro_rules! text_type {
    ($($(#[$meta:meta])* $name:ident { read: $read:expr, schema: $schema:tt })+) => { $(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::Broken;
            fn try_from(text: String) -> Result<Self, $crate::Broken> {
                text.parse()
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::Broken;
            fn from_str(text: &str) -> Result<Self, $crate::Broken> {
                let read: fn(&str) -> Result<String, $crate::Broken> = $read;
                read(text).map(Self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        $crate::parsed_from_text!($name, $schema);
    )+ };
}

/// Reading and describing for any type with `FromStr<Err = Broken>`: from the store (serde), from a request (deserr).
#[macro_export]
macro_rules! parsed_from_text {
    ($name:ident, $schema:tt) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                text.parse().map_err(|broken: $crate::Broken| serde::de::Error::custom(broken.message))
            }
        }

        impl deserr::Deserr<$crate::Problems> for $name {
            fn deserialize_from_value<V: deserr::IntoValue>(
                value: deserr::Value<V>,
                location: deserr::ValuePointerRef<'_>,
            ) -> Result<Self, $crate::Problems> {
                let text = <String as deserr::Deserr<$crate::Problems>>::deserialize_from_value(value, location)?;
                text.parse().map_err(|broken: $crate::Broken| {
                    deserr::take_cf_content(deserr::MergeWithError::merge(None, broken, location))
                })
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}
