//! What differs first between two contents, in words: the file, and in it the tensor and element, the field, or the
//! byte. For `--check` and for steps that turn out not to be deterministic. Talks to the store.

use crate::model::node::{Entry, Node};
use crate::store::{Store, StoreError};
use serde_json::Value;
use std::collections::BTreeMap;

/// What differs first between `registered` and `built`; none where they are the same.
pub fn difference(store: &Store, registered: &Node, built: &Node) -> Result<Option<String>, StoreError> {
    differ(store, registered, built, "")
}

fn differ(store: &Store, registered: &Node, built: &Node, at: &str) -> Result<Option<String>, StoreError> {
    if registered == built {
        return Ok(None);
    }
    match (registered, built) {
        (Node::Dir { tree: one }, Node::Dir { tree: other }) => {
            let (one, other) = (store.tree(*one)?.entries, store.tree(*other)?.entries);
            let mut names: Vec<&String> = one.keys().chain(other.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let path = if at.is_empty() {
                    name.clone()
                } else {
                    format!("{at}/{name}")
                };
                if let Some(words) = differ_entry(store, one.get(name), other.get(name), &path)? {
                    return Ok(Some(words));
                }
            }
            Ok(None)
        }
        (Node::File { .. }, Node::File { .. }) => {
            let words = differ_bytes(&store.read(registered)?, &store.read(built)?, at);
            let place = if at.is_empty() {
                String::new()
            } else {
                format!("`{at}`: ")
            };
            Ok(Some(format!("{place}{words}")))
        }
        _ => Ok(Some(format!(
            "`{at}` is a file in one and a directory in the other"
        ))),
    }
}

fn differ_entry(
    store: &Store,
    registered: Option<&Entry>,
    built: Option<&Entry>,
    path: &str,
) -> Result<Option<String>, StoreError> {
    Ok(match (registered, built) {
        (Some(Entry::Node(one)), Some(Entry::Node(other))) => return differ(store, one, other, path),
        (Some(one), Some(other)) if one == other => None,
        (Some(_), None) => Some(format!("`{path}` is missing now")),
        (None, Some(_)) => Some(format!("`{path}` was not there before")),
        _ => Some(format!("`{path}` is another link")),
    })
}

/// What differs first between two files' bytes.
fn differ_bytes(registered: &[u8], built: &[u8], name: &str) -> String {
    let by_kind = if name.ends_with(".safetensors") {
        differ_tensors(registered, built)
    } else {
        differ_json(registered, built)
    };
    by_kind.unwrap_or_else(
        || match registered.iter().zip(built).position(|(one, other)| one != other) {
            Some(byte) => format!("byte {byte} is {} instead of {}", built[byte], registered[byte]),
            None => format!("it has {} bytes instead of {}", built.len(), registered.len()),
        },
    )
}

fn differ_json(registered: &[u8], built: &[u8]) -> Option<String> {
    let one: Value = serde_json::from_slice(registered).ok()?;
    let other: Value = serde_json::from_slice(built).ok()?;
    differ_values(&one, &other, "")
}

fn differ_values(one: &Value, other: &Value, at: &str) -> Option<String> {
    match (one, other) {
        (Value::Object(first), Value::Object(second)) => {
            let names: std::collections::BTreeSet<&String> = first.keys().chain(second.keys()).collect();
            names.into_iter().find_map(|name| {
                let path = if at.is_empty() {
                    name.clone()
                } else {
                    format!("{at}.{name}")
                };
                match (first.get(name), second.get(name)) {
                    (Some(one), Some(other)) => differ_values(one, other, &path),
                    (Some(_), None) => Some(format!("`{path}` is missing now")),
                    _ => Some(format!("`{path}` was not there before")),
                }
            })
        }
        (Value::Array(first), Value::Array(second)) if first.len() == second.len() => first
            .iter()
            .zip(second)
            .enumerate()
            .find_map(|(index, (one, other))| differ_values(one, other, &format!("{at}[{index}]"))),
        _ if one == other => None,
        _ => Some(format!("`{at}` is {other} instead of {one}")),
    }
}

/// A tensor in a safetensors file.
struct Tensor<'a> {
    dtype: String,
    shape: Value,
    bytes: &'a [u8],
}

fn differ_tensors(registered: &[u8], built: &[u8]) -> Option<String> {
    let (one, other) = (tensors(registered)?, tensors(built)?);
    let names: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    names
        .into_iter()
        .find_map(|name| match (one.get(name), other.get(name)) {
            (Some(one), Some(other)) => differ_tensor(name, one, other),
            (Some(_), None) => Some(format!("the tensor `{name}` is missing now")),
            _ => Some(format!("the tensor `{name}` was not there before")),
        })
}

fn differ_tensor(name: &str, one: &Tensor<'_>, other: &Tensor<'_>) -> Option<String> {
    if (&one.dtype, &one.shape) != (&other.dtype, &other.shape) {
        return Some(format!(
            "the tensor `{name}` is {}{} instead of {}{}",
            other.dtype, other.shape, one.dtype, one.shape
        ));
    }
    let size = match one.dtype.as_str() {
        "F64" | "I64" | "U64" => 8,
        "F32" | "I32" | "U32" => 4,
        "F16" | "BF16" | "I16" | "U16" => 2,
        _ => 1,
    };
    let elements = one.bytes.chunks(size).zip(other.bytes.chunks(size)).enumerate();
    let (index, (was, is)) = elements.into_iter().find(|(_, (was, is))| was != is)?;
    let (was, is) = (element(&one.dtype, was), element(&one.dtype, is));
    Some(format!(
        "the tensor `{name}` has {is} instead of {was} in element {index} of {}",
        one.shape
    ))
}

/// An element in words; its bytes where the type is none that people read.
fn element(dtype: &str, bytes: &[u8]) -> String {
    match (dtype, bytes) {
        ("F32", &[a, b, c, d]) => f32::from_le_bytes([a, b, c, d]).to_string(),
        ("I32", &[a, b, c, d]) => i32::from_le_bytes([a, b, c, d]).to_string(),
        ("F64", &[a, b, c, d, e, f, g, h]) => f64::from_le_bytes([a, b, c, d, e, f, g, h]).to_string(),
        ("I64", &[a, b, c, d, e, f, g, h]) => i64::from_le_bytes([a, b, c, d, e, f, g, h]).to_string(),
        _ => format!("{bytes:02x?}"),
    }
}

/// The tensors of a safetensors file: a header's length in eight bytes, its JSON, the data. None where it is no such
/// file.
fn tensors(file: &[u8]) -> Option<BTreeMap<String, Tensor<'_>>> {
    let (length, rest) = file.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (header, data) = rest.split_at_checked(length)?;
    let header: BTreeMap<String, Value> = serde_json::from_slice(header).ok()?;
    header
        .into_iter()
        .filter(|(name, _)| name != "__metadata__")
        .map(|(name, entry)| {
            let offset = |index: usize| usize::try_from(entry["data_offsets"][index].as_u64()?).ok();
            let bytes = data.get(offset(0)?..offset(1)?)?;
            let dtype = entry["dtype"].as_str()?.to_owned();
            Some((
                name,
                Tensor {
                    dtype,
                    shape: entry["shape"].clone(),
                    bytes,
                },
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(values: &[f32]) -> Vec<u8> {
        let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let header = format!(
            r#"{{"w":{{"dtype":"F32","shape":[{}],"data_offsets":[0,{}]}}}}"#,
            values.len(),
            data.len()
        );
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.bytes());
        file.extend(data);
        file
    }

    #[test]
    fn the_first_element_that_differs_is_named() {
        let words = differ_bytes(&file(&[1.0, 2.0]), &file(&[1.0, 2.5]), "a.safetensors");
        assert_eq!(words, "the tensor `w` has 2.5 instead of 2 in element 1 of [2]");
        let words = differ_bytes(&file(&[1.0]), &file(&[1.0, 2.5]), "a.safetensors");
        assert_eq!(words, "the tensor `w` is F32[2] instead of F32[1]");
    }

    #[test]
    fn the_first_field_that_differs_is_named() {
        let words = differ_bytes(br#"{"a":[1,{"b":2}]}"#, br#"{"a":[1,{"b":3}]}"#, "m.json");
        assert_eq!(words, "`a[1].b` is 3 instead of 2");
    }

    #[test]
    fn other_files_are_compared_by_bytes() {
        assert_eq!(differ_bytes(b"abc", b"abd", "x"), "byte 2 is 100 instead of 99");
        assert_eq!(differ_bytes(b"abc", b"ab", "x"), "it has 2 bytes instead of 3");
        // A header that lies about its length is no reason to fail.
        assert_eq!(
            differ_bytes(&[255; 9], &[254; 9], "a.safetensors"),
            "byte 0 is 254 instead of 255"
        );
    }

    #[test]
    fn the_first_file_of_a_directory_that_differs_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        let tree = |text: &[u8]| {
            let same = store.add_bytes(b"same").unwrap();
            let file = store.add_bytes(text).unwrap();
            let entries = [("a", same), ("b.txt", file)];
            let entries = entries.map(|(name, node)| (name.to_owned(), Entry::Node(node)));
            store
                .add_tree(&crate::model::node::Tree {
                    entries: entries.into(),
                })
                .unwrap()
        };
        let (one, other) = (tree(b"x"), tree(b"y"));
        assert_eq!(difference(&store, &one, &one).unwrap(), None);
        let words = difference(&store, &one, &other).unwrap();
        assert_eq!(words.as_deref(), Some("`b.txt`: byte 0 is 121 instead of 120"));
    }
}
