//! Builds that share a store at the same time.

use super::dice::is_long;
use super::kill::nobody_is_left;
use super::place::{Place, steps};
use crate::project::Project;
use std::collections::BTreeSet;

#[test]
fn builds_at_once_share_the_work_and_agree() {
    let both: &[usize] = if is_long() { &[2, 8, 8, 8] } else { &[2, 8] };
    for builds in both {
        let first = Place::new();
        let others: Vec<Place> = (1..*builds).map(|_| Place::with_store(first.store())).collect();
        let places: Vec<&Place> = others.iter().chain([&first]).collect();
        std::thread::scope(|scope| {
            let threads: Vec<_> = places
                .iter()
                .map(|place| scope.spawn(|| place.succeeds()))
                .collect();
            let built = |report: &serde_json::Value| report["built"].as_u64().unwrap();
            let reports = threads.into_iter().map(|thread| thread.join().unwrap());
            let built: u64 = reports.map(|report| built(&report)).sum();
            assert_eq!(built, steps(), "each step was built by one of them");
        });
        nobody_is_left(&first);
    }
}

/// A step that gives other bytes each time, and one that reads them.
const RANDOM: &str = "\
import std.{env, step}
machine = env.host([\"sh\", \"head\", \"cat\", \"sleep\"])
dice = step([\"sh\", \"-c\", \"head -c 16 /dev/urandom > o; sleep 0.2\"], env = machine, outputs = { o: File(\"o\") })
copy = step([\"sh\", \"-c\", \"cat $0 > o\", dice.o], env = machine, outputs = { o: File(\"o\") })
";

/// The first that is registered stands: whoever builds the same at the same time goes on with it, also where the lock that
/// keeps them from doing so twice is lost.
#[test]
fn a_step_that_is_not_deterministic_has_one_result() {
    let project = Project::new(RANDOM);
    for lost in [false, true] {
        let mut children: Vec<_> = (0..4)
            .map(|_| project.start(&["build", "dice", "copy", "--format", "json"]))
            .collect();
        while lost
            && children
                .iter_mut()
                .any(|child| child.try_wait().unwrap().is_none())
        {
            for lock in std::fs::read_dir(project.store().join("locks"))
                .into_iter()
                .flatten()
            {
                drop(std::fs::remove_file(lock.unwrap().path()));
            }
        }
        let mut results = BTreeSet::new();
        for child in children {
            let output = child.wait_with_output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            // A step that differs is told by the exit code.
            let report: serde_json::Value = serde_json::from_str(&text).unwrap();
            for artifact in report["artifacts"].as_array().unwrap() {
                results.insert(artifact["digest"].as_str().unwrap().to_owned());
            }
        }
        assert_eq!(results.len(), 1, "one result of both steps: {results:?}");
        std::fs::remove_dir_all(project.store()).unwrap();
    }
}
