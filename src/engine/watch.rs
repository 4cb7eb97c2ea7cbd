//! What a build reads of the project, and whether it has changed since: for `mlp build --watch`. Files are looked at again
//! and again: that works on every file system, of the network too, and for folders of any size at a twentieth of a
//! processor.

use super::pipeline::{Pipeline, has_errors};
use super::project::{Project, STATE};
use super::workspace::Workspace;
use crate::base::digest::Digest;
use crate::instantiate::{environments, requests};
use crate::model::source::SourceRequest;
use crate::pin;
use mlp_lang::spec::EnvRef;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often files are looked at, at most.
const OFTEN: Duration = Duration::from_millis(150);
/// Looking takes one part in so many of the time.
const SHARE: u32 = 20;
/// In the project's folder, and nobody's source: git's own and the link to results.
const NO_SOURCES: [&str; 3] = [".git", STATE, "result"];

/// What targets read, and what they come to.
#[derive(Debug, Default)]
pub struct Interest {
    /// Files and folders, by path from the root: what is not there, and was looked for, too.
    pub paths: BTreeSet<String>,
    /// The static keys of the steps; none where the pipeline has mistakes.
    pub keys: Option<BTreeSet<Digest>>,
}

/// What `targets` read now. With a workspace, also the keys of their steps.
pub fn interest(
    project: &Project,
    settings: &[(String, String)],
    targets: &[String],
    workspace: Option<&Workspace>,
) -> Interest {
    let mut pipeline = Pipeline::load(project, settings);
    let mut outcome = pipeline.evaluate_for_build(targets);
    let mut paths = pipeline.read().clone();
    paths.insert(pin::FILE.to_owned());
    paths.extend(requests(&outcome.evaluation).iter().map(looked_at));
    for environment in environments(&outcome.evaluation) {
        paths.extend(files(&environment.kind));
    }
    let is_whole = !has_errors(pipeline.diagnostics()) && !has_errors(&outcome.diagnostics);
    let instance = workspace.filter(|_| is_whole).and_then(|workspace| {
        workspace
            .instantiate(&mut outcome.evaluation, pipeline.sources_mut())
            .ok()
    });
    let keys = instance.map(|instance| instance.graph.steps.iter().map(|step| step.static_key).collect());
    // Somebody who looks a thousand times must not keep a thousand of them.
    pipeline.take_apart();
    Interest { paths, keys }
}

/// The file or folder by which it is seen that what is asked for has changed.
fn looked_at(request: &SourceRequest) -> String {
    match request {
        SourceRequest::Path(path) => path.clone(),
        SourceRequest::Glob(glob) => {
            let plain = |part: &&str| !part.contains(['*', '?', '[', '{']);
            let parts: Vec<&str> = glob.split('/').take_while(plain).collect();
            parts.join("/")
        }
    }
}

/// The files that pin an environment.
fn files(environment: &EnvRef) -> Vec<String> {
    match environment {
        EnvRef::Flake { file, .. } => vec![file.clone(), format!("{}lock", file.trim_end_matches("nix"))],
        EnvRef::Python { lock, .. } => vec![lock.clone()],
        EnvRef::Host { .. } => Vec::new(),
    }
}

/// Files and folders, as they were when they were last looked at.
#[derive(Debug)]
pub struct Watch {
    root: PathBuf,
    seen: BTreeMap<String, Digest>,
    /// How long the last look took.
    took: Duration,
}

impl Watch {
    /// Watches nothing yet.
    pub fn new(project: &Project) -> Self {
        Self {
            root: project.root.clone(),
            seen: BTreeMap::new(),
            took: Duration::ZERO,
        }
    }

    /// Watches these too, as they are now. What is made of them MUST be read after this, so that no change is missed.
    pub fn add(&mut self, paths: BTreeSet<String>) {
        for path in paths {
            if !self.seen.contains_key(&path) {
                let digest = look(&self.root, &path);
                self.seen.insert(path, digest);
            }
        }
    }

    /// How many files and folders are watched.
    pub fn count(&self) -> usize {
        self.seen.len()
    }

    /// How long to wait between looks.
    pub fn pace(&self) -> Duration {
        (self.took * SHARE).max(OFTEN)
    }

    /// Looks at everything; gives the first that has changed since the last look.
    pub fn changed(&mut self) -> Option<String> {
        let began = Instant::now();
        let mut changed = None;
        for (path, seen) in &mut self.seen {
            let digest = look(&self.root, path);
            if *seen != digest {
                *seen = digest;
                changed.get_or_insert_with(|| path.clone());
            }
        }
        self.took = began.elapsed();
        changed
    }
}

/// What can be told of a file, and of all below a folder, without reading it.
fn look(root: &Path, path: &str) -> Digest {
    let mut told = Vec::new();
    let mut pending = vec![root.join(path)];
    while let Some(place) = pending.pop() {
        // What is named may be a link; what lies below it is told as one.
        let metadata = match told.is_empty() {
            true => fs::metadata(&place),
            false => fs::symlink_metadata(&place),
        };
        let Ok(metadata) = metadata else { continue };
        told.extend_from_slice(place.as_os_str().as_encoded_bytes());
        let numbers = [metadata.len(), metadata.ino(), u64::from(metadata.mode())];
        told.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        told.extend(metadata.mtime().to_le_bytes());
        told.extend(metadata.mtime_nsec().to_le_bytes());
        if metadata.is_dir() {
            let entries = fs::read_dir(&place).into_iter().flatten().flatten();
            let mut below: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
            below.retain(|below| !is_no_source(root, below));
            below.sort();
            pending.extend(below);
        }
    }
    Digest::of_blob(&told)
}

fn is_no_source(root: &Path, path: &Path) -> bool {
    let own = NO_SOURCES.iter().any(|name| path.ends_with(name));
    own && path.parent() == Some(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[&str]) -> (tempfile::TempDir, Project) {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let root = folder.path().to_owned();
        (folder, Project { root })
    }

    #[test]
    fn files_folders_and_what_is_not_there_are_watched() {
        let (folder, project) = project(&["a", "data/deep/b", ".mlp/c"]);
        let mut watch = Watch::new(&project);
        let paths = ["a", "data", "missing"].map(str::to_owned).into();
        watch.add(paths);
        assert_eq!(watch.changed(), None);
        let write = |path: &str, text: &str| fs::write(folder.path().join(path), text).unwrap();
        write("data/deep/b", "other");
        assert_eq!(watch.changed().as_deref(), Some("data"));
        assert_eq!(watch.changed(), None);
        write("missing", "here");
        assert_eq!(watch.changed().as_deref(), Some("missing"));
        fs::remove_file(folder.path().join("a")).unwrap();
        assert_eq!(watch.changed().as_deref(), Some("a"));
        write("unrelated", "");
        assert_eq!(watch.changed(), None);
    }

    #[test]
    fn a_pattern_is_seen_by_its_folder() {
        let seen = |glob: &str| looked_at(&SourceRequest::Glob(glob.to_owned()));
        assert_eq!(seen("data/**/*.csv"), "data");
        assert_eq!(seen("*.csv"), "");
        assert_eq!(seen("a/b/c?.txt"), "a/b");
    }

    #[test]
    fn the_projects_own_state_and_results_are_no_sources() {
        let (folder, project) = project(&["a", ".mlp/runs", ".git/index"]);
        let mut watch = Watch::new(&project);
        watch.add(BTreeSet::from([String::new()]));
        fs::write(folder.path().join(".mlp/runs"), "more").unwrap();
        assert_eq!(watch.changed(), None);
        fs::write(folder.path().join("a"), "more").unwrap();
        assert_eq!(watch.changed().as_deref(), Some(""));
    }

    #[test]
    fn what_a_pipeline_reads_is_of_interest_even_where_it_is_broken() {
        let (folder, project) = project(&["params.yaml"]);
        fs::write(
            folder.path().join("pipeline.mlp"),
            "import ./lib.mlp\nimport std.{env, step}\nmade = step([\"cat\", ./in.txt], env = env.host([\"cat\"]), outputs = { o: File(\"o\") })\n",
        )
        .unwrap();
        let found = interest(&project, &[], &["made".to_owned()], None);
        assert!(
            found.paths.contains("pipeline.mlp") && found.paths.contains("lib.mlp"),
            "{:?}",
            found.paths
        );
        assert_eq!(found.keys, None);
    }
}
