//! `ml.train`.
//!
//! Epochs are walked from the first to the last. An epoch whose state exists is loaded instead of trained; where there is
//! validation it is scored again, so that best epoch and early stopping come out as in a straight run, whatever states
//! were found. Without validation nothing but the last state is needed.

use crate::adapt::adapt;
use crate::agreement;
use crate::augment::{self, Augmenter};
use crate::error::Outcome;
use crate::examples::Examples;
use crate::history::{Best, Patience, Row, TrainFigures, TrainRow, cost, val_loss};
use crate::learner::{At, Gradient, Learner};
use crate::loader::{Loader, Recipe};
use crate::model::{self, Weights};
use crate::network::Leaves;
use crate::numerics;
use crate::progress::Progress;
use crate::states::{Past, States};
use crate::validation::{Validation, starts};
use mlp_data::channel::Channel;
use mlp_data::random::Random;
use mlp_data::{files, guard, program, weights};
use mlp_protocol::call::Call;
use mlp_protocol::chain::{EpochPlan, plan_chain};
use mlp_protocol::data::Schema;
use mlp_protocol::message::{Failure, Message};
use mlp_protocol::schedule::Watched;
use mlp_protocol::train::{Keep, ModelFile, TrainArgs};
use rayon::ThreadPool;
use serde_json::json;
use std::path::Path;

/// Builds `ml.train`.
///
/// # Errors
/// When arguments and data disagree, the loss is not finite, or files cannot be read or written.
pub(crate) fn build(call: &Call, channel: &Channel) -> Outcome<()> {
    let args: TrainArgs = program::arguments(call)?;
    let on = Examples::read(program::input(call, "on")?, "on")?;
    let val = call
        .inputs
        .get("val")
        .map(|path| Examples::read(path, "val"))
        .transpose()?;
    check(&args, &on, val.as_ref())?;
    let plan = plan_chain(&args);
    let start = match &args.init {
        Some(init) => weights::taken(Path::new(program::input(call, "init")?), init, &args.net)?,
        None => Weights::new(),
    };
    let mut training = Training {
        pool: numerics::workers(call.workers)?,
        learner: Learner::new(&args)?,
        states: States::new(call.chain.as_ref(), channel),
        progress: Progress::new(channel, args.epochs),
        past: Past {
            rows: Vec::new(),
            plateau: plan.validated.then(Watched::default),
        },
        plan: plan.epochs,
        args: &args,
        on: &on,
    };
    let Learner { network, leaves, .. } = &training.learner;
    model::start_from(network, leaves, &start)?;
    adapt(network, leaves, &on, &start)?;
    for text in guard::of_call(call)? {
        training.progress.send(&Message::Warning { text })?;
    }
    let result = training.run(val.as_ref())?;
    training.states.settle()?;
    write(call, &args, &on, &result)?;
    match call.outputs.get("timings") {
        Some(path) => Ok(files::write(
            Path::new(path),
            &files::json(&training.progress.timings()),
        )?),
        None => Ok(()),
    }
}

/// A training under way.
struct Training<'a> {
    args: &'a TrainArgs,
    on: &'a Examples,
    pool: ThreadPool,
    learner: Learner,
    states: States<'a>,
    progress: Progress<'a>,
    plan: Vec<EpochPlan>,
    past: Past,
}

/// What a training came to.
struct Trained {
    history: Vec<Row>,
    /// The epoch of `model`, and its weights.
    kept: (u32, Weights),
    last: Weights,
}

impl Training<'_> {
    fn run(&mut self, val: Option<&Examples>) -> Outcome<Trained> {
        self.announce(val.is_some())?;
        let mut history = Vec::new();
        if val.is_none() {
            self.skip(&mut history)?;
        }
        let (mut best, mut patience) = (Best::default(), Patience::new(self.args.early_stopping.as_ref()));
        let mut kept = None;
        for epoch in history.len() as u32 + 1..=self.args.epochs {
            let row = self.epoch(epoch, val)?;
            self.progress.end_epoch(&row)?;
            let rule = self.args.early_stopping.as_ref();
            let cost = row.val.as_ref().map(|val| cost(val, rule));
            history.push(row);
            let Some(cost) = cost else { continue };
            let is_best = best.observe(epoch, cost);
            if is_best && self.args.keep == Keep::Best {
                kept = Some((epoch, self.weights(self.learner.scored())?));
            }
            if patience.observe(cost) && epoch < self.args.epochs {
                let best_epoch = best.epoch().unwrap_or(epoch);
                self.progress.send(&Message::StoppedEarly { epoch, best_epoch })?;
                break;
            }
        }
        let last = self.weights(&self.learner.leaves)?;
        let kept = match kept {
            Some(kept) => kept,
            None if self.learner.ema.is_none() => (history.len() as u32, last.clone()),
            None => (history.len() as u32, self.weights(self.learner.scored())?),
        };
        Ok(Trained { history, kept, last })
    }

    /// Brings the learner from the end of the epoch before to the end of `epoch`, and gives its figures.
    fn epoch(&mut self, epoch: u32, val: Option<&Examples>) -> Outcome<Row> {
        let trained = self.reach(epoch)?;
        let rule = self.plan[epoch as usize - 1].plateau;
        // A state holds what a plateau has seen, so it is whole only after the validation.
        if trained && rule.is_none() {
            self.keep(epoch)?;
        }
        let val = val.map(|val| self.validate(val)).transpose()?;
        if let (Some(rule), Some(val), Some(watched)) = (rule, &val, &mut self.past.plateau)
            && trained
        {
            watched.observe(rule, val_loss(val));
            self.keep(epoch)?;
        }
        let row = self.past.rows[epoch as usize - 1].clone();
        Ok(Row { row, val })
    }

    fn announce(&self, has_val: bool) -> Outcome<()> {
        let contiguous = (1..=self.args.epochs)
            .take_while(|epoch| self.states.find(*epoch).is_some())
            .count() as u32;
        let last = self.states.last(self.args.epochs).unwrap_or(0);
        self.progress.send(&Message::TrainingStarted {
            device: self.args.device.clone(),
            parameters: self.learner.parameters(),
            examples: self.on.schema.examples,
            from_epoch: if has_val { contiguous } else { last },
            epochs: self.args.epochs,
        })
    }

    /// Without validation: goes to the last state that exists.
    fn skip(&mut self, history: &mut Vec<Row>) -> Outcome<()> {
        let Some(epoch) = self.states.last(self.args.epochs) else {
            return Ok(());
        };
        self.past = self.states.load(epoch, &mut self.learner)?;
        history.extend(self.past.rows.iter().map(|row| Row {
            row: row.clone(),
            val: None,
        }));
        history.iter().try_for_each(|row| self.progress.end_epoch(row))
    }

    /// Loads the state after `epoch`, or trains the epoch; whether it was trained.
    fn reach(&mut self, epoch: u32) -> Outcome<bool> {
        if self.states.find(epoch).is_some() {
            self.past = self.states.load(epoch, &mut self.learner)?;
            return Ok(false);
        }
        self.progress.begin_epoch();
        let plan = self.plan[epoch as usize - 1].clone();
        let (row, norms) = self.train_epoch(epoch, &plan)?;
        self.progress.end_training(epoch, self.on.count(), norms)?;
        self.past.rows.push(row);
        Ok(true)
    }

    fn keep(&mut self, epoch: u32) -> Outcome<()> {
        if epoch.is_multiple_of(self.args.checkpoint_every) || epoch == self.args.epochs {
            self.states.keep(&self.learner, &self.past)?;
        }
        Ok(())
    }

    /// One pass over the training set; gives its mean loss and the rate of its last train step, and the 2-norms of that
    /// step's gradient and of the weights after it.
    fn train_epoch(&mut self, epoch: u32, plan: &EpochPlan) -> Outcome<(TrainRow, (f64, f64))> {
        let mut loader = self.loader(epoch, plan)?;
        let mut batches = starts(self.on.count(), i64::from(self.args.batch_size));
        batches.truncate(self.args.smoke.map_or(usize::MAX, |batches| batches as usize));
        let steps = batches.len().div_ceil(self.args.accumulate as usize);
        let (mut total, mut seen, mut lr, mut gradient_norm) = (0.0, 0, plan.lr, 0.0);
        for (step, group) in batches.chunks(self.args.accumulate as usize).enumerate() {
            let mut now = plan.at(step as u64, steps as u64);
            now.scale *= self.past.plateau.as_ref().map_or(1.0, |watched| watched.scale);
            lr = plan.lr * now.scale;
            let mut gradients = Vec::with_capacity(group.len());
            for (within, (_, length)) in group.iter().enumerate() {
                let batch = (step * self.args.accumulate as usize + within) as u64;
                let examples = self.progress.waiting(|| loader.next())?;
                let at = At { epoch, batch };
                let gradient = self.learner.gradient(&self.pool, &examples, at)?;
                if !gradient.loss.is_finite() {
                    return Err(diverged(gradient.loss, epoch, step as u64 + 1, lr).into());
                }
                total += gradient.loss * *length as f64;
                seen += length;
                gradients.push(gradient);
            }
            let gradient = Gradient::mean(gradients)?;
            if step + 1 == steps {
                gradient_norm = gradient.norm()?;
            }
            self.learner.step(&gradient, plan, &now)?;
            self.progress
                .step(epoch, step as u64 + 1, steps as u64, seen, total / seen as f64)?;
        }
        let loss = total / seen as f64;
        let row = TrainRow {
            epoch,
            lr,
            train: TrainFigures { loss },
        };
        Ok((row, (gradient_norm, self.learner.weight_norm()?)))
    }

    /// The batches of `epoch`, whose examples have an order of their own, so that no generator's state has to be kept.
    fn loader(&self, epoch: u32, plan: &EpochPlan) -> Outcome<Loader> {
        let examples = self.on.handles();
        let mut order: Vec<usize> = (0..self.on.count() as usize).collect();
        Random::new(self.args.seed, "order")
            .child(u64::from(epoch))
            .shuffle(&mut order);
        if let Some(batches) = self.args.smoke {
            order.truncate(batches as usize * self.args.batch_size as usize);
        }
        let changed = examples.numbers().filter(|_| !plan.augment.is_empty());
        let augmenter =
            changed.map(|numbers| Augmenter::new(&plan.augment, &numbers.shape(), self.args.seed, epoch));
        let recipe = Recipe {
            examples,
            order,
            batch_size: self.args.batch_size as usize,
            shards: self.args.shards as usize,
            augmenter,
        };
        Loader::start(recipe, self.pool.current_num_threads() as u32)
    }

    fn validate(&self, val: &Examples) -> Outcome<crate::scores::Metrics> {
        let validation = Validation {
            metrics: &self.args.metrics,
            loss: Some(&self.args.loss),
            batch_size: self.args.batch_size,
            smoke: self.args.smoke,
        };
        validation.run(&self.learner.network, self.learner.scored(), val, &self.pool)
    }

    fn weights(&self, leaves: &Leaves) -> Outcome<Weights> {
        model::weights(&self.learner.network, leaves)
    }
}

fn check(args: &TrainArgs, on: &Examples, val: Option<&Examples>) -> Outcome<()> {
    agreement::check_train(args, val.is_some())?;
    let compares = agreement::compares(Some(&args.loss), &args.metrics);
    agreement::check_data(&on.schema, &args.net, "on", compares)?;
    agreement::check_loss(&args.loss, &on.schema.y, &args.net.output, "loss")?;
    agreement::check_metrics(&args.metrics, &on.schema.y, &args.net.output)?;
    augment::check(&args.augment, &args.loss, &on.schema)?;
    if let Some(val) = val {
        agreement::check_data(&val.schema, &args.net, "val", compares)?;
        agreement::check_alike(&on.schema, &val.schema)?;
    }
    Ok(())
}

fn diverged(loss: f64, epoch: u32, step: u64, lr: f64) -> Box<Failure> {
    let what = if loss.is_nan() { "NaN" } else { "infinite" };
    let failure = Failure::new(
        "B0201",
        format!("the loss became {what} in epoch {epoch}, step {step}"),
    );
    failure.argument("optimizer").help(format!(
        "lower the learning rate, which is {lr:?} now, or set `clip_grad_norm = 1.0`"
    ))
}

fn write(call: &Call, args: &TrainArgs, on: &Examples, trained: &Trained) -> Outcome<()> {
    let Schema { y, recipe, .. } = &on.schema;
    let file = ModelFile {
        format: model::FORMAT,
        net: args.net.clone(),
        y: y.clone(),
        recipe: recipe.clone(),
    };
    let (epoch, weights) = &trained.kept;
    let path = |name: &str| call.outputs.get(name).map(Path::new);
    if let Some(path) = path("model") {
        model::write(path, &file, weights)?;
    }
    if let Some(path) = path("last") {
        model::write(path, &file, &trained.last)?;
    }
    if let Some(path) = path("history") {
        files::write(path, &files::json(&trained.history))?;
    }
    if let Some(path) = path("best") {
        files::write(path, &files::json(&json!({ "epoch": epoch })))?;
    }
    let val = trained
        .history
        .get(*epoch as usize - 1)
        .and_then(|row| row.val.as_ref());
    if let (Some(path), Some(val)) = (path("val"), val) {
        files::write(path, &files::json(val))?;
    }
    Ok(())
}
