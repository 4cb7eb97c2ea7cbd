//! Whether data, network, loss, metrics and arguments fit together, before anything is computed.

mod targets;

use crate::error::Outcome;
use mlp_protocol::data::{Schema, Sizes};
use mlp_protocol::message::{Failure, Outcome as Checked};
use mlp_protocol::net::{Input, Net, Shape};
use mlp_protocol::optim::Optimizer;
use mlp_protocol::schedule::Schedule;
use mlp_protocol::train::{EarlyStopping, Loss, Metric, TrainArgs};
use std::collections::BTreeMap;

pub(crate) use targets::{check_loss, check_metrics, check_output};

/// Checks the arguments of a training.
///
/// # Errors
/// When one is out of range.
pub(crate) fn check_train(args: &TrainArgs, has_val: bool) -> Outcome<()> {
    at_least_one("epochs", args.epochs)?;
    at_least_one("batch_size", args.batch_size)?;
    at_least_one("accumulate", args.accumulate)?;
    at_least_one("shards", args.shards)?;
    at_least_one("checkpoint_every", args.checkpoint_every)?;
    check_device(&args.device)?;
    if args.precision != "fp32" {
        return Err(out_of_range(
            "precision",
            &format!("`precision` is {:?}", args.precision),
            "write `precision = \"fp32\"`",
        )
        .into());
    }
    if args.early_stopping.is_some() && !has_val {
        let message = "early stopping watches the validation loss, but there is no `val`";
        return Err(out_of_range(
            "early_stopping",
            message,
            "give `val = …`, or leave `early_stopping` out",
        )
        .into());
    }
    if let Some(rule) = &args.early_stopping {
        check_watched(rule, &args.metrics)?;
    }
    if let Some(Schedule::Plateau { .. }) = args.schedule
        && !has_val
    {
        let message = "a plateau watches the validation loss, but there is no `val`";
        return Err(out_of_range("schedule", message, "give `val = …`, or take another schedule").into());
    }
    if let Some(decay) = args.ema {
        within("ema", decay, decay > 0.0 && decay < 1.0, "above 0 and below 1")?;
    }
    if let Some(bound) = args.clip_grad_norm {
        within("clip_grad_norm", bound, bound > 0.0, "above 0")?;
    }
    if let Some(schedule) = &args.schedule {
        check_schedule(schedule)?;
    }
    Ok(check_optimizer(&args.optimizer)?)
}

/// Checks that the figure that early stopping watches is one, and measured.
fn check_watched(rule: &EarlyStopping, metrics: &BTreeMap<String, Metric>) -> Checked<()> {
    within(
        "early_stopping.min_delta",
        rule.min_delta,
        rule.min_delta >= 0.0,
        "0 or above",
    )?;
    let measured = |name: &str| {
        name == "loss" || matches!(metrics.get(name), Some(metric) if metric.direction().is_some())
    };
    match (&rule.min, &rule.max) {
        (Some(_), Some(_)) => Err(out_of_range(
            "early_stopping",
            "a training is stopped by one figure, and both `min` and `max` are given",
            "leave one of them out",
        )),
        (Some(name), None) | (None, Some(name)) if !measured(name) => Err(out_of_range(
            "early_stopping",
            &format!("early stopping watches `{name}`, which is no figure of the validation"),
            "add it to `metrics`",
        )),
        _ => Ok(()),
    }
}

/// Checks that the device is one that this program has.
///
/// # Errors
/// When it is not.
pub(crate) fn check_device(device: &str) -> Checked<()> {
    if device == "cpu" {
        return Ok(());
    }
    Err(Failure::new(
        "B0206",
        format!("the device `{device}` is not available: this trainer computes on the CPU"),
    )
    .argument("device")
    .help("write `device = \"cpu\"`"))
}

/// Whether something compares the network's output with the targets number by number: all but traced functions do.
pub(crate) fn compares(loss: Option<&Loss>, metrics: &BTreeMap<String, Metric>) -> bool {
    let custom = |metric: &Metric| match metric {
        Metric::Custom { .. } => true,
        Metric::Loss { loss } => matches!(loss, Loss::Custom { .. }),
        _ => false,
    };
    loss.is_some_and(|loss| !matches!(loss, Loss::Custom { .. })) || !metrics.values().all(custom)
}

/// Checks examples against a network; `name` is the argument that holds them.
///
/// # Errors
/// When shapes differ, or the targets are not the network's output although something compares the two.
pub(crate) fn check_data(schema: &Schema, net: &Net, name: &str, compares: bool) -> Checked<()> {
    check_input(schema, &net.input, name)?;
    match compares {
        true => targets::check_output(&schema.y, &net.output, name),
        false => Ok(()),
    }
}

/// Checks the shapes of the examples against what a network takes.
fn check_input(schema: &Schema, input: &Input, name: &str) -> Checked<()> {
    let wrong = |message| Err(Failure::new("B0202", message).argument(name));
    let shown = |shapes: &BTreeMap<String, Sizes>| {
        let inputs = shapes
            .iter()
            .map(|(input, shape)| format!("`{input}` {}", sizes(shape)));
        inputs.collect::<Vec<_>>().join(", ")
    };
    match input {
        Input::One(takes) => match schema.x.get("x").filter(|_| schema.x.len() == 1) {
            Some(found) if fits(found, takes) => Ok(()),
            Some(found) => wrong(format!(
                "the examples of `{name}` have shape {}, but the network takes {}",
                sizes(found),
                sizes(takes)
            )),
            None => wrong(format!(
                "the examples of `{name}` have the inputs {}, but the network takes one",
                shown(&schema.x)
            )),
        },
        Input::Named(takes) => {
            let fit = |(found, takes): ((&String, &Sizes), (&String, &Shape))| {
                found.0 == takes.0 && fits(found.1, takes.1)
            };
            if schema.x.len() == takes.len() && schema.x.iter().zip(takes).all(fit) {
                return Ok(());
            }
            let takes = takes
                .iter()
                .map(|(input, shape)| format!("`{input}` {}", sizes(shape)));
            wrong(format!(
                "the examples of `{name}` have the inputs {}, but the network takes {}",
                shown(&schema.x),
                takes.collect::<Vec<_>>().join(", ")
            ))
        }
    }
}

/// Whether examples of this shape can be given to a network; a size that it leaves open may be any.
fn fits(found: &Sizes, takes: &Shape) -> bool {
    let fit = |(found, takes): (&Option<u64>, &Option<i64>)| {
        takes.is_none_or(|takes| found.is_some_and(|found| found.cast_signed() == takes))
    };
    found.len() == takes.len() && found.iter().zip(takes).all(fit)
}

/// A shape in a message.
fn sizes<T: ToString>(shape: &[Option<T>]) -> String {
    let sizes = shape.iter();
    let sizes: Vec<String> = sizes
        .map(|size| size.as_ref().map_or("?".to_owned(), T::to_string))
        .collect();
    format!("[{}]", sizes.join(", "))
}

/// Checks that two splits are of one kind.
///
/// # Errors
/// When shapes, targets or recipes differ.
pub(crate) fn check_alike(on: &Schema, val: &Schema) -> Checked<()> {
    if (&on.x, &on.y, &on.recipe) == (&val.x, &val.y, &val.recipe) {
        return Ok(());
    }
    Err(
        Failure::new("B0204", "`on` and `val` were read by different recipes")
            .argument("val")
            .help("take both from one dataset, by `data.split`"),
    )
}

fn check_schedule(schedule: &Schedule) -> Checked<()> {
    let not_negative =
        |name: &str, value: f64| within(&format!("schedule.{name}"), value, value >= 0.0, "0 or above");
    match schedule {
        Schedule::Step { step_size, gamma } => {
            at_least_one("schedule.step_size", *step_size)?;
            not_negative("gamma", *gamma)
        }
        Schedule::Exponential { gamma } | Schedule::MultiStep { gamma, .. } => not_negative("gamma", *gamma),
        Schedule::Cosine { over, warmup, min_lr } => {
            at_least_one("schedule.over", *over)?;
            within(
                "schedule.warmup",
                f64::from(*warmup),
                warmup <= over,
                &format!("at most `over`, which is {over}"),
            )?;
            not_negative("min_lr", *min_lr)
        }
        Schedule::OneCycle { max_lr, over } => {
            at_least_one("schedule.over", *over)?;
            within("schedule.max_lr", *max_lr, *max_lr > 0.0, "above 0")
        }
        Schedule::Plateau { factor, .. } => {
            let fits = (0.0..1.0).contains(factor);
            within("schedule.factor", *factor, fits, "from 0 to below 1")
        }
        Schedule::Custom { factors } => factors
            .iter()
            .try_for_each(|factor| not_negative("factors", *factor)),
    }
}

fn check_optimizer(optimizer: &Optimizer) -> Checked<()> {
    let not_negative =
        |name: &str, value: f64| within(&format!("optimizer.{name}"), value, value >= 0.0, "0 or above");
    for group in optimizer.groups() {
        let own =
            |name: &str, value: Option<f64>| not_negative(&format!("groups.{name}"), value.unwrap_or(0.0));
        own("lr", group.lr)?;
        own("weight_decay", group.weight_decay)?;
    }
    match optimizer {
        Optimizer::Sgd {
            lr,
            momentum,
            nesterov,
            weight_decay,
            ..
        } => {
            not_negative("lr", *lr)?;
            not_negative("momentum", *momentum)?;
            not_negative("weight_decay", *weight_decay)?;
            if *nesterov && *momentum == 0.0 {
                let help = "give `momentum`, or leave `nesterov` out";
                return Err(out_of_range(
                    "optimizer.nesterov",
                    "Nesterov's momentum needs a momentum",
                    help,
                ));
            }
            Ok(())
        }
        Optimizer::Adam {
            lr,
            betas,
            eps,
            weight_decay,
            ..
        }
        | Optimizer::Adamw {
            lr,
            betas,
            eps,
            weight_decay,
            ..
        } => {
            not_negative("lr", *lr)?;
            not_negative("eps", *eps)?;
            not_negative("weight_decay", *weight_decay)?;
            check_betas(*betas)
        }
        Optimizer::Rmsprop {
            lr,
            alpha,
            eps,
            weight_decay,
            momentum,
            ..
        } => {
            not_negative("lr", *lr)?;
            not_negative("eps", *eps)?;
            not_negative("weight_decay", *weight_decay)?;
            not_negative("momentum", *momentum)?;
            let fits = (0.0..1.0).contains(alpha);
            within("optimizer.alpha", *alpha, fits, "from 0 to below 1")
        }
        Optimizer::Lion {
            lr,
            betas,
            weight_decay,
            ..
        } => {
            not_negative("lr", *lr)?;
            not_negative("weight_decay", *weight_decay)?;
            check_betas(*betas)
        }
    }
}

fn check_betas(betas: [f64; 2]) -> Checked<()> {
    betas.iter().try_for_each(|beta| {
        within(
            "optimizer.betas",
            *beta,
            (0.0..1.0).contains(beta),
            "from 0 to below 1",
        )
    })
}

fn at_least_one(name: &str, value: u32) -> Checked<()> {
    within(name, f64::from(value), value >= 1, "1 or above")
}

fn within(argument: &str, value: f64, fits: bool, bounds: &str) -> Checked<()> {
    if fits && value.is_finite() {
        return Ok(());
    }
    let name = argument.rsplit('.').next().unwrap_or(argument);
    Err(Failure::new("B0207", format!("`{name}` is {value}, but must be {bounds}")).argument(argument))
}

fn out_of_range(argument: &str, message: &str, help: &str) -> Box<Failure> {
    Failure::new("B0207", message).argument(argument).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_that_a_network_leaves_open_may_be_any() {
        let found = |sizes: &[u64]| sizes.iter().copied().map(Some).collect::<Sizes>();
        assert!(fits(&found(&[1, 28, 28]), &vec![Some(1), None, None]));
        assert!(fits(&found(&[1, 28, 28]), &vec![Some(1), Some(28), Some(28)]));
        assert!(!fits(&found(&[3, 28, 28]), &vec![Some(1), None, None]));
        assert!(!fits(&found(&[1, 28]), &vec![Some(1), None, None]));
        // Images of many sizes are no tensor yet.
        assert!(!fits(
            &vec![Some(1), None, None],
            &vec![Some(1), Some(28), Some(28)]
        ));
        assert_eq!(sizes(&[Some(1), None]), "[1, ?]");
    }
}
