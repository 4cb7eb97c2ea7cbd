//! `plot.images`: images of a dataset with their labels.

use super::svg::{Anchor, Svg};
use crate::dataset::Dataset;
use crate::examples::{self, Example, Picture};
use crate::program;
use mlp_protocol::call::Call;
use mlp_protocol::message::{Failure, Outcome};
use mlp_protocol::plot::ImagesArgs;
use std::path::Path;

/// The least side of a picture in the figure; small images are enlarged by whole numbers.
const SIDE: u64 = 96;
/// How many stand in a row.
const COLUMNS: usize = 8;

/// The figure that a call asks for.
///
/// # Errors
/// When the dataset cannot be read, or holds no images.
pub(super) fn figure(call: &Call) -> Outcome<String> {
    let args: ImagesArgs = program::arguments(call)?;
    let dataset = Dataset::read(Path::new(program::input(call, "dataset")?), "dataset")?;
    let rows = examples::rows(dataset.schema.examples as usize, args.n as usize, Some(args.seed));
    images(&examples::examples(&dataset, &rows)).ok_or_else(|| {
        Failure::new(
            "B0202",
            "the examples of `dataset` are no images that can be shown",
        )
        .argument("dataset")
    })
}

/// The examples' images, each with its label; none where they have none.
pub fn images(examples: &[Example]) -> Option<String> {
    let shown: Vec<(&Example, &Picture)> = examples
        .iter()
        .flat_map(|example| {
            let pictures = example
                .inputs
                .iter()
                .filter_map(|(_, input)| input.picture.as_ref());
            pictures.map(move |picture| (example, picture))
        })
        .collect();
    if shown.is_empty() {
        return None;
    }
    let sizes: Vec<(f64, f64)> = shown.iter().map(|(_, picture)| enlarged(picture.size)).collect();
    let most = |of: fn(&(f64, f64)) -> f64| sizes.iter().map(of).fold(SIDE as f64, f64::max);
    let (width, height) = (most(|size| size.0) + 12.0, most(|size| size.1) + 30.0);
    let columns = shown.len().min(COLUMNS);
    let lines = shown.len().div_ceil(columns);
    let mut svg = Svg::new(width * columns as f64 + 12.0, height * lines as f64 + 12.0);
    for (index, ((example, picture), size)) in shown.iter().zip(&sizes).enumerate() {
        let left = 12.0 + width * (index % columns) as f64;
        let top = 12.0 + height * (index / columns) as f64;
        svg.image((left, top), *size, picture.media, &picture.bytes);
        let room = (width / 7.0) as usize;
        let label: String = match example.label.chars().count() > room {
            true => example.label.chars().take(room - 1).chain(['…']).collect(),
            false => example.label.clone(),
        };
        svg.text((left, top + height - 16.0), Anchor::Start, &label);
    }
    Some(svg.finish())
}

/// How large an image is shown: small ones by a whole multiple, large ones at twice the side at most.
fn enlarged([width, height]: [u64; 2]) -> (f64, f64) {
    let side = width.max(height).max(1);
    let factor = match side {
        ..SIDE => (SIDE / side) as f64,
        _ => (2.0 * SIDE as f64 / side as f64).min(1.0),
    };
    (width as f64 * factor, height as f64 * factor)
}
