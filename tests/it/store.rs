//! `mlp store`: what is in the store, whether it is whole, and archives of it.

use crate::project::{Project, Ran};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const PIPELINE: &str = r#"import std.{env, step}
param text: Str = "a"
python = env.host(["python3"])
data = step(
  ["python3", "-c", "import os; os.mkdir('d'); [open(f'd/{i}', 'w').write(str(i) * 500) for i in range(3)]"],
  env = python, outputs = { d: Dir("d") },
)
fit = step(
  ["python3", ./fit.py, text], env = python, inputs = { data: data.d }, outputs = { model: File("model"), log: File("log") },
)
"#;

fn project() -> Project {
    let project = Project::new(PIPELINE);
    project.write(
        "fit.py",
        "import os, sys\nopen('model', 'w').write(sys.argv[1] + ' '.join(sorted(os.listdir('inputs/data'))))\nopen('log', 'w').write('done')\n",
    );
    project
}

/// What a command came to; how wide a column of paths is, and how long a build took, which its records hold, is left out.
fn shown(project: &Project, arguments: &[&str]) -> String {
    let text = project.shown(arguments);
    let lines = text.lines().filter(|line| !line.starts_with("records"));
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n";
    lines.map(words).collect()
}

fn store(project: &Project) -> PathBuf {
    project.root().with_file_name("store")
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

/// Changes a bit in the middle of a file, whatever its mode.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn what_is_in_the_store_is_listed_and_found() {
    let project = project();
    project.build(&["fit"]);
    project.build(&["fit", "--set", "text=\"b\""]);
    insta::assert_snapshot!("ls", shown(&project, &["store", "ls", "--sort", "name"]));
    insta::assert_snapshot!(
        "ls of a step",
        shown(&project, &["store", "ls", "data", "--all", "--larger", "1KB"])
    );
    insta::assert_snapshot!("du", shown(&project, &["store", "du"]));
    insta::assert_snapshot!("du by step", shown(&project, &["store", "du", "--by", "step"]));
    insta::assert_snapshot!(
        "du by project",
        shown(&project, &["store", "du", "--by", "project"])
    );
    let path = project.run(&["store", "path", "fit.model", "data.d"]).out;
    let lines: Vec<&str> = path.lines().collect();
    assert_eq!(fs::read_to_string(lines[0]).unwrap(), "a0 1 2");
    assert_eq!(
        fs::read_to_string(Path::new(lines[1]).join("2")).unwrap().len(),
        500
    );
    insta::assert_snapshot!(
        "path of what is not built",
        project.shown(&["store", "path", "fit.model", "--set", "text=\"c\""])
    );
}

/// What `verify` tells of damage, without places: each once.
fn damages(told: &str) -> String {
    let line = |line: &str| {
        let (place, what) = line.split_once(": ").unwrap();
        let folder = place.split('/').next().unwrap();
        let words = what
            .split(' ')
            .filter(|word| !word.starts_with('`') || word.len() < 20);
        format!("{folder}: {}\n", words.collect::<Vec<_>>().join(" "))
    };
    let lines: BTreeSet<String> = told.lines().map(line).collect();
    lines.into_iter().collect()
}

#[test]
fn every_kind_of_damage_is_found_and_mended() {
    let project = project();
    project.build(&["fit.model", "data.d"]);
    let before = project.build(&["fit.model", "data.d"]).digests();
    assert_eq!(project.run(&["store", "verify"]).code, Some(0));
    let mut told = Vec::new();
    for folder in ["objects", "trees", "views", "r", "s", "drv", "attest"] {
        let all = files(&store(&project).join(folder));
        // Objects that views show are damaged with them.
        let damaged: &[PathBuf] = if folder == "views" { &[] } else { &all };
        damaged.iter().for_each(|path| flip(path));
        if folder == "views" {
            let view = all.first().unwrap();
            fs::set_permissions(view.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
            fs::remove_file(view).unwrap();
        }
        let found = project.run(&["store", "verify", "--format", "json"]);
        assert_eq!(found.code, Some(1), "{folder}: {}", found.err);
        let found: serde_json::Value = serde_json::from_str(&found.out).unwrap();
        let paths = found["damaged"].as_array().unwrap();
        for path in damaged {
            let path = path.to_str().unwrap();
            assert!(paths.iter().any(|found| found["path"] == path), "{path}");
        }
        told.push(damages(&project.run(&["store", "verify", "--repair"]).out));
        let whole = project.run(&["store", "verify"]);
        assert_eq!(whole.code, Some(0), "{folder}: {}{}", whole.out, whole.err);
        assert_eq!(
            project.build(&["fit.model", "data.d"]).digests(),
            before,
            "{folder}"
        );
        assert!(project.root().join("result/data.d/1").exists());
    }
    insta::assert_snapshot!(told.join(""));
}

#[test]
fn damage_that_nobody_looked_for_is_found_by_the_next_build() {
    let project = project();
    project.build(&["fit.model"]);
    for (folder, text) in [
        ("objects", "b"),
        ("trees", "c"),
        ("views", "d"),
        ("r", "e"),
        ("s", "f"),
    ] {
        let all = files(&store(&project).join(folder));
        match folder {
            "views" => {
                // The one that the build reads.
                let view = all.iter().find(|path| path.ends_with("0")).unwrap();
                fs::set_permissions(view.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
                fs::remove_file(view).unwrap();
            }
            _ => all.iter().for_each(|path| flip(path)),
        }
        let setting = format!("text=\"{text}\"");
        let Ran { code, err, .. } = project.run(&["build", "fit.model", "--set", &setting]);
        assert_eq!(code, Some(0), "{folder}: {err}");
        // A damaged record is as if it was not there.
        let said = err.contains("it was put aside and is made again");
        assert_eq!(said, !["r", "s"].contains(&folder), "{folder}: {err}");
        let built = fs::read_to_string(project.root().join("result/fit.model")).unwrap();
        assert_eq!(built, format!("{text}0 1 2"));
    }
}

#[test]
fn results_are_carried_to_another_store() {
    let project = project();
    project.build(&["fit.model"]);
    insta::assert_snapshot!(
        "export",
        project.shown(&["store", "export", "fit.model", "-o", "fit.mlpa"])
    );
    let again = project
        .command(&["store", "export", "fit", "-o", "-"])
        .output()
        .unwrap()
        .stdout;
    assert_eq!(fs::read(project.root().join("fit.mlpa")).unwrap(), again);
    let here = store(&project);
    let elsewhere = here.with_file_name("elsewhere");
    #[expect(clippy::disallowed_methods, reason = "as a person would")]
    fs::rename(&here, &elsewhere).unwrap();
    insta::assert_snapshot!("import", project.shown(&["store", "import", "fit.mlpa"]));
    assert!(project.build(&["fit.model"]).built().is_empty());
    // What it was made from did not come along.
    assert_eq!(
        project.build(&["fit.model", "--set", "text=\"b\""]).built(),
        ["data", "fit"]
    );
    fs::write(project.root().join("short.mlpa"), &again[..again.len() - 70]).unwrap();
    insta::assert_snapshot!(
        "a short archive",
        project.shown(&["store", "import", "short.mlpa"])
    );
    insta::assert_snapshot!("no archive", project.shown(&["store", "import", "fit.py"]));
    insta::assert_snapshot!(
        "nothing there",
        project.shown(&["store", "import", "nothing.mlpa"])
    );
    insta::assert_snapshot!(
        "not built",
        project.shown(&["store", "export", "fit", "--set", "text=\"z\"", "-o", "z"])
    );
    assert!(!project.root().join("z").exists());
}
