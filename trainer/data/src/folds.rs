//! `data.folds`: as many pairs of parts as there are folds, each fold once the test part.

use crate::channel::Channel;
use crate::dataset::Dataset;
use crate::deal::deal;
use crate::program;
use crate::random::Random;
use crate::split::{examples, shown};
use mlp_protocol::call::Call;
use mlp_protocol::data_ops::FoldsArgs;
use mlp_protocol::message::{Failure, Outcome};
use std::path::Path;

/// Builds `data.folds`.
///
/// # Errors
/// When a fold would be empty.
pub fn build(call: &Call, _channel: &Channel) -> Outcome<()> {
    let args: FoldsArgs = program::arguments(call)?;
    let dataset = Dataset::read(Path::new(program::input(call, "dataset")?), "dataset")?;
    for (fold, [train, test]) in folds(&dataset, &args)?.into_iter().enumerate() {
        for (side, rows) in [("train", train), ("test", test)] {
            if let Some(path) = call.outputs.get(&format!("{fold}.{side}")) {
                dataset.select(&rows)?.write(Path::new(path))?;
            }
        }
    }
    Ok(())
}

/// Of each fold the rows to train on and those to test on.
fn folds(dataset: &Dataset, args: &FoldsArgs) -> Outcome<Vec<[Vec<usize>; 2]>> {
    let column = args.column.as_deref().map(|name| (name, "column"));
    let examples = examples(dataset, args.stratify, column)?;
    let shares = vec![1.0 / f64::from(args.k); args.k as usize];
    let tests = deal(&shares, &Random::new(args.seed, "folds"), &examples);
    if tests.len() < 2 || tests.iter().any(Vec::is_empty) {
        let message = format!("a part would be empty: {} folds of {}", args.k, shown(&examples));
        return Err(Failure::new("B0114", message)
            .argument("k")
            .help("each fold needs something of its own to be tested on: give a smaller `k`, or more data"));
    }
    let rest = |test: &[usize]| {
        let tested = |row: &usize| test.binary_search(row).is_ok();
        (0..examples.count).filter(|row| !tested(row)).collect()
    };
    Ok(tests.into_iter().map(|test| [rest(&test), test]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::tests::points;

    fn args(k: u32, stratify: bool, column: Option<&str>) -> FoldsArgs {
        let column = column.map(str::to_owned);
        FoldsArgs {
            k,
            seed: 3,
            stratify,
            column,
        }
    }

    #[test]
    fn every_example_is_tested_once() {
        let dataset = points(&[0; 23]);
        let folds = folds(&dataset, &args(5, false, None)).unwrap();
        let mut tested: Vec<usize> = folds.iter().flat_map(|[_, test]| test.clone()).collect();
        tested.sort_unstable();
        assert_eq!(tested, (0..23).collect::<Vec<_>>());
        for [train, test] in &folds {
            assert!([4, 5].contains(&test.len()) && train.len() + test.len() == 23);
            assert!(train.iter().all(|row| !test.contains(row)));
        }
    }

    #[test]
    fn proportions_are_kept_within_one() {
        let classes: Vec<i64> = (0..90).map(|row| i64::from(row % 9 == 0)).collect();
        let folds = folds(&points(&classes), &args(4, true, None)).unwrap();
        for [_, test] in &folds {
            let ones = test.iter().filter(|row| classes[**row] == 1).count();
            assert!([2, 3].contains(&ones), "{ones}");
            assert!([22, 23].contains(&test.len()));
        }
    }

    #[test]
    fn equal_cells_come_into_one_fold() {
        // The points' column `tens` is alike for ten in a row.
        let folds = folds(&points(&[0; 60]), &args(3, false, Some("tens"))).unwrap();
        for [_, test] in &folds {
            assert_eq!(test.len(), 20);
            assert!(test.iter().all(|row| test.contains(&(row / 10 * 10))));
        }
    }

    #[test]
    fn the_assignment_never_changes() {
        let folds = folds(&points(&[0; 7]), &args(3, false, None)).unwrap();
        let tests: Vec<&Vec<usize>> = folds.iter().map(|[_, test]| test).collect();
        assert_eq!(tests, [&vec![0, 1, 3], &vec![2, 6], &vec![4, 5]]);
    }

    #[test]
    fn more_folds_than_there_is_to_deal_are_refused() {
        let refused = |args: &FoldsArgs| *folds(&points(&[0; 20]), args).unwrap_err();
        assert_eq!(refused(&args(21, false, None)).code, "B0114");
        let groups = refused(&args(3, false, Some("tens")));
        assert_eq!(groups.message, "a part would be empty: 3 folds of 2 groups");
    }
}
