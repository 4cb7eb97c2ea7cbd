//! The disk format of predictions, which [`mlp_protocol::predictions`] describes.

use crate::dataset::check_labels;
use crate::files;
use crate::safetensors::{self, Array, Dtype};
use mlp_protocol::data::Target;
use mlp_protocol::message::{Failure, Outcome};
use mlp_protocol::predictions::PredictionsFile;
use std::collections::BTreeMap;
use std::path::Path;

/// The version of the disk format.
pub const FORMAT: u32 = 1;

/// What describes predictions.
pub(crate) const DESCRIPTION: &str = "predictions.json";
/// Their tensors.
pub(crate) const TENSORS: &str = "predictions.safetensors";

/// What a model said of the examples of a dataset. Row i of each array is example i.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    /// What they hold.
    pub file: PredictionsFile,
    /// The network's outputs, float32.
    pub outputs: Array,
    /// The targets.
    pub y: Array,
    /// The columns carried along, as CSV with a header.
    pub meta: Option<Vec<u8>>,
}

impl Predictions {
    /// Writes them as the directory `path`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(self, path: &Path) -> Outcome<()> {
        files::create_dir(path)?;
        files::write(&path.join(DESCRIPTION), &files::json(&self.file))?;
        let tensors = [("outputs", self.outputs), ("y", self.y)];
        let tensors = tensors.map(|(name, array)| (name.to_owned(), array));
        safetensors::write(&path.join(TENSORS), &BTreeMap::from(tensors))?;
        match &self.meta {
            Some(meta) => files::write(&path.join("meta.csv"), meta),
            None => Ok(()),
        }
    }

    /// Reads those at `path`, an input called `name`, and checks that their files agree; without `meta.csv`, which nothing
    /// is computed with.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub fn read(path: &Path, name: &str) -> Outcome<Predictions> {
        if !path.is_dir() {
            return Err(damaged(name, "they are not a directory").help(
                "predictions that an older mlp kept are a single file: build the step that makes them once more, with `--check`",
            ));
        }
        let because = |error: Box<Failure>| damaged(name, &error.message);
        let text = files::read(&path.join(DESCRIPTION), DESCRIPTION).map_err(because)?;
        let file: PredictionsFile = serde_json::from_slice(&text)
            .map_err(|error| damaged(name, &format!("{DESCRIPTION}: {error}")))?;
        let mut tensors = safetensors::read(&path.join(TENSORS), TENSORS, "B0220").map_err(because)?;
        let mut take = |tensor: &str| {
            let missing = || damaged(name, &format!("{TENSORS} has no tensor `{tensor}`"));
            tensors.remove(tensor).ok_or_else(missing)
        };
        let found = Predictions {
            outputs: take("outputs")?,
            y: take("y")?,
            file,
            meta: None,
        };
        found.check().map_err(|why| damaged(name, &why))?;
        Ok(found)
    }

    fn check(&self) -> Result<(), String> {
        let PredictionsFile {
            format,
            examples,
            outputs,
            y,
            ..
        } = &self.file;
        if *format != FORMAT {
            return Err(format!(
                "their format is {format}, but this version reads {FORMAT}"
            ));
        }
        let is = |name: &str, array: &Array, dtype: Dtype, sizes: &[u64]| {
            let expected: Vec<u64> = std::iter::once(*examples).chain(sizes.iter().copied()).collect();
            match array.dtype == dtype && array.shape == expected {
                true => Ok(()),
                false => Err(format!(
                    "tensor `{name}` is {:?} {:?}, but {dtype:?} {expected:?} by {DESCRIPTION}",
                    array.dtype, array.shape
                )),
            }
        };
        is("outputs", &self.outputs, Dtype::F32, outputs)?;
        match y {
            Target::Class { .. } => is("y", &self.y, Dtype::I64, &[])?,
            Target::Tags { classes: size, .. } | Target::Real { size } => {
                is("y", &self.y, Dtype::F32, &[u64::from(*size)])?;
            }
        }
        check_labels(&self.y, y).map_err(|what| format!("`y` {what}"))
    }
}

fn damaged(name: &str, why: &str) -> Box<Failure> {
    Failure::new("B0220", format!("`{name}` are no whole predictions: {why}")).argument(name)
}
