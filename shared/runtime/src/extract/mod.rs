//! Typed handlers: plain async functions from what they need to what they answer.

pub mod body;
pub mod exports;
pub mod limits;
pub mod mail;
pub mod parameters;
pub mod repositories;
pub mod signed_body;

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use contract::{Error, Problems};

use crate::app::App;
use crate::config::BadSetting;
use crate::request::RequestContext;
use crate::request::caller::Caller;
use crate::respond::{Answer, Reply};
use crate::spec::operation::{OperationSpec, Permissions};
use crate::start::Start;
use body::NoOtherBody;

/// A handler's answer, to come.
pub type Pending = Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send>>;

/// What a handler may take; a tuple of such is one as well.
pub trait FromRequest: Sized + Send + 'static {
    /// Whether it touches the store.
    const USES_STORE: bool = false;

    /// Whether it is made of the body.
    const TAKES_BODY: bool = false;

    /// Takes it from a request.
    ///
    /// # Errors
    /// What is wrong with the request.
    fn take(context: &RequestContext) -> Result<Self, Error>;

    /// Whether taking it may take long.
    fn takes_long(_context: &RequestContext) -> bool {
        false
    }

    /// What is known to be wrong with what was taken, if its handler never comes to say so.
    fn wrong(&self) -> Option<Problems> {
        None
    }

    /// Adds the names of the query parameters that it takes.
    fn query(_names: &mut Vec<&'static str>) {}

    /// Makes what it needs of a process at its start.
    ///
    /// # Errors
    /// A setting that is missing.
    fn prepare(_start: &mut Start<'_>) -> Result<(), BadSetting> {
        Ok(())
    }

    /// Tells the API's description and the function's permissions.
    fn describe(_operation: &mut OperationSpec) {}
}

/// What a consumer's worker may be made of.
pub trait Part: Sized {
    /// Takes it from the process.
    ///
    /// # Errors
    /// `internal` if the process was started without it.
    fn take(app: &App) -> Result<Self, Error>;

    /// Makes what it needs of a process at its start.
    ///
    /// # Errors
    /// A setting that is missing.
    fn prepare(_start: &mut Start<'_>) -> Result<(), BadSetting> {
        Ok(())
    }

    /// Adds what it may do.
    fn permissions(_permissions: &mut Permissions) {}
}

/// An async function to a `Result` of an [`Answer`], whose arguments are those of the tuple `A`.
pub trait Handler<A: FromRequest>: Copy + Send + Sync + 'static {
    /// Runs it.
    fn run(self, arguments: A) -> Pending;

    /// Tells the API's description what it answers.
    fn describe(operation: &mut OperationSpec);
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

macro_rules! tuples {
    ($($($argument:ident $type:ident),+;)+) => { $(
        impl<$($type: FromRequest),+> FromRequest for ($($type,)+) {
            const USES_STORE: bool = $($type::USES_STORE)||+;
            const TAKES_BODY: bool = $($type::TAKES_BODY)||+;

            /// Everything that is wrong with its members is told at once.
            fn take(context: &RequestContext) -> Result<Self, Error> {
                let mut failed = None;
                $(let $argument = keep($type::take(context), &mut failed);)+
                let wrong = failed.is_some().then(|| [$($argument.as_ref().and_then(FromRequest::wrong)),+]);
                match ($($argument,)+) {
                    ($(Some($argument),)+) => Ok(($($argument,)+)),
                    _ => {
                        let wrong = wrong.into_iter().flatten().flatten().map(Error::from);
                        Err(wrong.chain(failed).reduce(Error::and).unwrap_or_else(|| contract::Code::Internal.into()))
                    }
                }
            }

            fn takes_long(context: &RequestContext) -> bool {
                $($type::takes_long(context))||+
            }

            fn wrong(&self) -> Option<Problems> {
                let ($($argument,)+) = self;
                let wrong = [$($argument.wrong()),+].into_iter().flatten();
                wrong.reduce(|mut all, more| {
                    all.extend(more);
                    all
                })
            }

            fn query(names: &mut Vec<&'static str>) {
                $($type::query(names);)+
            }

            fn prepare(start: &mut Start<'_>) -> Result<(), BadSetting> {
                $($type::prepare(start)?;)+
                Ok(())
            }

            fn describe(operation: &mut OperationSpec) {
                $($type::describe(operation);)+
            }
        }

        impl<F, Fut, R, $($type),+> Handler<($($type,)+)> for F
        where
            F: Fn($($type),+) -> Fut + Copy + Send + Sync + 'static,
            Fut: Future<Output = Result<R, Error>> + Send + 'static,
            R: Answer,
            $($type: FromRequest),+
        {
            fn run(self, ($($argument,)+): ($($type,)+)) -> Pending {
                Box::pin(async move { self($($argument),+).await?.into_reply() })
            }

            fn describe(operation: &mut OperationSpec) {
                R::describe(operation);
            }
        }
    )+ };
}

tuples! {
    a A;
    a A, b B;
    a A, b B, c C;
    a A, b B, c C, d D;
    a A, b B, c C, d D, e E;
    a A, b B, c C, d D, e E, f G;
    a A, b B, c C, d D, e E, f G, g H;
}

/// A handler whose type is forgotten, so that what serves it is compiled once for all.
pub trait Erased: Sync {
    /// Takes its arguments and runs it.
    ///
    /// # Errors
    /// Everything that is wrong with the arguments.
    fn run(&self, context: &RequestContext) -> Result<Pending, Error>;

    /// Whether taking its arguments may take long.
    fn takes_long(&self, context: &RequestContext) -> bool;

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

impl<A: FromRequest, H: Handler<A>> Typed<A, H> {
    /// Wraps a handler.
    pub const fn new(handler: H) -> Self {
        Self { handler, arguments: PhantomData }
    }
}

impl<A: FromRequest, H: Handler<A>> Erased for Typed<A, H> {
    fn run(&self, context: &RequestContext) -> Result<Pending, Error> {
        <(NoOtherBody, A)>::take(context).map(|(_, arguments)| self.handler.run(arguments))
    }

    fn takes_long(&self, context: &RequestContext) -> bool {
        A::takes_long(context)
    }

    fn prepare(&self, start: &mut Start<'_>) -> Result<(), BadSetting> {
        A::prepare(start)
    }
}

/// Who asks, for what has permissions of its own.
impl FromRequest for Caller {
    fn take(context: &RequestContext) -> Result<Self, Error> {
        Ok(context.caller.clone())
    }
}

/// An API key, for what keys alone may do.
pub struct ByKey(pub store::credentials::KeyCredential);

impl FromRequest for ByKey {
    fn take(context: &RequestContext) -> Result<Self, Error> {
        match &context.caller {
            Caller::Key(key) => Ok(Self(key.clone())),
            _ => Err(Error::internal("a handler for API keys was reached by something else")),
        }
    }
}

/// Whoever is logged in.
pub struct LoggedIn(pub store::sessions::SessionCredential);

impl FromRequest for LoggedIn {
    fn take(context: &RequestContext) -> Result<Self, Error> {
        context.caller.session().cloned().map(Self)
    }
}
