//! `mlp sample`: examples of a dataset, to be looked at.

use super::build::{self, Asked};
use super::demand::{self, Demanded};
use super::exit::{Exit, Refusal};
use super::notice::Notice;
use super::place;
use super::told::{self, Format};
use crate::base::atomic;
use crate::engine::{RunRequest, run as run_build};
use crate::model::build::Isolation;
use crate::model::event::{Event, RunStatus};
use crate::progress::Display;
use crate::report::style::Style;
use crate::report::table::{Align, table};
use mlp_data::dataset::Dataset;
use mlp_data::examples::{Example, Input, examples, rows};
use mlp_data::plot::images;
use mlp_lang::eval::Outcome;
use mlp_lang::spec::{ArtifactKind, Builder, InputSource, TargetArtifact};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Show examples of a dataset: labels, shapes, ranges of numbers, and images as a picture.
///
/// Of a training, those that it trains on, before they are augmented. What is not built yet is built. Images are drawn at
/// random; of other examples the first are shown, unless there is a seed. The picture is an SVG file, whose path is told.
///
///   mlp sample parts.train
///   mlp sample fit --n 32 --seed 7
///   mlp sample parts.train --output examples.svg
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// A dataset, or a training.
    target: String,
    #[command(flatten)]
    settings: place::Settings,
    /// How many examples.
    #[arg(short, long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1000))]
    n: u32,
    /// Draw them by this seed.
    #[arg(long)]
    seed: Option<i64>,
    /// Where the picture is written; a file in `.mlp/samples` where it is left out.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How to write what is in them.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let mut evaluated = match demand::evaluate(std::slice::from_ref(&arguments.target), &arguments.settings)?
    {
        Ok(evaluated) => evaluated,
        Err(notices) => return Ok(mistakes(&notices, arguments.format)),
    };
    let (target, augmented) = dataset(&evaluated.outcome, &arguments.target)?;
    let label = target.label.clone();
    evaluated.outcome.evaluation.targets = vec![target];
    let demanded = match evaluated.instantiate()? {
        Ok(demanded) => demanded,
        Err(notices) => return Ok(mistakes(&notices, arguments.format)),
    };
    if let Some(exit) = made(&demanded, arguments)? {
        return Ok(exit);
    }
    let dataset = read(&demanded, &label)?;
    let count = dataset.schema.examples as usize;
    let is_image = |shape: &Vec<Option<u64>>| shape.len() == 3;
    let seed = arguments
        .seed
        .or_else(|| dataset.schema.x.values().any(is_image).then_some(0));
    let shown = examples(&dataset, &rows(count, arguments.n as usize, seed));
    let picture = images(&shown)
        .map(|svg| write(&demanded, arguments, &label, &svg))
        .transpose()?;
    match arguments.format {
        Format::Text => {
            for line in lines(&shown) {
                println!("{line}");
            }
            let before = if augmented { ", before augmentation" } else { "" };
            eprintln!("{} of {count} examples of `{label}`{before}", shown.len());
            if let Some(path) = &picture {
                eprintln!("picture: {}", place::shown(path));
            }
        }
        Format::Json => told::print_json(&json!({
            "dataset": label,
            "of": count,
            "examples": shown.iter().map(example_json).collect::<Vec<_>>(),
            "picture": picture.as_deref().map(Path::display).map(|path| path.to_string()),
        })),
    }
    Ok(Exit::Success)
}

fn mistakes(notices: &[Notice], format: Format) -> Exit {
    told::mistakes(notices, format);
    Exit::Mend
}

/// The one dataset that a target is, or trains on; and whether it is augmented there.
fn dataset(outcome: &Outcome, asked: &str) -> Result<(TargetArtifact, bool), Refusal> {
    let targets = &outcome.evaluation.targets;
    let datasets: Vec<&TargetArtifact> = targets
        .iter()
        .filter(|target| target.kind == ArtifactKind::Dataset)
        .collect();
    match datasets.as_slice() {
        [one] => return Ok(((*one).clone(), false)),
        [] => {}
        several => {
            let labels: Vec<String> = several
                .iter()
                .take(5)
                .map(|target| format!("`{}`", target.label))
                .collect();
            let hint = format!("name one of {}", labels.join(", "));
            return Err(Refusal::new(format!("`{asked}` holds {} datasets", several.len())).hint(hint));
        }
    }
    let training = |target: &TargetArtifact| match &target.source {
        InputSource::Output { spec, .. } => {
            let spec = outcome.evaluation.specs.get(spec.0 as usize)?;
            let is_training = matches!(&spec.builder, Builder::Builtin(name) if name == "ml.train");
            let on = spec.inputs.get("on").filter(|_| is_training)?;
            let augmented =
                matches!(&spec.args, mlp_lang::spec::Datum::Map(args) if args.contains_key("augment"));
            Some((on.source.clone(), format!("{}.on", spec.name), augmented))
        }
        _ => None,
    };
    let mut trainings: Vec<_> = targets.iter().filter_map(training).collect();
    trainings.dedup();
    match trainings.as_slice() {
        [(source, label, augmented)] => {
            let (source, label) = (source.clone(), label.clone());
            let kind = ArtifactKind::Dataset;
            Ok((TargetArtifact { label, source, kind }, *augmented))
        }
        [] => Err(Refusal::new(format!("`{asked}` is no dataset, and no training"))
            .hint("name what `data.…` gives, or a part of it: `mlp sample parts.train`")),
        several => Err(
            Refusal::new(format!("`{asked}` holds {} trainings", several.len())).hint(format!(
                "name one: `mlp sample {}`",
                several[0].1.trim_end_matches(".on")
            )),
        ),
    }
}

/// Builds the dataset where it is not there; or gives the status to end with.
fn made(demanded: &Demanded, arguments: &Arguments) -> Result<Option<Exit>, Refusal> {
    let asked = Asked {
        jobs: build::processors(),
        memory: None,
        check: false,
    };
    let (plan, budget) = match build::planned(demanded, &asked)? {
        Ok(planned) => planned,
        Err(notices) => return Ok(Some(mistakes(&notices, arguments.format))),
    };
    let lacking = demanded.workspace.lacking(&demanded.instance, &plan);
    if !lacking.is_empty() {
        let notices = demand::notices(&demanded.pipeline, &lacking);
        return Ok(Some(mistakes(&notices, arguments.format)));
    }
    let request = RunRequest {
        targets: vec![arguments.target.clone()],
        settings: arguments
            .settings
            .pairs()?
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
        budget,
        keep_going: false,
        keep_failed: false,
        check: false,
        isolation: Isolation::Sandboxed,
        link: false,
        logs: false,
        smoke: false,
    };
    let cancel = build::cancelled_by_signals()?;
    let mut display = Display::stderr(Style::stderr());
    let mut events: Vec<Event> = Vec::new();
    let mut listener = |event: &Event| {
        display.event(event);
        events.push(event.clone());
    };
    let workspace = &demanded.workspace;
    let report = run_build(
        workspace,
        &demanded.instance,
        &plan,
        &request,
        &mut listener,
        &cancel,
    )
    .map_err(|error| Refusal::of_engine(&error))?;
    display.finish();
    Ok(match report.status {
        RunStatus::Succeeded => None,
        RunStatus::Cancelled => Some(Exit::Cancelled),
        RunStatus::Failed => {
            let notices = build::failures(demanded, &events, report.folder.as_deref());
            told::mistakes(&notices, arguments.format);
            Some(Exit::Failed)
        }
    })
}

fn read(demanded: &Demanded, label: &str) -> Result<Dataset, Refusal> {
    let workspace = &demanded.workspace;
    let targets = workspace
        .targets(&demanded.instance)
        .map_err(|error| Refusal::of_engine(&error))?;
    let node = targets
        .first()
        .and_then(|target| target.node)
        .ok_or_else(|| Refusal::new(format!("`{label}` is not in the store")))?;
    let path = workspace
        .place(&node)
        .map_err(|error| Refusal::of_engine(&error))?;
    Dataset::read(&path, label).map_err(|failure| Refusal::new(failure.message.clone()))
}

fn write(demanded: &Demanded, arguments: &Arguments, label: &str, svg: &str) -> Result<PathBuf, Refusal> {
    let plain = |c: char| {
        if c.is_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '_'
        }
    };
    let path = match &arguments.output {
        Some(path) => path.clone(),
        None => {
            let name: String = label.chars().map(plain).collect();
            demanded.workspace.samples().join(format!("{name}.svg"))
        }
    };
    let written = match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => atomic::make_folder(folder).and_then(|()| atomic::write(&path, svg.as_bytes())),
        None => atomic::write(&Path::new(".").join(&path), svg.as_bytes()),
    };
    written.map_err(|error| Refusal::new(format!("{} cannot be written: {error}", path.display())))?;
    Ok(path)
}

/// A line an example.
fn lines(shown: &[Example]) -> Vec<String> {
    let names: Vec<&str> = shown.first().map_or_else(Vec::new, |first| {
        first.inputs.iter().map(|(name, _)| name.as_str()).collect()
    });
    let mut heading = vec!["row".to_owned(), "label".to_owned()];
    heading.extend(names.iter().map(|name| (*name).to_owned()));
    let mut rows = vec![heading];
    rows.extend(shown.iter().map(|example| {
        let mut row = vec![example.row.to_string(), example.label.clone()];
        row.extend(example.inputs.iter().map(|(_, input)| in_words(input)));
        row
    }));
    table(&rows, &[Align::Right])
}

/// `[1, 8, 8] from 0 to 1`; of a row of numbers the first.
fn in_words(input: &Input) -> String {
    let short = |value: &f64| {
        let text = format!("{value:.4}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    if let ([_], Some(_)) = (input.shape.as_slice(), input.range) {
        let first: Vec<String> = input.first.iter().map(short).collect();
        let more = if input.shape[0] as usize > first.len() {
            ", …"
        } else {
            ""
        };
        return format!("{}{more}", first.join(", "));
    }
    match input.range {
        Some([low, high]) => format!("{:?} from {} to {}", input.shape, short(&low), short(&high)),
        None => format!("{:?}", input.shape),
    }
}

fn example_json(example: &Example) -> Value {
    let inputs: BTreeMap<&str, Value> = example
        .inputs
        .iter()
        .map(|(name, input)| {
            let value = json!({ "shape": input.shape, "range": input.range, "first": input.first });
            (name.as_str(), value)
        })
        .collect();
    json!({ "row": example.row, "label": example.label, "inputs": inputs })
}
