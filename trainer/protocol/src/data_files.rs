//! Arguments of the builtins that read examples from files of images and arrays.

use crate::data::{Classes, Codec, Features};
use serde::{Deserialize, Serialize};

/// `data.arrays`: inputs `file.NAME`, output `dataset`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArraysArgs {
    /// How `x` is read.
    pub x: Features,
    /// How `y` is read.
    pub y: Codec,
}

/// `data.image_folder`: input `dir`, output `dataset`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageFolderArgs {
    /// How many class folders there are, or their names.
    pub classes: Classes,
    /// Channels of each image.
    pub channels: u32,
}

/// `data.idx`: inputs `images` and `labels`, output `dataset`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdxArgs {
    /// The classes of the labels.
    pub classes: Classes,
    /// The height that is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// The width that is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
}

/// `data.cifar`: inputs `file.0`, `file.1`, …, output `dataset`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CifarArgs {
    /// 10, or the 100 fine ones.
    pub classes: u32,
}

/// `data.resize`: input and output `dataset`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResizeArgs {
    /// Height of each image.
    pub height: u32,
    /// Width of each image.
    pub width: u32,
    /// How pixels between pixels are found.
    pub mode: Resizing,
}

/// How pixels between pixels are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resizing {
    /// The nearest.
    Nearest,
    /// Triangles as wide as a pixel of the result, at least of the source.
    Bilinear,
    /// Cubic curves of twice that width.
    Bicubic,
}
