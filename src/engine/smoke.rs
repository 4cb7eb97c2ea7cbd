//! A trial of a whole pipeline in seconds: each training is of one epoch of two batches, and what is measured or predicted is
//! two batches. The arguments are other ones before keys are made, so nothing of it is ever taken for a result.

use mlp_lang::spec::{Builder, Datum, Evaluation, Fields};

/// Batches of a trial: the second shows that a train step leaves something to go on with.
const BATCHES: i64 = 2;

/// What is said of a trial.
pub(super) const WORDS: &str = "a smoke build: trainings are of one epoch of two batches, figures of two batches, and \
                                assertions are left out; nothing of it is kept as a result";

/// Makes a trial of what was evaluated.
pub fn smoke(evaluation: &mut Evaluation) {
    for spec in &mut evaluation.specs {
        let (Builder::Builtin(name), Datum::Map(args)) = (&spec.builder, &mut spec.args) else {
            continue;
        };
        match name.as_str() {
            "ml.train" => {
                args.insert("epochs", Datum::Int(1));
                args.insert("smoke", Datum::Int(BATCHES));
            }
            "ml.evaluate" | "ml.predict" => {
                args.insert("smoke", Datum::Int(BATCHES));
            }
            "calc" => {
                let unasserted = args.iter().map(|(name, value)| (name.clone(), held(value)));
                *args = unasserted.collect::<Vec<_>>().into_iter().collect();
            }
            _ => {}
        }
    }
}

/// A formula in which all assertions hold: what a trial comes to says nothing.
fn held(term: &Datum) -> Datum {
    let fields = |fields: &Fields| -> Fields {
        let held = fields.iter().map(|(name, value)| (name.clone(), held(value)));
        held.collect::<Vec<_>>().into_iter().collect()
    };
    match term {
        Datum::Variant(kind, _) if kind == "assert" => Datum::Bool(true),
        Datum::Variant(kind, parts) => Datum::Variant(kind.clone(), fields(parts)),
        Datum::Map(parts) => Datum::Map(fields(parts)),
        Datum::List(items) => Datum::List(items.iter().map(held).collect()),
        other => other.clone(),
    }
}
