//! `mlp gc`: what stays, what goes, and that builds beside it lose nothing.

use crate::project::{Project, Ran};
use std::sync::atomic::{AtomicBool, Ordering};

/// Four steps in two rows: what comes to 4,000 bytes and more, and how many those are.
const PIPELINE: &str = r#"import std.{env, step}
param letter: Str = "a"
param other: Str = "xy"
python = env.host(["python3"])
fn make(text: Str) = step(
  ["python3", "-c", "import sys; open('o', 'w').write(sys.argv[1] * 4000)", text], env = python, outputs = { o: File("o") },
)
fn count(of: File) = step(
  ["python3", "-c", "import sys; open('n', 'w').write(str(len(sys.stdin.read())))"], env = python, stdin = of,
  outputs = { n: File("n") },
)
first = make(letter)
second = make(other)
length = count(first.o)
lengths = count(second.o)
"#;

fn gc(project: &Project, arguments: &[&str]) -> serde_json::Value {
    let mut all = vec!["gc", "--format", "json"];
    all.extend(arguments);
    let ran = project.run(&all);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

/// The steps that something of was removed.
fn removed(told: &serde_json::Value) -> Vec<String> {
    let removed = told["removed"].as_array().unwrap().iter();
    let mut steps: Vec<String> = removed
        .filter_map(|gone| Some(gone["step"].as_str()?.to_owned()))
        .collect();
    steps.sort();
    steps
}

#[test]
fn what_is_linked_pinned_or_was_used_lately_stays() {
    let project = Project::new(PIPELINE);
    project.build(&["length"]);
    project.build(&["lengths"]);
    // All of it was used just now.
    assert!(removed(&gc(&project, &[])).is_empty());
    // `result` shows what the last build came to.
    assert_eq!(
        removed(&gc(&project, &["--keep-days", "0", "--dry-run"])),
        ["first", "length", "second"]
    );
    let runs = project.root().join(".mlp/runs");
    let mut ids: Vec<_> = std::fs::read_dir(&runs)
        .unwrap()
        .map(|run| run.unwrap().path())
        .collect();
    ids.sort();
    std::fs::write(ids[0].join("pinned"), "").unwrap();
    assert_eq!(removed(&gc(&project, &["--keep-days", "0"])), ["second"]);
    assert_eq!(
        std::fs::read_to_string(project.root().join("result/lengths.n")).unwrap(),
        "8000"
    );
    // What is gone is built again only where it is needed.
    assert!(project.build(&["lengths"]).built().is_empty());
    assert!(project.build(&["length"]).built().is_empty());
    assert_eq!(project.build(&["second"]).built(), ["second"]);
    std::fs::remove_file(project.root().join("result")).unwrap();
    std::fs::remove_file(ids[0].join("pinned")).unwrap();
    assert_eq!(
        removed(&gc(&project, &["--keep-days", "0"])),
        ["first", "length", "lengths", "second"]
    );
    assert_eq!(project.build(&["length"]).built(), ["first", "length"]);
}

#[test]
fn how_much_would_go_and_went_is_told() {
    let project = Project::new(PIPELINE);
    for letter in ["a", "b", "c"] {
        project.build(&["length", "--set", &format!("letter=\"{letter}\"")]);
    }
    insta::assert_snapshot!("dry run", project.shown(&["gc", "--keep-days", "0", "--dry-run"]));
    insta::assert_snapshot!("down to a size", project.shown(&["gc", "--max-size", "5KB"]));
    insta::assert_snapshot!("not smaller", project.shown(&["gc", "--max-size", "1B"]));
    insta::assert_snapshot!("nothing", project.shown(&["gc"]));
}

#[test]
fn data_that_is_pinned_stays_in_the_store() {
    let project = Project::new(PIPELINE);
    project.write("data/sub/rows", "1 2 3");
    let ran = project.run(&["add", "--store", "data"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(gc(&project, &["--keep-days", "0"])["freed"], 0);
    let lock = std::fs::read_to_string(project.root().join("mlp.lock")).unwrap();
    project.write("mlp.lock", &format!("<<<<<<< ours\n{lock}"));
    let ran = project.run(&["gc", "--keep-days", "0"]);
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(ran.err.contains("nothing was removed"), "{}", ran.err);
    std::fs::remove_file(project.root().join("mlp.lock")).unwrap();
    assert!(gc(&project, &["--keep-days", "0"])["freed"].as_u64().unwrap() > 0);
}

#[test]
fn a_project_that_is_gone_keeps_nothing() {
    let mut project = Project::new(PIPELINE);
    project.write("points.csv", "");
    project.build(&["first"]);
    assert!(removed(&gc(&project, &["--keep-days", "0"])).is_empty());
    project.relocate();
    assert_eq!(removed(&gc(&project, &["--keep-days", "0"])), ["first"]);
}

#[test]
fn the_states_of_a_training_go_before_its_result() {
    let project = Project::small();
    project.build(&["fit.model"]);
    std::fs::remove_file(project.root().join("result")).unwrap();
    let told = gc(&project, &["--keep-days", "0", "--dry-run"]);
    let order: Vec<(String, Option<u64>)> = told["removed"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|gone| gone["step"] == "fit")
        .map(|gone| (gone["kind"].as_str().unwrap().to_owned(), gone["epoch"].as_u64()))
        .collect();
    let last = order.iter().filter_map(|(_, epoch)| *epoch).max();
    let states: Vec<Option<u64>> = order
        .iter()
        .filter(|(kind, _)| kind == "state")
        .map(|(_, epoch)| *epoch)
        .collect();
    assert_eq!(order.last().unwrap().0, "result", "{order:?}");
    assert!(
        states.len() > 2 && states[states.len() - 2..].contains(&last),
        "{order:?}"
    );
    // Any of them may go: the same bits come out.
    let before = project.build(&["fit.model"]).digests();
    std::fs::remove_file(project.root().join("result")).unwrap();
    let all = told["left"].as_u64().unwrap() + told["freed"].as_u64().unwrap();
    gc(&project, &["--max-size", &format!("{}B", all / 2)]);
    gc(&project, &["--keep-days", "0"]);
    assert_eq!(project.build(&["fit.model"]).digests(), before);
}

#[test]
fn builds_lose_nothing_to_a_collector_beside_them() {
    let project = Project::new(PIPELINE);
    let done = AtomicBool::new(false);
    let gone = std::thread::scope(|scope| {
        let collector = scope.spawn(|| {
            let mut gone = 0;
            while !done.load(Ordering::Relaxed) {
                let ran = project.run(&["gc", "--keep-days", "0", "--format", "json"]);
                assert_eq!(ran.code, Some(0), "{}", ran.err);
                let told: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
                gone += told["removed"].as_array().unwrap().len();
            }
            gone
        });
        let built = (0..12).try_for_each(|round| {
            let letter = format!("letter=\"{}\"", ["a", "b", "c"][round % 3]);
            let Ran { code, err, .. } = project.run(&["build", "length", "lengths", "--set", &letter]);
            let linked = |name: &str| std::fs::read_to_string(project.root().join("result").join(name)).ok();
            let is_there = linked("length.n").as_deref() == Some("4000")
                && linked("lengths.n").as_deref() == Some("8000");
            match code == Some(0) && is_there {
                true => Ok(()),
                false => Err(format!("round {round}: {err}")),
            }
        });
        // Before anything can fail: the collector would go on for ever.
        done.store(true, Ordering::Relaxed);
        built.unwrap();
        collector.join().unwrap()
    });
    assert!(gone > 0, "the collector found something to take");
}
