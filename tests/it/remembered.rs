//! What a pipeline came to is remembered, and never hides what has changed since.

use crate::project::{Project, Ran};
use std::fs;

const PIPELINE: &str = r#"import ./parts.mlp

param suffix: Str = "!"

shout = step(
  ["sh", "-c", "cat greeting.txt > loud.txt; printf '%s' ${suffix} >> loud.txt"], env = parts.tools,
  inputs = { greeting: ./greeting.txt }, outputs = { loud: File("loud.txt") },
)
twice = step(
  ["sh", "-c", "cat ${shout.loud} ${shout.loud} > twice.txt"], env = parts.tools,
  outputs = { text: File("twice.txt") },
)
"#;

fn project() -> Project {
    let project = Project::new(PIPELINE);
    project.write("parts.mlp", "tools = env.host([\"sh\", \"cat\"])\n");
    project.edit("parts.mlp", "tools", "import std.env\n\ntools");
    project.write("greeting.txt", "hello");
    project
}

fn twice(project: &Project, arguments: &[&str]) -> String {
    let all: Vec<&str> = ["build", "twice"].iter().chain(arguments).copied().collect();
    let ran = project.run(&all);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    fs::read_to_string(project.root().join("result/twice.text.txt")).unwrap()
}

fn did_nothing(ran: &Ran) -> bool {
    ran.err.contains("nothing to do")
}

#[test]
fn each_change_is_seen() {
    let project = project();
    assert_eq!(twice(&project, &[]), "hello!hello!");
    assert!(did_nothing(&project.run(&["build", "twice"])));
    assert!(project.root().join(".mlp/graphs").is_dir());

    project.write("greeting.txt", "good morning");
    assert_eq!(twice(&project, &[]), "good morning!good morning!");
    assert_eq!(
        twice(&project, &["--set", "suffix=?"]),
        "good morning?good morning?"
    );
    assert_eq!(twice(&project, &[]), "good morning!good morning!");

    project.edit("pipeline.mlp", "\"!\"", "\".\"");
    assert_eq!(twice(&project, &[]), "good morning.good morning.");
    project.write("greeting.txt", "hello");
    assert_eq!(twice(&project, &[]), "hello.hello.");
}

#[test]
fn results_that_are_gone_are_built_again() {
    let project = project();
    twice(&project, &[]);
    fs::remove_dir_all(project.root().join("../store/s")).unwrap();
    fs::remove_dir_all(project.root().join("../store/r")).unwrap();
    let ran = project.run(&["build", "twice"]);
    assert!(!did_nothing(&ran), "{}", ran.err);
    assert!(did_nothing(&project.run(&["build", "twice"])));
}

#[test]
fn a_new_mistake_is_told_and_a_warning_each_time() {
    let project = project();
    for _ in 0..2 {
        let ran = project.run(&["check"]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), "ok: no mistakes found\n"));
    }
    twice(&project, &[]);
    project.edit("parts.mlp", "[\"sh\"", "[\"sh\", 1");
    assert_eq!(project.run(&["check"]).code, Some(1));
    assert_eq!(project.run(&["build", "twice"]).code, Some(1));

    project.edit("parts.mlp", "[\"sh\", 1", "[\"sh\"");
    project.edit("pipeline.mlp", "param suffix", "import std.nn\nparam suffix");
    let first = project.run(&["build", "twice"]);
    assert!(first.err.contains("warning"), "{}", first.err);
    assert!(project.run(&["build", "twice"]).err.contains("warning"));
    assert!(project.run(&["check"]).err.contains("warning"));
}

#[test]
fn a_damaged_result_is_told_of_and_made_again() {
    let project = project();
    twice(&project, &[]);
    let target = fs::canonicalize(project.root().join("result/twice.text.txt")).unwrap();
    let mut permissions = fs::metadata(&target).unwrap().permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "a file of a test")]
    permissions.set_readonly(false);
    fs::set_permissions(&target, permissions).unwrap();
    fs::write(&target, "hellO!hello!").unwrap();
    let ran = project.run(&["build", "twice"]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.err.contains("damaged"), "{}", ran.err);
    assert_eq!(twice(&project, &[]), "hello!hello!");
}

/// A pipeline whose files are remembered each by itself.
fn parts() -> Project {
    let project =
        Project::new("import ./left.mlp\nimport ./right.mlp\n\nall = [left.shout.loud, right.again.out]\n");
    let step = |name: &str, input: &str, output: &str| {
        format!(
            "{name} = step([\"cp\", {input}, \"{output}.txt\"], env = tools.host, outputs = {{ {output}: File(\"{output}.txt\") }})\n"
        )
    };
    project.write(
        "tools.mlp",
        "import std.env\n\nhost = env.host([\"cp\"])\nwidth = 8\n",
    );
    let left = step("shout", "./greeting.txt", "loud");
    project.write("left.mlp", &format!("import ./tools.mlp\n\n{left}"));
    let right = step("again", "left.shout.loud", "out");
    project.write(
        "right.mlp",
        &format!("import ./left.mlp\nimport ./tools.mlp\n\n{right}wide = tools.width\n"),
    );
    project.write("greeting.txt", "hello");
    project
}

/// What a check says; whoever forgets everything before it says the same.
fn checked(project: &Project) -> String {
    let ran = project.run(&["check"]);
    let _ = fs::remove_dir_all(project.root().join(".mlp/graphs"));
    let remembered = project.root().join(".mlp/modules");
    let kept = fs::read_dir(&remembered)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let kept: Vec<_> = kept.map(|path| (fs::read(&path).unwrap(), path)).collect();
    fs::remove_dir_all(&remembered).unwrap();
    let anew = project.run(&["check"]);
    assert_eq!((ran.code, &ran.err), (anew.code, &anew.err));
    fs::create_dir_all(&remembered).unwrap();
    for (bytes, path) in kept {
        fs::write(path, bytes).unwrap();
    }
    let _ = fs::remove_dir_all(project.root().join(".mlp/graphs"));
    ran.err
}

#[test]
fn an_edit_of_one_file_of_many_is_seen() {
    let project = parts();
    let clean = "ok: no mistakes found\n";
    assert_eq!(checked(&project), clean);
    let edits = [
        ("pipeline.mlp", "all = ", "again = right.wide + 1\nall = ", true),
        (
            "pipeline.mlp",
            "right.wide + 1",
            "right.wide + right.again",
            false,
        ),
        ("pipeline.mlp", "right.wide + right.again", "right.wide", true),
        ("tools.mlp", "width = 8", "width = \"8\"", true),
        (
            "pipeline.mlp",
            "again = right.wide",
            "again = right.wide * 2",
            false,
        ),
        ("tools.mlp", "width = \"8\"", "width = 9", true),
        ("left.mlp", "loud: File", "quiet: File", false),
        ("left.mlp", "quiet: File", "loud: File", true),
        ("right.mlp", "wide = tools.width", "wide = tools.widht", false),
        (
            "right.mlp",
            "tools.widht",
            "if tools.width < 9 then tools.width else range(3)[7]",
            false,
        ),
        ("tools.mlp", "width = 9", "width = 7", true),
    ];
    for (file, from, to, is_clean) in edits {
        project.edit(file, from, to);
        assert_eq!(
            checked(&project) == clean,
            is_clean,
            "after {to}: {}",
            checked(&project)
        );
    }
}

#[test]
fn what_is_remembered_of_files_and_damaged_is_not_used() {
    let project = parts();
    checked(&project);
    let folder = project.root().join(".mlp/modules");
    let file = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read_to_string(&file).unwrap();
    for damaged in [
        whole.replacen("width", "widht", 1),
        whole[..whole.len() / 2].to_owned(),
    ] {
        fs::write(&file, damaged).unwrap();
        project.edit("pipeline.mlp", "all", "all");
        assert_eq!(project.run(&["check"]).err, "ok: no mistakes found\n");
        let _ = fs::remove_dir_all(project.root().join(".mlp/graphs"));
    }
}
