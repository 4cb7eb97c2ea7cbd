//! `mlp build`: brings targets to their results.

use super::demand::{self, Demanded};
use super::exit::{Exit, Refusal};
use super::failure::Failed;
use super::notice::Notice;
use super::place;
use super::told::{self, Format};
use crate::base::size::Size;
use crate::engine::{Budget, Cancel, Plan, RunReport, RunRequest, capacity, run as run_build, too_large};
use crate::model::build::Isolation;
use crate::model::event::{Event, EventKind, RunStatus, StepFailure};
use crate::progress::Display;
use crate::report::json::json;
use crate::report::style::Style;
use crate::report::summary::Summary;
use crate::report::text;
use std::path::Path;

/// Build targets, and whatever they need that is not built yet.
///
/// The whole pipeline is checked first; a mistake anywhere builds nothing. Results are kept in the store, and found again
/// whenever the same thing is asked for; `result` in the project links to what was built. The store is
/// `~/.local/share/mlp/store`, or the folder that `MLP_STORE` names.
///
///   mlp build evaluate
///   mlp build evaluate --set lr=3e-4 --set epochs=50
///   mlp build fit.model --dry-run         (what would be done, and why)
///   mlp build evaluate --check            (build again, and compare every bit)
///   mlp build a b c --jobs 4 --keep-going
///   mlp build fit --logs                  (with what its program writes)
///   mlp build evaluate --watch            (again at every change)
///   mlp build evaluate --smoke            (try all of it in seconds, on two batches)
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// What to build: a binding, and what is inside it: `evaluate`, `fit.model`, `sweep[lr=0.01]`.
    #[arg(required = true, value_name = "TARGET")]
    pub(super) targets: Vec<String>,
    #[command(flatten)]
    pub(super) settings: place::Settings,
    /// Steps at once; as many as there are processors where it is left out. More than that share them. It changes no
    /// result.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) jobs: Option<u16>,
    /// How much memory steps may use together that say in `resources` what they need; all of the machine's where it is
    /// left out. It changes no result.
    #[arg(long, value_name = "SIZE")]
    pub(super) memory: Option<Size>,
    /// After a failure go on with what does not depend on it.
    #[arg(short, long)]
    keep_going: bool,
    /// Keep the folder of a step that fails, to look into; `mlp shell STEP --failed` enters it.
    #[arg(long, conflicts_with = "dry_run")]
    keep_failed: bool,
    /// Build again what is built, and say whether every bit came out the same.
    #[arg(long, conflicts_with = "dry_run")]
    check: bool,
    /// Only say what would be done, and why: `mlp plan` without the rest.
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Show what programs write on stdout and stderr as it comes, each line with its step where there are several.
    /// `mlp log STEP` shows it afterwards.
    #[arg(long, conflicts_with = "dry_run")]
    logs: bool,
    /// Build again whenever a file changes that the targets read, until Ctrl-C. An edit that changes what is being built
    /// ends that, in good order; any other lets it go on, and is built after it.
    #[arg(short, long, conflicts_with_all = ["dry_run", "check"])]
    watch: bool,
    /// Try the whole way to the targets: every training is of one epoch of two batches, what is measured or predicted of
    /// two, and assertions are left out. Data and steps of your own are built in full. Nothing of it is taken for a
    /// result, and `result` does not link to it.
    #[arg(long, conflicts_with_all = ["watch", "check"])]
    smoke: bool,
    /// How to write what came of it.
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    /// Whether steps are isolated; results that were built without say so.
    #[arg(long, value_enum, default_value_t)]
    sandbox: Sandbox,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Sandbox {
    /// In namespaces, without network, with nothing visible but inputs.
    #[default]
    On,
    /// Among the machine's processes, with no files but inputs and no network: weaker, for machines that refuse
    /// namespaces and whose kernel has Landlock.
    Landlock,
    /// As an ordinary process.
    Off,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    if arguments.watch {
        return super::watch::run(arguments);
    }
    let ready = match ready(arguments)? {
        Ok(ready) => ready,
        Err(exit) => return Ok(exit),
    };
    let cancel = cancelled_by_signals()?;
    let under_way = UnderWay {
        cancel: &cancel,
        heard: &|_| {},
    };
    carry_out(arguments, &ready, &under_way)
}

/// Targets, and what is to be done for them.
pub(super) struct Laid {
    pub(super) demanded: Demanded,
    plan: Plan,
    budget: Budget,
}

/// What is to be done; or how the command ends without doing it, when that is told.
pub(super) fn ready(arguments: &Arguments) -> Result<Result<Laid, Exit>, Refusal> {
    let asked = Asked {
        jobs: arguments.jobs.map_or_else(processors, usize::from),
        memory: arguments.memory,
        check: arguments.check,
    };
    let mistakes = |notices: &[Notice]| {
        told::mistakes(notices, arguments.format);
        Ok(Err(Exit::Mend))
    };
    let known = match arguments.check || arguments.smoke {
        true => None,
        false => demand::up_to_date(&arguments.targets, &arguments.settings)?,
    };
    let (demanded, plan, budget) = match known {
        Some((demanded, plan)) => (
            demanded,
            plan,
            capacity(asked.jobs, asked.memory.map(|Size(bytes)| bytes)),
        ),
        None => {
            let demand = match arguments.smoke {
                true => demand::demand_smoke,
                false => demand::demand,
            };
            let demanded = match demand(&arguments.targets, &arguments.settings)? {
                Ok(demanded) => demanded,
                Err(notices) => return mistakes(&notices),
            };
            let (plan, budget) = match planned(&demanded, &asked)? {
                Ok(planned) => planned,
                Err(notices) => return mistakes(&notices),
            };
            (demanded, plan, budget)
        }
    };
    if arguments.dry_run {
        super::plan::show(&demanded, &plan, asked.jobs, arguments.format);
        return Ok(Err(Exit::Success));
    }
    let lacking = demanded.workspace.lacking(&demanded.instance, &plan);
    if !lacking.is_empty() {
        return mistakes(&demand::notices(&demanded.pipeline, &lacking));
    }
    Ok(Ok(Laid {
        demanded,
        plan,
        budget,
    }))
}

/// How a build is to be done.
pub(super) struct Asked {
    /// Steps at once.
    pub jobs: usize,
    /// What they may hold together, where it is said.
    pub memory: Option<Size>,
    /// Whether everything is built again.
    pub check: bool,
}

/// What would be done, with what of the machine; or what asks for more than there is.
pub(super) fn planned(
    demanded: &Demanded,
    asked: &Asked,
) -> Result<Result<(Plan, Budget), Vec<Notice>>, Refusal> {
    let plan = demanded
        .workspace
        .plan(&demanded.instance, asked.check)
        .map_err(|error| Refusal::of_engine(&error))?;
    let budget = capacity(asked.jobs, asked.memory.map(|Size(bytes)| bytes));
    let found = too_large(&demanded.instance, &plan, &budget, demanded.pipeline.sources());
    if found.is_empty() {
        return Ok(Ok((plan, budget)));
    }
    Ok(Err(demand::notices(&demanded.pipeline, &found)))
}

/// A build under way, as somebody sees it who watches the project meanwhile.
pub(super) struct UnderWay<'a> {
    /// Its wish to end.
    pub cancel: &'a Cancel,
    /// Told of every event.
    pub heard: &'a (dyn Fn(&Event) + Sync),
}

/// Does what is to be done, and tells what came of it.
pub(super) fn carry_out(
    arguments: &Arguments,
    laid: &Laid,
    under_way: &UnderWay<'_>,
) -> Result<Exit, Refusal> {
    let Laid {
        demanded,
        plan,
        budget,
    } = laid;
    let request = RunRequest {
        targets: arguments.targets.clone(),
        settings: arguments.settings.pairs()?.into_iter().collect(),
        budget: budget.clone(),
        keep_going: arguments.keep_going,
        keep_failed: arguments.keep_failed,
        check: arguments.check,
        isolation: match arguments.sandbox {
            Sandbox::On => Isolation::Sandboxed,
            Sandbox::Landlock => Isolation::Landlock,
            Sandbox::Off => Isolation::Off,
        },
        link: true,
        logs: arguments.logs,
        smoke: arguments.smoke,
    };
    let mut display = Display::stderr(Style::stderr());
    let mut events: Vec<Event> = Vec::new();
    let mut listener = |event: &Event| {
        display.event(event);
        (under_way.heard)(event);
        if !matches!(event.kind, EventKind::Output { .. }) {
            events.push(event.clone());
        }
    };
    let report = run_build(
        &demanded.workspace,
        &demanded.instance,
        plan,
        &request,
        &mut listener,
        under_way.cancel,
    )
    .map_err(|error| Refusal::of_engine(&error))?;
    display.finish();
    tell(arguments.format, demanded, &events, &report);
    Ok(exit(&report, arguments.check))
}

pub(super) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Ctrl-C and SIGTERM stop the build in good order; a second one at once.
pub(super) fn cancelled_by_signals() -> Result<Cancel, Refusal> {
    let cancel =
        Cancel::new().map_err(|error| Refusal::new(format!("a build cannot be started: {error}")))?;
    let wish = cancel.clone();
    ctrlc::set_handler(move || {
        if wish.is_cancelled() {
            std::process::exit(Exit::Cancelled.code().into());
        }
        wish.cancel();
    })
    .map_err(|error| Refusal::new(format!("Ctrl-C cannot be listened for: {error}")))?;
    Ok(cancel)
}

/// What failed, each with its place; then what came of the run.
fn tell(format: Format, demanded: &Demanded, events: &[Event], report: &RunReport) {
    let notices = failures(demanded, events, report.folder.as_deref());
    let mut summary = Summary::of(events);
    for artifact in &mut summary.artifacts {
        if let Some(built) = report
            .artifacts
            .iter()
            .find(|built| built.label == artifact.label)
        {
            artifact.place.clone_from(&built.place);
            artifact.value.clone_from(&built.value);
        }
    }
    match format {
        Format::Json => {
            let mut object = json(&summary);
            object["diagnostics"] = told::json(&notices);
            told::print_json(&object);
        }
        Format::Text => {
            told::show(&notices);
            print!("{}", text::results(&summary, Style::stdout()));
            eprintln!("{}", text::closing(&summary, Style::stderr()));
        }
    }
}

/// What failed, each with its place.
pub(super) fn failures(demanded: &Demanded, events: &[Event], folder: Option<&Path>) -> Vec<Notice> {
    let root = &demanded.workspace.project().root;
    let line = |path: &str, line: u64| place::line(&root.join(path), line);
    let notice = |event: &Event| {
        // What was stopped by the user, or because another step failed, is no fault of its own.
        let EventKind::StepFailed {
            step,
            failure,
            log,
            tail,
            ..
        } = &event.kind
        else {
            return None;
        };
        if *failure == StepFailure::Cancelled {
            return None;
        }
        let kept = events.iter().rev().find_map(|event| match &event.kind {
            EventKind::FolderKept { step: of, path } if of == step => Some(path),
            _ => None,
        });
        let log = log.as_ref().zip(folder).map(|(log, folder)| folder.join(log));
        let failed = Failed {
            step,
            failure,
            tail,
            log: log.map(|log| place::shown(&log)),
            kept: kept.map(|kept| kept.display().to_string()),
            declared: demanded
                .instance
                .graph
                .steps
                .iter()
                .find(|known| known.name() == step),
            sources: demanded.pipeline.sources(),
            line: &line,
        };
        Some(failed.notice())
    };
    events.iter().filter_map(notice).collect()
}

fn exit(report: &RunReport, check: bool) -> Exit {
    match report.status {
        RunStatus::Succeeded if check && report.differing > 0 => Exit::Differs,
        RunStatus::Succeeded => Exit::Success,
        RunStatus::Failed => Exit::Failed,
        RunStatus::Cancelled => Exit::Cancelled,
    }
}
