//! `mlp.lock`: data that is too large for git, pinned by its digest. Read with places for messages, and written in the one
//! form that merges well: a table an entry, sorted. Talks to the language's sources and diagnostics.

mod read;
mod write;

pub use read::{Entry, read};
pub use write::text;

/// The file, beside the pipeline.
pub const FILE: &str = "mlp.lock";

/// The version of the form that is written and read.
const VERSION: i64 = 1;

/// `mlp.lock` is no TOML, or not what it should hold.
pub const INVALID: &str = "E0701";
/// A merge left its marks in it.
pub const UNMERGED: &str = "E0702";
/// It is of a version that is not known.
pub const OTHER_VERSION: &str = "E0703";
/// What is there is not what is pinned: a warning.
pub const DIFFERS: &str = "E0704";
/// What is pinned is neither in the project nor in the store.
pub const ABSENT: &str = "E0705";
/// What lies in a pinned directory is not known here.
pub const UNLISTED: &str = "E0706";
/// A path cannot be pinned.
pub const UNFIT: &str = "E0707";
