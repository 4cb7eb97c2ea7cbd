//! Files that the cells of a column name, below a folder.

use crate::columns::nearest;
use mlp_protocol::message::{Failure, Outcome};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The content of the file that a cell names below `root`.
///
/// # Errors
/// When there is no such file, or the name leads out of the folder.
pub(crate) fn read(root: &Path, cell: &str) -> Outcome<Vec<u8>> {
    let path = below(root, cell)?;
    fs::read(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::IsADirectory => missing(root, cell),
        _ => Failure::new("B0002", format!("`{cell}` cannot be read: {error}")),
    })
}

fn below(root: &Path, cell: &str) -> Outcome<PathBuf> {
    if cell.is_empty() {
        return Err(Failure::new("B0104", "an empty cell where a file's name belongs")
            .help("drop the row: an example without its file cannot be read"));
    }
    let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if Path::new(cell).components().all(inside) {
        return Ok(root.join(cell));
    }
    Err(
        Failure::new("B0156", format!("`{cell}` leads out of the folder `root`"))
            .help("names are paths below `root`, without `..` and without `/` at their beginning"),
    )
}

fn missing(root: &Path, cell: &str) -> Box<Failure> {
    let failure = Failure::new("B0156", format!("there is no file `{cell}` below `root`"));
    let (folder, name) = cell.rsplit_once('/').unwrap_or(("", cell));
    let Ok(entries) = fs::read_dir(root.join(folder)) else {
        return failure.help(format!(
            "`root` has no folder `{folder}`: name the one that the cells' paths begin in"
        ));
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    let stem = |name: &str| name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned();
    let same_stem = names
        .iter()
        .find(|other| stem(other) == name || stem(other) == stem(name));
    match same_stem.map(String::as_str).or_else(|| nearest(name, &names)) {
        Some(near) => failure.help(format!("did you mean `{near}`?")),
        None => failure.help(format!(
            "it is looked for in the folder that is `root`, which holds {} files",
            names.len()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_or_told() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        fs::write(dir.path().join("a/one.wav"), "x").unwrap();
        assert_eq!(read(dir.path(), "a/one.wav").unwrap(), b"x");
        assert_eq!(read(dir.path(), "./a/one.wav").unwrap(), b"x");
        let help = |cell: &str| {
            let failure = read(dir.path(), cell).unwrap_err();
            assert_eq!(failure.code, "B0156", "{cell}");
            failure.help.unwrap()
        };
        assert_eq!(help("a/one"), "did you mean `one.wav`?");
        assert_eq!(help("a/one.flac"), "did you mean `one.wav`?");
        assert_eq!(help("a/oen.wav"), "did you mean `one.wav`?");
        assert!(help("a").contains("`root`") || help("a").contains("did you mean"));
        assert!(help("b/one.wav").contains("no folder `b`"));
        assert!(help("../secret").contains("without `..`"));
        assert!(help("/etc/passwd").contains("without `..`"));
        assert_eq!(read(dir.path(), "").unwrap_err().code, "B0104");
    }
}
