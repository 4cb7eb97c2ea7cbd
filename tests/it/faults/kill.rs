//! Processes that are killed at any moment.
#![expect(clippy::disallowed_methods, reason = "signals are sent by kill(1)")]

use super::damage::store_is_whole;
use super::dice::{Dice, tries};
use super::place::{Place, Ran, steps};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

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
pub(super) fn nobody_is_left(place: &Place) {
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
fn wait_for_steps(place: &Place, child: &mut Child, steps: u64) {
    let registered = || {
        let folders = std::fs::read_dir(place.store().join("s"))
            .into_iter()
            .flatten()
            .flatten();
        folders
            .flat_map(|folder| std::fs::read_dir(folder.path()).into_iter().flatten())
            .count()
    };
    while (registered() as u64) < steps && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Starts a build, lets it come to `steps` and a little further, and kills what `victims` names.
fn disturbed(place: &Place, steps: u64, dice: &mut Dice, victims: impl Fn(u32) -> Vec<u32>) -> Ran {
    let mut child = place.start();
    wait_for_steps(place, &mut child, steps);
    std::thread::sleep(Duration::from_micros(dice.below(30_000)));
    victims(child.id()).into_iter().for_each(kill);
    Ran::of(child)
}

#[test]
fn mlp_may_be_killed_at_any_moment() {
    let mut dice = Dice::of("mlp is killed");
    let mut place = Place::new();
    let mut registered = 0;
    for _ in 0..tries(16) {
        let ran = disturbed(&place, registered, &mut dice, |mlp| vec![mlp]);
        nobody_is_left(&place);
        registered += dice.below(7);
        if ran.code.is_some() || registered >= steps() {
            place.succeeds();
            place = Place::new();
            registered = 0;
        }
    }
    place.succeeds();
    nobody_is_left(&place);
}

#[test]
fn builders_may_be_killed_at_any_moment() {
    let mut dice = Dice::of("builders are killed");
    let mut place = Place::new();
    for _ in 0..tries(8) {
        let registered = dice.below(steps());
        let which = usize::try_from(dice.below(4)).unwrap();
        let ran = disturbed(&place, registered, &mut dice, |mlp| {
            // The helper, a first process, or what it started.
            let family = descendants(mlp);
            family.into_iter().rev().skip(which).take(1).collect()
        });
        if ran.code == Some(0) {
            place.succeeds();
            place = Place::new();
        }
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
        nobody_is_left(&place);
    }
    place.succeeds();
}

#[test]
fn one_of_two_builds_is_killed_and_the_other_goes_on() {
    let (one, mut dice) = (Place::new(), Dice::of("one of two is killed"));
    let other = Place::with_store(one.store());
    std::thread::scope(|scope| {
        let living = scope.spawn(|| other.succeeds());
        disturbed(&one, 5, &mut dice, |mlp| vec![mlp]);
        living.join().unwrap();
    });
    one.succeeds();
    nobody_is_left(&one);
}
