//! What `mlp` and its builder programs (`mlp-data`, `mlp-trainer`) say to each other.
//!
//! `mlp` writes a [`call::Call`] as `call.json` into the build directory and starts the program there. The
//! program reads its inputs below `inputs/`, writes its outputs where the call says, and speaks
//! [`message::Message`]s, one JSON object a line, on the socket whose number is in `MLP_SOCKET`; `mlp` answers
//! with [`message::Reply`]s. All of it is plain data: this crate does no IO.
//!
//! The JSON of `args` is what the language evaluated, key by key, so the field names here are those of the
//! standard library's parameters. A field that may be absent is `Option` and left out when it is `None`:
//! a new option must not change what older pipelines hash.

pub mod augment;
pub mod builtin;
pub mod calc;
pub mod call;
pub mod chain;
pub mod choose;
pub mod data;
pub mod data_files;
pub mod data_ops;
pub mod failure;
pub mod graph;
pub mod message;
pub mod net;
pub mod optim;
pub mod plot;
pub mod predictions;
pub mod propose;
pub mod schedule;
pub mod state_dict;
pub mod train;
pub mod understood;
