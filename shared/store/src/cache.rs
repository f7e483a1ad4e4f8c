//! Caches that are bounded by the bytes that they hold, not by how many entries that is.

use std::hash::Hash;
use std::sync::Arc;

use quick_cache::sync::Cache as Lru;
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter, sync::DefaultLifecycle};

/// What takes room in a cache.
pub(crate) trait Heavy {
    /// The bytes on the heap, about, beside the entry itself.
    fn weight(&self) -> usize;
}

impl<T: Heavy> Heavy for Arc<T> {
    fn weight(&self) -> usize {
        (**self).weight()
    }
}

/// What an entry takes beside what it says itself: key, place in the map, allocations.
const ENTRY_BYTES: usize = 256;

#[derive(Clone)]
pub(crate) struct Weigher;

impl<K, V: Heavy> Weighter<K, V> for Weigher {
    fn weight(&self, _: &K, value: &V) -> u64 {
        u64::try_from(ENTRY_BYTES + value.weight()).unwrap_or(u64::MAX)
    }
}

/// A cache of at most so many bytes, from which goes first what was not asked for of late.
pub(crate) struct Cache<K, V: Heavy>(Lru<K, V, Weigher>);

impl<K: Eq + Hash, V: Heavy + Clone> Cache<K, V> {
    pub(crate) fn new(bytes: usize) -> Self {
        // One shard: each has its share of the bytes, and what is heavier than that is never kept.
        let options = OptionsBuilder::new()
            .shards(1)
            .estimated_items_capacity(bytes / ENTRY_BYTES / 8)
            .weight_capacity(u64::try_from(bytes).unwrap_or(u64::MAX))
            .build();
        let options = options.unwrap_or_else(|_| unreachable!("both capacities are given"));
        Self(Lru::with_options(options, Weigher, DefaultHashBuilder::default(), DefaultLifecycle::default()))
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        self.0.get(key)
    }

    /// What is there, or else is put there.
    pub(crate) fn get_or_insert(&self, key: &K, make: impl FnOnce() -> V) -> V
    where
        K: Clone,
    {
        let made: Result<V, std::convert::Infallible> = self.0.get_or_insert_with(key, || Ok(make()));
        made.unwrap_or_else(|never| match never {})
    }

    pub(crate) fn insert(&self, key: K, value: V) {
        self.0.insert(key, value);
    }

    pub(crate) fn remove(&self, key: &K) {
        self.0.remove(key);
    }

    pub(crate) fn clear(&self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Heavy for Vec<u8> {
        fn weight(&self) -> usize {
            self.len()
        }
    }

    #[test]
    fn never_holds_more_than_its_bytes() {
        let cache: Cache<usize, Vec<u8>> = Cache::new(1_000_000);
        for n in 0..1_000 {
            cache.insert(n, vec![0; if n % 10 == 0 { 90_000 } else { 100 }]);
            assert!(cache.0.weight() <= 1_000_000);
        }
        assert!(cache.get(&999).is_some(), "what was kept last is there");
        cache.insert(1_000, vec![0; 1_000_001]);
        assert!(cache.get(&1_000).is_none(), "what is too heavy is not kept");
        assert!(cache.0.weight() <= 1_000_000);
    }
}
