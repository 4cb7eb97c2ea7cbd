//! The argument `augment` of a training, held against the data.

use super::given::Given;
use crate::diagnostic::Diagnostic;
use crate::eval::artifact::DatasetInfo;
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::{Value, Variant};
use crate::shapes::{Features, Labels, features_text};
use crate::spec::{Datum, Fields};
use std::rc::Rc;

pub(super) fn augment(
    machine: &mut Machine<'_>,
    given: &Given,
    (on, loss): (&DatasetInfo, &str),
    args: &mut Fields,
) -> Result<(), Failed> {
    let value = given.get("augment");
    let Value::List(list) = &value else {
        return Ok(());
    };
    let mut data = Vec::new();
    for item in list.items() {
        let augment = machine.description(item, given.place)?;
        if let Some(error) = misfit(machine, given, &augment, (on, loss)) {
            return Err(machine.fail(error));
        }
        data.push(machine.datum(&Value::Variant(augment), given.place)?);
    }
    if !data.is_empty() {
        args.insert("augment", Datum::List(data));
    }
    Ok(())
}

/// What an augmentation has against the data, or against its own arguments.
fn misfit(
    machine: &Machine<'_>,
    given: &Given,
    augment: &Rc<Variant>,
    (on, loss): (&DatasetInfo, &str),
) -> Option<Diagnostic> {
    let site = machine.site(augment, given.place);
    let kind = machine.names.text(augment.name);
    let mut error = if let Some((needs, shown)) = unfit(kind, on) {
        let message = format!("`augment.{kind}` needs {needs}, and the examples are {shown}");
        Diagnostic::error("E0321", site.span, message)
            .at(format!("needs {needs}"))
            .label(on.x_span, "the examples are declared here")
            .help(match needs {
                "images" => {
                    "leave it out; or read the examples as images: `data.pixels(…)`, `data.image_folder(…)`"
                }
                _ => "leave it out, or take one that fits: `mlp doc augment` lists them",
            })
    } else if let Some(fits) = unmixable(kind, on, loss) {
        let message = format!("`augment.mixup` mixes targets, which `loss.{loss}` cannot take");
        Diagnostic::error("E0321", site.span, message)
            .at(format!("needs `loss.{fits}`"))
            .help(format!("leave it out, or write `loss = loss.{fits}`"))
    } else {
        let (name, shown, bound) = out_of_range(machine, augment, on)?;
        let span = site.arguments.get(name).copied().unwrap_or(site.span);
        Diagnostic::error("E0412", span, format!("`{name}` is {shown} in `{kind}`")).at(bound)
    };
    error.notes.extend(site.notes);
    Some(error)
}

/// What an augmentation needs and the data is not.
fn unfit(kind: &str, on: &DatasetInfo) -> Option<(&'static str, String)> {
    let shape = match &on.x {
        Features::One(signal) if !signal.ids => signal.shape.as_slice(),
        other => return Some(("one input of numbers", features_text(other))),
    };
    match kind {
        "gaussian_noise" => None,
        "mixup" if matches!(on.y, Labels::Real(_)) => {
            Some(("classes or tags", "with numbers for labels".to_owned()))
        }
        "mixup" => None,
        _ if shape.len() == 3 => None,
        _ => Some(("images", features_text(&on.x))),
    }
}

/// The loss that takes mixed targets, where it is another one.
fn unmixable(kind: &str, on: &DatasetInfo, loss: &str) -> Option<&'static str> {
    let fits = match on.y {
        Labels::Class(_) => "cross_entropy",
        _ => "bce_with_logits",
    };
    (kind == "mixup" && loss != fits).then_some(fits)
}

/// An argument that is out of range: its name, its value, what it may be.
type Wrong = (&'static str, String, &'static str);

fn out_of_range(machine: &Machine<'_>, augment: &Variant, on: &DatasetInfo) -> Option<Wrong> {
    sizes(machine, augment, on)
        .or_else(|| colors(machine, augment, on))
        .or_else(|| numbers(machine, augment))
}

/// Sizes in pixels.
fn sizes(machine: &Machine<'_>, augment: &Variant, on: &DatasetInfo) -> Option<Wrong> {
    let pair = |name: &str| {
        let sizes = match augment.field(&machine.names, name)? {
            Value::Int(size) => vec![*size],
            Value::List(list) => list.items().iter().filter_map(int).collect(),
            _ => return None,
        };
        Some((sizes.iter().copied().min()?, sizes))
    };
    let shown = |sizes: &[i64]| match sizes {
        [one] => one.to_string(),
        more => format!("{more:?}"),
    };
    if let Some((least, sizes)) = pair("padding")
        && least < 0
    {
        return Some(("padding", shown(&sizes), "must be 0 or more"));
    }
    let (least, sizes) = pair("size")?;
    if least < 1 {
        return Some(("size", shown(&sizes), "must be 1 or more"));
    }
    let is_crop = machine.names.text(augment.name) == "random_crop";
    let Features::One(signal) = &on.x else { return None };
    let image = signal.shape.iter().skip(1).copied();
    let differs = image
        .zip(sizes.iter().cycle())
        .any(|(image, size)| image.is_some_and(|image| image != *size));
    (is_crop && differs).then(|| {
        (
            "size",
            shown(&sizes),
            "must be the height and width of the images",
        )
    })
}

fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) => Some(*value),
        _ => None,
    }
}

/// Saturation and hue, which only images of red, green and blue have.
fn colors(machine: &Machine<'_>, augment: &Variant, on: &DatasetInfo) -> Option<Wrong> {
    let Features::One(signal) = &on.x else { return None };
    let channels = signal.shape.first().copied().flatten()?;
    let asked = |name: &&str| match augment.field(&machine.names, name) {
        Some(Value::Float(value)) => *value != 0.0,
        _ => false,
    };
    let name = ["saturation", "hue"]
        .into_iter()
        .find(asked)
        .filter(|_| channels != 3)?;
    let Some(Value::Float(value)) = augment.field(&machine.names, name) else {
        return None;
    };
    Some((
        name,
        crate::eval::render::float(*value),
        "needs images of 3 channels",
    ))
}

fn numbers(machine: &Machine<'_>, augment: &Variant) -> Option<Wrong> {
    let number = |name: &str| match augment.field(&machine.names, name) {
        Some(Value::Float(value)) => Some(*value),
        Some(Value::Int(value)) => Some(*value as f64),
        _ => None,
    };
    let bad = |name: &'static str, holds: fn(f64) -> bool, bound: &'static str| {
        let value = number(name).filter(|value| !holds(*value))?;
        Some((name, crate::eval::render::float(value), bound))
    };
    if let (Some(lo), Some(hi)) = (number("lo"), number("hi"))
        && !(lo > 0.0 && lo <= hi)
    {
        let shown = crate::eval::render::float(lo);
        return Some(("lo", shown, "must be above 0 and not above `hi`"));
    }
    bad("p", |p| (0.0..=1.0).contains(&p), "must be between 0 and 1")
        .or_else(|| {
            bad(
                "share",
                |share| (0.0..=1.0).contains(&share),
                "must be between 0 and 1",
            )
        })
        .or_else(|| {
            bad(
                "hue",
                |hue| (0.0..=0.5).contains(&hue),
                "must be between 0 and 0.5",
            )
        })
        .or_else(|| bad("alpha", |alpha| alpha > 0.0, "must be above 0"))
        .or_else(|| bad("std", |std| std >= 0.0, "must be 0 or more"))
        .or_else(|| bad("max", |max| max >= 1.0, "must be 1 or more"))
        .or_else(|| bad("brightness", |by| by >= 0.0, "must be 0 or more"))
        .or_else(|| bad("contrast", |by| by >= 0.0, "must be 0 or more"))
        .or_else(|| bad("saturation", |by| by >= 0.0, "must be 0 or more"))
}
