//! Builds that are ended in the middle: nothing half-written, and the next build goes on to the same bits.

use crate::process::{any_process_has, descendant, finish, read_until, signal, wait_for};
use crate::project::Project;

/// Long enough that it is surely still going when the signal arrives.
const LONG: &[&str] = &["build", "fit.model", "--set", "epochs=150"];

/// Starts a long training, does something to it at epoch 12, and gives the exit code and what was told after that.
fn at_epoch_12(project: &Project, what: impl FnOnce(u32)) -> (Option<i32>, String) {
    let mut child = project.start(LONG);
    let (_, rest) = wait_for(&mut child, "epoch 12/150");
    what(child.id());
    finish(&mut child, rest)
}

/// The next build trains only what is missing, and comes to what an undisturbed one comes to.
fn goes_on(project: &Project) {
    let targets = &["fit.model", "--set", "epochs=150"];
    let rest = project.build(targets);
    let (trained, found) = rest.epochs("fit");
    assert_eq!(trained + found, 150);
    assert!(found >= 11, "only {found} epochs were found");
    assert_eq!(rest.digests(), Project::small().build(targets).digests());
}

/// What was told, without the epochs that were still under way, and that they are waited for, if that takes long enough to
/// be told.
fn without_epochs(text: &str) -> String {
    let lines = text.lines();
    let lines = lines.filter(|line| !line.contains(": epoch ") && !line.starts_with("stopping: "));
    crate::redact::all(&lines.collect::<Vec<_>>().join("\n"))
}

#[test]
fn ctrl_c() {
    let project = Project::small();
    let (code, told) = at_epoch_12(&project, |mlp| signal(mlp, "INT"));
    assert_eq!(code, Some(130), "{told}");
    insta::assert_snapshot!(without_epochs(&told));
    assert!(!project.root().join("result").exists());
    goes_on(&project);
}

#[test]
fn a_killed_trainer() {
    let project = Project::small();
    let (code, told) = at_epoch_12(&project, |mlp| signal(descendant(mlp, "mlp-trainer"), "KILL"));
    assert_eq!(code, Some(2), "{told}");
    let told = without_epochs(&told);
    let from = told.find("error ").unwrap_or(0);
    let tail = told.find("  log:").unwrap_or(told.len());
    insta::assert_snapshot!(&told[from..tail]);
    assert!(!project.root().join("result").exists());
    goes_on(&project);
}

#[test]
fn a_killed_mlp() {
    let project = Project::small();
    let (code, _) = at_epoch_12(&project, |mlp| signal(mlp, "KILL"));
    assert_eq!(code, None);
    assert!(!project.root().join("result").exists());
    goes_on(&project);
}

/// A step that runs `script`, which says `ready` when it can be stopped.
fn scripted(script: &str) -> Project {
    let project = Project::new(
        r#"import std.{env, step}
tools = env.host(["sh", "sleep", "mkdir"])
made = step(["sh", ./make.sh], env = tools, outputs = { o: File("o"), s: State("s") })
"#,
    );
    project.write("make.sh", script);
    project
}

#[test]
fn a_script_may_end_in_good_order() {
    let project = scripted(
        "[ -e s/at ] && { echo done > o; exit 0; }\ntrap 'mkdir -p s; echo 1 > s/at; exit 1' TERM\necho ready\n\
         while :; do sleep 0.01; done\n",
    );
    let mut child = project.start(&["build", "made", "--logs"]);
    let (_, rest) = wait_for(&mut child, "ready");
    signal(child.id(), "INT");
    let (code, told) = finish(&mut child, rest);
    assert_eq!(code, Some(130), "{told}");
    assert!(told.contains("made was stopped after"), "{told}");
    // What it wrote before its end is there when it is built again.
    assert_eq!(project.run(&["build", "made"]).code, Some(0));
}

#[test]
fn a_second_ctrl_c_is_for_now() {
    let mark = format!("88{}", std::process::id());
    let project = scripted(&format!("trap '' TERM\necho ready\nsleep {mark}\nsleep {mark}\n"));
    let mut child = project.start(&["build", "made", "--logs"]);
    let (_, mut rest) = wait_for(&mut child, "ready");
    signal(child.id(), "INT");
    read_until(&mut rest, "stopping: made");
    signal(child.id(), "INT");
    assert_eq!(finish(&mut child, rest).0, Some(130));
    // Its processes end with it; the last of them are a matter of the kernel's.
    while any_process_has(&mark) {
        std::thread::yield_now();
    }
}
