//! One build: what an executor is asked, and what it answers. An executor never decides whether to build, and a failed
//! build is a value with facts, not an error.

use mlp_protocol::message::{Failure, Message};
pub use mlp_sandbox::{Touch, Touched};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// A build, self-contained. Unlike a derivation it holds places of this machine; it enters no key.
#[derive(Clone, Debug)]
pub struct BuildRequest {
    /// What people call the step, for logs alone.
    pub label: String,
    /// The program and its arguments. The program MUST be visible inside (see `closure`): by an absolute path, by a path
    /// from the working directory, or by a name without `/` that is looked up in the `PATH` of `vars`.
    pub argv: Vec<String>,
    /// All environment variables of the process; nothing is inherited.
    pub vars: BTreeMap<String, String>,
    /// The working directory below the build directory; empty is the build directory itself.
    pub cwd: String,
    /// What the process reads from its standard input: an input's path below the build directory; none is nothing.
    pub stdin: Option<String>,
    /// Symbolic links that are made in the build directory before the start: relative path to where it leads, an absolute
    /// path of the closure.
    pub links: BTreeMap<String, PathBuf>,
    /// Files written into the build directory before the start, by relative path: `call.json`.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Files and folders that are copied into the build directory before the start, and that the builder may write: relative
    /// path to where each lies on this machine.
    pub copies: BTreeMap<String, PathBuf>,
    /// Inputs: relative mount path below the build directory to the place that is bound there, read-only.
    pub inputs: BTreeMap<String, PathBuf>,
    /// Absolute paths of the machine that are visible inside at the same place, read-only: the builder program, the
    /// libraries that it loads, an environment's closure.
    pub closure: Vec<PathBuf>,
    /// Outputs that are looked for after the end: name to relative path.
    pub outputs: BTreeMap<String, String>,
    /// An empty directory of this build, on the store's file system: the build directory is made inside.
    pub scratch: PathBuf,
    /// Where a training puts finished states, below the build directory (`ChainIo::new` of its call).
    pub states: Option<String>,
    /// Where stdout and stderr go, as they come.
    pub log: PathBuf,
    /// What it may use.
    pub limits: Limits,
    /// Numbers of the GPUs that it may use.
    pub gpus: Vec<u32>,
    /// What the builder says on the descriptor that it is given.
    pub channel: Channel,
    /// How it is isolated.
    pub isolation: Isolation,
    /// Where the program can stay loaded and fork its builds off itself (`mlp_sandbox::helper_main`): the environment that
    /// it is loaded with.
    pub resident: Option<Loaded>,
}

/// Environment variables that a program reads as it is loaded.
pub type Loaded = &'static [(&'static str, &'static str)];

impl BuildRequest {
    /// The input that the one at `place` lies in, and where on this machine it lies there.
    pub fn outer(&self, place: &str) -> Option<(&str, PathBuf)> {
        let mut inputs = self.inputs.iter();
        inputs.find_map(|(outer, from)| {
            let rest = place.strip_prefix(outer.as_str())?.strip_prefix('/')?;
            Some((outer.as_str(), from.join(rest)))
        })
    }
}

/// Bounds that are enforced. The step cannot see them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Processors that the whole process tree keeps busy, where the kernel can be told so.
    pub cpus: Option<u32>,
    /// Bytes of memory of the whole process tree.
    pub memory: Option<u64>,
    /// Wall time.
    pub time: Option<Duration>,
    /// Bytes that the build directory may hold.
    pub disk: Option<u64>,
    /// Files that the build directory may hold.
    pub files: Option<u64>,
}

/// What a builder says on the descriptor that it is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Channel {
    /// Nothing: it is given none.
    #[default]
    Silent,
    /// Messages of the protocol, on `MLP_SOCKET`: a builder program.
    Protocol,
    /// Progress and figures, on `MLP_EVENTS`: a command.
    Events,
}

/// How a build is isolated, strongest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// Not at all (`--sandbox=off`).
    Off,
    /// By Landlock: files of the machine and the network are out of reach, its processes and names are not
    /// (`--sandbox=landlock`).
    Landlock,
    /// In namespaces, with tools of the machine visible.
    HostTools,
    /// By mlp itself, with pip or Nix, outside of namespaces: an environment, made of content whose hashes are in its key.
    Pinned,
    /// In namespaces, with nothing visible but inputs and a pinned closure.
    Sandboxed,
}

/// What came of a build.
#[derive(Clone, Debug)]
pub struct BuildOutcome {
    /// How it ended.
    pub ending: Ending,
    /// Declared outputs that exist, by name: where they lie on this machine. Present also after a failure.
    pub outputs: BTreeMap<String, PathBuf>,
    /// Wall time.
    pub wall: Duration,
    /// Processor time of the whole process tree, where it is known.
    pub cpu: Option<Duration>,
    /// Peak memory of the whole process tree in bytes, where it is known.
    pub peak_memory: Option<u64>,
    /// How it was isolated.
    pub isolation: Isolation,
}

/// How a build ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// The program exited with 0 and told of no failure.
    Succeeded,
    /// The program told of a failure.
    Failed(Failure),
    /// The program exited with another status and told of nothing.
    Exited(i32),
    /// The program was ended by a signal that mlp did not send.
    Signalled(i32),
    /// It took longer than its limit.
    OutOfTime,
    /// It took more memory than its limit, or the kernel's killer ended it.
    OutOfMemory,
    /// It wrote more than its limit.
    OutOfDisk,
    /// The build was cancelled.
    Cancelled,
    /// It could not be started: why, and what to do.
    NotStarted {
        /// What failed.
        reason: String,
        /// What to do.
        help: Option<String>,
    },
}

/// Told by an executor while a build runs. The receiver's answer to a [`Message::State`] is sent back to the builder
/// only when it returns.
pub trait BuildObserver: Send {
    /// A message of the builder. For [`Message::State`] the whole state lies at `state`, out of the builder's reach; the
    /// receiver stores it before it returns, or fails the build by the words that it returns.
    fn message(&mut self, message: &Message, state: Option<PathBuf>) -> Result<(), String>;

    /// A file that a traced program touched, each told once.
    fn touched(&mut self, _: Touched) {}
}
