//! Arguments of the builtins that make datasets out of datasets: choices among examples, and fixed maps of them.

use serde::{Deserialize, Serialize};

/// `data.folds`: input `dataset`, outputs `0.train`, `0.test`, `1.train`, …
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoldsArgs {
    /// How many folds.
    pub k: u32,
    /// The seed of the permutation.
    pub seed: i64,
    /// Keep the classes' proportions in each fold.
    #[serde(default)]
    pub stratify: bool,
    /// The column that is carried along, and whose equal cells keep examples together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

/// `data.take`: input and output `dataset`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakeArgs {
    /// How many examples.
    pub n: u64,
    /// The seed of the permutation whose first `n` examples are taken.
    pub seed: i64,
}

/// `data.balance`: input and output `dataset`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BalanceArgs {
    /// The most examples that a class keeps.
    pub per_class: u64,
    /// The seed of each class's permutation.
    pub seed: i64,
}

/// `data.top_classes`: input and output `dataset`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopClassesArgs {
    /// How many classes are kept.
    pub n: u32,
}

/// `data.concat`: inputs `dataset.0`, `dataset.1`, …, output `dataset`. It takes no arguments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConcatArgs {}

/// `data.log_mel`: input and output `dataset`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogMelArgs {
    /// Samples of a window.
    pub n_fft: u32,
    /// Samples from the middle of one window to that of the next.
    pub hop: u32,
    /// Bands of frequencies.
    pub n_mels: u32,
    /// Samples a second, where nothing else says it: of sounds that a script made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<u32>,
}
