//! `mlp why`: why a target is built again, or was.

use super::build::{self, Asked, processors};
use super::demand::{self, Demanded};
use super::exit::{Exit, Refusal};
use super::notice::{Excerpt, Mark};
use super::place;
use super::render::places;
use super::runs::Runs;
use super::told::{self, Format};
use crate::engine::{Cause, Explanation, FileChange, Followed, SourceChange, Stands, TargetStep, TextChange};
use crate::model::event::StepFailure;
use crate::report::style::Style;
use crate::report::summary::StepEnding;
use mlp_lang::source::Span;
use mlp_lang::spec::SpecId;
use serde_json::{Value, json};
use std::sync::Arc;

/// Things of one kind that are listed; the rest is counted.
const LISTED: usize = 20;
/// Characters that are shown of a line that was there.
const SHOWN: usize = 60;

/// Say why a target is built again: what changed since it was built last, and what merely follows from that.
///
/// Of a target that is up to date it says why it was built the last time. A value that changed is shown where it is written,
/// a file where it differs first.
///
///   mlp why evaluate
///   mlp why evaluate --set lr=3e-4
///   mlp why fit --format json
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// The targets, as `mlp build` takes them.
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    settings: place::Settings,
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let demanded = match demand::demand(&arguments.targets, &arguments.settings)? {
        Ok(demanded) => demanded,
        Err(notices) => {
            told::mistakes(&notices, arguments.format);
            return Ok(Exit::Mend);
        }
    };
    let asked = Asked {
        jobs: processors(),
        memory: None,
        check: false,
    };
    let (plan, _) = match build::planned(&demanded, &asked)? {
        Ok(planned) => planned,
        Err(notices) => {
            told::mistakes(&notices, arguments.format);
            return Ok(Exit::Mend);
        }
    };
    let why = demanded.workspace.why(&demanded.instance, &plan);
    match arguments.format {
        Format::Text => {
            print!("{}", text(&demanded, &why, Style::stdout()));
            tried(&demanded, &why);
        }
        Format::Json => told::print_json(&json!({
            "steps": why.asked.iter().map(asked_json).collect::<Vec<_>>(),
            "causes": why.causes.iter().map(|cause| cause_json(&demanded, cause)).collect::<Vec<_>>(),
            "follows": why.follows.iter().map(followed_json).collect::<Vec<_>>(),
        })),
    }
    Ok(Exit::Success)
}

fn text(demanded: &Demanded, why: &Explanation, style: Style) -> String {
    let mut lines: Vec<String> = Vec::new();
    listed(&why.asked, "steps", &mut lines, |asked| {
        format!("{} {}\n", style.bold(&asked.step), standing(asked))
    });
    listed(&why.causes, "causes", &mut lines, |cause| {
        let marks: Vec<Mark> = mark(demanded, cause).into_iter().collect();
        let files = cause.source.as_ref().map_or(String::new(), files);
        let clause = style.bold(&format!("{}: {}", cause.step, cause.clause));
        format!(
            "\n{} {clause}\n{files}{}",
            style.cyan("cause:"),
            places(&marks, style)
        )
    });
    if !why.follows.is_empty() {
        lines.push("\n".to_owned());
    }
    listed(&why.follows, "steps that follow", &mut lines, |followed| {
        let reads = followed
            .reads
            .iter()
            .map(|(output, step)| format!("`{output}` of `{step}`"));
        format!(
            "{} {}, which reads {}\n",
            style.cyan("follows:"),
            followed.step,
            reads.collect::<Vec<_>>().join(" and ")
        )
    });
    lines.concat()
}

/// A word on the last run, where it tried to build what is due and failed: nothing is kept of a failure.
fn tried(demanded: &Demanded, why: &Explanation) {
    let due = |asked: &TargetStep| matches!(asked.standing, Stands::New | Stands::Due | Stands::MayBeDue);
    if !why.asked.iter().any(due) {
        return;
    }
    let last = Runs::here()
        .ok()
        .and_then(|runs| runs.summary(runs.ids.first()?).ok());
    let Some(summary) = last else { return };
    for step in &summary.steps {
        let failed =
            matches!(&step.ending, StepEnding::Failed(failure) if *failure != StepFailure::Cancelled);
        let known = || {
            demanded
                .instance
                .graph
                .steps
                .iter()
                .any(|own| own.name() == step.step)
        };
        if failed && known() {
            eprintln!(
                "the last run tried `{}`, and it failed: `mlp log {}/{}`",
                step.step, summary.run, step.step
            );
        }
    }
}

fn listed<T>(all: &[T], what: &str, lines: &mut Vec<String>, line: impl Fn(&T) -> String) {
    lines.extend(all.iter().take(LISTED).map(line));
    if all.len() > LISTED {
        lines.push(format!("… and {} more {what}\n", all.len() - LISTED));
    }
}

fn standing(asked: &TargetStep) -> String {
    let run = || asked.run.clone().unwrap_or_default();
    match asked.standing {
        Stands::New => format!("would be built: {}", asked.reason),
        Stands::Due => format!("would be built again: {}", asked.reason),
        Stands::MayBeDue => {
            format!(
                "would be built again, unless its inputs come out as they were: {}",
                asked.reason
            )
        }
        Stands::IfChosen => "is built if the build chooses it".to_owned(),
        Stands::SameInputs => format!("would not be built: {}", asked.reason),
        Stands::UpToDate => format!("is up to date; it was built again by the run {}", run()),
        Stands::BuiltOnce => match &asked.run {
            Some(run) => {
                format!("is up to date; it was built by the run {run}, from nothing that was there before")
            }
            None => "is up to date; it was not built in this folder".to_owned(),
        },
    }
}

/// The files of a directory that differ.
fn files(source: &SourceChange) -> String {
    let Some(files) = &source.files else {
        return String::new();
    };
    let mut lines = Vec::new();
    listed(files, "files", &mut lines, |(path, how)| {
        format!("  {} {}/{path}\n", change(*how), source.path)
    });
    lines.concat()
}

fn change(how: FileChange) -> &'static str {
    match how {
        FileChange::New => "new:    ",
        FileChange::Gone => "gone:   ",
        FileChange::Changed => "changed:",
    }
}

/// The place of a cause: in the file that changed, or where the value is written.
fn mark(demanded: &Demanded, cause: &Cause) -> Option<Mark> {
    if let Some(text) = cause.source.as_ref().and_then(|source| source.text.as_ref()) {
        return Some(in_file(text));
    }
    let span = written(demanded, cause)?;
    let said = match (&cause.old, &cause.new) {
        (Some(old), Some(new)) if old.len() + new.len() < SHOWN && old != new => {
            format!("was {old}, is {new}")
        }
        _ => String::new(),
    };
    Some(Mark::of(
        demanded.pipeline.sources(),
        first_line(demanded, span),
        said,
    ))
}

/// Of what stands on several lines, the first.
fn first_line(demanded: &Demanded, span: Span) -> Span {
    let text = demanded.pipeline.sources().text(span);
    let length = text.find('\n').unwrap_or(text.len());
    Span {
        end: span.start + length as u32,
        ..span
    }
}

fn in_file(change: &TextChange) -> Mark {
    let mut lines = change.text.split_inclusive('\n');
    let start: usize = lines.by_ref().take(change.line - 1).map(str::len).sum();
    let line = lines
        .next()
        .map_or("", |line| line.trim_end_matches(['\n', '\r']));
    let excerpt = Excerpt {
        path: change.path.clone(),
        text: change.text.as_str().into(),
        first_line: 0,
        first_column: 0,
    };
    Mark {
        range: start..start + line.len(),
        excerpt: Arc::new(excerpt),
        text: in_words(change),
    }
}

/// What became of the lines.
fn in_words(change: &TextChange) -> String {
    let lines = |count: usize| match count {
        1 => "1 line".to_owned(),
        count => format!("{count} lines"),
    };
    match (change.old.as_slice(), change.new) {
        ([line], 1) => format!("was `{}`", shown(line)),
        ([], new) => format!("{} put in here", lines(new)),
        (old, 0) => format!("{} taken out before this", lines(old.len())),
        (old, new) if old.len() == new => format!("{} differ from here on", lines(new)),
        (old, new) => format!("{} here in the place of {}", lines(new), old.len()),
    }
}

fn shown(line: &str) -> String {
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// Where a person wrote what differs.
fn written(demanded: &Demanded, cause: &Cause) -> Option<Span> {
    let step = demanded.instance.graph.step(cause.id?);
    let argument = |label: &str| step.origin.arguments.get(label).copied();
    let along = |span: Option<Span>, path: &[String]| Some(demanded.pipeline.written(span?, path));
    if let Some((layer, part)) = &cause.layer
        && let Some(span) = layer_span(demanded, step.name(), layer)
    {
        return along(Some(span), part);
    }
    let path: Vec<&str> = cause.path.iter().map(String::as_str).collect();
    let found = match path.as_slice() {
        ["args", label, ..] => along(argument(label), &cause.path[2..]).or_else(|| argument("lock")),
        ["argv" | "vars", _, ..] => along(argument(path[0]), &cause.path[1..2]),
        ["inputs", mount, ..] => {
            let label = mount.strip_prefix("inputs/").unwrap_or(mount).to_owned();
            along(argument(&label), &[]).or_else(|| along(argument("inputs"), &[label]))
        }
        ["outputs", name, ..] => argument(&format!("outputs.{name}")),
        [label, ..] => along(argument(label), &[]),
        [] => None,
    };
    Some(found.unwrap_or(step.origin.span))
}

/// Where a layer of the step's network is written.
fn layer_span(demanded: &Demanded, step: &str, layer: &str) -> Option<Span> {
    let specs = &demanded.outcome.evaluation.specs;
    let spec = specs.iter().position(|spec| spec.name == step)?;
    let rows = demanded.outcome.layers.get(&SpecId(spec as u32))?;
    let row = rows.iter().find(|row| row.path == layer)?;
    Some(row.span)
}

fn asked_json(asked: &TargetStep) -> Value {
    let standing = match asked.standing {
        Stands::New => "new",
        Stands::Due => "due",
        Stands::MayBeDue => "may be due",
        Stands::IfChosen => "if chosen",
        Stands::SameInputs => "same inputs",
        Stands::UpToDate | Stands::BuiltOnce => "up to date",
    };
    json!({ "step": asked.step, "standing": standing, "reason": asked.reason, "run": asked.run })
}

fn cause_json(demanded: &Demanded, cause: &Cause) -> Value {
    let place = mark(demanded, cause).map(|mark| json!({ "path": mark.excerpt.path, "start": mark.start() }));
    let files = cause.source.as_ref().and_then(|source| source.files.as_ref());
    let files = files.map(|files| {
        let files = files.iter().map(
            |(path, how)| json!({ "path": path, "change": change(*how).trim_end().trim_end_matches(':') }),
        );
        files.collect::<Vec<_>>()
    });
    json!({
        "step": cause.step,
        "clause": cause.clause,
        "path": cause.path,
        "old": cause.old,
        "new": cause.new,
        "source": cause.source.as_ref().map(|source| &source.path),
        "files": files,
        "place": place,
    })
}

fn followed_json(followed: &Followed) -> Value {
    let reads = followed.reads.iter();
    json!({
        "step": followed.step,
        "reads": reads.map(|(output, step)| json!({ "step": step, "output": output })).collect::<Vec<_>>(),
    })
}
