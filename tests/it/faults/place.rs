//! A project of many small steps, and commands on it. What it comes to is known from an undisturbed build.
#![expect(clippy::disallowed_methods, reason = "whole commands are what is tested")]

use super::dice::is_long;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// A step that reads a table, and those that split it. None needs libtorch.
const PIPELINE: &str = "\
import std.{data}
points = data.csv(./points.csv, x = data.vector([\"x\", \"y\"]), y = data.label(\"inside\", classes = 2))
param parts: Int = 25
splits = [data.split(points, { a: 0.5, b: 0.5 }, seed = s) for s in range(parts)]
";

/// Steps of the pipeline.
pub(crate) fn steps() -> u64 {
    if is_long() { 100 } else { 26 }
}

/// A project, and a store of its own.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    store: PathBuf,
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("mlp-faults-").tempdir().unwrap();
        let place = Self {
            store: folder.path().join("store"),
            folder,
        };
        std::fs::create_dir(place.project()).unwrap();
        std::fs::write(place.project().join("pipeline.mlp"), PIPELINE).unwrap();
        std::fs::write(place.project().join("points.csv"), points()).unwrap();
        place
    }

    /// The same project with its store at another place.
    pub(crate) fn with_store(store: &Path) -> Self {
        Self {
            store: store.to_owned(),
            ..Self::new()
        }
    }

    pub(crate) fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    pub(crate) fn store(&self) -> &Path {
        &self.store
    }

    /// `mlp build splits`, ready to be started.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mlp"));
        command
            .args(["build", "splits", "--format", "json", "--jobs", "2"])
            .args(["--set", &format!("parts={}", steps() - 1)])
            .current_dir(self.project())
            .env("MLP_STORE", &self.store)
            .env("MLP_LIBEXEC", libexec())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn start(&self) -> Child {
        self.command().spawn().unwrap()
    }

    pub(crate) fn run(&self) -> Ran {
        Ran::of(self.start())
    }

    /// Builds, which must succeed and come to what an undisturbed build comes to. Gives the report.
    pub(crate) fn succeeds(&self) -> serde_json::Value {
        let ran = self.run();
        assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
        let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(&digests(&report), undisturbed());
        self.result_is_right();
        report
    }

    /// The very files that a person sees.
    fn result_is_right(&self) {
        let result = self.project().join("result");
        let content = files(&result);
        static CONTENT: OnceLock<BTreeMap<PathBuf, blake3::Hash>> = OnceLock::new();
        assert_eq!(&content, CONTENT.get_or_init(|| content.clone()));
        assert!(!content.is_empty());
    }
}

impl Ran {
    pub(crate) fn of(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// An error in words, no panic.
    pub(crate) fn failed_clearly(&self) {
        assert!(matches!(self.code, Some(1 | 2)), "{self:?}");
        assert!(!self.err.contains("panicked"), "{}", self.err);
        assert!(!self.err.contains("this is a bug"), "{}", self.err);
    }
}

/// Digests of all files below `folder`, by their place in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, blake3::Hash> {
    let mut found = BTreeMap::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(at) = pending.pop() {
        for entry in std::fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                found.insert(
                    path.strip_prefix(folder).unwrap().to_owned(),
                    blake3::hash(&bytes),
                );
            }
        }
    }
    found
}

/// The digests of the artifacts, by label.
pub(crate) fn digests(report: &serde_json::Value) -> BTreeMap<String, String> {
    let artifacts = report["artifacts"].as_array().unwrap().iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    artifacts
        .map(|artifact| (text(&artifact["label"]), text(&artifact["digest"])))
        .collect()
}

/// What a build that nobody disturbs comes to.
pub(crate) fn undisturbed() -> &'static BTreeMap<String, String> {
    static DIGESTS: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    DIGESTS.get_or_init(|| {
        let place = Place::new();
        let ran = place.run();
        assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
        let digests = digests(&serde_json::from_str(&ran.out).unwrap());
        assert_eq!(digests.len() as u64, 2 * (steps() - 1));
        place.result_is_right();
        digests
    })
}

/// The folder of `mlp-data`, which is built where it is not there yet.
fn libexec() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_BIN_EXE_mlp")).parent().unwrap().to_owned();
        if !folder.join("mlp-data").exists() {
            let release: &[&str] = if folder.ends_with("release") {
                &["--release"]
            } else {
                &[]
            };
            let built = Command::new(env!("CARGO"))
                .args(["build", "--quiet", "--package", "mlp-data", "--bin", "mlp-data"])
                .args(release)
                .current_dir(env!("CARGO_MANIFEST_DIR"))
                .status()
                .unwrap();
            assert!(built.success());
        }
        folder
    })
}

/// Points in and around a circle: 225 rows.
fn points() -> String {
    let mut table = String::from("x,y,inside\n");
    for (x, y) in (-7..=7).flat_map(|x: i32| (-7..=7).map(move |y: i32| (x, y))) {
        table.push_str(&format!("{x},{y},{}\n", u8::from(x * x + y * y < 30)));
    }
    table
}
