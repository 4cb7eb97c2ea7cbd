//! Tests of selections, on every form that a dataset's inputs have.

use super::*;
use crate::dataset::FORMAT;
use mlp_protocol::data::Target;

/// Four examples of three classes: `x` as given, and a column along.
fn dataset(x: Vec<(&str, Array)>, sizes: &[(&str, Vec<Option<u64>>)]) -> Dataset {
    Dataset {
        schema: Schema {
            format: FORMAT,
            examples: 4,
            x: sizes
                .iter()
                .map(|(name, sizes)| (name.to_string(), sizes.clone()))
                .collect(),
            y: Target::Class {
                classes: 3,
                names: None,
            },
            recipe: serde_json::Value::Null,
        },
        x: x.into_iter()
            .map(|(name, array)| (name.to_string(), array))
            .collect(),
        y: Array::from_i64(vec![4], &[0, 1, 2, 0]),
        meta: Some("id\na\n\"b,b\"\nc\nd\n".to_string()),
    }
}

fn numbers() -> Dataset {
    let x = Array::from_f32(vec![4, 2], &[0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]);
    dataset(vec![("x", x)], &[("x", vec![Some(2)])])
}

fn bytes() -> Dataset {
    let x = Array::from_u8(vec![4, 2], vec![0, 1, 2, 3, 4, 5, 6, 255]);
    dataset(vec![("x", x)], &[("x", vec![Some(2)])])
}

fn ids() -> Dataset {
    let x = Array::from_i64(vec![4, 2], &[0, -1, 2, 3, 4, 5, 6, i64::MAX]);
    dataset(vec![("x", x)], &[("x", vec![Some(2)])])
}

fn encoded() -> Dataset {
    let images = Array::from_u8(vec![6], b"abcdef".to_vec());
    let offsets = Array::from_i64(vec![5], &[0, 3, 3, 4, 6]);
    let ages = Array::from_f32(vec![4, 1], &[1.0, 2.0, 3.0, 4.0]);
    dataset(
        vec![("image", images), ("image.offsets", offsets), ("age", ages)],
        &[("image", vec![Some(3), None, None]), ("age", vec![Some(1)])],
    )
}

/// Writes and reads.
fn made(selection: &Selection<'_>) -> Dataset {
    let dir = tempfile::tempdir().unwrap();
    selection.write(&dir.path().join("made")).unwrap();
    Dataset::read(&dir.path().join("made"), "made").unwrap()
}

#[test]
fn selected_rows_carry_everything_along_in_every_form() {
    for (whole, expected) in [
        (numbers(), Array::from_f32(vec![2, 2], &[3.0, 3.5, 1.0, 1.5])),
        (bytes(), Array::from_u8(vec![2, 2], vec![6, 255, 2, 3])),
        (ids(), Array::from_i64(vec![2, 2], &[6, i64::MAX, 2, 3])),
    ] {
        let made = made(&whole.select(&[3, 1]).unwrap());
        assert_eq!(made.x["x"], expected);
        assert_eq!(made.y.to_i64(), [0, 1]);
        assert_eq!(made.meta.as_deref(), Some("id\nd\n\"b,b\"\n"));
        assert_eq!(made.schema.examples, 2);
    }
    let made = made(&encoded().select(&[3, 1, 0]).unwrap());
    assert_eq!(*made.x["image"].bytes, *b"efabc");
    assert_eq!(made.offsets("image").unwrap(), [0, 2, 2, 5]);
    assert_eq!(made.x["age"].to_f32(), [4.0, 2.0, 1.0]);
}

#[test]
fn all_rows_selected_are_the_very_files() {
    for whole in [numbers(), bytes(), ids(), encoded()] {
        let dir = tempfile::tempdir().unwrap();
        whole.write(&dir.path().join("a")).unwrap();
        let read = Dataset::read(&dir.path().join("a"), "a").unwrap();
        assert_eq!(read, whole);
        read.select(&[0, 1, 2, 3])
            .unwrap()
            .write(&dir.path().join("b"))
            .unwrap();
        for file in ["dataset.json", "x.safetensors", "y.safetensors", "meta.csv"] {
            let content = |folder: &str| std::fs::read(dir.path().join(folder).join(file)).unwrap();
            assert_eq!(content("a"), content("b"), "{file}");
        }
    }
}

#[test]
fn rows_of_several_datasets_follow_each_other() {
    let (a, b) = (encoded(), encoded());
    let both = made(&Selection::of(vec![(&a, vec![0, 3]), (&b, vec![2])]).unwrap());
    assert_eq!(*both.x["image"].bytes, *b"abcefd");
    assert_eq!(both.offsets("image").unwrap(), [0, 3, 5, 6]);
    assert_eq!(both.meta.as_deref(), Some("id\na\nd\nc\n"));
    let (a, b) = (bytes(), numbers());
    let both = made(&Selection::of(vec![(&a, vec![3]), (&b, vec![1])]).unwrap());
    assert_eq!(both.x["x"].to_f32(), [6.0 / 255.0, 1.0, 1.0, 1.5]);
    let other = ids();
    let failure = Selection::of(vec![(&a, vec![3]), (&other, vec![1])])
        .err()
        .unwrap();
    assert_eq!(failure.code, "B0118");
}

#[test]
fn damaged_offsets_are_refused() {
    for offsets in [
        [0, 3, 2, 4, 6],
        [1, 3, 3, 4, 6],
        [0, 3, 3, 4, 5],
        [0, -1, 3, 4, 6],
    ] {
        let mut damaged = encoded();
        damaged
            .x
            .insert("image.offsets".to_string(), Array::from_i64(vec![5], &offsets));
        let dir = tempfile::tempdir().unwrap();
        damaged.write(dir.path()).unwrap();
        assert_eq!(
            Dataset::read(dir.path(), "damaged").unwrap_err().code,
            "B0117",
            "{offsets:?}"
        );
    }
}
