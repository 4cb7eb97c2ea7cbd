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
    on: &DatasetInfo,
    args: &mut Fields,
) -> Result<(), Failed> {
    let value = given.get("augment");
    let Value::List(list) = &value else {
        return Ok(());
    };
    let mut data = Vec::new();
    for item in list.items() {
        let augment = machine.description(item, given.place)?;
        if let Some(error) = misfit(machine, given, &augment, on) {
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
    on: &DatasetInfo,
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
    } else {
        let (name, shown, bound) = out_of_range(machine, augment)?;
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

/// An argument that is out of range: its name, its value, what it may be.
fn out_of_range(machine: &Machine<'_>, augment: &Variant) -> Option<(&'static str, String, &'static str)> {
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
