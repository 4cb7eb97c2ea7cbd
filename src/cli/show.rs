//! `mlp show`: what a target is made of: a network's layers, or a step's derivation.

use super::demand::{self, Demanded};
use super::exit::{Exit, Refusal};
use super::notice::{Mark, Notice};
use super::place;
use super::told::{self, Format};
use super::tree::steps_of;
use crate::model::build::Isolation;
use crate::model::datum;
use crate::model::derivation::{Builder, Piece, Reference};
use crate::model::graph::{Graph, Step};
use crate::model::record::Attestation;
use crate::report::count;
use crate::report::style::Style;
use crate::report::table::{Align, table};
use mlp_lang::eval::Outcome;
use mlp_lang::shapes::{Dim, LayerRow};
use mlp_lang::spec::{ArtifactKind, Datum, InputSource};
use serde_json::{Value, json};

/// Show what a target is made of.
///
/// For a model: its layers with the shapes that come out, parameters, and work. For anything else: the step that makes it,
/// with everything that its result depends on.
///
///   mlp show fit.model
///   mlp show parts.train
///   mlp show fit --format json
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// The target, as `mlp build` takes it.
    target: String,
    #[command(flatten)]
    settings: place::Settings,
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let evaluated = match demand::evaluate(std::slice::from_ref(&arguments.target), &arguments.settings)? {
        Ok(evaluated) => evaluated,
        Err(notices) => return Ok(mend(&notices)),
    };
    // A network has shapes before its data is there, and where it cannot be trained yet.
    if let Some(layers) = model(&evaluated.outcome) {
        evaluated.show_warnings();
        match arguments.format {
            Format::Text => print!("{}", layer_table(layers)),
            Format::Json => told::print_json(&layers.iter().map(layer_json).collect()),
        }
        return Ok(Exit::Success);
    }
    let demanded = match evaluated.instantiate()? {
        Ok(demanded) => demanded,
        Err(notices) => return Ok(mend(&notices)),
    };
    match arguments.format {
        Format::Text => steps(&demanded).for_each(|step| print!("{}", derivation(&demanded, step))),
        Format::Json => {
            let graph = &demanded.instance.graph;
            told::print_json(
                &steps(&demanded)
                    .map(|step| derivation_json(graph, step, attested(&demanded, step).as_ref()))
                    .collect(),
            );
        }
    }
    Ok(Exit::Success)
}

fn mend(notices: &[Notice]) -> Exit {
    told::show(notices);
    Exit::Mend
}

/// The layers, if the target is a model alone.
fn model(outcome: &Outcome) -> Option<&[LayerRow]> {
    let [target] = outcome.evaluation.targets.as_slice() else {
        return None;
    };
    match &target.source {
        InputSource::Output { spec, .. } if target.kind == ArtifactKind::Model => {
            outcome.layers.get(spec).map(|rows| rows.as_slice())
        }
        _ => None,
    }
}

/// The steps of the targets, each once.
fn steps(demanded: &Demanded) -> impl Iterator<Item = &Step> {
    let graph = &demanded.instance.graph;
    let ids: std::collections::BTreeSet<_> = graph.targets.iter().flat_map(steps_of).collect();
    ids.into_iter().map(|id| graph.step(id))
}

pub(super) fn layer_table(layers: &[LayerRow]) -> String {
    let heading = ["path", "layer", "gives", "parameters", "FLOPs", "memory"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(layers.iter().map(|layer| {
        vec![
            layer.path.clone(),
            layer.kind.clone(),
            shape(&layer.output),
            known(layer.parameters),
            known(layer.flops),
            known(layer.activation_bytes),
        ]
    }));
    let sum = |part: fn(&LayerRow) -> Option<u64>| known(layers.iter().map(part).sum());
    rows.push(vec![
        "all".to_owned(),
        String::new(),
        String::new(),
        sum(|layer| layer.parameters),
        sum(|layer| layer.flops),
        sum(|layer| layer.activation_bytes),
    ]);
    let align = [
        Align::Left,
        Align::Left,
        Align::Left,
        Align::Right,
        Align::Right,
        Align::Right,
    ];
    let mut text = table(&rows, &align).join("\n") + MEANING;
    for layer in layers.iter().filter(|layer| !layer.operations.is_empty()) {
        text.push_str(&format!("\n{} {}\n", layer.path, layer.kind));
        let rows: Vec<_> = layer
            .operations
            .iter()
            .map(|(operation, output)| vec![operation.clone(), output.clone()])
            .collect();
        for line in table(&rows, &[]) {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text
}

const MEANING: &str = "
FLOPs: operations for one example, forward; a multiplication and an addition are two
memory: bytes of what each layer gives for one example, in fp32; a training keeps all of it
";

/// `[batch, 8, ?]`; a size that only the files say is `?`.
fn shape(sizes: &[Dim]) -> String {
    let sizes = sizes
        .iter()
        .map(|size| size.map_or("?".to_owned(), |size| size.to_string()));
    let all: Vec<String> = std::iter::once("batch".to_owned()).chain(sizes).collect();
    format!("[{}]", all.join(", "))
}

fn known(amount: Option<u64>) -> String {
    amount.map_or("?".to_owned(), count)
}

fn layer_json(layer: &LayerRow) -> Value {
    let mut row = json!({
        "path": layer.path,
        "kind": layer.kind,
        "output": layer.output,
        "parameters": layer.parameters,
        "flops": layer.flops,
        "activation_bytes": layer.activation_bytes,
    });
    if !layer.operations.is_empty() {
        let operations = layer.operations.iter();
        row["operations"] = operations
            .map(|(operation, output)| json!({ "operation": operation, "output": output }))
            .collect();
    }
    row
}

fn derivation(demanded: &Demanded, step: &Step) -> String {
    let style = Style::stdout();
    let graph = &demanded.instance.graph;
    let written = Mark::of(demanded.pipeline.sources(), step.origin.span, "").place();
    let mut rows = vec![
        ["written at", &written].map(str::to_owned).to_vec(),
        vec!["built by".to_owned(), builder(graph, step)],
        vec!["key".to_owned(), step.static_key.to_string()],
    ];
    if step.names.len() > 1 {
        rows.push(vec!["also named".to_owned(), step.names[1..].join(", ")]);
    }
    rows.extend(environment(graph, step).map(|env| vec!["environment".to_owned(), env]));
    rows.extend(attested(demanded, step).map(|known| vec!["made".to_owned(), isolation(&known)]));
    for (mount, reference) in &step.derivation.inputs {
        rows.push(vec![
            "input".to_owned(),
            format!("{mount}: {}", referred(graph, reference)),
        ]);
    }
    for (name, output) in &step.derivation.outputs {
        let observed = if output.observed { ", observed" } else { "" };
        rows.push(vec![
            "output".to_owned(),
            format!("{name}: {:?}{observed}", output.kind),
        ]);
    }
    let mut text = format!("{}\n", style.bold(step.name()));
    table(&rows, &[])
        .iter()
        .for_each(|line| text.push_str(&format!("  {line}\n")));
    let arguments = format!("{:#}", datum::to_json(&step.derivation.args));
    text.push_str(&format!("  arguments\n  {}\n", arguments.replace('\n', "\n  ")));
    text
}

fn builder(graph: &Graph, step: &Step) -> String {
    match &step.derivation.builder {
        Builder::Builtin {
            name,
            version,
            numerics,
        } => {
            let numerics = numerics.as_ref().map(|numerics| format!(", {numerics}"));
            format!("{name}, version {version}{}", numerics.unwrap_or_default())
        }
        Builder::Command { argv, .. } => {
            let words: Vec<String> = argv.iter().map(|pieces| argument(graph, pieces)).collect();
            words.join(" ")
        }
    }
}

/// A command's argument as a shell would take it; what is known only after a build by its name.
fn argument(graph: &Graph, pieces: &[Piece]) -> String {
    let text: String = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.to_string(),
            Piece::Mount(path) => path.to_string(),
            Piece::Late(late) => format!("<{} in {}>", late.1.join("."), referred(graph, &late.0)),
        })
        .collect();
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,@+%".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

/// What a command sees besides its inputs.
fn environment(graph: &Graph, step: &Step) -> Option<String> {
    let env = step.derivation.env.as_ref()?;
    let made = env.made.as_ref().map(|made| referred(graph, made));
    let tools: Vec<String> = match &env.tools {
        Datum::Map(tools) => tools.keys().map(|tool| format!("the machine's {tool}")).collect(),
        _ => Vec::new(),
    };
    Some(made.into_iter().chain(tools).collect::<Vec<_>>().join(", "))
}

/// How the step's result came about; none where it was never built.
fn attested(demanded: &Demanded, step: &Step) -> Option<Attestation> {
    let store = demanded.workspace.store();
    let trace = store.trace(step.static_key).ok().flatten()?;
    store.attested(trace.resolved_key).ok().flatten()
}

/// How hermetic a result is: its own making, and the least hermetic of what it was made of.
fn isolation(attested: &Attestation) -> String {
    let own = in_words(attested.isolation);
    match attested.effective {
        effective if effective == attested.isolation => own.to_owned(),
        effective => format!("{own}; of what it reads, some {}", in_words(effective)),
    }
}

fn in_words(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::Sandboxed => "in the sandbox",
        Isolation::Pinned => "outside of the sandbox, from content that is pinned by hash",
        Isolation::HostTools => {
            "in the sandbox with the machine's tools, of which only the named ones are in the key"
        }
        Isolation::Landlock => "by Landlock, which hides files and the network, and nothing else",
        Isolation::Off => "without a sandbox",
    }
}

/// What an input is, in words.
fn referred(graph: &Graph, reference: &Reference) -> String {
    match reference {
        Reference::Source { path, .. } => format!("./{path}"),
        Reference::Output { step, output } => format!("{output} of {}", graph.step(*step).name()),
        Reference::Chosen { index, candidates } => {
            format!(
                "one of {} candidates, by {}",
                candidates.len(),
                referred(graph, &index.0)
            )
        }
    }
}

fn derivation_json(graph: &Graph, step: &Step, attested: Option<&Attestation>) -> Value {
    let inputs = step.derivation.inputs.iter();
    let outputs = step.derivation.outputs.iter();
    json!({
        "step": step.name(),
        "names": step.names,
        "builder": builder(graph, step),
        "static_key": step.static_key,
        "isolation": attested.map(|known| known.isolation),
        "effective_isolation": attested.map(|known| known.effective),
        "arguments": datum::to_json(&step.derivation.args),
        "inputs": inputs.map(|(mount, reference)| (mount.to_string(), referred(graph, reference))).collect::<std::collections::BTreeMap<_, _>>(),
        "outputs": outputs.map(|(name, output)| (name.to_string(), format!("{:?}", output.kind))).collect::<std::collections::BTreeMap<_, _>>(),
    })
}
