//! How the limits of a caller stand: its rate limits, and how many of each thing its client has. Counts under none.

use contract::Error;
use contract::rate_limit::LimitStanding;

use super::cells::{Counter, mended};
use super::{Limit, counter, tally};
use crate::OpContext;
use crate::dynamo::get_number;
use crate::grant::granted;
use crate::limits::COUNTED;

/// How the limits of a caller stand.
pub struct LimitStandings {
    op: OpContext,
}

granted! {
    LimitStandings {
        Counters BatchGetItem [Limits];
        Main BatchGetItem [Counts];
    }
}

impl LimitStandings {
    /// Of a caller of the request's client.
    #[must_use]
    pub fn open(op: &OpContext) -> Self {
        Self { op: op.clone() }
    }

    /// Of these rate limits, and of all that is counted of the client.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn of(&self, limits: &[Limit]) -> Result<Vec<LimitStanding>, Error> {
        let (store, client) = (&self.op.store, self.op.scope.client());
        let plan = store.plan_limits(client).await?;
        let rates = limits.iter().map(Limit::key);
        let keys: Vec<_> = rates.chain(COUNTED.iter().map(|counted| counted.counter(client))).collect();
        let found = store.batch_get_all(&keys.iter().collect::<Vec<_>>()).await?;
        let now = store.clock().now();
        let rates = limits.iter().map(|limit| {
            let (item, shape) = (found.get(&limit.key()), limit.shape());
            let own = now.millis().div_euclid(shape.cell);
            let known = item.and_then(counter).map(|counter| mended(counter, now.millis(), shape).in_cell(own));
            let known = known.unwrap_or_else(|| Counter::empty(own));
            let tally = tally(limit, &known, known.room(shape.limit), false);
            LimitStanding {
                name: tally.name.shown(),
                limit: shape.limit,
                remaining: tally.remaining,
                reset_at: Some(tally.reset_at.max(now)),
            }
        });
        let counts = COUNTED.iter().map(|counted| {
            let limit = counted.of_plan(&plan);
            let used = found.get(&counted.counter(client)).and_then(|item| get_number(item, "count")).unwrap_or(0);
            LimitStanding { name: counted.key, limit, remaining: limit.saturating_sub(used), reset_at: None }
        });
        Ok(rates.chain(counts).collect())
    }
}
