//! A run: the plan is carried out, every event is logged and told, and the targets are linked to.

use super::diverged;
use super::error::EngineError;
use super::follow::{self, Follower};
use super::result_link::{self, Artifact};
use super::run_log::RunLog;
use super::smoke;
use super::workspace::{Instance, Workspace};
use crate::base::clock;
use crate::executor::{Cancel, Local};
use crate::instantiate::{Known, Nothing, output_of, reads_of};
use crate::model::budget::Budget;
use crate::model::build::Isolation;
use crate::model::derivation::Builder;
use crate::model::event::{Event, EventKind, How, PlannedStep, PlannedTarget, RunStatus};
use crate::model::graph::{Graph, StepId, Target};
use crate::model::node::Node;
use crate::plan::{Decision, Plan};
use crate::scheduler::{self, Build, Options, Programs, Summary};
use crate::store::StoreError;
use mlp_sandbox::Helper;
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a run is asked.
#[derive(Clone, Debug)]
pub struct RunRequest {
    /// The targets as they were written.
    pub targets: Vec<String>,
    /// Values of params from outside.
    pub settings: BTreeMap<String, String>,
    /// What of the machine steps may use together: see `capacity`. No step of the plan may need more: see `too_large`.
    pub budget: Budget,
    /// After a failure, go on with what does not depend on it.
    pub keep_going: bool,
    /// Keep the folders of failed builds.
    pub keep_failed: bool,
    /// Build again what is realised, and compare.
    pub check: bool,
    /// The strongest isolation that is asked for.
    pub isolation: Isolation,
    /// Whether `result` in the project links to what was built.
    pub link: bool,
    /// Whether what programs write is told as it comes.
    pub logs: bool,
    /// Whether it is a trial (see `smoke`): it is told, nothing links to it, and no later plan is held against it.
    pub smoke: bool,
}

/// What a run came to, besides its events.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// How it ended.
    pub status: RunStatus,
    /// Steps that gave other bits than are registered.
    pub differing: u32,
    /// The targets' artifacts that are there.
    pub artifacts: Vec<Built>,
    /// The run's folder, with its log and those of its steps; none where nothing was to be done.
    pub folder: Option<PathBuf>,
    /// What each step came to.
    pub(super) summary: Summary,
}

/// An artifact of a target.
#[derive(Clone, Debug)]
pub struct Built {
    /// The path from the target: `fit.model`.
    pub label: String,
    /// Where it is seen, relative to the project; none where no link could be made.
    pub place: Option<String>,
    /// What it says, if it is a JSON file.
    pub value: Option<serde_json::Value>,
}

/// Carries out `plan`. `listener` is told every event, in order.
pub fn run(
    workspace: &Workspace,
    instance: &Instance,
    plan: &Plan,
    request: &RunRequest,
    listener: &mut (dyn FnMut(&Event) + Send),
    cancel: &Cancel,
) -> Result<RunReport, EngineError> {
    // Before anything is built: what this project links to and keeps is not garbage.
    let known = workspace.store.know_project(&workspace.project.root);
    let (plan, damaged) = mend(workspace, instance, plan, request.check)?;
    let plan = &*plan;
    let started = clock::since_epoch();
    let log = open_log(workspace, plan, started)?;
    let id = log
        .as_ref()
        .map_or_else(|| run_id(started), |log| log.id().to_owned());
    let folder = log.as_ref().map(|log| log.folder().to_owned());
    let voice = Voice::new(log, listener);
    voice.say(EventKind::RunStarted {
        run: id.clone(),
        targets: request.targets.clone(),
        settings: request.settings.clone(),
        started: started.as_secs(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    });
    for text in damaged
        .into_iter()
        .chain(known.err().map(|error| error.to_string()))
    {
        voice.say(EventKind::Warning { text });
    }
    if request.smoke {
        let text = smoke::WORDS.to_owned();
        voice.say(EventKind::Warning { text });
    }
    voice.say(planned(&instance.graph, plan));
    let follower = folder.clone().filter(|_| request.logs).map(Follower::new);
    let tell = |event| voice.tell(event);
    let took: Mutex<BTreeMap<String, u64>> = Mutex::default();
    let events = |event: EventKind| {
        if let EventKind::StepFinished {
            step,
            how: How::Built,
            wall_ms,
            ..
        } = &event
        {
            let mut took = took.lock().unwrap_or_else(PoisonError::into_inner);
            took.insert(step.clone(), *wall_ms);
        }
        follower
            .iter()
            .for_each(|follower| follower.before(&event, &tell));
        voice.say(event);
    };
    let expected = expected(workspace, instance, plan, request);
    let build = Build {
        graph: &instance.graph,
        plan,
        store: &workspace.store,
        expected: &expected,
        sources: &instance.sources,
        executor: &Local::new(Helper::of_this_program()),
        programs: &Programs::find(libexec().as_deref()),
        options: &options(request),
        state: &workspace.state,
        run: &id,
        directory: folder.as_deref().unwrap_or(&workspace.state),
        events: &events,
        cancel,
    };
    let mut summary = followed(follower.as_ref(), &tell, || scheduler::run(&build));
    for (step, failure) in diverged::demanded(
        &instance.graph,
        &Results {
            workspace,
            summary: &summary,
        },
    ) {
        summary.failed += 1;
        voice.say(EventKind::StepFailed {
            step: instance.graph.step(step).name().to_owned(),
            failure,
            log: None,
            tail: Vec::new(),
            wall_ms: 0,
        });
    }
    let took = took.into_inner().unwrap_or_else(PoisonError::into_inner);
    if !request.smoke {
        remember(workspace, instance, &summary, (&id, &took), &voice);
    }
    let status = status(&summary, cancel);
    let artifacts = match request.link {
        true => artifacts(workspace, &instance.graph, &summary, request.smoke, &voice),
        false => Vec::new(),
    };
    voice.say(EventKind::RunFinished {
        status,
        built: summary.built,
        reused: summary.reused + plan.reused().count() as u32,
        failed: summary.failed,
    });
    Ok(RunReport {
        status,
        differing: summary.differing,
        artifacts,
        folder,
        summary,
    })
}

/// How long steps took before, where it matters: where they are more than can be built at once.
fn expected(
    workspace: &Workspace,
    instance: &Instance,
    plan: &Plan,
    request: &RunRequest,
) -> BTreeMap<StepId, u64> {
    let todo = plan.todo();
    if todo.len() <= request.budget.jobs {
        return BTreeMap::new();
    }
    workspace.expected(instance, &todo)
}

/// Does `work`, and tells meanwhile what programs write into their logs.
fn followed<T>(
    follower: Option<&Follower>,
    tell: &(dyn Fn(EventKind) + Sync),
    work: impl FnOnce() -> T,
) -> T {
    let Some(follower) = follower else { return work() };
    let (done, waits) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // Until the other end is dropped.
            while waits.recv_timeout(follow::OFTEN) == Err(RecvTimeoutError::Timeout) {
                follower.look(tell);
            }
        });
        let worked = work();
        drop(done);
        worked
    })
}

/// `plan`, where all content that it goes on from is whole; else what is damaged is put aside, and another plan builds
/// it again. Also gives warnings about what was damaged.
fn mend<'p>(
    workspace: &Workspace,
    instance: &Instance,
    plan: &'p Plan,
    check: bool,
) -> Result<(Cow<'p, Plan>, Vec<String>), EngineError> {
    let mut told = lost_to_damage(workspace, instance, plan)?;
    let mut plan = Cow::Borrowed(plan);
    loop {
        let used: Vec<Node> = plan.used(&instance.graph).into_iter().collect();
        let damaged: Vec<StoreError> = used
            .par_iter()
            .map(|node| workspace.store.mend(node))
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .collect();
        // What a collector of garbage took since the plan was laid is built again; from here on it takes nothing more.
        let is_here = used.iter().all(|node| workspace.store.holds(node));
        if damaged.is_empty() && is_here {
            return Ok((plan, told));
        }
        if instance.recalled {
            return Err(EngineError::Vanished);
        }
        told.extend(damaged.iter().map(StoreError::put_aside));
        plan = Cow::Owned(workspace.plan(instance, check)?);
    }
}

/// What is built again because it is damaged beyond what a plan reads: put aside, and told.
fn lost_to_damage(
    workspace: &Workspace,
    instance: &Instance,
    plan: &Plan,
) -> Result<Vec<String>, EngineError> {
    let mut told = Vec::new();
    for step in plan.todo() {
        let Some(trace) = workspace.store.trace(instance.graph.step(step).static_key)? else {
            continue;
        };
        for node in trace.outputs.values().flatten() {
            if !workspace.store.holds(node) {
                let damaged = workspace.store.mend(node)?;
                told.extend(damaged.iter().map(StoreError::put_aside));
            }
        }
    }
    Ok(told)
}

/// A run that has nothing to do leaves no log.
fn open_log(workspace: &Workspace, plan: &Plan, started: Duration) -> Result<Option<RunLog>, EngineError> {
    if plan.todo().is_empty() {
        return Ok(None);
    }
    let runs = workspace.runs();
    let log = RunLog::create(&runs, &run_id(started));
    log.map(Some)
        .map_err(|cause| EngineError::State { path: runs, cause })
}

/// `20260131-142500`: the time in UTC, so that ids sort as runs began.
fn run_id(started: Duration) -> String {
    let seconds = i64::try_from(started.as_secs()).unwrap_or_default();
    let at = time::OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    format!(
        "{year:04}{month:02}{day:02}-{:02}{:02}{:02}",
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// Where the builder programs are looked for first.
pub(super) fn libexec() -> Option<PathBuf> {
    std::env::var_os("MLP_LIBEXEC")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
}

pub(super) fn options(request: &RunRequest) -> Options {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Options {
        budget: request.budget.clone(),
        workers: u32::try_from(cores).unwrap_or(1),
        keep_going: request.keep_going,
        keep_failed: request.keep_failed,
        check: request.check,
        isolation: request.isolation,
    }
}

/// The plan as an event.
fn planned(graph: &Graph, plan: &Plan) -> EventKind {
    let (mut build, mut reuse, mut may) = (Vec::new(), Vec::new(), Vec::new());
    for planned in &plan.steps {
        let step = graph.step(planned.step);
        let told = PlannedStep {
            step: step.name().to_owned(),
            builder: builder(&step.derivation.builder),
            reason: planned.reason.clone(),
        };
        match planned.decision {
            Decision::Reuse(_) => reuse.push(told),
            Decision::Build | Decision::Unknown => build.push(told),
            Decision::May => may.push(told),
        }
    }
    EventKind::Planned {
        build,
        reuse,
        may,
        targets: targets(graph),
    }
}

/// The targets with the keys that they come from.
fn targets(graph: &Graph) -> Vec<PlannedTarget> {
    let target = |target: &Target| PlannedTarget {
        label: target.label.clone(),
        steps: steps_of(target)
            .into_iter()
            .map(|step| graph.step(step).static_key)
            .collect(),
    };
    graph.targets.iter().map(target).collect()
}

/// The step of a target; of a choice, what decides it and all candidates.
pub fn steps_of(target: &Target) -> Vec<StepId> {
    let reads = reads_of(&target.source, &Nothing);
    let all = reads.must.into_iter().chain(reads.may);
    all.map(|(step, _)| step).collect()
}

fn builder(builder: &Builder) -> String {
    match builder {
        Builder::Builtin { name, .. } => name.clone(),
        Builder::Command { argv, .. } => {
            argv.first()
                .and_then(|word| word.first())
                .map_or_else(String::new, |piece| match piece {
                    crate::model::derivation::Piece::Text(text) => text.to_string(),
                    _ => "command".to_owned(),
                })
        }
    }
}

/// Notes what was built under which name, and what was built in the run at hand and how long that took, for the reasons
/// and estimates of later plans.
fn remember(
    workspace: &Workspace,
    instance: &Instance,
    summary: &Summary,
    (run, took): (&str, &BTreeMap<String, u64>),
    voice: &Voice<'_>,
) {
    let mut last = workspace.last_built();
    let mut builds = None;
    for step in &instance.graph.steps {
        if let Some(took_ms) = took.get(step.name()) {
            let builds = builds.get_or_insert_with(|| workspace.builds());
            for name in &step.names {
                builds.note(name, step.static_key, last.get(name), run, *took_ms);
            }
        }
    }
    last.note(&instance.graph, |step| summary.outcomes.contains_key(&step));
    // Digests that were taken anew after builds, too. Both are local memories, whose loss costs time alone.
    let saved = [
        last.save(),
        builds.map_or(Ok(()), |mut builds| builds.save()),
        instance.sources.save(),
    ];
    for error in saved.into_iter().filter_map(Result::err) {
        voice.say(EventKind::Warning {
            text: error.to_string(),
        });
    }
}

fn status(summary: &Summary, cancel: &Cancel) -> RunStatus {
    if summary.failed > 0 && !cancel.is_cancelled() {
        RunStatus::Failed
    } else if summary.skipped > 0 || summary.failed > 0 {
        RunStatus::Cancelled
    } else {
        RunStatus::Succeeded
    }
}

/// The targets that are there: told, linked to, and read where they are JSON.
fn artifacts(
    workspace: &Workspace,
    graph: &Graph,
    summary: &Summary,
    smoke: bool,
    voice: &Voice<'_>,
) -> Vec<Built> {
    let results = Results { workspace, summary };
    let found: Vec<Found<'_>> = graph
        .targets
        .iter()
        .filter_map(|target| {
            let (step, output) = output_of(&target.source, &results)?;
            let node = results.output(step, output)??;
            let path = path(graph, step, output);
            let json = path.ends_with(".json")
                || result_link::is_json(target.kind, &graph.step(step).derivation.builder);
            Some(Found {
                target,
                node,
                path,
                json,
            })
        })
        .collect();
    for Found { target, node, .. } in &found {
        voice.say(EventKind::TargetReady {
            label: target.label.clone(),
            kind: target.kind.into(),
            node: *node,
        });
    }
    let places = match smoke {
        true => Vec::new(),
        false => places(workspace, &found, voice),
    };
    let built = found.iter().enumerate().map(|(index, found)| Built {
        label: found.target.label.clone(),
        place: places.get(index).cloned(),
        value: value(workspace, found),
    });
    built.collect()
}

/// A target that is there.
struct Found<'g> {
    target: &'g Target,
    node: Node,
    /// Where its builder wrote it.
    path: &'g str,
    /// Whether it is a JSON file.
    json: bool,
}

/// What a run came to.
pub(super) struct Results<'r> {
    pub(super) workspace: &'r Workspace,
    pub(super) summary: &'r Summary,
}

impl Known for Results<'_> {
    fn output(&self, step: StepId, output: &str) -> Option<Option<Node>> {
        self.summary.output(step, output)
    }

    fn json(&self, node: &Node) -> Result<serde_json::Value, String> {
        let read = self.workspace.store.read_json(node);
        read.map_err(|error| error.to_string())
    }
}

fn places(workspace: &Workspace, found: &[Found<'_>], voice: &Voice<'_>) -> Vec<String> {
    if found.is_empty() {
        return Vec::new();
    }
    let artifacts: Vec<Artifact> = found
        .iter()
        .map(|found| Artifact {
            label: found.target.label.clone(),
            path: result_link::file_name(found.target.kind, found.path, found.json),
            node: found.node,
        })
        .collect();
    result_link::link(&workspace.project, &workspace.store, &artifacts).unwrap_or_else(|error| {
        voice.say(EventKind::Warning {
            text: error.to_string(),
        });
        Vec::new()
    })
}

/// Where an output's builder writes it.
fn path<'g>(graph: &'g Graph, step: StepId, output: &str) -> &'g str {
    let outputs = &graph.step(step).derivation.outputs;
    outputs.get(output).map_or("", |output| output.path.as_str())
}

fn value(workspace: &Workspace, found: &Found<'_>) -> Option<serde_json::Value> {
    let read = || workspace.store.read_json(&found.node).ok();
    found.json.then(read).flatten()
}

/// Who is told.
type Listener<'a> = &'a mut (dyn FnMut(&Event) + Send);

/// Numbers events in time, logs them and tells them. Called from many threads.
struct Voice<'a> {
    started: Instant,
    inner: Mutex<(Option<RunLog>, Listener<'a>)>,
}

impl<'a> Voice<'a> {
    fn new(log: Option<RunLog>, listener: Listener<'a>) -> Self {
        Self {
            started: Instant::now(),
            inner: Mutex::new((log, listener)),
        }
    }

    /// Tells, and logs nothing.
    fn tell(&self, kind: EventKind) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let at_ms = self.at_ms();
        (inner.1)(&Event { at_ms, kind });
    }

    fn at_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn say(&self, kind: EventKind) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let at_ms = self.at_ms();
        let event = Event { at_ms, kind };
        let (log, listener) = &mut *inner;
        let failed = log.as_mut().and_then(|log| log.append(&event).err());
        listener(&event);
        if let Some(error) = failed {
            // Said once: the log ends here, the build goes on.
            *log = None;
            let text = format!("the run's log cannot be written any more: {error}");
            listener(&Event {
                at_ms,
                kind: EventKind::Warning { text },
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_ids_are_times() {
        assert_eq!(run_id(Duration::from_secs(1_769_869_500)), "20260131-142500");
    }
}
