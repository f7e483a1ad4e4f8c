//! `hedgerow admin`: what only whoever runs a deployment may do, on one machine or in AWS.

use std::io::{self, IsTerminal as _, Read as _};
use std::sync::Arc;

use auth::Password;
use aws_config::BehaviorVersion;
use contract::Error;
use contract::names::Email;
use runtime::config::Config;
use store::author::{Author, Clock};
use store::operator::Operator;
use store::subscriptions::{Heard, SubscriptionEvents};
use store::tables::TableNames;
use store::{Settings, Store};

use crate::backend::Backend;
use crate::options::{Admin, AdminCommand, StoreKind};
use crate::services::StartError;

/// Does it, and prints what was done.
///
/// # Errors
/// If the store can't be reached, or there is nothing of that name.
#[expect(clippy::print_stdout, reason = "a command's output")]
pub async fn run(options: Admin) -> Result<(), StartError> {
    // Asked first: who mistypes has written nothing.
    let password = match &options.command {
        AdminCommand::CreateAccount { .. } => Some(password()?),
        _ => None,
    };
    let store = open(&options).await?;
    let author = Arc::new(Author::of_no_caller("operator", "hedgerow admin", store.clock().now()));
    let operator = Operator::open(&store, author.clone());
    let said = match options.command {
        AdminCommand::CreateAccount { email, name } => {
            let password = password.ok_or("there is no password")?;
            let opened = operator.open_account(email, password, name).await.map_err(|error| told(&error))?;
            let (user, client) = (opened.user, opened.client);
            format!("Opened the account of {}, owner of the client {} ({}).", user.email, client.id, client.slug)
        }
        AdminCommand::SetPlan { client, plan, status } => {
            let found = operator.client(&client).await.map_err(|error| told(&error))?;
            let id = found.ok_or_else(|| format!("there is no client {client}"))?;
            let events = SubscriptionEvents::open(&store);
            match events.set_plan(id, &plan, status, &author).await.map_err(|error| told(&error))? {
                Heard::Unknown => return Err(format!("there is no client {client}").into()),
                _ => format!("The client {id} has the plan {plan}, which is {}.", status.name()),
            }
        }
        AdminCommand::EndSessions { email } => {
            if !operator.end_sessions(&email).await.map_err(|error| told(&error))? {
                return Err(no_account(&email));
            }
            format!("All sessions of {email} have ended.")
        }
        AdminCommand::TurnOffTotp { email } => {
            if !operator.turn_off_second_factor(&email).await.map_err(|error| told(&error))? {
                return Err(no_account(&email));
            }
            format!("{email} has no second factor any more: the password is enough to log in.")
        }
        AdminCommand::Unlock { email } => {
            operator.unlock(&email).await.map_err(|error| told(&error))?;
            format!("Nothing locks {email} any more.")
        }
    };
    println!("{said}");
    Ok(())
}

fn no_account(email: &Email) -> StartError {
    format!("there is no account of {email}").into()
}

/// The store, of the data folder or of AWS.
async fn open(options: &Admin) -> Result<Store, StartError> {
    match options.store {
        StoreKind::Embedded => {
            let folder = &options.data;
            // A slip in the folder's name is not to make another one.
            if !folder.is_dir() && !matches!(options.command, AdminCommand::CreateAccount { .. }) {
                return Err(format!("{}: there is no such data folder", folder.display()).into());
            }
            let backend = Backend::in_folder(folder, Clock::default()).await;
            Ok(backend.map_err(|error| format!("{}: {error}", folder.display()))?.store)
        }
        StoreKind::Aws => {
            let tables = match &options.table_prefix {
                Some(prefix) => TableNames::with_prefix(prefix),
                None => Config::from_env()?.tables,
            };
            let sdk = aws_config::defaults(BehaviorVersion::v2026_01_12()).load().await;
            Ok(Store::new(aws_sdk_dynamodb::Client::new(&sdk), tables, Clock::default(), Settings::default()))
        }
    }
}

/// Who writes, as the changes that it makes say.
/// A failure of the store's, with its cause: whoever runs the deployment may know it.
fn told(error: &Error) -> StartError {
    let body = serde_json::to_value(error.body("")).unwrap_or_default();
    let fields = body["details"]["fields"].as_array().into_iter().flatten();
    let fields: Vec<_> = fields
        .filter_map(|field| Some(format!("{}: {}", field["path"].as_str()?, field["message"].as_str()?)))
        .collect();
    let said =
        if fields.is_empty() { body["message"].as_str().unwrap_or_default().to_owned() } else { fields.join(" ") };
    match error.cause() {
        Some(cause) => format!("{said} ({cause})").into(),
        None => said.into(),
    }
}

/// The password: asked for twice at a terminal, without showing it, or else read from the standard input. Never an argument,
/// which everybody on the machine can read.
fn password() -> Result<Password, StartError> {
    let text = if io::stdin().is_terminal() {
        let text = rpassword::prompt_password("Password: ")?;
        if rpassword::prompt_password("The same again: ")? != text {
            return Err("the passwords differ".into());
        }
        text
    } else {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text)?;
        // What `echo` adds.
        let line = text.strip_suffix('\n').unwrap_or(&text);
        line.strip_suffix('\r').unwrap_or(line).to_owned()
    };
    text.parse().map_err(|broken: contract::Broken| format!("password: {}", broken.message).into())
}
