//! Work that takes long, on threads that nothing else waits for. Clients have them by turns: no client's work keeps
//! another's waiting for longer than its own piece takes, and none can fill the memory with what waits.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use contract::id::ClientId;
use contract::{Code, Error};
use tokio::sync::Semaphore;

/// Threads for it.
const THREADS: usize = 16;
/// Pieces of work of one client, the one under way and those that wait, each with its request.
const MAX_PER_CLIENT: usize = 32;
const TOO_MANY: &str = "This client has much under way that takes long. Please let some of it end, then try again.";

static TURNS: Turns = Turns::new(THREADS, MAX_PER_CLIENT);

/// Does it when it is the client's turn, after what the client has asked for before. If the caller goes before that, it
/// is not done.
///
/// # Errors
/// `unavailable` if the client has too much waiting already; `internal` if it panics.
pub async fn for_client<T: Send + 'static>(
    client: ClientId,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    TURNS.take(client, work).await
}

/// Does it when it is its turn in a lane; who waits, waits without a thread.
pub(crate) async fn apart<T: Send + 'static>(
    lane: &'static Semaphore,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let turn = lane.acquire().await.map_err(Error::internal)?;
    holding(turn, work).await
}

/// What is held goes with the work: that is not over because the caller has gone.
async fn holding<T: Send + 'static>(
    held: impl Send + 'static,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let work = move || {
        let done = work();
        drop(held);
        done
    };
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

/// The turns of clients at some threads.
struct Turns {
    /// In the order in which they are asked for. A client waits for one at a time, so whoever came last is the last.
    threads: Semaphore,
    most: usize,
    lanes: Mutex<BTreeMap<ClientId, Lane>>,
}

/// What a client has here.
struct Lane {
    /// One piece of work at a time.
    turn: Arc<Semaphore>,
    count: usize,
}

/// A place in a client's lane until this is dropped.
struct Place {
    turns: &'static Turns,
    client: ClientId,
    turn: Arc<Semaphore>,
}

impl Turns {
    const fn new(threads: usize, most: usize) -> Self {
        Self { threads: Semaphore::const_new(threads), most, lanes: Mutex::new(BTreeMap::new()) }
    }

    async fn take<T: Send + 'static>(
        &'static self,
        client: ClientId,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let place = self.place(client)?;
        let turn = place.turn.clone().acquire_owned().await.map_err(Error::internal)?;
        let thread = self.threads.acquire().await.map_err(Error::internal)?;
        holding((turn, thread, place), work).await
    }

    fn place(&'static self, client: ClientId) -> Result<Place, Error> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.entry(client).or_insert_with(|| Lane { turn: Arc::new(Semaphore::new(1)), count: 0 });
        if lane.count >= self.most {
            return Err(Error::saying(Code::Unavailable, TOO_MANY));
        }
        lane.count += 1;
        Ok(Place { turns: self, client, turn: lane.turn.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut lanes = self.turns.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut lane) = lanes.entry(self.client) {
            lane.get_mut().count -= 1;
            if lane.get().count == 0 {
                lane.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::task::{JoinHandle, yield_now};

    use super::*;

    fn client(number: u8) -> ClientId {
        format!("cl_{number:032x}").parse().expect("an identifier")
    }

    /// What was done, in its order.
    #[derive(Clone, Default)]
    struct Done(Arc<Mutex<Vec<(u8, usize)>>>);

    impl Done {
        fn read(&self) -> Vec<(u8, usize)> {
            self.0.lock().expect("a lock").clone()
        }
    }

    /// Asks for so many pieces of work of a client, which are waiting when this ends.
    async fn ask(turns: &'static Turns, number: u8, pieces: usize, done: &Done) -> Vec<JoinHandle<Result<(), Error>>> {
        let mut asked = Vec::new();
        for piece in 0..pieces {
            let done = done.0.clone();
            let work = move || done.lock().expect("a lock").push((number, piece));
            asked.push(tokio::spawn(turns.take(client(number), work)));
            yield_now().await;
        }
        asked
    }

    /// Takes the only thread until the sender is dropped.
    async fn busy(turns: &'static Turns, number: u8) -> (mpsc::Sender<()>, JoinHandle<Result<bool, Error>>) {
        let (end, ended) = mpsc::channel::<()>();
        let held = tokio::spawn(turns.take(client(number), move || ended.recv().is_err()));
        while turns.threads.available_permits() > 0 {
            yield_now().await;
        }
        (end, held)
    }

    #[tokio::test]
    async fn clients_take_turns_however_much_one_of_them_asks_for() {
        static TURNS: Turns = Turns::new(1, 100);
        let (end, held) = busy(&TURNS, 0).await;
        let done = Done::default();
        let mut asked = ask(&TURNS, 1, 50, &done).await;
        asked.extend(ask(&TURNS, 2, 2, &done).await);
        asked.extend(ask(&TURNS, 3, 1, &done).await);
        assert_eq!(done.read(), []);
        drop(end);
        assert!(held.await.unwrap().unwrap());
        for one in asked {
            one.await.unwrap().unwrap();
        }
        let done = done.read();
        assert_eq!(done[..5], [(1, 0), (2, 0), (3, 0), (1, 1), (2, 1)]);
        assert_eq!(done[5..], (2..50).map(|piece| (1, piece)).collect::<Vec<_>>());
        assert!(TURNS.lanes.lock().unwrap().is_empty(), "nothing is kept of those who wait for nothing");
    }

    #[tokio::test]
    async fn a_client_has_one_thread_and_leaves_the_others_to_others() {
        static TURNS: Turns = Turns::new(2, 100);
        let (end, ended) = mpsc::channel::<()>();
        let done = Done::default();
        let held = tokio::spawn(TURNS.take(client(1), move || ended.recv().is_err()));
        yield_now().await;
        let behind = ask(&TURNS, 1, 3, &done).await;
        for one in ask(&TURNS, 2, 5, &done).await {
            one.await.unwrap().unwrap();
        }
        assert_eq!(done.read(), (0..5).map(|piece| (2, piece)).collect::<Vec<_>>());
        drop(end);
        assert!(held.await.unwrap().unwrap());
        for one in behind {
            one.await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn whoever_has_too_much_waiting_is_told_so_at_once() {
        static TURNS: Turns = Turns::new(1, 3);
        let (end, held) = busy(&TURNS, 1).await;
        let done = Done::default();
        let asked = ask(&TURNS, 1, 2, &done).await;
        let refused = TURNS.take(client(1), || ()).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
        let of_another = ask(&TURNS, 2, 3, &done).await;
        drop(end);
        assert!(held.await.unwrap().unwrap());
        for one in asked.into_iter().chain(of_another) {
            one.await.unwrap().unwrap();
        }
        TURNS.take(client(1), || ()).await.unwrap();
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_is_not_begun_and_what_has_begun_keeps_its_turn() {
        static TURNS: Turns = Turns::new(1, 3);
        let (end, held) = busy(&TURNS, 1).await;
        let done = Done::default();
        let gone = ask(&TURNS, 1, 2, &done).await;
        held.abort();
        for one in &gone {
            one.abort();
        }
        for one in gone {
            assert!(one.await.unwrap_err().is_cancelled());
        }
        assert_eq!(TURNS.threads.available_permits(), 0);
        let next = ask(&TURNS, 1, 2, &done).await;
        assert_eq!(TURNS.take(client(1), || ()).await.unwrap_err().code(), Code::Unavailable);
        drop(end);
        for one in next {
            one.await.unwrap().unwrap();
        }
        assert_eq!(done.read(), [(1, 0), (1, 1)]);
    }
}
