//! What a pipeline describes and this version's builder programs cannot do yet, said before anything runs, where a person
//! wrote it. What they can do is the protocol's to say.

use super::demand::demanded;
use crate::model::datum;
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::eval::Outcome;
use mlp_lang::hir::Name;
use mlp_lang::source::Span;
use mlp_lang::spec::{ArtifactKind, Builder, Datum, DerivationSpec, Fields, SpecId};
use mlp_protocol::understood::{self, Gap, Part};
use std::collections::HashMap;

/// Everything in the demanded steps that cannot be built yet.
pub fn not_yet(outcome: &Outcome) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut asked = Asked::default();
    for index in demanded(&outcome.evaluation) {
        let spec = &outcome.evaluation.specs[index];
        for (builtin, args) in &calls(spec) {
            for gap in asked.gaps(builtin, args) {
                let error = told(outcome, SpecId(index as u32), spec, (*builtin, gap));
                // A network or a loss that stands in many trainings is one mistake.
                if !found.contains(&error) {
                    found.push(error);
                }
            }
        }
    }
    // In the order of the file.
    found.sort_by_key(Diagnostic::span);
    found
}

/// Whether every step can be built, those that nothing demands among them.
pub fn can_be_built(outcome: &Outcome) -> bool {
    let mut asked = Asked::default();
    let mut calls = outcome.evaluation.specs.iter().flat_map(calls);
    calls.all(|(builtin, args)| asked.gaps(builtin, &args).is_empty())
}

/// The calls of builder programs that a step makes, or would.
fn calls(spec: &DerivationSpec) -> Vec<(&str, Fields)> {
    match (&spec.builder, &spec.args) {
        (Builder::Builtin(builtin), Datum::Map(args)) => vec![(builtin, args.clone())],
        (Builder::Builtin(builtin), _) => vec![(builtin, Fields::new())],
        // The networks of the models that a program writes must be known as those are that are trained here.
        (Builder::Command(_), _) => networks(spec).map(|net| ("ml.train", net)).collect(),
    }
}

/// What was asked of arguments: thousands of calls have the same network, loss and metrics. Looked up, never iterated.
#[derive(Default)]
struct Asked(HashMap<(Name, Name), Answers>);

/// Values of an argument, and what of each cannot be built.
type Answers = Vec<(Datum, Vec<Gap>)>;

/// Values of an argument that are remembered.
const REMEMBERED: usize = 32;

impl Asked {
    /// What of a call cannot be built: an argument at a time, since none depends on another.
    fn gaps(&mut self, builtin: &str, args: &Fields) -> Vec<Gap> {
        let mut gaps = self.of_argument(builtin, "", &Datum::Null);
        if gaps.is_empty() {
            for (name, value) in args {
                gaps.extend(self.of_argument(builtin, name, value));
            }
        }
        gaps
    }

    /// Without a name of the builtin itself.
    fn of_argument(&mut self, builtin: &str, name: &str, value: &Datum) -> Vec<Gap> {
        let value = match value {
            // Which number it is decides nothing: one that is out of range is another mistake.
            Datum::Int(_) => &Datum::Int(0),
            Datum::Float(_) => &Datum::Float(0.0),
            value => value,
        };
        let known = self.0.entry((builtin.into(), name.into())).or_default();
        if let Some((_, gaps)) = known.iter().find(|(own, _)| own == value) {
            return gaps.clone();
        }
        let mut call = serde_json::Map::new();
        let json = datum::to_json(&datum::without_nulls(value));
        if !name.is_empty() && !json.is_null() {
            call.insert(name.to_owned(), json);
        }
        let gaps = understood::gaps(builtin, &serde_json::Value::Object(call));
        if known.len() == REMEMBERED {
            known.remove(0);
        }
        known.push((value.clone(), gaps.clone()));
        gaps
    }
}

/// The networks of a program's models, each as the arguments of a call.
fn networks(spec: &DerivationSpec) -> impl Iterator<Item = Fields> {
    let models = spec
        .outputs
        .values()
        .filter(|output| output.kind == ArtifactKind::Model);
    models.filter_map(|output| match &output.schema {
        Datum::Map(schema) => Some(Fields::from([("net", schema.get("net")?.clone())])),
        _ => None,
    })
}

/// More names than a help can list.
const MANY: usize = 12;

fn told(outcome: &Outcome, id: SpecId, spec: &DerivationSpec, (builtin, gap): (&str, Gap)) -> Diagnostic {
    let argument = |name: &str| {
        spec.origin
            .arguments
            .get(name)
            .copied()
            .unwrap_or(spec.origin.span)
    };
    let layer = |kind: &str| -> Span {
        let rows = outcome.layers.get(&id).into_iter().flat_map(|rows| rows.iter());
        let mut of_kind = rows.filter(|row| row.kind == kind);
        of_kind.next().map_or_else(|| argument("net"), |row| row.span)
    };
    let (span, what) = match &gap.part {
        Part::Builtin => (spec.origin.span, format!("`{builtin}`")),
        Part::Argument(name) => (argument(name), format!("`{name}` of `{builtin}`")),
        Part::Value(name, value) => (argument(name), format!("`{name} = \"{value}\"` of `{builtin}`")),
        Part::Layer(kind) => (layer(kind), format!("`nn.{kind}`")),
        Part::Description(name, kind) => (argument(name), format!("`{}.{kind}`", module(name))),
        Part::Option(name, kind, option) if name == "net" => {
            (layer(kind), format!("`{option}` of `nn.{kind}`"))
        }
        Part::Option(name, kind, option) => {
            (argument(name), format!("`{option}` of `{}.{kind}`", module(name)))
        }
    };
    let message = format!("{what} is checked, but this version of mlp cannot build it yet");
    let error = Diagnostic::error("E0516", span, message).at("cannot be built yet");
    match (gap.part, gap.known.as_slice()) {
        (_, []) => error.help("leave it out to build"),
        (_, known) if known.len() > MANY => error.help("take another, or leave it out to build"),
        (_, known) => error.help(format!("what can be built: {}", known.join(", "))),
    }
}

/// The module of the library that describes what an argument takes.
fn module(argument: &str) -> &str {
    match argument {
        "optimizer" => "optim",
        "x" | "y" => "data",
        "early_stopping" => "ml",
        // `loss`, `metrics` and `schedule` are modules of the same name.
        same => same,
    }
}
