//! `GET /api/openapi.json`

use contract::Error;
use runtime::{Done, Now};

/// Written by `cargo xtask gen` from the routes' declarations and the handlers' types.
const DOCUMENT: &str = include_str!("../openapi.json");

pub(crate) async fn get_openapi(_now: Now) -> Result<Done, Error> {
    Ok(Done(DOCUMENT))
}
