//! How much is tried, and what looks random in it. `MLP_FAULTS` gives the number of tries, in place of those that every run of
//! the tests can afford, and makes the builds longer; `MLP_FAULTS_SEED` gives another seed. `cargo xtask torture` sets both.

/// Numbers that look random and are the same for each seed.
pub(crate) struct Dice(u64);

impl Dice {
    /// With a seed that is said, so that what failed can be repeated.
    pub(crate) fn of(name: &str) -> Self {
        let seed = std::env::var("MLP_FAULTS_SEED").map_or(7, |seed| seed.parse().unwrap());
        eprintln!("{name}: MLP_FAULTS_SEED={seed}");
        let own = name
            .bytes()
            .fold(seed, |seed: u64, byte| seed.wrapping_mul(31) + u64::from(byte));
        Self(own)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % bound
    }
}

/// How often something is tried.
pub(crate) fn tries(short: u64) -> u64 {
    std::env::var("MLP_FAULTS").map_or(short, |number| number.parse().unwrap())
}

/// Whether there is time for more than every run of the tests can afford.
pub(crate) fn is_long() -> bool {
    std::env::var_os("MLP_FAULTS").is_some()
}
