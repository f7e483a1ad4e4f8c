//! A limit as a state machine without I/O: what is counted in cells of time, and what one host knows of it.
//!
//! A window has ten cells. What is in the current cell and the ten before it is at most the limit: eleven cells, since a
//! window that begins inside a cell touches eleven. So no sliding window passes more than the limit, however hosts
//! interleave, as far as their clocks agree; under overload a limit of `L` gives `L` in eleven cells, 91% of it.
//!
//! A host computes from what it saw last and writes by condition. What it saw is never more than what was used, since
//! others only add: where it leaves no room there is none, and nothing is asked.

/// Cells in a window.
pub(crate) const CELLS: usize = 10;
/// From the cell in which something was counted to the one in which it counts no more.
const LIFE: i64 = 11;
/// A counter so much further ahead than the host's own clock was written by a broken one, in milliseconds.
const MOST_AHEAD: i64 = 5 * 60 * 1000;

/// A limit: how many in a window, whose cells are so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) limit: u64,
    /// In milliseconds.
    pub(crate) cell: i64,
}

/// What was used: in cell `k` so far `c`, in the ones before it `h`, the last one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counter {
    pub(crate) k: i64,
    pub(crate) c: u64,
    pub(crate) h: [u64; CELLS],
}

impl Counter {
    /// Nothing yet.
    pub(crate) fn empty(k: i64) -> Self {
        Self { k, ..Self::default() }
    }

    /// All that is in the ten cells before its own.
    pub(crate) fn s(&self) -> u64 {
        self.h.iter().sum()
    }

    /// What was counted in a cell.
    fn at(&self, cell: i64) -> u64 {
        match usize::try_from(self.k - cell) {
            Ok(0) => self.c,
            Ok(back) => self.h.get(back - 1).copied().unwrap_or(0),
            Err(_) => 0,
        }
    }

    /// The same as it stands in cell `k`, or in its own if that is later.
    pub(crate) fn in_cell(&self, k: i64) -> Self {
        if k <= self.k {
            return *self;
        }
        Self { k, c: 0, h: std::array::from_fn(|back| self.at(k - 1 - i64::try_from(back).unwrap_or(0))) }
    }

    pub(crate) fn room(&self, limit: u64) -> u64 {
        limit.saturating_sub(self.c + self.s())
    }

    /// The first cell that has room again, if nobody uses anything.
    pub(crate) fn room_returns(&self, limit: u64) -> i64 {
        (self.k..self.k + LIFE).find(|k| self.in_cell(*k).room(limit) > 0).unwrap_or(self.k + LIFE)
    }

    /// The cell in which the oldest of what was used counts no more; its own where nothing was.
    pub(crate) fn next_release(&self) -> i64 {
        let oldest = (self.k - LIFE + 1..=self.k).find(|cell| self.at(*cell) > 0);
        oldest.map_or(self.k, |cell| cell + LIFE)
    }
}

/// A conditional write that a host asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Write {
    /// `n` more, if it is still in this cell and with this history, and has used no more than `most`.
    Take { seen: Counter, n: u64, most: u64 },
    /// A new cell, if nothing is there, or what was seen is there unaltered.
    Roll { seen: Option<Counter>, to: Counter },
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is done; what stands there now.
    Done(Counter),
    /// Its condition does not hold for what stands there.
    Refused(Option<Counter>),
}

/// What a host finds, asked for one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// There is room, and it is counted.
    Admitted,
    /// There is none.
    Refused,
    /// It has to be written first.
    Write(Write),
}

/// What one host knows of one limit.
#[derive(Debug, Default)]
pub(crate) struct Host {
    seen: Option<Counter>,
    /// How many are left of what was taken for later in the cell that was seen. Dead at its end.
    lease: u64,
    /// One was let pass uncounted in this cell, and is to be counted with the next.
    owed: Option<i64>,
    demand: Demand,
    /// How many the write under way counts.
    taking: u64,
}

/// How many were asked for, cell by cell.
#[derive(Debug, Default)]
struct Demand {
    k: i64,
    now: u64,
    before: u64,
}

impl Host {
    /// Notes that one is asked for at this time. Once a request: tries that follow are no demand.
    pub(crate) fn note(&mut self, now: i64, shape: Shape) {
        let k = now.div_euclid(shape.cell);
        let Demand { k: last, now: asked, .. } = self.demand;
        if k != last {
            self.demand = Demand { k, now: 0, before: if k == last + 1 { asked } else { 0 } };
        }
        self.demand.now += 1;
    }

    /// Asks for one, while so many others wait to ask; `quietly`, if the first after a window of silence may pass
    /// uncounted.
    pub(crate) fn ask(&mut self, now: i64, shape: Shape, waiting: u64, quietly: bool) -> Asked {
        let own = now.div_euclid(shape.cell);
        self.owed = self.owed.filter(|k| (*k..*k + LIFE).contains(&own));
        let here = self.standing(now, shape);
        if self.seen.is_some_and(|seen| seen.k == own) && self.lease > 0 {
            self.lease -= 1;
            return Asked::Admitted;
        }
        self.lease = 0;
        let owed = u64::from(self.owed.is_some());
        let room = here.room(shape.limit);
        if room <= owed {
            return Asked::Refused;
        }
        if quietly && owed == 0 && here.c + here.s() == 0 {
            self.owed = Some(own);
            return Asked::Admitted;
        }
        // What is ahead of the own clock can't be told when it ends: nothing is taken there for later.
        let ahead = if here.k == own { self.ahead(shape, room, waiting) } else { 1 };
        let n = (ahead + owed).min(room);
        self.taking = n;
        Asked::Write(match self.seen.filter(|seen| seen.k == here.k) {
            Some(seen) => Write::Take { seen, n, most: shape.limit - seen.s() - n },
            None => Write::Roll { seen: self.seen, to: Counter { c: n, ..here } },
        })
    }

    /// How many to take at once: as many as were asked for in the last cell, or wait, where that leaves others theirs.
    fn ahead(&self, shape: Shape, room: u64, waiting: u64) -> u64 {
        let share = shape.limit.div_ceil(100).max(room / 8);
        self.demand.before.max(waiting + 1).min(share).max(1)
    }

    /// Learns what became of the write that was asked for; whether the one who asked is admitted, or has to ask again.
    pub(crate) fn learn(&mut self, written: Written) -> bool {
        match written {
            Written::Done(counter) => {
                self.lease = self.taking - 1 - u64::from(self.owed.take().is_some());
                self.seen = Some(counter);
                true
            }
            Written::Refused(found) => {
                self.seen = found;
                false
            }
        }
    }

    /// Counts one here alone, where what all count in can't be reached; whether there was room.
    pub(crate) fn count_here(&mut self, now: i64, shape: Shape) -> bool {
        let here = self.standing(now, shape);
        self.lease = 0;
        let admitted = here.room(shape.limit) > 0;
        self.seen = Some(Counter { c: here.c + u64::from(admitted), ..here });
        admitted
    }

    /// The counter as it stands now, as far as it is known here.
    fn standing(&self, now: i64, shape: Shape) -> Counter {
        let own = now.div_euclid(shape.cell);
        self.seen.map_or_else(|| Counter::empty(own), |seen| mended(seen, now, shape).in_cell(own))
    }

    /// What is left, as far as it is known here: the counter, and how much room it leaves this host.
    pub(crate) fn left(&self, now: i64, shape: Shape) -> (Counter, u64) {
        let here = self.standing(now, shape);
        (here, (here.room(shape.limit) + self.lease).saturating_sub(u64::from(self.owed.is_some())))
    }
}

/// A counter from beyond what clocks differ by would refuse everybody until that time comes. All that it counts is taken
/// as used just now, so that nobody gets more by it.
pub(crate) fn mended(seen: Counter, now: i64, shape: Shape) -> Counter {
    let own = now.div_euclid(shape.cell);
    let tolerated = MOST_AHEAD / shape.cell + LIFE;
    if seen.k <= own + tolerated {
        return seen;
    }
    let mut h = [0; CELLS];
    h[0] = seen.c + seen.s();
    Counter { k: own, c: 0, h }
}

#[cfg(test)]
mod tests;
