//! The whole project, read-only, where a step sees its inputs: for a run that finds out which of it the step reads.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What is no content: git's folder, that of local state, the link to results.
const HIDDEN: [&str; 3] = [".git", ".mlp", "result"];

/// The project at `root` as inputs, by mount path. `written` are paths that the step writes at, or that are mounted
/// otherwise: folders that hold one of them are laid out entry by entry, and what lies there in the project is hidden.
pub(super) fn whole(root: &Path, written: &[&str]) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut inputs = BTreeMap::new();
    let mut waiting = vec![String::new()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            // A name that is no text can be no input either.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if folder.is_empty() && HIDDEN.contains(&name.as_str()) {
                continue;
            }
            let path = if folder.is_empty() {
                name
            } else {
                format!("{folder}/{name}")
            };
            // Links are followed, as they are where a source is named; what they lead to may be gone.
            let Ok(metadata) = fs::metadata(entry.path()) else {
                continue;
            };
            let holds = |written: &&str| {
                let rest = written.strip_prefix(path.as_str());
                rest.is_some_and(|rest| rest.starts_with('/'))
            };
            if written.contains(&path.as_str()) {
                continue;
            }
            if metadata.is_dir() && written.iter().any(holds) {
                waiting.push(path);
            } else if metadata.is_dir() || metadata.is_file() {
                inputs.insert(path, entry.path());
            }
        }
    }
    Ok(inputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_are_written_into_are_laid_out() {
        let project = tempfile::tempdir().unwrap();
        for path in [
            "src/a.py",
            "out/old.csv",
            "out/deep/x",
            ".mlp/stat-cache",
            "raw.csv",
            "model.pkl",
        ] {
            let path = project.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let seen = whole(project.path(), &["out/test.csv", "model.pkl"]).unwrap();
        let paths: Vec<&str> = seen.keys().map(String::as_str).collect();
        assert_eq!(paths, ["out/deep", "out/old.csv", "raw.csv", "src"]);
    }
}
