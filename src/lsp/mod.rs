//! The language server, `mlp lsp`: the only place that knows the Language Server Protocol. Talks to `mlp_lang::ide`,
//! which answers, and to an editor, over standard input and output.
//!
//! ```text
//! messages -> server (queue, cancelling) -> requests -> session (buffers over the disk, analyses) -> mlp_lang::ide
//!                                                    -> checker (a thread): diagnostics of the whole project
//! ```
//! *Invariants*: a request is answered from the file that it is about and what that imports, never from the whole
//! project, but for references and renaming; an analysis stays until something that it read has changed; nothing waits
//! for diagnostics. Positions are in UTF-16, as the protocol has them unless told otherwise.

mod answers;
mod capabilities;
mod changes;
mod checker;
mod overlay;
mod position;
mod requests;
mod server;
mod session;
mod uri;

pub use server::{LspError, serve};
