//! What can go wrong with a store, worded for people: what, where, why; [`StoreError::help`] says what to do.

use crate::base::digest::Digest;
use std::io;
use std::path::{Path, PathBuf};

/// A store could not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system refused.
    #[error("cannot {doing} `{}`: {}", path.display(), words(cause))]
    Io {
        /// What was tried: "write", "read".
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The bytes are not here.
    #[error("the store does not hold {0}")]
    Missing(Digest),
    /// The bytes are not those of their digest.
    #[error("`{}` is damaged: {what}", path.display())]
    Damaged {
        /// The object, tree or record.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Something that a store does not take.
    #[error("`{}` {reason}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// "is a socket".
        reason: String,
    },
    /// Another program's folder, or another version's.
    #[error("`{}` is no store of this version of mlp", .0.display())]
    NotAStore(PathBuf),
    /// The content at a path inside a node.
    #[error("there is no `{path}` in {node}")]
    NoEntry {
        /// The directory's tree.
        node: Digest,
        /// The path inside.
        path: String,
    },
    /// A record would stand over objects that are not here.
    #[error("the output `{output}` is not in the store yet")]
    Incomplete {
        /// The output.
        output: String,
    },
    /// An archive that is none, is damaged, or lies.
    #[error("the archive `{}` {reason}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// "was cut short".
        reason: String,
    },
    /// Garbage is collected by one process at a time.
    #[error("another `mlp gc` is at work in this store")]
    Collecting,
    /// A value that cannot be encoded.
    #[error(transparent)]
    Encode(#[from] crate::base::encoding::EncodeError),
}

impl StoreError {
    /// A warning about what was found damaged and was put aside.
    pub fn put_aside(&self) -> String {
        format!("{self}; it was put aside and is made again")
    }

    /// What to do, where there is something.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Io { cause, path, .. } => help_for(cause, path),
            Self::Damaged { .. } => {
                Some("build again: what is damaged is put aside and made anew".to_owned())
            }
            Self::Archive { .. } => {
                Some("nothing of it was taken over; have it made anew by `mlp store export`".to_owned())
            }
            Self::Collecting => Some("wait until it is done".to_owned()),
            Self::NotAStore(path) => Some(format!(
                "set MLP_STORE to another folder, or move `{}` away",
                path.display()
            )),
            Self::Refused { .. } => {
                Some("only regular files, directories and links that stay inside can be stored".to_owned())
            }
            _ => None,
        }
    }
}

/// An IO error with the place at which it happened.
pub(super) fn at(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |cause| StoreError::Io { doing, path, cause }
}

fn words(cause: &io::Error) -> String {
    match cause.kind() {
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        io::ErrorKind::QuotaExceeded => "the disk quota is used up".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::NotFound => "it is not there".to_owned(),
        _ => cause.to_string(),
    }
}

fn help_for(cause: &io::Error, path: &Path) -> Option<String> {
    match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(
            "free some space, or set MLP_STORE to a folder on a larger disk; what was built so far is kept"
                .into(),
        ),
        io::ErrorKind::ReadOnlyFilesystem => Some("set MLP_STORE to a folder that can be written".into()),
        io::ErrorKind::PermissionDenied => Some(format!(
            "make `{}` writable for you, or set MLP_STORE to a folder that is",
            path.display()
        )),
        _ => None,
    }
}
