//! Files of arrays, told apart by their first bytes.

use super::element::{Element, Stored};
use super::npy;
use crate::bytes::Bytes;
use crate::files;
use crate::safetensors;
use crate::spool::Spool;
use mlp_protocol::message::{Failure, Outcome};
use std::io::{Cursor, Read};
use std::path::Path;

/// The arrays of the file that the pipeline calls `name`: one of that name, or several, `NAME.ARRAY`.
///
/// # Errors
/// When the file is damaged, or of another format.
pub(super) fn arrays(path: &Path, name: &str) -> Outcome<Vec<Stored>> {
    let shown = format!("the file `{name}`");
    let file = files::map(path, &shown)?;
    match file[..] {
        [0x93, b'N', ..] => Ok(vec![of_npy(&file, name.to_owned(), &shown)?]),
        [b'P', b'K', 3 | 5, 4 | 6, ..] => of_npz(&file, name, &shown),
        _ => of_safetensors(path, &file, name, &shown),
    }
}

fn wrong(shown: &str, why: &str, help: &str) -> Box<Failure> {
    Failure::new("B0125", format!("{shown} {why}"))
        .argument("files")
        .help(help)
}

fn of_npy(file: &Bytes, name: String, shown: &str) -> Outcome<Stored> {
    let described = npy::describe(file).map_err(|(why, help)| wrong(shown, &why, help))?;
    let end = file.len();
    let bytes = file.slice(described.start..end);
    let stored = Stored {
        name,
        element: described.element,
        big_endian: described.big_endian,
        shape: described.shape,
        bytes: bytes.unwrap_or_else(|| Vec::new().into()),
    };
    whole(stored, shown)
}

/// Holds the bytes of an array against its shape.
fn whole(stored: Stored, shown: &str) -> Outcome<Stored> {
    if stored.shape.is_empty() {
        return Err(wrong(
            shown,
            "holds a single number, not one row an example",
            "its first dimension is the examples",
        ));
    }
    let expected = stored
        .shape
        .iter()
        .try_fold(stored.element.size() as u64, |product, size| {
            product.checked_mul(*size)
        });
    if expected == Some(stored.bytes.len() as u64) {
        return Ok(stored);
    }
    let has = stored.bytes.len();
    Err(wrong(
        shown,
        &format!(
            "is damaged: {has} bytes of elements do not make the shape {:?}",
            stored.shape
        ),
        "write it anew",
    ))
}

fn of_npz(file: &[u8], name: &str, shown: &str) -> Outcome<Vec<Stored>> {
    let damaged = |error: &dyn std::fmt::Display| {
        wrong(
            shown,
            &format!("is damaged: {error}"),
            "write it anew by `numpy.savez`",
        )
    };
    let mut archive = zip::ZipArchive::new(Cursor::new(file)).map_err(|error| damaged(&error))?;
    let mut found = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| damaged(&error))?;
        let array = entry
            .name()
            .strip_suffix(".npy")
            .unwrap_or(entry.name())
            .to_owned();
        let (mut spool, mut chunk) = (Spool::default(), vec![0; 1 << 16]);
        loop {
            match entry.read(&mut chunk).map_err(|error| damaged(&error))? {
                0 => break,
                count => spool.put(&chunk[..count])?,
            }
        }
        let shown = format!("the array `{array}` of {shown}");
        found.push(of_npy(&spool.finish()?, format!("{name}.{array}"), &shown)?);
    }
    Ok(found)
}

fn of_safetensors(path: &Path, file: &Bytes, name: &str, shown: &str) -> Outcome<Vec<Stored>> {
    let described = safetensors::describe(path).map_err(|why| {
        let help = "files are told apart by their first bytes; write it anew by `numpy.save`, `numpy.savez` or safetensors";
        wrong(shown, &format!("is no .npy, .npz or .safetensors file: {why}"), help)
    })?;
    let mut found = Vec::new();
    for (array, described) in described {
        let shown = format!("the tensor `{array}` of {shown}");
        let element = match described.dtype.as_str() {
            "BOOL" => Element::Bool,
            "I8" => Element::I8,
            "I16" => Element::I16,
            "I32" => Element::I32,
            "I64" => Element::I64,
            "U8" => Element::U8,
            "U16" => Element::U16,
            "U32" => Element::U32,
            "U64" => Element::U64,
            "F16" => Element::F16,
            "BF16" => Element::Bf16,
            "F32" => Element::F32,
            "F64" => Element::F64,
            other => {
                let why = format!("has elements of the type {other}, which is not read");
                return Err(wrong(&shown, &why, "convert it to float32 before it is written"));
            }
        };
        let stored = Stored {
            name: format!("{name}.{array}"),
            element,
            big_endian: false,
            shape: described.shape.clone(),
            bytes: described.bytes_of(file).unwrap_or_else(|| Vec::new().into()),
        };
        found.push(whole(stored, &shown)?);
    }
    Ok(found)
}
