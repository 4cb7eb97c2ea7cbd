//! `data.cifar`: CIFAR's binary files. Each image is one byte of its class (of 100 classes, two: the coarse one and the
//! fine one), and 3 x 32 x 32 bytes of pixels, channel by channel.

use crate::channel::Channel;
use crate::dataset::{Dataset, FORMAT};
use crate::safetensors::Array;
use crate::spool::Spool;
use crate::{gzip, idx, program};
use mlp_protocol::call::Call;
use mlp_protocol::data::{Classes, Schema, Target};
use mlp_protocol::data_files::CifarArgs;
use mlp_protocol::message::{Failure, Outcome};
use std::collections::BTreeMap;
use std::path::Path;

/// Bytes of an image.
const PIXELS: usize = 3 * 32 * 32;

/// Builds `data.cifar`.
///
/// # Errors
/// When the files are damaged, or have other classes.
pub fn build(call: &Call, _channel: &Channel) -> Outcome<()> {
    let args: CifarArgs = program::arguments(call)?;
    let count = call
        .inputs
        .keys()
        .filter(|name| name.starts_with("file."))
        .count();
    let mut images = CifarFiles::new(args.classes);
    for index in 0..count {
        let name = format!("the file at `files[{index}]`");
        let path = program::input(call, &format!("file.{index}"))?;
        images.take(&gzip::map(Path::new(path), &name, "B0123")?, &name)?;
    }
    let dataset = images.finish()?;
    match call.outputs.get("dataset") {
        Some(path) => dataset.write(Path::new(path)),
        None => Ok(()),
    }
}

/// Images and labels, file after file.
struct CifarFiles {
    classes: u32,
    pixels: Spool,
    labels: Vec<i64>,
}

impl CifarFiles {
    fn new(classes: u32) -> CifarFiles {
        CifarFiles {
            classes,
            pixels: Spool::default(),
            labels: Vec::new(),
        }
    }

    fn take(&mut self, file: &[u8], name: &str) -> Outcome<()> {
        let marks = if self.classes == 100 { 2 } else { 1 };
        let record = marks + PIXELS;
        if file.is_empty() || !file.len().is_multiple_of(record) {
            let message = format!(
                "{name} has {} bytes, which is no whole number of images of {record}",
                file.len()
            );
            let other = if marks == 1 { 100 } else { 10 };
            let fits = !file.is_empty() && file.len().is_multiple_of(PIXELS + 3 - marks);
            return Err(Failure::new("B0123", message).argument("files").help(if fits {
                format!("it is whole as a file of CIFAR-{other}: write `classes = {other}`")
            } else {
                "take CIFAR's binary version (`data_batch_1.bin`, `train.bin`), or get the file anew"
                    .to_owned()
            }));
        }
        let labels: Vec<u8> = file.chunks_exact(record).map(|image| image[marks - 1]).collect();
        let classes = idx::classes(&labels, &Classes::Count(self.classes), name)?;
        self.labels.extend(classes.to_i64());
        file.chunks_exact(record)
            .try_for_each(|image| self.pixels.put(&image[marks..]))
    }

    fn finish(self) -> Outcome<Dataset> {
        let examples = self.labels.len() as u64;
        let shape = [3, 32, 32];
        let x = Array::from_u8(
            std::iter::once(examples).chain(shape).collect(),
            self.pixels.finish()?,
        );
        Ok(Dataset {
            schema: Schema {
                format: FORMAT,
                examples,
                x: BTreeMap::from([("x".to_owned(), shape.map(Some).to_vec())]),
                y: Target::Class {
                    classes: self.classes,
                    names: None,
                },
                recipe: serde_json::json!({
                    "x": { "kind": "image", "channels": 3 }, "y": { "kind": "label", "classes": self.classes },
                }),
            },
            x: BTreeMap::from([("x".to_owned(), x)]),
            y: Array::from_i64(vec![examples], &self.labels),
            meta: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(marks: &[u8], first: u8) -> Vec<u8> {
        let mut record = marks.to_vec();
        record.push(first);
        record.resize(marks.len() + PIXELS, 7);
        record
    }

    #[test]
    fn files_follow_each_other() {
        let mut images = CifarFiles::new(10);
        images
            .take(&[record(&[3], 1), record(&[9], 2)].concat(), "a")
            .unwrap();
        images.take(&record(&[0], 3), "b").unwrap();
        let dataset = images.finish().unwrap();
        assert_eq!(dataset.y.to_i64(), [3, 9, 0]);
        assert_eq!(dataset.x["x"].shape, [3, 3, 32, 32]);
        assert_eq!(dataset.x["x"].bytes[2 * PIXELS..][..2], [3, 7]);
    }

    #[test]
    fn of_a_hundred_the_fine_class_is_read() {
        let mut images = CifarFiles::new(100);
        images.take(&record(&[5, 99], 1), "a").unwrap();
        assert_eq!(images.finish().unwrap().y.to_i64(), [99]);
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        let file = record(&[3], 1);
        for cut in 0..file.len() {
            assert_eq!(
                CifarFiles::new(10).take(&file[..cut], "a").unwrap_err().code,
                "B0123"
            );
        }
        let help = CifarFiles::new(100).take(&file, "a").unwrap_err().help.unwrap();
        assert!(help.contains("classes = 10"), "{help}");
        assert_eq!(
            CifarFiles::new(10)
                .take(&record(&[10], 1), "a")
                .unwrap_err()
                .message,
            "a has the label 10 at example 0, outside the 10 classes (0 to 9)"
        );
    }
}
