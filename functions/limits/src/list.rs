//! `GET /api/v1/limits`

use contract::Error;
use contract::rate_limit::LimitStanding;
use runtime::{Listed, OwnLimits};
use store::page::Page;
use store::rate_limits::LimitStandings;

pub(crate) async fn list(standings: LimitStandings, own: OwnLimits) -> Result<Listed<LimitStanding>, Error> {
    Ok(Listed(Page { items: standings.of(&own.0).await?, next_cursor: None }))
}
