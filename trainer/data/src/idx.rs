//! `data.idx`: images and labels in IDX files, as MNIST has them, by themselves or compressed by gzip.
//!
//! An IDX file begins with two zeros, the type of its elements (8: bytes) and the number of its dimensions, each of which
//! follows as a big-endian number of four bytes; then come the elements.

use crate::bytes::Bytes;
use crate::channel::Channel;
use crate::codec::class_target;
use crate::dataset::{Dataset, FORMAT};
use crate::safetensors::Array;
use crate::{gzip, program};
use mlp_protocol::call::Call;
use mlp_protocol::data::{Classes, Schema};
use mlp_protocol::data_files::IdxArgs;
use mlp_protocol::message::{Failure, Outcome};
use std::collections::BTreeMap;
use std::path::Path;

/// The type of elements that are bytes.
const BYTES: u8 = 8;

/// Builds `data.idx`.
///
/// # Errors
/// When the files are damaged, or not what is declared.
pub fn build(call: &Call, _channel: &Channel) -> Outcome<()> {
    let args: IdxArgs = program::arguments(call)?;
    let file = |name: &str| {
        gzip::map(
            Path::new(program::input(call, name)?),
            &format!("the file `{name}`"),
            "B0123",
        )
    };
    let dataset = read(&file("images")?, &file("labels")?, &args)?;
    match call.outputs.get("dataset") {
        Some(path) => dataset.write(Path::new(path)),
        None => Ok(()),
    }
}

fn read(images: &Bytes, labels: &Bytes, args: &IdxArgs) -> Outcome<Dataset> {
    let (images, [examples, height, width]) = elements::<3>(images, "images")?;
    let (labels, [count]) = elements::<1>(labels, "labels")?;
    if examples == 0 {
        return Err(Failure::new("B0107", "the file `images` holds no image").argument("images"));
    }
    if count != examples {
        let message = format!("there are {examples} images, but {count} labels");
        return Err(Failure::new("B0124", message)
            .argument("labels")
            .help("take both files of one part: of the training, or of the test"));
    }
    for (name, declared, size) in [("height", args.height, height), ("width", args.width, width)] {
        if declared.is_some_and(|declared| u64::from(declared) != size) {
            let message = format!("the images are {height} high and {width} wide");
            return Err(Failure::new("B0124", message)
                .argument(name)
                .help(format!("write `{name} = {size}`")));
        }
    }
    let labels = classes(&labels, &args.classes, "the file `labels`")?;
    Ok(Dataset {
        schema: Schema {
            format: FORMAT,
            examples,
            x: BTreeMap::from([("x".to_owned(), [1, height, width].map(Some).to_vec())]),
            y: class_target(&args.classes),
            recipe: serde_json::json!({
                "x": { "kind": "image", "channels": 1 }, "y": { "kind": "label", "classes": args.classes },
            }),
        },
        x: BTreeMap::from([(
            "x".to_owned(),
            Array::from_u8(vec![examples, 1, height, width], images),
        )]),
        y: labels,
        meta: None,
    })
}

/// Labels that are bytes, held against the classes that are declared.
pub(crate) fn classes(labels: &[u8], classes: &Classes, file: &str) -> Outcome<Array> {
    let count = match classes {
        Classes::Count(count) => *count as usize,
        Classes::Names(names) => names.len(),
    };
    if let Some(row) = labels.iter().position(|label| usize::from(*label) >= count) {
        let most = labels.iter().copied().max().unwrap_or(0);
        let message = format!(
            "{file} has the label {} at example {row}, outside the {count} classes (0 to {})",
            labels[row],
            count.saturating_sub(1)
        );
        return Err(Failure::new("B0106", message).argument("classes").help(format!(
            "labels go up to {most}: that would be {} classes",
            u32::from(most) + 1
        )));
    }
    let labels: Vec<i64> = labels.iter().map(|label| i64::from(*label)).collect();
    Ok(Array::from_i64(vec![labels.len() as u64], &labels))
}

/// The elements of a file of bytes of `N` dimensions, and these.
fn elements<const N: usize>(file: &Bytes, name: &str) -> Outcome<(Bytes, [u64; N])> {
    let wrong = |why: String| Failure::new("B0123", format!("the file `{name}` {why}")).argument(name);
    let &[0, 0, kind, dimensions, ref rest @ ..] = &file[..] else {
        return Err(wrong("is no IDX file: it does not begin with two zeros".to_owned())
            .help("files of MNIST's format are called `…-idx3-ubyte` and `…-idx1-ubyte`, with `.gz` where they are compressed"));
    };
    if kind != BYTES {
        return Err(wrong(format!(
            "has elements of the type {kind:#04x}, and bytes (0x08) are read"
        )));
    }
    if usize::from(dimensions) != N {
        let failure = wrong(format!("has {dimensions} dimensions, where {N} belong"));
        return Err(match (N, dimensions) {
            (3, 1) | (1, 3) => failure.help("`images` and `labels` seem to stand in each other's place"),
            _ => failure.help("images have 3 dimensions (examples, rows, columns), labels 1"),
        });
    }
    let cut = || wrong("is cut short".to_owned()).help("get the file anew");
    let mut shape = [0; N];
    for (size, bytes) in shape.iter_mut().zip(rest.as_chunks::<4>().0) {
        *size = u64::from(u32::from_be_bytes(*bytes));
    }
    let start = 4 + 4 * N;
    let count = shape.iter().try_fold(1_usize, |product, size| {
        product.checked_mul(usize::try_from(*size).ok()?)
    });
    let end = count.and_then(|count| count.checked_add(start)).ok_or_else(cut)?;
    if file.len() > end {
        return Err(wrong(format!("has {} bytes too many", file.len() - end)).help("get the file anew"));
    }
    let elements = file.slice(start..end).ok_or_else(cut)?;
    Ok((elements, shape))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idx(shape: &[u32], elements: &[u8]) -> Vec<u8> {
        let mut file = vec![0, 0, BYTES, shape.len() as u8];
        shape
            .iter()
            .for_each(|size| file.extend_from_slice(&size.to_be_bytes()));
        file.extend_from_slice(elements);
        file
    }

    fn args() -> IdxArgs {
        IdxArgs {
            classes: Classes::Count(3),
            height: Some(1),
            width: None,
        }
    }

    fn read(images: Vec<u8>, labels: Vec<u8>, args: &IdxArgs) -> Outcome<Dataset> {
        super::read(&images.into(), &labels.into(), args)
    }

    fn images() -> Vec<u8> {
        idx(&[2, 1, 3], &[0, 1, 2, 3, 4, 255])
    }

    fn labels() -> Vec<u8> {
        idx(&[2], &[2, 0])
    }

    #[test]
    fn images_are_bytes_and_labels_classes() {
        let dataset = read(images(), labels(), &args()).unwrap();
        assert_eq!(
            dataset.x["x"],
            Array::from_u8(vec![2, 1, 1, 3], vec![0, 1, 2, 3, 4, 255])
        );
        assert_eq!(dataset.y.to_i64(), [2, 0]);
        assert_eq!(dataset.schema.x["x"], [Some(1), Some(1), Some(3)]);
    }

    #[test]
    fn every_cut_is_refused_and_so_is_more() {
        for cut in 0..images().len() {
            let failure = read(images()[..cut].to_vec(), labels(), &args()).unwrap_err();
            assert_eq!(failure.code, "B0123", "{cut}");
        }
        for cut in 0..labels().len() {
            let failure = read(images(), labels()[..cut].to_vec(), &args()).unwrap_err();
            assert_eq!(failure.code, "B0123", "{cut}");
        }
        let more = [images(), vec![0]].concat();
        assert_eq!(
            read(more, labels(), &args()).unwrap_err().message,
            "the file `images` has 1 bytes too many"
        );
        let huge = idx(&[u32::MAX, u32::MAX, u32::MAX], &[]);
        assert_eq!(read(huge, labels(), &args()).unwrap_err().code, "B0123");
    }

    #[test]
    fn what_is_declared_is_held_against_the_files() {
        let said = |images, labels, args: &IdxArgs| {
            let failure = read(images, labels, args).unwrap_err();
            (
                failure.argument.unwrap_or_default(),
                failure.help.unwrap_or_default(),
            )
        };
        let swapped = said(labels(), images(), &args());
        assert_eq!(swapped.0, "images");
        assert!(swapped.1.contains("each other's place"));
        let high = IdxArgs {
            height: Some(28),
            ..args()
        };
        assert_eq!(
            said(images(), labels(), &high),
            ("height".to_owned(), "write `height = 1`".to_owned())
        );
        let two = IdxArgs {
            classes: Classes::Count(2),
            ..args()
        };
        assert_eq!(
            said(images(), labels(), &two),
            (
                "classes".to_owned(),
                "labels go up to 2: that would be 3 classes".to_owned()
            )
        );
        assert_eq!(said(images(), idx(&[3], &[0, 1, 2]), &args()).0, "labels");
    }
}
