//! Choices by figures that the build measures: `min_by`, `max_by`, `search.halving`.
//!
//! A `choose` derivation reads figures and writes the positions of the best, best first. Successive halving is one after
//! the other: the next one reads the figures of whichever positions the one before wrote.

use super::Table;
use super::given::Given;
use crate::core::FunctionId;
use crate::diagnostic::Diagnostic;
use crate::eval::blame::Place;
use crate::eval::late::{Inputs, encode_input, value_of, value_output};
use crate::eval::machine::{Failed, Machine};
use crate::eval::pick::Pick;
use crate::eval::value::Value;
use crate::spec::{ArtifactKind, ByName, Datum, InputSource, LateValue, SpecId};

pub(super) const PRELUDE: Table = &[("min_by", 2, min_by), ("max_by", 2, max_by)];
pub(super) const TABLE: Table = &[("halving", 5, halving)];

type Answer = Result<Value, Failed>;

/// What is to be chosen from.
pub(super) struct Choice {
    pub(super) candidates: Vec<Value>,
    labels: Vec<String>,
    pub(super) highest: bool,
    place: Place,
}

impl Choice {
    /// The candidates of the argument `label`.
    pub(super) fn new(
        machine: &mut Machine<'_>,
        given: &Given,
        label: &str,
        highest: bool,
    ) -> Result<Self, Failed> {
        let xs = given.get(label);
        let Value::List(list) = &xs else {
            return Err(machine.unexpected(given.place, "a list", &xs));
        };
        if list.items().is_empty() {
            let message = "there is nothing to choose from";
            return Err(given.wrong(machine, label, message, "is empty here"));
        }
        let candidates = list.items().to_vec();
        let labelled = candidates.iter().enumerate();
        let labels = labelled
            .map(|(at, candidate)| machine.candidate_label(at, candidate))
            .collect();
        Ok(Self {
            candidates,
            labels,
            highest,
            place: given.place,
        })
    }

    /// Warns where the worst is chosen by the word of the metric itself. `label` is the argument that gives the figure.
    fn doubt(&self, machine: &mut Machine<'_>, label: &str, figure: &Value) {
        let Value::Late(id) = figure else { return };
        let Some((higher, metric)) = machine.higher_is_better(*id) else {
            return;
        };
        if higher == self.highest {
            return;
        }
        let (taken, better, other) = match self.highest {
            true => ("highest", "lower", ("min", "min_by")),
            false => ("lowest", "higher", ("max", "max_by")),
        };
        let help = match label {
            "by" => format!("write `{}`", other.1),
            _ => format!("write `{} = …`", other.0),
        };
        let message =
            format!("this chooses the {taken} figure, and by `{metric}` the {better} one is better");
        let warning = Diagnostic::warning("E0432", machine.argument_span(self.place, label), message)
            .at("the worst candidate is chosen")
            .help(help);
        // Once for all rungs.
        if !machine.diagnostics.contains(&warning) {
            machine.diagnostics.push(warning);
        }
    }

    /// A derivation that writes the positions of the best `keep`: of all candidates, or of those that `of` gives.
    pub(super) fn choose(
        &self,
        machine: &mut Machine<'_>,
        figures: Vec<Datum>,
        inputs: Inputs,
        keep: usize,
        of: Option<Datum>,
    ) -> SpecId {
        let mut args = ByName::from([
            ("figures", Datum::List(figures)),
            ("highest", Datum::Bool(self.highest)),
            ("keep", Datum::Int(keep as i64)),
        ]);
        args.extend(of.map(|of| ("of", of)));
        let origin = machine.origin(self.place);
        let output = value_output(ArtifactKind::Value, Datum::Null);
        machine.computed("choose", args, inputs, origin, output)
    }

    /// The choice of what `chooser` writes first.
    pub(super) fn pick(self, machine: &mut Machine<'_>, chooser: SpecId) -> Answer {
        match Pick::new(self.candidates, self.labels, position(chooser, 0)) {
            Some(pick) => Ok(Value::Pick(pick)),
            None => Err(machine.too_deep(self.place)),
        }
    }
}

/// What a chooser writes at `rank`.
pub(super) fn position(chooser: SpecId, rank: usize) -> LateValue {
    LateValue {
        source: value_of(chooser),
        path: vec![rank.to_string()],
    }
}

fn min_by(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    extreme(machine, function, false, place)
}

fn max_by(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    extreme(machine, function, true, place)
}

fn extreme(machine: &mut Machine<'_>, function: FunctionId, highest: bool, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let choice = Choice::new(machine, &given, "xs", highest)?;
    let by = given.get("by");
    let mut inputs = Inputs::default();
    let mut figures = Vec::with_capacity(choice.candidates.len());
    for (candidate, label) in choice.candidates.iter().zip(&choice.labels) {
        let made = machine.specs.mark();
        let figure = machine.apply(&by, [candidate.clone()], place);
        if let (Ok(figure), true) = (&figure, figures.is_empty()) {
            choice.doubt(machine, "by", figure);
        }
        let figure = figure.and_then(|figure| match machine.term(&figure) {
            Some(term) => Ok(machine.encode(&term, &mut inputs)),
            None => Err(machine.unexpected(place, "a number", &figure)),
        });
        machine.specs.name(made, &format!("[{label}]"));
        figures.push(figure?);
    }
    let chooser = choice.choose(machine, figures, inputs, 1, None);
    choice.pick(machine, chooser)
}

fn halving(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let (by, highest) = direction(machine, &given)?;
    let choice = Choice::new(machine, &given, "xs", highest)?;
    let eta = given.count(machine, "eta", 2)?.unwrap_or(2) as usize;
    let rungs = rungs(machine, &given)?;
    let mut before: Option<SpecId> = None;
    let mut left = choice.candidates.len();
    for (at, rung) in rungs.iter().enumerate() {
        let figures = figures(machine, &choice, &by, Some(*rung))?;
        let made = machine.specs.mark();
        let mut inputs = Inputs::default();
        let read: Vec<Datum> = match before {
            None => figures
                .iter()
                .map(|figure| encode_input(figure, &mut inputs))
                .collect(),
            Some(before) => {
                let ranks = 0..left;
                let chosen = ranks.map(|rank| chosen_figure(&figures, position(before, rank)));
                chosen.map(|figure| encode_input(&figure, &mut inputs)).collect()
            }
        };
        // The last one left needs no further rung.
        let last = at + 1 == rungs.len() || left / eta <= 1;
        left = if last { 1 } else { left / eta };
        let of = before.map(|before| {
            let positions = LateValue {
                source: value_of(before),
                path: Vec::new(),
            };
            encode_input(&positions, &mut inputs)
        });
        let chooser = choice.choose(machine, read, inputs, left, of);
        if !last {
            machine.specs.name(made, &format!(".rung{rung}"));
        }
        before = Some(chooser);
        if last {
            break;
        }
    }
    match before {
        Some(chooser) => choice.pick(machine, chooser),
        None => Err(given.wrong(machine, "rungs", "there is no rung", "is empty here")),
    }
}

/// The figures of all candidates, at a rung where there is one, each in an output; all lie in the same way in theirs.
pub(super) fn figures(
    machine: &mut Machine<'_>,
    choice: &Choice,
    by: &Value,
    rung: Option<i64>,
) -> Result<Vec<LateValue>, Failed> {
    let place = choice.place;
    let labels: Vec<String> = choice
        .labels
        .iter()
        .map(|label| match rung {
            Some(rung) => format!("{label}, rung={rung}"),
            None => label.clone(),
        })
        .collect();
    let mut terms = Vec::with_capacity(choice.candidates.len());
    for (candidate, label) in choice.candidates.iter().zip(&labels) {
        let made = machine.specs.mark();
        let figure = match rung {
            Some(rung) => machine.apply(by, [candidate.clone(), Value::Int(rung)], place),
            None => machine.apply(by, [candidate.clone()], place),
        };
        if let (Ok(figure), true) = (&figure, terms.is_empty()) {
            choice.doubt(machine, if choice.highest { "max" } else { "min" }, figure);
        }
        let figure = figure.and_then(|figure| match machine.term(&figure) {
            Some(term) => Ok(machine.term_value(&term, place)),
            None => Err(machine.unexpected(place, "a number", &figure)),
        });
        machine.specs.name(made, &format!("[{label}]"));
        terms.push(figure?);
    }
    Ok(machine.one_path(terms, &labels, place))
}

/// The figure of the candidate at a position that the build will know.
pub(super) fn chosen_figure(figures: &[LateValue], position: LateValue) -> LateValue {
    LateValue {
        path: figures
            .first()
            .map(|figure| figure.path.clone())
            .unwrap_or_default(),
        source: InputSource::Chosen {
            index: Box::new(position),
            candidates: figures.iter().map(|figure| figure.source.clone()).collect(),
        },
    }
}

/// The function that gives figures, and whether the highest is best.
pub(super) fn direction(machine: &mut Machine<'_>, given: &Given) -> Result<(Value, bool), Failed> {
    match (given.get("min"), given.get("max")) {
        (Value::Null, Value::Null) => {
            let message = "a search needs the figure that decides";
            Err(given.wrong(machine, "min", message, "give `min = …` or `max = …`"))
        }
        (by, Value::Null) => Ok((by, false)),
        (Value::Null, by) => Ok((by, true)),
        _ => {
            let message = "a search goes by one figure, and both `min` and `max` are given";
            Err(given.wrong(machine, "max", message, "leave one of them out"))
        }
    }
}

/// The rungs: rising numbers, the first at least 1.
fn rungs(machine: &mut Machine<'_>, given: &Given) -> Result<Vec<i64>, Failed> {
    let value = given.get("rungs");
    let Value::List(list) = &value else {
        return Err(machine.unexpected(given.place, "a list", &value));
    };
    let mut rungs = Vec::with_capacity(list.items().len());
    for item in list.items() {
        match item {
            Value::Int(rung) if *rung > rungs.last().copied().unwrap_or(0) => rungs.push(*rung),
            Value::Int(rung) => {
                let message = format!("the rung {rung} does not rise");
                return Err(given.wrong(
                    machine,
                    "rungs",
                    message,
                    "each must be above the one before, and above 0",
                ));
            }
            other => return Err(machine.unexpected(given.place, "an integer", other)),
        }
    }
    if rungs.is_empty() {
        return Err(given.wrong(machine, "rungs", "there is no rung", "is empty here"));
    }
    Ok(rungs)
}
