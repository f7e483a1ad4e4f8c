//! `make bench`: what a request and a webhook cost on one machine, how fast a function starts, and what all binaries cost to link.

#![expect(clippy::print_stdout, reason = "a command's output")]

mod beside;
mod gates;
mod limits;
mod link;
mod lists;
mod requests;
mod server;
mod start;
mod webhooks;

/// Anything that can go wrong.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    println!("{:<44} {:>12} {:>12} {:>10}", "", "measured", "aim", "");
    // All of it, or what is named: `bench webhooks`.
    let named: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |part: &str| named.is_empty() || named.iter().any(|name| name == part);
    if wanted("requests") {
        runtime.block_on(requests::run())?;
    }
    if wanted("gates") {
        runtime.block_on(gates::run())?;
    }
    if wanted("limits") {
        runtime.block_on(limits::run())?;
    }
    if wanted("lists") {
        runtime.block_on(lists::run())?;
    }
    if wanted("beside") {
        runtime.block_on(beside::run())?;
    }
    if wanted("webhooks") {
        runtime.block_on(webhooks::run())?;
    }
    if wanted("start") {
        runtime.block_on(start::run())?;
    }
    if wanted("link") {
        link::run()?;
    }
    Ok(())
}

/// One line of the table.
fn row(what: &str, measured: f64, unit: &str, aim: Option<f64>) {
    let verdict = match aim {
        Some(aim) if measured > aim => "MISSED",
        Some(_) => "met",
        None => "",
    };
    let aim = aim.map(|aim| format!("≤ {aim:.2}")).unwrap_or_default();
    println!("{what:<44} {:>12} {aim:>12} {verdict:>10}", format!("{measured:.2} {unit}"));
}
