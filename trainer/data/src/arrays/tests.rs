//! Tests of arrays, on files as numpy writes them.

use super::*;
use mlp_protocol::data::Classes;
use std::io::Write;

/// A `.npy` file of version 1.
fn npy(descr: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend_from_slice(&(header.len() as u16).to_le_bytes());
    file.extend_from_slice(header.as_bytes());
    file.extend_from_slice(elements);
    file
}

fn opened(name: &str, content: &[u8]) -> Outcome<Vec<Stored>> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    std::fs::write(&path, content).unwrap();
    open::arrays(&path, name)
}

fn vector(cols: &str) -> Codec {
    Codec::Vector {
        cols: Columns::One(cols.to_owned()),
    }
}

fn pixels(cols: &str, [channels, height, width]: [u32; 3]) -> Codec {
    Codec::Pixels {
        cols: Columns::One(cols.to_owned()),
        channels,
        height,
        width,
        max: 255.0,
    }
}

fn args(x: Codec, classes: Classes) -> CsvArgs {
    CsvArgs {
        x: Features::One(x),
        y: Codec::Label {
            col: "y".to_owned(),
            classes,
        },
        meta: Vec::new(),
    }
}

fn made(x: &[u8], y: &[u8], args: &CsvArgs) -> Outcome<Dataset> {
    let arrays = [opened("x", x)?, opened("y", y)?];
    read(
        &arrays.into_iter().flatten().collect::<Vec<_>>(),
        args,
        &BTreeMap::new(),
    )
}

fn labels() -> Vec<u8> {
    npy("<i8", "(2,)", &[1_i64, 0].map(i64::to_le_bytes).concat())
}

#[test]
fn numbers_of_every_type_are_read() {
    let little = |numbers: Vec<Vec<u8>>| numbers.concat();
    for (descr, elements) in [
        (
            "<f8",
            little(
                [1.0_f64, 0.0, 3.0, 4.0]
                    .map(|n| n.to_le_bytes().to_vec())
                    .to_vec(),
            ),
        ),
        (
            ">f4",
            little(
                [1.0_f32, 0.0, 3.0, 4.0]
                    .map(|n| n.to_be_bytes().to_vec())
                    .to_vec(),
            ),
        ),
        (
            "<f2",
            little(
                [0x3c00_u16, 0, 0x4200, 0x4400]
                    .map(|n| n.to_le_bytes().to_vec())
                    .to_vec(),
            ),
        ),
        (
            "<i2",
            little([1_i16, 0, 3, 4].map(|n| n.to_le_bytes().to_vec()).to_vec()),
        ),
        (
            ">u8",
            little([1_u64, 0, 3, 4].map(|n| n.to_be_bytes().to_vec()).to_vec()),
        ),
        ("|i1", vec![1, 0, 3, 4]),
    ] {
        let x = npy(descr, "(2, 2)", &elements);
        let dataset = made(&x, &labels(), &args(vector("x"), Classes::Count(2))).unwrap();
        assert_eq!(dataset.x["x"].to_f32(), [1.0, 0.0, 3.0, 4.0], "{descr}");
        assert_eq!(dataset.schema.x["x"], [Some(2)]);
        assert_eq!(dataset.y.to_i64(), [1, 0]);
    }
}

#[test]
fn bytes_of_images_stay_bytes_and_texts_are_labels() {
    let x = npy("|u1", "(2, 1, 2)", &[0, 255, 7, 8]);
    let unicode = |text: &str| {
        text.chars()
            .flat_map(|c| (c as u32).to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let y = npy("<U3", "(2,)", &[unicode("dog"), unicode("ox\0")].concat());
    let classes = Classes::Names(vec!["ox".to_owned(), "dog".to_owned()]);
    let dataset = made(&x, &y, &args(pixels("x", [1, 1, 2]), classes)).unwrap();
    assert_eq!(
        dataset.x["x"],
        crate::safetensors::Array::from_u8(vec![2, 1, 1, 2], vec![0, 255, 7, 8])
    );
    assert_eq!(dataset.y.to_i64(), [1, 0]);
    // Of names where numbers are declared.
    let failure = made(&x, &y, &args(pixels("x", [1, 1, 2]), Classes::Count(2))).unwrap_err();
    assert_eq!(
        failure.message,
        "the label `dog` is not an integer at row 0 in column `y`"
    );
    assert!(failure.help.unwrap().contains("list them"));
}

#[test]
fn archives_hold_several_arrays() {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, file) in [("a.npy", npy("|u1", "(2,)", &[5, 6])), ("y.npy", labels())] {
        zip.start_file(name, zip::write::FileOptions::default()).unwrap();
        zip.write_all(&file).unwrap();
    }
    let archive = zip.finish().unwrap().into_inner();
    let arrays = opened("d", &archive).unwrap();
    let names: Vec<&str> = arrays.iter().map(|array| array.name.as_str()).collect();
    assert_eq!(names, ["d.a", "d.y"]);
    for cut in 0..archive.len() {
        assert!(opened("d", &archive[..cut]).is_err(), "{cut}");
    }
    let tensors = BTreeMap::from([(
        "t".to_owned(),
        crate::safetensors::Array::from_f32(vec![2, 1], &[1.5, 2.5]),
    )]);
    let file = crate::safetensors::encode(&tensors);
    let arrays = opened("s", &file).unwrap();
    assert_eq!(
        (arrays[0].name.as_str(), arrays[0].value(1, 0)),
        ("s.t", Value::Float(2.5))
    );
    for cut in 0..file.len() {
        assert_eq!(opened("s", &file[..cut]).unwrap_err().code, "B0125", "{cut}");
    }
}

#[test]
fn what_is_wrong_with_an_array_is_said() {
    let file = npy("|u1", "(2, 1, 2)", &[0, 255, 7, 8]);
    for cut in 0..file.len() {
        assert_eq!(opened("x", &file[..cut]).unwrap_err().code, "B0125", "{cut}");
    }
    let said = |file: &[u8]| {
        let failure = opened("x", file).unwrap_err();
        (failure.message, failure.help.unwrap())
    };
    assert!(said(&npy("|O", "(2,)", &[])).1.contains("astype"));
    assert!(
        said(&npy("<c8", "(2,)", &[0; 16]))
            .0
            .contains("`<c8`, which is not read")
    );
    assert!(said(&npy("|u1", "()", &[1])).0.contains("a single number"));
    assert!(
        said(&npy("|u1", "(18446744073709551615, 18446744073709551615)", &[]))
            .0
            .contains("do not make")
    );
    let at = file.windows(5).position(|text| text == b"False").unwrap();
    let fortran = [&file[..at], b"True ", &file[at + 5..]].concat();
    assert!(said(&fortran).1.contains("ascontiguousarray"));
    let classes = || Classes::Count(2);
    let last = npy("|u1", "(2, 1, 2, 3)", &[0; 12]);
    let failure = made(&last, &labels(), &args(pixels("x", [3, 1, 2]), classes())).unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.argument.as_deref()),
        ("B0124", Some("x"))
    );
    assert!(failure.help.unwrap().contains("transpose(0, 3, 1, 2)"));
    let three = npy("|u1", "(3, 1)", &[0; 3]);
    assert_eq!(
        made(&three, &labels(), &args(vector("x"), classes()))
            .unwrap_err()
            .message,
        "`y` has 2 rows, but `x` 3: each row is an example"
    );
    let nan = npy("<f4", "(2, 1)", &[1.0, f32::NAN].map(f32::to_le_bytes).concat());
    assert_eq!(
        made(&nan, &labels(), &args(vector("x"), classes()))
            .unwrap_err()
            .message,
        "`NaN` is not a finite number at row 1 in column `x`"
    );
    let wide = npy("|u1", "(2, 2)", &[0; 4]);
    assert_eq!(
        made(&wide, &wide, &args(vector("x"), classes()))
            .unwrap_err()
            .code,
        "B0124"
    );
    let unknown = made(&wide, &labels(), &args(vector("z"), classes())).unwrap_err();
    assert_eq!(unknown.code, "B0101");
}
