//! `mlp build --watch`: every change of what is read builds again, mistakes are told and waited out, an edit ends what it takes
//! away and nothing else.

use crate::process::{finish, read_until, signal, wait_for};
use crate::project::Project;

fn project(script: &str) -> Project {
    let project = Project::new(
        r#"import std.{env, step}
tools = env.host(["sh", "cat", "sleep"])
made = step(["sh", ./make.sh], env = tools, inputs = { rows: ./rows.csv }, outputs = { o: File("o") })
"#,
    );
    project.write("make.sh", script);
    project.write("rows.csv", "1\n");
    project
}

fn made(project: &Project) -> String {
    std::fs::read_to_string(project.root().join("result/made.o")).unwrap()
}

#[test]
fn every_change_is_built_and_mistakes_are_waited_out() {
    let project = project("cat rows.csv > o\n");
    let mut child = project.start(&["build", "made", "--watch"]);
    let (_, mut told) = wait_for(&mut child, "watching");
    assert_eq!(made(&project), "1\n");

    project.write("rows.csv", "2\n");
    let said = read_until(&mut told, "watching");
    assert!(
        said.contains("changed: rows.csv") && said.contains("ok: 1 step built"),
        "{said}"
    );
    assert_eq!(made(&project), "2\n");

    project.edit("pipeline.mlp", "./rows.csv", "./other.csv");
    let said = read_until(&mut told, "watching");
    assert!(
        said.contains("changed: pipeline.mlp") && said.contains("error E0501"),
        "{said}"
    );
    // What is missing is watched for.
    project.write("other.csv", "3\n");
    let said = read_until(&mut told, "watching");
    assert!(said.contains("changed: other.csv"), "{said}");

    signal(child.id(), "INT");
    assert_eq!(finish(&mut child, told).0, Some(130));
}

#[test]
fn an_edit_ends_what_it_takes_away() {
    let project = project("echo ready\nwhile :; do sleep 0.01; done\n");
    let mut child = project.start(&["build", "made", "--watch", "--logs"]);
    let (_, mut told) = wait_for(&mut child, "ready");
    project.write("make.sh", "echo other > o\n");
    let said = read_until(&mut told, "watching");
    assert!(
        said.contains("made was stopped") && said.contains("changed: make.sh"),
        "{said}"
    );
    assert_eq!(made(&project), "other\n");
    signal(child.id(), "INT");
    assert_eq!(finish(&mut child, told).0, Some(130));
}

#[test]
fn an_edit_beside_lets_a_build_go_on() {
    let project = project("echo ready\nsleep 1\necho done > o\n");
    let mut child = project.start(&["build", "made", "--watch", "--logs"]);
    let (_, mut told) = wait_for(&mut child, "ready");
    project.edit("pipeline.mlp", "tools = ", "other = 1\ntools = ");
    let said = read_until(&mut told, "watching");
    assert!(
        said.contains("ok: 1 step built") && !said.contains("stopped"),
        "{said}"
    );
    signal(child.id(), "INT");
    assert_eq!(finish(&mut child, told).0, Some(130));
}

#[test]
fn ctrl_c_while_a_step_is_built_ends_both() {
    let project = project("echo ready\nwhile :; do sleep 0.01; done\n");
    let mut child = project.start(&["build", "made", "--watch", "--logs"]);
    let (_, told) = wait_for(&mut child, "ready");
    signal(child.id(), "INT");
    let (code, told) = finish(&mut child, told);
    assert_eq!(code, Some(130), "{told}");
    assert!(told.contains("made was stopped"), "{told}");
}

#[test]
fn what_cannot_be_watched_is_said() {
    let project = project("");
    insta::assert_snapshot!(project.shown(&["build", "made", "--watch", "--check"]));
}
