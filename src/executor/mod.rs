//! Executors: they do what a [`BuildRequest`] says and answer with facts, of failures too. Whether to build is never
//! theirs to decide. [`Local`] runs the builder in a sandbox of this machine; [`Scripted`] answers from a table, for
//! tests of the scheduler.

mod cancel;
mod directory;
mod dvclive;
pub mod environment;
mod events;
mod local;
mod protocol;
mod scripted;
mod supervise;

pub use cancel::Cancel;
pub use directory::BUILD_FOLDER;
pub use dvclive::figures;
pub use local::{Local, Manner};
pub use scripted::{Answer, Scripted};

use crate::model::build::{BuildObserver, BuildOutcome, BuildRequest};

/// Something that builds.
pub trait Executor: Send + Sync {
    /// Builds, and returns when every process of the build is dead. Called from many threads at once. A build that
    /// cannot even be started is an outcome too.
    fn build(
        &self,
        request: &BuildRequest,
        observer: &mut dyn BuildObserver,
        cancel: &Cancel,
    ) -> BuildOutcome;
}
