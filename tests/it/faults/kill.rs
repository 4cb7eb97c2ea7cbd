//! Processes that are killed at any moment, and builds that share a store. `MLP_FAULTS` gives the number of kills in
//! place of the few that every run of the tests can afford.
#![expect(clippy::disallowed_methods, reason = "signals are sent by kill(1)")]

use crate::faults::damage::store_is_whole;
use crate::faults::place::{Place, Ran};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Kills of a short run.
const SHORT: u64 = 6;

fn kills() -> u64 {
    std::env::var("MLP_FAULTS").map_or(SHORT, |number| number.parse().unwrap())
}

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % bound
    }
}

fn kill(process: u32) {
    // It may have ended by itself.
    drop(
        Command::new("kill")
            .args(["-s", "KILL", &process.to_string()])
            .output(),
    );
}

/// Processes whose environment or parents show that they are this place's builders, by name.
fn builders(place: &Place) -> Vec<u32> {
    let store = place
        .store()
        .canonicalize()
        .unwrap_or_else(|_| place.store().to_owned());
    let store = store.display().to_string();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|process| {
            // A builder's root is mounted below the store's scratch; `mlp` and its helper have the store in their
            // environment.
            let read = |file: &str| std::fs::read(format!("/proc/{process}/{file}")).unwrap_or_default();
            let shows = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).contains(&store);
            let alive = !String::from_utf8_lossy(&read("stat")).contains(") Z ");
            alive && (shows(read("mountinfo")) || shows(read("environ")))
        })
        .collect()
}

/// The children of a process, and theirs.
fn descendants(ancestor: u32) -> Vec<u32> {
    let mut family = vec![ancestor];
    let mut seen = 0;
    while let Some(process) = family.get(seen) {
        let threads = std::fs::read_dir(format!("/proc/{process}/task"));
        for thread in threads.into_iter().flatten().flatten() {
            let children = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            family.extend(
                children
                    .split_whitespace()
                    .filter_map(|child| child.parse::<u32>().ok()),
            );
        }
        seen += 1;
    }
    family.split_off(1)
}

/// No process goes on, and what is in the store is whole.
fn nobody_is_left(place: &Place) {
    let patience = Instant::now() + Duration::from_secs(20);
    while !builders(place).is_empty() {
        assert!(Instant::now() < patience, "left: {:?}", builders(place));
        std::thread::sleep(Duration::from_millis(20));
    }
    if place.store().exists() {
        store_is_whole(place);
    }
}

/// Waits until the build has registered `steps` steps, or has ended.
fn wait_for_steps(place: &Place, child: &mut Child, steps: usize) {
    let registered = || {
        let folders = std::fs::read_dir(place.store().join("s"))
            .into_iter()
            .flatten()
            .flatten();
        folders
            .flat_map(|folder| std::fs::read_dir(folder.path()).into_iter().flatten())
            .count()
    };
    while registered() < steps && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Starts a build, lets it come to `steps` and a little further, and kills what `victims` names.
fn disturbed(place: &Place, steps: usize, dice: &mut Dice, victims: impl Fn(u32) -> Vec<u32>) -> Ran {
    let mut child = place.start();
    wait_for_steps(place, &mut child, steps);
    std::thread::sleep(Duration::from_micros(dice.below(30_000)));
    victims(child.id()).into_iter().for_each(kill);
    Ran::of(child)
}

#[test]
fn mlp_may_be_killed_at_any_moment() {
    let mut dice = Dice(7);
    let mut place = Place::new();
    let mut steps = 0;
    for _ in 0..kills() {
        let ran = disturbed(&place, steps, &mut dice, |mlp| vec![mlp]);
        nobody_is_left(&place);
        steps += usize::try_from(dice.below(12)).unwrap();
        if ran.code.is_some() || steps > 40 {
            place.succeeds();
            place = Place::new();
            steps = 0;
        }
    }
    place.succeeds();
    nobody_is_left(&place);
}

#[test]
fn builders_may_be_killed_at_any_moment() {
    let mut dice = Dice(11);
    let place = Place::new();
    for _ in 0..kills() / 2 {
        let steps = usize::try_from(dice.below(30)).unwrap();
        let ran = disturbed(&place, steps, &mut dice, |mlp| {
            let family = descendants(mlp);
            family.into_iter().rev().take(1).collect()
        });
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
        nobody_is_left(&place);
    }
    place.succeeds();
}

#[test]
fn builds_at_once_share_the_work_and_agree() {
    for builds in [2, 4] {
        let first = Place::new();
        let others: Vec<Place> = (1..builds).map(|_| Place::with_store(first.store())).collect();
        let places: Vec<&Place> = others.iter().chain([&first]).collect();
        std::thread::scope(|scope| {
            let threads: Vec<_> = places
                .iter()
                .map(|place| scope.spawn(|| place.succeeds()))
                .collect();
            let built = |report: &serde_json::Value| report["built"].as_u64().unwrap();
            let reports = threads.into_iter().map(|thread| thread.join().unwrap());
            let built: u64 = reports.map(|report| built(&report)).sum();
            assert_eq!(
                built,
                crate::faults::place::STEPS,
                "each step was built by one of them"
            );
        });
        nobody_is_left(&first);
    }
}

#[test]
fn one_of_two_builds_is_killed_and_the_other_goes_on() {
    let (one, mut dice) = (Place::new(), Dice(13));
    let other = Place::with_store(one.store());
    std::thread::scope(|scope| {
        let living = scope.spawn(|| other.succeeds());
        disturbed(&one, 5, &mut dice, |mlp| vec![mlp]);
        living.join().unwrap();
    });
    one.succeeds();
    nobody_is_left(&one);
}
