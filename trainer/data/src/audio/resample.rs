//! From one rate to another, by a windowed sinc, as `torchaudio.functional.resample` has it by default.
//!
//! Let the rates be `a` and `b`, reduced by what divides both, and `f = 0.99 min(a, b)`. Sample `i` of the result is the
//! sum over samples `j` of the source, from the first to the last, of `x[j] h((j/a - i/b) f)`, with
//!
//! ```text
//! h(t) = (f / a) sinc(t) cos(pi t / 12)^2   for |t| < 6, and 0 else;   sinc(t) = sin(pi t) / (pi t)
//! ```
//!
//! What lies outside of the source is silence. Weights repeat every `b` samples, so they are computed once for each of
//! these phases; sums are taken in float64.

use std::f64::consts::PI;

/// Zero crossings of the sinc on each side.
const CROSSINGS: f64 = 6.0;
/// The part of the lower rate's band that is kept.
const ROLLOFF: f64 = 0.99;

/// Two rates without what divides both.
fn reduced(from: u32, to: u32) -> (u64, u64) {
    let (mut a, mut b) = (u64::from(from), u64::from(to));
    while b != 0 {
        (a, b) = (b, a % b);
    }
    (u64::from(from) / a.max(1), u64::from(to) / a.max(1))
}

/// How many samples at the rate `from` the first `samples` at the rate `to` are made of, at most.
pub(super) fn needed(from: u32, to: u32, samples: usize) -> usize {
    let (a, b) = reduced(from, to);
    if a == b {
        return samples;
    }
    let reach = (CROSSINGS * a as f64 / (ROLLOFF * a.min(b) as f64)).ceil() as usize;
    let last = u128::from(a) * samples as u128 / u128::from(b.max(1));
    usize::try_from(last)
        .unwrap_or(usize::MAX)
        .saturating_add(reach + 1)
}

/// At most `most` samples of `source`, which has the rate `from`, at the rate `to`.
pub(super) fn resample(source: &[f32], from: u32, to: u32, most: usize) -> Vec<f32> {
    let (a, b) = reduced(from, to);
    if a == b {
        return source[..source.len().min(most)].to_vec();
    }
    let whole = (source.len() as u128 * u128::from(b)).div_ceil(u128::from(a));
    let count = usize::try_from(whole).unwrap_or(usize::MAX).min(most);
    let phases: Vec<Phase> = (0..b.min(count as u64))
        .map(|phase| Phase::new(phase, a, b))
        .collect();
    (0..count as u64)
        .map(|at| phases[(at % b) as usize].sum(source, (at / b * a) as i64))
        .collect()
}

/// The weights of every `b`th sample.
struct Phase {
    /// Where the first weight's sample lies, from the start of `a` samples.
    first: i64,
    weights: Vec<f64>,
}

impl Phase {
    fn new(phase: u64, a: u64, b: u64) -> Phase {
        let (rate, band) = (a as f64, ROLLOFF * a.min(b) as f64);
        let centre = (phase * a) as f64 / b as f64;
        let reach = CROSSINGS * rate / band;
        let first = (centre - reach).ceil() as i64;
        let last = (centre + reach).floor() as i64;
        let weights = (first..=last)
            .map(|sample| band / rate * kernel((sample as f64 - centre) / rate * band))
            .collect();
        Phase { first, weights }
    }

    fn sum(&self, source: &[f32], start: i64) -> f32 {
        let first = start + self.first;
        let mut sum = 0.0;
        for (sample, weight) in (first..).zip(&self.weights) {
            let value = usize::try_from(sample).ok().and_then(|sample| source.get(sample));
            if let Some(value) = value {
                sum += f64::from(*value) * weight;
            }
        }
        sum as f32
    }
}

fn kernel(t: f64) -> f64 {
    if t.abs() >= CROSSINGS {
        return 0.0;
    }
    let window = libm::cos(PI * t / (2.0 * CROSSINGS));
    let sinc = if t == 0.0 {
        1.0
    } else {
        libm::sin(PI * t) / (PI * t)
    };
    sinc * window * window
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(rate: u32, hertz: f64, count: usize) -> Vec<f32> {
        let step = 2.0 * PI * hertz / f64::from(rate);
        (0..count).map(|at| libm::sin(step * at as f64) as f32).collect()
    }

    #[test]
    fn a_tone_stays_the_tone() {
        for (from, to) in [
            (44_100, 16_000),
            (16_000, 44_100),
            (8_000, 16_000),
            (48_000, 16_000),
        ] {
            let found = resample(&sine(from, 440.0, from as usize), from, to, usize::MAX);
            assert_eq!(found.len(), to as usize);
            let expected = sine(to, 440.0, to as usize);
            let inside = 200..to as usize - 200;
            let worst = inside
                .map(|at| (found[at] - expected[at]).abs())
                .fold(0.0, f32::max);
            assert!(worst < 3e-3, "{from} to {to}: {worst}");
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_silenced() {
        let found = resample(&sine(16_000, 6_000.0, 16_000), 16_000, 8_000, usize::MAX);
        let loudest = found[100..7_900]
            .iter()
            .fold(0.0_f32, |most, value| most.max(value.abs()));
        assert!(loudest < 5e-3, "{loudest}");
    }

    #[test]
    fn it_is_the_sum_that_is_documented() {
        let source = sine(7, 1.3, 40);
        let (a, b) = (7.0, 5.0);
        let f = 0.99 * 5.0;
        for (at, found) in resample(&source, 7, 5, usize::MAX).iter().enumerate() {
            let mut sum = 0.0;
            for (j, value) in source.iter().enumerate() {
                let t = (j as f64 / a - at as f64 / b) * f;
                if t.abs() < 6.0 {
                    let sinc = if t == 0.0 { 1.0 } else { (PI * t).sin() / (PI * t) };
                    sum += f64::from(*value) * f / a * sinc * (PI * t / 12.0).cos().powi(2);
                }
            }
            assert!((sum - f64::from(*found)).abs() < 1e-6, "{at}");
        }
    }

    #[test]
    fn fewer_samples_are_the_first_of_more_and_need_no_more_than_is_said() {
        for (from, to) in [(44_100, 16_000), (8_000, 11_025), (3, 1_000_000), (1_000_000, 3)] {
            let source = sine(44_100, 440.0, 5_000);
            let all = resample(&source, from, to, 2_000);
            for count in [0, 1, 2, 17, 1_000] {
                let part = &source[..source.len().min(needed(from, to, count))];
                let some = resample(part, from, to, count);
                assert_eq!(some, all[..all.len().min(count)], "{from} to {to}, {count}");
            }
        }
    }

    #[test]
    fn bits_never_change() {
        let found = resample(&sine(44_100, 440.0, 3_000), 44_100, 16_000, usize::MAX);
        let bytes: Vec<u8> = found.iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(blake3::hash(&bytes).to_hex()[..16], *"3a4b2fc934542c5b");
    }
}
