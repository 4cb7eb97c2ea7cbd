//! Draws of numbers by their distributions. Logarithms and angles are libm's, so that every machine draws the same.

use mlp_data::random::Random;

/// What is drawn for one change of one example.
pub(super) struct Draws {
    stream: Random,
}

impl Draws {
    pub(super) fn new(stream: Random) -> Draws {
        Draws { stream }
    }

    /// From 0 to 1, without 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.stream.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From `lo` to `hi`.
    pub(super) fn within(&mut self, lo: f64, hi: f64) -> f64 {
        lo + (hi - lo) * self.unit()
    }

    /// A number below `bound`, which is above 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.stream.below(bound.max(1) as u64) as usize
    }

    /// In any order.
    pub(super) fn shuffled<const N: usize>(&mut self) -> [usize; N] {
        let mut items = std::array::from_fn(|index| index);
        self.stream.shuffle(&mut items);
        items
    }

    /// Of the Beta distribution whose parameters are both `alpha`.
    pub(super) fn beta(&mut self, alpha: f64) -> f64 {
        let (a, b) = (self.log_gamma(alpha), self.log_gamma(alpha));
        // a / (a + b), which does not underflow for a small alpha.
        1.0 / (1.0 + libm::exp(b - a))
    }

    /// The logarithm of a draw of the Gamma distribution of shape `alpha` (Marsaglia and Tsang, 2000).
    fn log_gamma(&mut self, alpha: f64) -> f64 {
        if alpha < 1.0 {
            let boost = libm::log(1.0 - self.unit()) / alpha;
            return self.log_gamma(alpha + 1.0) + boost;
        }
        let d = alpha - 1.0 / 3.0;
        let c = 1.0 / libm::sqrt(9.0 * d);
        loop {
            let x = self.normal();
            let cube = 1.0 + c * x;
            if cube <= 0.0 {
                continue;
            }
            let v = cube * cube * cube;
            if libm::log(1.0 - self.unit()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                return libm::log(d * v);
            }
        }
    }

    /// Of the normal distribution (Box and Muller, 1958).
    fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        radius * libm::cos(std::f64::consts::TAU * self.unit())
    }

    /// Adds normal noise with the standard deviation `std` to each number: two of a draw of 64 bits, in single precision.
    pub(super) fn add_noise(&mut self, std: f32, values: &mut [f32]) {
        for pair in values.chunks_mut(2) {
            let bits = self.stream.bits();
            // Above 0 and up to 1; and an angle of a turn.
            let level = ((bits >> 40) + 1) as f32 / (1 << 24) as f32;
            let angle = ((bits & 0xff_ffff) as f32) * (std::f32::consts::TAU / (1 << 24) as f32);
            let radius = std * libm::sqrtf(-2.0 * libm::logf(level));
            pair[0] += radius * libm::cosf(angle);
            if let Some(second) = pair.get_mut(1) {
                *second += radius * libm::sinf(angle);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws() -> Draws {
        Draws::new(Random::new(5, "test"))
    }

    fn moments(values: &[f64]) -> (f64, f64) {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        (mean, variance)
    }

    #[test]
    fn noise_is_normal() {
        let mut values = vec![0.0_f32; 100_001];
        draws().add_noise(2.0, &mut values);
        let values: Vec<f64> = values.into_iter().map(f64::from).collect();
        let (mean, variance) = moments(&values);
        assert!(
            mean.abs() < 0.03 && (variance - 4.0).abs() < 0.08,
            "{mean} {variance}"
        );
        let beyond = values.iter().filter(|value| value.abs() > 4.0).count() as f64;
        assert!((beyond / 100_001.0 - 0.0455).abs() < 0.003, "{beyond}");
    }

    #[test]
    fn beta_has_its_moments() {
        for alpha in [0.01, 0.2, 1.0, 4.0] {
            let mut draws = draws();
            let values: Vec<f64> = (0..20_000).map(|_| draws.beta(alpha)).collect();
            assert!(values.iter().all(|value| (0.0..=1.0).contains(value)));
            let (mean, variance) = moments(&values);
            let expected = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!((mean - 0.5).abs() < 0.015, "{alpha}: {mean}");
            assert!(
                (variance - expected).abs() < 0.01,
                "{alpha}: {variance} {expected}"
            );
        }
    }

    #[test]
    fn bounds_hold() {
        let mut draws = draws();
        for _ in 0..1000 {
            assert!((-3.0..3.0).contains(&draws.within(-3.0, 3.0)));
        }
        let mut order = draws.shuffled::<4>();
        order.sort_unstable();
        assert_eq!(order, [0, 1, 2, 3]);
    }
}
