//! The sandbox's contract, held against the real kernel: what a builder sees, what it cannot do, how it ends. Each test
//! runs a shell script as a builder. All of it is run again as an ordinary user by [`ordinary_user`].

#![expect(clippy::unwrap_used, reason = "what cannot be done here fails the test")]

mod bounds;
mod landlock;
mod mortality;
mod ordinary_user;
mod place;
mod protocol;
mod refused;
mod steps;
mod trace;

use mlp::executor::{Cancel, Executor, Local, environment};
use mlp::model::build::{BuildObserver, BuildOutcome, BuildRequest, Isolation, Limits};
use mlp_protocol::message::Message;
use mlp_sandbox::Helper;
use std::collections::BTreeMap;
use std::path::PathBuf;
use tempfile::TempDir;

/// A build to be run, and its directories.
struct Build {
    request: BuildRequest,
    directory: TempDir,
}

/// A shell script as a builder in namespaces.
fn script(text: &str) -> Build {
    let directory = tempfile::tempdir().unwrap();
    let scratch = directory.path().join("scratch");
    std::fs::create_dir(&scratch).unwrap();
    let request = BuildRequest {
        label: "test".into(),
        argv: vec!["/bin/sh".into(), "-c".into(), text.into()],
        vars: environment::fixed(1),
        cwd: String::new(),
        stdin: None,
        links: BTreeMap::new(),
        files: BTreeMap::new(),
        copies: BTreeMap::new(),
        inputs: BTreeMap::new(),
        closure: environment::host_tools(),
        outputs: BTreeMap::from([("out".to_owned(), "out".to_owned())]),
        states: None,
        log: directory.path().join("log"),
        scratch,
        limits: Limits::default(),
        gpus: Vec::new(),
        channel: mlp::model::build::Channel::Silent,
        isolation: Isolation::HostTools,
        resident: None,
    };
    Build { request, directory }
}

impl Build {
    fn run(&self) -> BuildOutcome {
        self.run_with(&mut Heard::default(), &Cancel::new().unwrap())
    }

    fn run_with(&self, observer: &mut dyn BuildObserver, cancel: &Cancel) -> BuildOutcome {
        Local::new(Helper::new(mlp_program())).build(&self.request, observer, cancel)
    }

    /// What it wrote to stdout and stderr.
    fn log(&self) -> String {
        std::fs::read_to_string(&self.request.log).unwrap()
    }

    /// What it wrote to its output `out`.
    fn out(&self, outcome: &BuildOutcome) -> String {
        let Some(path) = outcome.outputs.get("out") else {
            panic!("no output: {outcome:?}\n{}", self.log());
        };
        std::fs::read_to_string(path).unwrap()
    }

    /// Runs it and gives its log, whatever came of it.
    fn logged(&self) -> String {
        let outcome = self.run();
        let log = std::fs::read_to_string(&self.request.log).unwrap_or_default();
        format!("{log}{:?}", outcome.ending)
    }
}

/// Keeps what it hears.
#[derive(Default)]
struct Heard {
    messages: Vec<Message>,
    states: Vec<PathBuf>,
    refuse: bool,
}

impl BuildObserver for Heard {
    fn message(&mut self, message: &Message, state: Option<PathBuf>) -> Result<(), String> {
        self.messages.push(message.clone());
        self.states.extend(state);
        if self.refuse {
            Err("the store is full".into())
        } else {
            Ok(())
        }
    }
}

/// The `mlp` program, which is the helper too.
fn mlp_program() -> PathBuf {
    std::env::var_os(ordinary_user::PROGRAM).map_or_else(|| env!("CARGO_BIN_EXE_mlp").into(), PathBuf::from)
}
