//! What is known of a request on its way through the gates.

pub mod address;
pub mod caller;
pub mod incoming;
pub(crate) mod sent;

use std::sync::{Arc, OnceLock};

use contract::names::{EntityId, GroupRef, TenantId};
use contract::{Code, Error};
use http::HeaderMap;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use store::OpContext;
use store::audit::Whose;
use store::author::{Author, Seed};
use store::idempotency::Reservation;
use store::rate_limits::Tally;
use store::scope::{ClientScope, TenantScope};
use store::standing::Standing;

use self::caller::Caller;
use self::incoming::Incoming;
use crate::app::App;
use crate::spec::route::Route;

/// A request: what came in, what the gates have found out so far, and what its answer will carry whatever becomes of it.
#[derive(Clone)]
pub struct RequestContext {
    /// The route that it is on.
    pub route: &'static Route,
    /// What the process holds.
    pub app: App,
    /// What came in.
    pub incoming: Incoming,
    /// Who asks. Anonymous until the credential is verified.
    pub caller: Caller,
    /// In whose log it belongs that a credential was refused, and who sent it; of what is none by its form, nothing.
    pub(crate) refused: Option<(Whose, String)>,
    /// The hash of the credential that was sent.
    pub(crate) credential: Option<[u8; 32]>,
    /// How the limit stands that the answer tells of.
    pub(crate) tally: Option<Tally>,
    /// Where the caller's client stands, once it is known who asks.
    pub standing: Option<Standing>,
    /// The gate that refused it, if one did.
    pub(crate) refused_by: Option<&'static str>,
    /// Headers of the answer, a refusal's too.
    pub headers: HeaderMap,
    /// What identifiers and times are made from: of an earlier try, under its idempotency key.
    pub(crate) seed: Seed,
    /// What is reserved under its idempotency key.
    pub(crate) reservation: Option<Reservation>,
    author: OnceLock<Arc<Author>>,
}

impl RequestContext {
    /// A request before the first gate.
    #[must_use]
    pub fn new(app: &App, route: &'static Route, event: ApiGatewayV2httpRequest) -> Self {
        let seed = Seed::new(app.clock().now());
        Self {
            route,
            app: app.clone(),
            incoming: Incoming::from_event(event, seed, app.trusted_proxies),
            caller: Caller::Anonymous,
            refused: None,
            credential: None,
            tally: None,
            standing: None,
            refused_by: None,
            headers: HeaderMap::new(),
            seed,
            reservation: None,
            author: OnceLock::new(),
        }
    }

    /// Who writes. The gates are passed when this is first asked.
    pub(crate) fn author(&self) -> &Arc<Author> {
        self.author.get_or_init(|| {
            let actor = self.caller.actor();
            let author = Author::new(&actor, &self.incoming.info, self.seed);
            let author = match &self.caller {
                Caller::Token(token) => author.with_key_of(&actor, token.key),
                _ => author,
            };
            Arc::new(match &self.reservation {
                Some(reservation) => author.keyed(reservation.again),
                None => author,
            })
        })
    }

    /// The hold on the caller's data.
    ///
    /// # Errors
    /// `internal` on a route that lets anyone in: nobody has no data.
    pub(crate) fn op(&self) -> Result<OpContext, Error> {
        Ok(OpContext::new(self.app.store()?.clone(), self.scope()?.clone(), self.author().clone()))
    }

    /// One of the tenants of the caller's client.
    ///
    /// # Errors
    /// `internal` on a route that lets anyone in.
    /// `tenant_not_found` for a token of another one.
    pub(crate) fn tenant(&self, tenant: TenantId) -> Result<TenantScope, Error> {
        match &self.caller {
            Caller::Token(token) if *token.scope.tenant() == tenant => Ok(token.scope.clone()),
            Caller::Token(_) => Err(Code::TenantNotFound.into()),
            _ => Ok(self.scope()?.tenant(tenant)),
        }
    }

    /// A field group, as the caller may reach it.
    ///
    /// # Errors
    /// `field_group_not_found` for a token that is bound to another one.
    pub(crate) fn group(&self, group: GroupRef) -> Result<GroupRef, Error> {
        match &self.caller {
            Caller::Token(token) => token.group(&group).ok_or(Code::FieldGroupNotFound.into()),
            _ => Ok(group),
        }
    }

    /// An entity, as the caller may reach it.
    ///
    /// # Errors
    /// `values_not_found` for a token that is bound to another one.
    pub(crate) fn entity(&self, entity: EntityId) -> Result<EntityId, Error> {
        match &self.caller {
            Caller::Token(token) if token.entity().is_some_and(|own| *own != entity) => {
                Err(Code::ValuesNotFound.into())
            }
            _ => Ok(entity),
        }
    }

    fn scope(&self) -> Result<&ClientScope, Error> {
        self.caller.scope().ok_or_else(|| Error::internal("a handler without a caller asked for a client's data"))
    }
}
