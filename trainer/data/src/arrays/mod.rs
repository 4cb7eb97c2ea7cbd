//! `data.arrays`: arrays out of `.npy`, `.npz` and `.safetensors` files, whose first dimension is the examples. Codecs read
//! them as if each were a column, of as many cells a row as an example has numbers.

mod element;
mod npy;
mod open;

use crate::channel::Channel;
use crate::columns::Header;
use crate::dataset::Dataset;
use crate::program;
use crate::readers::Readers;
use crate::value::{Row, Value};
use element::{Element, Stored};
use mlp_protocol::call::Call;
use mlp_protocol::data::{Codec, Columns, CsvArgs, Features};
use mlp_protocol::data_files::ArraysArgs;
use mlp_protocol::message::{Failure, Outcome};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Builds `data.arrays`.
///
/// # Errors
/// When a file is damaged, or an array is not what its codec reads.
pub fn build(call: &Call, _channel: &Channel) -> Outcome<()> {
    let args: ArraysArgs = program::arguments(call)?;
    let mut arrays = Vec::new();
    for (input, path) in &call.inputs {
        if let Some(name) = input.strip_prefix("file.") {
            arrays.extend(open::arrays(Path::new(path), name)?);
        }
    }
    let args = CsvArgs {
        x: args.x,
        y: args.y,
        meta: Vec::new(),
    };
    let dataset = read(&arrays, &args, &call.inputs)?;
    match call.outputs.get("dataset") {
        Some(path) => dataset.write(Path::new(path)),
        None => Ok(()),
    }
}

fn read(arrays: &[Stored], args: &CsvArgs, folders: &BTreeMap<String, String>) -> Outcome<Dataset> {
    let header = Header {
        names: arrays.iter().map(|array| array.name.clone()).collect(),
        place: None,
        widths: arrays.iter().map(Stored::width).collect(),
        bytes: arrays.iter().map(|array| array.element == Element::U8).collect(),
    };
    check_layouts(args, arrays)?;
    let mut readers = Readers::new(args, &header, folders)?;
    let widths = arrays.iter().enumerate();
    let cells: Vec<(usize, usize)> = widths
        .flat_map(|(at, array)| (0..array.width()).map(move |cell| (at, cell)))
        .collect();
    let used: BTreeSet<usize> = readers.cells().map(|cell| cells[cell].0).collect();
    for row in 0..examples(arrays, &used)? {
        let row = ArrayRow {
            arrays,
            cells: &cells,
            row,
        };
        readers.take(&row, &header)?;
    }
    readers.finish(args)
}

/// How many examples there are: as many as rows of each array that is read.
fn examples(arrays: &[Stored], used: &BTreeSet<usize>) -> Outcome<usize> {
    let mut used = used.iter().map(|at| &arrays[*at]);
    let Some(first) = used.next() else {
        return Ok(0);
    };
    if let Some(other) = used.find(|array| array.rows() != first.rows()) {
        let message = format!(
            "`{}` has {} rows, but `{}` {}: each row is an example",
            other.name,
            other.rows(),
            first.name,
            first.rows()
        );
        return Err(Failure::new("B0124", message).argument("files"));
    }
    if first.rows() == 0 {
        return Err(Failure::new("B0107", format!("`{}` has no rows", first.name)).argument("files"));
    }
    Ok(first.rows())
}

/// Pixels whose dimensions are in another order come to the right number all the same, and to another picture.
fn check_layouts(args: &CsvArgs, arrays: &[Stored]) -> Outcome<()> {
    match &args.x {
        Features::One(codec) => check_layout(codec, arrays, "x"),
        Features::Named(codecs) => codecs
            .iter()
            .try_for_each(|(name, codec)| check_layout(codec, arrays, &format!("x.{name}"))),
    }
}

fn check_layout(codec: &Codec, arrays: &[Stored], argument: &str) -> Outcome<()> {
    let Codec::Pixels {
        cols: Columns::One(name),
        channels,
        height,
        width,
        ..
    } = codec
    else {
        return Ok(());
    };
    let Some(array) = arrays.iter().find(|array| array.name == *name) else {
        return Ok(());
    };
    let [channels, height, width] = [*channels, *height, *width].map(u64::from);
    let shape = &array.shape[1..];
    let fits = match *shape {
        [] | [_] => true,
        [own_height, own_width] => channels == 1 && [own_height, own_width] == [height, width],
        _ => *shape == [channels, height, width],
    };
    if fits {
        return Ok(());
    }
    let message = format!(
        "the examples of `{name}` have shape {shape:?}, where [{channels}, {height}, {width}] belongs"
    );
    let failure = Failure::new("B0124", message).argument(argument);
    Err(if *shape == [height, width, channels] {
        failure.help("channels come first: write the array anew after `x.transpose(0, 3, 1, 2)`")
    } else {
        failure.help("write its channels, height and width, or `data.vector`")
    })
}

/// An example: a row of each array.
struct ArrayRow<'a> {
    arrays: &'a [Stored],
    /// Array and place in a row of each cell.
    cells: &'a [(usize, usize)],
    row: usize,
}

impl Row for ArrayRow<'_> {
    fn value(&self, cell: usize) -> Value<'_> {
        let (array, at) = self.cells[cell];
        self.arrays[array].value(self.row, at)
    }

    fn blame(&self, mut failure: Box<Failure>, _cell: usize) -> Box<Failure> {
        failure.message = format!("{} at row {}", failure.message, self.row);
        failure
    }
}

#[cfg(test)]
mod tests;
