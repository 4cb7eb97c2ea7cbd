//! The `.mlp` language, pure: no file system, process, environment, clock or thread. `World` hands in the bytes.
//!
//! ```text
//! text -> syntax (lossless tree, typed views) -> hir (names resolved) -> core (checked, elaborated) -> Value -> spec
//! ```
//! Each stage takes and gives plain data: [`hir`] stands between the parser and the checker, [`core`] between the
//! checker and the evaluator, [`spec`] between the language and the engine.

pub mod check;
pub mod codes;
pub mod core;
pub mod diagnostic;
pub mod doc;
pub mod eval;
pub mod format;
mod habits;
pub mod hir;
pub mod ide;
pub mod library;
pub mod lower;
pub mod session;
pub mod shapes;
pub mod source;
pub mod spec;
mod suggest;
pub mod summary;
pub mod syntax;
mod tensor;
pub mod types;
