//! Reading inputs and writing outputs, with failures that name the file; and JSON with sorted keys.

use crate::bytes::Bytes;
use mlp_protocol::message::{Failure, Outcome};
use serde::Serialize;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// The whole content of an input.
///
/// # Errors
/// When it cannot be read; `name` is what the message calls it.
pub fn read(path: &Path, name: &str) -> Outcome<Vec<u8>> {
    refuse_directory(path, name)?;
    fs::read(path).map_err(|error| cannot_read(name, &error))
}

/// The content of an input, read as it is looked at: of files that may be large.
///
/// # Errors
/// When it cannot be read; `name` is what the message calls it.
pub fn map(path: &Path, name: &str) -> Outcome<Bytes> {
    refuse_directory(path, name)?;
    Bytes::map(path).map_err(|error| cannot_read(name, &error))
}

fn refuse_directory(path: &Path, name: &str) -> Outcome<()> {
    if path.is_dir() {
        return Err(
            Failure::new("B0002", format!("{name} is a directory, but a file belongs here"))
                .help("name the file inside the directory"),
        );
    }
    Ok(())
}

fn cannot_read(name: &str, error: &std::io::Error) -> Box<Failure> {
    Failure::new("B0002", format!("{name} cannot be read: {error}"))
}

/// Writes a file of an output.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, content: &[u8]) -> Outcome<()> {
    fs::write(path, content).map_err(|error| cannot_write(path, &error))
}

/// Writes a file and waits until it is durable.
///
/// # Errors
/// When it cannot be written.
pub fn write_durably(path: &Path, content: &[u8]) -> Outcome<()> {
    let written = File::create(path).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    written.map_err(|error| cannot_write(path, &error))
}

/// Makes the directory of an output.
///
/// # Errors
/// When it cannot be made.
pub fn create_dir(path: &Path) -> Outcome<()> {
    fs::create_dir_all(path).map_err(|error| cannot_write(path, &error))
}

/// Sorted keys, shortest round-trip floats, two spaces of indentation, a newline at the end: one text for one value.
pub fn json(value: &impl Serialize) -> Vec<u8> {
    // `Value`'s maps are sorted; going through it sorts the fields of structs as well. Our values are plain data with
    // string keys, which always serialise.
    let value = serde_json::to_value(value).unwrap_or(serde_json::Value::Null);
    let mut text = serde_json::to_vec_pretty(&value).unwrap_or_default();
    text.push(b'\n');
    text
}

/// The failure of a write.
pub fn cannot_write(path: &Path, error: &std::io::Error) -> Box<Failure> {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    Failure::new("B0002", format!("{name} cannot be written: {error}"))
}
