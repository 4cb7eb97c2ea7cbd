//! Images made of another size, as PIL's `Image.resize` does it, bit by bit: torchvision's `Resize` of PIL images is this.
//!
//! Where an image becomes smaller, a pixel of the result is a weighted mean of all that it covers (antialiasing). Rows
//! first, then columns, each rounded to bytes; weights are 22-bit fixed-point numbers, so that sums are integers.

use mlp_protocol::data_files::Resizing;
use std::sync::Arc;

/// Bits after the point of a weight: 8 are left for a pixel, and 2 for sums beyond it.
const BITS: u32 = 22;

/// How one side becomes another: for each of the result, where its source begins, and weights.
pub(crate) struct Side {
    taps: Vec<(usize, Vec<f64>)>,
    fixed: Vec<Vec<i32>>,
}

impl Side {
    /// From `from` to `to` pixels; both at least 1.
    pub(crate) fn new(from: usize, to: usize, mode: Resizing) -> Arc<Side> {
        let taps: Vec<(usize, Vec<f64>)> = match mode {
            Resizing::Nearest => nearest(from, to),
            Resizing::Bilinear => (0..to).map(|at| taps(from, to, at, (1.0, triangle))).collect(),
            Resizing::Bicubic => (0..to).map(|at| taps(from, to, at, (2.0, cubic))).collect(),
        };
        let fixed = taps
            .iter()
            .map(|(_, weights)| weights.iter().map(|weight| fixed(*weight)).collect())
            .collect();
        Arc::new(Side { taps, fixed })
    }

    fn len(&self) -> usize {
        self.taps.len()
    }

    fn fixed(&self) -> impl Iterator<Item = (usize, &[i32])> {
        let starts = self.taps.iter().map(|(start, _)| *start);
        starts.zip(self.fixed.iter().map(Vec::as_slice))
    }
}

fn fixed(weight: f64) -> i32 {
    let scaled = weight * f64::from(1 << BITS);
    // Rounded away from zero, as C's cast of it plus or minus a half is.
    (if scaled < 0.0 { scaled - 0.5 } else { scaled + 0.5 }) as i32
}

/// Pixels under the centers of those of the result; places are added up, as Pillow does, which decides between two that
/// are equally near.
fn nearest(from: usize, to: usize) -> Vec<(usize, Vec<f64>)> {
    let scale = from as f64 / to as f64;
    let mut place = scale * 0.5;
    let mut taps = Vec::with_capacity(to);
    for _ in 0..to {
        taps.push(((place as usize).min(from - 1), vec![1.0]));
        place += scale;
    }
    taps
}

/// A filter: how far it reaches, and its weights.
type Filter = (f64, fn(f64) -> f64);

fn taps(from: usize, to: usize, at: usize, (support, filter): Filter) -> (usize, Vec<f64>) {
    let scale = from as f64 / to as f64;
    let width = scale.max(1.0);
    let support = support * width;
    let center = (at as f64 + 0.5) * scale;
    // Casts round towards zero, and what is below zero is cut.
    let start = (center - support + 0.5) as usize;
    let end = ((center + support + 0.5) as usize).min(from);
    let narrow = 1.0 / width;
    let mut weights: Vec<f64> = (start..end)
        .map(|x| filter((x as f64 - center + 0.5) * narrow))
        .collect();
    let sum: f64 = weights.iter().sum();
    if sum != 0.0 {
        weights.iter_mut().for_each(|weight| *weight /= sum);
    }
    (start, weights)
}

fn triangle(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 { 1.0 - x } else { 0.0 }
}

fn cubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

fn byte(sum: i32) -> u8 {
    (sum >> BITS).clamp(0, 255) as u8
}

/// Bytes of rows of `width` pixels of `CHANNELS`, made `rows` by `columns`.
pub(crate) fn bytes<const CHANNELS: usize>(
    pixels: &[u8],
    width: usize,
    rows: &Side,
    columns: &Side,
) -> Vec<u8> {
    let (stride, narrow) = (width * CHANNELS, columns.len() * CHANNELS);
    let height = pixels.len() / stride.max(1);
    // A side that stays is not resampled; its weights would leave it as it is.
    let across = if columns.len() == width {
        None
    } else {
        let mut out = Vec::with_capacity(height * narrow);
        for row in pixels.chunks_exact(stride) {
            for (start, weights) in columns.fixed() {
                let mut sums = [1_i32 << (BITS - 1); CHANNELS];
                let source = &row[start * CHANNELS..(start + weights.len()) * CHANNELS];
                for (pixel, weight) in source.chunks_exact(CHANNELS).zip(weights) {
                    for (sum, part) in sums.iter_mut().zip(pixel) {
                        *sum += i32::from(*part) * weight;
                    }
                }
                out.extend(sums.map(byte));
            }
        }
        Some(out)
    };
    if rows.len() == height {
        return across.unwrap_or_else(|| pixels.to_vec());
    }
    let across = across.as_deref().unwrap_or(pixels);
    let mut out = Vec::with_capacity(rows.len() * narrow);
    let mut sums = vec![0_i32; narrow];
    for (start, weights) in rows.fixed() {
        sums.fill(1 << (BITS - 1));
        for (row, weight) in across[start * narrow..].chunks_exact(narrow).zip(weights) {
            for (sum, part) in sums.iter_mut().zip(row) {
                *sum += i32::from(*part) * weight;
            }
        }
        out.extend(sums.iter().map(|sum| byte(*sum)));
    }
    out
}

/// Numbers of one channel, rows of `width`, made `rows` by `columns`: summed in float64, in the order of the pixels.
pub(crate) fn numbers(pixels: &[f32], width: usize, rows: &Side, columns: &Side) -> Vec<f32> {
    let mut across = Vec::with_capacity(pixels.len() / width.max(1) * columns.len());
    for row in pixels.chunks_exact(width) {
        across.extend(columns.taps.iter().map(|(start, weights)| {
            let parts = row[*start..].iter().zip(weights);
            parts
                .map(|(pixel, weight)| f64::from(*pixel) * weight)
                .sum::<f64>() as f32
        }));
    }
    let narrow = columns.len();
    let mut out = Vec::with_capacity(rows.len() * narrow);
    for (start, weights) in &rows.taps {
        out.extend((0..narrow).map(|column| {
            let parts = weights.iter().enumerate();
            parts
                .map(|(row, weight)| f64::from(across[(start + row) * narrow + column]) * weight)
                .sum::<f64>() as f32
        }));
    }
    out
}

#[cfg(test)]
#[path = "resample_tests.rs"]
mod tests;
