//! `mlp data infer`: what it prints can be pasted, checks, and builds. And the example of sounds, from files to scores.

use crate::project::Project;

fn project() -> Project {
    let project = Project::new("import std.{data}\n");
    let rows: String = (0..40)
        .map(|row| {
            let size = if row == 7 {
                String::new()
            } else {
                format!("{}.5", row % 9)
            };
            format!(
                "{row},{size},{},{}\n",
                ["red", "green"][row % 2],
                ["small", "large"][row / 20]
            )
        })
        .collect();
    project.write("data/my things.csv", &format!("id,size,colour,class\n{rows}"));
    project
}

#[test]
fn a_draft_is_laid_out_with_what_was_found() {
    let project = project();
    insta::assert_snapshot!(project.shown(&["data", "infer", "data/my things.csv"]));
    insta::assert_snapshot!(
        "as_json",
        project.shown(&["data", "infer", "data/my things.csv", "--format", "json"])
    );
}

#[test]
fn a_draft_checks_and_builds() {
    let project = project();
    let draft = project.run(&["data", "infer", "data/my things.csv"]);
    assert_eq!(draft.code, Some(0), "{}", draft.err);
    // As the formatter has it.
    project.write("pipeline.mlp", &draft.out);
    assert_eq!(project.run(&["fmt", "--check"]).code, Some(0), "{}", draft.out);
    assert_eq!(project.run(&["check"]).code, Some(0), "{}", draft.out);
    let built = project.build(&["my_things"]);
    assert!(built.0["built"].as_u64().is_some_and(|built| built > 0));
}

#[test]
fn paths_are_seen_from_the_pipeline() {
    let project = project();
    let mut command = project.command(&["data", "infer", "my things.csv"]);
    command.current_dir(project.root().join("data"));
    let ran = crate::project::Ran::of(command.output().unwrap());
    assert!(ran.out.contains("./\"data/my things.csv\""), "{}", ran.out);
    let elsewhere = project.run(&["data", "infer", "/etc/hostname"]);
    assert_eq!(elsewhere.code, Some(1));
    assert!(
        elsewhere.err.contains("inside of the project"),
        "{}",
        elsewhere.err
    );
}

#[test]
fn what_cannot_be_read_is_said() {
    let project = project();
    project.write("semicolons.csv", "a;b;class\n1;2;0\n");
    insta::assert_snapshot!("semicolons", project.shown(&["data", "infer", "semicolons.csv"]));
    insta::assert_snapshot!("nothing_there", project.shown(&["data", "infer", "nothing.csv"]));
    insta::assert_snapshot!("no_path", project.shown(&["data", "infer"]));
}

#[test]
fn sounds_are_told_apart_by_their_spectrograms() {
    let example = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/audio");
    let pipeline = std::fs::read_to_string(example.join("pipeline.mlp")).unwrap();
    let project = Project::new(&pipeline);
    let table = std::fs::read_to_string(example.join("sounds.csv")).unwrap();
    project.write("sounds.csv", &table);
    for name in table.lines().skip(1).filter_map(|row| row.split(',').next()) {
        let file = format!("sounds/{name}");
        project.write(&file, "");
        std::fs::copy(example.join(&file), project.root().join(&file)).unwrap();
    }
    insta::assert_snapshot!("draft_of_sounds", project.shown(&["data", "infer", "."]));
    let built = project.build(&["evaluate", "heard"]);
    assert_eq!(built.0["warnings"], serde_json::json!([]));
    let scores = built.0["artifacts"].as_array().unwrap();
    let figure = |name: &str| scores.iter().find_map(|score| score["value"][name].as_f64());
    assert!(
        figure("accuracy").is_some_and(|accuracy| accuracy >= 0.9),
        "{scores:?}"
    );
    assert!(figure("f1").is_some_and(|f1| f1 >= 0.8), "{scores:?}");
}
