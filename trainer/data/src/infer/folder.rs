//! Drafts for folders: of images by class, of tables with the files that they name, of arrays; and for IDX files, which
//! come in pairs.

use super::{Draft, Place, Unclear, arrays, extension, literal, table};
use crate::audio;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;

/// Bytes in which the sizes of an image stand.
const HEADER: u64 = 1 << 16;

pub(super) fn draft(place: &Place) -> Result<Draft, Unclear> {
    let names = place.entries()?;
    let ending = |wanted: &[&str]| -> Vec<Place> {
        let found = names
            .iter()
            .filter(|name| wanted.contains(&extension(name).as_str()));
        found.map(|name| place.inside(name)).collect()
    };
    let classes: Vec<&String> = names
        .iter()
        .filter(|name| place.path.join(name).is_dir())
        .collect();
    let tables = ending(&["csv"]);
    let counted: Vec<(&String, u64)> = classes
        .iter()
        .map(|class| Ok((*class, images_in(&place.inside(class))?.len() as u64)))
        .collect::<Result<_, Unclear>>()?;
    if counted.iter().filter(|(_, images)| *images > 0).count() >= 2 {
        return image_folder(place, &counted);
    }
    match tables.as_slice() {
        [only] => return table::draft(only, table::Kind::Csv),
        [] => {}
        [first, ..] => {
            return Err(Unclear::new(
                format!("`{}` holds {} CSV files", place.written, tables.len()),
                format!(
                    "name one of them: `mlp data infer {}`",
                    first.written.trim_start_matches("./")
                ),
            ));
        }
    }
    let found = ending(&["npy", "npz", "safetensors"]);
    if !found.is_empty() {
        return arrays::draft(&found);
    }
    let of_idx = names
        .iter()
        .find(|name| name.contains("idx3") || name.contains("images.idx"));
    if let Some(images) = of_idx {
        return idx(&place.inside(images));
    }
    let batches: Vec<&String> = names
        .iter()
        .filter(|name| name.ends_with(".bin") && name.contains("batch"))
        .collect();
    if !batches.is_empty() {
        return Ok(cifar(place, &batches));
    }
    Err(nothing(place, &names))
}

fn nothing(place: &Place, names: &[String]) -> Unclear {
    let message = format!("`{}` holds nothing that is known", place.written);
    let of = |wanted: &[&str]| {
        names
            .iter()
            .any(|name| wanted.contains(&extension(name).as_str()))
    };
    if of(&["png", "jpg", "jpeg", "wav", "flac"]) {
        return Unclear::new(
            format!(
                "`{}` holds files of examples, and nothing says what is predicted of them",
                place.written
            ),
            "put images into a folder for each class, or a CSV file with the columns `file` and `label` beside them",
        );
    }
    Unclear::new(
        message,
        "looked for: a folder of images for each class, one CSV file, .npy, .npz or .safetensors files, IDX files, batches of CIFAR",
    )
}

/// The image files in a folder and those below it.
fn images_in(place: &Place) -> Result<Vec<Place>, Unclear> {
    let mut images = Vec::new();
    for name in place.entries()? {
        let inside = place.inside(&name);
        if inside.path.is_dir() {
            images.extend(images_in(&inside)?);
        } else if ["png", "jpg", "jpeg"].contains(&inside.extension().as_str()) {
            images.push(inside);
        }
    }
    Ok(images)
}

fn image_folder(place: &Place, classes: &[(&String, u64)]) -> Result<Draft, Unclear> {
    let total: u64 = classes.iter().map(|(_, count)| count).sum();
    let mut sizes: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    let (mut grey, mut unknown) = (true, 0);
    for (class, _) in classes {
        for image in images_in(&place.inside(class))? {
            match size(&image.beginning(HEADER)?) {
                Some(Size {
                    height,
                    width,
                    channels,
                }) => {
                    *sizes.entry((height, width)).or_insert(0) += 1;
                    grey &= channels <= 2;
                }
                None => unknown += 1,
            }
        }
    }
    let filled = classes.iter().filter(|(_, count)| *count > 0);
    let names: Vec<String> = filled.map(|(name, _)| (*name).clone()).collect();
    let channels = if grey && !sizes.is_empty() {
        ", channels = 1"
    } else {
        ""
    };
    let name = literal::name(place.name(), &[]);
    let read = format!(
        "data.image_folder({}, classes = {}{channels})",
        literal::path(&place.written),
        literal::texts(&names)
    );
    let usual = sizes
        .iter()
        .max_by_key(|(_, count)| **count)
        .map(|(size, _)| *size);
    let (height, width) = usual.unwrap_or((224, 224));
    let declaration = format!("{name} = data.resize({read}, {height}, {width})");
    let tally: Vec<String> = classes
        .iter()
        .map(|(name, count)| format!("`{name}` {}", literal::count(*count)))
        .collect();
    let mut notes = vec![
        format!(
            "{}: {}, {} classes",
            place.written,
            literal::counted(total, "image", "images"),
            names.len()
        ),
        tally.join(", "),
    ];
    notes.extend(match sizes.len() {
        0 => None,
        1 => Some(format!("all are {height} pixels high and {width} wide")),
        several => Some(format!(
            "they have {several} sizes, most often {height} high and {width} wide: choose one"
        )),
    });
    if unknown > 0 {
        notes.push(format!(
            "{} no PNG or JPEG file that can be read",
            literal::counted(unknown, "file is", "files are")
        ));
    }
    notes.extend(
        classes
            .iter()
            .filter(|(_, count)| *count == 0)
            .map(|(name, _)| format!("`{name}` holds no image and is left out")),
    );
    let facts = json!({
        "kind": "image_folder", "rows": total,
        "classes": classes.iter().map(|(name, count)| ((*name).clone(), json!(count))).collect::<serde_json::Map<_, _>>(),
        "sizes": sizes.iter().map(|((height, width), count)| json!({ "height": height, "width": width, "images": count })).collect::<Vec<_>>(),
    });
    Ok(Draft {
        notes,
        declaration,
        facts,
    })
}

struct Size {
    height: u32,
    width: u32,
    channels: u32,
}

/// What the first bytes of a PNG or JPEG file say of its size.
fn size(bytes: &[u8]) -> Option<Size> {
    if let Some(rest) = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n") {
        let [
            _,
            _,
            _,
            _,
            b'I',
            b'H',
            b'D',
            b'R',
            w0,
            w1,
            w2,
            w3,
            h0,
            h1,
            h2,
            h3,
            _,
            colour,
            ..,
        ] = rest
        else {
            return None;
        };
        return Some(Size {
            height: u32::from_be_bytes([*h0, *h1, *h2, *h3]),
            width: u32::from_be_bytes([*w0, *w1, *w2, *w3]),
            channels: match colour {
                0 => 1,
                4 => 2,
                _ => 3,
            },
        });
    }
    let mut rest = bytes.strip_prefix(b"\xff\xd8")?;
    loop {
        let [0xff, marker, l0, l1, ..] = rest else {
            return None;
        };
        // The sizes stand at the start of a frame; other segments are passed over.
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            let [_, _, _, _, _, h0, h1, w0, w1, channels, ..] = rest else {
                return None;
            };
            return Some(Size {
                height: u32::from(u16::from_be_bytes([*h0, *h1])),
                width: u32::from(u16::from_be_bytes([*w0, *w1])),
                channels: u32::from(*channels),
            });
        }
        rest = rest.get(2 + usize::from(u16::from_be_bytes([*l0, *l1]))..)?;
    }
}

/// The folder in which the files lie that a column names: that of the table, or one beside it.
pub(super) fn root_of(table: &Place, file: &str, notes: &mut Vec<String>) -> Place {
    let folder = table.folder();
    if folder.path.join(file).is_file() {
        return folder;
    }
    let names = folder.entries().unwrap_or_default();
    let beside = names.iter().map(|name| folder.inside(name));
    beside
        .into_iter()
        .find(|inside| inside.path.join(file).is_file())
        .unwrap_or_else(|| {
            notes.push(format!(
                "`{file}` was not found: `root` is the folder that such files lie in"
            ));
            folder
        })
}

/// The rate that most of some sound files have, and how many seconds the longest of them lasts.
pub(super) fn sounds(root: &Place, names: &[String], notes: &mut Vec<String>) -> (u32, f64) {
    let mut rates: BTreeMap<u32, usize> = BTreeMap::new();
    let mut longest = 0.0_f64;
    for name in names {
        let bytes = std::fs::read(root.inside(name).path).unwrap_or_default();
        if let Ok((rate, samples)) = audio::describe(&bytes) {
            *rates.entry(rate).or_insert(0) += 1;
            longest = longest.max(samples as f64 / f64::from(rate));
        }
    }
    let heard: usize = rates.values().sum();
    let Some((rate, _)) = rates.iter().max_by_key(|(_, count)| **count) else {
        notes.push("none of the sound files could be read: `rate` and `seconds` are guesses".to_owned());
        return (16_000, 1.0);
    };
    let shown: Vec<String> = rates
        .iter()
        .map(|(rate, count)| format!("{rate} ({count})"))
        .collect();
    // To a tenth, upwards.
    let seconds = (longest * 10.0).ceil().max(1.0) / 10.0;
    notes.push(format!(
        "of {} the samples a second are {}; the longest lasts {seconds} s",
        literal::counted(heard as u64, "sound file", "sound files"),
        shown.join(", ")
    ));
    (*rate, seconds)
}

/// IDX files: that of images, or that of their labels.
pub(super) fn idx(place: &Place) -> Result<Draft, Unclear> {
    let folder = place.folder();
    let other = |from: &str, to: &str| place.name().replace(from, to).replace("images", "labels");
    let labels = other("idx3", "idx1");
    let is_images = place.name().contains("images") || place.name().contains("idx3");
    if !is_images && place.name().contains("labels") {
        let images = place.name().replace("labels", "images").replace("idx1", "idx3");
        return match folder.path.join(&images).is_file() {
            true => idx(&folder.inside(&images)),
            false => Err(Unclear::new(
                format!(
                    "`{}` holds labels, and `{images}` is not beside it",
                    place.written
                ),
                "name the file of the images",
            )),
        };
    }
    let header = idx_bytes(place)?;
    let [0, 0, 8, 3, rest @ ..] = &header[..] else {
        return Err(Unclear::new(
            format!("`{}` is no IDX file of grey images", place.written),
            "such a file begins with the bytes 0, 0, 8, 3, and three sizes",
        ));
    };
    let size = |index: usize| -> Option<u32> {
        let bytes = rest.get(index * 4..index * 4 + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    };
    let (Some(count), Some(height), Some(width)) = (size(0), size(1), size(2)) else {
        return Err(Unclear::new(
            format!("`{}` ends within its header", place.written),
            "it is cut off",
        ));
    };
    let mut notes = vec![format!(
        "{}: {}, {height} pixels high and {width} wide",
        place.written,
        literal::counted(u64::from(count), "image", "images")
    )];
    let beside = folder.inside(&labels);
    let mut classes = 10;
    if labels == place.name() || !beside.path.is_file() {
        notes.push(format!("`{labels}`, with the labels, was not found"));
    } else {
        let found = idx_bytes(&beside)?;
        let most = found
            .get(8..)
            .and_then(|labels| labels.iter().max())
            .copied()
            .unwrap_or(9);
        classes = u32::from(most) + 1;
        notes.push(format!("the labels go to {most}"));
    }
    let declaration = format!(
        "{} = data.idx({}, {}, classes = {classes}, height = {height}, width = {width})",
        literal::name(place.name().split(['.', '-']).next().unwrap_or_default(), &[]),
        literal::path(&place.written),
        literal::path(&beside.written)
    );
    let facts = json!({ "kind": "idx", "rows": count, "height": height, "width": width, "classes": classes });
    Ok(Draft {
        notes,
        declaration,
        facts,
    })
}

/// An IDX file, unpacked where it is gzip.
fn idx_bytes(place: &Place) -> Result<Vec<u8>, Unclear> {
    /// More than any file of labels has; of images the header alone is looked at.
    const MOST: u64 = 1 << 26;
    let mut bytes = Vec::new();
    let opened = File::open(&place.path);
    let read = opened.and_then(|file| match place.extension().as_str() {
        "gz" => flate2::read::GzDecoder::new(file)
            .take(MOST)
            .read_to_end(&mut bytes),
        _ => file.take(MOST).read_to_end(&mut bytes),
    });
    match read {
        Ok(_) => Ok(bytes),
        Err(error) => Err(Unclear {
            message: format!("`{}` cannot be read: {error}", place.written),
            help: None,
        }),
    }
}

fn cifar(place: &Place, batches: &[&String]) -> Draft {
    let (test, train): (Vec<&String>, Vec<&String>) = batches.iter().partition(|name| name.contains("test"));
    let list = |names: &[&String]| {
        let paths: Vec<String> = names
            .iter()
            .map(|name| literal::path(&place.inside(name).written))
            .collect();
        format!("[{}]", paths.join(", "))
    };
    let declare = |name: &str, names: &[&String]| match names {
        [] => String::new(),
        names => format!("{name} = data.cifar({})\n", list(names)),
    };
    Draft {
        notes: vec![format!(
            "{}: {} of CIFAR",
            place.written,
            literal::counted(batches.len() as u64, "file", "files")
        )],
        declaration: format!("{}{}", declare("train", &train), declare("test", &test)),
        facts: json!({ "kind": "cifar", "files": batches }),
    }
}
