//! The Fourier transform, of any size, in float64: Cooley and Tukey's, on the factors of the size.
//!
//! Libraries choose instructions by the processor that they find, and with them how results are rounded. Here it is one
//! order of plain operations everywhere.

use std::f64::consts::PI;
use std::ops::{Add, Mul, Sub};

/// A complex number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Complex {
    pub(super) re: f64,
    pub(super) im: f64,
}

impl Add for Complex {
    type Output = Complex;

    fn add(self, other: Complex) -> Complex {
        Complex {
            re: self.re + other.re,
            im: self.im + other.im,
        }
    }
}

impl Sub for Complex {
    type Output = Complex;

    fn sub(self, other: Complex) -> Complex {
        Complex {
            re: self.re - other.re,
            im: self.im - other.im,
        }
    }
}

impl Mul for Complex {
    type Output = Complex;

    fn mul(self, other: Complex) -> Complex {
        Complex {
            re: self.re * other.re - self.im * other.im,
            im: self.re * other.im + self.im * other.re,
        }
    }
}

/// A transform of one size.
pub(super) struct Fft {
    /// `exp(-2 pi i k / size)`.
    roots: Vec<Complex>,
    factors: Vec<usize>,
}

impl Fft {
    pub(super) fn new(size: usize) -> Fft {
        let root = |k: usize| {
            let angle = -2.0 * PI * k as f64 / size as f64;
            Complex {
                re: libm::cos(angle),
                im: libm::sin(angle),
            }
        };
        Fft {
            roots: (0..size).map(root).collect(),
            factors: factors(size),
        }
    }

    /// The transform of `input` into `output`, both of the size.
    pub(super) fn run(&self, input: &[Complex], output: &mut [Complex]) {
        self.part(input, 1, output, &self.factors);
    }

    /// The transform of every `stride`th number of `input`.
    fn part(&self, input: &[Complex], stride: usize, output: &mut [Complex], factors: &[usize]) {
        let Some((&factor, rest)) = factors.split_first() else {
            output[0] = input[0];
            return;
        };
        let length = output.len() / factor;
        for (start, part) in output.chunks_exact_mut(length).enumerate() {
            self.part(&input[start * stride..], stride * factor, part, rest);
        }
        if factor == 2 {
            let (low, high) = output.split_at_mut(length);
            for (at, (a, b)) in low.iter_mut().zip(high).enumerate() {
                let turned = *b * self.roots[at * stride];
                (*a, *b) = (*a + turned, *a - turned);
            }
            return;
        }
        let mut turned = vec![Complex::default(); factor];
        for at in 0..length {
            for (part, turned) in turned.iter_mut().enumerate() {
                *turned = output[part * length + at] * self.root(part * at * stride);
            }
            for bin in 0..factor {
                let sum = turned
                    .iter()
                    .enumerate()
                    .fold(Complex::default(), |sum, (part, value)| {
                        sum + *value * self.root(part * bin * length * stride)
                    });
                output[bin * length + at] = sum;
            }
        }
    }

    fn root(&self, k: usize) -> Complex {
        self.roots[k % self.roots.len()]
    }
}

/// The prime factors, small ones first.
fn factors(mut number: usize) -> Vec<usize> {
    let mut factors = Vec::new();
    let mut prime = 2;
    while prime * prime <= number {
        while number.is_multiple_of(prime) {
            factors.push(prime);
            number /= prime;
        }
        prime += 1;
    }
    if number > 1 {
        factors.push(number);
    }
    factors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_sum_that_defines_it() {
        for size in [1, 2, 3, 4, 5, 8, 12, 30, 49, 64, 97, 100, 400] {
            let input: Vec<Complex> = (0..size)
                .map(|at| Complex {
                    re: (at as f64 * 0.7).sin(),
                    im: (at as f64 * 1.3).cos(),
                })
                .collect();
            let mut found = vec![Complex::default(); size];
            Fft::new(size).run(&input, &mut found);
            for (bin, found) in found.iter().enumerate() {
                let sum = input
                    .iter()
                    .enumerate()
                    .fold(Complex::default(), |sum, (at, value)| {
                        let angle = -2.0 * PI * (bin * at % size) as f64 / size as f64;
                        let root = Complex {
                            re: angle.cos(),
                            im: angle.sin(),
                        };
                        sum + *value * root
                    });
                let off = *found - sum;
                assert!(off.re.hypot(off.im) < 1e-10, "{size}, {bin}: {off:?}");
            }
        }
    }
}
