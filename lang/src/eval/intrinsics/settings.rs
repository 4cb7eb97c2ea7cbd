//! How a training goes: optimizer, schedule, counts, shards, held against their ranges.

use super::given::Given;
use super::start::unmatched;
use crate::diagnostic::Diagnostic;
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::{Value, Variant};
use crate::shapes::{Labels, Network};
use crate::spec::{ByName, Datum, Fields};

type Args = Fields;

/// Below so many operations an example (forward), a batch is not worth cutting into shards.
const SMALL_NETWORK: u64 = 1_000_000;
/// Shards of a batch of a larger network: what keeps four workers busy.
const SHARDS: i64 = 4;

/// A field of a schedule, whether a value of it fits, and what it must be.
type Rate = (&'static str, fn(f64) -> bool, &'static str);

/// What the rates of schedules must be.
const RATES: [Rate; 2] = [
    ("max_lr", |lr| lr > 0.0, "must be above 0"),
    (
        "factor",
        |factor| (0.0..1.0).contains(&factor),
        "must be 0 or more and below 1",
    ),
];

/// Everything of the protocol's `TrainArgs` but loss and metrics.
pub(super) fn train_args(
    machine: &mut Machine<'_>,
    given: &Given,
    network: &Network,
) -> Result<Args, Failed> {
    let mut args = Args::from([
        ("net", network.datum.clone()),
        ("optimizer", optimizer(machine, given, network)?),
        ("keep", Datum::Str(given.choice(machine, "keep")?)),
        ("precision", Datum::Str(given.choice(machine, "precision")?)),
        ("device", Datum::Str(given.choice(machine, "device")?)),
        ("seed", machine.datum(&given.get("seed"), given.place)?),
    ]);
    let mut count = |name: &str| given.count(machine, name, 1);
    let (epochs, batch_size) = (count("epochs")?, count("batch_size")?);
    let (accumulate, every) = (count("accumulate")?, count("checkpoint_every")?);
    let shards = match count("shards")? {
        Some(shards) => shards,
        // A loss that was written by hand may compare the examples of a batch with each other.
        None if whole_batch(machine, given)? => 1,
        None => automatic_shards(network, batch_size.unwrap_or(1)),
    };
    let counts = [
        ("epochs", epochs, 0),
        ("batch_size", batch_size, 0),
        ("accumulate", accumulate, 1),
        ("checkpoint_every", every, 1),
        ("shards", Some(shards), 0),
    ];
    for (name, count, absent) in counts {
        if let Some(count) = count
            && count != absent
        {
            args.insert(name.to_owned(), Datum::Int(count));
        }
    }
    match given.get("clip_grad_norm") {
        Value::Float(norm) if norm > 0.0 => {
            args.insert("clip_grad_norm", Datum::Float(norm));
        }
        Value::Null => {}
        other => {
            let shown = machine.display(&other);
            return Err(given.wrong(
                machine,
                "clip_grad_norm",
                format!("`clip_grad_norm` is {shown}"),
                "must be above 0",
            ));
        }
    }
    if let Value::Variant(schedule) = given.get("schedule") {
        for name in ["step_size", "over"] {
            if let Some(Value::Int(epochs @ ..1)) = schedule.field(&machine.names, name) {
                let message = format!("`{name}` is {epochs}");
                return Err(of_description(
                    machine,
                    given,
                    &schedule,
                    name,
                    &message,
                    "must be 1 or more",
                ));
            }
        }
        for name in ["warmup", "patience"] {
            if let Some(Value::Int(epochs @ ..0)) = schedule.field(&machine.names, name) {
                let message = format!("`{name}` is {epochs}");
                let bound = "must be 0 or more";
                return Err(of_description(machine, given, &schedule, name, &message, bound));
            }
        }
        for (name, fits, bound) in RATES {
            if let Some(Value::Float(value)) = schedule.field(&machine.names, name)
                && !fits(*value)
            {
                let message = format!("`{name}` is {}", crate::eval::render::float(*value));
                return Err(of_description(machine, given, &schedule, name, &message, bound));
            }
        }
        let schedule = match schedule.field(&machine.names, "f") {
            Some(factor) => factors(machine, given, &factor.clone(), epochs.unwrap_or(0))?,
            None => machine.datum(&Value::Variant(schedule), given.place)?,
        };
        args.insert("schedule", schedule);
    }
    Ok(args)
}

/// A function of the network and the batch alone: the number of shards decides bits, the machine must not.
fn automatic_shards(network: &Network, batch_size: i64) -> i64 {
    if network.has("batch_norm") || network.mixes || network.flops() < SMALL_NETWORK {
        return 1;
    }
    SHARDS.min(batch_size)
}

/// Whether the loss was written by hand.
fn whole_batch(machine: &mut Machine<'_>, given: &Given) -> Result<bool, Failed> {
    let loss = machine.description(&given.get("loss"), given.place)?;
    Ok(loss.field(&machine.names, "graph").is_some())
}

/// What `schedule.custom` gives of each epoch.
fn factors(machine: &mut Machine<'_>, given: &Given, f: &Value, epochs: i64) -> Result<Datum, Failed> {
    machine.reserve(
        usize::try_from(epochs)
            .unwrap_or(0)
            .saturating_mul(size_of::<Datum>()),
        given.place,
    )?;
    let mut factors = Vec::new();
    for epoch in 0..epochs {
        match machine.apply(f, [Value::Int(epoch)], given.place)? {
            Value::Float(factor) if factor >= 0.0 => factors.push(Datum::Float(factor)),
            other => {
                let shown = machine.display(&other);
                let message = format!("the schedule gives {shown} for epoch {epoch}");
                return Err(given.wrong(machine, "schedule", message, "a learning rate is 0 or more"));
            }
        }
    }
    let fields = ByName::from([("factors", Datum::List(factors))]);
    Ok(Datum::Variant("custom".into(), fields))
}

fn optimizer(machine: &mut Machine<'_>, given: &Given, network: &Network) -> Result<Datum, Failed> {
    let optimizer = machine.description(&given.get("optimizer"), given.place)?;
    for (name, positive) in [
        ("lr", true),
        ("eps", true),
        ("momentum", false),
        ("weight_decay", false),
    ] {
        if let Some(Value::Float(value)) = optimizer.field(&machine.names, name)
            && (*value < 0.0 || positive && *value == 0.0)
        {
            let message = format!("`{name}` is {}", crate::eval::render::float(*value));
            let bound = if positive {
                "must be above 0"
            } else {
                "must be 0 or more"
            };
            return Err(of_description(machine, given, &optimizer, name, &message, bound));
        }
    }
    if let Some(betas) = optimizer.field(&machine.names, "betas") {
        let inside = |beta: &Value| matches!(beta, Value::Float(beta) if (0.0..1.0).contains(beta));
        let fits =
            matches!(betas, Value::List(list) if list.items().len() == 2 && list.items().iter().all(inside));
        if !fits {
            let message = format!("`betas` is {}", machine.display(betas));
            let bound = "must be two numbers from 0 up to and without 1";
            return Err(of_description(
                machine, given, &optimizer, "betas", &message, bound,
            ));
        }
    }
    let groups = groups(machine, given, &optimizer, network)?;
    let mut datum = machine.datum(&Value::Variant(optimizer), given.place)?;
    if let Datum::Variant(_, fields) = &mut datum {
        // No groups are the same as none said.
        fields.remove("groups");
        if !groups.is_empty() {
            fields.insert("groups".to_owned(), Datum::List(groups));
        }
    }
    Ok(datum)
}

/// An optimizer's groups as a list: of several that match a layer the one that was written first holds.
fn groups(
    machine: &mut Machine<'_>,
    given: &Given,
    optimizer: &Variant,
    network: &Network,
) -> Result<Vec<Datum>, Failed> {
    let Some(Value::Map(groups)) = optimizer.field(&machine.names, "groups").cloned() else {
        return Ok(Vec::new());
    };
    let mut list = Vec::new();
    for (pattern, group) in groups.entries() {
        let pattern = pattern.as_str();
        if let Some(error) = unmatched(pattern, &network.rows, given.span(machine, "optimizer")) {
            return Err(machine.fail(error));
        }
        let Datum::Map(mut fields) = machine.datum(group, given.place)? else {
            continue;
        };
        for name in ["lr", "weight_decay"] {
            if let Some(Datum::Float(value @ ..0.0)) = fields.get(name) {
                let message = format!(
                    "`{name}` of \"{pattern}\" is {}",
                    crate::eval::render::float(*value)
                );
                let bound = "must be 0 or more";
                return Err(of_description(
                    machine, given, optimizer, "groups", &message, bound,
                ));
            }
        }
        fields.insert("layers".to_owned(), Datum::Str(pattern.into()));
        list.push(Datum::Map(fields));
    }
    Ok(list)
}

/// An argument of a description that is out of range.
fn of_description(
    machine: &mut Machine<'_>,
    given: &Given,
    description: &Variant,
    name: &str,
    message: &str,
    at: &str,
) -> Failed {
    let site = machine.site(description, given.place);
    let span = site.arguments.get(name).copied().unwrap_or(site.span);
    let kind = machine.names.text(description.name).to_owned();
    let mut error = Diagnostic::error("E0412", span, format!("{message} in `{kind}`")).at(at);
    error.notes = site.notes;
    machine.fail(error)
}

/// The arguments of a loss that the labels decide.
pub(super) fn check_loss(
    machine: &mut Machine<'_>,
    given: &Given,
    loss: &Variant,
    labels: Labels,
) -> Result<(), Failed> {
    if let (Some(Value::List(weight)), Labels::Class(classes)) =
        (loss.field(&machine.names, "weight"), labels)
        && weight.items().len() as i64 != classes
    {
        let message = format!(
            "`weight` has {} numbers for {classes} classes",
            weight.items().len()
        );
        return Err(of_description(
            machine,
            given,
            loss,
            "weight",
            &message,
            "needs one for each class",
        ));
    }
    if let Some(Value::Float(smoothing)) = loss.field(&machine.names, "label_smoothing")
        && !(0.0..=1.0).contains(smoothing)
    {
        let message = format!("`label_smoothing` is {}", crate::eval::render::float(*smoothing));
        return Err(of_description(
            machine,
            given,
            loss,
            "label_smoothing",
            &message,
            "must be between 0 and 1",
        ));
    }
    Ok(())
}
