//! The `hedgerow` command.

use std::process::ExitCode;

use clap::Parser as _;
use hedgerow::options::{Command, Hedgerow};

fn main() -> ExitCode {
    let command = Hedgerow::parse().command;
    // Of a comparison, as `cmp` has it: 1 is the answer, 2 is trouble.
    let failure =
        if matches!(command, Command::Verify(_) | Command::Audit(_)) { ExitCode::from(2) } else { ExitCode::FAILURE };
    run(command).unwrap_or_else(|error| {
        eprintln!("hedgerow: {}", auth::mask(&error.to_string()));
        failure
    })
}

fn run(command: Command) -> Result<ExitCode, Box<dyn std::error::Error>> {
    if let Command::Verify(options) = &command {
        let genuine = hedgerow::verify::run(options)?;
        return Ok(if genuine { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    if let Command::Audit(options) = command {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let whole = runtime.block_on(hedgerow::audit::run(options))?;
        return Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Dev(options) => hedgerow::dev::run(options).await,
            Command::Engines(options) => hedgerow::sample_engine::run(options).await,
            Command::Admin(options) => hedgerow::admin::run(options).await,
            Command::Listen(options) => hedgerow::listen::run(options).await,
            Command::Audit(_) | Command::Verify(_) => Ok(()),
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
