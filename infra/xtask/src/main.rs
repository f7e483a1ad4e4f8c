//! `cargo xtask`: chores of this repository.

#![expect(clippy::print_stdout, reason = "a command's output")]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::{Failure, files, root};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Chores of this repository")]
struct Options {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Write what comes from the routes' declarations: the API's description, sample events, the template, the watch routes
    Gen {
        /// Write nothing; list the files that differ and fail if there are any
        #[arg(long)]
        check: bool,
    },
    /// Make the account of the sample events in a deployment on this machine, which `AWS_ENDPOINT_URL` names
    Seed,
}

fn main() -> ExitCode {
    let done = match Options::parse().chore {
        Chore::Gen { check } => generate(check),
        Chore::Seed => seed(),
    };
    match done {
        Ok(code) => code,
        Err(failure) => {
            println!("{failure:?}");
            ExitCode::FAILURE
        }
    }
}

fn seed() -> Result<ExitCode, Failure> {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio.block_on(xtask::seed::seed())?;
    Ok(ExitCode::SUCCESS)
}

fn generate(check: bool) -> Result<ExitCode, Failure> {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let root = root();
    let generated = tokio.block_on(xtask::generate(&root))?;
    let drift = files::drift(&root, &generated)?;
    if !check {
        files::write(&root, &generated, &drift)?;
    }
    for path in &drift {
        println!("{} {path}", if check { "differs:" } else { "wrote" });
    }
    Ok(if check && !drift.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
