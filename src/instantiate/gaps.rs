//! What a pipeline describes and this version's builder programs cannot do yet, said before anything runs, where a person
//! wrote it. What they can do is the protocol's to say.

use super::demand::demanded;
use crate::model::datum;
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::eval::Outcome;
use mlp_lang::source::Span;
use mlp_lang::spec::{ArtifactKind, Builder, DerivationSpec, SpecId};
use mlp_protocol::understood::{self, Gap, Part};

/// Everything in the demanded steps that cannot be built yet.
pub fn not_yet(outcome: &Outcome) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for index in demanded(&outcome.evaluation) {
        let spec = &outcome.evaluation.specs[index];
        let calls: Vec<(&str, serde_json::Value)> = match &spec.builder {
            Builder::Builtin(builtin) => {
                vec![(builtin, datum::to_json(&datum::without_nulls(&spec.args)))]
            }
            // The networks of the models that a program writes must be known as those are that are trained here.
            Builder::Command(_) => networks(spec).map(|net| ("ml.train", net)).collect(),
        };
        let gaps = calls.iter().flat_map(|(builtin, args)| {
            let gaps = understood::gaps(builtin, args).into_iter();
            gaps.map(|gap| (*builtin, gap))
        });
        for gap in gaps {
            let error = told(outcome, SpecId(index as u32), spec, gap);
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

/// The networks of a program's models, each as the argument of a call.
fn networks(spec: &DerivationSpec) -> impl Iterator<Item = serde_json::Value> {
    let models = spec
        .outputs
        .values()
        .filter(|output| output.kind == ArtifactKind::Model);
    models.filter_map(|output| {
        let schema = datum::to_json(&datum::without_nulls(&output.schema));
        Some(serde_json::json!({ "net": schema.get("net")? }))
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
        "early_stopping" => "ml",
        // `loss`, `metrics` and `schedule` are modules of the same name.
        same => same,
    }
}
