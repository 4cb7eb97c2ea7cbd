//! Drafts for `.npy`, `.npz` and `.safetensors` files.

use super::{Draft, Place, Unclear, literal};
use crate::safetensors;
use serde_json::json;
use std::fs::File;
use std::io::Read;

/// Names that labels have.
const LABELS: &[&str] = &["y", "label", "labels", "target", "targets", "classes"];

/// An array of one of the files.
struct Found {
    /// What a codec calls it: the file's name in the declaration, and the array's in a file of several.
    column: String,
    shape: Vec<u64>,
    /// The type of its elements: `<f4`, `F32`.
    dtype: String,
}

pub(super) fn draft(files: &[Place]) -> Result<Draft, Unclear> {
    let mut arrays = Vec::new();
    let mut taken = Vec::new();
    let mut sources = Vec::new();
    for place in files {
        let stem = place.name().split('.').next().unwrap_or_default();
        let name = literal::name(stem, &taken);
        taken.push(name.clone());
        sources.push(format!("{name}: {}", literal::path(&place.written)));
        arrays.extend(arrays_of(place, &name)?);
    }
    let is_label = |array: &Found| {
        let last = array.column.rsplit('.').next().unwrap_or_default().to_lowercase();
        LABELS.contains(&last.as_str()) || LABELS.iter().any(|label| last.ends_with(&format!("_{label}")))
    };
    let y = arrays
        .iter()
        .position(is_label)
        .or_else(|| arrays.iter().position(|array| array.shape.len() == 1))
        .ok_or_else(|| {
            Unclear::new(
                format!(
                    "none of the arrays of `{}` seems to hold labels",
                    files[0].written
                ),
                "call the one that does `y`",
            )
        })?;
    let inputs: Vec<&Found> = arrays
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != y)
        .map(|(_, array)| array)
        .collect();
    if inputs.is_empty() {
        return Err(Unclear::new(
            format!("`{}` holds labels alone", files[0].written),
            "name the folder in which the inputs lie, too",
        ));
    }
    let mut notes: Vec<String> = arrays
        .iter()
        .map(|array| format!("`{}`: {} of shape {:?}", array.column, array.dtype, array.shape))
        .collect();
    let rows = arrays[y].shape.first().copied().unwrap_or(0);
    let other = arrays.iter().find(|array| array.shape.first() != Some(&rows));
    if let Some(other) = other {
        notes.push(format!(
            "`{}` has another number of rows than the {rows} of the labels",
            other.column
        ));
    }
    let x = match inputs[..] {
        [only] => codec(only),
        _ => {
            let mut taken = Vec::new();
            let mut fields = Vec::new();
            for input in &inputs {
                let name = literal::name(input.column.rsplit('.').next().unwrap_or_default(), &taken);
                fields.push(format!("{name}: {}", codec(input)));
                taken.push(name);
            }
            notes.push("several inputs: the network begins with `nn.inputs`".to_owned());
            format!("{{ {} }}", fields.join(", "))
        }
    };
    let column = literal::text(&arrays[y].column);
    let whole = !arrays[y].dtype.to_lowercase().contains('f');
    let y = if whole && arrays[y].shape.len() == 1 {
        notes.push("write how many classes there are: labels go from 0 to one less".to_owned());
        format!("data.label({column}, classes = 10)")
    } else {
        format!("data.target({column})")
    };
    let declaration = format!(
        "dataset = data.arrays({{ {} }}, x = {x}, y = {y})",
        sources.join(", ")
    );
    let facts = arrays
        .iter()
        .map(|array| json!({ "name": array.column, "dtype": array.dtype, "shape": array.shape }));
    Ok(Draft {
        notes,
        declaration,
        facts: json!({ "kind": "arrays", "rows": rows, "arrays": facts.collect::<Vec<_>>() }),
    })
}

/// The codec of an array of inputs, by its shape.
fn codec(array: &Found) -> String {
    let column = literal::text(&array.column);
    let image = |channels: u64, height: u64, width: u64, max: &str| {
        format!("data.pixels({column}, channels = {channels}, height = {height}, width = {width}{max})")
    };
    let dtype = array.dtype.to_lowercase();
    let max = if dtype.contains('f') { ", max = 1.0" } else { "" };
    match array.shape[..] {
        [_, height, width] => image(1, height, width, max),
        [_, channels, height, width] => image(channels, height, width, max),
        _ => format!("data.vector({column})"),
    }
}

fn arrays_of(place: &Place, name: &str) -> Result<Vec<Found>, Unclear> {
    let damaged = |why: String| Unclear {
        message: format!("`{}` {why}", place.written),
        help: None,
    };
    match place.extension().as_str() {
        "safetensors" => {
            let tensors = safetensors::describe(&place.path)
                .map_err(|why| damaged(format!("is no whole safetensors file: {why}")))?;
            let only = tensors.len() == 1;
            Ok(tensors
                .into_iter()
                .map(|(tensor, described)| Found {
                    column: if only {
                        name.to_owned()
                    } else {
                        format!("{name}.{tensor}")
                    },
                    shape: described.shape,
                    dtype: described.dtype,
                })
                .collect())
        }
        "npz" => {
            let cannot = |error: String| damaged(format!("cannot be read: {error}"));
            let file = File::open(&place.path).map_err(|error| cannot(error.to_string()))?;
            let mut zip = zip::ZipArchive::new(file).map_err(|error| cannot(error.to_string()))?;
            let mut found = Vec::new();
            for index in 0..zip.len() {
                let entry = zip.by_index(index).map_err(|error| cannot(error.to_string()))?;
                let array = entry.name().trim_end_matches(".npy").to_owned();
                let (dtype, shape) =
                    npy(entry).ok_or_else(|| damaged(format!("holds `{array}`, which is no array")))?;
                found.push(Found {
                    column: format!("{name}.{array}"),
                    shape,
                    dtype,
                });
            }
            Ok(found)
        }
        _ => {
            let file =
                File::open(&place.path).map_err(|error| damaged(format!("cannot be read: {error}")))?;
            let (dtype, shape) = npy(file).ok_or_else(|| damaged("is no .npy file".to_owned()))?;
            Ok(vec![Found {
                column: name.to_owned(),
                shape,
                dtype,
            }])
        }
    }
}

/// The type and shape that the header of a `.npy` file says.
fn npy(mut file: impl Read) -> Option<(String, Vec<u64>)> {
    let mut start = [0; 10];
    file.read_exact(&mut start).ok()?;
    let [0x93, b'N', b'U', b'M', b'P', b'Y', major, _, l0, l1] = start else {
        return None;
    };
    let mut length = u64::from(u16::from_le_bytes([l0, l1]));
    if major >= 2 {
        let mut more = [0; 2];
        file.read_exact(&mut more).ok()?;
        length = u64::from(u32::from_le_bytes([l0, l1, more[0], more[1]]));
    }
    let mut header = String::new();
    file.take(length.min(1 << 16)).read_to_string(&mut header).ok()?;
    let after = |key: &str| {
        header
            .split_once(key)
            .map(|(_, rest)| rest.trim_start_matches([':', ' ']))
    };
    let dtype = after("'descr'")?
        .trim_start_matches('\'')
        .split('\'')
        .next()?
        .to_owned();
    let inside = after("'shape'")?.strip_prefix('(')?.split(')').next()?;
    let sizes = inside.split(',').map(str::trim).filter(|size| !size.is_empty());
    let shape = sizes.map(|size| size.parse().ok()).collect::<Option<_>>()?;
    Some((dtype, shape))
}
