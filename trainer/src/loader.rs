//! The batches of an epoch, made ahead of the training: read, changed by augmentation, cut into shards.
//!
//! Where there is enough to do, threads make batches while others are trained on: thread i of n makes the batches i,
//! i + n, …, and they are taken in order. What is in a batch does not depend on who makes it.

use crate::augment::{Augmenter, Scratch};
use crate::error::Outcome;
use crate::examples::{Handles, Inputs, Numbers};
use mlp_protocol::message::Failure;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use tch::Tensor;

/// A batch, cut into shards of which none is empty.
pub(crate) struct Batch {
    pub(crate) parts: Vec<Part>,
}

/// The part of a batch that one shard computes on. Its tensors are its own.
pub(crate) struct Part {
    pub(crate) x: Inputs,
    /// Where augmentation mixes examples, classes are shares: float32 [k, classes].
    pub(crate) y: Tensor,
}

/// How the batches of an epoch are made.
pub(crate) struct Recipe {
    pub(crate) examples: Handles,
    /// The order of the examples.
    pub(crate) order: Vec<usize>,
    pub(crate) batch_size: usize,
    pub(crate) shards: usize,
    /// Changes of the examples, where there are any.
    pub(crate) augmenter: Option<Augmenter>,
}

/// Gives the batches of an epoch, from the first to the last.
pub(crate) struct Loader {
    recipe: Arc<Recipe>,
    /// Threads that make batches; none where it is done when they are asked for.
    threads: Vec<Receiver<Outcome<Batch>>>,
    next: usize,
}

/// Bytes of a batch from which on a thread that makes it is worth its while.
const LARGE: usize = 1 << 17;

impl Loader {
    /// Starts to make batches, with up to `workers` threads besides the one that trains; with none where there is a single
    /// processor.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub(crate) fn start(recipe: Recipe, workers: u32) -> Outcome<Loader> {
        let is_large = recipe.examples.size() * recipe.batch_size >= LARGE;
        let count = match (workers, &recipe.augmenter) {
            (0 | 1, _) => 0,
            (_, Some(_)) => workers as usize,
            (_, None) => usize::from(is_large),
        };
        let recipe = Arc::new(recipe);
        let thread = |first| {
            let recipe = Arc::clone(&recipe);
            let (sender, receiver) = sync_channel(1);
            let work = move || {
                let mut batches = (0..recipe.batches()).skip(first).step_by(count);
                // Who no longer listens has failed.
                let _ = batches.try_for_each(|index| sender.send(recipe.batch(index)));
            };
            let started = thread::Builder::new().name("loader".to_string()).spawn(work);
            started.map(|_| receiver)
        };
        let threads = (0..count).map(thread).collect::<Result<_, _>>();
        let threads = threads.map_err(|error| {
            Failure::new(
                "B0002",
                format!("threads that read examples cannot be started: {error}"),
            )
        })?;
        Ok(Loader {
            recipe,
            threads,
            next: 0,
        })
    }

    /// The next batch.
    ///
    /// # Errors
    /// When libtorch has no memory for it.
    pub(crate) fn next(&mut self) -> Outcome<Batch> {
        let index = self.next;
        self.next += 1;
        match self.threads.len() {
            0 => self.recipe.batch(index),
            count => self.threads[index % count]
                .recv()
                .map_err(|_| Failure::new("B0001", "a thread that reads examples ended before its time"))?,
        }
    }
}

impl Recipe {
    fn batches(&self) -> usize {
        self.order.len().div_ceil(self.batch_size)
    }

    fn batch(&self, index: usize) -> Outcome<Batch> {
        let start = index * self.batch_size;
        let end = (start + self.batch_size).min(self.order.len());
        let rows = &self.order[start..end];
        let part = |(start, length): (usize, usize)| self.part(&rows[start..start + length]);
        let parts = cut(rows.len(), self.shards).into_iter().map(part);
        Ok(Batch {
            parts: parts.collect::<Outcome<_>>()?,
        })
    }

    fn part(&self, rows: &[usize]) -> Outcome<Part> {
        let (Some(augmenter), Some(numbers)) = (&self.augmenter, self.examples.numbers()) else {
            let (x, y) = self.examples.gather(rows)?;
            return Ok(Part { x, y });
        };
        let mixer = Mixer { augmenter, numbers };
        let mixes = augmenter.last_mix(augmenter.len()).is_some();
        let targets = if mixes { numbers.targets() } else { 0 };
        let mut x = vec![0.0; rows.len() * numbers.len()];
        let mut y = vec![0.0; rows.len() * targets];
        let mut scratch = Scratch::default();
        for (at, row) in rows.iter().enumerate() {
            let x = &mut x[at * numbers.len()..(at + 1) * numbers.len()];
            let y = &mut y[at * targets..(at + 1) * targets];
            mixer.example(*row, augmenter.len(), (x, y), &mut scratch);
        }
        let count = rows.len() as i64;
        let shape: Vec<i64> = std::iter::once(count).chain(numbers.shape()).collect();
        let y = match mixes {
            true => Tensor::f_from_slice(&y)?.f_view([count, targets as i64])?,
            false => self.examples.targets(rows)?,
        };
        let x = Inputs(vec![Tensor::f_from_slice(&x)?.f_view(&shape[..])?]);
        Ok(Part { x, y })
    }
}

/// Examples that are changed and mixed.
struct Mixer<'a> {
    augmenter: &'a Augmenter,
    numbers: Numbers<'a>,
}

impl Mixer<'_> {
    /// The example `row` after the first `end` changes, and its target; where nothing mixes, `y` is empty.
    fn example(&self, row: usize, end: usize, (x, y): (&mut [f32], &mut [f32]), scratch: &mut Scratch) {
        let Some(place) = self.augmenter.last_mix(end) else {
            self.numbers.read(row, x);
            if !y.is_empty() {
                self.numbers.read_target(row, y);
            }
            return self.augmenter.apply((0, end), row, x, scratch);
        };
        self.example(row, place, (x, y), scratch);
        let partner = self.augmenter.partner(place, row, self.numbers.count());
        let (mut other_x, mut other_y) = (vec![0.0; x.len()], vec![0.0; y.len()]);
        self.example(partner.row, place, (&mut other_x, &mut other_y), scratch);
        partner.mix(x, &other_x);
        partner.mix(y, &other_y);
        self.augmenter.apply((place + 1, end), row, x, scratch);
    }
}

/// Cuts `count` examples into at most `parts` runs (start, length) whose lengths differ by one at most, the longer first.
fn cut(count: usize, parts: usize) -> Vec<(usize, usize)> {
    let (length, longer) = (count / parts, count % parts);
    let mut start = 0;
    let mut runs = Vec::new();
    for part in 0..parts {
        let length = length + usize::from(part < longer);
        if length > 0 {
            runs.push((start, length));
            start += length;
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::Examples;
    use mlp_data::dataset::{Dataset, FORMAT};
    use mlp_data::safetensors::Array;
    use mlp_protocol::augment::Augment;
    use mlp_protocol::data::{Schema, Target};
    use std::collections::BTreeMap;

    const COUNT: usize = 20;

    /// Images of bytes, [1, 2, 3], of four classes.
    fn examples() -> Examples {
        let count = COUNT as u64;
        let bytes: Vec<u8> = (0..COUNT as u8 * 6).map(|at| at.wrapping_mul(37)).collect();
        let labels: Vec<i64> = (0..COUNT as i64).map(|row| row % 4).collect();
        let dataset = Dataset {
            schema: Schema {
                format: FORMAT,
                examples: count,
                x: BTreeMap::from([("x".to_string(), vec![Some(1), Some(2), Some(3)])]),
                y: Target::Class {
                    classes: 4,
                    names: None,
                },
                recipe: serde_json::Value::Null,
            },
            x: BTreeMap::from([("x".to_string(), Array::from_u8(vec![count, 1, 2, 3], bytes))]),
            y: Array::from_i64(vec![count], &labels),
            meta: None,
        };
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("examples");
        dataset.write(&path).unwrap();
        Examples::read(path.to_str().unwrap(), "on").unwrap()
    }

    /// All numbers and targets of an epoch, in its order.
    fn epoch(steps: &[Augment], batch_size: usize, shards: usize, workers: u32) -> (Vec<f32>, Vec<f32>) {
        let augmenter = (!steps.is_empty()).then(|| Augmenter::new(steps, &[1, 2, 3], 7, 1));
        let recipe = Recipe {
            examples: examples().handles(),
            order: (0..COUNT).rev().collect(),
            batch_size,
            shards,
            augmenter,
        };
        let batches = recipe.batches();
        let mut loader = Loader::start(recipe, workers).unwrap();
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for _ in 0..batches {
            for part in loader.next().unwrap().parts {
                x.extend(Vec::<f32>::try_from(part.x.0[0].flatten(0, -1)).unwrap());
                let targets = part.y.to_kind(tch::Kind::Float).flatten(0, -1);
                y.extend(Vec::<f32>::try_from(targets).unwrap());
            }
        }
        (x, y)
    }

    #[test]
    fn examples_do_not_depend_on_batches_shards_or_threads() {
        let plain = Vec::new();
        let changed = vec![
            Augment::HorizontalFlip { p: 0.5 },
            Augment::Mixup { alpha: 0.4 },
            Augment::GaussianNoise { std: 0.1 },
            Augment::Mixup { alpha: 1.0 },
        ];
        for steps in [plain, changed] {
            let straight = epoch(&steps, 20, 1, 1);
            for (batch_size, shards, workers) in [(7, 1, 1), (7, 3, 4), (20, 4, 2), (1, 2, 3)] {
                assert_eq!(epoch(&steps, batch_size, shards, workers), straight);
            }
        }
    }

    #[test]
    fn examples_are_mixed_as_their_targets() {
        let (plain, labels) = epoch(&[], COUNT, 1, 1);
        let steps = [Augment::Mixup { alpha: 0.4 }];
        let (x, y) = epoch(&steps, COUNT, 1, 1);
        let augmenter = Augmenter::new(&steps, &[1, 2, 3], 7, 1);
        for at in 0..COUNT {
            let partner = augmenter.partner(0, COUNT - 1 - at, COUNT);
            let other = COUNT - 1 - partner.row;
            for pixel in 0..6 {
                let mixed =
                    partner.share * plain[at * 6 + pixel] + (1.0 - partner.share) * plain[other * 6 + pixel];
                assert_eq!(x[at * 6 + pixel], mixed);
            }
            let mut target = [0.0; 4];
            target[labels[at] as usize] += partner.share;
            target[labels[other] as usize] += 1.0 - partner.share;
            assert_eq!(y[at * 4..at * 4 + 4], target);
        }
    }

    #[test]
    fn shards_cover_the_batch() {
        assert_eq!(cut(10, 4), [(0, 3), (3, 3), (6, 2), (8, 2)]);
        assert_eq!(cut(2, 4), [(0, 1), (1, 1)]);
        assert_eq!(cut(8, 1), [(0, 8)]);
    }
}
