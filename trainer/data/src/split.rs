//! `data.split`: a dataset is dealt into parts.
//!
//! A permutation of the examples is drawn from the seed and cut into runs of the shares' sizes; each part keeps the
//! order of the source. With `stratify`, each class is dealt so by itself, and what rounding gave a part too much or too
//! little is carried to the next class, so that parts come out at their sizes too.

use crate::channel::Channel;
use crate::dataset::Dataset;
use crate::program;
use crate::random::Random;
use mlp_protocol::call::Call;
use mlp_protocol::data::SplitArgs;
use mlp_protocol::message::{Failure, Outcome};
use std::path::Path;

/// How far the sum of shares may be from 1: what decimal fractions lose in binary.
const TOLERANCE: f64 = 1e-9;

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
///
/// # Errors
/// When the shares make no whole, or a part would be empty.
pub fn split(dataset: &Dataset, args: &SplitArgs) -> Outcome<Vec<Vec<usize>>> {
    let shares = shares(args)?;
    let random = Random::new(args.seed, "split");
    let examples = dataset.schema.examples as usize;
    let mut parts = vec![Vec::new(); shares.len()];
    let mut carried = vec![0.0; shares.len()];
    for (index, mut group) in groups(dataset, args.stratify)?.into_iter().enumerate() {
        random.child(index as u64).shuffle(&mut group);
        let sizes = apportion(&shares, group.len(), &mut carried);
        let mut rest = group.as_slice();
        for (part, size) in parts.iter_mut().zip(sizes) {
            let (taken, left) = rest.split_at(size);
            part.extend_from_slice(taken);
            rest = left;
        }
    }
    for (name, part) in args.order.iter().zip(&mut parts) {
        if part.is_empty() {
            let message = format!(
                "the part `{name}` would be empty: {} of {examples} examples",
                args.shares[name]
            );
            return Err(Failure::new("B0114", message)
                .argument("shares")
                .help("give it a larger share, or more data"));
        }
        part.sort_unstable();
    }
    Ok(parts)
}

/// What is dealt at a time: all examples, or those of one class after the other.
fn groups(dataset: &Dataset, stratify: bool) -> Outcome<Vec<Vec<usize>>> {
    if !stratify {
        return Ok(vec![(0..dataset.schema.examples as usize).collect()]);
    }
    let Some(classes) = dataset.classes() else {
        return Err(
            Failure::new("B0115", "`stratify` needs classes, but `y` holds real numbers")
                .argument("stratify")
                .help("leave `stratify` out, or read `y` by `data.label`"),
        );
    };
    let count = classes.iter().max().map_or(0, |last| last + 1);
    let mut groups = vec![Vec::new(); usize::try_from(count).unwrap_or(0)];
    for (row, class) in classes.into_iter().enumerate() {
        if let Ok(class) = usize::try_from(class) {
            groups[class].push(row);
        }
    }
    Ok(groups)
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

/// Whole sizes that sum to `count` and follow `shares`: largest remainders, the first of equals. `carried` is what
/// earlier calls owe each part, and is brought up to date.
fn apportion(shares: &[f64], count: usize, carried: &mut [f64]) -> Vec<usize> {
    let ideal: Vec<f64> = shares
        .iter()
        .zip(carried.iter())
        .map(|(share, owed)| share * count as f64 + owed)
        .collect();
    // A hair is added, so that 0.7 * 10 = 6.999… gives 7.
    let mut sizes: Vec<usize> = ideal
        .iter()
        .map(|size| (size + TOLERANCE).floor().max(0.0) as usize)
        .collect();
    while sizes.iter().sum::<usize>() < count {
        let owed = |part: &usize| ideal[*part] - sizes[*part] as f64;
        let most = (0..sizes.len()).fold(0, |best, part| {
            if owed(&part) > owed(&best) + TOLERANCE {
                part
            } else {
                best
            }
        });
        sizes[most] += 1;
    }
    while sizes.iter().sum::<usize>() > count {
        let over = |part: &usize| {
            if sizes[*part] > 0 {
                sizes[*part] as f64 - ideal[*part]
            } else {
                f64::NEG_INFINITY
            }
        };
        let most = (0..sizes.len()).fold(0, |best, part| {
            if over(&part) > over(&best) + TOLERANCE {
                part
            } else {
                best
            }
        });
        sizes[most] -= 1;
    }
    for ((owed, ideal), size) in carried.iter_mut().zip(ideal).zip(&sizes) {
        *owed = ideal - *size as f64;
    }
    sizes
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
                x: BTreeMap::from([("x".to_string(), vec![1])]),
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
    fn selected_rows_carry_everything_along() {
        let selected = dataset(&[0, 1, 2, 3]).select(&[3, 1]).unwrap();
        assert_eq!(selected.x["x"].to_f32(), [3.0, 1.0]);
        assert_eq!(selected.y.to_i64(), [3, 1]);
        assert_eq!(selected.meta.as_deref(), Some("id\n3\n1\n"));
        assert_eq!(selected.schema.examples, 2);
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

    #[test]
    fn rounding_goes_to_the_largest_remainder() {
        assert_eq!(apportion(&[0.5, 0.5], 3, &mut [0.0; 2]), [2, 1]);
        assert_eq!(apportion(&[0.7, 0.1, 0.2], 10, &mut [0.0; 3]), [7, 1, 2]);
        assert_eq!(apportion(&[0.7, 0.1, 0.2], 1797, &mut [0.0; 3]), [1258, 180, 359]);
        assert_eq!(apportion(&[0.6, 0.2, 0.2], 1, &mut [0.0; 3]), [1, 0, 0]);
    }
}
