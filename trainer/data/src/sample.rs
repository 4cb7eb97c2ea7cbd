//! Choices among examples: `data.take`, `data.balance` and `data.top_classes`. What is chosen keeps its order.

use crate::channel::Channel;
use crate::dataset::Dataset;
use crate::deal::members;
use crate::program;
use crate::random::Random;
use crate::safetensors::Array;
use crate::selection::Selection;
use mlp_protocol::call::Call;
use mlp_protocol::data::Target;
use mlp_protocol::data_ops::{BalanceArgs, TakeArgs, TopClassesArgs};
use mlp_protocol::message::{Failure, Outcome};
use std::cmp::Reverse;
use std::path::Path;

/// Builds `data.take`: the first examples of a permutation, so that more of them hold all of fewer.
///
/// # Errors
/// When there are not as many examples.
pub fn build_take(call: &Call, _channel: &Channel) -> Outcome<()> {
    let args: TakeArgs = program::arguments(call)?;
    chosen(call, |dataset| {
        let rows = take(dataset.schema.examples, &args)?;
        dataset.select(&rows)
    })
}

/// Builds `data.balance`: of each class the first examples of a permutation of its own.
///
/// # Errors
/// When the examples have no classes.
pub fn build_balance(call: &Call, _channel: &Channel) -> Outcome<()> {
    let args: BalanceArgs = program::arguments(call)?;
    chosen(call, |dataset| {
        let rows = balance(&by_class(dataset, "data.balance")?, &args);
        dataset.select(&rows)
    })
}

/// Builds `data.top_classes`: the examples of the largest classes, which are numbered anew.
///
/// # Errors
/// When the examples have no classes, or too few of them.
pub fn build_top_classes(call: &Call, _channel: &Channel) -> Outcome<()> {
    let args: TopClassesArgs = program::arguments(call)?;
    chosen(call, |dataset| top_classes(dataset, &args))
}

fn chosen(call: &Call, choose: impl FnOnce(&Dataset) -> Outcome<Selection<'_>>) -> Outcome<()> {
    let dataset = Dataset::read(Path::new(program::input(call, "dataset")?), "dataset")?;
    let chosen = choose(&dataset)?;
    match call.outputs.get("dataset") {
        Some(path) => chosen.write(Path::new(path)),
        None => Ok(()),
    }
}

fn take(examples: u64, args: &TakeArgs) -> Outcome<Vec<usize>> {
    if args.n > examples {
        let message = format!("{} examples of {examples} cannot be taken", args.n);
        return Err(Failure::new("B0151", message)
            .argument("n")
            .help(format!("`n` must be at most {examples}")));
    }
    let mut rows: Vec<usize> = (0..examples as usize).collect();
    Random::new(args.seed, "take").shuffle(&mut rows);
    rows.truncate(args.n as usize);
    rows.sort_unstable();
    Ok(rows)
}

/// The rows of each class.
fn by_class(dataset: &Dataset, who: &str) -> Outcome<Vec<Vec<usize>>> {
    let classes = dataset.classes().ok_or_else(|| {
        Failure::new("B0115", format!("`{who}` needs classes, and `y` holds none"))
            .argument("dataset")
            .help("read `y` by `data.label`")
    })?;
    let mut members = members(classes.iter().map(|class| usize::try_from(*class).unwrap_or(0)));
    if let Target::Class { classes, .. } = dataset.schema.y {
        members.resize(classes as usize, Vec::new());
    }
    Ok(members)
}

fn balance(by_class: &[Vec<usize>], args: &BalanceArgs) -> Vec<usize> {
    let random = Random::new(args.seed, "balance");
    let mut chosen = Vec::new();
    for (class, rows) in by_class.iter().enumerate() {
        let mut rows = rows.clone();
        random.child(class as u64).shuffle(&mut rows);
        rows.truncate(usize::try_from(args.per_class).unwrap_or(usize::MAX));
        chosen.extend(rows);
    }
    chosen.sort_unstable();
    chosen
}

fn top_classes<'a>(dataset: &'a Dataset, args: &TopClassesArgs) -> Outcome<Selection<'a>> {
    let by_class = by_class(dataset, "data.top_classes")?;
    let kept = largest(&by_class, args.n)?;
    let mut rows: Vec<usize> = kept.iter().flat_map(|class| by_class[*class].clone()).collect();
    rows.sort_unstable();
    let mut chosen = dataset.select(&rows)?;
    let mut anew = vec![0; by_class.len()];
    for (new, class) in kept.iter().enumerate() {
        anew[*class] = new as i64;
    }
    let labels: Vec<i64> = chosen
        .y
        .to_i64()
        .iter()
        .map(|class| anew[*class as usize])
        .collect();
    chosen.y = Array::from_i64(vec![labels.len() as u64], &labels);
    if let Target::Class { names, .. } = &dataset.schema.y {
        let names = names
            .as_ref()
            .map(|names| kept.iter().map(|class| names[*class].clone()).collect());
        chosen.schema.y = Target::Class {
            classes: args.n,
            names,
        };
    }
    // A class's number says nothing without what was kept: a model of three classes must not be scored on three others.
    if let Some(recipe) = chosen.schema.recipe.as_object_mut() {
        let all = std::mem::take(recipe);
        recipe.insert("of".to_owned(), all.into());
        recipe.insert("classes".to_owned(), kept.into());
    }
    Ok(chosen)
}

/// The classes with the most examples, in their order; of equal ones the first.
fn largest(by_class: &[Vec<usize>], n: u32) -> Outcome<Vec<usize>> {
    let mut classes: Vec<usize> = (0..by_class.len())
        .filter(|class| !by_class[*class].is_empty())
        .collect();
    if classes.len() < n as usize {
        let message = format!(
            "{n} classes are asked for, and of {} only {} have examples",
            by_class.len(),
            classes.len()
        );
        return Err(Failure::new("B0152", message)
            .argument("n")
            .help(format!("`n` must be at most {}", classes.len())));
    }
    classes.sort_by_key(|class| Reverse(by_class[*class].len()));
    classes.truncate(n as usize);
    classes.sort_unstable();
    Ok(classes)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::dataset::FORMAT;
    use mlp_protocol::data::Schema;
    use serde_json::json;
    use std::collections::BTreeMap;

    /// A dataset of these classes; `x` is the row, and the columns carried along the row and its tens.
    pub(crate) fn points(classes: &[i64]) -> Dataset {
        let examples = classes.len() as u64;
        let x: Vec<f32> = (0..classes.len()).map(|row| row as f32).collect();
        let meta: String = (0..classes.len())
            .map(|row| format!("{row},t{}\n", row / 10))
            .collect();
        Dataset {
            schema: Schema {
                format: FORMAT,
                examples,
                x: BTreeMap::from([("x".to_string(), vec![Some(1)])]),
                y: Target::Class {
                    classes: 4,
                    names: None,
                },
                recipe: json!({ "x": "x" }),
            },
            x: BTreeMap::from([("x".to_string(), Array::from_f32(vec![examples, 1], &x))]),
            y: Array::from_i64(vec![examples], classes),
            meta: Some(format!("id,tens\n{meta}")),
        }
    }

    #[test]
    fn more_taken_hold_all_of_fewer() {
        let take = |n, seed| take(50, &TakeArgs { n, seed }).unwrap();
        for n in 1..50 {
            let (fewer, more) = (take(n, 1), take(n + 1, 1));
            assert_eq!(fewer.len() as u64, n);
            assert!(fewer.iter().all(|row| more.contains(row)));
            assert!(fewer.is_sorted());
        }
        assert_eq!(take(50, 1), (0..50).collect::<Vec<_>>());
        assert_ne!(take(10, 1), take(10, 2));
        assert_eq!(take(5, 1), [1, 3, 38, 40, 47]);
    }

    #[test]
    fn more_than_there_are_is_refused() {
        let failure = take(5, &TakeArgs { n: 6, seed: 1 }).unwrap_err();
        assert_eq!(
            (failure.code.as_str(), failure.help.unwrap().as_str()),
            ("B0151", "`n` must be at most 5")
        );
    }

    #[test]
    fn a_class_keeps_at_most_so_many() {
        let classes: Vec<i64> = (0..40).map(|row| i64::from(row % 4 == 0) * 2).collect();
        let by_class = by_class(&points(&classes), "data.balance").unwrap();
        let rows = |per_class| balance(&by_class, &BalanceArgs { per_class, seed: 1 });
        let counts =
            |rows: &[usize]| [0, 1, 2].map(|class| rows.iter().filter(|row| classes[**row] == class).count());
        assert_eq!(counts(&rows(7)), [7, 0, 7]);
        assert_eq!(counts(&rows(12)), [12, 0, 10]);
        assert_eq!(rows(100).len(), 40);
        assert!(rows(7).iter().all(|row| rows(8).contains(row)));
    }

    #[test]
    fn the_largest_classes_keep_their_order_and_names() {
        let mut dataset = points(&[3, 3, 3, 0, 1, 1, 2]);
        let names = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        dataset.schema.y = Target::Class {
            classes: 4,
            names: Some(names),
        };
        let top = top_classes(&dataset, &TopClassesArgs { n: 3 }).unwrap();
        // Of the classes `a` and `c`, with one example each, the first is kept.
        assert_eq!(top.y.to_i64(), [2, 2, 2, 0, 1, 1]);
        assert_eq!(
            top.schema.y,
            Target::Class {
                classes: 3,
                names: Some(["a", "b", "d"].map(str::to_owned).to_vec())
            }
        );
        let dir = tempfile::tempdir().unwrap();
        top.write(dir.path()).unwrap();
        let read = Dataset::read(dir.path(), "top").unwrap();
        assert_eq!(read.x["x"].to_f32(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(
            top.schema.recipe,
            json!({ "of": { "x": "x" }, "classes": [0, 1, 3] })
        );
    }

    #[test]
    fn classes_without_examples_are_not_kept() {
        let few = points(&[3, 3, 0]);
        let failure = top_classes(&few, &TopClassesArgs { n: 3 }).err().unwrap();
        assert_eq!(failure.code, "B0152");
        assert_eq!(
            failure.message,
            "3 classes are asked for, and of 4 only 2 have examples"
        );
    }
}
