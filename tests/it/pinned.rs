//! Data that is too large for git: pinned, changed, gone, and had from the store.

use crate::project::Project;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;

/// A step that reads a file, one that reads a directory, and one that reads what a glob matches.
const PIPELINE: &str = r#"import std.{env, step}

tools = env.host(["cat", "sh"])
one = step(["sh", "-c", "cat data/train.csv > o"], env = tools, inputs = { raw: ./data/train.csv }, outputs = { o: File("o") })
all = step(["sh", "-c", "cat data/images/*/* > o"], env = tools, inputs = { images: ./data/images }, outputs = { o: File("o") })
some = step(["sh", "-c", "cat data/images/a/* > o"], env = tools, inputs = { images: "data/images/a/*.png" }, outputs = { o: File("o") })
"#;

fn project() -> Project {
    let project = Project::new(PIPELINE);
    fs::create_dir(project.root().join(".git")).unwrap();
    project.write(".gitignore", "*.png\n/result\n");
    project.write("data/train.csv", "1,2\n");
    for (path, text) in [("a/1.png", "one\n"), ("a/2.png", "two\n"), ("b/3.png", "three\n")] {
        project.write(&format!("data/images/{path}"), text);
    }
    project
}

fn added(arguments: &[&str]) -> Project {
    let project = project();
    let mut all = vec!["add", "data/train.csv", "data/images"];
    all.extend(arguments);
    assert_eq!(project.run(&all).code, Some(0));
    project
}

fn remove(project: &Project, path: &str) {
    let path = project.root().join(path);
    if path.is_dir() {
        fs::remove_dir_all(path).unwrap();
    } else {
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn data_is_pinned_and_git_is_told() {
    let project = project();
    insta::assert_snapshot!(project.shown(&["add", "data/train.csv", "data/images"]));
    let read = |path: &str| fs::read_to_string(project.root().join(path)).unwrap();
    insta::assert_snapshot!(project.redacted_text(&(read("mlp.lock") + "---\n" + &read(".gitignore"))));
    // Again, from another folder: nothing changes.
    let before = read("mlp.lock");
    let mut command = project.command(&["add", "../data/images"]);
    fs::create_dir(project.root().join("src")).unwrap();
    let ran = command.current_dir(project.root().join("src")).output().unwrap();
    assert_eq!(ran.status.code(), Some(0));
    assert_eq!(read("mlp.lock"), before);
    // What lies around it takes it in.
    insta::assert_snapshot!(project.shown(&["add", "data"]));
    insta::assert_snapshot!(project.shown(&["add", "data/images/a/1.png"]));
}

#[test]
fn what_changed_is_said() {
    let project = added(&[]);
    insta::assert_snapshot!(project.shown(&["status"]));
    project.write("data/images/a/2.png", "other\n");
    project.write("data/images/c/new.png", "new\n");
    remove(&project, "data/images/b");
    remove(&project, "data/train.csv");
    insta::assert_snapshot!(project.shown(&["status", "--check"]));
    insta::assert_snapshot!(project.shown(&["status", "--format", "json"]));
    assert_eq!(project.run(&["status"]).code, Some(0));
}

#[test]
fn without_the_bytes_results_are_found_and_builds_say_what_is_missing() {
    let project = added(&[]);
    let built = project.build(&["one", "all", "some"]);
    assert_eq!(built.built(), ["all", "one", "some"]);
    remove(&project, "data");
    assert!(project.build(&["one", "all", "some"]).built().is_empty());
    assert_eq!(project.build(&["one", "all", "some"]).digests(), built.digests());
    // Small sources were copied into the store for the build: they are there for another one, too.
    project.edit(
        "pipeline.mlp",
        "cat data/train.csv >",
        "cat data/train.csv data/train.csv >",
    );
    assert_eq!(project.build(&["one"]).built(), ["one"]);
}

#[test]
fn what_neither_the_project_nor_the_store_has_stops_a_build_before_it_begins() {
    let project = added(&[]);
    remove(&project, "data");
    insta::assert_snapshot!(project.shown(&["build", "one", "all", "some"]));
    // A commit that never was here: the store does not know what lies in the directory.
    project.edit("mlp.lock", "files = 3", "files = 4");
    let lock = fs::read_to_string(project.root().join("mlp.lock")).unwrap();
    let digest = lock
        .split("digest = \"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let other: String = digest.chars().rev().collect();
    project.write("mlp.lock", &lock.replace(digest, &other));
    insta::assert_snapshot!(project.shown(&["build", "some"]));
    insta::assert_snapshot!(project.shown(&["status"]));
}

#[test]
fn bytes_in_the_store_are_built_from() {
    let project = added(&["--store"]);
    remove(&project, "data");
    insta::assert_snapshot!(project.shown(&["status", "--check"]));
    assert_eq!(
        project.build(&["one", "all", "some"]).built(),
        ["all", "one", "some"]
    );
    let text = fs::read_to_string(project.root().join("result/all.o")).unwrap();
    assert_eq!(text, "one\ntwo\nthree\n");
    // Pinned again after one of its files changed: the store has that one, too.
    for (path, text) in [
        ("a/1.png", "one\n"),
        ("a/2.png", "changed\n"),
        ("b/3.png", "three\n"),
    ] {
        project.write(&format!("data/images/{path}"), text);
    }
    assert_eq!(project.run(&["add", "--store", "data/images"]).code, Some(0));
    remove(&project, "data/images");
    assert_eq!(project.build(&["all"]).built(), ["all"]);
}

#[test]
fn what_is_there_is_built_with_a_warning_where_it_is_not_what_is_pinned() {
    let project = added(&[]);
    project.build(&["one", "some"]);
    project.write("data/train.csv", "3,4\n");
    project.write("data/images/a/1.png", "more\n");
    let shown = ["some", "one"].map(|target| project.shown(&["build", target]));
    insta::assert_snapshot!(shown.concat());
    let text = fs::read_to_string(project.root().join("result/one.o")).unwrap();
    assert_eq!(text, "3,4\n");
    assert_eq!(
        project.run(&["add", "data/train.csv", "data/images"]).code,
        Some(0)
    );
    let again = project.run(&["build", "one", "some"]);
    assert!(!again.err.contains("warning"), "{}", again.err);
}

#[test]
fn what_cannot_be_pinned_is_said_at_once() {
    let project = project();
    fs::create_dir_all(project.root().join("empty/deeper")).unwrap();
    fs::create_dir(project.root().join("leaks")).unwrap();
    symlink("/etc/hostname", project.root().join("leaks/out")).unwrap();
    fs::create_dir(project.root().join("odd")).unwrap();
    let odd = std::ffi::OsString::from_vec(vec![b'x', 0xff]);
    fs::write(project.root().join("odd").join(odd), "").unwrap();
    fs::create_dir(project.root().join("sockets")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(project.root().join("sockets/s")).unwrap();
    insta::assert_snapshot!(project.shown(&[
        "add",
        "data/trian.csv",
        "empty",
        "leaks",
        "odd",
        "sockets",
        "data/train.csv",
    ]));
    assert!(
        !project.root().join("mlp.lock").exists(),
        "all or none are pinned"
    );
    insta::assert_snapshot!(project.shown(&["add", "../elsewhere"]));
    insta::assert_snapshot!(project.shown(&["add", "."]));
}

#[test]
fn a_link_to_data_elsewhere_is_pinned_by_what_it_leads_to() {
    let project = project();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("x.bin"), "x").unwrap();
    symlink(elsewhere.path(), project.root().join("big")).unwrap();
    assert_eq!(project.run(&["add", "big"]).code, Some(0));
    fs::write(elsewhere.path().join("x.bin"), "y").unwrap();
    let status = project.run(&["status"]);
    assert!(status.out.contains("differs: 1 changed"), "{}", status.out);
}

#[test]
fn a_lock_that_is_broken_is_shown_at_its_place() {
    let project = added(&[]);
    let lock = fs::read_to_string(project.root().join("mlp.lock")).unwrap();
    let ours = lock.split("\n\n").nth(1).unwrap();
    project.write(
        "mlp.lock",
        &lock.replace(
            ours,
            &format!("<<<<<<< HEAD\n{ours}\n=======\n{ours}\n>>>>>>> topic"),
        ),
    );
    insta::assert_snapshot!(project.shown(&["status"]));
    project.write("mlp.lock", &lock.replace("version = 1", "version = 7"));
    insta::assert_snapshot!(project.shown(&["build", "one"]));
    project.write("mlp.lock", &(lock.clone() + "\n" + ours + "\n"));
    insta::assert_snapshot!(project.shown(&["add", "data/train.csv"]));
    let digest = lock
        .split("digest = \"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    project.write("mlp.lock", &lock.replace(digest, "cafe"));
    insta::assert_snapshot!(project.shown(&["check"]));
    insta::assert_snapshot!(project.shown(&["build", "one", "--format", "json"]));
}
