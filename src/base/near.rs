//! Files whose names look like one that is missing. Talks to the file system.

use std::path::Path;

/// Names in the folder of `wanted` that look like its name, best first, as paths from `root`.
pub fn near(root: &Path, wanted: &Path) -> Vec<String> {
    let folder = wanted.parent().unwrap_or(Path::new(""));
    let Some(name) = wanted.file_name().and_then(|name| name.to_str()) else {
        return Vec::new();
    };
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else {
        return Vec::new();
    };
    let mut near: Vec<(usize, String)> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .map(|other| (strsim::damerau_levenshtein(name, &other), other))
        .filter(|(distance, other)| *distance <= name.len().max(other.len()) / 3)
        .collect();
    near.sort();
    near.truncate(3);
    near.into_iter()
        .map(|(_, name)| folder.join(name).display().to_string())
        .collect()
}
