//! Plain data that the engine's parts hand to each other. No behaviour beyond what the data itself implies; talks to
//! base, and to the language's specs for their data.

pub mod budget;
pub mod build;
pub mod datum;
pub mod derivation;
pub mod environment;
pub mod event;
pub mod graph;
pub mod node;
pub mod pin;
pub mod record;
pub mod snapshot;
pub mod source;
