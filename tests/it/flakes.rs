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
"#;

/// A shell without a package set: what it brings is a program that needs nothing.
const FLAKE: &str = r#"{
  inputs.greeting.url = "path:./greeting";
  outputs = { self, greeting }: {
    devShells.x86_64-linux.default = derivation {
      name = "shell"; system = "x86_64-linux"; outputs = [ "out" ];
      builder = "/bin/bash"; args = [ "-c" "echo made > $out" ];
      PATH = "${./bin}"; GREETING = greeting.text;
    };
  };
}
"#;

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

struct Place {
    project: Project,
    /// Where Nix keeps its things.
    nix: tempfile::TempDir,
}

impl Place {
    fn new() -> Option<Self> {
        let nix = tempfile::Builder::new()
            .prefix("nix-")
            .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
            .unwrap();
        for folder in ["conf", "store", "state", "log", "home"] {
            std::fs::create_dir(nix.path().join(folder)).unwrap();
        }
        let configuration = "experimental-features = nix-command flakes\nbuild-users-group =\nsandbox = false\nsubstituters =\n";
        std::fs::write(nix.path().join("conf/nix.conf"), configuration).unwrap();
        let project = Project::new(PIPELINE);
        project.write("flake.nix", FLAKE);
        project.write(
            "greeting/flake.nix",
            "{ outputs = { self }: { text = \"hello\"; }; }\n",
        );
        project.write("words.txt", "world");
        project.write("data/large.csv", "1");
        let place = Self { project, nix };
        let there = |program: &str| Command::new(program).arg("--version").output().is_ok();
        if !there("nix") || !Path::new("/bin/bash").exists() || !place.tool() {
            eprintln!("no Nix, no bash, or no C compiler that links statically: not tested");
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

    fn variables(&self) -> Vec<(&'static str, PathBuf)> {
        let names = [
            ("NIX_CONF_DIR", "conf"),
            ("NIX_STORE_DIR", "store"),
            ("NIX_STATE_DIR", "state"),
            ("NIX_LOG_DIR", "log"),
            ("HOME", "home"),
        ];
        let base = self.nix.path().canonicalize().unwrap();
        names.map(|(name, folder)| (name, base.join(folder))).into()
    }

    fn lock(&self) {
        let mut nix = Command::new("nix");
        nix.args(["--offline", "flake", "lock", "path:."])
            .current_dir(self.project.root())
            .envs(self.variables());
        let output = nix.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(
            self.project
                .command(arguments)
                .envs(self.variables())
                .output()
                .unwrap(),
        )
    }

    /// Builds; gives the steps that were built.
    fn built(&self) -> Vec<String> {
        let ran = self.run(&["build", "made", "--format", "json"]);
        assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
        crate::project::Report(serde_json::from_str(&ran.out).unwrap()).built()
    }

    fn shown(&self) -> String {
        self.project.redacted(&self.run(&["build", "made"]))
    }
}

impl Drop for Place {
    /// A store is read-only, and has to be made writable to be removed.
    fn drop(&mut self) {
        let mut waiting = vec![self.nix.path().to_owned()];
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
    assert_eq!(place.built(), ["flake.nix", "made"]);
    let made = std::fs::read_to_string(place.project.root().join("result/made.o")).unwrap();
    assert_eq!(made, "hello world usr:-1 bin:-1\n");
    assert!(place.built().is_empty());

    // What the flake does not read changes nothing; a comment in it evaluates it again, and rebuilds no step.
    place.project.write("data/large.csv", "2");
    assert!(place.built().is_empty());
    place.project.write("flake.nix", &format!("# a comment\n{FLAKE}"));
    assert_eq!(place.built(), ["flake.nix"]);

    // A shell that comes out different rebuilds what runs in it.
    place.project.write(
        "greeting/flake.nix",
        "{ outputs = { self }: { text = \"good day\"; }; }\n",
    );
    std::fs::remove_file(place.project.root().join("flake.lock")).unwrap();
    place.lock();
    assert_eq!(place.built(), ["flake.nix", "made"]);
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
