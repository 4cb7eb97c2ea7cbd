//! The files of `torch.save`: a zip with the pickle `data.pkl` and a file a storage, or what PyTorch wrote before 1.6: one
//! pickle after the other, then the storages.

use super::Stored;
use super::pickle::{Machine, Value, View};
use crate::bytes::Bytes;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::rc::Rc;
use zip::{CompressionMethod, ZipArchive};

/// How a zip begins.
const ZIP: &[u8] = b"PK\x03\x04";
/// How a file of before begins: pickle's version 2, and the number 0x1950a86a20f9469cfc6c.
const LEGACY: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";

type Tensors = BTreeMap<String, Stored>;

/// The tensors of a file by their paths, or in words why not; none where it is no file of `torch.save`.
pub(super) fn read(file: &Bytes) -> Option<Result<Tensors, String>> {
    if file.starts_with(ZIP) {
        return Some(zipped(file));
    }
    file.starts_with(LEGACY).then(|| legacy(file))
}

fn zipped(file: &Bytes) -> Result<Tensors, String> {
    let mut archive = ZipArchive::new(Cursor::new(&file[..])).map_err(|error| error.to_string())?;
    let names = archive.file_names().map(str::to_owned);
    let mut pickles: Vec<String> = names.filter(|name| name.ends_with("/data.pkl")).collect();
    pickles.sort();
    let (Some(name), None) = (pickles.pop(), pickles.pop()) else {
        return Err("it is a zip, and not of `torch.save`: it has not one `data.pkl`".to_owned());
    };
    let root = name.trim_end_matches("data.pkl").to_owned();
    let mut entry = |name: &str| entry(file, &mut archive, name);
    if entry(&format!("{root}byteorder")).is_ok_and(|order| order.starts_with(b"big")) {
        return Err("it is of a machine with the other order of bytes".to_owned());
    }
    let pickle = entry(&name)?;
    let mut machine = Machine::new(&pickle, 0);
    let value = machine.run()?;
    let views = machine.tensors(&value)?;
    gathered(views, |key| entry(&format!("{root}data/{key}")))
}

/// The bytes of an entry.
fn entry(file: &Bytes, archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> Result<Bytes, String> {
    let entry = archive
        .by_name(name)
        .map_err(|error| format!("{name}: {error}"))?;
    // `torch.save` packs nothing; what is packed could unpack to anything.
    if entry.compression() != CompressionMethod::Stored {
        return Err(format!("{name} is compressed, which `torch.save` does not do"));
    }
    let (start, size) = (entry.data_start() as usize, entry.size() as usize);
    let end = start.checked_add(size).ok_or("it is cut short")?;
    file.slice(start..end).ok_or_else(|| "it is cut short".to_owned())
}

fn legacy(file: &Bytes) -> Result<Tensors, String> {
    let mut at = LEGACY.len();
    // The version of the format, and what the machine was that wrote it.
    let next = |at: &mut usize| -> Result<(Machine<'_>, Value), String> {
        let mut machine = Machine::new(file, *at);
        let value = machine.run()?;
        *at = machine.at;
        Ok((machine, value))
    };
    let (_, version) = next(&mut at)?;
    if !matches!(version, Value::Int(1001)) {
        return Err("it is of a version that is not known".to_owned());
    }
    next(&mut at)?;
    let (machine, value) = next(&mut at)?;
    let views = machine.tensors(&value)?;
    let (machine, keys) = next(&mut at)?;
    let keys = machine.texts(&keys).ok_or("its storages have no names")?;
    let sizes: BTreeMap<&str, usize> = views
        .values()
        .map(|view| (view.source.key.as_str(), view.source.element.size()))
        .collect();
    let mut storages = BTreeMap::new();
    for key in keys {
        let cut = || "it is cut short".to_owned();
        let rest = &file[at..];
        let (count, _) = rest.split_first_chunk::<8>().ok_or_else(cut)?;
        // A storage that no tensor looks into has elements of unknown size: what follows it cannot be found.
        let size = sizes
            .get(key.as_str())
            .ok_or("it has a storage that is no tensor's")?;
        let length = usize::try_from(u64::from_le_bytes(*count)).ok();
        let length = length
            .and_then(|count| count.checked_mul(*size))
            .ok_or_else(cut)?;
        let end = (at + 8).checked_add(length).ok_or_else(cut)?;
        storages.insert(key, file.slice(at + 8..end).ok_or_else(cut)?);
        at = end;
    }
    gathered(views, |key| {
        let storage = storages.get(key).ok_or("a storage is not there")?;
        Ok(storage.clone())
    })
}

/// The tensors of views; each storage is read once.
fn gathered(
    views: BTreeMap<String, Rc<View>>,
    mut storage: impl FnMut(&str) -> Result<Bytes, String>,
) -> Result<Tensors, String> {
    let mut read: BTreeMap<String, Bytes> = BTreeMap::new();
    let mut tensors = BTreeMap::new();
    for (name, view) in views {
        let key = &view.source.key;
        if !read.contains_key(key) {
            read.insert(key.clone(), storage(key)?);
        }
        tensors.insert(name, view.stored(&read[key])?);
    }
    Ok(tensors)
}
