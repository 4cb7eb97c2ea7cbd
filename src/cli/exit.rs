//! How `mlp` ends: its exit codes, written once, and refusals that have no place in a pipeline.

use crate::engine::{EngineError, StoreError};
use crate::report::style::Style;
use std::process::ExitCode;

/// The table that `mlp --help` and the README show.
pub(super) const CODES: &str = "\
Exit codes:
    0  done
    1  the pipeline, the command line or the machine has to be mended; nothing was built
    2  a step failed, or what it read could not be had; other results stand
    3  `--check` found a step that gives other bits when it is built again
   70  a bug of mlp
  130  stopped by Ctrl-C; what was finished is kept";

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// All well.
    Success,
    /// The user has something to mend.
    Mend,
    /// A step failed.
    Failed,
    /// A step is not reproducible.
    Differs,
    /// Ctrl-C.
    Cancelled,
    /// What another program ended with.
    Of(u8),
}

impl Exit {
    /// The status of the process.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Mend => 1,
            Self::Failed => 2,
            Self::Differs => 3,
            Self::Cancelled => 130,
            Self::Of(status) => status,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The status of a bug: `EX_SOFTWARE` of sysexits.h.
pub(super) const BUG: u8 = 70;

/// Why a command cannot be done, where no place in a source is to blame.
#[derive(Debug)]
pub(super) struct Refusal {
    message: String,
    hint: Option<String>,
}

impl Refusal {
    /// One sentence without a full stop.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
        }
    }

    /// What the engine refuses for the machine's sake.
    pub(super) fn of_engine(error: &EngineError) -> Self {
        Self {
            message: error.to_string(),
            hint: error.help(),
        }
    }

    /// What the store refuses.
    pub(super) fn of_store(error: &StoreError) -> Self {
        Self {
            message: error.to_string(),
            hint: error.help(),
        }
    }

    /// What to do.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// On stderr.
    pub(super) fn show(&self, style: Style) {
        eprintln!("{} {}", style.red("error:"), self.message);
        if let Some(hint) = &self.hint {
            eprintln!("{} {hint}", style.cyan("hint:"));
        }
    }
}
