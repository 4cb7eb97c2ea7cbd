//! The API that front ends use: a project, its pipeline, what it evaluates to, and the build of it. Talks to the
//! language and to every part of the engine; the command line and the language server talk to this alone.
//!
//! ```text
//! Project -> Pipeline (load, check, evaluate) -> Workspace (instantiate, plan) -> run -> RunReport
//! ```

mod build;
mod capacity;
mod check;
mod collect;
mod diff;
mod diverged;
pub mod doctor;
mod durations;
mod environments;
mod error;
mod follow;
mod found;
mod graph_cache;
mod ignored;
mod locks;
mod pins;
mod pipeline;
mod project;
mod propose;
mod result_link;
mod revision;
pub mod run_log;
mod sight;
mod smoke;
mod source_change;
mod tools;
mod usage;
mod visit;
mod watch;
mod why;
mod workspace;
mod world;

pub use crate::executor::Cancel;
pub use crate::explain::{Sought, Use, Used, Ways, ways};
pub use crate::instantiate::{Nothing, not_yet, reads_of};
pub use crate::model::budget::Budget;
pub use crate::plan::{Decision, Estimate, Plan, PlannedStep};
pub use crate::store::{
    Census, Change, Checked, Collected, Differences, Gone, Imported, Item, ItemKind, Remedy, Store,
    StoreError,
};
pub use build::{Built, RunReport, RunRequest, run, steps_of};
pub use capacity::{capacity, too_large};
pub use check::check;
pub use collect::{Bounds, collect};
pub use diff::{Compared, Diff, DiffSide, DiffTarget, Figure, Part};
pub use error::EngineError;
pub use found::Target;
pub use graph_cache::{Asked, recall, remember};
pub use locks::{Locked, Renewal};
pub use pins::{AddError, Added, Here, Standing};
pub use pipeline::{Pipeline, documentation, has_errors, load_file};
pub use project::{PIPELINE, Project, ProjectError};
pub use propose::{Proposal, Suggestion};
pub use revision::{Revision, RevisionError};
pub use smoke::smoke;
pub use source_change::{FileChange, SourceChange, TextChange};
pub use usage::{Tenant, projects};
pub use visit::{Ready, Visit, Watched, ready};
pub use watch::{Interest, Watch, interest};
pub use why::{Cause, Explanation, Followed, Stands, TargetStep};
pub use workspace::{Instance, Workspace, open_store};
pub use world::ProjectWorld;
