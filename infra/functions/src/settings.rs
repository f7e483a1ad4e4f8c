//! How functions are fed, and for how long what feeds them waits: what the template tells AWS, and what the workers of one
//! machine do by themselves.

use std::time::Duration;

use runtime::{Queue, Source};

/// How long the function of a route may take.
pub const ROUTE_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a message is kept at the most: as long as SQS can. One that was set aside keeps its age.
pub const RETENTION: Duration = Duration::from_secs(14 * 24 * 3600);

/// A message that was handed out so often is set aside, as a dead letter.
pub const MAX_RECEIVES: u32 = 10;

/// Messages that come in one batch at the most: more would have to be waited for.
pub const MESSAGES: u16 = 10;

/// Changes that come in one batch at the most.
pub const CHANGES: u16 = 100;

/// How long a batch of changes is waited for to fill.
pub const CHANGES_WINDOW: Duration = Duration::ZERO;

/// How long a message that was handed out is out of others' sight: six times what the functions that queues feed may take,
/// as Lambda's own retries of a throttled function want it.
#[must_use]
pub fn visibility() -> Duration {
    let of_queues = crate::consumers().into_iter().filter(|consumer| matches!(consumer.source, Source::Queues(_)));
    of_queues.map(|consumer| consumer.timeout).max().unwrap_or_default() * 6
}

/// How much is worked on at once.
pub struct AtOnce {
    /// Batches that Lambda works on, each in an instance of its own.
    pub lambda: u16,
    /// Batches that one process works on: they wait for their endpoints, and share all else.
    pub one_machine: u16,
}

/// How many batches of a queue are worked on at once: a slow endpoint holds up its batch, not the others.
#[must_use]
pub const fn at_once(queue: Queue) -> AtOnce {
    match queue {
        // In AWS what the parameter DeliveryConcurrency is unless a deployment says otherwise.
        Queue::FirstAttempts | Queue::Retries => AtOnce { lambda: 50, one_machine: 128 },
        // Jobs are in no hurry, and all of them write to one table.
        Queue::Jobs => AtOnce { lambda: 10, one_machine: 4 },
        // As few as there may be: SES takes so many mails a second, few of a new account.
        Queue::Mail => AtOnce { lambda: 2, one_machine: 4 },
    }
}

/// How often a batch of changes is tried before it is set aside, with ever longer pauses: in AWS over some hours, so that
/// a fault there can be mended; on one machine, where nothing but the record itself is at fault, over seconds.
pub struct Tries {
    /// By Lambda, after the first.
    pub lambda: u16,
    /// By one process, all of them.
    pub one_machine: u16,
}

/// How often changes are tried.
pub const TRIES: Tries = Tries { lambda: 50, one_machine: 8 };
