//! What a handler can ask for as arguments of the store and of the services beside it: from these come its function's
//! permissions.

use auth::target::Rules;
use contract::{Error, Origin, Time};
use store::acceptance::Acceptance;
use store::accounts::{Login, Signup};
use store::api_keys::ApiKeys;
use store::audit::{AuditLog, Recorder};
use store::author::Clock;
use store::clients::Clients;
use store::deliveries::{Announcer, Attempts, Deliveries, Message, Releases};
use store::embed_tokens::EmbedTokens;
use store::endpoint_state::EndpointStates;
use store::erasure::Erasure;
use store::field_groups::FieldGroups;
use store::global_fields::GlobalFields;
use store::grant::Granted;
use store::invitations::Invitations;
use store::jobs::{JobRuns, JobStarts, Jobs, Task};
use store::keys::Kind;
use store::members::Members;
use store::passwords::{Mailboxes, OwnPassword, PasswordReset};
use store::purge::Purges;
use store::rate_limits::LimitStandings;
use store::second_factors::SecondFactors;
use store::sessions::{Sessions, UserSessions};
use store::settings::{ClientSettings, OriginIndex};
use store::stream::Stream;
use store::subscriptions::{SubscriptionEvents, Subscriptions};
use store::tenant_erasure::TenantErasures;
use store::tenant_fields::TenantFields;
use store::tenant_reads::TenantReads;
use store::tenants::{OneTenant, Tenants};
use store::values::Values;
use store::webhooks::Webhooks;

use super::mail::Mailer;
use super::parameters::path_parameter;
use super::{FromRequest, Part};
use crate::app::App;
use crate::billing::Billing;
use crate::config::BadSetting;
use crate::queues::{Queue, Queues};
use crate::request::RequestContext;
use crate::spec::operation::{OperationSpec, Permissions};
use crate::start::Start;
use crate::token_rotation::TokenRotation;
use crate::token_vault::TokenVault;
use crate::vault::Vault;

macro_rules! repositories {
    ($(|$context:ident| $($repository:ty $(where $operation:ident)?),+ => $open:expr;)+) => { $($(
        impl$(<$operation: Send + 'static>)? FromRequest for $repository
        where
            Self: Granted,
        {
            const USES_STORE: bool = true;
            fn take($context: &RequestContext) -> Result<Self, Error> {
                Ok($open)
            }
            fn describe(operation: &mut OperationSpec) {
                operation.grant(Self::grants());
            }
        }
    )+)+ };
}

repositories! {
    |context| ApiKeys<A> where A, AuditLog<A> where A, Clients<A> where A, ClientSettings<A> where A, Deliveries<A> where A, FieldGroups<A> where A, GlobalFields<A> where A,
        Invitations<A> where A, Jobs<A> where A, LimitStandings, Members<A> where A, Subscriptions<A> where A, Tenants, Webhooks<A> where A => Self::open(&context.op()?);
    |context| EmbedTokens, OneTenant<A> where A, TenantFields<A> where A, Values<A> where A => Self::open(&context.op()?, context.tenant(path_parameter(&context.incoming, "tenantId")?)?);
    |context| OriginIndex => Self::open(context.app.store()?);
    |context| OwnPassword, SecondFactors<A> where A, Sessions<A> where A, UserSessions<A> where A => Self::open(context.app.store()?, context.author().clone());
}

macro_rules! before_a_client_is_known {
    ($($repository:ty, $first_read:ident;)+) => { $(
        impl FromRequest for $repository {
            const USES_STORE: bool = true;
            fn take(context: &RequestContext) -> Result<Self, Error> {
                Ok(Self::open(context.app.store()?, context.author().clone()))
            }
            fn prepare(start: &mut Start<'_>) -> Result<(), BadSetting> {
                start.first_read = Some(Kind::$first_read);
                Ok(())
            }
            fn describe(operation: &mut OperationSpec) {
                operation.grant(Self::grants());
            }
        }
    )+ };
}

before_a_client_is_known! {
    Signup, Email;
    Login, Email;
    Acceptance, InvitationTokens;
    PasswordReset, PasswordReset;
}

macro_rules! parts_of_the_store {
    ($(|$app:ident| $($part:ty),+ => $open:expr;)+) => { $($(
        impl Part for $part {
            fn take($app: &App) -> Result<Self, Error> {
                Ok($open)
            }
            fn permissions(permissions: &mut Permissions) {
                permissions.items.extend(Self::grants());
            }
        }
    )+)+ };
}

parts_of_the_store! {
    |app| Announcer, Erasure, JobRuns, JobStarts, Mailboxes, Purges, Recorder, Releases, Stream, SubscriptionEvents, TenantErasures, TenantReads => Self::open(app.store()?);
    |app| Attempts, EndpointStates => Self::open(app.store()?, app.webhooks.dead_before);
}

impl Part for Clock {
    fn take(app: &App) -> Result<Self, Error> {
        Ok(app.clock().clone())
    }
}

/// What a worker is made of and a handler takes as well.
macro_rules! parts_as_arguments {
    ($($part:ty),+) => { $(
        impl FromRequest for $part {
            // The process connects for either.
            const USES_STORE: bool = true;
            fn take(context: &RequestContext) -> Result<Self, Error> {
                <Self as Part>::take(&context.app)
            }
            fn prepare(start: &mut Start<'_>) -> Result<(), BadSetting> {
                <Self as Part>::prepare(start)
            }
            fn describe(operation: &mut OperationSpec) {
                <Self as Part>::permissions(&mut operation.permissions);
            }
        }
    )+ };
}

parts_as_arguments!(Assign, Billing, Deliver, Mailer, Origin, Retry, SubscriptionEvents, Vault);

/// Sends first attempts of deliveries.
pub struct Deliver(Queues);

/// Sends what is to be tried again, sent on or deferred.
pub struct Retry(Queues);

/// Sends tasks to the worker of jobs.
pub struct Assign(Queues);

macro_rules! sends_to {
    ($($name:ident => $queue:ident;)+) => { $(
        impl Part for $name {
            fn take(app: &App) -> Result<Self, Error> {
                Ok(Self(app.queues()?.clone()))
            }
            fn prepare(start: &mut Start<'_>) -> Result<(), BadSetting> {
                start.connect_queues()
            }
            fn permissions(permissions: &mut Permissions) {
                permissions.sends.insert(Queue::$queue);
            }
        }
    )+ };
}

sends_to! {
    Deliver => FirstAttempts;
    Retry => Retries;
    Assign => Jobs;
}

impl Deliver {
    /// Sends deliveries on their way. All of them, or an error; then some may have been sent.
    ///
    /// # Errors
    /// `unavailable` if SQS refuses for too long.
    pub async fn send(&self, messages: &[Message], now: Time) -> Result<(), Error> {
        self.0.send(Queue::FirstAttempts, messages, now).await
    }
}

impl Retry {
    /// Sends deliveries on their way. All of them, or an error; then some may have been sent.
    ///
    /// # Errors
    /// `unavailable` if SQS refuses for too long.
    pub async fn send(&self, messages: &[Message], now: Time) -> Result<(), Error> {
        self.0.send(Queue::Retries, messages, now).await
    }
}

impl Assign {
    /// Sends a task.
    ///
    /// # Errors
    /// `unavailable` if SQS refuses for too long.
    pub async fn send(&self, task: &Task, now: Time) -> Result<(), Error> {
        self.0.send_task(task, now).await
    }
}

impl Part for Vault {
    fn take(app: &App) -> Result<Self, Error> {
        Ok(app.vault()?.clone())
    }
    fn prepare(start: &mut Start<'_>) -> Result<(), BadSetting> {
        start.app.vault = Some(Vault::of_sdk(start.sdk, start.config.secret.clone()));
        Ok(())
    }
    fn permissions(permissions: &mut Permissions) {
        permissions.data_keys = true;
    }
}

impl Part for Billing {
    fn take(app: &App) -> Result<Self, Error> {
        app.billing.clone().ok_or_else(|| Error::internal("this process was started without what it is paid by"))
    }
    fn prepare(start: &mut Start<'_>) -> Result<(), BadSetting> {
        start.app.billing = Some(Self::of_sdk(start.sdk, start.config.billing_secret.clone()));
        Ok(())
    }
    fn permissions(permissions: &mut Permissions) {
        permissions.billing_keys = true;
    }
}

impl Part for TokenVault {
    fn take(app: &App) -> Result<Self, Error> {
        Ok(app.token_vault()?.clone())
    }
    fn prepare(start: &mut Start<'_>) -> Result<(), BadSetting> {
        start.app.token_vault = Some(Self::of_sdk(start.sdk, start.config.token_secret.clone()));
        Ok(())
    }
    fn permissions(permissions: &mut Permissions) {
        permissions.token_keys = true;
    }
}

impl Part for TokenRotation {
    fn take(app: &App) -> Result<Self, Error> {
        app.token_rotation.clone().ok_or_else(|| Error::internal("this process was started without a secret to rotate"))
    }
    fn prepare(start: &mut Start<'_>) -> Result<(), BadSetting> {
        start.app.token_rotation = Some(Self::of_sdk(start.sdk));
        Ok(())
    }
    fn permissions(permissions: &mut Permissions) {
        permissions.rotates_token_keys = true;
    }
}

impl FromRequest for Rules {
    fn take(context: &RequestContext) -> Result<Self, Error> {
        Ok(context.app.webhooks.rules.clone())
    }
}
