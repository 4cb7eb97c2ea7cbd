//! A dataset in libtorch's memory, whole: batches are gathered from it by index.

use crate::error::Outcome;
use crate::tensors;
use mlp_data::dataset::Dataset;
use mlp_protocol::data::Schema;
use mlp_protocol::message::Failure;
use std::path::Path;
use tch::Tensor;

/// The examples of a dataset.
pub(crate) struct Examples {
    /// What they are.
    pub(crate) schema: Schema,
    /// float32 [n, input shape…].
    x: Tensor,
    /// int64 [n] for classes, else float32 [n, size].
    y: Tensor,
}

impl Examples {
    /// Reads the dataset at `path`; `name` is what the pipeline calls it.
    ///
    /// # Errors
    /// When it is damaged, empty, or has several named inputs.
    pub(crate) fn read(path: &str, name: &str) -> Outcome<Examples> {
        let dataset = Dataset::read(Path::new(path), name)?;
        if dataset.schema.examples == 0 {
            return Err(Failure::new("B0117", format!("`{name}` has no examples"))
                .argument(name)
                .into());
        }
        let Some(x) = dataset.x.get("x").filter(|_| dataset.x.len() == 1) else {
            let names: Vec<&str> = dataset.x.keys().map(String::as_str).collect();
            let message = format!(
                "`{name}` has the named inputs {}, but the network takes one",
                names.join(", ")
            );
            return Err(Failure::new("B0202", message)
                .argument(name)
                .help("read `x` by one codec")
                .into());
        };
        Ok(Examples {
            x: tensors::from_array(x)?,
            y: tensors::from_array(&dataset.y)?,
            schema: dataset.schema,
        })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> i64 {
        self.schema.examples.cast_signed()
    }

    /// Other handles to the same memory, for another thread.
    pub(crate) fn handles(&self) -> Handles {
        Handles {
            x: self.x.shallow_clone(),
            y: self.y.shallow_clone(),
        }
    }
}

/// One thread's handles to the examples.
pub(crate) struct Handles {
    x: Tensor,
    y: Tensor,
}

impl Handles {
    /// The examples at `rows` (int64 [k]).
    ///
    /// # Errors
    /// When libtorch has no memory for them.
    pub(crate) fn gather(&self, rows: &Tensor) -> Outcome<(Tensor, Tensor)> {
        Ok((self.x.f_index_select(0, rows)?, self.y.f_index_select(0, rows)?))
    }

    /// The targets at `rows`.
    ///
    /// # Errors
    /// When libtorch has no memory for them.
    pub(crate) fn gather_y(&self, rows: &Tensor) -> Outcome<Tensor> {
        Ok(self.y.f_index_select(0, rows)?)
    }

    /// `length` examples from `start` on, without copying.
    ///
    /// # Errors
    /// When they lie outside.
    pub(crate) fn range(&self, start: i64, length: i64) -> Outcome<(Tensor, Tensor)> {
        Ok((
            self.x.f_narrow(0, start, length)?,
            self.y.f_narrow(0, start, length)?,
        ))
    }
}
