//! A dataset under libtorch's eyes: batches are gathered from its files, which the system reads as they are looked at.

use crate::error::Outcome;
use crate::tensors::View;
use mlp_data::dataset::Dataset;
use mlp_protocol::data::Schema;
use mlp_protocol::message::Failure;
use std::path::Path;
use tch::{Kind, Tensor};

/// The examples of a dataset.
pub(crate) struct Examples {
    /// What they are.
    pub(crate) schema: Schema,
    /// float32, or bytes that stand for fractions of 255: [n, input shape…].
    x: View,
    /// int64 [n] for classes, else float32 [n, size].
    y: View,
}

impl Examples {
    /// Reads the dataset at `path`; `name` is what the pipeline calls it.
    ///
    /// # Errors
    /// When it is damaged, empty, or has several named inputs.
    pub(crate) fn read(path: &str, name: &str) -> Outcome<Examples> {
        let mut dataset = Dataset::read(Path::new(path), name)?;
        if dataset.schema.examples == 0 {
            return Err(Failure::new("B0117", format!("`{name}` has no examples"))
                .argument(name)
                .into());
        }
        if dataset.offsets("x").is_some() {
            let message = format!("the images of `{name}` are of many sizes");
            return Err(Failure::new("B0202", message)
                .argument(name)
                .help("make them alike by `data.resize`")
                .into());
        }
        let Some(x) = dataset.x.remove("x").filter(|_| dataset.schema.x.len() == 1) else {
            let names: Vec<&str> = dataset.schema.x.keys().map(String::as_str).collect();
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
            x: View::of(x)?,
            y: View::of(dataset.y)?,
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
            x: self.x.handle(),
            y: self.y.handle(),
        }
    }
}

/// One thread's handles to the examples.
pub(crate) struct Handles {
    x: View,
    y: View,
}

impl Handles {
    /// The examples at `rows` (int64 [k]).
    ///
    /// # Errors
    /// When libtorch has no memory for them.
    pub(crate) fn gather(&self, rows: &Tensor) -> Outcome<(Tensor, Tensor)> {
        let x = numbers(self.x.tensor().f_index_select(0, rows)?)?;
        Ok((x, self.gather_y(rows)?))
    }

    /// The targets at `rows`.
    ///
    /// # Errors
    /// When libtorch has no memory for them.
    pub(crate) fn gather_y(&self, rows: &Tensor) -> Outcome<Tensor> {
        Ok(self.y.tensor().f_index_select(0, rows)?)
    }

    /// `length` examples from `start` on, without copying what are numbers already.
    ///
    /// # Errors
    /// When they lie outside.
    pub(crate) fn range(&self, start: i64, length: i64) -> Outcome<(Tensor, Tensor)> {
        Ok((
            numbers(self.x.tensor().f_narrow(0, start, length)?)?,
            self.y.tensor().f_narrow(0, start, length)?,
        ))
    }
}

/// Bytes as the numbers that they stand for; numbers as they are.
fn numbers(x: Tensor) -> Outcome<Tensor> {
    match x.f_kind()? {
        Kind::Uint8 => Ok(x.f_to_kind(Kind::Float)?.f_div_scalar_(255.0)?),
        _ => Ok(x),
    }
}
