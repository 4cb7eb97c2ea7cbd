//! Builds that are ended in the middle: nothing half-written, and the next build goes on to the same bits.

use crate::process::{descendant, finish, signal, wait_for};
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

/// What was told, without the epochs that were still under way.
fn without_epochs(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.contains(": epoch "));
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
