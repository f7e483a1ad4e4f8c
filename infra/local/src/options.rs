//! The command line.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use contract::names::{Email, Name};
use contract::rate_limit::NamedRate;
use contract::subscription::{Plan, SubscriptionStatus};
use contract::{Broken, Origin, Time};
use http::StatusCode;

use crate::listen_on::ListenOn;

/// Custom fields and structured content for the customers of a SaaS product.
#[derive(Parser)]
#[command(name = "hedgerow", version)]
pub struct Hedgerow {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Run all of Hedgerow on this machine.
    Dev(Dev),
    /// Offer the embedded DynamoDB, SQS, Secrets Manager, SES and S3 over HTTP, with the account of the sample events in them,
    /// to functions in processes of their own.
    Engines(Engines),
    /// Open the first account, set a plan, turn off an allow-list, end somebody's sessions, turn off a second factor, unlock an address: on this
    /// machine, or in AWS by the credentials of the environment. Ends with 0 when it is done, with 1 when it could not be.
    Admin(Admin),
    /// Verify audit logs, or print one. Ends with 0 if they are whole, with 1 if they are not, with 2 if they can't be read.
    Audit(Audit),
    /// Take webhooks, verify them, and show what comes.
    Listen(Listen),
    /// Explain why a webhook's signature does not match. Ends with 0 if it does, with 1 if it does not.
    Verify(Verify),
}

/// How to run on this machine.
#[derive(Args)]
pub struct Dev {
    /// Where to listen. On loopback, only requests whose `Host` is loopback are answered; elsewhere --webhook-targets
    /// has to be given.
    #[arg(long, value_name = "ADDR:PORT|NAME:PORT", default_value = "127.0.0.1:3000")]
    pub listen: ListenOn,
    /// Where signed addresses lead, of exports: a port of its own on the same address. If it is left out, the next port,
    /// or any, if that is taken.
    #[arg(long, value_name = "ADDR:PORT|NAME:PORT")]
    pub files: Option<ListenOn>,
    /// Where it is seen from outside: what links in mails lead to, and pages are served from, and embed tokens are
    /// issued by. If it is left out, where it listens.
    #[arg(long, value_name = "https://NAME", value_parser = origin)]
    pub origin: Option<Origin>,
    /// Where data is kept. Several processes may share a folder.
    #[arg(long, value_name = "DIR", default_value = ".hedgerow")]
    pub data: PathBuf,
    /// The embedded store, or AWS's: what `AWS_ENDPOINT_URL`, or else AWS itself, offers.
    #[arg(long, value_enum, default_value = "embedded")]
    pub store: StoreKind,
    /// How many proxies stand before this process; the caller's address is the one that the outermost of them added to
    /// X-Forwarded-For. A request in which it is missing or can't be read has no address, and no allowedIps rule admits
    /// it.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub trusted_proxies: usize,
    /// A rate limit in place of the default; NAME is one of address, session, embed, token, login, signup, password-reset,
    /// management, delivery. May be given several times.
    #[arg(long, value_name = "NAME=COUNT/SECONDS", value_parser = parsed::<NamedRate>)]
    pub limit: Vec<NamedRate>,
    /// How the log looks, which goes to the standard error.
    #[arg(long, value_enum, default_value = "readable")]
    pub log: LogKind,
    /// When failed webhooks are tried again, in place of the default.
    #[arg(long, value_name = "1s,2s,…", value_delimiter = ',', value_parser = duration)]
    pub webhook_retries: Vec<Duration>,
    /// The file with Stripe's keys, to take payments by: {"secretKey": "sk_…", "webhookSecret": "whsec_…"}.
    #[arg(long, value_name = "FILE")]
    pub stripe: Option<PathBuf>,
    /// Where webhooks may go; on loopback anywhere if it is left out.
    #[arg(long, value_enum)]
    pub webhook_targets: Option<Targets>,
}

/// How to offer the embedded engines.
#[derive(Args)]
pub struct Engines {
    /// Where to listen. Whoever can connect may do everything.
    #[arg(long, value_name = "ADDR:PORT|NAME:PORT", default_value = "127.0.0.1:8000")]
    pub listen: ListenOn,
}

/// Which deployment's store.
#[derive(Args)]
pub struct Place {
    /// The embedded store in a data folder, or AWS's, by the credentials and the region of the environment.
    #[arg(long, global = true, value_enum, default_value = "embedded")]
    pub store: StoreKind,
    /// The data folder of the embedded store; `hedgerow dev` may run over it meanwhile.
    #[arg(long, global = true, value_name = "DIR", default_value = ".hedgerow")]
    pub data: PathBuf,
    /// With --store aws: what the names of the stack's tables begin with, its parameter TablePrefix. If it is left out,
    /// HEDGEROW_TABLE_PREFIX, or else hedgerow.
    #[arg(long, global = true, value_name = "PREFIX")]
    pub table_prefix: Option<String>,
}

/// Whose accounts, and what to do with them.
#[derive(Args)]
pub struct Admin {
    /// Where they are.
    #[command(flatten)]
    pub place: Place,
    /// What to do.
    #[command(subcommand)]
    pub command: AdminCommand,
}

/// Which audit logs, and what to do with them.
#[derive(Args)]
pub struct Audit {
    /// Where they are.
    #[command(flatten)]
    pub place: Place,
    /// What to do.
    #[command(subcommand)]
    pub command: AuditCommand,
}

/// What to do with audit logs.
#[derive(Subcommand)]
pub enum AuditCommand {
    /// Find lines that were altered, removed or added: in the file of an export, or else in the store.
    Verify {
        /// The file that was exported; - is the standard input. Without it the store is verified: all logs that are in it, or
        /// the one that is named.
        #[arg(value_name = "FILE|-", conflicts_with_all = ["client", "deployment"])]
        file: Option<String>,
        /// Whose.
        #[command(flatten)]
        whose: WhoseLog,
    },
    /// Print a log as JSON lines, as `GET /api/v1/audit-log/export` has it.
    Export {
        /// Whose.
        #[command(flatten)]
        whose: WhoseLog,
        /// The day of this time, in UTC, and those after it.
        #[arg(long, value_name = "TIME", value_parser = parsed::<Time>)]
        from: Option<Time>,
        /// The day of this time, in UTC, and those before it.
        #[arg(long, value_name = "TIME", value_parser = parsed::<Time>)]
        to: Option<Time>,
    },
}

/// Whose audit log.
#[derive(Args)]
pub struct WhoseLog {
    /// A client's: its identifier (cl_…) or its slug.
    #[arg(long, value_name = "CLIENT", conflicts_with = "deployment")]
    pub client: Option<String>,
    /// The deployment's own: what is of no client, as credentials that nobody knows.
    #[arg(long)]
    pub deployment: bool,
}

/// What to do with accounts.
#[derive(Subcommand)]
pub enum AdminCommand {
    /// Open an account with its client, whoever else may sign up. The password is asked for, or read from the standard
    /// input.
    CreateAccount {
        /// The address of its owner.
        #[arg(long, value_name = "ADDRESS", value_parser = parsed::<Email>)]
        email: Email,
        /// What the client is called.
        #[arg(long, value_name = "NAME", value_parser = parsed::<Name>)]
        name: Name,
    },
    /// Put a client on a plan. What the payment service says later of a subscription there counts again.
    SetPlan {
        /// The client: its identifier (cl_…) or its slug.
        client: String,
        /// The plan.
        #[arg(value_parser = parsed::<Plan>)]
        plan: Plan,
        /// Where the subscription stands: active, trialing, past_due or inactive.
        #[arg(long, value_name = "STATUS", value_parser = subscription_status, default_value = "active")]
        status: SubscriptionStatus,
    },
    /// Put a client's allow-list out of force, when its members have shut themselves out.
    TurnOffAllowlist {
        /// The client: its identifier (cl_…) or its slug.
        client: String,
    },
    /// End all sessions of a user.
    EndSessions {
        /// The user's address.
        #[arg(value_parser = parsed::<Email>)]
        email: Email,
    },
    /// Turn off the second factor of a user who has lost the app and the recovery codes.
    TurnOffTotp {
        /// The user's address.
        #[arg(value_parser = parsed::<Email>)]
        email: Email,
    },
    /// Unlock an address that wrong passwords have locked.
    Unlock {
        /// The address.
        #[arg(value_parser = parsed::<Email>)]
        email: Email,
    },
}

/// How to take webhooks.
#[derive(Args)]
pub struct Listen {
    /// Where to listen.
    #[arg(long, value_name = "ADDR:PORT|NAME:PORT", default_value = "127.0.0.1:4000")]
    pub listen: ListenOn,
    /// What signs them, or the file that holds it. One of several will do.
    #[arg(long, value_name = "SECRET|@FILE")]
    pub secret: Vec<String>,
    /// Make a webhook that sends here, and delete it in the end.
    #[arg(long, requires = "key")]
    pub create: bool,
    /// The management key to make it with, or the file that holds it.
    #[arg(long, value_name = "KEY|@FILE", requires = "create")]
    pub key: Option<String>,
    /// Where to make it.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3000")]
    pub api: String,
    /// What it is told of.
    #[arg(long, value_name = "EVENT,…", value_delimiter = ',', default_value = "*")]
    pub events: Vec<String>,
    /// What genuine deliveries are answered; others are answered 401.
    #[arg(long, value_name = "STATUS", value_parser = status, default_value = "204")]
    pub status: StatusCode,
    /// How long the answer takes.
    #[arg(long, value_name = "5s", value_parser = duration, default_value = "0s")]
    pub delay: Duration,
    /// Leave out the data.
    #[arg(long)]
    pub quiet: bool,
}

/// What to explain.
#[derive(Args)]
pub struct Verify {
    /// What should have signed it, or the file that holds it.
    #[arg(long, value_name = "SECRET|@FILE")]
    pub secret: String,
    /// A header of the delivery, or a file with a header a line.
    #[arg(long, short = 'H', value_name = "NAME: VALUE|FILE", required = true)]
    pub headers: Vec<String>,
    /// The file with the delivery's body as it came; - is the standard input.
    #[arg(long, value_name = "FILE|-")]
    pub body: String,
    /// How old it may be.
    #[arg(long, value_name = "SECONDS")]
    pub tolerance: Option<u64>,
}

/// How the log looks.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogKind {
    /// A line a request for whoever reads along, in colour on a terminal.
    Readable,
    /// As in AWS.
    Json,
}

/// Which store.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StoreKind {
    /// In the data folder.
    Embedded,
    /// Through the AWS SDK's own configuration.
    Aws,
}

/// Where webhooks may go.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Targets {
    /// To public addresses only.
    Public,
    /// Anywhere: a developer's receiver is on loopback.
    Any,
}

fn parsed<T: FromStr<Err = Broken>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|broken: Broken| broken.message)
}

fn subscription_status(text: &str) -> Result<SubscriptionStatus, String> {
    let known = SubscriptionStatus::ALL.into_iter().find(|status| status.name() == text);
    known.ok_or_else(|| format!("must be one of {}", SubscriptionStatus::ALL.map(SubscriptionStatus::name).join(", ")))
}

fn origin(text: &str) -> Result<Origin, String> {
    text.parse().map_err(|broken: Broken| broken.message)
}

fn status(text: &str) -> Result<StatusCode, String> {
    let known = text.parse().ok().filter(|status: &StatusCode| (200..600).contains(&status.as_u16()));
    known.ok_or_else(|| "must be a status from 200 to 599".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
    let parsed = units.iter().find_map(|(unit, millis)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        Some(Duration::from_millis(number.checked_mul(*millis)?))
    });
    parsed.ok_or_else(|| "must be a whole number and a unit: ms, s, m or h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_or_refused() {
        assert_eq!(duration("150ms"), Ok(Duration::from_millis(150)));
        assert_eq!(duration("12h"), Ok(Duration::from_secs(43_200)));
        for bad in ["", "s", "1", "1d", "-1s", "99999999999999999999s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
