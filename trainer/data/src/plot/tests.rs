//! Figures of small results, as the text that they are.

use super::{confusion, curves, images, roc, scatter};
use crate::dataset::{Dataset, FORMAT};
use crate::predictions::{self, Predictions};
use crate::safetensors::Array;
use mlp_protocol::call::Call;
use mlp_protocol::data::{Schema, Target};
use mlp_protocol::predictions::PredictionsFile;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::TempDir;

/// A call of `builtin` with JSON inputs.
fn call(folder: &TempDir, builtin: &str, args: Value, inputs: &[(&str, Value)]) -> Call {
    let inputs = inputs.iter().map(|(name, value)| {
        let path = folder.path().join(name);
        std::fs::write(&path, value.to_string()).unwrap();
        ((*name).to_owned(), path.display().to_string())
    });
    Call {
        builtin: builtin.to_owned(),
        args,
        inputs: inputs.collect(),
        outputs: BTreeMap::new(),
        workers: 1,
        chain: None,
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// The call with the directory `path` as the input `name`.
fn with(mut call: Call, name: &str, path: &Path) -> Call {
    call.inputs.insert(name.to_owned(), path.display().to_string());
    call
}

fn history(losses: &[f64]) -> Value {
    let row = |(index, loss): (usize, &f64)| json!({ "epoch": index + 1, "lr": 0.1, "train": { "loss": loss }, "val": { "loss": loss * 1.5, "accuracy": 0.5 } });
    losses.iter().enumerate().map(row).collect()
}

#[test]
fn curves_of_one_training_and_of_two() {
    let folder = folder();
    let of = |y: Value, inputs: &[(&str, Value)]| {
        curves::figure(&call(&folder, "plot.curves", json!({ "y": y }), inputs))
    };
    let one = [("history.0", history(&[2.0, 1.0, 0.5]))];
    insta::assert_snapshot!("curves", of(json!(["loss"]), &one).unwrap());
    // The eleventh comes after the second.
    let two = [
        ("history.1", history(&[2.0, 1.0])),
        ("history.10", history(&[3.0, 1.5])),
    ];
    let text = of(json!(["val.accuracy", "lr"]), &two).unwrap();
    assert!(
        text.contains("val.accuracy of 1") && text.contains("lr of 2"),
        "{text}"
    );
    let failure = of(json!(["auc"]), &one).unwrap_err();
    assert_eq!(
        (failure.message.as_str(), failure.help.as_deref()),
        (
            "no history has a figure `auc`",
            Some("there are `lr`, `train.loss`, `val.accuracy`, `val.loss`")
        )
    );
}

#[test]
fn a_confusion_matrix() {
    let folder = folder();
    let of = |matrix: Value| {
        let args = json!({ "path": ["confusion"] });
        confusion::figure(&call(
            &folder,
            "plot.confusion",
            args,
            &[("metrics", json!({ "confusion": matrix }))],
        ))
    };
    insta::assert_snapshot!("confusion", of(json!([[8, 2], [0, 0]])).unwrap());
    let many: Vec<Vec<u64>> = vec![vec![1; 100]; 100];
    assert!(of(json!(many)).unwrap().len() > 100 * 100 * 40);
    assert_eq!(of(json!([[1, 2]])).unwrap_err().code, "B0303");
}

#[test]
fn points_that_are_finite() {
    let folder = folder();
    let of = |x: Value, y: Value| {
        let args = json!({ "x": x, "y": y, "x_label": "lr", "y_label": "a < b" });
        scatter::figure(&call(
            &folder,
            "plot.scatter",
            args,
            &[("a", json!({ "loss": 0.25 }))],
        ))
    };
    let late = |input: &str| json!({ "kind": "input", "name": input, "path": ["loss"] });
    // Of a training that diverged there is no input.
    insta::assert_snapshot!(
        "scatter",
        of(json!([0.001, 0.01, 1.0]), json!([0.5, late("a"), late("b")])).unwrap()
    );
    assert!(of(json!([1, 2]), json!([3, 4])).unwrap().contains(">1.0<"));
    assert_eq!(of(json!(["x"]), json!([1])).unwrap_err().code, "B0303");
}

/// Predictions of four examples.
fn said(into: &Path, y: Target, labels: Array, outputs: Array) {
    let predictions = Predictions {
        file: PredictionsFile {
            format: predictions::FORMAT,
            examples: 4,
            outputs: outputs.shape[1..].to_vec(),
            y,
            batch_size: 256,
        },
        outputs,
        y: labels,
        meta: None,
    };
    predictions.write(into).unwrap();
}

#[test]
fn a_curve_for_each_class_or_tag() {
    let folder = folder();
    let path = folder.path().join("said");
    let of = || {
        roc::figure(&with(
            call(&folder, "plot.roc", json!({}), &[]),
            "predictions",
            &path,
        ))
    };
    let names = || Some(["no", "yes", "maybe"].map(str::to_owned).to_vec());
    let one = Array::from_f32(vec![4, 1], &[2.0, 1.0, 0.0, -1.0]);
    let binary = Array::from_i64(vec![4], &[1, 0, 1, 0]);
    let two = |classes| Target::Class {
        classes,
        names: names(),
    };
    said(&path, two(2), binary.clone(), one);
    insta::assert_snapshot!("roc", of().unwrap());
    // One output, and the difference of two, rank alike.
    let before = of().unwrap();
    let both = Array::from_f32(vec![4, 2], &[-1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0]);
    said(&path, two(2), binary, both);
    assert_eq!(of().unwrap(), before);
    // Of a tag that no example has there is no curve.
    let tags = Array::from_f32(vec![4, 2], &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
    let outputs = Array::from_f32(vec![4, 2], &[2.0, 0.0, 0.0, 0.0, 3.0, 0.0, -1.0, 0.0]);
    let target = Target::Tags {
        classes: 2,
        names: names(),
    };
    said(&path, target, tags, outputs.clone());
    let text = of().unwrap();
    assert!(
        text.contains("no: AUC 0.667") && text.contains("yes: all or none"),
        "{text}"
    );
    let three = Array::from_f32(
        vec![4, 3],
        &[0.0, 1.0, 2.0, 0.0, 3.0, 1.0, 4.0, 0.0, 0.0, 0.0, 1.0, 0.5],
    );
    said(&path, two(3), Array::from_i64(vec![4], &[2, 1, 0, 2]), three);
    let text = of().unwrap();
    assert!(
        text.contains("no: AUC 1.000") && text.contains("maybe: AUC 1.000"),
        "{text}"
    );
    let numbers = Target::Real { size: 2 };
    said(&path, numbers, outputs.clone(), outputs);
    assert_eq!(of().unwrap_err().code, "B0203");
}

#[test]
fn images_with_their_labels() {
    let folder = folder();
    let path = folder.path().join("data");
    let of = |n: u64| {
        let args = json!({ "n": n, "seed": 1 });
        images::figure(&with(call(&folder, "plot.images", args, &[]), "dataset", &path))
    };
    let dataset = |shape: Vec<u64>, x: Array| Dataset {
        schema: Schema {
            format: FORMAT,
            examples: 2,
            x: BTreeMap::from([("x".to_owned(), shape.into_iter().map(Some).collect())]),
            y: Target::Class {
                classes: 2,
                names: Some(vec!["left".to_owned(), "right".to_owned()]),
            },
            recipe: Value::Null,
        },
        x: BTreeMap::from([("x".to_owned(), x)]),
        y: Array::from_i64(vec![2], &[0, 1]),
        meta: None,
    };
    let grey = Array::from_f32(vec![2, 1, 1, 2], &[1.0, 0.0, 0.0, 1.0]);
    dataset(vec![1, 1, 2], grey).write(&path).unwrap();
    let text = of(9).unwrap();
    insta::assert_snapshot!("images", text);
    assert_eq!(of(1).unwrap().matches("<image").count(), 1);
    // The same pixels as bytes give the same figure.
    let bytes = Array::from_u8(vec![2, 1, 1, 2], vec![255, 0, 0, 255]);
    dataset(vec![1, 1, 2], bytes).write(&path).unwrap();
    assert_eq!(of(9).unwrap(), text);
    let rows = Array::from_f32(vec![2, 2], &[0.0; 4]);
    dataset(vec![2], rows).write(&path).unwrap();
    assert_eq!(of(1).unwrap_err().code, "B0202");
}
