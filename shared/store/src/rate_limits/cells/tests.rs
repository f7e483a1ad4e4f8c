use proptest::prelude::*;

use super::*;

/// The item that all hosts write to.
#[derive(Default)]
struct Shared(Option<Counter>);

impl Shared {
    fn write(&mut self, write: Write) -> Written {
        let next = match (write, self.0) {
            (Write::Take { seen, n, most }, Some(item)) => (item.k == seen.k && item.s() == seen.s() && item.c <= most)
                .then_some(Counter { c: item.c + n, ..item }),
            (Write::Take { .. }, None) => None,
            (Write::Roll { to, .. }, None) => Some(to),
            (Write::Roll { seen, to }, Some(item)) => {
                seen.is_some_and(|seen| (item.k, item.c) == (seen.k, seen.c)).then_some(to)
            }
        };
        match next {
            Some(next) => {
                self.0 = Some(next);
                Written::Done(next)
            }
            None => Written::Refused(self.0),
        }
    }
}

/// A host with at most one write under way, and when the one that waits for it asked.
#[derive(Default)]
struct Node {
    host: Host,
    /// How far its clock is ahead, in milliseconds.
    skew: i64,
    under_way: Option<(Write, i64)>,
}

/// What was admitted: from when it asked until it was told, in true time.
type Admitted = (i64, i64);

struct World {
    shape: Shape,
    shared: Shared,
    nodes: Vec<Node>,
    now: i64,
    admitted: Vec<Admitted>,
    quietly: bool,
}

impl World {
    fn new(shape: Shape, hosts: usize) -> Self {
        let nodes = (0..hosts).map(|_| Node::default()).collect();
        Self { shape, shared: Shared::default(), nodes, now: 1_700_000_000_000, admitted: Vec::new(), quietly: false }
    }

    /// One more asks at a host, unless one waits there already.
    fn ask(&mut self, at: usize, waiting: u64) {
        let node = &mut self.nodes[at];
        if node.under_way.is_none() {
            node.host.note(self.now + node.skew, self.shape);
            self.go_on(at, waiting, self.now);
        }
    }

    fn go_on(&mut self, at: usize, waiting: u64, since: i64) {
        let node = &mut self.nodes[at];
        match node.host.ask(self.now + node.skew, self.shape, waiting, self.quietly) {
            Asked::Admitted => self.admitted.push((since, self.now)),
            Asked::Refused => {}
            Asked::Write(write) => node.under_way = Some((write, since)),
        }
    }

    /// The write of a host arrives; `twice`, if its first answer is lost and it is sent again.
    fn arrive(&mut self, at: usize, twice: bool) {
        let Some((write, since)) = self.nodes[at].under_way.take() else { return };
        let mut written = self.shared.write(write);
        if twice {
            written = self.shared.write(write);
        }
        if self.nodes[at].host.learn(written) {
            self.admitted.push((since, self.now));
        } else {
            self.go_on(at, 0, since);
        }
    }

    /// The most that was admitted, beyond doubt, within any span of this many milliseconds.
    fn most_within(&self, span: i64) -> usize {
        let mut told = self.admitted.clone();
        told.sort_unstable_by_key(|(_, told)| *told);
        let within = |from: i64| {
            let until = told.partition_point(|(_, at)| *at <= from + span);
            let since = told.partition_point(|(_, at)| *at < from);
            told[since..until].iter().filter(|(asked, _)| *asked >= from).count()
        };
        told.iter().map(|(asked, _)| within(*asked)).max().unwrap_or(0)
    }
}

#[derive(Debug, Clone)]
enum Event {
    Time(i64),
    Ask(usize, u64),
    Arrive(usize, bool),
}

fn events(hosts: usize, cell: i64) -> impl Strategy<Value = Vec<Event>> {
    let time = prop_oneof![8 => 0..=cell / 5, 3 => 0..=cell * 2, 1 => 0..=cell * 15];
    let event = prop_oneof![
        2 => time.prop_map(Event::Time),
        5 => (0..hosts, 0..20_u64).prop_map(|(at, waiting)| Event::Ask(at, waiting)),
        4 => (0..hosts, prop::bool::weighted(0.1)).prop_map(|(at, twice)| Event::Arrive(at, twice)),
    ];
    prop::collection::vec(event, 1..600)
}

fn play(world: &mut World, events: Vec<Event>) {
    for event in events {
        match event {
            Event::Time(millis) => world.now += millis,
            Event::Ask(at, waiting) => world.ask(at, waiting),
            Event::Arrive(at, twice) => world.arrive(at, twice),
        }
    }
}

const WINDOW: i64 = 1000;

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whenever whose writes arrive, lost answers among them.
    #[test]
    fn no_sliding_window_passes_the_limit(limit in 1..40_u64, played in events(4, WINDOW / 10)) {
        let mut world = World::new(Shape { limit, cell: WINDOW / 10 }, 4);
        play(&mut world, played);
        prop_assert!(world.most_within(WINDOW) <= usize::try_from(limit).unwrap());
    }

    /// Clocks that differ shorten the window by as much as they do, and no more.
    #[test]
    fn clocks_that_differ_cost_what_they_differ_by(
        limit in 1..40_u64, skews in prop::array::uniform4(-150..150_i64), played in events(4, WINDOW / 10),
    ) {
        let mut world = World::new(Shape { limit, cell: WINDOW / 10 }, 4);
        for (node, skew) in world.nodes.iter_mut().zip(skews) {
            node.skew = skew;
        }
        play(&mut world, played);
        let apart = skews.iter().max().unwrap() - skews.iter().min().unwrap();
        prop_assert!(world.most_within(WINDOW - apart) <= usize::try_from(limit).unwrap());
    }

    /// What passes uncounted is at most one a host in a window.
    #[test]
    fn the_filter_in_front_errs_by_one_a_host(limit in 2..40_u64, played in events(4, WINDOW / 10)) {
        let mut world = World::new(Shape { limit, cell: WINDOW / 10 }, 4);
        world.quietly = true;
        play(&mut world, played);
        prop_assert!(world.most_within(WINDOW) <= usize::try_from(limit).unwrap() + 4);
    }

    /// A host that sees no room asks nobody, and is right.
    #[test]
    fn a_refusal_is_never_wrong(limit in 1..20_u64, played in events(3, WINDOW / 10)) {
        let mut world = World::new(Shape { limit, cell: WINDOW / 10 }, 3);
        for event in played {
            if let Event::Ask(at, waiting) = event {
                let before = world.admitted.len();
                world.ask(at, waiting);
                let refused = world.nodes[at].under_way.is_none() && world.admitted.len() == before;
                let now = world.now / world.shape.cell;
                let room = world.shared.0.map(|item| item.in_cell(now).room(limit));
                prop_assert!(!refused || room == Some(0));
            } else {
                play(&mut world, vec![event]);
            }
        }
    }
}

/// Four hosts at five times the limit, whose writes take some milliseconds.
fn overload(shape: Shape, step: i64) -> World {
    let mut world = World::new(shape, 4);
    let (window, begun) = (shape.cell * 10, world.now);
    let (mut due, mut turn) = (0, 0_usize);
    while world.now < begun + 20 * window {
        world.now += step;
        for at in 0..4 {
            world.arrive(at, false);
        }
        due += step * i64::try_from(shape.limit).unwrap() * 5;
        while due >= window {
            due -= window;
            turn += 1;
            world.ask(turn % 4, 0);
        }
    }
    world
}

#[test]
fn under_overload_nine_tenths_of_a_limit_are_used() {
    for (limit, seconds) in [(30, 1), (60, 1), (100, 1), (1_000, 1), (10, 900), (50, 900), (1_000, 900), (5, 900)] {
        let shape = Shape { limit, cell: seconds * 100 };
        let world = overload(shape, (shape.cell / 40).max(1));
        let share = world.admitted.len() as f64 / (limit * 20) as f64;
        assert!(share >= 0.9, "{limit}/{seconds}: {share}");
        let most = world.most_within(seconds * 1000);
        assert!(most <= usize::try_from(limit).unwrap(), "{limit}/{seconds}: {most}");
    }
}

#[test]
fn what_was_used_counts_for_eleven_cells() {
    let mut counter = Counter { c: 3, ..Counter::empty(100) };
    assert_eq!((counter.room(3), counter.room_returns(3), counter.next_release()), (0, 111, 111));
    assert_eq!((counter.in_cell(110).room(3), counter.in_cell(111).room(3)), (0, 3));
    counter = Counter { c: 1, ..counter.in_cell(105) };
    assert_eq!((counter.s(), counter.room(5), counter.room_returns(5)), (3, 1, 105));
    assert_eq!((counter.room_returns(4), counter.room_returns(1)), (111, 116));
    assert_eq!(Counter::empty(7).next_release(), 7);
}

#[test]
fn a_clock_that_is_far_ahead_blocks_nobody_for_long_and_frees_nobody() {
    let shape = Shape { limit: 10, cell: 100 };
    let now = 1_700_000_000_000;
    let ahead = Counter { c: 4, ..Counter::empty((now + 3_600_000) / 100) };
    let mut host = Host::default();
    host.learn(Written::Refused(Some(ahead)));
    let Asked::Write(Write::Roll { seen, to }) = host.ask(now, shape, 0, false) else { panic!("it begins a cell") };
    assert_eq!((seen, to.k, to.s(), to.c), (Some(ahead), now / 100, 4, 1));
    // By less, the larger cell counts.
    let near = Counter { c: 10, ..Counter::empty(now / 100 + 50) };
    host.learn(Written::Refused(Some(near)));
    assert_eq!(host.ask(now, shape, 0, false), Asked::Refused);
}

#[test]
fn where_none_can_be_reached_a_host_holds_the_limit_alone() {
    let (shape, now) = (Shape { limit: 3, cell: 100 }, 1_700_000_000_000);
    let mut host = Host::default();
    let admitted = |host: &mut Host, at: i64| (0..9).filter(|_| host.count_here(at, shape)).count();
    assert_eq!((admitted(&mut host, now), admitted(&mut host, now + 1000), admitted(&mut host, now + 1100)), (3, 0, 3));
}
