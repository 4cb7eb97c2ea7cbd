//! A sound as the logarithm of its energy in bands, as `torchaudio.transforms.MelSpectrogram` defines them by default.
//!
//! Around every `hop`th sample, from the first, stand `n_fft` samples, weighed by a Hann window; where they reach beyond
//! the sound's ends, it is mirrored there. Of each window's Fourier transform the squares of the magnitudes are summed up
//! in `n_mels` triangles, whose corners are evenly spaced on the mel scale of HTK, `2595 log10(1 + f / 700)`, from 0 to half
//! the rate. What is given is `log(energy + 1e-6)`.

use super::fft::{Complex, Fft};
use std::f64::consts::PI;

/// What is added to an energy, so that silence has a logarithm.
const SILENCE: f64 = 1e-6;

/// What maps the sounds of one rate and length.
pub(super) struct Spectrum {
    fft: Fft,
    window: Vec<f64>,
    hop: usize,
    bands: Vec<Band>,
}

/// The weights of the frequencies in one band.
struct Band {
    first: usize,
    weights: Vec<f64>,
}

impl Spectrum {
    pub(super) fn new(rate: u32, n_fft: usize, hop: usize, n_mels: usize) -> Spectrum {
        let window = |at: usize| 0.5 - 0.5 * libm::cos(2.0 * PI * at as f64 / n_fft as f64);
        Spectrum {
            fft: Fft::new(n_fft),
            window: (0..n_fft).map(window).collect(),
            hop,
            bands: bands(rate, n_fft / 2 + 1, n_mels),
        }
    }

    /// How many windows there are of so many samples.
    pub(super) fn frames(&self, samples: usize) -> usize {
        samples / self.hop + 1
    }

    /// The bands in which no frequency lies, from 0: what they give never varies.
    pub(super) fn empty_bands(&self) -> Vec<usize> {
        let bands = self.bands.iter().enumerate();
        bands
            .filter(|(_, band)| band.weights.is_empty())
            .map(|(index, _)| index)
            .collect()
    }

    /// `[n_mels, frames]` of a sound, which is longer than half a window.
    pub(super) fn of(&self, sound: &[f32]) -> Vec<f32> {
        let frames = self.frames(sound.len());
        let mut image = vec![0.0; self.bands.len() * frames];
        let mut input = vec![Complex::default(); self.window.len()];
        let mut output = input.clone();
        // Two windows are transformed as the parts of complex numbers.
        for frame in (0..frames).step_by(2) {
            self.windows(sound, frame, frames, &mut input);
            self.fft.run(&input, &mut output);
            let [even, odd] = powers(&output);
            self.put(&even, frame, frames, &mut image);
            if frame + 1 < frames {
                self.put(&odd, frame + 1, frames, &mut image);
            }
        }
        image
    }

    fn windows(&self, sound: &[f32], frame: usize, frames: usize, input: &mut [Complex]) {
        let half = (self.window.len() / 2) as i64;
        let sample = |frame: usize, at: usize| {
            if frame < frames {
                f64::from(sound[mirrored((frame * self.hop + at) as i64 - half, sound.len())])
            } else {
                0.0
            }
        };
        for (at, (value, weight)) in input.iter_mut().zip(&self.window).enumerate() {
            value.re = sample(frame, at) * weight;
            value.im = sample(frame + 1, at) * weight;
        }
    }

    fn put(&self, power: &[f64], frame: usize, frames: usize, image: &mut [f32]) {
        for (mel, band) in self.bands.iter().enumerate() {
            let energy: f64 = power[band.first..]
                .iter()
                .zip(&band.weights)
                .map(|(a, b)| a * b)
                .sum();
            image[mel * frames + frame] = libm::log(energy + SILENCE) as f32;
        }
    }
}

/// The place in a sound that stands for one beyond its ends, which are not repeated.
fn mirrored(at: i64, length: usize) -> usize {
    let last = length as i64 - 1;
    let at = at.abs();
    let at = if at > last { 2 * last - at } else { at };
    at.clamp(0, last) as usize
}

/// The squared magnitudes of the transforms of two real signals, that of the first being the real part of what was
/// transformed, that of the second the imaginary one.
fn powers(both: &[Complex]) -> [Vec<f64>; 2] {
    let size = both.len();
    let (mut even, mut odd) = (Vec::new(), Vec::new());
    for bin in 0..=size / 2 {
        let (a, b) = (both[bin], both[(size - bin) % size]);
        let power = |re: f64, im: f64| (re * re + im * im) / 4.0;
        even.push(power(a.re + b.re, a.im - b.im));
        odd.push(power(a.im + b.im, b.re - a.re));
    }
    [even, odd]
}

fn mel(hertz: f64) -> f64 {
    2595.0 * libm::log10(1.0 + hertz / 700.0)
}

fn hertz(mel: f64) -> f64 {
    700.0 * (libm::exp10(mel / 2595.0) - 1.0)
}

/// The triangles over `bins` frequencies from 0 to half the rate.
fn bands(rate: u32, bins: usize, n_mels: usize) -> Vec<Band> {
    let top = f64::from(rate / 2);
    let corner = |index: usize| hertz(mel(top) * index as f64 / (n_mels + 1) as f64);
    let frequency = |bin: usize| top * bin as f64 / (bins - 1).max(1) as f64;
    let band = |index: usize| {
        let [low, peak, high] = [corner(index), corner(index + 1), corner(index + 2)];
        let weight = |bin: usize| {
            let up = (frequency(bin) - low) / (peak - low);
            let down = (high - frequency(bin)) / (high - peak);
            up.min(down).max(0.0)
        };
        let first = (0..bins).find(|bin| weight(*bin) > 0.0).unwrap_or(bins);
        let weights = (first..bins)
            .map(weight)
            .take_while(|weight| *weight > 0.0)
            .collect();
        Band { first, weights }
    };
    (0..n_mels).map(band).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, sum by sum.
    fn directly(sound: &[f32], rate: u32, n_fft: usize, hop: usize, n_mels: usize) -> Vec<f64> {
        let frames = sound.len() / hop + 1;
        let bins = n_fft / 2 + 1;
        let mut power = vec![vec![0.0; bins]; frames];
        for (frame, power) in power.iter_mut().enumerate() {
            for (bin, power) in power.iter_mut().enumerate() {
                let (mut re, mut im) = (0.0, 0.0);
                for at in 0..n_fft {
                    let place = (frame * hop + at) as i64 - n_fft as i64 / 2;
                    let place = if place < 0 { -place } else { place };
                    let place = if place >= sound.len() as i64 {
                        2 * (sound.len() as i64 - 1) - place
                    } else {
                        place
                    };
                    let hann = (PI * at as f64 / n_fft as f64).sin().powi(2);
                    let value = f64::from(sound[place as usize]) * hann;
                    let angle = -2.0 * PI * (bin * at) as f64 / n_fft as f64;
                    re += value * angle.cos();
                    im += value * angle.sin();
                }
                *power = re * re + im * im;
            }
        }
        let mel = |f: f64| 2595.0 * (1.0 + f / 700.0).log10();
        let points: Vec<f64> = (0..n_mels + 2)
            .map(|at| {
                700.0
                    * (10_f64.powf(mel(f64::from(rate) / 2.0) * at as f64 / (n_mels + 1) as f64 / 2595.0)
                        - 1.0)
            })
            .collect();
        let mut image = Vec::new();
        for band in 0..n_mels {
            for power in &power {
                let energy: f64 = power
                    .iter()
                    .enumerate()
                    .map(|(bin, power)| {
                        let f = f64::from(rate) * bin as f64 / n_fft as f64;
                        let up = (f - points[band]) / (points[band + 1] - points[band]);
                        let down = (points[band + 2] - f) / (points[band + 2] - points[band + 1]);
                        power * up.min(down).max(0.0)
                    })
                    .sum();
                image.push((energy + 1e-6).ln());
            }
        }
        image
    }

    fn sound(count: usize) -> Vec<f32> {
        (0..count)
            .map(|at| ((at as f64 * 0.31).sin() * 0.5 + (at as f64 * 1.7).sin() * 0.2) as f32)
            .collect()
    }

    #[test]
    fn it_is_the_definition() {
        for (samples, n_fft, hop, n_mels) in [
            (400, 64, 16, 8),
            (401, 100, 30, 10),
            (90, 64, 45, 5),
            (33, 64, 8, 4),
        ] {
            let sound = sound(samples);
            let found = Spectrum::new(8_000, n_fft, hop, n_mels).of(&sound);
            let expected = directly(&sound, 8_000, n_fft, hop, n_mels);
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                assert!((f64::from(*found) - expected).abs() < 1e-5, "{found} {expected}");
            }
        }
    }

    #[test]
    fn bits_never_change() {
        let image = Spectrum::new(16_000, 400, 160, 40).of(&sound(4_000));
        let bytes: Vec<u8> = image.iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(image.len(), 40 * 26);
        assert_eq!(blake3::hash(&bytes).to_hex()[..16], *"980b02a794cc97f9");
    }

    #[test]
    fn silence_is_the_logarithm_of_what_is_added() {
        let image = Spectrum::new(8_000, 64, 16, 4).of(&[0.0; 64]);
        assert!(
            image
                .iter()
                .all(|value| (f64::from(*value) - SILENCE.ln()).abs() < 1e-6)
        );
    }

    #[test]
    fn bands_that_hold_no_frequency_are_known() {
        assert!(Spectrum::new(16_000, 512, 160, 40).empty_bands().is_empty());
        assert_eq!(Spectrum::new(16_000, 64, 160, 40).empty_bands()[0], 0);
    }
}
