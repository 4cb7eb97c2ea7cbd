//! What a file or folder seems to hold, as the declaration that reads it, to be pasted into a pipeline.
//!
//! Nothing here decides what a pipeline means: it is a draft, and says what it took a guess at. A file that no reader of
//! the library would take is told in the reader's own words.

mod arrays;
mod codec;
mod columns;
mod folder;
mod literal;
mod table;

use mlp_protocol::message::Failure;
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A draft of a declaration.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What was found, a sentence a line.
    pub notes: Vec<String>,
    /// The declaration, in the language, not laid out yet.
    pub declaration: String,
    /// The same for programs.
    pub facts: Value,
}

/// Why there is no draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclear {
    /// What is in the way.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Unclear {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Unclear {
        Unclear {
            message: message.into(),
            help: Some(help.into()),
        }
    }

    /// What a reader says of a file.
    fn of(failure: Failure, name: &str) -> Unclear {
        let place = failure
            .place
            .map_or(String::new(), |place| format!(", line {}", place.line));
        Unclear {
            message: format!("`{name}`{place}: {}", failure.message),
            help: failure.help,
        }
    }
}

/// The place of what is looked at: on the disk, and as a pipeline names it.
#[derive(Clone, Debug)]
struct Place {
    path: PathBuf,
    written: String,
}

impl Place {
    /// A file or folder inside of this one.
    fn inside(&self, name: &str) -> Place {
        Place {
            path: self.path.join(name),
            written: format!("{}/{name}", self.written.trim_end_matches('/')),
        }
    }

    /// The folder that it lies in.
    fn folder(&self) -> Place {
        let path = self.path.parent().filter(|path| !path.as_os_str().is_empty());
        Place {
            path: path.unwrap_or(Path::new(".")).to_path_buf(),
            written: self
                .written
                .rsplit_once('/')
                .map_or(".", |(folder, _)| folder)
                .to_owned(),
        }
    }

    /// Its last name.
    fn name(&self) -> &str {
        self.written.rsplit('/').next().unwrap_or(&self.written)
    }

    /// Its extension in small letters.
    fn extension(&self) -> String {
        extension(self.name())
    }

    /// The names of what lies in a folder, sorted; hidden ones are left out.
    fn entries(&self) -> Result<Vec<String>, Unclear> {
        let cannot = |error: std::io::Error| Unclear {
            message: format!("`{}` cannot be read: {error}", self.written),
            help: None,
        };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.path).map_err(cannot)? {
            let name = entry.map_err(cannot)?.file_name();
            names.extend(name.into_string().ok().filter(|name| !name.starts_with('.')));
        }
        names.sort();
        Ok(names)
    }

    /// At most `most` bytes from its beginning.
    fn beginning(&self, most: u64) -> Result<Vec<u8>, Unclear> {
        let mut bytes = Vec::new();
        let read = File::open(&self.path).and_then(|file| file.take(most).read_to_end(&mut bytes));
        match read {
            Ok(_) => Ok(bytes),
            Err(error) => Err(Unclear {
                message: format!("`{}` cannot be read: {error}", self.written),
                help: None,
            }),
        }
    }
}

fn extension(name: &str) -> String {
    name.rsplit_once('.')
        .map_or(String::new(), |(_, extension)| extension.to_lowercase())
}

/// Looks at what lies at `path`, which a pipeline names `written`: `./data/points.csv`.
///
/// # Errors
/// When it is nothing that a declaration could read.
pub fn infer(path: &Path, written: &str) -> Result<Draft, Unclear> {
    let place = Place {
        path: path.to_path_buf(),
        written: written.to_owned(),
    };
    if !path.exists() {
        return Err(Unclear {
            message: format!("`{written}` does not exist"),
            help: None,
        });
    }
    if path.is_dir() {
        return folder::draft(&place);
    }
    match (place.extension().as_str(), &place.beginning(8)?[..]) {
        ("npy" | "npz" | "safetensors", _) => arrays::draft(&[place]),
        (_, [0, 0, 8, 1..=4, ..]) | ("gz", _) => folder::idx(&place),
        ("parquet", _) | (_, [b'P', b'A', b'R', b'1', ..]) => table::draft(&place, table::Kind::Parquet),
        ("zip" | "tar" | "tgz" | "xz" | "zst", _) => Err(Unclear::new(
            format!("`{written}` is an archive"),
            format!(
                "unpack it, and look at what it holds; in a pipeline `unpack({})` does that",
                literal::path(written)
            ),
        )),
        ("png" | "jpg" | "jpeg" | "wav" | "flac", _) => Err(Unclear::new(
            format!("`{written}` is a single example"),
            "name the folder of all of them, or the CSV file that lists them",
        )),
        ("xls" | "xlsx" | "ods", _) => Err(Unclear::new(
            format!("`{written}` is a spreadsheet"),
            "save it as CSV",
        )),
        _ => table::draft(&place, table::Kind::Csv),
    }
}

#[cfg(test)]
mod tests;
