//! Golden bytes, refusals and round trips of the canonical encoding.

use super::*;
use crate::base::digest::{Context, Digest};
use proptest::prelude::*;

fn encode(value: &Value) -> Result<Vec<u8>, EncodeError> {
    let mut writer = Writer::new(7);
    value.write(&mut writer);
    writer.finish()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_bytes_of_a_string_are_those_of_the_document() {
    let bytes = encode(&Value::Str("lr".into())).unwrap();
    assert_eq!(
        hex(&bytes),
        "6d6c7000070004".to_owned() + "0200000000000000" + "6c72"
    );
}

#[test]
fn golden_digest() {
    let value = Value::Record(BTreeMap::from([
        (
            1,
            Value::Map(BTreeMap::from([
                ("a".into(), Value::Int(-1)),
                ("b".into(), Value::Null),
            ])),
        ),
        (
            2,
            Value::List(vec![
                Value::Float(0.1),
                Value::Bool(true),
                Value::Bytes(vec![0, 255]),
            ]),
        ),
        (
            300,
            Value::Variant(
                "conv2d".into(),
                BTreeMap::from([("bias".into(), Value::Bool(false))]),
            ),
        ),
    ]));
    let digest = Digest::of(Context::StaticKey, &encode(&value).unwrap());
    assert_eq!(
        digest.to_string(),
        "5012287f4567056fa5c322c52c6c578dfbba9d72f014c9275b572d6b17a1d61f"
    );
}

#[test]
fn what_has_no_canonical_form_is_refused() {
    assert_eq!(encode(&Value::Float(f64::NAN)), Err(EncodeError::NotFinite));
    assert_eq!(
        encode(&Value::List(vec![Value::Float(f64::INFINITY)])),
        Err(EncodeError::NotFinite)
    );
    let mut writer = Writer::new(1);
    writer.map(|map| {
        map.entry("a", Writer::null);
        map.entry("a", Writer::null);
    });
    assert_eq!(writer.finish(), Err(EncodeError::Unsorted("a".into())));
    let mut writer = Writer::new(1);
    writer.record(|record| {
        record.field(2, Writer::null);
        record.field(1, Writer::null);
    });
    assert_eq!(writer.finish(), Err(EncodeError::UnsortedField(1)));
}

#[test]
fn minus_zero_is_zero() {
    assert_eq!(encode(&Value::Float(-0.0)), encode(&Value::Float(0.0)));
}

#[test]
fn a_decoder_refuses_what_a_writer_would_not_write() {
    let refused = |bytes: &[u8], what: &str| {
        let error = decode(7, bytes).unwrap_err();
        assert_eq!(error.what, what);
    };
    let header = b"mlp\0\x07\0";
    let with = |payload: &[u8]| [&header[..], payload].concat();
    refused(b"elf\0\x07\0\0", "the magic number is missing");
    refused(b"mlp\0\x08\0", "another schema");
    refused(&with(&[]), "it ends too early");
    refused(&with(&[NULL, 0, 0, 0, 0, 0, 0, 0, 0, 1]), "bytes after the value");
    refused(
        &with(&[NULL, 1, 0, 0, 0, 0, 0, 0, 0, 1]),
        "a value is longer than it should be",
    );
    refused(
        &with(&[BOOL, 1, 0, 0, 0, 0, 0, 0, 0, 2]),
        "a truth value is 0 or 1",
    );
    refused(&with(&[STR, 1, 0, 0, 0, 0, 0, 0, 0, 0xff]), "not UTF-8");
    refused(&with(&[10, 0, 0, 0, 0, 0, 0, 0, 0]), "an unknown tag");
    refused(
        &with(&[STR, 255, 255, 255, 255, 255, 255, 255, 255]),
        "it ends too early",
    );
    let minus_zero = (-0.0_f64).to_bits().to_le_bytes();
    refused(
        &with(&[&[FLOAT, 8, 0, 0, 0, 0, 0, 0, 0], &minus_zero[..]].concat()),
        "a float without canonical form",
    );
}

#[test]
fn swapped_and_repeated_keys_are_refused() {
    let mut writer = Writer::new(7);
    writer.map(|map| {
        map.entry("b", Writer::null);
        map.entry("a", Writer::null);
    });
    let error = decode(7, &writer.bytes).unwrap_err();
    assert_eq!(error.what, "a key is written twice or out of order");
}

#[test]
fn deep_nesting_is_an_error_and_no_overflow() {
    let mut value = Value::Null;
    for _ in 0..DEPTH + 1 {
        value = Value::List(vec![value]);
    }
    let bytes = encode(&value).unwrap();
    assert_eq!(decode(7, &bytes).unwrap_err().what, "nested too deeply");
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        proptest::num::f64::NORMAL.prop_map(Value::Float),
        ".{0,8}".prop_map(Value::Str),
        proptest::collection::vec(any::<u8>(), 0..8).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let map = proptest::collection::btree_map(".{0,4}", inner.clone(), 0..5);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
            map.clone().prop_map(Value::Map),
            (".{0,4}", map).prop_map(|(name, fields)| Value::Variant(name, fields)),
            proptest::collection::btree_map(any::<u16>(), inner, 0..5).prop_map(Value::Record),
        ]
    })
}

proptest! {
    #[test]
    fn decoding_gives_back_what_was_encoded(value in values()) {
        let bytes = encode(&value).unwrap();
        prop_assert_eq!(decode(7, &bytes).unwrap(), value);
    }

    #[test]
    fn whatever_decodes_encodes_to_the_same_bytes(value in values(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = encode(&value).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(value) = decode(7, &bytes) {
            prop_assert_eq!(encode(&value).unwrap(), bytes);
        }
    }
}
