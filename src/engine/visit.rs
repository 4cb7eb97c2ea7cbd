//! A step that somebody enters: in its sandbox, with its inputs and its environment, for a shell or for a run that is
//! watched. What it reads is built first; what it writes is thrown away, and nothing is registered.

use super::build::{self, Results, RunReport, RunRequest};
use super::error::EngineError;
use super::propose::{Proposal, propose};
use super::workspace::{Instance, Workspace};
use super::{sight, tools};
use crate::executor::{Cancel, Local, Manner};
use crate::instantiate::references;
use crate::model::budget::Budget;
use crate::model::build::{BuildObserver, BuildRequest, Ending, Isolation, Touch, Touched};
use crate::model::derivation::Reference;
use crate::model::event::{Event, RunStatus, StepFailure};
use crate::model::graph::{StepId, Target};
use crate::scheduler::{self, Build, Programs, Visited};
use crate::store::Scratch;
use mlp_lang::spec::ArtifactKind;
use mlp_protocol::message::Message;
use mlp_sandbox::{Helper, Terminal};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

/// A step whose inputs are there.
#[derive(Debug)]
pub struct Visit {
    request: BuildRequest,
    sources: BTreeSet<String>,
    scratch: Scratch,
}

/// What came of getting a step ready.
#[derive(Debug)]
pub enum Ready {
    /// It can be entered.
    Here(Box<Visit>),
    /// Something that it reads could not be built.
    Unbuilt(Box<RunReport>),
    /// It could not even be started.
    Refused(Box<StepFailure>),
}

/// Builds what the step `id` reads, and makes its request. `listener` is told what is built. The graph's targets are
/// other ones after it.
pub fn ready(
    workspace: &Workspace,
    instance: &mut Instance,
    id: StepId,
    budget: Budget,
    listener: &mut (dyn FnMut(&Event) + Send),
    cancel: &Cancel,
) -> Result<Ready, EngineError> {
    instance.graph.targets = inputs(instance, id);
    let plan = workspace.plan(instance, false)?;
    let request = RunRequest {
        targets: vec![instance.graph.step(id).name().to_owned()],
        settings: BTreeMap::new(),
        budget,
        keep_going: false,
        keep_failed: false,
        check: false,
        isolation: Isolation::Sandboxed,
        link: false,
        logs: false,
        smoke: false,
    };
    let report = build::run(workspace, instance, &plan, &request, listener, cancel)?;
    if report.status != RunStatus::Succeeded {
        return Ok(Ready::Unbuilt(Box::new(report)));
    }
    let build = Build {
        graph: &instance.graph,
        plan: &plan,
        store: &workspace.store,
        expected: &BTreeMap::new(),
        sources: &instance.sources,
        executor: &Local::new(Helper::of_this_program()),
        programs: &Programs::find(build::libexec().as_deref()),
        options: &build::options(&request),
        state: &workspace.state,
        run: "",
        directory: &workspace.state,
        events: &|_| {},
        cancel,
    };
    let known = Results {
        workspace,
        summary: &report.summary,
    };
    let scratch = workspace.store.scratch()?;
    Ok(match scheduler::visit(&build, id, &known, scratch.path()) {
        Ok(Visited { request, sources }) => Ready::Here(Box::new(Visit {
            request,
            sources,
            scratch,
        })),
        Err(failure) => Ready::Refused(failure),
    })
}

/// What a try left in the folder `kept` besides what it was `given`, by path: folders whole where nothing in them was given.
fn left(kept: &Path, given: &BTreeSet<String>) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![String::new()];
    while let Some(folder) = waiting.pop() {
        let entries = std::fs::read_dir(kept.join(&folder)).into_iter().flatten();
        for entry in entries.flatten() {
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let path = if folder.is_empty() {
                name
            } else {
                format!("{folder}/{name}")
            };
            let holds = |given: &String| {
                given
                    .strip_prefix(&path)
                    .is_some_and(|rest| rest.starts_with('/'))
            };
            if given.contains(&path) {
                continue;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) && given.iter().any(holds) {
                waiting.push(path);
            } else {
                found.insert(path, entry.path());
            }
        }
    }
    found
}

/// What a step reads, as targets.
fn inputs(instance: &Instance, id: StepId) -> Vec<Target> {
    let step = instance.graph.step(id);
    let made =
        references(&step.derivation).filter(|reference| !matches!(reference, Reference::Source { .. }));
    let target = |reference: &Reference| Target {
        label: step.name().to_owned(),
        source: reference.clone(),
        kind: ArtifactKind::File,
    };
    made.map(target).collect()
}

/// What a watched run came to.
#[derive(Debug)]
pub struct Watched {
    /// How it ended.
    pub ending: Ending,
    /// What to declare, and what not.
    pub proposal: Proposal,
}

impl Visit {
    /// The step's program and its arguments.
    pub fn argv(&self) -> &[String] {
        &self.request.argv
    }

    /// Puts in the build folder what the last failed try of the step left that was kept. False where none was.
    pub fn go_on_from_failed(&mut self, workspace: &Workspace, instance: &Instance, id: StepId) -> bool {
        let Some(kept) = workspace.store.failed(instance.graph.step(id).static_key) else {
            return false;
        };
        let request = &mut self.request;
        let given = request.inputs.keys().chain(request.links.keys());
        let given = given.chain(request.files.keys()).cloned().collect();
        request.copies = left(&kept, &given);
        true
    }

    /// The folder of this machine that is `/build` inside.
    pub fn folder(&self) -> PathBuf {
        self.scratch.path().join(crate::executor::BUILD_FOLDER)
    }

    /// Runs `command`, or a shell where there is none, in the step's sandbox: at a terminal of its own where mlp is at
    /// one, else with mlp's streams. Where the step sees no programs but its own, a shell and its like are added.
    pub fn shell(mut self, command: &[String], cancel: &Cancel) -> io::Result<Ending> {
        self.add_tools();
        let at_terminal = at_terminal();
        let path = self.request.vars.get("PATH").map_or("", String::as_str);
        self.request.argv = match command {
            [] => vec![
                tools::shell(path, &self.request.closure)
                    .ok_or_else(|| io::Error::other("there is no shell in sight: neither `bash` nor `sh`"))?,
            ],
            command => command.to_vec(),
        };
        self.request.stdin = None;
        let vars = &mut self.request.vars;
        vars.insert("PS1".to_owned(), format!("[mlp {}] $ ", self.request.label));
        if at_terminal && let Some(term) = std::env::var("TERM").ok().filter(|term| !term.is_empty()) {
            vars.insert("TERM".to_owned(), term);
        }
        let executor = Local::new(Helper::of_this_program());
        let enter = |streams: [BorrowedFd<'_>; 3], terminal| {
            let manner = Manner {
                streams,
                terminal,
                trace: false,
            };
            executor
                .enter(&self.request, &manner, &mut Watcher::default(), cancel)
                .ending
        };
        if at_terminal {
            let terminal = Terminal::like_users()?;
            return terminal.during(|inside| enter([inside; 3], true));
        }
        let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
        Ok(enter([stdin.as_fd(), stdout.as_fd(), stderr.as_fd()], false))
    }

    /// Whether a shell would see programs that the step does not.
    pub fn lacks_tools(&self) -> bool {
        let path = self.request.vars.get("PATH").map_or("", String::as_str);
        tools::shell(path, &self.request.closure).is_none()
    }

    fn add_tools(&mut self) {
        if !self.lacks_tools() {
            return;
        }
        let (closure, folders) = tools::closure();
        self.request.closure.extend(closure);
        let path = self.request.vars.entry("PATH".to_owned()).or_default();
        for folder in folders {
            if !path.split(':').any(|known| known == *folder) {
                path.push_str(if path.is_empty() { "" } else { ":" });
                path.push_str(folder);
            }
        }
    }

    /// Runs the step once with the whole project in sight, and proposes inputs from what it read. What it writes on its
    /// standard output goes to mlp's stderr.
    pub fn trace(
        mut self,
        workspace: &Workspace,
        instance: &Instance,
        id: StepId,
        cancel: &Cancel,
    ) -> Result<Watched, EngineError> {
        let root = &workspace.project.root;
        let state = |cause| EngineError::State {
            path: root.clone(),
            cause,
        };
        let derivation = &instance.graph.step(id).derivation;
        self.request
            .inputs
            .retain(|mount, _| !self.sources.contains(mount));
        let outputs = derivation.outputs.values().map(|output| output.path.as_str());
        let others = self.request.inputs.keys().map(String::as_str);
        let cwd = format!("{}/.", self.request.cwd);
        let written: Vec<&str> = outputs.chain(others).chain([cwd.as_str()]).collect();
        let seen = sight::whole(root, &written).map_err(state)?;
        self.request.inputs.extend(seen);
        let input = self.request.stdin.take().map(|stdin| self.place_of(&stdin));
        let input = std::fs::File::open(input.as_deref().unwrap_or(Path::new("/dev/null"))).map_err(state)?;
        let stderr = io::stderr();
        let manner = Manner {
            streams: [input.as_fd(), stderr.as_fd(), stderr.as_fd()],
            terminal: false,
            trace: true,
        };
        let mut watcher = Watcher::default();
        let executor = Local::new(Helper::of_this_program());
        let outcome = executor.enter(&self.request, &manner, &mut watcher, cancel);
        let proposal = propose(
            &instance.graph,
            id,
            &self.sources,
            &watcher.below_build(),
            // Only for how inputs are grouped: a project with a file that is no content can be traced all the same.
            &instance.sources.files().unwrap_or_default(),
        );
        Ok(Watched {
            ending: outcome.ending,
            proposal,
        })
    }

    /// Where what is mounted at `mount` lies on this machine.
    fn place_of(&self, mount: &str) -> PathBuf {
        let place = self.request.inputs.get(mount).cloned();
        place
            .or_else(|| Some(self.request.outer(mount)?.1))
            .unwrap_or_else(|| PathBuf::from("/dev/null"))
    }
}

fn at_terminal() -> bool {
    use std::io::IsTerminal;
    let is = |stream: BorrowedFd<'_>| stream.is_terminal();
    is(io::stdin().as_fd()) && is(io::stdout().as_fd())
}

/// Hears which files are touched; what a program says of its progress is nobody's here.
#[derive(Default)]
struct Watcher(BTreeSet<Touched>);

impl BuildObserver for Watcher {
    fn message(&mut self, _: &Message, _: Option<PathBuf>) -> Result<(), String> {
        Ok(())
    }

    fn touched(&mut self, touched: Touched) {
        self.0.insert(touched);
    }
}

impl Watcher {
    /// What was touched of the project, by path from its root, with the most that was done to it.
    fn below_build(&self) -> BTreeMap<String, Touch> {
        let mut found: BTreeMap<String, Touch> = BTreeMap::new();
        for Touched { path, how } in &self.0 {
            if let Some(path) = path.strip_prefix("/build/") {
                let most = found.entry(path.to_owned()).or_insert(*how);
                *most = (*most).max(*how);
            }
        }
        found
    }
}
