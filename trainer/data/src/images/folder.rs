//! `data.image_folder`: a folder of images with a folder for each class. Images stay as they are, files; `meta.csv` has
//! the path of each as `file`.

use super::{check_channels, inspect};
use crate::channel::Channel;
use crate::columns::nearest;
use crate::dataset::{FORMAT, Rest};
use crate::safetensors::{self, Array, Dtype};
use crate::table::write_row;
use crate::{files, program};
use mlp_protocol::call::Call;
use mlp_protocol::data::{Classes, Schema, Target, offsets_of};
use mlp_protocol::data_files::ImageFolderArgs;
use mlp_protocol::message::{Failure, Message, Outcome};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

/// What image files end with.
const READ: &[&str] = &["png", "jpg", "jpeg"];
/// What images end with that are not read: to leave them out without a word would train on less than there is.
const OTHERS: &[&str] = &[
    "webp", "gif", "bmp", "tif", "tiff", "ppm", "pgm", "avif", "heic", "jxl", "jp2",
];
/// Images between two words of progress.
const PROGRESS: usize = 1_000;

/// An image of the folder.
struct Found {
    /// Below the folder, with `/` between names.
    path: String,
    class: usize,
    size: u64,
}

/// Builds `data.image_folder`.
///
/// # Errors
/// When class folders are not those declared, or a file is no image.
pub fn build(call: &Call, channel: &Channel) -> Outcome<()> {
    let args: ImageFolderArgs = program::arguments(call)?;
    check_channels(args.channels, "channels")?;
    let folder = Path::new(program::input(call, "dir")?);
    let names = class_names(folder, &args.classes)?;
    let found = images(folder, &names)?;
    let Some(path) = call.outputs.get("dataset") else {
        return Ok(());
    };
    let examples = found.len() as u64;
    let labels: Vec<i64> = found.iter().map(|image| image.class as i64).collect();
    let mut meta = "file\n".to_owned();
    for image in &found {
        write_row(&mut meta, std::iter::once(image.path.as_str().into()));
    }
    let schema = Schema {
        format: FORMAT,
        examples,
        x: BTreeMap::from([("x".to_owned(), vec![Some(u64::from(args.channels)), None, None])]),
        y: Target::Class {
            classes: names.len() as u32,
            names: Some(names),
        },
        recipe: serde_json::json!({
            "x": { "kind": "image", "channels": args.channels },
            "y": { "kind": "label", "classes": args.classes },
        }),
    };
    let rest = Rest {
        schema: &schema,
        y: &Array::from_i64(vec![examples], &labels),
        meta: Some(&meta),
    };
    rest.write(Path::new(path), |file| {
        write(folder, &found, file, |done| {
            let message = Message::Progress {
                done,
                total: Some(examples),
                unit: "images".to_owned(),
            };
            channel
                .send(&message)
                .map_err(|error| Failure::new("B0002", format!("mlp does not listen: {error}")))
        })
    })
}

/// Writes the files, one after the other, and where each begins.
fn write(folder: &Path, found: &[Found], file: &Path, progress: impl Fn(u64) -> Outcome<()>) -> Outcome<()> {
    let cannot = |error| files::cannot_write(file, &error);
    let mut offsets = vec![0];
    let mut end = 0;
    for image in found {
        end += image.size;
        offsets.push(end.cast_signed());
    }
    let offsets = Array::from_i64(vec![offsets.len() as u64], &offsets);
    let header = [
        ("x", Dtype::U8, &[end][..]),
        (&offsets_of("x"), Dtype::I64, &offsets.shape),
    ];
    let mut out = BufWriter::new(File::create(file).map_err(cannot)?);
    out.write_all(&safetensors::header(header.into_iter()))
        .map_err(cannot)?;
    for (at, image) in found.iter().enumerate() {
        let name = format!("`{}`", image.path);
        let content = files::read(&folder.join(&image.path), &name)?;
        inspect(&content).map_err(|why| why.of(&name).argument("dir"))?;
        if content.len() as u64 != image.size {
            return Err(Failure::new("B0002", format!("{name} changed while it was read")));
        }
        out.write_all(&content).map_err(cannot)?;
        if (at + 1) % PROGRESS == 0 {
            progress(at as u64 + 1)?;
        }
    }
    out.write_all(&offsets.bytes).map_err(cannot)?;
    out.flush().map_err(cannot)
}

/// The names of the classes, in order: those declared, or those of the folders.
fn class_names(folder: &Path, classes: &Classes) -> Outcome<Vec<String>> {
    if !folder.is_dir() {
        return Err(Failure::new("B0002", "the folder of images is not a folder").argument("dir"));
    }
    let entries = entries(folder, "the folder")?;
    let mut folders = Vec::new();
    for (name, is_folder) in &entries {
        if *is_folder {
            folders.push(name.clone());
        } else if has_extension(name, READ) {
            return Err(Failure::new(
                "B0122",
                format!("the image `{name}` lies beside the class folders, not in one"),
            )
            .argument("dir")
            .help(
                "move it into the folder of its class; the class of an image is the folder that it lies in",
            ));
        }
    }
    let wrong = |message: String| Failure::new("B0122", message).argument("classes");
    match classes {
        Classes::Count(count) if *count as usize == folders.len() => Ok(folders),
        Classes::Count(count) => {
            let failure = wrong(format!(
                "{count} classes are declared, but there are {} class folders: {}",
                folders.len(),
                listed(&folders)
            ));
            Err(if folders.len() < 2 {
                failure.help("a folder of images has a folder for each class, with its images")
            } else {
                failure.help(format!("write `classes = {}`", folders.len()))
            })
        }
        Classes::Names(names) => {
            if let Some(missing) = names.iter().find(|name| !folders.contains(name)) {
                let failure = wrong(format!("the class `{missing}` has no folder"));
                return Err(match nearest(missing, &folders) {
                    Some(near) => failure.help(format!(
                        "did you mean `{near}`? Classes are called as their folders"
                    )),
                    None => failure.help(format!("the folders are {}", listed(&folders))),
                });
            }
            if let Some(other) = folders.iter().find(|name| !names.contains(name)) {
                return Err(wrong(format!("the folder `{other}` is no declared class"))
                    .help("add it to `classes`, or move it elsewhere"));
            }
            Ok(names.clone())
        }
    }
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match names.len() {
        0 => "none".to_owned(),
        count if count > SHOWN => format!("{} and {} more", shown.join(", "), count - SHOWN),
        _ => shown.join(", "),
    }
}

/// The images of each class, by class and path.
fn images(folder: &Path, names: &[String]) -> Outcome<Vec<Found>> {
    let mut found = Vec::new();
    for (class, name) in names.iter().enumerate() {
        let before = found.len();
        below(folder, name, class, &mut found)?;
        if found.len() == before {
            return Err(
                Failure::new("B0122", format!("the class folder `{name}` holds no image"))
                    .argument("dir")
                    .help("PNG and JPEG files are read (.png, .jpg, .jpeg); put some there, or leave the class out"),
            );
        }
    }
    Ok(found)
}

fn below(root: &Path, path: &str, class: usize, found: &mut Vec<Found>) -> Outcome<()> {
    let mut folders = Vec::new();
    for (name, is_folder) in entries(&root.join(path), &format!("`{path}`"))? {
        let path = format!("{path}/{name}");
        if is_folder {
            folders.push(path);
        } else if has_extension(&name, READ) {
            let size = fs::metadata(root.join(&path))
                .map_err(|error| Failure::new("B0002", format!("`{path}` cannot be read: {error}")))?;
            found.push(Found {
                path,
                class,
                size: size.len(),
            });
        } else if has_extension(&name, OTHERS) {
            return Err(
                Failure::new("B0120", format!("`{path}` is neither a PNG nor a JPEG file"))
                    .argument("dir")
                    .help("convert it, for instance by `mogrify -format png`, or move it elsewhere"),
            );
        }
    }
    folders
        .iter()
        .try_for_each(|folder| below(root, folder, class, found))
}

/// What lies in a folder, by name, and whether it is a folder; hidden files are none.
fn entries(folder: &Path, shown: &str) -> Outcome<Vec<(String, bool)>> {
    let cannot = |error: std::io::Error| Failure::new("B0002", format!("{shown} cannot be read: {error}"));
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let name = entry.file_name().into_string().map_err(|name| {
            let shown = name.to_string_lossy().into_owned();
            Failure::new("B0122", format!("the name `{shown}` is not UTF-8"))
                .argument("dir")
                .help("rename it")
        })?;
        if !name.starts_with('.') {
            all.push((name, entry.path().is_dir()));
        }
    }
    all.sort();
    Ok(all)
}

fn has_extension(name: &str, known: &[&str]) -> bool {
    let extension = name
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_lowercase());
    extension.is_some_and(|extension| known.contains(&extension.as_str()))
}
