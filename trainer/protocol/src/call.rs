//! How a builder program is started.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The content of `call.json`.
///
/// Paths are relative to the build directory (the program's working directory).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The builtin's name, of [`crate::builtin::BUILTINS`].
    pub builtin: String,
    /// The evaluated arguments: [`crate::calc::CalcArgs`], [`crate::choose::ChooseArgs`], [`crate::data::CsvArgs`],
    /// [`crate::data::SplitArgs`], those of [`crate::data_ops`], [`crate::propose::ProposeArgs`], [`crate::train::TrainArgs`] [`crate::train::EvaluateArgs`] or those of
    /// [`crate::predictions`] and [`crate::plot`].
    pub args: serde_json::Value,
    /// Where each input lies, read-only: a file or a directory.
    pub inputs: BTreeMap<String, String>,
    /// Where each output must be written; the parents exist. A program must not write an output that is not here.
    pub outputs: BTreeMap<String, String>,
    /// Worker threads that may be used. MUST NOT change any output's bits.
    pub workers: u32,
    /// For a training: the chain of states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<ChainIo>,
}

/// The states of a training that exist already, and where new ones go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChainIo {
    /// States that exist, by epoch (1 is the state after the first epoch): directories, read-only.
    pub have: BTreeMap<u32, String>,
    /// The directory in which new states are made. A state is written under another name, renamed to
    /// `epoch-N` when whole, announced by [`crate::message::Message::State`], and never touched again.
    pub new: String,
}

/// The name of the file that holds the call.
pub const CALL_FILE: &str = "call.json";
/// The environment variable that holds the number of the socket's descriptor.
pub const SOCKET_VARIABLE: &str = "MLP_SOCKET";
