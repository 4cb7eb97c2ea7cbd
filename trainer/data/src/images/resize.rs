//! `data.resize`: images of one height and width, decoded where they are still files.

use super::resample::{self, Side};
use super::{Image, decode};
use crate::channel::Channel;
use crate::dataset::{Dataset, Rest};
use crate::safetensors::{self, Dtype};
use crate::table::Table;
use crate::{files, program};
use mlp_protocol::call::Call;
use mlp_protocol::data::Schema;
use mlp_protocol::data_files::{ResizeArgs, Resizing};
use mlp_protocol::message::{Failure, Message, Outcome};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Images that a worker has under way before they are written.
const AHEAD: usize = 32;

/// Builds `data.resize`.
///
/// # Errors
/// When the examples are no images, or one cannot be decoded.
pub fn build(call: &Call, channel: &Channel) -> Outcome<()> {
    let args: ResizeArgs = program::arguments(call)?;
    let dataset = Dataset::read(Path::new(program::input(call, "dataset")?), "dataset")?;
    let images = Images::of(&dataset, &args)?;
    let Some(path) = call.outputs.get("dataset") else {
        return Ok(());
    };
    let shape = [
        images.channels as u64,
        u64::from(args.height),
        u64::from(args.width),
    ];
    let schema = Schema {
        x: BTreeMap::from([("x".to_owned(), shape.map(Some).to_vec())]),
        // A model agrees with the images that it was shown, and those are of this size.
        recipe: serde_json::json!({ "resize": args, "of": dataset.schema.recipe }),
        ..dataset.schema.clone()
    };
    let rest = Rest {
        schema: &schema,
        y: &dataset.y,
        meta: dataset.meta.as_deref(),
    };
    rest.write(Path::new(path), |file| {
        images.write(file, shape, call.workers.max(1) as usize, |done| {
            let message = Message::Progress {
                done,
                total: Some(schema.examples),
                unit: "images".to_owned(),
            };
            channel
                .send(&message)
                .map_err(|error| Failure::new("B0002", format!("mlp does not listen: {error}")))
        })
    })
}

/// The images of a dataset, on their way to one size.
struct Images<'a> {
    dataset: &'a Dataset,
    /// Where each begins, of those that are files.
    offsets: Option<Vec<u64>>,
    channels: usize,
    to: (usize, usize),
    mode: Resizing,
    /// Sizes come again and again.
    sides: Mutex<BTreeMap<(usize, usize), Arc<Side>>>,
}

impl<'a> Images<'a> {
    fn of(dataset: &'a Dataset, args: &ResizeArgs) -> Outcome<Images<'a>> {
        let wrong = || {
            Failure::new("B0116", "the examples are not images alone")
                .argument("dataset")
                .help("`data.resize` takes examples of one image each")
        };
        let sizes = dataset.schema.x.get("x").filter(|_| dataset.schema.x.len() == 1);
        let Some([Some(channels), _, _]) = sizes.map(Vec::as_slice) else {
            return Err(wrong());
        };
        if dataset.x["x"].dtype == Dtype::I64 {
            return Err(wrong());
        }
        Ok(Images {
            dataset,
            offsets: dataset.offsets("x"),
            channels: *channels as usize,
            to: (args.height as usize, args.width as usize),
            mode: args.mode,
            sides: Mutex::new(BTreeMap::new()),
        })
    }

    /// Writes `x.safetensors`, the images in their order; `workers` of them are made at a time.
    fn write(
        &self,
        file: &Path,
        shape: [u64; 3],
        workers: usize,
        progress: impl Fn(u64) -> Outcome<()>,
    ) -> Outcome<()> {
        let cannot = |error| files::cannot_write(file, &error);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(workers).build();
        let pool =
            pool.map_err(|error| Failure::new("B0002", format!("no threads could be started: {error}")))?;
        let dtype = self.dataset.x["x"].dtype;
        let examples = self.dataset.schema.examples;
        let shape: Vec<u64> = std::iter::once(examples).chain(shape).collect();
        let header = safetensors::header(std::iter::once(("x", dtype, shape.as_slice())));
        let mut out = File::create(file).map_err(cannot)?;
        out.write_all(&header).map_err(cannot)?;
        let rows: Vec<usize> = (0..examples as usize).collect();
        for rows in rows.chunks(AHEAD * workers) {
            let made: Vec<Outcome<Vec<u8>>> =
                pool.install(|| rows.par_iter().map(|row| self.resized(*row)).collect());
            // In the order of the examples: of several that are damaged the first is told.
            for image in made {
                out.write_all(&image?).map_err(cannot)?;
            }
            progress(rows.last().map_or(0, |row| *row as u64 + 1))?;
        }
        Ok(())
    }

    /// An example, channel by channel.
    fn resized(&self, row: usize) -> Outcome<Vec<u8>> {
        let x = &self.dataset.x["x"];
        if let Some(offsets) = &self.offsets {
            let file = &x.bytes[offsets[row] as usize..offsets[row + 1] as usize];
            let image =
                decode(file, self.channels).map_err(|why| why.of(&self.name_of(row)).argument("dataset"))?;
            return Ok(self.planes(&image));
        }
        let (height, width) = (x.shape[2] as usize, x.shape[3] as usize);
        let (rows, columns) = (self.side(height, self.to.0), self.side(width, self.to.1));
        let size = x.row_size();
        let bytes = &x.bytes[row * size..(row + 1) * size];
        let mut made = Vec::new();
        for plane in bytes.chunks_exact((size / self.channels).max(1)) {
            if x.dtype == Dtype::U8 {
                made.extend(resample::bytes::<1>(plane, width, &rows, &columns));
            } else {
                let (numbers, _) = plane.as_chunks::<4>();
                let numbers: Vec<f32> = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
                let numbers = resample::numbers(&numbers, width, &rows, &columns);
                made.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
            }
        }
        Ok(made)
    }

    fn planes(&self, image: &Image) -> Vec<u8> {
        let (rows, columns) = (
            self.side(image.height, self.to.0),
            self.side(image.width, self.to.1),
        );
        let resample = match image.channels {
            1 => resample::bytes::<1>,
            3 => resample::bytes::<3>,
            _ => resample::bytes::<4>,
        };
        let made = resample(&image.pixels, image.width, &rows, &columns);
        if image.channels == 1 {
            return made;
        }
        let mut planes = Vec::with_capacity(made.len());
        for channel in 0..image.channels {
            planes.extend(made.iter().skip(channel).step_by(image.channels));
        }
        planes
    }

    fn side(&self, from: usize, to: usize) -> Arc<Side> {
        let make = || Side::new(from, to, self.mode);
        // A lock is poisoned only where a worker panicked, which ends the step.
        match self.sides.lock() {
            Ok(mut sides) => Arc::clone(sides.entry((from, to)).or_insert_with(make)),
            Err(_) => make(),
        }
    }

    /// An example in a message: by its file, where it carries that along.
    fn name_of(&self, row: usize) -> String {
        let number = format!("the image of example {row}");
        match self.dataset.meta.as_deref().and_then(|meta| carried(meta, row)) {
            Some(file) => format!("`{file}` ({number})"),
            None => number,
        }
    }
}

/// What stands in the first column of a row of `meta.csv`, or in the one called `file`.
fn carried(meta: &str, row: usize) -> Option<String> {
    let mut table = Table::new(meta.as_bytes(), "dataset", Some("meta.csv")).ok()?;
    let mut cells = Vec::new();
    table.next_row(&mut cells).ok()?;
    let column = cells
        .iter()
        .position(|cell| table.text(cell) == "file")
        .unwrap_or(0);
    for _ in 0..=row {
        table.next_row(&mut cells).ok()?;
    }
    cells.get(column).map(|cell| table.text(cell).into_owned())
}

#[cfg(test)]
#[path = "resize_tests.rs"]
mod tests;
