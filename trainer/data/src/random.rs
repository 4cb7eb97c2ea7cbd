//! The random numbers of splits, orders and dropout: SplitMix64, written out here so that they never change.
//!
//! A stream is named by a seed and a path of words and numbers ("order", epoch), so that what is drawn for one purpose
//! never moves what is drawn for another, and nothing needs to be saved to go on.

/// The additive constant of SplitMix64: 2^64 over the golden ratio, odd.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The stream of `seed` for `purpose`.
    pub fn new(seed: i64, purpose: &str) -> Random {
        let start = Random {
            state: mix(seed.cast_unsigned().wrapping_add(GAMMA)),
        };
        purpose
            .bytes()
            .fold(start, |stream, byte| stream.child(u64::from(byte)))
    }

    /// The stream of this one's `index`-th part.
    #[must_use]
    pub fn child(&self, index: u64) -> Random {
        Random {
            state: mix(self.state ^ mix(index.wrapping_add(GAMMA))),
        }
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GAMMA);
        mix(self.state)
    }

    /// A number below `bound`, each equally likely, by Lemire's multiplication with rejection.
    pub fn below(&mut self, bound: u64) -> u64 {
        debug_assert!(bound > 0);
        loop {
            let product = u128::from(self.bits()) * u128::from(bound);
            let low = (product & u128::from(u64::MAX)) as u64;
            // The first 2^64 mod bound values of each bucket would be drawn once more than the others.
            if low >= bound || low >= bound.wrapping_neg() % bound {
                return (product >> 64) as u64;
            }
        }
    }

    /// Shuffles in place (Fisher and Yates, from the end).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last as u64 + 1) as usize;
            items.swap(last, other);
        }
    }
}

/// SplitMix64's finaliser (Stafford's variant 13): a bijection whose output bits depend on every input bit.
pub(crate) fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_splitmix64() {
        // The reference implementation's first outputs from state 0.
        let mut stream = Random { state: 0 };
        assert_eq!(stream.bits(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(stream.bits(), 0x6e78_9e6a_a1b9_65f4);
        assert_eq!(stream.bits(), 0x06c4_5d18_8009_454f);
    }

    #[test]
    fn a_shuffle_never_changes() {
        let mut items: Vec<u32> = (0..10).collect();
        Random::new(42, "order").child(1).shuffle(&mut items);
        assert_eq!(items, [1, 2, 7, 9, 6, 3, 8, 0, 4, 5]);
    }

    #[test]
    fn streams_are_apart() {
        let first = |mut stream: Random| stream.bits();
        let draws = [
            first(Random::new(1, "order")),
            first(Random::new(2, "order")),
            first(Random::new(1, "split")),
            first(Random::new(1, "order").child(0)),
            first(Random::new(1, "order").child(1)),
            first(Random::new(-1, "order")),
        ];
        let mut unique = draws.to_vec();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), draws.len());
    }

    #[test]
    fn below_is_even() {
        let mut stream = Random::new(7, "test");
        let mut counts = [0_u32; 6];
        for _ in 0..60_000 {
            counts[stream.below(6) as usize] += 1;
        }
        // Six standard deviations of a binomial with n = 60,000 and p = 1/6.
        assert!(
            counts.iter().all(|count| count.abs_diff(10_000) < 550),
            "{counts:?}"
        );
    }
}
