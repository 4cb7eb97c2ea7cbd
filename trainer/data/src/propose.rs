//! `propose`: the next candidate of a search, by the figures of those that were tried.

use crate::calc::{Inputs, Numeric};
use crate::channel::Channel;
use crate::choose::order;
use crate::gaussian::Process;
use crate::{files, program, space};
use mlp_protocol::call::Call;
use mlp_protocol::message::{Failure, Outcome};
use mlp_protocol::propose::ProposeArgs;
use std::cmp::Ordering;
use std::path::Path;

/// Builds `propose`.
///
/// # Errors
/// When a figure is missing or is no number, or when nothing is left to try.
pub fn build(call: &Call, _: &Channel) -> Outcome<()> {
    let args: ProposeArgs = program::arguments(call)?;
    let proposed = propose(&args, &Inputs::read(call)?)?;
    for path in call.outputs.values() {
        files::write(Path::new(path), &files::json(&[proposed]))?;
    }
    Ok(())
}

fn propose(args: &ProposeArgs, inputs: &Inputs) -> Outcome<usize> {
    let wrong = |what: &str| Failure::new("B0001", format!("the call of `propose` {what}"));
    let mut tried = Vec::with_capacity(args.tried.len());
    for term in &args.tried {
        let position = inputs.value(term)?.as_u64().map(|position| position as usize);
        let known = position.filter(|position| *position < args.pool.len() && !tried.contains(position));
        tried.push(known.ok_or_else(|| wrong("has no such candidate, or has it twice"))?);
    }
    let mut figures = Vec::with_capacity(args.figures.len());
    for term in &args.figures {
        figures.push(Numeric::of(&inputs.value(term)?)?);
    }
    if !figures.is_empty() && figures.len() != tried.len() {
        return Err(wrong("has not a figure for each candidate that was tried"));
    }
    let points = space::points(&args.pool);
    let left: Vec<usize> = (0..points.len()).filter(|at| !tried.contains(at)).collect();
    let merit = if figures.is_empty() {
        left.iter().map(|at| distance(&points, *at, &tried)).collect()
    } else {
        expected(&points, &left, &tried, &scores(&figures, args.highest))
    };
    first_best(&left, &merit).ok_or_else(|| wrong("has nothing left to try"))
}

/// How far a point is from the nearest of those that were tried; from the middle, nearer is better, where there are none.
fn distance(points: &[Vec<f64>], at: usize, tried: &[usize]) -> f64 {
    if tried.is_empty() {
        let middle = vec![space::MIDDLE; points[at].len()];
        return -space::distance(&points[at], &middle);
    }
    let distances = tried
        .iter()
        .map(|other| space::distance(&points[at], &points[*other]));
    distances.fold(f64::INFINITY, f64::min)
}

/// What a Gaussian process expects each of those that are left to be better than the best.
fn expected(points: &[Vec<f64>], left: &[usize], tried: &[usize], scores: &[f64]) -> Vec<f64> {
    let seen: Vec<&[f64]> = tried.iter().map(|at| points[*at].as_slice()).collect();
    let process = Process::fit(&seen, scores);
    left.iter()
        .map(|at| process.expected_improvement(&points[*at]))
        .collect()
}

/// Figures as scores of mean 0 and variance 1, the higher the better. They depend on the order alone, so that a training
/// that diverged, or a loss on another scale, does not hide what the others say; the best stand apart the most.
fn scores(figures: &[Option<Numeric>], highest: bool) -> Vec<f64> {
    let count = figures.len() as f64;
    let mut scores: Vec<f64> = figures
        .iter()
        .map(|own| {
            let than = |wanted: Ordering| {
                let others = figures
                    .iter()
                    .filter(|other| order(**other, *own, highest) == wanted);
                others.count() as f64
            };
            // The rank from 1; equal ones share the mean of theirs.
            let rank = than(Ordering::Less) + (than(Ordering::Equal) + 1.0) / 2.0;
            -libm::log((rank - 0.5) / count)
        })
        .collect();
    let mean = scores.iter().sum::<f64>() / count;
    let variance = scores
        .iter()
        .map(|score| (score - mean) * (score - mean))
        .sum::<f64>()
        / count;
    let scale = if variance > 0.0 { variance.sqrt() } else { 1.0 };
    scores
        .iter_mut()
        .for_each(|score| *score = (*score - mean) / scale);
    scores
}

/// The one with the highest merit, the first of equal ones.
fn first_best(left: &[usize], merit: &[f64]) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (at, merit) in left.iter().zip(merit) {
        if best.is_none_or(|(_, known)| *merit > known) {
            best = Some((*at, *merit));
        }
    }
    best.map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    fn proposed(args: Value, inputs: Value) -> Result<usize, String> {
        let inputs: BTreeMap<String, Value> = serde_json::from_value(inputs).unwrap();
        let args = serde_json::from_value(args).unwrap();
        propose(&args, &Inputs::of(inputs)).map_err(|failure| failure.message)
    }

    /// The figures of a search over `pool` with `count` trials, the first `spread` of which only spread out.
    fn search(pool: &[[f64; 2]], count: usize, spread: usize, of: impl Fn([f64; 2]) -> f64) -> Vec<f64> {
        let rows: Vec<_> = pool.iter().map(|point| json!(point)).collect();
        let (mut tried, mut figures) = (Vec::new(), Vec::new());
        for trial in 0..count {
            let known: &[f64] = if trial < spread { &[] } else { &figures };
            let args = json!({ "pool": rows, "tried": tried, "figures": known, "highest": false });
            let next = proposed(args, json!({})).unwrap();
            tried.push(next);
            figures.push(of(pool[next]));
        }
        figures
    }

    fn lowest(figures: &[f64]) -> f64 {
        figures.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// Points that fill the unit square, otherwise for each seed.
    fn pool(seed: usize, count: usize) -> Vec<[f64; 2]> {
        let point = |at: usize| {
            [0.754_877_666_246_693, 0.569_840_290_998_053].map(|step| (step * (at as f64)).fract())
        };
        (0..count).map(|at| point(at + 1000 * seed)).collect()
    }

    #[test]
    fn the_first_trials_spread_out() {
        let pool = json!([[0.0, 1], [0.5, 1], [0.52, 1], [0.6, 1], [1.0, 1]]);
        let next = |tried: Value| {
            proposed(
                json!({ "pool": pool, "tried": tried, "highest": false }),
                json!({}),
            )
        };
        assert_eq!(next(json!([])), Ok(2));
        assert_eq!(next(json!([2])), Ok(0));
        assert_eq!(next(json!([2, 0])), Ok(4));
        assert_eq!(next(json!([2, 0, 4])), Ok(1));
        assert!(next(json!([2, 0, 4, 1, 3])).unwrap_err().contains("nothing left"));
    }

    #[test]
    fn a_search_goes_where_figures_are_good() {
        // Two valleys, and what lies far from both has no figure that is near the others.
        let valleys = |[x, y]: [f64; 2]| {
            let bowl = |a: f64, b: f64| (x - a) * (x - a) + (y - b) * (y - b);
            (bowl(0.8, 0.3) * (bowl(0.2, 0.7) + 0.05) * 40.0).exp()
        };
        let (mut wins, mut model, mut chance) = (0, 0.0, 0.0);
        for seed in 0..20 {
            let pool = pool(seed, 150);
            let best = lowest(&pool.iter().map(|point| valleys(*point)).collect::<Vec<_>>());
            let guided = lowest(&search(&pool, 20, 4, valleys)) - best;
            let blind = lowest(&pool[..20].iter().map(|point| valleys(*point)).collect::<Vec<_>>()) - best;
            wins += usize::from(guided <= blind);
            model += guided;
            chance += blind;
        }
        assert!(wins >= 18, "{wins} of 20");
        assert!(model < chance / 10.0, "{model} against {chance}");
    }

    #[test]
    fn only_the_order_of_figures_counts() {
        let pool = pool(3, 60);
        let bowl = |[x, y]: [f64; 2]| (x - 0.3) * (x - 0.3) + (y - 0.6) * (y - 0.6);
        let plain = search(&pool, 12, 4, bowl);
        let scaled: Vec<_> = search(&pool, 12, 4, |point| (bowl(point) * 20.0).exp());
        let expected: Vec<_> = plain.iter().map(|figure| (figure * 20.0).exp()).collect();
        assert_eq!(scaled, expected);
    }

    #[test]
    fn what_diverged_and_what_is_of_another_kind_is_taken_in() {
        let args = json!({
            "pool": [["adam", 0.1], ["sgd", 0.1], ["adam", 0.2], ["sgd", 0.2], ["adam", 0.3], ["sgd", 0.3]],
            "tried": [{ "kind": "input", "name": "0", "path": ["0"] }, 1, 4],
            "figures": [0.2, { "kind": "constant" }, 0.25],
            "highest": false,
        });
        // Between the two good ones, and of their kind.
        assert_eq!(proposed(args, json!({ "0": [0] })), Ok(2));
    }

    #[test]
    fn a_call_that_makes_no_sense_is_refused() {
        let call = |tried: Value, figures: Value| {
            proposed(
                json!({ "pool": [[1], [2], [3]], "tried": tried, "figures": figures, "highest": true }),
                json!({}),
            )
        };
        assert!(call(json!([3]), json!([])).is_err());
        assert!(call(json!([1, 1]), json!([])).is_err());
        assert!(call(json!([1, 2]), json!([0.5])).is_err());
        assert_eq!(call(json!([1, 2]), json!([0.5, 0.5])), Ok(0));
    }
}
