//! The scheduler with a scripted executor: what is built, in what order, and what is registered. Steps are commands; the
//! output of each is a text of its label and of what its inputs hold.

mod chain;
mod choice;
mod faults;
mod order;
mod results;

use super::{Build, Options, Outcome, Programs, Summary, run};
use crate::executor::{Answer, Cancel, Scripted};
use crate::instantiate;
use crate::model::budget::Budget;
use crate::model::build::{BuildRequest, Ending, Isolation};
use crate::model::derivation::{Builder, Derivation, Output, Piece, Reference};
use crate::model::event::EventKind;
use crate::model::graph::{Graph, Step, StepId, Target};
use crate::model::node::Node;
use crate::plan::{Circumstances, plan};
use crate::store::{Sources, Store};
use mlp_lang::source::{SourceId, Span};
use mlp_lang::spec::{ArtifactKind, ByName, Datum, Fields, Origin, Resources};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use tempfile::TempDir;

/// A store and a project of their own.
struct Place {
    folder: TempDir,
    store: Store,
    sources: Sources,
    programs: Programs,
    cancel: Cancel,
    options: Options,
    expected: BTreeMap<StepId, u64>,
}

impl Place {
    fn new() -> Self {
        Self::below(&std::env::temp_dir())
    }

    /// In a folder of its own below `folder`.
    fn below(folder: &std::path::Path) -> Self {
        let folder = tempfile::tempdir_in(folder).unwrap();
        let project = folder.path().join("project");
        std::fs::create_dir(&project).unwrap();
        // Any program will do: nobody starts it.
        let libexec = folder.path().join("libexec");
        std::fs::create_dir(&libexec).unwrap();
        let program = std::env::current_exe().unwrap();
        std::os::unix::fs::symlink(program, libexec.join("mlp-trainer")).unwrap();
        Self {
            store: Store::open(&folder.path().join("store")).unwrap(),
            sources: Sources::open(&project, None),
            programs: Programs::find(Some(&libexec)),
            cancel: Cancel::new().unwrap(),
            expected: BTreeMap::new(),
            options: Options {
                budget: Budget {
                    jobs: 2,
                    cpus: 2,
                    memory: None,
                    gpus: Vec::new(),
                },
                workers: 1,
                keep_going: false,
                keep_failed: false,
                check: false,
                isolation: Isolation::Sandboxed,
            },
            folder,
        }
    }

    fn project(&self, path: &str) -> PathBuf {
        self.folder.path().join("project").join(path)
    }

    /// Runs all steps of `graph`; each is a target.
    fn run(&self, graph: &Graph, executor: &Scripted) -> (Summary, Vec<EventKind>) {
        self.run_heard(graph, executor, &|_| ())
    }

    /// As [`Place::run`], with `hear` told each event as it happens.
    fn run_heard(
        &self,
        graph: &Graph,
        executor: &Scripted,
        hear: &(dyn Fn(&EventKind) + Sync),
    ) -> (Summary, Vec<EventKind>) {
        let circumstances = Circumstances {
            snapshot: &self.store,
            last: &|_| None,
            check: self.options.check,
        };
        let plan = plan(graph, &circumstances).unwrap();
        let events = Mutex::new(Vec::new());
        let summary = run(&Build {
            graph,
            plan: &plan,
            store: &self.store,
            sources: &self.sources,
            executor,
            expected: &self.expected,
            programs: &self.programs,
            state: std::path::Path::new("/nonexistent"),
            options: &self.options,
            run: "test",
            directory: &self.folder.path().join("run"),
            events: &|event| {
                hear(&event);
                events.lock().unwrap().push(event);
            },
            cancel: &self.cancel,
        });
        (summary, events.into_inner().unwrap())
    }

    /// As the next process finds it.
    fn opened_again(self) -> Self {
        let root = self.store.root().to_owned();
        self.opened_at(&root)
    }

    /// With the store at `root`.
    fn opened_at(self, root: &std::path::Path) -> Self {
        Self {
            store: Store::open(root).unwrap(),
            ..self
        }
    }

    /// Where the bytes lie in the store.
    fn object(&self, bytes: &[u8]) -> PathBuf {
        let node = Node::File {
            executable: false,
            size: bytes.len() as u64,
            digest: crate::base::digest::Digest::of_blob(bytes),
        };
        self.store.materialise(&node).unwrap()
    }

    /// What the output `out` of a step holds.
    fn text(&self, outcome: &Outcome) -> String {
        String::from_utf8(self.store.read(&outcome.outputs["out"].unwrap()).unwrap()).unwrap()
    }
}

/// An output `out`, a file.
fn out(kind: ArtifactKind) -> (String, Output) {
    let output = Output {
        kind,
        path: "out".into(),
        schema: Datum::Null,
        optional: false,
        observed: false,
    };
    ("out".to_owned(), output)
}

/// Adds a step that runs `command` on the outputs of `inputs`.
fn add(graph: &mut Graph, name: &str, command: &str, inputs: &[u32]) -> StepId {
    let reference = |step: &u32| Reference::Output {
        step: StepId(*step),
        output: "out".into(),
    };
    let derivation = Derivation {
        builder: Builder::Command {
            argv: vec![vec![Piece::Text(command.into())]],
            stdin: None,
        },
        args: Datum::Map(Fields::new()),
        env: None,
        vars: ByName::new(),
        cwd: None,
        inputs: inputs
            .iter()
            .map(|step| (format!("inputs/{step:03}"), reference(step)))
            .collect(),
        outputs: [out(ArtifactKind::File)].into(),
        threads: 1,
        device_class: None,
    };
    add_derivation(graph, name, derivation)
}

fn add_derivation(graph: &mut Graph, name: &str, derivation: Derivation) -> StepId {
    let id = StepId(graph.steps.len() as u32);
    graph.steps.push(Step {
        derivation,
        static_key: crate::base::digest::Digest::of_blob(b""),
        names: vec![name.to_owned()],
        origin: Origin {
            span: Span {
                source: SourceId(0),
                start: 0,
                end: 0,
            },
            arguments: ByName::new(),
        },
        resources: Resources::default(),
        locators: BTreeMap::new(),
    });
    let target = Target {
        label: name.to_owned(),
        source: Reference::Output {
            step: id,
            output: "out".into(),
        },
        kind: ArtifactKind::File,
    };
    graph.targets.push(target);
    let bytes = instantiate::static_bytes(graph, id).unwrap();
    graph.steps[id.0 as usize].static_key =
        crate::base::digest::Digest::of(crate::base::digest::Context::StaticKey, &bytes);
    id
}

/// A build that writes its command and what its inputs hold.
fn echo(request: &BuildRequest) -> Answer {
    let mut text = request.argv.join(" ");
    for path in request.inputs.values() {
        text.push_str(&format!("({})", std::fs::read_to_string(path).unwrap()));
    }
    writes(&text)
}

fn writes(text: &str) -> Answer {
    Answer::writes([("out".to_owned(), text.as_bytes().to_vec())])
}

/// A build that says nothing and exits with 1.
fn fails() -> Answer {
    Answer::ends(Ending::Exited(1))
}

/// Flips a bit of the file at `path`.
fn flip(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    let mut bytes = std::fs::read(path).unwrap();
    bytes[0] ^= 1;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn warnings(events: &[EventKind]) -> Vec<&str> {
    let mut texts = Vec::new();
    for event in events {
        if let EventKind::Warning { text } = event {
            texts.push(text.as_str());
        }
    }
    texts
}
