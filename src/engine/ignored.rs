//! The line of `.gitignore` that keeps pinned data out of git.

use super::error::EngineError;
use crate::base::atomic;
use ignore::Match;
use ignore::gitignore::GitignoreBuilder;
use std::io::ErrorKind;
use std::path::Path;

const FILE: &str = ".gitignore";

/// Adds a line for `path` to the project's `.gitignore`, unless the project is in no repository of git, or one of its ignore
/// files names the path already. True where it was added.
pub(super) fn add(root: &Path, path: &str) -> Result<bool, EngineError> {
    let in_git = root.ancestors().any(|folder| folder.join(".git").exists());
    if !in_git || is_ignored(root, path) {
        return Ok(false);
    }
    let file = root.join(FILE);
    let cannot = |cause| EngineError::State {
        path: file.clone(),
        cause,
    };
    let mut text = match std::fs::read(&file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(cannot(error)),
    };
    if text.last().is_some_and(|last| *last != b'\n') {
        text.push(b'\n');
    }
    text.extend_from_slice(line(path).as_bytes());
    atomic::write(&file, &text).map_err(cannot)?;
    Ok(true)
}

/// Whether an ignore file of the project names `path`, or a folder that it lies in.
fn is_ignored(root: &Path, path: &str) -> bool {
    let mut folder = root.to_owned();
    let mut decision = false;
    let mut builders = Vec::new();
    for (at, name) in path.split('/').enumerate() {
        let mut builder = GitignoreBuilder::new(&folder);
        if folder.join(FILE).is_file() {
            // Lines that are no patterns are passed over, as git does.
            let _ = builder.add(folder.join(FILE));
        }
        builders.extend(builder.build().ok());
        folder.push(name);
        let is_dir = at + 1 < path.split('/').count() || folder.is_dir();
        let found = builders.iter().rev();
        let found = found.map(|rules| rules.matched(&folder, is_dir));
        decision = found
            .into_iter()
            .find_map(|found| match found {
                Match::None => None,
                Match::Ignore(_) => Some(true),
                Match::Whitelist(_) => Some(false),
            })
            .unwrap_or(false);
        if decision {
            return true;
        }
    }
    decision
}

/// The pattern that names `path`, from the root, and nothing else.
fn line(path: &str) -> String {
    let mut line = String::from("/");
    for letter in path.chars() {
        if matches!(letter, '\\' | '*' | '?' | '[') {
            line.push('\\');
        }
        line.push(letter);
    }
    if line.ends_with(' ') {
        line.pop();
        line.push_str("\\ ");
    }
    line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_line_is_added_where_no_rule_names_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("data/raw")).unwrap();
        fs::write(root.join(FILE), "*.log\n/data/raw/").unwrap();
        assert!(!add(root, "data/a.bin").unwrap(), "there is no git");
        fs::create_dir(root.join(".git")).unwrap();
        for (path, added) in [
            ("data/a.bin", true),
            ("data/a.bin", false),
            ("x.log", false),
            ("data/raw", false),
            ("data/raw/deep.csv", false),
            ("we[i]rd* ", true),
            ("we[i]rd* ", false),
        ] {
            assert_eq!(add(root, path).unwrap(), added, "{path}");
        }
        assert_eq!(
            fs::read_to_string(root.join(FILE)).unwrap(),
            "*.log\n/data/raw/\n/data/a.bin\n/we\\[i]rd\\*\\ \n"
        );
    }
}
