//! Steps in a flake's shell, with the Nix that is installed, offline, in a store of its own. Where Nix, bash or a C compiler
//! that links statically is missing, the tests say so and pass.
#![expect(clippy::disallowed_methods, reason = "whole commands are what is tested")]

use crate::project::{Project, Ran};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const PIPELINE: &str = r#"import std.{env, step}
tools = env.flake(./flake.nix, shell = "default")
made = step(["tool", ./words.txt, "o"], env = tools, outputs = { o: File("o") })
more = step(["tool", made.o, "o"], env = tools, outputs = { o: File("o") })
"#;

/// A shell without a package set: what it brings is a program that needs nothing.
const FLAKE: &str = r#"{
  inputs.greeting.url = "path:./greeting";
  inputs.unused.url = "path:./unused";
  outputs = { self, greeting, unused }: {
    devShells.x86_64-linux.default = derivation {
      name = "shell"; system = "x86_64-linux"; outputs = [ "out" ];
      builder = "/bin/bash"; args = [ "-c" "echo made > $out" ];
      PATH = "${./bin}"; GREETING = greeting.text;
    };
  };
}
"#;

/// An input that no shell reads.
const UNUSED: &str = "{ outputs = { self }: { text = \"idle\"; }; }\n";

/// Writes its greeting, the file that it is given, and which folders of the machine it sees.
const TOOL: &str = r#"#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv) {
  char words[64] = "";
  FILE *in = fopen(argv[1], "r");
  if (in) fread(words, 1, 63, in);
  FILE *out = fopen(argv[2], "w");
  fprintf(out, "%s %s usr:%d bin:%d\n", getenv("GREETING"), words, access("/usr", F_OK), access("/bin", F_OK));
  return fclose(out);
}
"#;

/// The Nix that is installed, with a store and a configuration of its own.
pub(crate) struct Nix {
    folder: tempfile::TempDir,
}

impl Nix {
    /// None, with a word, where there is no Nix or no bash.
    pub(crate) fn new() -> Option<Self> {
        let folder = tempfile::Builder::new()
            .prefix("nix-")
            .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
            .unwrap();
        for name in ["conf", "store", "state", "log", "home"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let configuration = "experimental-features = nix-command flakes\nbuild-users-group =\nsandbox = false\nsubstituters =\n";
        std::fs::write(folder.path().join("conf/nix.conf"), configuration).unwrap();
        let there = Command::new("nix").arg("--version").output().is_ok();
        if !there || !Path::new("/bin/bash").exists() {
            eprintln!("no Nix, or no bash: not tested");
            return None;
        }
        Some(Self { folder })
    }

    /// A place for files that Nix reads.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder
            .path()
            .canonicalize()
            .unwrap()
            .join("files")
            .join(name)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn variables(&self) -> Vec<(&'static str, PathBuf)> {
        let names = [
            ("NIX_CONF_DIR", "conf"),
            ("NIX_STORE_DIR", "store"),
            ("NIX_STATE_DIR", "state"),
            ("NIX_LOG_DIR", "log"),
            ("HOME", "home"),
        ];
        let base = self.folder.path().canonicalize().unwrap();
        names.map(|(name, folder)| (name, base.join(folder))).into()
    }

    /// Runs `nix` offline; what it printed. It must succeed.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let mut nix = Command::new("nix");
        nix.arg("--offline").args(arguments).envs(self.variables());
        let output = nix.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}\n{said}");
        String::from_utf8(output.stdout).unwrap()
    }
}

struct Place {
    project: Project,
    nix: Nix,
}

impl Place {
    fn new() -> Option<Self> {
        let nix = Nix::new()?;
        let project = Project::new(PIPELINE);
        project.write("flake.nix", FLAKE);
        project.write(
            "greeting/flake.nix",
            "{ outputs = { self }: { text = \"hello\"; }; }\n",
        );
        project.write("unused/flake.nix", UNUSED);
        project.write("words.txt", "world");
        project.write("data/large.csv", "1");
        let place = Self { project, nix };
        if !place.tool() {
            eprintln!("no C compiler that links statically: not tested");
            return None;
        }
        place.lock();
        Some(place)
    }

    fn tool(&self) -> bool {
        self.project.write("tool.c", TOOL);
        let bin = self.project.root().join("bin");
        std::fs::create_dir(&bin).unwrap();
        let mut cc = Command::new("cc");
        cc.args(["-static", "-O1", "-o"])
            .arg(bin.join("tool"))
            .arg(self.project.root().join("tool.c"));
        cc.output().is_ok_and(|output| output.status.success())
    }

    fn lock(&self) {
        self.nix.run(&[
            "flake",
            "lock",
            &format!("path:{}", self.project.root().display()),
        ]);
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(
            self.project
                .command(arguments)
                .envs(self.nix.variables())
                .output()
                .unwrap(),
        )
    }

    /// Builds; gives the steps that were built.
    fn built(&self) -> Vec<String> {
        let ran = self.run(&["build", "more", "--format", "json"]);
        assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
        crate::project::Report(serde_json::from_str(&ran.out).unwrap()).built()
    }

    fn shown(&self) -> String {
        self.project.redacted(&self.run(&["build", "more"]))
    }
}

impl Drop for Nix {
    /// A store is read-only, and has to be made writable to be removed.
    fn drop(&mut self) {
        let mut waiting = vec![self.folder.path().to_owned()];
        while let Some(folder) = waiting.pop() {
            std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).ok();
            let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
            let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            waiting.extend(folders.map(|entry| entry.path()));
        }
    }
}

#[test]
fn a_step_runs_in_a_flakes_shell_and_sees_nothing_else() {
    let Some(place) = Place::new() else { return };
    assert_eq!(place.built(), ["flake.nix", "made", "more"]);
    let made = std::fs::read_to_string(place.project.root().join("result/more.o")).unwrap();
    assert_eq!(made, "hello hello world usr:-1 bin:-1\n usr:-1 bin:-1\n");
    assert!(place.built().is_empty());
    let show = place.run(&["show", "more", "--format", "json"]).out;
    let show: serde_json::Value = serde_json::from_str(&show).unwrap();
    let isolation = (
        show[0]["isolation"].as_str(),
        show[0]["effective_isolation"].as_str(),
    );
    assert_eq!(isolation, (Some("sandboxed"), Some("pinned")));

    // What the flake does not read changes nothing; a comment in it evaluates it again, and rebuilds no step.
    place.project.write("data/large.csv", "2");
    assert!(place.built().is_empty());
    place.project.write("flake.nix", &format!("# a comment\n{FLAKE}"));
    assert_eq!(place.built(), ["flake.nix"]);

    // An input that is locked anew and that the shell does not read does the same.
    place
        .project
        .write("unused/flake.nix", &format!("# a comment\n{UNUSED}"));
    let updated = place.run(&["env", "update", "unused"]);
    assert_eq!(updated.code, Some(0), "{}", updated.err);
    assert!(
        updated.out.starts_with("./flake.lock is written\n  unused  "),
        "{}",
        updated.out
    );
    assert_eq!(updated.out.lines().count(), 2, "{}", updated.out);
    assert_eq!(place.built(), ["flake.nix"]);

    // A node that no input of the flake leads to is not even evaluated.
    let lock = place.project.root().join("flake.lock");
    let text = std::fs::read_to_string(&lock).unwrap();
    let node = r#""nodes": { "idle": { "locked": { "type": "github", "owner": "o", "repo": "idle", "rev": "1", "narHash": "sha256-wGRc7CElkkSWMzlYvEq9GB78TZCxrOpOTY/7Hka4DzE=" }, "original": { "type": "github", "owner": "o", "repo": "idle" } },"#;
    std::fs::write(&lock, text.replacen("\"nodes\": {", node, 1)).unwrap();
    assert!(place.built().is_empty());
    std::fs::write(&lock, text).unwrap();

    // A shell that comes out different rebuilds all that runs in it.
    place.project.write(
        "greeting/flake.nix",
        "{ outputs = { self }: { text = \"good day\"; }; }\n",
    );
    let updated = place.run(&["env", "update"]);
    assert_eq!(updated.code, Some(0), "{}", updated.err);
    assert_eq!(place.built(), ["flake.nix", "made", "more"]);
}

#[test]
fn nix_locks_a_flake_and_nothing_else_of_the_project() {
    let Some(place) = Place::new() else { return };
    let lock = place.project.root().join("flake.lock");
    let before = std::fs::read_to_string(&lock).unwrap();
    // Locking by hand copies the whole project into Nix's store.
    let copies_of_data = || {
        let stored = std::fs::read_dir(place.nix.folder.path().join("store"))
            .unwrap()
            .flatten();
        stored.filter(|entry| entry.path().join("data").exists()).count()
    };
    let copied = copies_of_data();
    let kept = place.run(&["env", "lock"]);
    assert_eq!(
        (kept.code, kept.out.as_str()),
        (Some(0), "./flake.lock stays as it is\n")
    );

    std::fs::remove_file(&lock).unwrap();
    let written = place.run(&["env", "lock"]);
    assert_eq!(written.code, Some(0), "{}", written.err);
    let shown = place.project.redacted(&written);
    assert!(shown.contains("greeting  ") && shown.contains(", new"), "{shown}");
    // The same inputs, though the data beside the flake is no part of it.
    let same = |text: &str| -> serde_json::Value { serde_json::from_str(text).unwrap() };
    let now = std::fs::read_to_string(&lock).unwrap();
    let hash = |text: &str| same(text)["nodes"]["greeting"]["locked"]["narHash"].clone();
    assert_eq!(hash(&now), hash(&before));
    assert_eq!(copies_of_data(), copied);

    // After a merge the lock is made anew; where Nix cannot lock, it stays as it was.
    std::fs::write(&lock, "<<<<<<< ours\n").unwrap();
    assert_eq!(place.run(&["env", "lock"]).code, Some(0));
    let good = std::fs::read_to_string(&lock).unwrap();
    place
        .project
        .edit("flake.nix", "path:./unused", "path:./not-there");
    let failed = place.run(&["env", "lock"]);
    assert_eq!(failed.code, Some(1));
    assert!(failed.err.contains("error E0614"), "{}", failed.err);
    assert_eq!(std::fs::read_to_string(&lock).unwrap(), good);
}

#[test]
fn a_flake_that_does_not_pin_its_inputs_or_has_no_such_shell() {
    let Some(place) = Place::new() else { return };
    place
        .project
        .edit("pipeline.mlp", "shell = \"default\"", "shell = \"train\"");
    insta::assert_snapshot!("unknown_shell", place.shown());
    std::fs::remove_file(place.project.root().join("flake.lock")).unwrap();
    insta::assert_snapshot!("no_lock", place.shown());
    place
        .project
        .edit("flake.nix", "inputs.greeting.url =", "inputs.greeting.url");
    insta::assert_snapshot!("no_nix", place.shown());
}

#[test]
fn a_shell_has_the_flakes_variables_and_programs() {
    let Some(place) = Place::new() else { return };
    let ran = place.run(&["shell", "made", "--", "tool", "words.txt", "/dev/stdout"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    // What is added to sit at is of the machine, one by one; a step sees neither.
    assert_eq!(ran.out, "hello world usr:0 bin:0\n");
    let ran = place.run(&[
        "shell",
        "made",
        "--",
        "sh",
        "-c",
        "echo $GREETING; test -e /usr/include || exit 4",
    ]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(4), "hello\n"), "{}", ran.err);
}

#[test]
fn an_input_whose_content_is_another_than_the_lock_says() {
    let Some(place) = Place::new() else { return };
    let lock = place.project.root().join("flake.lock");
    let text = std::fs::read_to_string(&lock).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let hash = json["nodes"]["greeting"]["locked"]["narHash"].as_str().unwrap();
    std::fs::write(
        &lock,
        text.replace(hash, "sha256-wGRc7CElkkSWMzlYvEq9GB78TZCxrOpOTY/7Hka4DzE="),
    )
    .unwrap();
    let ran = place.run(&["build", "made"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("error E0614"), "{}", ran.err);
    assert!(ran.err.contains("greeting"), "{}", ran.err);
    // Nothing was registered; locked anew it is built as if for the first time.
    assert_eq!(place.run(&["env", "update", "greeting"]).code, Some(0));
    assert_eq!(std::fs::read_to_string(&lock).unwrap(), text);
    assert_eq!(place.built(), ["flake.nix", "made", "more"]);
}
