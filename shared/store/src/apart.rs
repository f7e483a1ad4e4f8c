//! Work that takes long, on threads that nothing else waits for.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use contract::Error;
use contract::id::ClientId;
use tokio::sync::Semaphore;

/// Each has one of these threads at a time. A client always has the same, so that it can't fill the others.
static LANES: [Semaphore; 16] = [const { Semaphore::const_new(1) }; 16];

/// Does it in a client's lane.
///
/// # Errors
/// `internal` if it panics.
pub async fn for_client<T: Send + 'static>(
    client: ClientId,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    apart(lane(client), work).await
}

fn lane(client: ClientId) -> &'static Semaphore {
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(client);
    &LANES[usize::from(hash.to_be_bytes()[7]) % LANES.len()]
}

/// Does it when it is its turn in a lane; who waits, waits without a thread.
pub(crate) async fn apart<T: Send + 'static>(
    lane: &'static Semaphore,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let turn = lane.acquire().await.map_err(Error::internal)?;
    // The turn goes with the work: it is not over because the caller has gone.
    let work = move || {
        let done = work();
        drop(turn);
        done
    };
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// One lane is taken by work that does not end; the other goes on, and who waits in the first gets its turn.
    #[tokio::test]
    async fn a_lane_that_is_taken_holds_up_no_other() {
        static TAKEN: Semaphore = Semaphore::const_new(1);
        static FREE: Semaphore = Semaphore::const_new(1);
        let (end, ended) = mpsc::channel::<()>();
        let held = tokio::spawn(apart(&TAKEN, move || ended.recv().is_ok()));
        while TAKEN.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let waits = tokio::spawn(apart(&TAKEN, || 1));
        assert_eq!(apart(&FREE, || 2).await.unwrap(), 2);
        assert!(!waits.is_finished());
        end.send(()).unwrap();
        assert!(held.await.unwrap().unwrap());
        assert_eq!(waits.await.unwrap().unwrap(), 1);
    }

    #[tokio::test]
    async fn whoever_gives_up_waiting_leaves_the_turn_to_the_work() {
        static LANE: Semaphore = Semaphore::const_new(1);
        let (end, ended) = mpsc::channel::<()>();
        let held = tokio::spawn(apart(&LANE, move || ended.recv().is_ok()));
        while LANE.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        held.abort();
        assert!(held.await.is_err());
        assert_eq!(LANE.available_permits(), 0);
        end.send(()).unwrap();
        apart(&LANE, || ()).await.unwrap();
    }
}
