//! A route with its handler.

use contract::Code;
use schemars::SchemaGenerator;
use store::Store;

use crate::extract::{Erased, FromRequest, Handler};
use crate::spec::access::Access;
use crate::spec::operation::{OperationSpec, Permissions};
use crate::spec::route::Route;
use crate::spec::sample::Sample;

/// A route and what answers it. A binary that names one links that handler alone, and none of the descriptions.
pub struct Endpoint {
    /// What the gates go by.
    pub route: Route,
    /// The handler.
    pub handler: &'static dyn Erased,
}

/// All that is said of a route. Each package lists its own with [`routes!`](crate::routes).
pub struct RouteSpec {
    /// The route and its handler.
    pub endpoint: &'static Endpoint,
    /// What the handler's types say.
    pub operation: fn(&mut OperationSpec),
    /// The doc comment: a line of summary, then the description.
    pub doc: &'static [&'static str],
    /// What neither says.
    pub about: About,
}

/// What neither a route's types nor its doc comment say of it.
pub struct About {
    /// Failures that come from what it does, not from its arguments.
    pub failures: &'static [Code],
    /// What its `Set-Cookie` does.
    pub cookie: Option<&'static str>,
    /// The request of its sample event.
    pub sample: Sample,
}

impl About {
    /// Nothing.
    pub const NOTHING: Self = Self { failures: &[], cookie: None, sample: Sample::NOTHING };

    /// With these failures.
    #[must_use]
    pub const fn failures(self, failures: &'static [Code]) -> Self {
        Self { failures, ..self }
    }

    /// With a `Set-Cookie` that does this.
    #[must_use]
    pub const fn cookie(self, does: &'static str) -> Self {
        Self { cookie: Some(does), ..self }
    }

    /// With this sample.
    #[must_use]
    pub const fn sample(self, sample: Sample) -> Self {
        Self { sample, ..self }
    }
}

impl RouteSpec {
    /// What the gates go by.
    #[must_use]
    pub fn route(&self) -> &'static Route {
        &self.endpoint.route
    }

    /// What it does, in a few words.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        self.doc.first().copied().unwrap_or_default().trim()
    }

    /// The rest of the doc comment, one line; empty if there is none.
    #[must_use]
    pub fn description(&self) -> String {
        self.doc.iter().skip(1).map(|line| line.trim()).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// All that its function may do: what its gates need and what its handler needs.
    #[must_use]
    pub fn permissions(&self) -> Permissions {
        let mut operation = OperationSpec::new(SchemaGenerator::default());
        (self.operation)(&mut operation);
        operation.grant(Store::LIMIT_GRANTS.iter().copied());
        if self.route().access != Access::Public {
            // A key is looked up even where none may enter: an unknown one is told 401, not 403.
            let keys = [Store::KEY_GRANTS, Store::KEY_USE_GRANTS].concat();
            operation.grant([keys.as_slice(), Store::SESSION_GRANTS, Store::STANDING_GRANTS].concat());
        }
        if self.route().access.takes_tokens() {
            operation.grant(Store::TOKEN_GRANTS.iter().copied());
            operation.permissions.token_keys = true;
        }
        if self.route().idempotent() {
            operation.grant(Store::IDEMPOTENCY_GRANTS.iter().copied());
            if operation.answers_long {
                operation.grant(Store::LONG_ANSWER_GRANTS.iter().copied());
            }
        }
        operation.permissions
    }
}

/// What a handler's types say.
pub const fn operation_of<A: FromRequest, H: Handler<A>>(_: &H) -> fn(&mut OperationSpec) {
    |operation| {
        A::describe(operation);
        H::describe(operation);
    }
}

/// Whether a handler touches the store.
pub const fn uses_store<A: FromRequest, H: Handler<A>>(_: &H) -> bool {
    A::USES_STORE
}

/// Whether a handler takes a body.
pub const fn takes_body<A: FromRequest, H: Handler<A>>(_: &H) -> bool {
    A::TAKES_BODY
}

/// The query parameters that a handler takes.
pub const fn query_of<A: FromRequest, H: Handler<A>>(_: &H) -> fn(&mut Vec<&'static str>) {
    A::query
}

/// Declares the routes of a package: its statics, and the list `ROUTES` of all that is said of them.
///
/// ```ignore
/// runtime::routes! {
///     /// Create a field group
///     Post "/api/v1/field-groups"
///     CREATE "create-field-group" => create::create {
///         access: Access::management(&[Permission::SchemaWrite]),
///     } about {
///         sample: Sample::body(r#"{ "key": "customer", "name": "Customer" }"#),
///     }
/// }
/// ```
///
/// makes the static `CREATE`, which `src/bin/create-field-group.rs` serves. After `access` may follow what differs from
/// [`Route::usual`], in `about` come the methods of [`About`].
#[macro_export]
macro_rules! routes {
    ($(
        $(#[doc = $doc:literal])+
        $method:ident $path:literal
        $name:ident $id:literal => $handler:path {
            access: $access:expr $(, $of_route:ident: $value:expr)* $(,)?
        } $(about { $($of_about:ident: $said:expr),+ $(,)? })?
    )+) => {
        $(
            $(#[doc = $doc])+
            pub static $name: $crate::Endpoint = $crate::Endpoint {
                route: $crate::Route {
                    id: $id,
                    package: env!("CARGO_PKG_NAME"),
                    path: $path,
                    uses_store: $crate::endpoint::uses_store(&$handler),
                    takes_body: $crate::endpoint::takes_body(&$handler),
                    query: $crate::endpoint::query_of(&$handler),
                    $($of_route: $value,)*
                    ..$crate::Route::usual($crate::Method::$method, $access)
                },
                handler: &$crate::extract::Typed::new($handler),
            };
        )+

        /// The routes of this package, with all that is said of them.
        pub static ROUTES: &[$crate::RouteSpec] = &[$($crate::RouteSpec {
            endpoint: &$name,
            operation: $crate::endpoint::operation_of(&$handler),
            doc: &[$($doc),+],
            about: $crate::About::NOTHING$($(.$of_about($said))+)?,
        }),+];
    };
}
