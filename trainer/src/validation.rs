//! Scoring a network on a split. It changes nothing: no generator is drawn from, running statistics are only read.

use crate::error::Outcome;
use crate::examples::Examples;
use crate::network::{Leaves, Mode, Network};
use crate::scores::{Metrics, Scorer, Tally};
use mlp_protocol::train::{Loss, Metric};
use rayon::ThreadPool;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::collections::BTreeMap;

/// What is scored, and how.
pub(crate) struct Validation<'a> {
    pub(crate) metrics: &'a BTreeMap<String, Metric>,
    /// The training's loss, scored as `loss` besides.
    pub(crate) loss: Option<&'a Loss>,
    /// Examples at a time: sums are taken batch by batch.
    pub(crate) batch_size: u32,
}

impl Validation<'_> {
    /// The metrics of a network on `examples`. Batches are dealt to the threads; their counts are summed in order.
    ///
    /// # Errors
    /// When libtorch throws.
    pub(crate) fn run(
        &self,
        network: &Network,
        leaves: &Leaves,
        examples: &Examples,
        pool: &ThreadPool,
    ) -> Outcome<Metrics> {
        let batches = starts(examples.count(), i64::from(self.batch_size));
        let workers = pool.current_num_threads().clamp(1, batches.len().max(1));
        let task = |worker| Outcome::Ok((worker, leaves.replica()?, examples.handles(), self.scorer()));
        let tasks = (0..workers).map(task).collect::<Outcome<Vec<_>>>()?;
        let done: Vec<Outcome<Vec<(usize, Tally)>>> = pool.install(|| {
            let run = |(worker, leaves, examples, scorer): (usize, Leaves, _, Scorer)| {
                let examples: crate::examples::Handles = examples;
                let mine = batches.iter().enumerate().skip(worker).step_by(workers);
                tch::no_grad(|| {
                    mine.map(|(index, (start, length))| {
                        let (x, y) = examples.range(*start, *length)?;
                        let output = network.forward(&leaves, &x, &Mode::Evaluation)?;
                        Ok((index, scorer.tally(&output, &y)?))
                    })
                    .collect()
                })
            };
            tasks.into_par_iter().map(run).collect()
        });
        let tallies = done.into_iter().collect::<Outcome<Vec<_>>>()?;
        let in_order: BTreeMap<usize, Tally> = tallies.into_iter().flatten().collect();
        self.scorer().finish(in_order.into_values())
    }

    fn scorer(&self) -> Scorer {
        Scorer::new(self.metrics, self.loss)
    }
}

/// The batches of a split in order: start and length.
pub(crate) fn starts(count: i64, batch_size: i64) -> Vec<(i64, i64)> {
    let batch_size = batch_size.max(1);
    (0..count)
        .step_by(batch_size as usize)
        .map(|start| (start, batch_size.min(count - start)))
        .collect()
}
