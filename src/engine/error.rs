//! Why the engine cannot go on before any step is tried.

use crate::store::StoreError;
use mlp_lang::diagnostic::Diagnostic;
use std::path::PathBuf;

/// What is wrong: with the pipeline, or with the machine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The pipeline names what is not there, or what cannot be built. Spans are of the pipeline's sources.
    #[error("the pipeline cannot be built as it is")]
    Pipeline(Vec<Diagnostic>),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Results that were there a moment ago are not.
    #[error("results went from the store while they were looked at")]
    Vanished,
    /// No place for the store is known.
    #[error("there is no place for the store: neither MLP_STORE nor HOME is set")]
    NoHome,
    /// What a project pins cannot be known.
    #[error("`{}` cannot be read: {reason}", path.display())]
    Lock {
        /// Its mlp.lock.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The project's folder of local state cannot be used.
    #[error("`{path}` cannot be used: {cause}")]
    State {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
}

impl EngineError {
    /// What to do, where there is more to say than the error does.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.help(),
            Self::NoHome => Some("set MLP_STORE to a folder on a disk with room for results".to_owned()),
            Self::Lock { .. } => Some(
                "the store may hold the only copy of what it pins, so nothing was removed: `mlp status` says what is wrong"
                    .to_owned(),
            ),
            Self::Vanished => Some("build again: what is missing is made anew".to_owned()),
            Self::Pipeline(_) | Self::State { .. } => None,
        }
    }
}
