//! The `mlp-data` program, run as `mlp` runs it: on a `call.json` in its working directory.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "the program itself is tested")]

use mlp_data::dataset::Dataset;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs a call in `dir`; gives the exit status and the last message.
fn run(dir: &Path, call: &Value) -> (Option<i32>, Value) {
    fs::write(dir.join("call.json"), call.to_string()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_mlp-data"))
        .current_dir(dir)
        .env_remove("MLP_SOCKET")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let last = text
        .lines()
        .last()
        .map_or(Value::Null, |line| serde_json::from_str(line).unwrap());
    (output.status.code(), last)
}

fn csv_call(x: &Value, y: &Value) -> Value {
    json!({
        "builtin": "data.csv", "args": { "x": x, "y": y }, "inputs": { "file": "in.csv" },
        "outputs": { "dataset": "out" }, "workers": 1,
    })
}

fn pixels() -> Value {
    json!({ "kind": "pixels", "cols": "p*", "channels": 1, "height": 1, "width": 2, "max": 16.0 })
}

fn label(classes: &Value) -> Value {
    json!({ "kind": "label", "col": "digit", "classes": classes })
}

/// A failure's code, line with byte range, argument, message and help.
type Refusal = (String, Option<(u64, u64, u64)>, String, String, String);

/// Builds a CSV text, which must fail.
#[track_caller]
fn refused(text: impl AsRef<[u8]>, x: &Value, y: &Value) -> Refusal {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("in.csv"), text).unwrap();
    let (status, failure) = run(dir.path(), &csv_call(x, y));
    assert_eq!(status, Some(1), "{failure}");
    assert!(!dir.path().join("out").exists(), "an output of a failed step");
    let word = |key: &str| failure[key].as_str().unwrap_or_default().to_string();
    let place = failure["place"].as_object().map(|place| {
        let byte = |end: usize| place.get("bytes").map_or(0, |bytes| bytes[end].as_u64().unwrap());
        (place["line"].as_u64().unwrap(), byte(0), byte(1))
    });
    (
        word("code"),
        place,
        word("argument"),
        word("message"),
        word("help"),
    )
}

#[test]
fn reads_codecs_and_splits() {
    let dir = tempfile::tempdir().unwrap();
    let rows: String = (0..20)
        .map(|row| format!("{},{},{},id{row}\n", row % 3, row % 17, 16 - row % 17))
        .collect();
    fs::write(dir.path().join("in.csv"), format!("digit,p0,p1,id\n{rows}")).unwrap();
    let mut call = csv_call(&pixels(), &label(&json!(3)));
    call["args"]["meta"] = json!(["id"]);
    assert_eq!(run(dir.path(), &call), (Some(0), Value::Null));
    let dataset = Dataset::read(&dir.path().join("out"), "out").unwrap();
    assert_eq!(dataset.x["x"].shape, [20, 1, 1, 2]);
    assert_eq!(dataset.x["x"].to_f32()[2..4], [1.0 / 16.0, 15.0 / 16.0]);
    assert_eq!(dataset.y.to_i64()[..4], [0, 1, 2, 0]);

    let split = json!({
        "builtin": "data.split", "inputs": { "dataset": "out" }, "workers": 1,
        "args": { "shares": { "train": 0.7, "test": 0.3 }, "order": ["train", "test"], "seed": 1, "stratify": true },
        "outputs": { "train": "train", "test": "test" },
    });
    assert_eq!(run(dir.path(), &split), (Some(0), Value::Null));
    let part = |name: &str| Dataset::read(&dir.path().join(name), name).unwrap();
    assert_eq!(
        (part("train").schema.examples, part("test").schema.examples),
        (14, 6)
    );
    assert_eq!(part("train").schema.recipe, dataset.schema.recipe);
    assert_eq!(part("test").meta.unwrap().lines().count(), 7);
}

#[test]
fn named_inputs_targets_and_missing_values() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("in.csv"), "age,a,b,price\n,1,2,10\n30,3,4,20.5\n").unwrap();
    let x = json!({
        "age": { "kind": "numeric", "col": "age", "missing": -1.0 },
        "rest": { "kind": "vector", "cols": ["b", "a"] },
    });
    let call = csv_call(&x, &json!({ "kind": "target", "cols": "price" }));
    assert_eq!(run(dir.path(), &call), (Some(0), Value::Null));
    let dataset = Dataset::read(&dir.path().join("out"), "out").unwrap();
    assert_eq!(dataset.x["age"].to_f32(), [-1.0, 30.0]);
    assert_eq!(dataset.x["rest"].to_f32(), [2.0, 1.0, 4.0, 3.0]);
    assert_eq!(
        (dataset.y.shape.as_slice(), dataset.y.to_f32()),
        (&[2, 1][..], vec![10.0, 20.5])
    );
}

#[test]
fn bytes_of_a_dataset_never_change() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("in.csv"), "p0,p1,digit\n0,16,1\n8,4,0\n").unwrap();
    assert_eq!(
        run(dir.path(), &csv_call(&pixels(), &label(&json!(["zero", "one"])))).0,
        Some(1)
    );
    assert_eq!(
        run(dir.path(), &csv_call(&pixels(), &label(&json!(2)))).0,
        Some(0)
    );
    let digest = |name: &str| {
        blake3::hash(&fs::read(dir.path().join("out").join(name)).unwrap()).to_hex()[..16].to_string()
    };
    assert_eq!(
        [
            digest("dataset.json"),
            digest("x.safetensors"),
            digest("y.safetensors")
        ],
        ["121a1f3650e37e88", "b221e4ab685ec941", "705f0f3a86d5648f"]
    );
}

#[test]
fn bad_input_is_refused_with_its_place() {
    let of = |text: &str| refused(text, &pixels(), &label(&json!(10)));
    let some = |line, start, end| Some((line, start, end));
    for (text, code, place, argument, message, help) in [
        ("", "B0107", None, "file", "the file is empty", ""),
        ("p0,p1,digit\n", "B0107", some(1, 0, 0), "file", "no rows", ""),
        (
            "p0,p1,digits\n0,0,1\n",
            "B0101",
            some(1, 0, 0),
            "y.col",
            "`digit`",
            "did you mean `digits`?",
        ),
        (
            "q0,q1,digit\n0,0,1\n",
            "B0101",
            some(1, 0, 0),
            "x.cols",
            "no column matches `p*`",
            "the columns are",
        ),
        (
            "p0,p1,digit\n0,0,1\n0,0\n",
            "B0102",
            some(3, 2, 3),
            "file",
            "2 cells",
            "cut off",
        ),
        (
            "p0,p1,digit\n0,0,1,7\n",
            "B0102",
            some(2, 6, 7),
            "file",
            "4 cells",
            "double quotes",
        ),
        (
            "p0,p1,digit\n0,x,1\n",
            "B0103",
            some(2, 2, 3),
            "x",
            "`x` is not a number in column `p1`",
            "mend",
        ),
        (
            "p0,p1,digit\n0,,1\n",
            "B0104",
            some(2, 2, 2),
            "x",
            "empty cell in column `p1`",
            "missing",
        ),
        (
            "p0,p1,digit\n0,NaN,1\n",
            "B0105",
            some(2, 2, 5),
            "x",
            "`NaN` is not a finite number",
            "drop the row",
        ),
        (
            "p0,p1,digit\n0,inf,1\n",
            "B0105",
            some(2, 2, 5),
            "x",
            "`inf`",
            "drop the row",
        ),
        (
            "p0,p1,digit\n0,1,12\n",
            "B0106",
            some(2, 4, 6),
            "y.classes",
            "12 is outside the 10 classes",
            "classes = 13",
        ),
        (
            "p0,p1,digit\n0,1,-1\n",
            "B0106",
            some(2, 4, 6),
            "y.classes",
            "-1 is outside",
            "start at 0",
        ),
        (
            "p0,p1,digit\n0,1,cat\n",
            "B0103",
            some(2, 4, 7),
            "y.classes",
            "`cat` is not an integer",
            "classes = [",
        ),
        (
            "p0,p1,digit\n0,1,\n",
            "B0104",
            some(2, 4, 4),
            "y.classes",
            "empty label",
            "drop the row",
        ),
        (
            "p0,p1,p2,digit\n0,1,1,1\n",
            "B0108",
            None,
            "x.cols",
            "3 columns, but",
            "no other",
        ),
        (
            "p0,p1,digit\n0,17,1\n",
            "B0110",
            some(2, 2, 4),
            "x.max",
            "17",
            "max = 17",
        ),
        (
            "p0,p1,digit\n0,\"1,1\n",
            "B0111",
            some(2, 3, 3),
            "",
            "never closed",
            "double quote",
        ),
        (
            "p0,p1,digit,digit\n0,1,1,1\n",
            "B0112",
            some(1, 0, 0),
            "y.col",
            "twice",
            "rename",
        ),
    ] {
        let got = of(text);
        assert_eq!(
            (got.0.as_str(), got.1, got.2.as_str()),
            (code, place, argument),
            "{text:?}: {got:?}"
        );
        assert!(
            got.3.contains(message) & got.4.contains(help),
            "{text:?}: {got:?}"
        );
    }
    assert_eq!(
        refused(b"p0,p1,digit\n0,\xff,1\n", &pixels(), &label(&json!(10))).0,
        "B0109"
    );
    let names = refused(
        "p0,p1,digit\n0,1,cot\n",
        &pixels(),
        &label(&json!(["dog", "cat"])),
    );
    assert_eq!(
        (names.0.as_str(), names.4.as_str()),
        ("B0106", "did you mean `cat`? Else add it to `classes`")
    );
    assert_eq!(
        refused("p0,p1,digit\n0,1,1\n", &label(&json!(3)), &label(&json!(3))).0,
        "B0116"
    );
}

#[test]
fn a_missing_file_a_directory_and_a_damaged_dataset_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (status, failure) = run(dir.path(), &csv_call(&pixels(), &label(&json!(2))));
    assert_eq!((status, &failure["code"]), (Some(1), &json!("B0002")));
    fs::create_dir(dir.path().join("in.csv")).unwrap();
    let (status, failure) = run(dir.path(), &csv_call(&pixels(), &label(&json!(2))));
    assert_eq!(
        (status, failure["message"].as_str()),
        (
            Some(1),
            Some("the CSV file is a directory, but a file belongs here")
        )
    );
    let split = json!({
        "builtin": "data.split", "inputs": { "dataset": "in.csv" }, "workers": 1, "outputs": {},
        "args": { "shares": { "a": 1.0 }, "order": ["a"], "seed": 1 },
    });
    let (status, failure) = run(dir.path(), &split);
    assert_eq!((status, &failure["code"]), (Some(1), &json!("B0117")));
}

#[test]
fn a_call_that_cannot_be_read_is_a_failure_and_no_call_is_usage() {
    let dir = tempfile::tempdir().unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_mlp-data"))
        .current_dir(dir.path())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(2));
    let (status, failure) = run(dir.path(), &json!({ "builtin": "data.csv" }));
    assert_eq!((status, &failure["code"]), (Some(1), &json!("B0001")));
    let unknown = json!({ "builtin": "data.nothing", "args": {}, "inputs": {}, "outputs": {}, "workers": 1 });
    assert_eq!(run(dir.path(), &unknown).1["code"], json!("B0001"));
}

#[test]
fn categories_and_tags_are_vectors() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("in.csv"), "colour,about\nred,love| war\nblue,\n").unwrap();
    let x = json!({ "kind": "category", "col": "colour", "values": ["blue", "red"] });
    let tags = |sep: &str| json!({ "kind": "tags", "col": "about", "sep": sep, "classes": ["crime", "love", "war"] });
    assert_eq!(run(dir.path(), &csv_call(&x, &tags("|"))), (Some(0), Value::Null));
    let dataset = Dataset::read(&dir.path().join("out"), "out").unwrap();
    assert_eq!(dataset.x["x"].to_f32(), [0.0, 1.0, 1.0, 0.0]);
    assert_eq!(dataset.y.to_f32(), [0.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
    assert_eq!(
        serde_json::to_value(&dataset.schema.y).unwrap(),
        json!({ "kind": "tags", "classes": 3, "names": ["crime", "love", "war"] })
    );

    let said = |text: &str, x: &Value, y: &Value| {
        let (code, place, argument, message, help) = refused(text, x, y);
        format!("{code} {place:?} {argument}\n{message}\n{help}\n")
    };
    let counted = json!({ "kind": "tags", "col": "about", "sep": " ", "classes": 2 });
    insta::assert_snapshot!(
        [
            said("colour,about\nred,love|wars\n", &x, &tags("|")),
            said("colour,about\nraed,love\n", &x, &tags("|")),
            said("colour,about\n,love\n", &x, &tags("|")),
            said("colour,about\nred,love\n", &x, &tags("o")),
            said("colour,about\nred,love\n", &x, &tags("")),
            said("colour,about\nred,0 2\n", &x, &counted),
        ]
        .join("\n")
    );
}

#[test]
fn examples_are_chosen_dealt_and_joined() {
    let dir = tempfile::tempdir().unwrap();
    let rows: String = (0..30)
        .map(|row| format!("{row},{},p{}\n", row % 3, row / 6))
        .collect();
    fs::write(dir.path().join("in.csv"), format!("a,digit,patient\n{rows}")).unwrap();
    let mut call = csv_call(
        &json!({ "kind": "numeric", "col": "a" }),
        &label(&json!(["x", "y", "z"])),
    );
    call["args"]["meta"] = json!(["patient"]);
    fs::write(
        dir.path().join("in.csv"),
        format!(
            "a,digit,patient\n{}",
            rows.replace(",0,", ",x,")
                .replace(",1,", ",y,")
                .replace(",2,", ",z,")
        ),
    )
    .unwrap();
    assert_eq!(run(dir.path(), &call), (Some(0), Value::Null));
    let made = |builtin: &str, args: &Value, inputs: &Value, outputs: &[&str]| {
        let outputs: serde_json::Map<String, Value> = outputs
            .iter()
            .map(|name| ((*name).to_owned(), format!("{builtin}-{name}").into()))
            .collect();
        let call =
            json!({ "builtin": builtin, "args": args, "inputs": inputs, "outputs": outputs, "workers": 1 });
        assert_eq!(run(dir.path(), &call), (Some(0), Value::Null), "{builtin}");
    };
    let read = |name: &str| Dataset::read(&dir.path().join(name), name).unwrap();
    let of = json!({ "dataset": "out" });

    let folds = json!({ "k": 2, "seed": 1, "column": "patient" });
    made(
        "data.folds",
        &folds,
        &of,
        &["0.train", "0.test", "1.train", "1.test"],
    );
    let patients = |name: &str| {
        let meta = read(name).meta.unwrap();
        let mut patients: Vec<String> = meta.lines().skip(1).map(str::to_owned).collect();
        patients.dedup();
        patients
    };
    let both = [patients("data.folds-0.test"), patients("data.folds-1.test")].concat();
    assert_eq!(both.len(), 5, "{both:?}");
    assert_eq!(patients("data.folds-0.train"), patients("data.folds-1.test"));

    made("data.take", &json!({ "n": 7, "seed": 1 }), &of, &["dataset"]);
    assert_eq!(read("data.take-dataset").schema.examples, 7);
    made(
        "data.balance",
        &json!({ "per_class": 4, "seed": 1 }),
        &of,
        &["dataset"],
    );
    assert_eq!(read("data.balance-dataset").schema.examples, 12);
    made("data.top_classes", &json!({ "n": 2 }), &of, &["dataset"]);
    let top = read("data.top_classes-dataset");
    assert_eq!(top.y.to_i64(), [0, 1].repeat(10));
    let joined = json!({ "dataset.0": "data.take-dataset", "dataset.1": "out" });
    made("data.concat", &json!({}), &joined, &["dataset"]);
    assert_eq!(read("data.concat-dataset").schema.examples, 37);

    let split = json!({
        "builtin": "data.split", "inputs": of, "workers": 1, "outputs": { "a": "a", "b": "b" },
        "args": { "shares": { "a": 0.5, "b": 0.5 }, "order": ["a", "b"], "seed": 1, "group": "pateint" },
    });
    let (status, failure) = run(dir.path(), &split);
    assert_eq!(
        (status, failure["code"].as_str(), failure["help"].as_str()),
        (Some(1), Some("B0150"), Some("did you mean `patient`?"))
    );
}

/// A WAV file of 16 bits.
fn wav(rate: u32, samples: &[i16]) -> Vec<u8> {
    let size = samples.len() as u32 * 2;
    let mut file = [
        b"RIFF",
        &(36 + size).to_le_bytes()[..],
        b"WAVEfmt ",
        &16_u32.to_le_bytes(),
    ]
    .concat();
    file.extend([1, 0, 1, 0]);
    file.extend(rate.to_le_bytes());
    file.extend((rate * 2).to_le_bytes());
    file.extend([2, 0, 16, 0]);
    file.extend([b"data", &size.to_le_bytes()[..]].concat());
    samples
        .iter()
        .for_each(|sample| file.extend(sample.to_le_bytes()));
    file
}

#[test]
fn sounds_are_read_and_become_spectrograms() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::create_dir(path("clips")).unwrap();
    let tone = |step: i32| -> Vec<i16> {
        (0..4_000)
            .map(|at| ((at * step) % 2_000 - 1_000) as i16)
            .collect()
    };
    fs::write(path("clips/a.wav"), wav(8_000, &tone(100))).unwrap();
    fs::write(path("clips/b.wav"), wav(16_000, &tone(30))).unwrap();
    fs::write(path("in.csv"), "file,digit\na.wav,0\nb.wav,1\n").unwrap();
    let x = json!({ "kind": "audio", "col": "file", "root": "x.0", "rate": 8000, "seconds": 0.5 });
    let mut call = csv_call(&x, &label(&json!(2)));
    call["inputs"]["x.0"] = "clips".into();
    assert_eq!(run(dir.path(), &call), (Some(0), Value::Null));
    let sounds = Dataset::read(&path("out"), "out").unwrap();
    assert_eq!(sounds.x["x"].shape, [2, 1, 4_000]);
    let samples = sounds.x["x"].to_f32();
    assert_eq!(samples[..2], [-1_000.0 / 32_768.0, -900.0 / 32_768.0]);
    // The other file has half the length at this rate, and is followed by silence.
    assert!(samples[4_000..5_990].iter().any(|sample| *sample != 0.0));
    assert_eq!(samples[6_000..], [0.0; 2_000]);

    let log_mel = json!({
        "builtin": "data.log_mel", "args": { "n_fft": 256, "hop": 100, "n_mels": 16 }, "workers": 2,
        "inputs": { "dataset": "out" }, "outputs": { "dataset": "mel" },
    });
    assert_eq!(run(dir.path(), &log_mel), (Some(0), Value::Null));
    let images = Dataset::read(&path("mel"), "mel").unwrap();
    assert_eq!(images.x["x"].shape, [2, 1, 16, 41]);
    let digest = |name: &str| blake3::hash(&fs::read(path(name)).unwrap()).to_hex()[..16].to_string();
    assert_eq!(
        [digest("out/x.safetensors"), digest("mel/x.safetensors")],
        ["a673135d6434eeb5", "b506842f2f91a82f"]
    );

    let mut told = Vec::new();
    for (rows, file) in [
        ("c.wav,0\n", None),
        ("a.wav,0\nc.wav,1\n", Some(&wav(8_000, &tone(1))[..100])),
        ("../a.wav,0\n", None),
    ] {
        fs::write(path("in.csv"), format!("file,digit\n{rows}")).unwrap();
        file.into_iter()
            .for_each(|file| fs::write(path("clips/c.wav"), file).unwrap());
        let (_, failure) = run(dir.path(), &call);
        let word = |key: &str| failure[key].as_str().unwrap_or_default().to_owned();
        told.push(format!(
            "{} line {} {}\n{}\n{}",
            word("code"),
            failure["place"]["line"],
            word("argument"),
            word("message"),
            word("help")
        ));
    }
    insta::assert_snapshot!(told.join("\n\n"));
}
