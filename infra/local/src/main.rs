//! The `hedgerow` command.

use clap::Parser as _;
use hedgerow::options::{Command, Hedgerow};

fn main() -> std::process::ExitCode {
    let run = || -> Result<(), Box<dyn std::error::Error>> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        match Hedgerow::parse().command {
            Command::Dev(options) => runtime.block_on(hedgerow::dev::run(options)),
            Command::Engines(options) => runtime.block_on(hedgerow::sample_engine::run(options)),
        }
    };
    match run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hedgerow: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}
