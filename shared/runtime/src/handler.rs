//! Typed handlers: plain async functions from what they need to what they answer.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use aws_config::SdkConfig;
use contract::route::Meta;
use contract::{Error, Problems};
use store::Work;
use store::author::Author;
use store::keys::Kind;
use store::scope::TenantScope;

use crate::answer::{Answer, Reply};
use crate::app::App;
use crate::config::{BadSetting, Config};
use crate::credential::Caller;
use crate::incoming::Incoming;
use crate::needs::Needs;
use crate::parameters::path_parameter;

/// A request that has passed the gates.
pub struct Admitted {
    /// What came in.
    pub incoming: Incoming,
    /// Who asks.
    pub caller: Caller,
    pub(crate) app: App,
    pub(crate) author: Arc<Author>,
    pub(crate) work: Option<Work>,
    /// What is wrong already: it is told with all else.
    pub(crate) failed: Option<Error>,
}

impl Admitted {
    /// The hold on the caller's data.
    ///
    /// # Errors
    /// `internal` on a route that lets anyone in: nobody has no data.
    pub(crate) fn work(&self) -> Result<&Work, Error> {
        self.work.as_ref().ok_or_else(|| Error::internal("a handler without a caller asked for a client's data"))
    }

    /// The tenant that the path names, of the caller's client.
    ///
    /// # Errors
    /// `validation_failed` if it is not an identifier.
    pub(crate) fn tenant(&self) -> Result<TenantScope, Error> {
        let tenant = path_parameter(&self.incoming, "tenantId")?;
        let scope =
            self.caller.scope().ok_or_else(|| Error::internal("a handler without a caller asked for a tenant"))?;
        Ok(scope.tenant(tenant))
    }
}

/// A handler's answer, to come.
pub type Pending = Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send>>;

/// What a handler may take.
pub trait FromRequest: Sized + Send + 'static {
    /// Whether it touches the store.
    const CONNECTS: bool = false;

    /// The query parameters that it takes.
    const QUERY: &'static [&'static str] = &[];

    /// Whether it is made of the body.
    const BODY: bool = false;

    /// Takes it from a request.
    ///
    /// # Errors
    /// What is wrong with the request.
    fn take(request: &mut Admitted) -> Result<Self, Error>;

    /// What is known to be wrong with what was taken, if its handler never comes to say so.
    fn wrong(&self) -> Option<Problems> {
        None
    }

    /// Makes what it needs of a process at its start, over the SDK's settings.
    ///
    /// # Errors
    /// A setting that is missing.
    fn prepare(_start: &mut Start<'_>) -> Result<(), BadSetting> {
        Ok(())
    }

    /// Tells the API's description and the function's permissions.
    fn needs(_needs: &mut Needs) {}
}

/// The start of a process.
pub struct Start<'a> {
    /// What the SDK goes by.
    pub sdk: &'a SdkConfig,
    /// What the deployment sets.
    pub config: &'a Config,
    /// What the process will hold.
    pub app: &'a mut App,
    /// The kind of item that it may read to make its first connection, if there is one.
    pub first_read: Option<Kind>,
}

/// An async function of one to five arguments, each [`FromRequest`], to a `Result` of an [`Answer`].
pub trait Handler<A>: Copy + Send + Sync + 'static {
    /// Whether any of its arguments touches the store.
    const CONNECTS: bool;

    /// The query parameters that each of its arguments takes.
    const QUERY: &'static [&'static [&'static str]];

    /// Whether any of its arguments is made of the body.
    const BODY: bool;

    /// Runs it. Everything that is wrong with its arguments is told at once.
    fn run(self, request: Admitted) -> Pending;

    /// Makes what its arguments need of a process at its start.
    ///
    /// # Errors
    /// A setting that is missing.
    fn prepare(start: &mut Start<'_>) -> Result<(), BadSetting>;

    /// Tells the API's description and the function's permissions.
    fn needs(needs: &mut Needs);
}

fn keep<T>(taken: Result<T, Error>, failed: &mut Option<Error>) -> Option<T> {
    match taken {
        Ok(value) => Some(value),
        Err(error) => {
            *failed = Some(match failed.take() {
                Some(before) => before.and(error),
                None => error,
            });
            None
        }
    }
}

macro_rules! handlers {
    ($($($argument:ident $type:ident),+;)+) => { $(
        impl<F, Fut, R, $($type),+> Handler<($($type,)+)> for F
        where
            F: Fn($($type),+) -> Fut + Copy + Send + Sync + 'static,
            Fut: Future<Output = Result<R, Error>> + Send + 'static,
            R: Answer,
            $($type: FromRequest),+
        {
            const CONNECTS: bool = $($type::CONNECTS)||+;
            const QUERY: &'static [&'static [&'static str]] = &[$($type::QUERY),+];
            const BODY: bool = $($type::BODY)||+;

            fn run(self, mut request: Admitted) -> Pending {
                let mut failed = request.failed.take();
                $(let $argument = keep($type::take(&mut request), &mut failed);)+
                if failed.is_some() {
                    let wrong = [$($argument.as_ref().and_then(FromRequest::wrong)),+];
                    failed = wrong.into_iter().flatten().map(Error::from).chain(failed).reduce(Error::and);
                }
                Box::pin(async move {
                    match (failed, $($argument,)+) {
                        (None, $(Some($argument),)+) => self($($argument),+).await?.into_reply(),
                        (failed, ..) => Err(failed.unwrap_or_else(|| contract::Code::Internal.into())),
                    }
                })
            }

            fn prepare(start: &mut Start<'_>) -> Result<(), BadSetting> {
                $($type::prepare(start)?;)+
                Ok(())
            }

            fn needs(needs: &mut Needs) {
                $($type::needs(needs);)+
                R::describe(needs);
            }
        }
    )+ };
}

handlers! {
    a A;
    a A, b B;
    a A, b B, c C;
    a A, b B, c C, d D;
    a A, b B, c C, d D, e E;
}

/// A handler whose type is forgotten, so that what serves it is compiled once for all.
pub trait Erased: Sync {
    /// Runs it.
    fn run(&self, request: Admitted) -> Pending;

    /// Makes what it needs of a process at its start. Here, so that no binary links what its handler does not ask for.
    ///
    /// # Errors
    /// A setting that is missing.
    fn prepare(&self, start: &mut Start<'_>) -> Result<(), BadSetting>;
}

/// A handler with its arguments' types.
pub struct Typed<A, H> {
    handler: H,
    arguments: PhantomData<fn(A)>,
}

impl<A, H: Handler<A>> Typed<A, H> {
    /// Wraps a handler.
    pub const fn new(handler: H) -> Self {
        Self { handler, arguments: PhantomData }
    }
}

impl<A, H: Handler<A>> Erased for Typed<A, H> {
    fn run(&self, request: Admitted) -> Pending {
        self.handler.run(request)
    }

    fn prepare(&self, start: &mut Start<'_>) -> Result<(), BadSetting> {
        H::prepare(start)
    }
}

/// A route: an entry of the table, and its handler.
pub struct Route {
    /// The entry.
    pub meta: &'static Meta,
    /// The handler.
    pub handler: &'static dyn Erased,
    /// Whether its handler touches the store.
    pub connects: bool,
    /// The query parameters that each of its handler's arguments takes.
    pub query: &'static [&'static [&'static str]],
    /// Whether its handler takes a body.
    pub takes_body: bool,
}

/// Whether a handler touches the store.
pub const fn connects<A, H: Handler<A>>(_: &H) -> bool {
    H::CONNECTS
}

/// The query parameters that a handler takes.
pub const fn query_of<A, H: Handler<A>>(_: &H) -> &'static [&'static [&'static str]] {
    H::QUERY
}

/// Whether a handler takes a body.
pub const fn takes_body<A, H: Handler<A>>(_: &H) -> bool {
    H::BODY
}

/// What a handler's types need.
pub const fn needs_of<A, H: Handler<A>>(_: &H) -> fn(&mut Needs) {
    H::needs
}
