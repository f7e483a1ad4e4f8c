//! Chance that can be repeated, and the faults that it chooses.

use std::sync::atomic::{AtomicU64, Ordering};

use engines::{Call, Fault};

/// A chance generator that is good enough to break things: splitmix64.
pub(crate) struct Chance(AtomicU64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.into())
    }

    pub(crate) fn number(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&self, end: u64) -> u64 {
        self.number() % end
    }

    /// True so often in a hundred.
    pub(crate) fn percent(&self, of: u64) -> bool {
        self.below(100) < of
    }
}

/// Loses the answers of so many percent of these operations.
pub(crate) fn losing(
    chance: Chance,
    percent: u64,
    operations: &'static [&'static str],
) -> impl Fn(&Call<'_>) -> Option<Fault> {
    move |call| (operations.contains(&call.operation) && chance.percent(percent)).then_some(Fault::Lost)
}
