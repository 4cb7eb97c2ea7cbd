//! A network in evaluation, on all examples of a split. It changes nothing: no generator is drawn from, running statistics
//! are only read.

use crate::error::Outcome;
use crate::examples::{Examples, Handles};
use crate::network::{Leaves, Mode, Network};
use crate::scores::{Metrics, Scorer, Tally};
use mlp_protocol::train::{Loss, Metric};
use rayon::ThreadPool;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::collections::BTreeMap;
use tch::Tensor;

/// What is scored, and how.
pub(crate) struct Validation<'a> {
    pub(crate) metrics: &'a BTreeMap<String, Metric>,
    /// The training's loss, scored as `loss` besides.
    pub(crate) loss: Option<&'a Loss>,
    /// Examples at a time: sums are taken batch by batch.
    pub(crate) batch_size: u32,
    /// So many batches alone.
    pub(crate) smoke: Option<u32>,
}

impl Validation<'_> {
    /// The metrics of a network on `examples`.
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
        let passes = Passes {
            network,
            leaves,
            examples,
            batch_size: self.batch_size,
            smoke: self.smoke,
            pool,
        };
        let tallies = passes.run(
            || self.scorer(),
            |scorer: &Scorer, output, y| scorer.tally(output, y),
        )?;
        self.scorer().finish(tallies)
    }

    /// The metrics of outputs that are known, each example's beside its target: the very bits that [`Validation::run`] comes
    /// to where a network gives these outputs.
    ///
    /// # Errors
    /// When libtorch throws.
    pub(crate) fn of(&self, output: &Tensor, y: &Tensor) -> Outcome<Metrics> {
        let scorer = self.scorer();
        let count = y.size().first().copied().unwrap_or(0);
        let tally = |(start, length): (i64, i64)| -> Outcome<Tally> {
            // Copied, so that each lies in memory as it comes from a network.
            let part = |of: &Tensor| {
                let mut own = of.f_narrow(0, start, length)?.f_empty_like()?;
                own.f_copy_(&of.f_narrow(0, start, length)?)?;
                Outcome::Ok(own)
            };
            scorer.tally(&part(output)?, &part(y)?)
        };
        let tallies = starts(count, i64::from(self.batch_size)).into_iter().map(tally);
        scorer.finish(tallies.collect::<Outcome<Vec<_>>>()?)
    }

    fn scorer(&self) -> Scorer {
        Scorer::new(self.metrics, self.loss)
    }
}

/// All examples through a network, batch by batch.
pub(crate) struct Passes<'a> {
    pub(crate) network: &'a Network,
    pub(crate) leaves: &'a Leaves,
    pub(crate) examples: &'a Examples,
    pub(crate) batch_size: u32,
    /// So many batches alone.
    pub(crate) smoke: Option<u32>,
    pub(crate) pool: &'a ThreadPool,
}

impl Passes<'_> {
    /// What `then` makes of each batch's outputs and targets, in the order of batches. These are dealt to the threads, each of
    /// which has a `state` of its own.
    ///
    /// # Errors
    /// When libtorch throws, or `then` does.
    pub(crate) fn run<State: Send, Done: Send>(
        &self,
        state: impl Fn() -> State,
        then: impl Fn(&State, &Tensor, &Tensor) -> Outcome<Done> + Sync,
    ) -> Outcome<Vec<Done>> {
        let network = self.network;
        let mut batches = starts(self.examples.count(), i64::from(self.batch_size));
        batches.truncate(self.smoke.map_or(usize::MAX, |batches| batches as usize));
        let workers = self.pool.current_num_threads().clamp(1, batches.len().max(1));
        let task = |worker| Outcome::Ok((worker, self.leaves.replica()?, self.examples.handles(), state()));
        let tasks = (0..workers).map(task).collect::<Outcome<Vec<_>>>()?;
        let run = |(worker, leaves, examples, state): (usize, Leaves, Handles, State)| {
            let mine = batches.iter().enumerate().skip(worker).step_by(workers);
            tch::no_grad(|| {
                mine.map(|(index, (start, length))| {
                    let (x, y) = examples.range(*start, *length)?;
                    let output = network.forward(&leaves, &x, &Mode::Evaluation)?;
                    Ok((index, then(&state, &output, &y)?))
                })
                .collect()
            })
        };
        let done: Vec<Outcome<Vec<(usize, Done)>>> =
            self.pool.install(|| tasks.into_par_iter().map(run).collect());
        let done = done.into_iter().collect::<Outcome<Vec<_>>>()?;
        let in_order: BTreeMap<usize, Done> = done.into_iter().flatten().collect();
        Ok(in_order.into_values().collect())
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
