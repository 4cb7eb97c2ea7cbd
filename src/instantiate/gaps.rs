//! What a pipeline describes and this version's builder programs cannot do yet, said before anything runs, where a person
//! wrote it. What they can do is the protocol's to say.

use super::demand::demanded;
use crate::model::datum;
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::eval::Outcome;
use mlp_lang::source::Span;
use mlp_lang::spec::{Builder, DerivationSpec, SpecId};
use mlp_protocol::understood::{self, Gap, Part};

/// Everything in the demanded steps that cannot be built yet.
pub fn not_yet(outcome: &Outcome) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for index in demanded(&outcome.evaluation) {
        let spec = &outcome.evaluation.specs[index];
        let Builder::Builtin(builtin) = &spec.builder else {
            continue;
        };
        let args = datum::to_json(&datum::without_nulls(&spec.args));
        for gap in understood::gaps(builtin, &args) {
            let error = told(outcome, SpecId(index as u32), spec, (builtin, gap));
            // A network or a loss that stands in many trainings is one mistake.
            if !found.contains(&error) {
                found.push(error);
            }
        }
    }
    // In the order of the file.
    found.sort_by_key(Diagnostic::span);
    found
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
        let rows = outcome.layers.get(&id).into_iter().flatten();
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
        Part::Input => (argument("on"), "data whose sizes only the files say".to_owned()),
    };
    let message = format!("{what} is checked, but this version of mlp cannot build it yet");
    let error = Diagnostic::error("E0516", span, message).at("cannot be built yet");
    match (gap.part, gap.known.as_slice()) {
        (Part::Input, _) => error.help("`data.resize` gives images one height and width"),
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
        // `loss`, `metrics` and `schedule` are modules of the same name.
        same => same,
    }
}
