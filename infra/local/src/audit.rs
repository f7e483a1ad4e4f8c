//! `hedgerow audit`: whether an audit log is whole, in a store or as it was exported; and the log itself, the deployment's own
//! too.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write as _};

use auth::audit_chain::{DEPLOYMENT, Report, Verifier};
use contract::Error;
use contract::id::ClientId;
use store::operator::Operator;

use crate::admin::{self, told};
use crate::options::{Audit, AuditCommand, WhoseLog};
use crate::services::StartError;

/// Does it; whether what was verified is whole.
///
/// # Errors
/// If the store or the file can't be read, or there is no such client.
pub async fn run(options: Audit) -> Result<bool, StartError> {
    match &options.command {
        AuditCommand::Verify { file: Some(file), .. } => {
            let report = if file == "-" {
                of_lines(io::stdin().lock())?
            } else {
                let opened = File::open(file).map_err(|error| format!("{file}: {error}"))?;
                of_lines(BufReader::new(opened))?
            };
            Ok(tell(file, &report))
        }
        AuditCommand::Verify { file: None, whose } => {
            let store = admin::open(&options.place, true).await?;
            verify(&Operator::open(&store, admin::author(&store)), whose).await
        }
        AuditCommand::Export { whose, from, to } => {
            let store = admin::open(&options.place, true).await?;
            let operator = Operator::open(&store, admin::author(&store));
            let client = match named(&operator, whose).await? {
                Some(client) => client,
                None => return Err("say whose: --client CLIENT, or --deployment".into()),
            };
            let mut lines = operator.audit_lines(client, *from, *to).await.map_err(failed)?;
            while let Some(piece) = lines.next().await.map_err(failed)? {
                io::stdout().lock().write_all(piece.as_bytes())?;
            }
            Ok(true)
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn failed(error: Error) -> StartError {
    told(&error)
}

/// The log that was named, if one was.
async fn named(operator: &Operator, whose: &WhoseLog) -> Result<Option<Option<ClientId>>, StartError> {
    match &whose.client {
        Some(name) => {
            let found = operator.client(name).await.map_err(failed)?;
            Ok(Some(Some(found.ok_or_else(|| format!("there is no client {name}"))?)))
        }
        None => Ok(whose.deployment.then_some(None)),
    }
}

/// Verifies the log that is named, or all that there are.
async fn verify(operator: &Operator, whose: &WhoseLog) -> Result<bool, StartError> {
    let named = named(operator, whose).await?;
    let mut logs = operator.audit_logs().await.map_err(failed)?;
    if let Some(client) = named {
        let days = logs.remove(&client).unwrap_or_default();
        logs = [(client, days)].into();
    }
    let mut whole = true;
    for (client, days) in logs {
        let mut lines = operator.audit_lines(client, None, None).await.map_err(failed)?;
        let told: Vec<String> = lines.days().map(str::to_owned).collect();
        let mut verifier = Verifier::new();
        while let Some(piece) = lines.next().await.map_err(failed)? {
            piece.lines().for_each(|line| verifier.line(line));
        }
        let name = client.map_or_else(|| DEPLOYMENT.to_owned(), |client| client.to_string());
        whole &= tell(&name, &verifier.end());
        for day in days.iter().filter(|day| !told.contains(day)) {
            whole = false;
            say(&format!("{name}: all lines of {day} are missing"));
        }
    }
    Ok(whole)
}

fn of_lines(text: impl BufRead) -> Result<Report, StartError> {
    let mut verifier = Verifier::new();
    for line in text.lines() {
        verifier.line(&line?);
    }
    Ok(verifier.end())
}

/// Says what was found; whether that is nothing.
fn tell(name: &str, report: &Report) -> bool {
    for fault in &report.faults {
        say(&format!("{name}: {fault}"));
    }
    let Report { entries, days, faults } = report;
    let found = if faults.is_empty() { "the chain is whole" } else { "THE LOG IS NOT WHOLE" };
    say(&format!("{name}: {entries} lines of {days} days; {found}"));
    faults.is_empty()
}

#[expect(clippy::print_stdout, reason = "a command's output")]
fn say(text: &str) {
    println!("{text}");
}
