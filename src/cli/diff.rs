//! `mlp diff`: what two targets, two runs or two revisions differ in.

use super::demand::{self, Demanded, is_of};
use super::exit::{Exit, Refusal};
use super::notice::Notice;
use super::place::{self, Settings};
use super::runs::Runs;
use super::told::{self, Format};
use crate::engine::{
    Cause, Compared, Diff, DiffSide, DiffTarget, FileChange, Part, Project, Revision, RevisionError,
    Workspace, run_log,
};
use crate::report::figure;
use crate::report::style::Style;
use crate::report::table::{Align, table};
use serde_json::{Value, json};

/// The work tree, among revisions.
const HERE: &str = ".";

/// Say what two targets, two runs, or a target at two revisions differ in: parameters, code, data, environment, and the figures
/// that they came to.
///
/// Runs are ids of `mlp runs`, or `latest`. Revisions are git's, and need a target to compare; `.` is the work tree as it is.
/// Nothing is built: what was not has no figures.
///
///   mlp diff small large                     (two targets)
///   mlp diff 20260131-142500 latest          (two runs)
///   mlp diff HEAD~1 HEAD evaluate            (a target at two revisions)
///   mlp diff HEAD . evaluate                 (and with what is not committed yet)
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// A target, a run, or a revision.
    a: String,
    /// The same, to compare with.
    b: String,
    /// Of runs and revisions: the targets to compare.
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    settings: Settings,
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What differs, or what is to be mended before anything can be compared.
type Answer = Result<Result<Diff, Vec<Notice>>, Refusal>;

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let compared = match (is_run(&arguments.a) && is_run(&arguments.b), &*arguments.targets) {
        (true, targets) => runs(arguments, targets)?,
        (false, []) => targets(arguments)?,
        (false, targets) => revisions(arguments, targets)?,
    };
    let diff = match compared {
        Ok(diff) => diff,
        Err(notices) => {
            told::mistakes(&notices, arguments.format);
            return Ok(Exit::Mend);
        }
    };
    match arguments.format {
        Format::Text => print!("{}", text(&diff, arguments, Style::stdout())),
        Format::Json => told::print_json(&as_json(&diff)),
    }
    Ok(Exit::Success)
}

/// `latest`, or what begins as an id does: with a day.
fn is_run(name: &str) -> bool {
    name == "latest" || name.len() >= 8 && name.bytes().take(8).all(|byte| byte.is_ascii_digit())
}

fn runs(arguments: &Arguments, targets: &[String]) -> Answer {
    let runs = Runs::here()?;
    let workspace = Workspace::open(place::project()?).map_err(|error| Refusal::of_engine(&error))?;
    let wanted = |label: &str| targets.is_empty() || targets.iter().any(|target| is_of(label, target));
    let side = |name: &str| {
        let id = runs.find(name)?;
        let events = run_log::read(&runs.folder(&id)).map_err(|error| super::runs::unreadable(&error))?;
        workspace.side_of_run(&events, wanted).ok_or_else(|| {
            let said = match targets {
                [] => "its log does not say what it built from".to_owned(),
                targets => format!("it was not asked for `{}`", targets.join("`, `")),
            };
            Refusal::new(format!("the run {id} cannot be compared: {said}"))
                .hint(format!("`mlp runs show {id}` shows what it did"))
        })
    };
    let (a, b) = (side(&arguments.a)?, side(&arguments.b)?);
    by_label(&a, &b, arguments).map(Ok)
}

/// Artifacts of the same labels.
fn by_label(a: &DiffSide<'_>, b: &DiffSide<'_>, arguments: &Arguments) -> Result<Diff, Refusal> {
    let pair = |one: &'_ DiffTarget| b.targets.iter().position(|other| other.label == one.label);
    let pairs: Vec<(String, &DiffTarget, &DiffTarget)> = a
        .targets
        .iter()
        .filter_map(|one| Some((one.label.clone(), one, &b.targets[pair(one)?])))
        .collect();
    if pairs.is_empty() {
        let labels = |side: &DiffSide<'_>| {
            let labels = side.targets.iter().map(|target| format!("`{}`", target.label));
            labels.collect::<Vec<_>>().join(", ")
        };
        return Err(Refusal::new(format!(
            "`{}` and `{}` have no target in common: {}; {}",
            arguments.a,
            arguments.b,
            labels(a),
            labels(b)
        )));
    }
    Ok(Diff::of(a, b, &pairs))
}

fn targets(arguments: &Arguments) -> Answer {
    let Arguments { a, b, .. } = arguments;
    if [a, b]
        .iter()
        .any(|name| *name == "HEAD" || name.contains(['~', '^', '@']))
    {
        return Err(Refusal::new(
            "revisions are compared by what a target is at each of them, and no target is named",
        )
        .hint(format!("name it: `mlp diff {a} {b} evaluate`")));
    }
    let demanded = match demand::demand(&[a.clone(), b.clone()], &arguments.settings)? {
        Ok(demanded) => demanded,
        Err(notices) => return Ok(Err(notices)),
    };
    let side = |target: &str| {
        demanded
            .workspace
            .side(&demanded.instance, |label| is_of(label, target))
    };
    let (one, other) = (side(a), side(b));
    // Parts go by what they are called in their own targets: `small.model` is held against `large.model`.
    let rest = |label: &str, target: &str| label[target.len()..].trim_start_matches('.').to_owned();
    let mut pairs = Vec::new();
    for target in &one.targets {
        let name = rest(&target.label, a);
        let same = other.targets.iter().find(|own| rest(&own.label, b) == name);
        pairs.extend(same.map(|same| (name, target, same)));
    }
    if pairs.is_empty() {
        if let ([target], [same]) = (one.targets.as_slice(), other.targets.as_slice()) {
            pairs.push((String::new(), target, same));
        } else {
            return Err(Refusal::new(format!("`{a}` and `{b}` have no part in common"))
                .hint("name parts that can be compared: `mlp diff a.model b.model`"));
        }
    }
    Ok(Ok(Diff::of(&one, &other, &pairs)))
}

fn revisions(arguments: &Arguments, targets: &[String]) -> Answer {
    let (a, b) = (At::of(&arguments.a)?, At::of(&arguments.b)?);
    let one = match a.demand(&arguments.a, targets, &arguments.settings)? {
        Ok(one) => one,
        Err(notices) => return Ok(Err(notices)),
    };
    let other = match b.demand(&arguments.b, targets, &arguments.settings)? {
        Ok(other) => other,
        Err(notices) => return Ok(Err(notices)),
    };
    let (one, other) = (
        one.workspace.side(&one.instance, |_| true),
        other.workspace.side(&other.instance, |_| true),
    );
    by_label(&one, &other, arguments).map(Ok)
}

/// The project at a revision, or as it is.
enum At {
    Here(Project),
    Then(Revision),
}

impl At {
    fn of(revision: &str) -> Result<Self, Refusal> {
        let project = place::project()?;
        if revision == HERE {
            return Ok(Self::Here(project));
        }
        let at = Revision::of(&project, revision).map_err(|error| refused(&error))?;
        for path in &at.as_now {
            eprintln!("note: git ignores `{path}`, which is compared as it is now at `{revision}`");
        }
        Ok(Self::Then(at))
    }

    /// What the targets are there.
    fn demand(
        &self,
        revision: &str,
        targets: &[String],
        settings: &Settings,
    ) -> Result<Result<Demanded, Vec<Notice>>, Refusal> {
        let project = match self {
            Self::Here(project) => project,
            Self::Then(at) => &at.project,
        };
        let demanded = match demand::evaluate_in(project.clone(), targets, settings)? {
            Ok(evaluated) => evaluated.instantiate()?,
            Err(notices) => Err(notices),
        };
        if demanded.is_err() && revision != HERE {
            eprintln!("at `{revision}`:");
        }
        Ok(demanded)
    }
}

fn refused(error: &RevisionError) -> Refusal {
    let refusal = Refusal::new(error.to_string());
    match error {
        RevisionError::NoGit => refusal.hint("revisions are compared by it: install git"),
        RevisionError::NoRepository => {
            refusal.hint("runs and targets can be compared without one: `mlp diff --help`")
        }
        RevisionError::Unknown(_) => refusal
            .hint("`git log --oneline` lists commits; `.` is the work tree; runs are ids of `mlp runs`"),
        _ => refusal,
    }
}

fn text(diff: &Diff, arguments: &Arguments, style: Style) -> String {
    let mut text = String::new();
    for (part, heading) in PARTS {
        let own: Vec<&Cause> = of_part(diff, part).collect();
        if own.is_empty() {
            continue;
        }
        text.push_str(&format!("{}\n", style.bold(heading)));
        own.iter().for_each(|cause| text.push_str(&change(cause)));
    }
    if diff.changes.is_empty() {
        text.push_str("they are made of the same: no parameter, code, data or environment differs\n");
    }
    if !diff.figures.is_empty() {
        text.push_str(&format!("{}\n", style.bold("figures")));
        text.push_str(&figures(diff, arguments));
    }
    let results = results(diff, arguments);
    if !results.is_empty() {
        text.push_str(&format!("{}\n{results}", style.bold("results")));
    }
    text
}

const PARTS: [(Part, &str); 4] = [
    (Part::Parameters, "parameters"),
    (Part::Code, "code"),
    (Part::Data, "data"),
    (Part::Environment, "environment"),
];

fn of_part(diff: &Diff, part: Part) -> impl Iterator<Item = &Cause> {
    let own = diff.changes.iter().filter(move |(own, _)| *own == part);
    own.map(|(_, cause)| cause)
}

/// Files of a directory that are listed.
const LISTED: usize = 20;

/// A difference, with the files and the line in which it lies.
fn change(cause: &Cause) -> String {
    let mut text = format!("  {}: {}\n", cause.step, cause.clause);
    let Some(source) = &cause.source else { return text };
    let files = source.files.as_deref().unwrap_or_default();
    for (path, how) in files.iter().take(LISTED) {
        let how = match how {
            FileChange::New => "new:",
            FileChange::Gone => "gone:",
            FileChange::Changed => "changed:",
        };
        text.push_str(&format!("    {how:<8} {}/{path}\n", source.path));
    }
    if files.len() > LISTED {
        text.push_str(&format!("    … and {} more files\n", files.len() - LISTED));
    }
    if let Some(change) = &source.text {
        let is = change.text.lines().nth(change.line - 1).unwrap_or_default();
        let line = match (change.old.as_slice(), change.new) {
            ([was], 1) => format!("was `{}`, is `{}`", was.trim(), is.trim()),
            (was, is) => format!("and what follows: {} lines were there, {is} are", was.len()),
        };
        text.push_str(&format!("    {}:{} {line}\n", change.path, change.line));
    }
    text
}

fn figures(diff: &Diff, arguments: &Arguments) -> String {
    let told = |value: Option<f64>| value.map_or("-".to_owned(), figure);
    let mut rows = vec![vec![
        String::new(),
        arguments.a.clone(),
        arguments.b.clone(),
        "difference".to_owned(),
    ]];
    rows.extend(diff.figures.iter().map(|row| {
        let difference = row.old.zip(row.new).map(|(old, new)| new - old);
        let sign = if difference.is_some_and(|by| by > 0.0) {
            "+"
        } else {
            ""
        };
        vec![
            row.name.clone(),
            told(row.old),
            told(row.new),
            difference.map_or(String::new(), |by| format!("{sign}{}", figure(by))),
        ]
    }));
    let align = [Align::Left, Align::Right, Align::Right, Align::Right];
    let lines = table(&rows, &align).into_iter();
    lines.map(|line| format!("  {line}\n")).collect()
}

fn results(diff: &Diff, arguments: &Arguments) -> String {
    let Arguments { a, b, .. } = arguments;
    let line = |artifact: &Compared| {
        let label = match artifact.label.as_str() {
            "" => format!("{a} and {b}"),
            label => label.to_owned(),
        };
        let how = match (artifact.old, artifact.new) {
            (Some(old), Some(new)) if old == new => "the same bits".to_owned(),
            (Some(_), Some(_)) => "other bits".to_owned(),
            (Some(_), None) => format!("not built for `{b}`"),
            (None, Some(_)) => format!("not built for `{a}`"),
            (None, None) => "not built".to_owned(),
        };
        format!("  {label}: {how}\n")
    };
    diff.artifacts.iter().map(line).collect()
}

fn as_json(diff: &Diff) -> Value {
    let changes = diff.changes.iter().map(|(part, cause)| {
        let part = PARTS.iter().find(|(own, _)| own == part).map(|(_, name)| *name);
        json!({
            "part": part,
            "step": cause.step,
            "clause": cause.clause,
            "path": cause.path,
            "old": cause.old,
            "new": cause.new,
            "source": cause.source.as_ref().map(|source| &source.path),
        })
    });
    let figures = diff
        .figures
        .iter()
        .map(|figure| json!({ "name": figure.name, "a": figure.old, "b": figure.new }));
    let artifacts = diff.artifacts.iter().map(|artifact| {
        json!({
            "label": artifact.label,
            "built": [artifact.old.is_some(), artifact.new.is_some()],
            "same": artifact.old.is_some() && artifact.old == artifact.new,
        })
    });
    json!({
        "changes": changes.collect::<Vec<_>>(),
        "figures": figures.collect::<Vec<_>>(),
        "artifacts": artifacts.collect::<Vec<_>>(),
    })
}
