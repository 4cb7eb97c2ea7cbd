//! `data.concat`: the examples of several datasets, one after the other.

use crate::channel::Channel;
use crate::dataset::Dataset;
use crate::program;
use crate::selection::Selection;
use mlp_protocol::call::Call;
use mlp_protocol::data::Target;
use mlp_protocol::data_ops::ConcatArgs;
use mlp_protocol::message::{Failure, Outcome};
use serde_json::Value;
use std::path::Path;

/// Builds `data.concat`.
///
/// # Errors
/// When the datasets hold examples of different kinds.
pub fn build(call: &Call, _channel: &Channel) -> Outcome<()> {
    let ConcatArgs {} = program::arguments(call)?;
    let mut datasets = Vec::new();
    for index in 0..call.inputs.len() {
        let name = format!("dataset.{index}");
        datasets.push(Dataset::read(Path::new(program::input(call, &name)?), &name)?);
    }
    let joined = concat(&datasets)?;
    match call.outputs.get("dataset") {
        Some(path) => joined.write(Path::new(path)),
        None => Ok(()),
    }
}

fn concat(datasets: &[Dataset]) -> Outcome<Selection<'_>> {
    let all = |dataset: &Dataset| (0..dataset.schema.examples as usize).collect();
    let parts = datasets.iter().map(|dataset| (dataset, all(dataset))).collect();
    let y = datasets.iter().enumerate().skip(1).try_fold(
        datasets.first().map(|first| first.schema.y.clone()),
        |y, (index, dataset)| y.map(|y| same_target(y, &dataset.schema.y, index)).transpose(),
    )?;
    check_carried(datasets)?;
    let mut joined = Selection::of(parts).map_err(|failure| failure.argument("datasets"))?;
    if let Some(y) = y {
        joined.schema.y = y;
    }
    // Examples that were read in several ways have no one recipe to be compared with.
    let recipes = datasets.iter().map(|dataset| &dataset.schema.recipe);
    if recipes.clone().any(|recipe| *recipe != joined.schema.recipe) {
        joined.schema.recipe = Value::Null;
    }
    Ok(joined)
}

/// What both targets are, with the names of classes where one of them has them.
fn same_target(a: Target, b: &Target, index: usize) -> Outcome<Target> {
    let differ = || {
        Failure::new(
            "B0118",
            format!(
                "the classes of dataset {} have other names than those before it",
                index + 1
            ),
        )
        .argument("datasets")
        .help("read all of them with one list of `classes`: a class's place in it is what the model learns")
    };
    match (&a, b) {
        (Target::Class { names, .. }, Target::Class { names: others, .. })
        | (Target::Tags { names, .. }, Target::Tags { names: others, .. }) => match (names, others) {
            (Some(names), Some(others)) if names != others => Err(differ()),
            (None, Some(_)) => Ok(b.clone()),
            _ => Ok(a),
        },
        _ => Ok(a),
    }
}

/// Columns that only some carry along would be lost without a word.
fn check_carried(datasets: &[Dataset]) -> Outcome<()> {
    let carrying = datasets.iter().filter(|dataset| dataset.meta.is_some()).count();
    if carrying == 0 || carrying == datasets.len() {
        return Ok(());
    }
    Err(Failure::new(
        "B0118",
        format!(
            "{carrying} of the {} datasets carry columns along, and the others do not",
            datasets.len()
        ),
    )
    .argument("datasets")
    .help("give `meta` the same columns in each"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::tests::points;

    #[test]
    fn examples_come_one_after_the_other() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (points(&[0, 1]), points(&[2, 3, 0]));
        concat(&[a.clone(), b, a]).unwrap().write(dir.path()).unwrap();
        let joined = Dataset::read(dir.path(), "joined").unwrap();
        assert_eq!(joined.x["x"].to_f32(), [0.0, 1.0, 0.0, 1.0, 2.0, 0.0, 1.0]);
        assert_eq!(joined.y.to_i64(), [0, 1, 2, 3, 0, 0, 1]);
        assert_eq!(joined.meta.unwrap().lines().count(), 8);
        assert_eq!(joined.schema.recipe, serde_json::json!({ "x": "x" }));
    }

    #[test]
    fn recipes_that_differ_are_none() {
        let mut other = points(&[1]);
        other.schema.recipe = serde_json::json!({ "x": "z" });
        assert_eq!(concat(&[points(&[0]), other]).unwrap().schema.recipe, Value::Null);
    }

    #[test]
    fn what_would_be_lost_or_mixed_up_is_refused() {
        let named = |names: [&str; 4]| {
            let mut dataset = points(&[0]);
            dataset.schema.y = Target::Class {
                classes: 4,
                names: Some(names.map(str::to_owned).to_vec()),
            };
            dataset
        };
        let (a, b) = (named(["a", "b", "c", "d"]), named(["b", "a", "c", "d"]));
        assert_eq!(concat(&[a.clone(), b]).err().unwrap().code, "B0118");
        // Names that one of them has are those of all.
        let datasets = [points(&[1]), a.clone()];
        let joined = concat(&datasets).unwrap();
        assert_eq!(joined.schema.y, a.schema.y);
        let mut bare = points(&[0]);
        bare.meta = None;
        assert_eq!(concat(&[points(&[0]), bare]).err().unwrap().code, "B0118");
    }
}
