//! What a collection takes and what it leaves, alone and beside builds.

use super::*;
use crate::base::clock;
use crate::model::build::Isolation;
use crate::model::record::{Attestation, Realisation, StateOf, Trace};
use crate::store::batch::Batch;
use crate::store::place::RecordKind;
use crate::store::{Bounds, Registration, Staged};
use proptest::prelude::*;
use std::fs::{self, File};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

fn store(folder: &Path) -> Store {
    Store::open(&folder.join("store")).unwrap()
}

fn key(text: &str) -> Digest {
    Digest::of_blob(text.as_bytes())
}

/// Registers `node` as what `name` came to.
fn register(store: &Store, name: &str, node: Node) {
    let attestation = Attestation {
        resolved_key: key(name),
        isolation: Isolation::Sandboxed,
        effective: Isolation::Sandboxed,
        run: "run".into(),
        step: name.into(),
        started: 7,
        wall_ms: 1,
        cpu_ms: None,
        peak_memory: None,
        machine: "m".into(),
        observed: BTreeMap::new(),
        differs: None,
    };
    let registration = Registration {
        resolved_key: key(name),
        static_key: key(&format!("static {name}")),
        realisation: Realisation {
            outputs: BTreeMap::from([("out".to_owned(), Some(node))]),
        },
        staged: Vec::new(),
        dependencies: Vec::new(),
        derivation: b"",
        attestation,
    };
    store.register(registration).unwrap();
}

/// What is in its place already.
fn staged(node: Node) -> Staged {
    Staged {
        node,
        batch: Batch::default(),
    }
}

fn state(store: &Store, epoch: u32, node: Node, training: &str) {
    let of = StateOf {
        step: "fit".into(),
        training: key(training),
        epoch,
        before: Some(key(&format!("epoch {}", epoch - 1))),
    };
    let key = key(&format!("epoch {epoch}"));
    store.put_chain(key, staged(node), Some(of)).unwrap();
}

/// Has the record been used last at `at`.
fn used(store: &Store, kind: RecordKind, key: Digest, at: u64) {
    let file = File::open(store.places.record(kind, key)).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(at))
        .unwrap();
}

/// Takes everything that is not kept.
fn all() -> Collection {
    Collection {
        since: u64::MAX,
        ..Collection::default()
    }
}

#[test]
fn what_is_kept_stays_and_the_rest_goes_and_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let builder = store(folder.path());
    let from = folder.path().join("from");
    fs::create_dir(&from).unwrap();
    fs::write(from.join("shared"), "both have it").unwrap();
    fs::write(from.join("own"), "one has it").unwrap();
    let kept = builder.import(&from, Bounds::default()).unwrap();
    fs::write(from.join("own"), "the other has it").unwrap();
    let other = builder.import(&from, Bounds::default()).unwrap();
    builder.materialise(&kept).unwrap();
    let view = builder.materialise(&other).unwrap();
    register(&builder, "kept", kept);
    register(&builder, "other", other);
    let loose = builder.add_bytes(b"nobody speaks of it").unwrap();
    drop(builder);

    let store = store(folder.path());
    let mut asked = Collection {
        keep: BTreeSet::from([kept]),
        dry_run: true,
        ..all()
    };
    let would = store.collect(&asked).unwrap();
    assert!(store.holds(&other) && store.holds(&loose), "nothing went");
    asked.dry_run = false;
    let did = store.collect(&asked).unwrap();
    assert_eq!((did.freed, did.gone.len()), (would.freed, would.gone.len()));
    assert!(store.holds(&kept) && store.verify(&kept).is_empty());
    assert!(!store.holds(&other) && !store.holds(&loose) && !view.exists());
    let names: Vec<_> = did
        .gone
        .iter()
        .map(|gone| (gone.kind, gone.step.as_deref()))
        .collect();
    assert_eq!(
        names,
        [(ItemKind::Loose, None), (ItemKind::Result, Some("other"))]
    );
    assert!(store.removal(key("other")).unwrap().is_some());
    assert!(store.removal(key("kept")).unwrap().is_none());
    // What it came to is still known, so that what hangs on it need not be built.
    assert!(store.trace(key("static other")).unwrap().is_some());
    assert_eq!(
        fs::read_dir(store.root().join("trash")).map_or(0, Iterator::count),
        0
    );
}

#[test]
fn what_was_used_lately_stays_and_what_living_processes_go_on_from() {
    let folder = tempfile::tempdir().unwrap();
    let builder = store(folder.path());
    for name in ["old", "new", "pinned"] {
        let node = builder.add_bytes(name.as_bytes()).unwrap();
        register(&builder, name, node);
        let at = if name == "new" { 2_000 } else { 1_000 };
        used(&builder, RecordKind::Realisation, key(name), at);
    }
    let node = |name: &str| builder.realisation(key(name)).unwrap().unwrap().outputs["out"].unwrap();
    let (old, new, pinned) = (node("old"), node("new"), node("pinned"));
    drop(builder);
    let builder = store(folder.path());
    assert!(builder.mend(&pinned).unwrap().is_empty());
    let collector = store(folder.path());
    let asked = Collection {
        since: 1_500,
        ..Collection::default()
    };
    collector.collect(&asked).unwrap();
    assert!(!collector.holds(&old) && collector.holds(&new) && collector.holds(&pinned));
    drop(builder);
    collector.collect(&asked).unwrap();
    assert!(!collector.holds(&pinned), "its process is gone");
    collector.note_use(key("new"));
    collector
        .collect(&Collection {
            since: clock::since_epoch().as_secs() - 60,
            ..asked
        })
        .unwrap();
    assert!(collector.holds(&new), "it was used just now");
}

#[test]
fn states_go_before_results_and_the_last_the_best_and_where_trainings_part_go_last() {
    let folder = tempfile::tempdir().unwrap();
    let builder = store(folder.path());
    let weights = |epoch: u32| format!("weights after {epoch}");
    for epoch in 1..=6 {
        let from = folder.path().join(format!("state-{epoch}"));
        fs::create_dir(&from).unwrap();
        fs::write(from.join("weights"), weights(epoch)).unwrap();
        fs::write(from.join("control"), format!("epoch {epoch}")).unwrap();
        let node = builder.import(&from, Bounds::default()).unwrap();
        state(&builder, epoch, node, "fit");
        used(
            &builder,
            RecordKind::Chain,
            key(&format!("epoch {epoch}")),
            100 - u64::from(epoch),
        );
    }
    // Another training goes on from the second epoch; it has not come to its end.
    let node = builder.add_bytes(b"the other's third").unwrap();
    let of = StateOf {
        step: "other".into(),
        training: key("other"),
        epoch: 3,
        before: Some(key("epoch 2")),
    };
    let key_of_it = key("the other's");
    builder.put_chain(key_of_it, staged(node), Some(of)).unwrap();
    used(&builder, RecordKind::Chain, key("the other's"), 1);
    // The model is the weights of the fourth epoch.
    let model = builder.add_bytes(weights(4).as_bytes()).unwrap();
    register(&builder, "fit", model);
    used(&builder, RecordKind::Realisation, key("fit"), 2);
    drop(builder);

    let gone = store(folder.path())
        .collect(&Collection {
            dry_run: true,
            ..all()
        })
        .unwrap()
        .gone;
    let names: Vec<String> = gone
        .iter()
        .map(|gone| match gone.epoch {
            Some(epoch) => format!("{} {epoch}", gone.step.as_deref().unwrap()),
            None => gone.step.clone().unwrap(),
        })
        .collect();
    assert_eq!(
        names,
        [
            "fit 5", "fit 3", "fit 1", "fit 6", "fit 4", "fit 2", "other 3", "fit"
        ]
    );
}

#[test]
fn it_ends_as_soon_as_the_store_is_small_enough() {
    let folder = tempfile::tempdir().unwrap();
    let builder = store(folder.path());
    for (index, name) in ["a", "b", "c"].iter().enumerate() {
        let node = builder.add_bytes(&[index as u8; 100]).unwrap();
        register(&builder, name, node);
        used(&builder, RecordKind::Realisation, key(name), 10 - index as u64);
    }
    drop(builder);
    let store = store(folder.path());
    let asked = Collection { limit: 150, ..all() };
    let did = store.collect(&asked).unwrap();
    let names: Vec<_> = did
        .gone
        .iter()
        .map(|gone| gone.step.as_deref().unwrap())
        .collect();
    assert_eq!((names, did.before, did.freed), (vec!["c", "b"], 300, 200));
    assert!(store.collect(&asked).unwrap().gone.is_empty());
}

#[test]
fn one_collects_at_a_time_and_what_a_killed_one_left_is_settled() {
    let folder = tempfile::tempdir().unwrap();
    let builder = store(folder.path());
    let kept = builder.add_bytes(b"kept").unwrap();
    let other = builder.add_bytes(b"other").unwrap();
    register(&builder, "kept", kept);
    register(&builder, "other", other);
    drop(builder);
    let store = store(folder.path());
    let (listener, _) = Listener::begin(store.root()).unwrap().unwrap();
    assert!(matches!(store.collect(&all()), Err(StoreError::Collecting)));
    assert!(
        store
            .collect(&Collection {
                dry_run: true,
                ..all()
            })
            .is_ok()
    );
    drop(listener);
    // As if it was killed after it put both in the trash.
    for node in [kept, other] {
        let place = store.places.content(Content::of(&node));
        let trash = store.places.trash(&place);
        fs::create_dir_all(trash.parent().unwrap()).unwrap();
        crate::base::atomic::rename(&place, &trash).unwrap();
    }
    assert!(!store.holds(&other));
    store
        .collect(&Collection {
            keep: BTreeSet::from([kept]),
            ..all()
        })
        .unwrap();
    assert!(store.holds(&kept), "it was taken back");
    assert!(!store.root().join("trash").exists());
    assert!(!store.holds(&other));
}

#[test]
fn who_misses_something_looks_in_the_trash_first() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let from = folder.path().join("from");
    fs::create_dir(&from).unwrap();
    fs::write(from.join("a"), "a").unwrap();
    let node = store.import(&from, Bounds::default()).unwrap();
    let file = store.entry(&node, "a").unwrap();
    for node in [node, file] {
        let place = store.places.content(Content::of(&node));
        let trash = store.places.trash(&place);
        fs::create_dir_all(trash.parent().unwrap()).unwrap();
        crate::base::atomic::rename(&place, &trash).unwrap();
    }
    assert!(!store.holds(&node));
    assert!(store.mend(&node).unwrap().is_empty());
    assert!(store.holds(&node));
}

#[test]
fn a_damaged_tree_stops_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let from = folder.path().join("from");
    fs::create_dir(&from).unwrap();
    fs::write(from.join("a"), "a").unwrap();
    let node = store.import(&from, Bounds::default()).unwrap();
    let place = store.places.content(Content::of(&node));
    fs::remove_file(&place).unwrap();
    fs::write(&place, "no tree").unwrap();
    assert!(matches!(store.collect(&all()), Err(StoreError::Damaged { .. })));
}

/// Builders, each with a store of its own as processes have, build and use what others built, while collectors take
/// whatever they may. What a builder goes on from must be there until it ends.
#[test]
fn builds_lose_nothing_to_a_collector_beside_them() {
    let folder = tempfile::tempdir().unwrap();
    store(folder.path());
    let done = AtomicBool::new(false);
    let gone = std::thread::scope(|scope| {
        let collector = scope.spawn(|| {
            let mut gone = 0;
            while !done.load(Ordering::Relaxed) {
                gone += store(folder.path()).collect(&all()).unwrap().gone.len();
            }
            gone
        });
        let builders: Vec<_> = (0..4)
            .map(|builder| {
                let folder = folder.path();
                scope.spawn(move || {
                    for round in 0..60_usize {
                        build_once(folder, (builder * 7 + round) % 5, round);
                    }
                })
            })
            .collect();
        let built: Vec<_> = builders.into_iter().map(|builder| builder.join()).collect();
        // Before anything can fail: the collector would go on for ever.
        done.store(true, Ordering::Relaxed);
        built.into_iter().for_each(|built| built.unwrap());
        collector.join().unwrap()
    });
    assert!(gone > 0, "the collector found something to take");
}

/// One process: looks up what a key came to, builds it where its bytes are not here, and goes on from it for a while.
fn build_once(folder: &Path, which: usize, round: usize) {
    let store = store(folder);
    let name = format!("step {which}");
    let found = store.realisation(key(&name)).unwrap();
    let found = found.and_then(|found| found.outputs["out"]);
    let found = found.filter(|node| store.mend(node).unwrap().is_empty() && store.holds(node));
    let node = found.unwrap_or_else(|| {
        let scratch = store.scratch().unwrap();
        let out = scratch.path().join("out");
        fs::create_dir_all(out.join("sub")).unwrap();
        for file in 0..3 {
            fs::write(out.join(format!("sub/{file}")), format!("{which} {file}")).unwrap();
        }
        fs::write(out.join("shared"), format!("{}", which % 2)).unwrap();
        let node = store.move_in(&out, Bounds::default()).unwrap();
        register(&store, &name, node);
        node
    });
    let view = store.materialise(&node).unwrap();
    for _ in 0..3 {
        assert!(store.holds(&node), "round {round}");
        assert_eq!(
            fs::read_to_string(view.join("sub/1")).unwrap(),
            format!("{which} 1")
        );
        std::thread::yield_now();
    }
    assert!(store.verify(&node).is_empty(), "round {round}");
    let trace = Trace {
        resolved_key: key(&name),
        outputs: BTreeMap::new(),
        dependencies: Vec::new(),
    };
    store.put_trace(key(&format!("{name} {round}")), trace).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Whatever shares what with whom: what is kept is whole after a collection, nothing else is left where all may go, and
    /// with a limit no more goes than has to.
    #[test]
    fn what_is_kept_is_whole(
        results in prop::collection::vec((prop::collection::vec(0_u8..12, 1..5), 0_u64..50, any::<bool>()), 1..10),
        limit in 0_u64..3000,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let builder = store(folder.path());
        let mut keep = BTreeSet::new();
        let mut nodes = Vec::new();
        for (index, (files, at, kept)) in results.iter().enumerate() {
            let from = folder.path().join(index.to_string());
            fs::create_dir(&from).unwrap();
            for file in files {
                fs::write(from.join(file.to_string()), vec![*file; 100]).unwrap();
            }
            let node = builder.import(&from, Bounds::default()).unwrap();
            let name = format!("result {index}");
            register(&builder, &name, node);
            used(&builder, RecordKind::Realisation, key(&name), *at);
            nodes.push(node);
            keep.extend(kept.then_some(node));
        }
        drop(builder);
        let store = store(folder.path());
        let asked = Collection { keep: keep.clone(), limit, ..all() };
        let did = store.collect(&asked).unwrap();
        for node in &keep {
            prop_assert!(store.verify(node).is_empty());
        }
        let after = store.census().unwrap();
        prop_assert_eq!(after.total(), did.before - did.freed);
        let candidates = nodes.iter().any(|node| !keep.contains(node) && store.holds(node));
        prop_assert!(after.total() <= limit || !candidates);
        if let Some(last) = did.gone.last() {
            prop_assert!(after.total() + last.bytes > limit, "the last one need not have gone");
        }
        store.collect(&Collection { keep: keep.clone(), ..all() }).unwrap();
        let live: BTreeSet<Content> = keep.iter().map(Content::of).collect();
        let after = store.census().unwrap();
        let live = after.closure.clone().of(&store.places, live).unwrap();
        prop_assert_eq!(after.held.keys().copied().collect::<BTreeSet<_>>(), live);
    }
}
