//! A project in a folder of its own, with a store of its own, on which whole commands are run.
#![expect(clippy::disallowed_methods, reason = "whole commands are what is tested")]

use crate::redact;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A pipeline small enough to be trained within a test.
pub(crate) const SMALL: &str = include_str!("small/pipeline.mlp");

/// A project.
pub(crate) struct Project {
    folder: tempfile::TempDir,
    root: PathBuf,
}

/// Fails with what to do where the builder programs were not built.
fn needs_the_trainer() {
    let trainer = Path::new(env!("CARGO_BIN_EXE_mlp")).with_file_name("mlp-trainer");
    assert!(
        trainer.exists(),
        "build the programs first: LIBTORCH=$(cargo xtask libtorch) cargo build --workspace --bins (`cargo xtask test` does)"
    );
}

/// What a command came to.
pub(crate) struct Ran {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// What it wrote on stdout.
    pub out: String,
    /// What it wrote on stderr.
    pub err: String,
}

impl Project {
    /// A project with this pipeline.
    pub(crate) fn new(pipeline: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("mlp-it-").tempdir().unwrap();
        let root = folder.path().join("project");
        std::fs::create_dir(&root).unwrap();
        let project = Self { folder, root };
        project.write("pipeline.mlp", pipeline);
        project
    }

    /// A project that trains and scores in a second: two classes of points.
    pub(crate) fn small() -> Self {
        needs_the_trainer();
        let project = Self::new(SMALL);
        project.write("points.csv", &points());
        project
    }

    /// The project's folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Its store.
    pub(crate) fn store(&self) -> PathBuf {
        self.path("store")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of the project.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Replaces a text that stands in the file exactly once.
    pub(crate) fn edit(&self, path: &str, old: &str, new: &str) {
        let text = std::fs::read_to_string(self.root.join(path)).unwrap();
        assert_eq!(text.matches(old).count(), 1, "`{old}` in {path}");
        self.write(path, &text.replace(old, new));
    }

    /// Moves the checkout to another folder; the store stays where it is.
    pub(crate) fn relocate(&mut self) {
        let moved = self.path("elsewhere/deeper");
        std::fs::create_dir_all(&moved).unwrap();
        for name in ["pipeline.mlp", "points.csv"] {
            std::fs::copy(self.root.join(name), moved.join(name)).unwrap();
        }
        std::fs::remove_dir_all(&self.root).unwrap();
        self.root = moved;
    }

    /// A command, ready to be started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mlp"));
        command
            .args(arguments)
            .current_dir(&self.root)
            .env("MLP_STORE", self.path("store"))
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// Builds, and gives the JSON report. The build must succeed.
    pub(crate) fn build(&self, arguments: &[&str]) -> Report {
        let mut all = vec!["build", "--format", "json"];
        all.extend(arguments);
        let ran = self.run(&all);
        assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
        Report(serde_json::from_str(&ran.out).unwrap())
    }

    /// Starts a command whose output can be read while it runs.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// What a command came to, with what changes from run to run left out.
    pub(crate) fn shown(&self, arguments: &[&str]) -> String {
        self.redacted(&self.run(arguments))
    }

    /// Output with what changes from run to run left out: paths, times, digests, ids of runs.
    pub(crate) fn redacted(&self, ran: &Ran) -> String {
        let code = ran.code.map_or("none".to_owned(), |code| code.to_string());
        let text = format!("exit {code}\n--- stdout\n{}--- stderr\n{}", ran.out, ran.err);
        self.redacted_text(&text)
    }

    /// A text with what changes from run to run left out.
    pub(crate) fn redacted_text(&self, text: &str) -> String {
        let root = std::fs::canonicalize(self.folder.path()).unwrap();
        redact::all(&text.replace(&*root.to_string_lossy(), "[HERE]"))
    }
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The JSON report of a build.
pub(crate) struct Report(pub serde_json::Value);

impl Report {
    /// Steps that were built, sorted.
    pub(crate) fn built(&self) -> Vec<String> {
        let steps = self.0["steps"].as_array().unwrap().iter();
        let built = steps.filter(|step| step["ending"] == "built");
        let mut names: Vec<String> = built
            .map(|step| step["step"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    }

    /// Epochs that `step` trained, and epochs whose states it found.
    pub(crate) fn epochs(&self, step: &str) -> (u64, u64) {
        let steps = self.0["steps"].as_array().unwrap().iter();
        let mut training = steps
            .filter(|found| found["step"] == step)
            .map(|step| &step["training"]);
        training.next().map_or((0, 0), |training| {
            (
                training["trained"].as_u64().unwrap_or(0),
                training["found"].as_u64().unwrap_or(0),
            )
        })
    }

    /// The digests of the targets' artifacts, by label.
    pub(crate) fn digests(&self) -> Vec<(String, String)> {
        let artifacts = self.0["artifacts"].as_array().unwrap().iter();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        artifacts
            .map(|artifact| (text(&artifact["label"]), text(&artifact["digest"])))
            .collect()
    }
}

/// Points in and around a circle: 225 rows.
pub(crate) fn points() -> String {
    let mut table = String::from("x,y,inside\n");
    for (x, y) in (-7..=7).flat_map(|x: i32| (-7..=7).map(move |y: i32| (x, y))) {
        table.push_str(&format!("{x},{y},{}\n", u8::from(x * x + y * y < 30)));
    }
    table
}
