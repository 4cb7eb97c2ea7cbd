//! `data.split`: a dataset is dealt into parts.

use crate::channel::Channel;
use crate::dataset::Dataset;
use crate::deal::{Examples, TOLERANCE, deal};
use crate::random::Random;
use crate::{carried, program};
use mlp_protocol::call::Call;
use mlp_protocol::data::SplitArgs;
use mlp_protocol::message::{Failure, Outcome};
use std::path::Path;

/// Builds `data.split`.
///
/// # Errors
/// When the shares make no whole, or a part would be empty.
pub fn build(call: &Call, _channel: &Channel) -> Outcome<()> {
    let args: SplitArgs = program::arguments(call)?;
    let dataset = Dataset::read(Path::new(program::input(call, "dataset")?), "dataset")?;
    let parts = split(&dataset, &args)?;
    for (name, rows) in args.order.iter().zip(&parts) {
        if let Some(path) = call.outputs.get(name) {
            dataset.select(rows)?.write(Path::new(path))?;
        }
    }
    Ok(())
}

/// The rows of each part, in the order of `args.order`.
fn split(dataset: &Dataset, args: &SplitArgs) -> Outcome<Vec<Vec<usize>>> {
    let shares = shares(args)?;
    let examples = examples(
        dataset,
        args.stratify,
        args.group.as_deref().map(|name| (name, "group")),
    )?;
    let parts = deal(&shares, &Random::new(args.seed, "split"), &examples);
    for (name, part) in args.order.iter().zip(&parts) {
        if part.is_empty() {
            let message = format!(
                "the part `{name}` would be empty: {} of {}",
                args.shares[name],
                shown(&examples)
            );
            return Err(Failure::new("B0114", message)
                .argument("shares")
                .help("give it a larger share, or more data"));
        }
    }
    Ok(parts)
}

/// What is dealt, in words: `10 examples`, `3 groups`.
pub(crate) fn shown(examples: &Examples) -> String {
    match &examples.groups {
        Some(groups) => format!("{} groups", groups.iter().max().map_or(0, |last| last + 1)),
        None => format!("{} examples", examples.count),
    }
}

/// The examples of a dataset, to be dealt. A column that keeps them together comes with the parameter that names it.
///
/// # Errors
/// When they have no classes, or do not carry the column.
pub(crate) fn examples(dataset: &Dataset, stratify: bool, column: Option<(&str, &str)>) -> Outcome<Examples> {
    let classes = stratify.then(|| {
        dataset.classes().ok_or_else(|| {
            Failure::new("B0115", "`stratify` needs classes, and `y` holds none")
                .argument("stratify")
                .help("leave `stratify` out, or read `y` by `data.label`")
        })
    });
    let groups = column.map(|(name, argument)| carried::groups(dataset.meta.as_deref(), name, argument));
    Ok(Examples {
        count: dataset.schema.examples as usize,
        classes: classes.transpose()?,
        groups: groups.transpose()?,
    })
}

fn shares(args: &SplitArgs) -> Outcome<Vec<f64>> {
    let named: Option<Vec<f64>> = args
        .order
        .iter()
        .map(|name| args.shares.get(name).copied())
        .collect();
    let shares = named.filter(|shares| shares.len() == args.shares.len() && !shares.is_empty());
    let shares =
        shares.ok_or_else(|| Failure::new("B0001", "the order of the shares does not name each once"))?;
    if let Some((share, name)) = shares
        .iter()
        .zip(&args.order)
        .find(|(share, _)| !(**share > 0.0 && **share <= 1.0))
    {
        return Err(Failure::new("B0113", format!("the share of `{name}` is {share}"))
            .argument(format!("shares.{name}"))
            .help("a share is above 0 and at most 1"));
    }
    let sum: f64 = shares.iter().sum();
    if (sum - 1.0).abs() > TOLERANCE {
        return Err(Failure::new(
            "B0113",
            format!(
                "the shares sum to {}, but must sum to 1",
                (sum * 1e9).round() / 1e9
            ),
        )
        .argument("shares"));
    }
    Ok(shares)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::FORMAT;
    use crate::safetensors::Array;
    use mlp_protocol::data::{Schema, Target};
    use std::collections::BTreeMap;

    fn dataset(classes: &[i64]) -> Dataset {
        let examples = classes.len() as u64;
        let x: Vec<f32> = (0..classes.len()).map(|row| row as f32).collect();
        Dataset {
            schema: Schema {
                format: FORMAT,
                examples,
                x: BTreeMap::from([("x".to_string(), vec![Some(1)])]),
                y: Target::Class {
                    classes: 4,
                    names: None,
                },
                recipe: serde_json::Value::Null,
            },
            x: BTreeMap::from([("x".to_string(), Array::from_f32(vec![examples, 1], &x))]),
            y: Array::from_i64(vec![examples], classes),
            meta: Some(
                std::iter::once("id\n".to_string())
                    .chain((0..classes.len()).map(|row| format!("{row}\n")))
                    .collect(),
            ),
        }
    }

    fn args(shares: &[(&str, f64)], stratify: bool) -> SplitArgs {
        SplitArgs {
            shares: shares
                .iter()
                .map(|(name, share)| (name.to_string(), *share))
                .collect(),
            order: shares.iter().map(|(name, _)| name.to_string()).collect(),
            seed: 1,
            stratify,
            group: None,
        }
    }

    #[test]
    fn the_assignment_never_changes() {
        let parts = split(
            &dataset(&[0; 10]),
            &args(&[("train", 0.7), ("val", 0.1), ("test", 0.2)], false),
        )
        .unwrap();
        assert_eq!(parts, [vec![0, 1, 4, 5, 6, 7, 8], vec![9], vec![2, 3]]);
    }

    #[test]
    fn every_example_is_in_one_part() {
        let parts = split(&dataset(&[0; 101]), &args(&[("a", 0.35), ("b", 0.65)], false)).unwrap();
        let mut all = parts.concat();
        all.sort_unstable();
        assert_eq!(all, (0..101).collect::<Vec<_>>());
        assert_eq!(parts[0].len(), 35);
    }

    #[test]
    fn strata_keep_proportions_and_sizes() {
        let classes: Vec<i64> = (0..400)
            .map(|row| i64::from(row % 10 == 0) + 2 * i64::from(row % 7 == 0))
            .collect();
        let parts = split(
            &dataset(&classes),
            &args(&[("a", 0.5), ("b", 0.3), ("c", 0.2)], true),
        )
        .unwrap();
        for (part, share) in parts.iter().zip([0.5, 0.3, 0.2]) {
            assert_eq!(part.len(), (share * 400.0) as usize);
            for class in 0..4 {
                let count = |rows: &[usize]| rows.iter().filter(|row| classes[**row] == class).count() as f64;
                let all = count(&(0..400).collect::<Vec<_>>());
                assert!((count(part) - share * all).abs() <= 2.0);
            }
        }
    }

    #[test]
    fn bad_shares_are_refused() {
        for (shares, code) in [
            (vec![("a", 0.5), ("b", 0.4)], "B0113"),
            (vec![("a", 1.5), ("b", -0.5)], "B0113"),
            (vec![("a", f64::NAN), ("b", 0.5)], "B0113"),
            (vec![("a", 0.999), ("b", 0.001)], "B0114"),
        ] {
            assert_eq!(
                split(&dataset(&[0; 10]), &args(&shares, false)).unwrap_err().code,
                code,
                "{shares:?}"
            );
        }
    }
}
