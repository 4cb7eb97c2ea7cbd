//! Tests of what scripts write.

use super::*;
use crate::predictions::Predictions;
use crate::safetensors::Array;
use serde_json::json;

fn examples() -> Examples {
    declaration(json!({ "x": [2, null], "y": { "kind": "class", "classes": 3 } })).unwrap()
}

fn write(folder: &Path, file: &str, tensors: &[(&str, Array)]) {
    let tensors = tensors
        .iter()
        .map(|(name, array)| ((*name).to_owned(), array.clone()))
        .collect();
    safetensors::write(&folder.join(file), &tensors).unwrap();
}

fn folder(x: Array, y: Array) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "x.safetensors", &[("x", x)]);
    write(folder.path(), "y.safetensors", &[("y", y)]);
    folder
}

fn x() -> Array {
    Array::from_f32(vec![2, 2, 1], &[1.0, 2.0, 3.0, 4.0])
}

fn said(folder: &tempfile::TempDir) -> String {
    dataset(folder.path(), &examples()).unwrap_err().0
}

#[test]
fn a_dataset_of_a_script_is_read_like_any_other() {
    let folder = folder(x(), Array::from_i64(vec![2], &[0, 2]));
    fs::write(folder.path().join("meta.csv"), "id\na\nb\n").unwrap();
    dataset(folder.path(), &examples()).unwrap();
    let read = Dataset::read(folder.path(), "data").unwrap();
    assert_eq!((read.schema.examples, read.classes()), (2, Some(vec![0, 2])));
    assert_eq!(read.schema.x["x"], [Some(2), Some(1)]);
    // What describes it is written anew, whatever a script copied there.
    dataset(folder.path(), &examples()).unwrap();
}

#[test]
fn what_is_wrong_with_a_dataset_is_said() {
    let y = || Array::from_i64(vec![2], &[0, 2]);
    assert_eq!(
        said(&folder(x(), Array::from_i64(vec![2], &[0, 3]))),
        "has the class 3, but 3 classes"
    );
    let floats = Array::from_f32(vec![2], &[0.0, 1.0]);
    assert_eq!(said(&folder(x(), floats)), "holds `y` as F32, where I64 belongs");
    let short = Array::from_f32(vec![1, 2, 1], &[1.0, 2.0]);
    assert_eq!(
        said(&folder(short, y())),
        "holds `x` of shape [1, 2, 1], where [2, 2, ?] belongs"
    );
    let other = folder(x(), y());
    fs::write(other.path().join("notes.txt"), "").unwrap();
    assert_eq!(said(&other), "holds `notes.txt`, which is no part of a dataset");
    let meta = folder(x(), y());
    fs::write(meta.path().join("meta.csv"), "id\na\n").unwrap();
    assert_eq!(said(&meta), "holds `meta.csv` with 1 rows, and 2 examples");
    let none = folder(x(), y());
    fs::remove_file(none.path().join("x.safetensors")).unwrap();
    assert_eq!(said(&none), "lacks `x.safetensors`");
    let cut = folder(x(), y());
    fs::write(cut.path().join("y.safetensors"), [9, 0, 0]).unwrap();
    assert!(said(&cut).contains("it is cut short"));
    let named = folder(x(), y());
    write(named.path(), "x.safetensors", &[("images", x())]);
    assert_eq!(said(&named), "lacks the tensor `x`");
}

#[test]
fn bytes_ids_encoded_images_and_tags_are_read_too() {
    let made = |schema: Value, x: &[(&str, Array)], y: Array| {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "x.safetensors", x);
        write(folder.path(), "y.safetensors", &[("y", y)]);
        dataset(folder.path(), &declaration(schema).unwrap()).map_err(|Wrong(reason, _)| reason)?;
        Ok::<_, String>(Dataset::read(folder.path(), "data").unwrap())
    };
    let class = json!({ "kind": "class", "classes": 3 });
    let image = json!({ "x": [1, 1, 2], "y": class });
    let labels = || Array::from_i64(vec![2], &[0, 2]);
    let bytes = Array::from_u8(vec![2, 1, 1, 2], vec![0, 1, 2, 255]);
    let read = made(image.clone(), &[("x", bytes.clone())], labels()).unwrap();
    assert_eq!(read.x["x"], bytes);
    let text = json!({ "x": [2], "y": class });
    let ids = Array::from_i64(vec![2, 2], &[1, 2, 3, 4]);
    assert_eq!(made(text, &[("x", ids.clone())], labels()).unwrap().x["x"], ids);
    let doubles = Array {
        dtype: safetensors::Dtype::F64,
        shape: vec![2, 1, 1, 2],
        bytes: vec![0; 32].into(),
    };
    assert_eq!(
        made(image.clone(), &[("x", doubles)], labels()).unwrap_err(),
        "holds `x` as F64, where F32, U8 or I64 belongs"
    );

    let files = || Array::from_u8(vec![3], b"abc".to_vec());
    let offsets = |ends: &[i64]| ("x.offsets", Array::from_i64(vec![ends.len() as u64], ends));
    let photos = json!({ "x": [3, null, null], "y": class });
    let read = made(photos.clone(), &[("x", files()), offsets(&[0, 1, 3])], labels()).unwrap();
    assert_eq!(read.schema.x["x"], [Some(3), None, None]);
    assert_eq!(read.offsets("x").unwrap(), [0, 1, 3]);
    assert_eq!(
        made(photos, &[("x", files()), offsets(&[0, 1, 2])], labels()).unwrap_err(),
        "has `x.offsets` that do not cut `x` into 2 rows"
    );
    assert_eq!(
        made(image, &[("x", files()), offsets(&[0, 1, 3])], labels()).unwrap_err(),
        "holds `x` as image files, where examples of one size belong"
    );

    let tags = json!({ "x": [1], "y": { "kind": "tags", "classes": 2 } });
    let x = || ("x", Array::from_f32(vec![2, 1], &[0.0, 0.0]));
    let read = made(
        tags.clone(),
        &[x()],
        Array::from_f32(vec![2, 2], &[0.0, 1.0, 1.0, 1.0]),
    )
    .unwrap();
    assert_eq!(
        read.schema.y,
        Target::Tags {
            classes: 2,
            names: None
        }
    );
    assert_eq!(
        made(tags, &[x()], Array::from_f32(vec![2, 2], &[0.0, 0.5, 1.0, 1.0])).unwrap_err(),
        "has the tag 0.5, which is neither 0 nor 1"
    );
}

fn declared() -> Declared {
    let root = json!({ "kind": "linear", "in_features": 2, "out_features": 3, "bias": true });
    let net = json!({ "input": [2], "output": [3], "root": root });
    declaration(json!({ "net": net, "y": { "kind": "class", "classes": 3 } })).unwrap()
}

fn modelled(tensors: &[(&str, Array)]) -> Checked<ModelFile> {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "m", tensors);
    let into = folder.path().join("made");
    model(&folder.path().join("m"), &into, &declared(), None)?;
    assert!(into.join("weights.safetensors").exists());
    Ok(serde_json::from_slice(&fs::read(into.join("model.json")).unwrap()).unwrap())
}

#[test]
fn weights_are_held_against_the_network() {
    let weight = || ("weight", Array::from_f32(vec![3, 2], &[0.0; 6]));
    let bias = || ("bias", Array::from_f32(vec![3], &[0.0; 3]));
    let file = modelled(&[weight(), bias()]).unwrap();
    assert_eq!(file.recipe, Value::Null);
    assert_eq!(
        file.y,
        Target::Class {
            classes: 3,
            names: None
        }
    );
    let said = |tensors: &[(&str, Array)]| modelled(tensors).unwrap_err().0;
    assert_eq!(said(&[weight()]), "lacks the tensor `bias`");
    let turned = ("weight", Array::from_f32(vec![2, 3], &[0.0; 6]));
    assert_eq!(
        said(&[turned, bias()]),
        "holds `weight` of shape [2, 3], where the network has [3, 2]"
    );
    let integers = ("bias", Array::from_i64(vec![3], &[0; 3]));
    assert_eq!(
        said(&[weight(), integers]),
        "holds `bias` as I64, where F32 belongs"
    );
    let more = ("extra", Array::from_f32(vec![1], &[0.0]));
    assert!(said(&[weight(), bias(), more]).starts_with("holds the tensor `extra`"));
}

#[test]
fn predictions_have_an_output_for_each_class() {
    let folder = tempfile::tempdir().unwrap();
    let y = ("y", Array::from_i64(vec![1], &[2]));
    write(
        folder.path(),
        "p",
        &[("outputs", Array::from_f32(vec![1, 3], &[0.0; 3])), y.clone()],
    );
    let (path, into) = (folder.path().join("p"), folder.path().join("made"));
    assert_eq!(predictions(&path, &into, &examples()), Ok(()));
    let made = Predictions::read(&into, "said").unwrap();
    assert_eq!(
        (made.file.examples, made.file.outputs, made.y.to_i64()),
        (1, vec![3], vec![2])
    );
    assert_eq!(
        made.file.y,
        Target::Class {
            classes: 3,
            names: None
        }
    );
    write(
        folder.path(),
        "p",
        &[("outputs", Array::from_f32(vec![1, 2], &[0.0; 2])), y],
    );
    assert_eq!(
        predictions(&path, &into, &examples()).unwrap_err().0,
        "holds `outputs` of shape [1, 2], where [1, 3] belongs"
    );
    write(
        folder.path(),
        "p",
        &[
            ("outputs", Array::from_f32(vec![1, 3], &[0.0; 3])),
            ("y", Array::from_i64(vec![1], &[3])),
        ],
    );
    assert_eq!(
        predictions(&path, &into, &examples()).unwrap_err().0,
        "has the class 3, but 3 classes"
    );
}
