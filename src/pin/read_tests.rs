//! What is written is read; what is wrong is told at its place.

use super::*;
use crate::pin::text;
use proptest::prelude::*;

fn pins() -> Pins {
    let digest = Digest::of_blob(b"x");
    let file = |executable| Pin {
        node: Node::File {
            executable,
            size: 5,
            digest,
        },
        size: 5,
        files: 1,
    };
    let dir = Pin {
        node: Node::Dir { tree: digest },
        size: 1 << 40,
        files: 20_000,
    };
    let pins = [
        ("data/images", dir),
        ("data/train.csv", file(false)),
        ("tool \"x\"\\ü\n", file(true)),
    ];
    pins.map(|(path, pin)| (path.to_owned(), pin)).into()
}

fn parse(text: &str) -> Result<Pins, Vec<String>> {
    let mut sources = Sources::default();
    let source = sources.add("mlp.lock", text);
    let shown = |told: &Diagnostic| {
        let labels = told.labels.iter();
        let labels: Vec<String> = labels
            .map(|label| format!("{:?} {}", sources.text(label.span), label.text))
            .collect();
        format!("{} {} at {}", told.code, told.message, labels.join(", "))
    };
    read(&sources, source)
        .map(|entries| Entry::pins(&entries))
        .map_err(|told| told.iter().map(shown).collect())
}

#[test]
fn the_form_of_the_file() {
    insta::assert_snapshot!(text(&pins()));
    assert_eq!(parse(&text(&pins())), Ok(pins()));
    assert_eq!(parse(&text(&Pins::new())), Ok(Pins::new()));
}

#[test]
fn what_is_wrong_is_told_at_its_place() {
    let good = text(&pins());
    let digest = Digest::of_blob(b"x").to_string();
    let entry = good[good.find("\n[pin.\"data/train.csv\"]").unwrap()..]
        .split("\n\n")
        .next()
        .unwrap()
        .to_owned();
    let cases = [
        good.replace("version = 1", "version = 2\nnew = true"),
        good.replace("version = 1", ""),
        good.replace("version = 1", "version ="),
        format!("{good}{entry}"),
        good.replacen(&digest, "abc", 1),
        good.replacen(&digest, &digest.to_uppercase(), 1),
        good.replace("\"directory\"", "\"folder\""),
        good.replace("files = 20000\n", ""),
        good.replace("size = 5", "size = -5"),
        good.replace("executable = true", "executable = true\nsise = 3"),
        good.replace("data/train.csv", "../train.csv"),
        good.replace("data/train.csv", "data//train.csv"),
        good.replace("data/train.csv", "data/images/a/b"),
        good.replace("data/train.csv", "data/images/a/b")
            .replace("\"directory\"", "\"folder\""),
        format!("{good}\n<<<<<<< HEAD\n[pin.a]\n=======\n[pin.b]\n>>>>>>> topic\n"),
    ];
    let told: Vec<String> = cases
        .iter()
        .map(|text| parse(text).unwrap_err().join("\n"))
        .collect();
    insta::assert_snapshot!(told.join("\n\n"));
}

proptest! {
    #[test]
    fn whatever_is_pinned_is_read_again(
        paths in prop::collection::btree_set("[^/\u{0}]{1,8}x(/[^/\u{0}]{1,8}x){0,2}", 0..5),
        size in 0..u64::MAX / 2,
        executable: bool,
    ) {
        let all: Vec<&String> = paths.iter().collect();
        let apart = |path: &str| !all.iter().any(|other| path.starts_with(&format!("{other}/")));
        let pin = |size| Pin {
            node: Node::File { executable, size, digest: Digest::of_blob(b"y") },
            size,
            files: 1,
        };
        let pins: Pins = paths.iter().filter(|path| apart(path)).map(|path| (path.clone(), pin(size))).collect();
        prop_assert_eq!(parse(&text(&pins)), Ok(pins));
    }
}
