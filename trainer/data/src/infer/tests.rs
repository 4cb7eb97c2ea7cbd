//! Drafts of files as they come.

use super::{Draft, Unclear, infer};
use crate::audio::tests::wav16;
use std::fs;
use std::path::Path;

fn of(files: &[(&str, &[u8])], path: &str) -> Result<Draft, Unclear> {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }
    infer(&folder.path().join(path), &format!("./{path}"))
}

fn shown(files: &[(&str, &[u8])], path: &str) -> String {
    match of(files, path) {
        Ok(draft) => format!("{}\n\n{}", draft.notes.join("\n"), draft.declaration),
        Err(unclear) => format!("{}\n{}", unclear.message, unclear.help.unwrap_or_default()),
    }
}

fn csv(text: &str) -> String {
    shown(&[("points.csv", text.as_bytes())], "points.csv")
}

fn rows(count: usize, row: impl Fn(usize) -> String) -> String {
    (0..count).map(row).collect()
}

#[test]
fn a_table_of_numbers_and_classes() {
    let text = rows(40, |n| format!("{},{},{}\n", n as f64 / 8.0, 3 - n as i64, n % 3));
    insta::assert_snapshot!(csv(&format!("x,y value,class\n{text}")));
}

#[test]
fn a_table_of_everything() {
    let text = rows(30, |n| {
        format!(
            "{n},{},{},\"{}\",\"It was, they said, number {n} of the long tale.\",{}\n",
            if n == 4 { String::new() } else { n.to_string() },
            ["red", "green", "blue"][n % 3],
            ["war", "war|love", "love|crime", "crime"][n % 4],
            ["yes", "no"][n % 2],
        )
    });
    insta::assert_snapshot!(csv(&format!("id,age,colour,genres,story,outcome\n{text}")));
}

#[test]
fn pixels_in_columns() {
    let header: String = (0..64).map(|n| format!("p{n},")).collect();
    let text = rows(30, |n| format!("{}{}\n", "0,7,16,3,".repeat(16), n % 10));
    insta::assert_snapshot!(csv(&format!("{header}digit\n{text}")));
}

#[test]
fn numbers_to_predict_and_tags() {
    let text = rows(30, |n| format!("{n},{}\n", n as f64 * 1.37));
    let numbers = csv(&format!("size,price\n{text}"));
    let text = rows(30, |n| format!("{n},{}\n", ["a|b", "b", "a|c", "c|b|a"][n % 4]));
    insta::assert_snapshot!(format!("{numbers}\n\n{}", csv(&format!("size,tags\n{text}"))));
}

#[test]
fn messy_tables_are_told_in_words() {
    let said: Vec<String> = [
        "a;b;label\n1;2;0\n",
        "1.5,2.5,0\n2.5,3.5,1\n",
        "",
        "a,b\n",
        "a,b,a\n1,2,3\n",
        "a,b\n1,2\n1,2,3\n",
        "a,b\n1,\"2\n",
        "only\nsome words of text\nand some others too\nmore\n",
    ]
    .into_iter()
    .map(csv)
    .collect();
    insta::assert_snapshot!(said.join("\n\n"));
    let latin = shown(&[("a.csv", b"name,label\ncaf\xe9,1\n")], "a.csv");
    assert!(
        latin.starts_with("`./a.csv`, line 2: byte 0xe9 is not UTF-8\n"),
        "{latin}"
    );
    // A mark at the beginning is no part of the first name.
    assert!(csv("\u{feff}x,label\n1.5,0\n2,1\n3,0\n4,1\n").contains("data.numeric(\"x\")"));
}

#[test]
fn sounds_and_what_names_them() {
    let names: String = rows(8, |n| format!("s{n}.wav,{}\n", ["low", "high"][n % 2]));
    let table = format!("file,pitch\n{names}");
    let sound = wav16(8_000, &[0; 2_100]);
    insta::assert_snapshot!(shown(
        &[
            ("my sounds/list.csv", table.as_bytes()),
            ("my sounds/clips/s0.wav", &sound)
        ],
        "my sounds"
    ));
}

#[test]
fn folders_of_images() {
    let png = |height: u8, width: u8| {
        [
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0".as_slice(),
            &[width, 0, 0, 0, height, 8, 2, 0, 0, 0],
        ]
        .concat()
    };
    let (a, b) = (png(32, 24), png(16, 16));
    insta::assert_snapshot!(shown(
        &[
            ("pets/cat/1.png", &a),
            ("pets/cat/2.png", &a),
            ("pets/dog/1.png", &b),
            ("pets/empty/notes.txt", b"x"),
            (
                "pets/dog/2.jpg",
                b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x0b\x08\x00\x20\x00\x18\x03"
            )
        ],
        "pets"
    ));
}

#[test]
fn idx_files_and_arrays() {
    let images = [
        &[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2][..],
        &[1, 2, 3, 4],
    ]
    .concat();
    let labels = [0, 0, 8, 1, 0, 0, 0, 2, 0, 6];
    let idx = shown(
        &[
            ("t10k-images-idx3-ubyte", &images),
            ("t10k-labels-idx1-ubyte", &labels),
        ],
        "t10k-images-idx3-ubyte",
    );
    let npy = |header: &str| {
        [
            b"\x93NUMPY\x01\x00",
            &[header.len() as u8, 0][..],
            header.as_bytes(),
        ]
        .concat()
    };
    let x = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (100, 8, 8), }");
    let y = npy("{'descr': '<i8', 'fortran_order': False, 'shape': (100,), }");
    let arrays = shown(&[("data/x.npy", &x), ("data/y.npy", &y)], "data");
    insta::assert_snapshot!(format!("{idx}\n\n{arrays}"));
}

#[test]
fn what_is_not_known_is_told() {
    let said = [
        shown(&[], "nothing"),
        shown(&[("a/b.txt", b"")], "a"),
        shown(&[("a/b.wav", b"")], "a"),
        shown(&[("a.bin", &[1, 0, 2])], "a.bin"),
        shown(&[("a.zip", b"PK")], "a.zip"),
    ];
    insta::assert_snapshot!(said.join("\n\n"));
    assert!(of(&[("x.npy", b"\x93NUMPY")], "x.npy").is_err());
}

#[test]
fn no_bytes_make_it_panic() {
    let whole = b"a,b,\"c\"\"d\"\n1,x|y,\"3\n\"\n2,y,4\n".as_slice();
    for cut in 0..whole.len() {
        drop(of(&[("a.csv", &whole[..cut])], "a.csv"));
    }
    for seed in 0..200_u64 {
        let mut random = crate::random::Random::new(seed as i64, "infer");
        let bytes: Vec<u8> = (0..40)
            .map(|_| b",\"\n;1a.|-\r \xc3"[random.below(12) as usize])
            .collect();
        drop(of(&[("a.csv", &bytes)], "a.csv"));
    }
    assert!(infer(Path::new("/does/not/exist"), "./a").is_err());
}
