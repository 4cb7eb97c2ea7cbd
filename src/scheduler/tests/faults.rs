//! Builds on disks that fail, and on what a failure of the power leaves of them.
//!
//! What must hold, whatever happens at whatever moment:
//!
//! 1. *Nothing is lost that was told*: a step that was said to be built is registered, with all its bytes.
//! 2. *No record stands over torn bytes*: what lies in `objects` and `trees` is what it is named by, and so is what a record
//!    shows.
//! 3. *The next build succeeds*, and comes to what an undisturbed one comes to.
//!
//! `MLP_FAULTS` gives the number of states that are tried, in place of those that every run of the tests can afford, and
//! `MLP_FAULTS_SEED` another seed: `cargo xtask torture` sets both.

use super::*;
use crate::base::faults::{Disk, Fails};
use crate::executor::Scripted;
use mlp_protocol::message::Message;
use std::path::Path;

/// States tried in a short run.
const SHORT: usize = 150;

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// Dice with the seed that was asked for.
fn dice() -> Dice {
    Dice(std::env::var("MLP_FAULTS_SEED").map_or(17, |seed| seed.parse().unwrap()))
}

fn states() -> usize {
    std::env::var("MLP_FAULTS").map_or(SHORT, |number| number.parse().unwrap())
}

/// A place whose store lies in memory, where there is such a file system: what is tried here does not need a disk.
fn place() -> Place {
    Place::below(&memory())
}

fn memory() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let there = tempfile::tempdir_in(memory).is_ok();
    if there {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    }
}

/// Epochs of the training.
const EPOCHS: u32 = 3;

/// A training and its data, and twelve steps, of which some read others, some write the same, and one writes more files
/// than are synced one by one.
fn pipeline() -> Graph {
    let mut graph = chain::training(EPOCHS);
    for step in 2..6 {
        add(
            &mut graph,
            &format!("first-{step}"),
            &format!("first {}", step / 2),
            &[],
        );
    }
    for step in 6..10 {
        add(&mut graph, &format!("second-{step}"), "second", &[step - 4, 5]);
    }
    for step in 10..13 {
        add(&mut graph, &format!("third-{step}"), "third", &[step - 4]);
    }
    let mut many = graph.steps[0].derivation.clone();
    many.outputs = [out(ArtifactKind::Dir)].into();
    add_derivation(&mut graph, "many", many);
    graph
}

/// What each step of the pipeline writes.
fn builder() -> Scripted {
    Scripted::new(|request| match request.label.as_str() {
        "many" => Answer::writes((0..12).map(|file| (format!("out/{}/{file}", file % 3), vec![file; 50]))),
        "fit" => chain::train(request, EPOCHS, "w"),
        _ => echo(request),
    })
}

/// What the steps come to, by label.
fn results(summary: &Summary) -> BTreeMap<StepId, BTreeMap<String, Option<Node>>> {
    let outcomes = summary.outcomes.iter();
    outcomes
        .map(|(step, outcome)| (*step, outcome.outputs.clone()))
        .collect()
}

/// Invariant 2, of the store at `root`.
fn nothing_is_torn(root: &Path) {
    let store = Store::open(root).unwrap();
    for (folder, is_its) in [
        (
            "objects",
            (|bytes, name| blake3::hash(bytes).to_hex().as_str() == name) as fn(&[u8], &str) -> bool,
        ),
        ("trees", |bytes, name| {
            crate::model::node::Tree::digest_of(bytes).to_string() == name
        }),
    ] {
        for path in files(&root.join(folder)) {
            let fan = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
            let name = format!("{fan}{}", path.file_name().unwrap().to_str().unwrap());
            assert!(is_its(&std::fs::read(&path).unwrap(), &name), "torn: {path:?}");
        }
    }
    for path in ["r", "s", "c"].map(|folder| files(&root.join(folder))).concat() {
        let Some(value) = is_whole(&std::fs::read(&path).unwrap()) else {
            continue;
        };
        let outputs = value["outputs"]
            .as_object()
            .into_iter()
            .flat_map(|outputs| outputs.values());
        for node in outputs.chain(value.get("state")) {
            let node: Node = serde_json::from_value(node.clone()).unwrap();
            assert!(
                !store.holds(&node) || store.verify(&node).is_empty(),
                "torn under {path:?}"
            );
        }
    }
}

/// What a record says, if it is whole.
fn is_whole(bytes: &[u8]) -> Option<serde_json::Value> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (line, sum) = text.trim_end().split_once('\n')?;
    let whole = blake3::hash(line.as_bytes()).to_hex().as_str() == sum;
    whole.then(|| serde_json::from_str(line).unwrap())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

/// What is told of a state that was kept.
const STATE: &str = "a state";

/// Builds while `disk` is watched: a step that is finished is told.
fn build_telling(place: &Place, graph: &Graph, disk: &Disk) -> Summary {
    let tell = |event: &EventKind| match event {
        EventKind::StepFinished { step, .. } => disk.tell(step),
        EventKind::Builder {
            message: Message::State { .. },
            ..
        } => disk.tell(STATE),
        _ => {}
    };
    place.run_heard(graph, &builder(), &tell).0
}

/// Invariants 1 and 3.
fn goes_on(place: &Place, graph: &Graph, told: &[String], right: &Summary) {
    let (states, told): (Vec<&String>, Vec<&String>) = told.iter().partition(|told| *told == STATE);
    let kept = files(&place.store.root().join("c"));
    let whole = kept
        .iter()
        .filter(|path| is_whole(&std::fs::read(path).unwrap()).is_some());
    assert!(whole.count() >= states.len(), "{} states were told", states.len());
    for step in &told {
        let id = graph
            .steps
            .iter()
            .position(|at| at.name() == step.as_str())
            .unwrap();
        let key = right.outcomes[&StepId(id as u32)].resolved_key;
        let realisation = place.store.realisation(key).unwrap();
        let realisation = realisation.unwrap_or_else(|| panic!("`{step}` was told and is lost"));
        for node in realisation.outputs.values().flatten() {
            assert_eq!(
                place
                    .store
                    .verify(node)
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>(),
                [""; 0]
            );
        }
    }
    let (again, events) = place.run(graph, &builder());
    assert_eq!(results(&again), results(right), "{events:?}");
    assert!(again.built as usize + told.len() <= graph.steps.len());
}

/// A build on a store of its own, whose every write was watched, from the making of the store on; and the moment at which
/// the store was made.
fn watched(graph: &Graph) -> (Place, Disk, usize, Summary) {
    let place = place();
    let root = place.store.root().to_owned();
    let disk = Disk::watch(&root);
    std::fs::remove_dir_all(&root).unwrap();
    let place = place.opened_at(&root);
    let made = disk.moments() - 1;
    let right = build_telling(&place, graph, &disk);
    assert_eq!((right.failed, right.outcomes.len()), (0, graph.steps.len()));
    (place, disk, made, right)
}

/// A store as a failure of the power at some moment may leave it, with what was told before.
fn after_power_failure(disk: &Disk, dice: &mut Dice) -> (Place, Vec<String>) {
    let (seed, moment, of_four) = (dice.0, dice.below(disk.moments()), dice.below(5));
    let left = place();
    let store = left.store.root().to_owned();
    std::fs::remove_dir_all(&store).unwrap();
    eprintln!("the power fails at {moment} of {}, dice {seed}", disk.moments());
    let told = disk.after_power_failure(moment, &store, || dice.below(4) < of_four);
    (left.opened_at(&store), told)
}

#[test]
fn whatever_a_power_failure_leaves_is_gone_on_from() {
    let graph = pipeline();
    let (_place, disk, _, right) = watched(&graph);
    let mut dice = dice();
    for _ in 0..states() {
        let (left, told) = after_power_failure(&disk, &mut dice);
        nothing_is_torn(left.store.root());
        goes_on(&left, &graph, &told, &right);
    }
}

/// What is held above can be broken: a store that does not sync loses results, and has records over torn bytes.
#[test]
fn a_store_that_does_not_sync_would_be_found_out() {
    let graph = pipeline();
    let (_place, disk, making, right) = watched(&graph);
    // All but those of the store's making, without which it could not even be opened.
    disk.forget_syncs(making);
    let mut dice = dice();
    let (mut torn, mut lost) = (0, 0);
    for _ in 0..20 {
        let (left, told) = after_power_failure(&disk, &mut dice);
        let holds = |check: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(check)).is_ok();
        torn += u32::from(!holds(&|| nothing_is_torn(left.store.root())));
        lost += u32::from(!holds(&|| goes_on(&left, &graph, &told, &right)));
    }
    assert!(torn > 5 && lost > 5, "of 20: {torn} torn, {lost} lost");
}

/// Every operation fails once, and from every operation on all fail, as on a disk that is full.
#[test]
fn whatever_fails_is_said_and_the_next_build_goes_on() {
    let graph = pipeline();
    let right = place().run(&graph, &builder()).0;
    let every = if states() > SHORT { 1 } else { 7 };
    for (times, code) in [(1, libc::EIO), (usize::MAX, libc::ENOSPC)] {
        let mut from = 0;
        loop {
            let place = place();
            let disk = Disk::watch(place.store.root());
            disk.fail(Fails { from, times, code });
            let (summary, events) = place.run(&graph, &builder());
            let tried = disk.tried();
            drop(disk);
            let told = events.iter().filter_map(|event| match event {
                EventKind::StepFinished { step, .. } => Some(step.clone()),
                _ => None,
            });
            let told: Vec<String> = told.collect();
            eprintln!(
                "error {code} at {from} of {tried}, {times} times: {} steps told",
                told.len()
            );
            let ended = summary.outcomes.len() + (summary.failed + summary.skipped) as usize;
            assert_eq!(ended, graph.steps.len());
            let place = place.opened_again();
            nothing_is_torn(place.store.root());
            goes_on(&place, &graph, &told, &right);
            if from >= tried {
                assert_eq!(summary.failed, 0);
                break;
            }
            from += every;
        }
    }
}
