//! The project as it was at a revision of git, in a folder of its own: the work tree and git's index are left alone. The only
//! place that starts git.

use super::project::Project;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where revisions are checked out, in the folder of local state.
const FOLDER: &str = "revisions";
/// What a project pins; what is named there is not needed to know what a pipeline is.
const PINS: &str = "mlp.lock";

/// A project at a revision. Its folder goes when it does.
#[derive(Debug)]
pub struct Revision {
    /// Taken away at the end.
    _folder: tempfile::TempDir,
    /// The project.
    pub project: Project,
    /// The commit.
    pub commit: String,
    /// Data that git ignores, and that is taken as it is now.
    pub as_now: Vec<String>,
}

/// Why there is no such revision.
#[derive(Debug, thiserror::Error)]
pub enum RevisionError {
    /// git is not installed.
    #[error("git is not there")]
    NoGit,
    /// The project is in no repository.
    #[error("the project is in no repository of git")]
    NoRepository,
    /// Nothing has that name.
    #[error("git knows no revision `{0}`")]
    Unknown(String),
    /// The pipeline was not there.
    #[error("there is no pipeline.mlp at `{0}`")]
    NoPipeline(String),
    /// git refused something.
    #[error("git {command} failed: {said}")]
    Failed {
        /// What it was asked.
        command: String,
        /// Its last line.
        said: String,
    },
    /// The folder cannot be written.
    #[error("the revision cannot be written to `{path}`: {cause}")]
    Unwritable {
        /// The place.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
}

impl Revision {
    /// `project` at `revision`: its files that git tracks, as a checkout gives them, and data that git ignores and that is
    /// not pinned, as it is now.
    pub fn of(project: &Project, revision: &str) -> Result<Self, RevisionError> {
        let git = Git { root: &project.root };
        if git.run(&["rev-parse", "--is-inside-work-tree"], None).is_err() {
            git.run(&["--version"], None).map_err(|_| RevisionError::NoGit)?;
            return Err(RevisionError::NoRepository);
        }
        let wanted = format!("{revision}^{{commit}}");
        let commit = git
            .run(
                &["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted],
                None,
            )
            .map_err(|_| RevisionError::Unknown(revision.to_owned()))?;
        let state = project.state().map_err(unwritable(&project.root))?;
        let above = state.join(FOLDER);
        std::fs::create_dir_all(&above).map_err(unwritable(&above))?;
        let folder = tempfile::Builder::new()
            .prefix(&commit[..commit.len().min(10)])
            .tempdir_in(&above)
            .map_err(unwritable(&above))?;
        let root = folder.path().join("project");
        std::fs::create_dir(&root).map_err(unwritable(&root))?;
        git.check_out(&commit, &folder.path().join("index"), &root)?;
        if !root.join(super::PIPELINE).is_file() {
            return Err(RevisionError::NoPipeline(revision.to_owned()));
        }
        let as_now = git.link_ignored(&root)?;
        Ok(Self {
            _folder: folder,
            project: Project { root },
            commit,
            as_now,
        })
    }
}

/// git, in a project.
struct Git<'g> {
    root: &'g Path,
}

impl Git<'_> {
    /// The commit's files, below `to`; with an index of their own.
    fn check_out(&self, commit: &str, index: &Path, to: &Path) -> Result<(), RevisionError> {
        let prefix = self.run(&["rev-parse", "--show-prefix"], None)?;
        let tree = match prefix.trim_end_matches('/') {
            "" => commit.to_owned(),
            prefix => format!("{commit}:{prefix}"),
        };
        self.run(&["read-tree", &tree], Some(index))
            .map_err(|_| RevisionError::NoPipeline(commit[..commit.len().min(10)].to_owned()))?;
        // From the top, since what is read has the project's paths without the folders above it.
        let top = self.run(&["rev-parse", "--show-toplevel"], None)?;
        let into = format!("--prefix={}/", to.display());
        let top = Git {
            root: Path::new(&top),
        };
        top.run(&["checkout-index", "--all", "--force", &into], Some(index))
            .map(drop)
    }

    /// Links to what git ignores and the revision does not pin: data lies there mostly.
    fn link_ignored(&self, to: &Path) -> Result<Vec<String>, RevisionError> {
        let pins = std::fs::read_to_string(to.join(PINS)).unwrap_or_default();
        let listed = [
            "ls-files",
            "--others",
            "--ignored",
            "--exclude-standard",
            "--directory",
            "-z",
        ];
        let ignored = self.run(&listed, None)?;
        let mut linked = Vec::new();
        for path in ignored.split('\0').map(|path| path.trim_end_matches('/')) {
            let (place, link) = (self.root.join(path), to.join(path));
            let own = path.is_empty() || path == "result" || path.split('/').any(|name| name == ".mlp");
            if own || is_pinned(&pins, path) || link.symlink_metadata().is_ok() || !place.exists() {
                continue;
            }
            let above = link.parent().unwrap_or(to);
            let made =
                std::fs::create_dir_all(above).and_then(|()| std::os::unix::fs::symlink(&place, &link));
            made.map_err(unwritable(&link))?;
            linked.push(path.to_owned());
        }
        Ok(linked)
    }

    /// What git says, without the line's end.
    fn run(&self, arguments: &[&str], index: Option<&Path>) -> Result<String, RevisionError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "git is asked for files that are no step's"
        )]
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(self.root)
            .args(arguments)
            .env("LC_ALL", "C")
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE")
            .stdin(Stdio::null());
        if let Some(index) = index {
            command.env("GIT_INDEX_FILE", index);
        }
        let output = command.output().map_err(|error| match error.kind() {
            ErrorKind::NotFound => RevisionError::NoGit,
            _ => failed(arguments, &error.to_string()),
        })?;
        if !output.status.success() {
            return Err(failed(arguments, &String::from_utf8_lossy(&output.stderr)));
        }
        let said = String::from_utf8_lossy(&output.stdout);
        Ok(said.trim_end_matches(['\n', '\0']).to_owned())
    }
}

fn failed(arguments: &[&str], said: &str) -> RevisionError {
    RevisionError::Failed {
        command: arguments.first().copied().unwrap_or_default().to_owned(),
        said: said.trim().lines().last().unwrap_or_default().to_owned(),
    }
}

fn unwritable(path: &Path) -> impl Fn(std::io::Error) -> RevisionError + '_ {
    move |cause| RevisionError::Unwritable {
        path: path.to_owned(),
        cause,
    }
}

/// Whether the lock pins `path`, a folder above it, or something in it.
fn is_pinned(pins: &str, path: &str) -> bool {
    let above = path.match_indices('/').map(|(at, _)| &path[..at]);
    above
        .chain([path])
        .any(|path| pins.contains(&format!("[pin.\"{path}\"]")))
        || pins.contains(&format!("[pin.\"{path}/"))
}
