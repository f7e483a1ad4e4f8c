//! Lists of 25 entities, from anywhere among 1,000 and among 100,000.

use bytes::Bytes;
use serde_json::Value;

use crate::requests::{PRODUCT, load, save};
use crate::server::{Connection, Server};
use crate::{Failure, row};

const FEW: usize = 1_000;
const MANY: usize = 100_000;
const LISTS: usize = 5_000;

/// Prints lists a second, CPU-milliseconds a list, and how much more it is of many.
pub(crate) async fn run() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path()).await?;
    load(&server, "first save, up to 1,000 entities", FEW, None, |n| save(&server, n)).await?;
    let few = list(&server, "list of 25 among 1,000", FEW).await?;
    load(&server, "first save, up to 100,000 entities", MANY - FEW, None, |n| save(&server, FEW + n)).await?;
    let many = list(&server, "list of 25 among 100,000", MANY).await?;
    row("list of 25: CPU of the latter to the former", many / few, "×", Some(1.1));
    Ok(())
}

async fn list(server: &Server, what: &str, entities: usize) -> Result<f64, Failure> {
    let pages = pages(server, entities).await?;
    server.quiet().await?;
    let page = |n: usize| (server.request("GET", &pages[n * 7 % pages.len()]), Bytes::new());
    load(server, what, LISTS, Some(0.5), page).await
}

/// Where pages begin: one in a hundred entities, but for the last.
async fn pages(server: &Server, entities: usize) -> Result<Vec<String>, Failure> {
    let mut connection = Connection::open(&server.address).await?;
    let mut pages = vec![format!("{PRODUCT}?limit=25")];
    let mut cursor = String::new();
    while pages.len() < entities / 100 {
        let path = format!("{PRODUCT}?limit=100{cursor}");
        let listed = connection.send(server.request("GET", &path), Bytes::new()).await?;
        let listed: Value = serde_json::from_slice(&listed)?;
        cursor = format!("&cursor={}", listed["meta"]["nextCursor"].as_str().ok_or("the list ended early")?);
        pages.push(format!("{PRODUCT}?limit=25{cursor}"));
    }
    Ok(pages)
}
