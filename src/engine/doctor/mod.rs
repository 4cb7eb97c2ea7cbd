//! What this machine can do: each thing that builds need is tried, not guessed from settings. For people who set a machine
//! up, and for those who ask why it does not work.

mod isolation;
mod programs;
mod storage;

use crate::store::Store;
use std::path::Path;

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// It is there.
    Good,
    /// It is not there, and some builds need it, or are better with it.
    Limited,
    /// It is not there, and nothing can be built as it should.
    Broken,
}

/// What came of one trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was tried: `namespaces`. Stable, for programs.
    pub name: &'static str,
    /// How well it is.
    pub health: Health,
    /// What is there, or what is not.
    pub says: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Finding {
    fn new(name: &'static str, health: Health, says: impl Into<String>) -> Self {
        Self {
            name,
            health,
            says: says.into(),
            help: None,
        }
    }

    fn good(name: &'static str, says: impl Into<String>) -> Self {
        Self::new(name, Health::Good, says)
    }

    fn limited(name: &'static str, says: impl Into<String>) -> Self {
        Self::new(name, Health::Limited, says)
    }

    fn broken(name: &'static str, says: impl Into<String>) -> Self {
        Self::new(name, Health::Broken, says)
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Tries everything, in the order in which it is best read.
pub fn examine() -> Vec<Finding> {
    // The slowest, programs that are asked who they are, meanwhile.
    std::thread::scope(|scope| {
        let tools = scope.spawn(programs::tools);
        let store = storage::open();
        let folder = store.as_ref().ok().and_then(|store| store.scratch().ok());
        let folder = folder
            .as_ref()
            .map_or(std::env::temp_dir(), |scratch| scratch.path().to_owned());
        let mut found = isolation::examine(&folder);
        found.extend(storage::examine(&store));
        found.extend(programs::builders());
        found.extend(programs::gpus());
        found.extend(tools.join().unwrap_or_default());
        found
    })
}

/// The store, or why there is none.
type Opened = Result<Store, Box<Finding>>;

/// A path for people.
fn shown(path: &Path) -> String {
    format!("`{}`", path.display())
}
