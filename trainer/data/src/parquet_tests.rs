//! Tests of Parquet files, which are written here by the format's own crate.

use super::*;
use ::parquet::basic::{Compression, GzipLevel, ZstdLevel};
use ::parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type};
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;
use serde_json::{Value as Json, json};
use std::io::Write;
use std::sync::Arc;

const SCHEMA: &str = "message schema {
    REQUIRED INT32 digit;
    OPTIONAL DOUBLE size;
    OPTIONAL BYTE_ARRAY name (UTF8);
    REQUIRED GROUP at { REQUIRED INT32 price (DECIMAL(9, 2)); }
    OPTIONAL GROUP all (LIST) { REPEATED GROUP list { OPTIONAL INT32 element; } }
}";

/// Rows of two groups: digits 0, 1, 2 and 0, 1, 2; every second size missing; names; prices; and lists.
fn file(compression: Compression) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut file = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut file, schema, Arc::new(properties)).unwrap();
    for _ in 0..2 {
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column
            .typed::<Int32Type>()
            .write_batch(&[0, 1, 2], None, None)
            .unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column
            .typed::<DoubleType>()
            .write_batch(&[0.5, 2.5], Some(&[1, 0, 1]), None)
            .unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let names = ["a", "b,b", "c"].map(ByteArray::from);
        column
            .typed::<ByteArrayType>()
            .write_batch(&names, Some(&[1, 1, 1]), None)
            .unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column
            .typed::<Int32Type>()
            .write_batch(&[150, -25, 0], None, None)
            .unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column
            .typed::<Int32Type>()
            .write_batch(&[1, 2], Some(&[3, 3, 0, 0]), Some(&[0, 1, 0, 0]))
            .unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.close().unwrap();
    file
}

fn made(file: &[u8], args: &Json) -> Outcome<Dataset> {
    let mut on_disk = tempfile::tempfile().unwrap();
    on_disk.write_all(file).unwrap();
    let call = json!({ "builtin": "data.parquet", "args": args, "inputs": {}, "outputs": {}, "workers": 1 });
    let call: Call = serde_json::from_value(call).unwrap();
    let args = program::arguments(&call).unwrap();
    read(on_disk, &args, &call, |_, _| Ok(()))
}

fn args() -> Json {
    json!({
        "x": { "kind": "numeric", "col": "size", "missing": -1.0 },
        "y": { "kind": "label", "col": "digit", "classes": 3 },
        "meta": ["name"],
    })
}

#[test]
fn columns_are_read_however_they_are_compressed() {
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::ZSTD(ZstdLevel::default()),
        Compression::GZIP(GzipLevel::default()),
    ] {
        let dataset = made(&file(compression), &args()).unwrap();
        assert_eq!(
            dataset.x["x"].to_f32(),
            [0.5, -1.0, 2.5, 0.5, -1.0, 2.5],
            "{compression}"
        );
        assert_eq!(dataset.y.to_i64(), [0, 1, 2, 0, 1, 2]);
        assert_eq!(
            dataset.meta.as_deref(),
            Some("name\na\n\"b,b\"\nc\na\n\"b,b\"\nc\n")
        );
    }
}

#[test]
fn columns_of_groups_and_decimals_are_read() {
    let mut args = args();
    args["x"] = json!({ "kind": "vector", "cols": ["at.price", "digit"] });
    args["y"] = json!({ "kind": "label", "col": "name", "classes": ["a", "b,b", "c"] });
    let dataset = made(&file(Compression::SNAPPY), &args).unwrap();
    assert_eq!(dataset.x["x"].to_f32()[..6], [1.5, 0.0, -0.25, 1.0, 0.0, 2.0]);
    assert_eq!(dataset.y.to_i64()[..3], [0, 1, 2]);
}

#[test]
fn what_a_codec_cannot_read_is_told_with_its_row() {
    let whole = file(Compression::SNAPPY);
    let said = |key: &str, codec: Json| {
        let mut args = args();
        args[key] = codec;
        let failure = made(&whole, &args).unwrap_err();
        (failure.code, failure.message)
    };
    assert_eq!(
        said("x", json!({ "kind": "numeric", "col": "size" })),
        (
            "B0104".to_owned(),
            "an empty cell at row 1 in column `size`".to_owned()
        )
    );
    assert_eq!(
        said("y", json!({ "kind": "label", "col": "name", "classes": 3 })).1,
        "the label `a` is not an integer at row 0 in column `name`"
    );
    assert_eq!(
        said("y", json!({ "kind": "label", "col": "digit", "classes": 2 })).1,
        "the label 2 is outside the 2 classes (0 to 1) at row 2 in column `digit`"
    );
    assert_eq!(
        said("x", json!({ "kind": "vector", "cols": "all*" })).1,
        "the column `all.list.element` holds lists, which are not read"
    );
    assert_eq!(said("x", json!({ "kind": "vector", "cols": "sizes" })).0, "B0101");
}

#[test]
fn every_cut_is_refused_and_no_damage_panics() {
    let whole = file(Compression::UNCOMPRESSED);
    for cut in 0..whole.len() {
        assert_eq!(made(&whole[..cut], &args()).unwrap_err().code, "B0126", "{cut}");
    }
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= [0x01, 0x80, 0xff][at % 3];
        let _ = made(&damaged, &args());
    }
}

#[test]
fn what_it_holds_can_be_drafted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.parquet");
    std::fs::write(&path, file(Compression::SNAPPY)).unwrap();
    let draft = crate::infer::infer(&path, "./rows.parquet").unwrap();
    insta::assert_snapshot!(format!("{}\n\n{}", draft.notes.join("\n"), draft.declaration));
    std::fs::write(&path, &file(Compression::SNAPPY)[..200]).unwrap();
    assert!(crate::infer::infer(&path, "./rows.parquet").is_err());
}
