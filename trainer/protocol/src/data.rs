//! Arguments of the data builtins, and the disk format of a dataset.
//!
//! A dataset is a directory: `dataset.json` (a [`Schema`]), `x.safetensors`, `y.safetensors` and, where examples carry
//! more, `meta.csv`; `docs/steps.md` tells scripts how to write one. Row i of each tensor is example i.
//!
//! `x.safetensors` holds one tensor a named input (`x` where there is a single one): F32 numbers, U8 where a byte b stands
//! for b/255 (images), or I64 ids. Images of differing sizes stay PNG and JPEG files, one after the other in a U8 tensor of
//! shape [bytes], and `NAME.offsets`, I64 [n+1], says where each begins and the last ends.
//!
//! `y.safetensors` holds one tensor `y`: I64 [n] for classes; F32 [n, k] for numbers, and, of 0 and 1, for tags.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `data.csv`: input `file`, output `dataset`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CsvArgs {
    /// How `x` is read: one codec, or a record of them (named inputs).
    pub x: Features,
    /// How `y` is read.
    pub y: Codec,
    /// Columns carried along.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub meta: Vec<String>,
}

/// One codec, or several by input name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Features {
    /// A single input.
    One(Codec),
    /// Named inputs.
    Named(BTreeMap<String, Codec>),
}

/// One column name, or a list of names. A name may be a glob (`p*`), whose matches are taken in the order of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Columns {
    /// One name or glob.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// How cells become numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Codec {
    /// Pixel values, channel by channel, row by row, from 0 to `max` and divided by it. Gives float32
    /// [channels, height, width] in [0, 1].
    Pixels {
        /// The columns, `channels * height * width` of them.
        cols: Columns,
        /// Channels.
        channels: u32,
        /// Height.
        height: u32,
        /// Width.
        width: u32,
        /// The value of a full pixel, by which cells are divided: 255 for bytes.
        max: f64,
    },
    /// Numbers as they are. Gives float32 [columns].
    Vector {
        /// The columns.
        cols: Columns,
    },
    /// One number. Gives float32 [1].
    Numeric {
        /// The column.
        col: String,
        /// What stands for an empty cell; without it an empty cell is an error.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        missing: Option<f64>,
    },
    /// One of several values. Gives float32 [values]: 1 in its place and 0 else.
    Category {
        /// The column.
        col: String,
        /// The number of values (cells are 0 to n-1), or they themselves in order.
        values: Classes,
    },
    /// Sound files, one channel of them at one rate and of one length. Gives float32 [1, samples].
    Audio {
        /// The column that names them.
        col: String,
        /// The input that is the folder that they lie in.
        root: String,
        /// Samples a second.
        rate: u32,
        /// The length to which they are cut, or filled with silence.
        seconds: f64,
    },
    /// Image files. Gives the files as they are: [channels, ?, ?].
    Image {
        /// The column of paths.
        col: String,
        /// The input that is the folder of the paths.
        root: String,
        /// Channels of each image.
        channels: u32,
    },
    /// A class. Gives int64 [].
    Label {
        /// The column.
        col: String,
        /// The number of classes (cells are 0 to n-1), or their names in order.
        classes: Classes,
    },
    /// Any number of classes. Gives float32 [classes]: 1 in the place of each that the cell names and 0 else.
    Tags {
        /// The column.
        col: String,
        /// What stands between two of them.
        sep: String,
        /// The number of classes (tags are 0 to n-1), or their names in order.
        classes: Classes,
    },
    /// Regression targets. Gives float32 [columns].
    Target {
        /// The columns.
        cols: Columns,
    },
}

/// The classes of a label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Classes {
    /// Integers 0 to n-1.
    Count(u32),
    /// Names, in order.
    Names(Vec<String>),
}

/// `data.split`: input `dataset`, one output a share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitArgs {
    /// The share of each part; they sum to 1.
    pub shares: BTreeMap<String, f64>,
    /// The order in which the parts were written, which decides who takes the rounding.
    pub order: Vec<String>,
    /// The seed of the permutation.
    pub seed: i64,
    /// Keep the classes' proportions in each part.
    #[serde(default)]
    pub stratify: bool,
    /// The column that is carried along, and whose equal cells keep examples together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// `dataset.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// The version of the disk format: 1.
    pub format: u32,
    /// Examples.
    pub examples: u64,
    /// The shape of each named input, without the batch; `x` where there is a single one.
    pub x: BTreeMap<String, Sizes>,
    /// What `y` is.
    pub y: Target,
    /// How the examples were read from their source: kept by models, compared when they are evaluated. Null where a script
    /// made them.
    pub recipe: serde_json::Value,
}

/// The shape of an input; none is a size that only each example says.
pub type Sizes = Vec<Option<u64>>;

/// The tensor of `x.safetensors` that says where the rows of the input `name` begin.
pub fn offsets_of(name: &str) -> String {
    format!("{name}.offsets")
}

/// What a dataset's `y` is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Target {
    /// One class an example.
    Class {
        /// The number of classes.
        classes: u32,
        /// Their names, where they have any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        names: Option<Vec<String>>,
    },
    /// `size` real numbers an example.
    Real {
        /// How many.
        size: u32,
    },
    /// Any number of classes an example.
    Tags {
        /// The number of classes.
        classes: u32,
        /// Their names, where they have any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        names: Option<Vec<String>>,
    },
}
