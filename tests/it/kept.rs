//! Folders of failed builds: kept where that was asked for, entered, and removed when room is made.

use crate::project::Project;

const PIPELINE: &str = r#"import std.{env, step}
fit = step(
  ["python3", "-c", "import os, sys; open('data/part', 'w').write(open(sys.argv[1]).read() + ' half'); os.mkdir('x'); raise SystemExit(3)", ./data/rows],
  env = env.host(["python3"]), outputs = { o: File("o") },
)
"#;

fn project() -> Project {
    let project = Project::new(PIPELINE);
    project.write("data/rows", "1 2");
    project
}

/// The folders that are kept.
fn kept(project: &Project) -> Vec<std::path::PathBuf> {
    let folder = project.root().with_file_name("store").join("failed");
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn the_folder_of_a_failed_build_is_kept_where_that_is_asked_for() {
    let project = project();
    assert_eq!(project.run(&["build", "fit"]).code, Some(2));
    assert!(kept(&project).is_empty());
    insta::assert_snapshot!(
        "nothing kept",
        project.shown(&["shell", "fit", "--failed", "--", "true"])
    );
    let told = project.shown(&["build", "fit", "--keep-failed"]);
    let note = told.lines().find(|line| line.contains("its folder is kept"));
    insta::assert_snapshot!(note.unwrap());
    let folders = kept(&project);
    assert_eq!(folders.len(), 1);
    assert_eq!(
        std::fs::read_to_string(folders[0].join("data/part")).unwrap(),
        "1 2 half"
    );

    let ran = project.run(&["shell", "fit", "--failed", "--", "cat", "data/part", "data/rows"]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (Some(0), "1 2 half1 2"),
        "{}",
        ran.err
    );
    let ran = project.run(&["shell", "fit", "--", "ls"]);
    assert_eq!(ran.out, "data\n", "{}", ran.err);
    assert!(folders[0].join("x").is_dir());
    // What is kept is a copy for each who enters.
    let ran = project.run(&["shell", "fit", "--failed", "--", "rm", "data/part"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(folders[0].join("data/part").exists());

    assert_eq!(project.run(&["build", "fit", "--keep-failed"]).code, Some(2));
    assert_eq!(
        kept(&project).len(),
        1,
        "the last try takes the place of the one before"
    );
    assert_eq!(project.run(&["gc"]).code, Some(0));
    assert_eq!(kept(&project).len(), 1, "it is not old");
    assert_eq!(project.run(&["gc", "--keep-days", "0"]).code, Some(0));
    assert!(kept(&project).is_empty());
}
