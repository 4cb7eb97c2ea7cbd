//! `mlp runs`: the builds that were run here, from their event logs.

use super::exit::{Exit, Refusal};
use super::place;
use super::told::{self, Format};
use crate::base::clock;
use crate::engine::{Project, Workspace, run_log};
use crate::model::event::{How, RunStatus, StepFailure};
use crate::report::style::Style;
use crate::report::summary::{StepEnding, StepSummary, Summary};
use crate::report::table::table;
use crate::report::text::{closing, results};
use crate::report::{count, duration, figure, json};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Runs that are listed where no number is given.
const LISTED: usize = 20;

/// List the builds that were run here, newest first; show one, or keep what it came to.
///
/// A run is named by its id, or by as much of its beginning as no other begins with; `latest` is the newest one.
///
///   mlp runs
///   mlp runs show 20260131-142500      (its settings, its steps, what its targets came to)
///   mlp runs pin 20260131-142500       (garbage collection keeps what it came to)
///   mlp runs unpin 20260131-142500
///   mlp runs --all --format json
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment, args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: List,
}

#[derive(clap::Args, Debug)]
struct List {
    /// All of them, not only the last ones.
    #[arg(long)]
    all: bool,
    /// How to write them.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Show a run's settings, its steps with how long they took, and what its targets came to.
    Show {
        /// The run.
        run: String,
        /// How to write it.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Keep what a run came to, whatever garbage collection takes.
    Pin {
        /// The run.
        run: String,
    },
    /// Keep what a run came to no longer.
    Unpin {
        /// The run.
        run: String,
    },
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let runs = Runs::here()?;
    match &arguments.command {
        None => {
            let listed = if arguments.list.all { usize::MAX } else { LISTED };
            runs.list(listed, arguments.list.format)?;
        }
        Some(Command::Show { run, format }) => runs.show(&runs.find(run)?, *format)?,
        Some(Command::Pin { run }) => runs.pin(&runs.find(run)?)?,
        Some(Command::Unpin { run }) => runs.unpin(&runs.find(run)?)?,
    }
    Ok(Exit::Success)
}

/// The runs of a project.
pub(super) struct Runs {
    project: Project,
    folder: PathBuf,
    /// Newest first.
    pub(super) ids: Vec<String>,
}

impl Runs {
    /// Those of the project here.
    pub(super) fn here() -> Result<Self, Refusal> {
        let project = place::project()?;
        let state = project.state().map_err(|error| unreadable(&error))?;
        let folder = state.join("runs");
        let ids = run_log::list(&folder).map_err(|error| unreadable(&error))?;
        Ok(Self { project, folder, ids })
    }

    pub(super) fn folder(&self, id: &str) -> PathBuf {
        self.folder.join(id)
    }

    /// What a run came to.
    pub(super) fn summary(&self, id: &str) -> Result<Summary, Refusal> {
        let events = run_log::read(&self.folder(id)).map_err(|error| unreadable(&error))?;
        Ok(Summary::of(&events))
    }

    /// The id that is meant.
    pub(super) fn find(&self, run: &str) -> Result<String, Refusal> {
        if self.ids.is_empty() {
            return Err(nothing_yet());
        }
        if run == "latest" {
            return Ok(self.ids[0].clone());
        }
        if self.ids.iter().any(|id| id == run) {
            return Ok(run.to_owned());
        }
        let mut begin = self.ids.iter().filter(|id| id.starts_with(run));
        match (begin.next(), begin.next()) {
            (Some(id), None) => Ok(id.clone()),
            (Some(one), Some(other)) => Err(Refusal::new(format!("`{run}` may be several runs"))
                .hint(format!("write more of it: `{other}`, `{one}`"))),
            (None, _) => {
                let near = place::nearest(run, self.ids.iter().map(String::as_str));
                let refusal = Refusal::new(format!("there is no run `{run}`"));
                Err(match near {
                    Some(near) => refusal.hint(format!("did you mean `{near}`? `mlp runs` lists them")),
                    None => refusal.hint("`mlp runs` lists them"),
                })
            }
        }
    }

    /// The last runs. One whose log cannot be read is passed over.
    pub(super) fn list(&self, most: usize, format: Format) -> Result<(), Refusal> {
        let known = self.ids.iter().take(most);
        let known: Vec<(&String, Summary)> = known
            .filter_map(|id| Some((id, self.summary(id).ok()?)))
            .collect();
        if format == Format::Json {
            let all: Vec<Value> = known.iter().map(|(id, summary)| self.line(id, summary)).collect();
            told::print_json(&json!({ "runs": all }));
            return Ok(());
        }
        if self.ids.is_empty() {
            return Err(nothing_yet());
        }
        let rows: Vec<Vec<String>> = known
            .iter()
            .map(|(id, summary)| {
                let pinned = if run_log::is_pinned(&self.folder(id)) {
                    ", pinned"
                } else {
                    ""
                };
                vec![
                    (*id).clone(),
                    clock::minute(summary.started),
                    format!("{}{pinned}", status(summary)),
                    counts(summary),
                    duration(summary.took_ms),
                    format!("{}{}", summary.targets.join(" "), settings(summary)),
                ]
            })
            .collect();
        table(&rows, &[]).iter().for_each(|line| println!("{line}"));
        if self.ids.len() > most {
            let older = self.ids.len() - most;
            eprintln!(
                "{} {older} older runs: `mlp runs --all`",
                Style::stderr().dim("and")
            );
        }
        Ok(())
    }

    fn line(&self, id: &str, summary: &Summary) -> Value {
        let (built, failed) = summary.counts();
        json!({
            "run": id,
            "started": summary.started,
            "status": summary.status,
            "pinned": run_log::is_pinned(&self.folder(id)),
            "targets": summary.targets,
            "settings": summary.settings,
            "built": built,
            "failed": failed,
            "reused": summary.reused,
            "took_ms": summary.took_ms,
        })
    }

    fn show(&self, id: &str, format: Format) -> Result<(), Refusal> {
        let mut summary = self.summary(id)?;
        // Where the store is gone, the run's own facts are there still.
        if let Ok(workspace) = Workspace::open(self.project.clone()) {
            for artifact in &mut summary.artifacts {
                artifact.value = workspace.figures(&artifact.kind, &artifact.node);
            }
        }
        match format {
            Format::Text => print!("{}", shown(&summary, Style::stdout())),
            Format::Json => {
                let mut object = json::json(&summary);
                object["started"] = summary.started.into();
                object["pinned"] = run_log::is_pinned(&self.folder(id)).into();
                told::print_json(&object);
            }
        }
        Ok(())
    }

    fn pin(&self, id: &str) -> Result<(), Refusal> {
        match run_log::pin(&self.folder(id)) {
            Ok(true) => eprintln!("what {id} came to is kept: `mlp runs unpin {id}` takes that back"),
            Ok(false) => eprintln!("{id} is pinned already"),
            Err(error) => return Err(unwritable(id, &error)),
        }
        Ok(())
    }

    fn unpin(&self, id: &str) -> Result<(), Refusal> {
        match run_log::unpin(&self.folder(id)) {
            Ok(true) => eprintln!("{id} is not pinned any more"),
            Ok(false) => eprintln!("{id} was not pinned"),
            Err(error) => return Err(unwritable(id, &error)),
        }
        Ok(())
    }
}

fn unwritable(id: &str, error: &std::io::Error) -> Refusal {
    Refusal::new(format!("the folder of the run {id} cannot be written: {error}"))
}

pub(super) fn unreadable(error: &std::io::Error) -> Refusal {
    Refusal::new(format!("the logs of earlier runs cannot be read: {error}"))
}

pub(super) fn nothing_yet() -> Refusal {
    Refusal::new("nothing was built here yet").hint("`mlp build TARGET` builds")
}

fn counts(summary: &Summary) -> String {
    let (built, failed) = summary.counts();
    format!("{built} built, {failed} failed, {} reused", summary.reused)
}

fn settings(summary: &Summary) -> String {
    let settings = summary.settings.iter();
    settings
        .map(|(name, value)| format!(" --set {name}={value}"))
        .collect()
}

fn status(summary: &Summary) -> &'static str {
    match summary.status {
        Some(RunStatus::Succeeded) => "succeeded",
        Some(RunStatus::Failed) => "failed",
        Some(RunStatus::Cancelled) => "stopped",
        None => "unfinished",
    }
}

/// What was asked for, the steps, what the targets came to, and how it ended.
pub(super) fn shown(summary: &Summary, style: Style) -> String {
    let targets = summary.targets.join(" ");
    let mut lines = vec![style.bold(&format!("mlp build {targets}{}", settings(summary)))];
    let mut rows: Vec<Vec<String>> = summary.steps.iter().map(row).collect();
    rows.extend(summary.skipped.iter().map(|(step, because)| {
        let why = because.as_ref().map(|cause| format!("it reads `{cause}`"));
        vec![
            step.clone(),
            "not tried".to_owned(),
            String::new(),
            why.unwrap_or_default(),
        ]
    }));
    lines.extend(table(&rows, &[]).into_iter().map(|line| format!("  {line}")));
    let results = results(summary, style);
    lines.extend(results.trim_end().lines().map(str::to_owned));
    lines.push(closing(summary, style));
    lines.join("\n") + "\n"
}

fn row(step: &StepSummary) -> Vec<String> {
    let ending = match &step.ending {
        StepEnding::Done(How::Built) => "built",
        StepEnding::Done(How::Cutoff) => "as before",
        StepEnding::Done(How::Awaited) => "built by another run",
        StepEnding::Done(How::Checked) => "compared",
        StepEnding::Done(How::Diverged) => "diverged",
        StepEnding::Failed(StepFailure::Cancelled) => "stopped",
        StepEnding::Failed(_) => "failed",
    };
    let training = step.training.as_ref().map(|training| {
        let figures = training.last.iter().filter(|(name, _)| *name != "lr");
        let figures: Vec<String> = figures
            .map(|(name, x)| format!("{name} {}", figure(*x)))
            .collect();
        let speed = training
            .examples_per_second()
            .map(|speed| format!(", {} examples/s", count(speed as u64)));
        format!(
            "{} epochs trained, {} found{}; {}",
            training.trained,
            training.found,
            speed.unwrap_or_default(),
            figures.join(", ")
        )
    });
    vec![
        step.step.clone(),
        ending.to_owned(),
        duration(step.wall_ms),
        training.unwrap_or_default(),
    ]
}

/// A step as a run tried it: the step's own name, or that of a target which is an output of it.
pub(super) fn step_of<'s>(summary: &'s Summary, name: &str) -> Option<&'s StepSummary> {
    let of_target = |step: &&StepSummary| name == step.step || name.starts_with(&format!("{}.", step.step));
    summary.steps.iter().find(of_target)
}

/// What a step's program wrote in a run.
pub(super) fn text(step: &StepSummary, id: &str, folder: &Path) -> Result<String, Refusal> {
    eprintln!("{} of run {id}, {}", step.step, duration(step.wall_ms));
    let Some(log) = &step.log else {
        return Err(Refusal::new(format!(
            "`{}` was not started, so it wrote nothing",
            step.step
        )));
    };
    let bytes = std::fs::read(folder.join(log)).map_err(|error| unreadable(&error))?;
    if bytes.is_empty() {
        eprintln!("it wrote nothing");
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
