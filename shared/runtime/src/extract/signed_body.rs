//! A body that a signature in a header is about.

use bytes::Bytes;
use contract::Error;
use http::HeaderName;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::FromRequest;
use crate::request::RequestContext;
use crate::spec::operation::OperationSpec;

const SIGNATURE: HeaderName = HeaderName::from_static("stripe-signature");

/// A body as it came, and what says that it is Stripe's.
pub struct SignedBody {
    /// Byte for byte.
    pub body: Bytes,
    /// The header `Stripe-Signature`.
    pub signature: Option<String>,
}

impl FromRequest for SignedBody {
    const TAKES_BODY: bool = true;

    fn take(context: &RequestContext) -> Result<Self, Error> {
        let incoming = &context.incoming;
        let signature = incoming.only(&SIGNATURE).ok().flatten().map(str::to_owned);
        Ok(Self { body: incoming.body.clone(), signature })
    }
    fn describe(operation: &mut OperationSpec) {
        operation.parameter::<StripeSignature>("header", "Stripe-Signature", "That Stripe signed the body, and when.");
        operation.body::<StripeEvent>();
    }
}

macro_rules! described {
    ($($name:ident $schema:tt)+) => { $(
        struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )+ };
}

described! {
    StripeEvent { "type": "object", "description": "An event, as Stripe has it." }
    StripeSignature { "type": "string", "description": "`t=…,v1=…`" }
}
