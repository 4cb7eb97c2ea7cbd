//! Mistakes that no case of `ui/*.md` can hold: bytes that are no text, files without end, links, deep nesting.

use crate::project::Project;
use std::os::unix::fs::symlink;

fn checked(pipeline: &str, prepare: impl Fn(&Project)) -> String {
    let project = Project::new(pipeline);
    prepare(&project);
    project.shown(&["check"])
}

#[test]
fn a_file_that_cannot_be_read() {
    let shown = checked("import ./lib.mlp\nx = lib.half\n", |project| {
        symlink("lib.mlp", project.root().join("lib.mlp")).unwrap();
    });
    insta::assert_snapshot!(shown);
}

#[test]
fn a_file_that_is_no_text() {
    let shown = checked("params = import ./params.yaml as { name: Str }\n", |project| {
        std::fs::write(project.root().join("params.yaml"), b"# 2024\nname: caf\xe9\n").unwrap();
    });
    insta::assert_snapshot!(shown);
}

#[test]
fn a_file_of_another_size_altogether() {
    let shown = checked("rows = import ./rows.json as Json\n", |project| {
        // A hole: nothing is written.
        let file = std::fs::File::create(project.root().join("rows.json")).unwrap();
        file.set_len((256 << 20) + 1).unwrap();
    });
    insta::assert_snapshot!(shown);
}

#[test]
fn brackets_without_end() {
    let text = format!("lr = 0.5\nx =\n  {}1{}\n", "(".repeat(300), ")".repeat(300));
    insta::assert_snapshot!(checked(&text, |_| {}));
}

#[test]
fn a_type_without_end() {
    let mut text = "a0 = 1\n".to_owned();
    for depth in 1..400 {
        text += &format!("a{depth} = [a{}]\n", depth - 1);
    }
    insta::assert_snapshot!(checked(&text, |_| {}));
}

#[test]
fn an_input_that_leads_out_of_its_folder() {
    let project = Project::new(
        "import std.{env, step}\nmade = step([\"cat\", ./data], env = env.host([\"cat\"]), outputs = { o: File(\"o\") })\n",
    );
    project.write("data/a.csv", "1\n");
    symlink("/etc/hostname", project.root().join("data/host")).unwrap();
    insta::assert_snapshot!(project.shown(&["build", "made", "--dry-run"]));
}

#[test]
fn a_pattern_that_leads_out_of_the_project() {
    let project = Project::new(
        "import std.{env, step}\nmade = step([\"cat\"], env = env.host([\"cat\"]), inputs = { all: \"../*.csv\" }, outputs = { o: File(\"o\") })\n",
    );
    insta::assert_snapshot!(project.shown(&["build", "made", "--dry-run"]));
}
