//! Images through the `mlp-data` program: a folder of them, a table of them, and both made of one size.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "the program itself is tested")]

use mlp_data::dataset::Dataset;
use mlp_protocol::data::Target;
use png::{ColorType, Encoder};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// Runs a call; gives the exit status and the last message.
fn run(dir: &Path, call: &Value) -> (Option<i32>, Value) {
    fs::write(dir.join("call.json"), call.to_string()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_mlp-data"))
        .current_dir(dir)
        .env_remove("MLP_SOCKET")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let last = text.lines().last();
    let last = last.map_or(Value::Null, |line| serde_json::from_str(line).unwrap());
    (output.status.code(), last)
}

/// A grey image of one value.
fn grey(width: u32, height: u32, value: u8) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height);
    encoder.set_color(ColorType::Grayscale);
    let pixels = vec![value; (width * height) as usize];
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    file
}

fn write(dir: &TempDir, path: &str, content: &[u8]) {
    let path = dir.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// A folder of cats, one of them in a folder of its own, and a dog.
fn photos() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(&dir, "in/dog/a.png", &grey(2, 2, 9));
    write(&dir, "in/cat/b.PNG", &grey(5, 3, 1));
    write(&dir, "in/cat/old/c.png", &grey(1, 4, 2));
    write(&dir, "in/cat/.DS_Store", b"");
    write(&dir, "in/cat/notes.txt", b"not an image, and nobody's mistake");
    write(&dir, "in/README", b"");
    dir
}

fn folder(classes: &Value) -> Value {
    json!({
        "builtin": "data.image_folder", "args": { "classes": classes, "channels": 1 }, "inputs": { "dir": "in" },
        "outputs": { "dataset": "out" }, "workers": 2,
    })
}

fn resize(height: u32, width: u32) -> Value {
    json!({
        "builtin": "data.resize", "args": { "height": height, "width": width, "mode": "bilinear" },
        "inputs": { "dataset": "out" }, "outputs": { "dataset": "small" }, "workers": 2,
    })
}

#[test]
fn a_folder_of_images_becomes_images_of_one_size() {
    let dir = photos();
    assert_eq!(run(dir.path(), &folder(&json!(2))).0, Some(0));
    let read = Dataset::read(&dir.path().join("out"), "out").unwrap();
    let names = Some(vec!["cat".to_string(), "dog".to_string()]);
    assert_eq!(read.schema.y, Target::Class { classes: 2, names });
    assert_eq!(read.schema.x["x"], [Some(1), None, None]);
    assert_eq!(read.y.to_i64(), [0, 0, 1]);
    assert_eq!(
        read.meta.as_deref(),
        Some("file\ncat/b.PNG\ncat/old/c.png\ndog/a.png\n")
    );

    assert_eq!(run(dir.path(), &resize(2, 3)).0, Some(0));
    let small = Dataset::read(&dir.path().join("small"), "small").unwrap();
    assert_eq!(small.x["x"].shape, [3, 1, 2, 3]);
    assert_eq!(*small.x["x"].bytes, [[1; 6], [2; 6], [9; 6]].concat());
    assert_eq!((&small.y, &small.meta), (&read.y, &read.meta));
    assert_eq!(small.schema.recipe["of"], read.schema.recipe);
}

#[test]
fn classes_may_be_named_in_another_order() {
    let dir = photos();
    assert_eq!(run(dir.path(), &folder(&json!(["dog", "cat"]))).0, Some(0));
    let read = Dataset::read(&dir.path().join("out"), "out").unwrap();
    assert_eq!(read.y.to_i64(), [0, 1, 1]);
}

#[track_caller]
fn refused(dir: &TempDir, call: &Value, code: &str, argument: &str, message: &str, help: &str) {
    let (status, failure) = run(dir.path(), call);
    assert_eq!(status, Some(1), "{failure}");
    let word = |key: &str| failure[key].as_str().unwrap_or_default().to_string();
    assert_eq!(
        (word("code"), word("argument")),
        (code.to_string(), argument.to_string())
    );
    assert!(word("message").contains(message), "{failure}");
    assert!(word("help").contains(help), "{failure}");
}

#[test]
fn folders_that_are_not_the_classes_are_refused() {
    let said = |classes: Value, argument: &str, message: &str, help: &str| {
        refused(&photos(), &folder(&classes), "B0122", argument, message, help);
    };
    said(
        json!(3),
        "classes",
        "there are 2 class folders: `cat`, `dog`",
        "write `classes = 2`",
    );
    said(
        json!(["cat", "dogs"]),
        "classes",
        "the class `dogs` has no folder",
        "did you mean `dog`?",
    );
    said(
        json!(["cat", "bird"]),
        "classes",
        "the class `bird` has no folder",
        "the folders are `cat`, `dog`",
    );
    let dir = photos();
    write(&dir, "in/bird/notes.txt", b"");
    refused(
        &dir,
        &folder(&json!(3)),
        "B0122",
        "dir",
        "`bird` holds no image",
        "PNG and JPEG",
    );
    refused(
        &dir,
        &folder(&json!(["cat", "dog"])),
        "B0122",
        "classes",
        "`bird` is no declared class",
        "add it",
    );
    let dir = photos();
    write(&dir, "in/x.png", &grey(1, 1, 1));
    refused(
        &dir,
        &folder(&json!(2)),
        "B0122",
        "dir",
        "`x.png` lies beside the class folders",
        "move it",
    );
}

#[test]
fn files_that_are_no_images_are_refused_by_their_names() {
    let with = |path: &str, content: &[u8]| {
        let dir = photos();
        write(&dir, path, content);
        dir
    };
    let two = folder(&json!(2));
    let webp = with("in/cat/a.webp", b"RIFF");
    refused(
        &webp,
        &two,
        "B0120",
        "dir",
        "`cat/a.webp` is neither a PNG nor a JPEG file",
        "convert it",
    );
    let gif = with("in/cat/a.png", b"GIF89a");
    refused(
        &gif,
        &two,
        "B0120",
        "dir",
        "`cat/a.png` is a GIF file",
        "convert it",
    );
    let cut = with("in/cat/a.png", &grey(9, 9, 1)[..30]);
    refused(&cut, &two, "B0120", "dir", "`cat/a.png` is damaged", "viewer");
    // The head is whole: what follows is looked at where it is decoded.
    let whole = grey(9, 9, 1);
    let half = with("in/cat/a.png", &whole[..whole.len() - 14]);
    assert_eq!(run(half.path(), &two).0, Some(0));
    refused(
        &half,
        &resize(2, 2),
        "B0120",
        "dataset",
        "`cat/a.png` (the image of example 0) is damaged",
        "viewer",
    );
    let mut call = two;
    call["args"]["channels"] = json!(2);
    refused(
        &photos(),
        &call,
        "B0121",
        "channels",
        "images of 2 channels",
        "write 1 (grey)",
    );
}

#[test]
fn a_table_names_images() {
    let dir = photos();
    let csv = |text: &str| {
        fs::write(dir.path().join("in.csv"), text).unwrap();
        json!({
            "builtin": "data.csv", "workers": 1, "inputs": { "file": "in.csv", "x.0": "in" }, "outputs": { "dataset": "out" },
            "args": {
                "x": { "image": { "kind": "image", "col": "file", "root": "x.0", "channels": 3 }, "age": { "kind": "numeric", "col": "age" } },
                "y": { "kind": "label", "col": "y", "classes": 2 },
            },
        })
    };
    assert_eq!(
        run(dir.path(), &csv("file,age,y\ndog/a.png,3,0\ncat/old/c.png,4,1\n")).0,
        Some(0)
    );
    let read = Dataset::read(&dir.path().join("out"), "out").unwrap();
    assert_eq!(read.schema.x["image"], [Some(3), None, None]);
    let sizes = [grey(2, 2, 9).len() as u64, grey(1, 4, 2).len() as u64];
    assert_eq!(read.offsets("image").unwrap(), [0, sizes[0], sizes[0] + sizes[1]]);
    let refused = |text: &str, code: &str, argument: &str, message: &str| {
        refused(&dir, &csv(text), code, argument, message, "");
    };
    refused(
        "file,age,y\nmissing.png,1,0\n",
        "B0156",
        "x.image.root",
        "no file `missing.png` below `root`",
    );
    refused(
        "file,age,y\n../in.csv,1,0\n",
        "B0156",
        "x.image.root",
        "leads out of the folder `root`",
    );
    refused(
        "file,age,y\ncat/notes.txt,1,0\n",
        "B0120",
        "x.image",
        "`cat/notes.txt` is no image",
    );
    refused("file,age,y\n,1,0\n", "B0104", "x.image", "no image is named");
}
