//! What differs between two graphs of derivations, and which of it is the cause: [`compare`] goes through both side by
//! side, from the steps that are asked about to the sources; [`clause`] puts a difference into words. Pure; who asks says
//! where derivations are to be had.
//!
//! *Invariant*: only what keys hash is compared, so that an explanation cannot speak of what decided nothing, and is silent
//! only where keys are equal.

mod depends;
mod walk;
mod words;

pub use depends::{Sought, Use, Used, Ways, closure, ways};
pub use walk::{Comparison, Follow, Pair, Side, compare};
pub use words::{Naming, clause, is_inferred};
