//! `mlp env`: what it says of environments whose locks do not fit, and how it writes locks. Programs that ask the network
//! are stood in for by scripts; uv itself is run where it is, on a wheel of the project.
#![expect(clippy::disallowed_methods, reason = "whole commands are what is tested")]

use crate::project::{Project, Ran};
use crate::python;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const PIPELINE: &str = r#"import std.{env, step}
tools = env.flake(./flake.nix, shell = "default")
made = step(["tool", "o"], env = tools, outputs = { o: File("o") })
again = step(["tool", "o"], env = env.flake(./flake.nix, shell = "other"), outputs = { o: File("o") })
"#;

const FLAKE: &str = r#"{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-24.05";
  inputs.tools.url = "git+https://git.example/tools";
  inputs.tools.inputs.nixpkgs.follows = "nixpkgs";

  outputs = { self, nixpkgs, tools }: { devShells.x86_64-linux = { default = tools.shell; other = tools.shell; }; };
}
"#;

const LOCK: &str = r#"{
  "nodes": {
    "nixpkgs": {
      "locked": { "type": "github", "owner": "NixOS", "repo": "nixpkgs", "rev": "b134951a4c9f3c995fd7be05f3243f8ecd65d798", "lastModified": 1735563628, "narHash": "sha256-wGRc7CElkkSWMzlYvEq9GB78TZCxrOpOTY/7Hka4DzE=" },
      "original": { "type": "github", "owner": "NixOS", "repo": "nixpkgs", "ref": "nixos-24.05" }
    },
    "root": { "inputs": { "nixpkgs": "nixpkgs", "tools": "tools" } },
    "tools": {
      "inputs": { "nixpkgs": ["nixpkgs"] },
      "locked": { "type": "git", "url": "https://git.example/tools", "rev": "5135c59491985879812717f4c9fea69604e7f26f", "revCount": 7, "lastModified": 1735563628, "narHash": "sha256-oi46NrU4jvWkPPnSRb+AfpF93EbbGx9NzoCm27w8N0U=" },
      "original": { "type": "git", "url": "https://git.example/tools" }
    }
  },
  "root": "root",
  "version": 7
}
"#;

fn flake() -> Project {
    let project = Project::new(PIPELINE);
    project.write("flake.nix", FLAKE);
    project.write("flake.lock", LOCK);
    project
}

#[test]
fn a_flake_that_is_pinned() {
    let project = flake();
    insta::assert_snapshot!("pinned", project.shown(&["env", "check"]));
    insta::assert_snapshot!("shown", project.shown(&["env", "show"]));
    let json: serde_json::Value =
        serde_json::from_str(&project.run(&["env", "check", "--format", "json"]).out).unwrap();
    assert_eq!(json, serde_json::json!({ "diagnostics": [] }));
}

#[test]
fn a_lock_of_another_flake() {
    let project = flake();
    project.edit("flake.nix", "nixos-24.05", "nixos-24.11");
    project.edit(
        "flake.nix",
        "  inputs.tools.inputs",
        "  inputs.new.url = \"github:o/new\";\n  inputs.tools.inputs",
    );
    insta::assert_snapshot!("another_flake", project.shown(&["env", "check"]));
    // A build says the same, and builds nothing.
    let built = project.run(&["build", "made"]);
    assert_eq!(built.code, Some(1));
    assert_eq!(built.err.matches("error E0608").count(), 2, "{}", built.err);
}

#[test]
fn inputs_that_are_not_pinned_or_that_nobody_else_has() {
    let project = flake();
    let git = "git+https://git.example/tools";
    project.edit("flake.nix", git, "git+file:///home/me/tools");
    let lock = LOCK
        .replace("https://git.example/tools", "file:///home/me/tools")
        .replace(
            ", \"narHash\": \"sha256-oi46NrU4jvWkPPnSRb+AfpF93EbbGx9NzoCm27w8N0U=\"",
            "",
        );
    project.write("flake.lock", &lock);
    insta::assert_snapshot!("not_pinned", project.shown(&["env", "check"]));
    project.write(
        "flake.lock",
        &LOCK.replace("https://git.example/tools", "file:///home/me/tools"),
    );
    insta::assert_snapshot!("machine_local", project.shown(&["env", "check"]));
}

#[test]
fn locks_that_are_none() {
    let project = flake();
    project.write("flake.lock", &format!("<<<<<<< ours\n{LOCK}"));
    insta::assert_snapshot!("merge_conflict", project.shown(&["env", "check"]));
    project.write("flake.lock", &LOCK.replace("\"version\": 7", "\"version\": 8"));
    insta::assert_snapshot!("lock_version", project.shown(&["env", "check"]));
    project.write(
        "flake.lock",
        &LOCK.replace("[\"nixpkgs\"]", "[\"tools\", \"nixpkgs\"]"),
    );
    insta::assert_snapshot!("circle", project.shown(&["env", "check"]));
    std::fs::write(project.root().join("flake.lock"), b"\xff\xfe{").unwrap();
    insta::assert_snapshot!("no_text", project.shown(&["env", "check"]));
}

#[test]
fn a_name_that_no_lock_pins() {
    let project = flake();
    insta::assert_snapshot!("unknown_name", project.shown(&["env", "update", "nixpkg"]));
    assert_eq!(
        std::fs::read_to_string(project.root().join("flake.lock")).unwrap(),
        LOCK
    );
}

/// A project whose uv.lock is to be written; its wheel's hash.
fn locked_by_uv() -> (Project, String) {
    let project = Project::new(&format!(
        "import std.{{env, step}}\nmade = step([\"own\"], env = env.python(./uv.lock, python = \"{}\"), outputs = {{ file: File(\"said\") }})\n",
        python::version()
    ));
    project.write(
        "pyproject.toml",
        "[project]\nname = \"mine\"\nversion = \"1\"\nrequires-python = \">=3.8\"\ndependencies = [\"own\"]\n\n[tool.uv.sources]\nown = { path = \"wheels/own-1.0-py3-none-any.whl\" }\n",
    );
    let hash = python::wheel(&project);
    (project, hash)
}

/// What uv writes for [`locked_by_uv`].
fn uv_lock(hash: &str) -> String {
    format!(
        r#"version = 1
revision = 3
requires-python = ">=3.8"

[[package]]
name = "mine"
version = "1"
source = {{ virtual = "." }}
dependencies = [
    {{ name = "own" }},
]

[package.metadata]
requires-dist = [{{ name = "own", path = "wheels/own-1.0-py3-none-any.whl" }}]

[[package]]
name = "own"
version = "1.0"
source = {{ path = "wheels/own-1.0-py3-none-any.whl" }}
wheels = [
    {{ filename = "own-1.0-py3-none-any.whl", hash = "sha256:{hash}" }},
]
"#
    )
}

/// Runs `mlp` with `script` as the only `uv`.
fn with_uv(project: &Project, script: &str, arguments: &[&str]) -> Ran {
    let programs = project.root().parent().unwrap().join("programs");
    std::fs::create_dir_all(&programs).unwrap();
    let uv = programs.join("uv");
    std::fs::write(&uv, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&uv, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    Ran::of(project.command(arguments).env("PATH", path).output().unwrap())
}

#[test]
fn a_lock_is_written_whole_or_not_at_all() {
    let (project, hash) = locked_by_uv();
    let lock = project.root().join("uv.lock");
    let shown = |ran: &Ran| project.redacted(ran).replace(&python::version(), "[VERSION]");

    let half = with_uv(
        &project,
        "printf 'version =' > uv.lock; echo 'error: no such package' >&2; exit 2",
        &["env", "lock"],
    );
    insta::assert_snapshot!("uv_fails", shown(&half));
    assert!(!lock.exists());

    project.write("new.lock", &uv_lock(&hash));
    let script = "echo \"$@\" >> asked; cp new.lock uv.lock; test -e wheels && test -e pyproject.toml";
    let written = with_uv(&project, script, &["env", "lock"]);
    insta::assert_snapshot!("uv_writes", shown(&written));
    assert_eq!(std::fs::read_to_string(&lock).unwrap(), uv_lock(&hash));
    assert!(!project.root().join("asked").exists(), "it wrote beside the lock");
    let again = with_uv(&project, script, &["env", "lock"]);
    assert_eq!(
        (again.code, again.out.as_str()),
        (Some(0), "./uv.lock stays as it is\n")
    );

    // Only what is named is asked for anew, of the lock that has it.
    let script = format!("{script}; test \"$*\" = \"$(cat wanted)\" || {{ echo \"$*\" >&2; exit 1; }}");
    let wanted = format!(
        "lock --no-progress --python {} --upgrade-package own",
        python::version()
    );
    project.write("wanted", &wanted);
    let updated = with_uv(&project, &script, &["env", "update", "own"]);
    assert_eq!(updated.code, Some(0), "{}", updated.err);

    // A lock that was written, and still is of no use, is told of.
    project.edit("new.lock", &hash, "");
    let useless = with_uv(&project, "cp new.lock uv.lock", &["env", "lock"]);
    assert_eq!(useless.code, Some(1));
    assert!(useless.err.contains("error E0621"), "{}", useless.err);
}

#[test]
fn uv_itself_locks_and_what_it_locks_is_built() {
    if Command::new("uv").arg("--version").output().is_err() {
        eprintln!("no uv on this machine: not tested");
        return;
    }
    let (project, hash) = locked_by_uv();
    let locked = project.run(&["env", "lock"]);
    assert_eq!(locked.code, Some(0), "{}", locked.err);
    assert_eq!(locked.out, "./uv.lock is written\n  own  1.0, new\n");
    assert!(
        std::fs::read_to_string(project.root().join("uv.lock"))
            .unwrap()
            .contains(&hash)
    );
    assert_eq!(project.run(&["env", "check"]).err, "ok: 1 environment, pinned\n");
    assert_eq!(project.build(&["made"]).built(), ["made", "uv.lock"]);

    // Requirements with hashes, and PEP 751, from what the project asks for; both make the same environment.
    for (old, lock) in [
        ("uv.lock", "requirements.txt"),
        ("requirements.txt", "pylock.toml"),
    ] {
        project.edit("pipeline.mlp", old, lock);
        let locked = project.run(&["env", "lock"]);
        assert_eq!(locked.code, Some(0), "{}", locked.err);
        assert_eq!(locked.out, format!("./{lock} is written\n  own  1.0, new\n"));
        assert_eq!(project.build(&["made"]).built(), [""; 0]);
        let mut left = std::fs::read_dir(project.root()).unwrap().flatten();
        assert!(!left.any(|entry| entry.file_name().to_string_lossy().contains("mlp-new")));
    }
}

#[test]
fn a_lock_that_nobody_here_can_write() {
    let (project, hash) = locked_by_uv();
    let alone = |arguments: &[&str]| {
        let mut command = project.command(arguments);
        project
            .redacted(&Ran::of(command.env("PATH", "/nowhere").output().unwrap()))
            .replace(&python::version(), "[VERSION]")
    };
    insta::assert_snapshot!("no_uv", alone(&["env", "lock"]));
    std::fs::remove_file(project.root().join("pyproject.toml")).unwrap();
    insta::assert_snapshot!("nothing_to_lock", alone(&["env", "lock"]));
    project.write("uv.lock", &uv_lock(&hash));
    project.write(
        "pyproject.toml",
        "[project]\nname = \"mine\"\ndependencies = [\"own\", \"numpy>=2\"]\n",
    );
    let shown = project
        .shown(&["env", "check"])
        .replace(&python::version(), "[VERSION]");
    insta::assert_snapshot!("stale_uv_lock", shown);
}

#[test]
fn nothing_to_show_or_to_lock() {
    let project = Project::new("x = 1\n");
    for arguments in [&["env"][..], &["env", "check"]] {
        let ran = project.run(arguments);
        assert_eq!(
            ran.err,
            "no step of this pipeline has an environment of its own\n"
        );
        assert_eq!(ran.code, Some(0));
    }
    assert_eq!(
        project.run(&["env", "lock"]).err,
        "no environment of this pipeline has a lock\n"
    );
}
