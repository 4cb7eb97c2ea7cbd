//! The random numbers of searches: SplitMix64, written out so that a draw never changes.

/// The additive constant of SplitMix64: 2^64 over the golden ratio, odd.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// A stream of random numbers, named by a seed, a position and a field.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    state: u64,
}

impl Stream {
    /// The stream of the `index`-th record's `field`.
    pub(super) fn new(seed: i64, index: u64, field: &str) -> Self {
        let mut state = mix(seed.cast_unsigned().wrapping_add(GAMMA));
        for part in field.bytes().map(u64::from).chain([index]) {
            state = mix(state ^ mix(part.wrapping_add(GAMMA)));
        }
        Self { state }
    }

    fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GAMMA);
        mix(self.state)
    }

    /// From 0 up to 1, which it never is: a multiple of 2^-53.
    pub(super) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// Below `bound`, by Lemire's multiplication with rejection; any 64 bits where `bound` is 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return self.bits();
        }
        loop {
            let product = u128::from(self.bits()) * u128::from(bound);
            let low = (product & u128::from(u64::MAX)) as u64;
            // The first 2^64 mod bound values of each bucket would be drawn once more than the others.
            if low >= bound || low >= bound.wrapping_neg() % bound {
                return (product >> 64) as u64;
            }
        }
    }

    /// Of the standard normal distribution, by Box and Muller.
    pub(super) fn normal(&mut self) -> f64 {
        let (radius, angle) = (1.0 - self.unit(), self.unit());
        (-2.0 * libm::log(radius)).sqrt() * libm::cos(2.0 * std::f64::consts::PI * angle)
    }
}

/// SplitMix64's finaliser (Stafford's variant 13).
fn mix(mut z: u64) -> u64 {
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
        let mut stream = Stream { state: 0 };
        assert_eq!(stream.bits(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(stream.bits(), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn normals_are_normal() {
        let draws: Vec<f64> = (0..20_000).map(|at| Stream::new(1, at, "x").normal()).collect();
        let mean = draws.iter().sum::<f64>() / 20_000.0;
        let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 19_999.0;
        // Five standard errors.
        assert!(mean.abs() < 0.036, "{mean}");
        assert!((variance - 1.0).abs() < 0.05, "{variance}");
    }

    #[test]
    fn streams_are_apart() {
        let mut draws: Vec<u64> = [
            (1, 0, "a"),
            (2, 0, "a"),
            (1, 1, "a"),
            (1, 0, "b"),
            (1, 0, "aa"),
            (-1, 0, "a"),
        ]
        .map(|(seed, index, field)| Stream::new(seed, index, field).bits())
        .into();
        draws.sort_unstable();
        draws.dedup();
        assert_eq!(draws.len(), 6);
    }
}
