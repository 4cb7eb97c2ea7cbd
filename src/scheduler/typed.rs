//! Datasets, models and predictions that a command wrote: held against what the pipeline declares of them, and completed, so
//! that the library's steps take them like their own. The formats are `mlp_data`'s.

use super::verify::Unfit;
use crate::model::datum;
use crate::model::derivation::{Derivation, Output};
use mlp_data::declared::{self, Wrong};
use mlp_lang::spec::ArtifactKind;
use mlp_protocol::data::Schema;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

impl From<Wrong> for Unfit {
    fn from(Wrong(reason, help): Wrong) -> Self {
        Self(reason, help)
    }
}

/// A build of a command, as far as its typed outputs need it.
pub(super) struct Written<'a> {
    pub(super) derivation: &'a Derivation,
    /// Where its inputs lie on this machine, by mount path.
    pub(super) inputs: &'a BTreeMap<String, PathBuf>,
    /// Where it ran.
    pub(super) folder: &'a Path,
}

impl Written<'_> {
    /// Where the output `name`, which was written at `path`, lies when it is complete.
    pub(super) fn complete(&self, name: &str, output: &Output, path: &Path) -> Result<PathBuf, Unfit> {
        let schema = || datum::to_json(&datum::without_nulls(&output.schema));
        match output.kind {
            ArtifactKind::Dataset => {
                is(path.is_dir(), "a folder")?;
                declared::dataset(path, &declared::declaration(schema())?)?;
            }
            ArtifactKind::Predictions => {
                is(path.is_file(), "a file of tensors, `.safetensors`,")?;
                let into = self.made(name);
                declared::predictions(path, &into, &declared::declaration(schema())?)?;
                return Ok(into);
            }
            ArtifactKind::Model => {
                is(path.is_file(), "a file of weights, `.safetensors`,")?;
                let mut schema = schema();
                let data = schema.as_object_mut().and_then(|schema| schema.remove("data"));
                let trained_on = data.as_ref().and_then(Value::as_str);
                let trained_on = trained_on.map(|data| self.described(data)).transpose()?;
                let into = self.made(name);
                declared::model(path, &into, &declared::declaration(schema)?, trained_on.as_ref())?;
                return Ok(into);
            }
            _ => {}
        }
        Ok(path.to_owned())
    }

    /// Where an output is made of what was written.
    fn made(&self, name: &str) -> PathBuf {
        self.folder.with_file_name("made").join(name)
    }

    /// What describes the dataset that is the input `name`.
    fn described(&self, name: &str) -> Result<Schema, Unfit> {
        let mount = format!("inputs/{name}");
        let place = self
            .inputs
            .get(&mount)
            .filter(|_| self.derivation.inputs.contains_key(&mount));
        let read = || -> Result<Schema, String> {
            let place = place.ok_or("it is no input")?;
            let text = fs::read(place.join("dataset.json")).map_err(|error| error.to_string())?;
            serde_json::from_slice(&text).map_err(|error| error.to_string())
        };
        read().map_err(|error| format!("is of the dataset `{name}`, which cannot be read: {error}").into())
    }
}

fn is(it_is: bool, what: &str) -> Result<(), Unfit> {
    match it_is {
        true => Ok(()),
        false => Err(format!("is not {what} as it should be").into()),
    }
}
