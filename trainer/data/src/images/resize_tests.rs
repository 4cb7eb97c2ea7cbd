//! Tests of images made of one size.

use super::super::decode::tests::{PHOTO, png};
use super::*;
use crate::dataset::FORMAT;
use crate::safetensors::Array;
use ::png::{BitDepth, ColorType};
use mlp_protocol::data::{Sizes, Target};

fn dataset(x: Vec<(&str, Array)>, sizes: Sizes, examples: u64) -> Dataset {
    Dataset {
        schema: Schema {
            format: FORMAT,
            examples,
            x: BTreeMap::from([("x".to_owned(), sizes)]),
            y: Target::Real { size: 1 },
            recipe: serde_json::Value::Null,
        },
        x: x.into_iter()
            .map(|(name, array)| (name.to_owned(), array))
            .collect(),
        y: Array::from_f32(vec![examples, 1], &vec![0.0; examples as usize]),
        meta: Some("id,file\n1,a.png\n2,b.jpg\n".to_owned()),
    }
}

fn encoded(files: [&[u8]; 2]) -> Dataset {
    let ends = [0, files[0].len(), files.concat().len()].map(|end| end as i64);
    let x = vec![
        ("x", Array::from_u8(vec![ends[2] as u64], files.concat())),
        ("x.offsets", Array::from_i64(vec![3], &ends)),
    ];
    dataset(x, vec![Some(3), None, None], 2)
}

fn args(height: u32, width: u32) -> ResizeArgs {
    ResizeArgs {
        height,
        width,
        mode: Resizing::Bilinear,
    }
}

fn made(dataset: &Dataset, args: &ResizeArgs, workers: usize) -> Outcome<Array> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.safetensors");
    let images = Images::of(dataset, args)?;
    let shape = [
        images.channels as u64,
        u64::from(args.height),
        u64::from(args.width),
    ];
    images.write(&file, shape, workers, |_| Ok(()))?;
    Ok(safetensors::read(&file, "x", "B0117")?.remove("x").unwrap())
}

#[test]
fn files_of_any_size_become_planes_of_one() {
    let red_and_blue = png(2, ColorType::Rgb, BitDepth::Eight, &[255, 0, 0, 0, 0, 255]);
    let dataset = encoded([&red_and_blue, PHOTO]);
    let one = made(&dataset, &args(1, 2), 1).unwrap();
    assert_eq!((one.dtype, one.shape.as_slice()), (Dtype::U8, &[2, 3, 1, 2][..]));
    assert_eq!(one.bytes[..6], [255, 0, 0, 0, 0, 255]);
    assert_eq!(made(&dataset, &args(1, 2), 3).unwrap(), one);
}

#[test]
fn arrays_are_resized_plane_by_plane_in_their_own_type() {
    let bytes = Array::from_u8(vec![1, 2, 1, 2], vec![0, 100, 50, 51]);
    let sizes = vec![Some(2), Some(1), Some(2)];
    let dataset = |x| super::tests::dataset(vec![("x", x)], sizes.clone(), 1);
    let half = made(&dataset(bytes), &args(1, 1), 1).unwrap();
    assert_eq!(half, Array::from_u8(vec![1, 2, 1, 1], vec![50, 51]));
    let numbers = Array::from_f32(vec![1, 2, 1, 2], &[0.0, 1.0, -2.0, -4.0]);
    let half = made(&dataset(numbers), &args(1, 1), 1).unwrap();
    assert_eq!(half, Array::from_f32(vec![1, 2, 1, 1], &[0.5, -3.0]));
    let ids = Array::from_i64(vec![1, 2, 1, 2], &[0; 4]);
    assert_eq!(made(&dataset(ids), &args(1, 1), 1).unwrap_err().code, "B0116");
}

#[test]
fn the_first_damaged_image_is_told_by_its_file() {
    let dataset = encoded([&PHOTO[..100], b"no image"]);
    for workers in [1, 2] {
        let failure = made(&dataset, &args(8, 8), workers).unwrap_err();
        assert_eq!(failure.code, "B0120");
        assert!(
            failure
                .message
                .starts_with("`a.png` (the image of example 0) is damaged: "),
            "{}",
            failure.message
        );
    }
}
