//! `nn.normalize` without numbers: means and deviations of the training set, channel by channel, before the first step.
//!
//! Sums are taken in float64, in the order of the examples, in two passes. A layer that stands behind others is adapted
//! to what they give in evaluation mode, with their fresh weights.

use crate::error::Outcome;
use crate::examples::Examples;
use crate::model::Weights;
use crate::network::{Leaves, Mode, Network};
use crate::validation::starts;
use tch::Tensor;

/// Examples at a time. Sums run example by example, so their bits do not depend on it.
const BATCH: i64 = 512;

/// Fills the numbers of every layer that learns them from `on`, but for those that the training starts from.
///
/// # Errors
/// When libtorch throws.
pub(crate) fn adapt(network: &Network, leaves: &Leaves, on: &Examples, start: &Weights) -> Outcome<()> {
    for adapted in network.to_adapt() {
        let names = &network.buffer_names[adapted.buffers.clone()];
        if names.iter().any(|name| start.contains_key(name)) {
            continue;
        }
        let [mean, std] = &leaves.buffers[adapted.buffers.clone()] else {
            continue;
        };
        let layer = adapted.layer;
        let channels = mean.numel();
        let mut sums = Sums::new(channels);
        visit(network, leaves, on, layer, |value, channel| {
            sums.add(channel, value);
        })?;
        let means = sums.means();
        let mut squares = Sums::new(channels);
        visit(network, leaves, on, layer, |value, channel| {
            let difference = value - means[channel];
            squares.add(channel, difference * difference);
        })?;
        // A channel that never varies is only centred.
        let deviation = |variance: &f64| if *variance > 0.0 { variance.sqrt() } else { 1.0 };
        if adapted.mean {
            fill(mean, &means)?;
        }
        if adapted.std {
            fill(std, &squares.means().iter().map(deviation).collect::<Vec<_>>())?;
        }
    }
    Ok(())
}

/// Shows every value that reaches a layer, with its channel.
fn visit(
    network: &Network,
    leaves: &Leaves,
    on: &Examples,
    layer: usize,
    mut see: impl FnMut(f64, usize),
) -> Outcome<()> {
    let handles = on.handles();
    for (start, length) in starts(on.count(), BATCH) {
        let (x, _) = handles.range(start, length)?;
        let x = tch::no_grad(|| network.forward_until(layer, leaves, &x, &Mode::Evaluation))?;
        let channels = x.size().get(1).map_or(1, |channels| *channels as usize);
        let plane = x.size().iter().skip(2).product::<i64>() as usize;
        let values = Vec::<f32>::try_from(x.f_contiguous()?.f_view(-1)?)?;
        for (index, run) in values.chunks_exact(plane.max(1)).enumerate() {
            run.iter()
                .for_each(|value| see(f64::from(*value), index % channels));
        }
    }
    Ok(())
}

fn fill(buffer: &Tensor, values: &[f64]) -> Outcome<()> {
    let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
    buffer.shallow_clone().f_copy_(&Tensor::f_from_slice(&values)?)?;
    Ok(())
}

/// Sums and counts by channel.
struct Sums {
    sums: Vec<f64>,
    counts: Vec<u64>,
}

impl Sums {
    fn new(channels: usize) -> Sums {
        Sums {
            sums: vec![0.0; channels],
            counts: vec![0; channels],
        }
    }

    fn add(&mut self, channel: usize, value: f64) {
        self.sums[channel] += value;
        self.counts[channel] += 1;
    }

    fn means(&self) -> Vec<f64> {
        self.sums
            .iter()
            .zip(&self.counts)
            .map(|(sum, count)| sum / (*count).max(1) as f64)
            .collect()
    }
}
