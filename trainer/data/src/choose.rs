//! `choose`: the best of several candidates, by figures in JSON files.

use crate::calc::{Inputs, Numeric};
use crate::channel::Channel;
use crate::{files, program};
use mlp_protocol::call::Call;
use mlp_protocol::choose::ChooseArgs;
use mlp_protocol::message::{Failure, Outcome};
use serde_json::Value;
use std::cmp::Ordering;
use std::path::Path;

/// Builds `choose`.
///
/// # Errors
/// When a figure is missing, or is no number.
pub fn build(call: &Call, _: &Channel) -> Outcome<()> {
    let args: ChooseArgs = program::arguments(call)?;
    let chosen = choose(&args, &Inputs::read(call)?)?;
    for path in call.outputs.values() {
        files::write(Path::new(path), &files::json(&chosen))?;
    }
    Ok(())
}

fn choose(args: &ChooseArgs, inputs: &Inputs) -> Outcome<Vec<i64>> {
    let positions = match &args.of {
        Some(of) => positions(&inputs.value(of)?, args.figures.len())?,
        None => (0..args.figures.len() as i64).collect(),
    };
    let mut ranked = Vec::with_capacity(positions.len());
    for (position, figure) in positions.into_iter().zip(&args.figures) {
        ranked.push((position, Numeric::of(&inputs.value(figure)?)?));
    }
    // By position first, so that the first of equal ones wins however they came here; sorting is stable.
    ranked.sort_by_key(|(position, _)| *position);
    ranked.sort_by(|(_, a), (_, b)| order(*a, *b, args.highest));
    ranked.truncate(args.keep);
    Ok(ranked.into_iter().map(|(position, _)| position).collect())
}

/// The better one first; those that are not finite last.
pub(crate) fn order(a: Option<Numeric>, b: Option<Numeric>, highest: bool) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => {
            let rising = a.float().total_cmp(&b.float());
            if highest { rising.reverse() } else { rising }
        }
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

/// What an earlier `choose` wrote: `count` positions.
fn positions(value: &Value, count: usize) -> Outcome<Vec<i64>> {
    let list = value.as_array().filter(|list| list.len() == count);
    let positions = list.and_then(|list| list.iter().map(Value::as_i64).collect());
    positions.ok_or_else(|| {
        Failure::new(
            "B0001",
            "the positions to choose from are not those of the figures",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn chosen(args: Value, inputs: Value) -> Result<Vec<i64>, String> {
        let inputs: BTreeMap<String, Value> = serde_json::from_value(inputs).unwrap();
        let args = serde_json::from_value(args).unwrap();
        choose(&args, &Inputs::of(inputs)).map_err(|failure| failure.message)
    }

    fn input(name: &str) -> Value {
        json!({ "kind": "input", "name": name, "path": ["loss"] })
    }

    #[test]
    fn ties_go_to_the_first_and_what_is_not_finite_ranks_last() {
        let args = |highest: bool, keep: u32| json!({ "figures": [input("0"), input("1"), 2, 1.0], "highest": highest, "keep": keep });
        let inputs = json!({ "0": { "loss": null }, "1": { "loss": 1 } });
        assert_eq!(chosen(args(false, 1), inputs.clone()), Ok(vec![1]));
        assert_eq!(chosen(args(false, 4), inputs.clone()), Ok(vec![1, 3, 2, 0]));
        assert_eq!(chosen(args(true, 9), inputs), Ok(vec![2, 1, 3, 0]));
    }

    #[test]
    fn a_later_rung_chooses_among_what_is_left() {
        let args = json!({
            "figures": [0.5, 0.25, 0.25], "highest": false, "keep": 1,
            "of": { "kind": "input", "name": "0", "path": [] },
        });
        // Of two that are equal, the one that stands first among all candidates.
        assert_eq!(chosen(args.clone(), json!({ "0": [4, 7, 2] })), Ok(vec![2]));
        assert!(chosen(args, json!({ "0": [4] })).is_err());
    }

    #[test]
    fn a_figure_that_is_no_number_is_said() {
        let args = json!({ "figures": [input("0")], "highest": true, "keep": 1 });
        let said = chosen(args, json!({ "0": { "loss": "low" } }));
        assert_eq!(said, Err("\"low\" stands where a number belongs".into()));
    }
}
