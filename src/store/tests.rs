//! The store's contract.

use super::*;
use crate::model::build::Isolation;
use crate::model::record::{Attestation, Realisation, Removal, Trace};
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    (folder, store)
}

fn key(text: &str) -> Digest {
    Digest::of_blob(text.as_bytes())
}

fn attestation(resolved_key: Digest) -> Attestation {
    Attestation {
        resolved_key,
        isolation: Isolation::Sandboxed,
        effective: Isolation::Sandboxed,
        run: "1".into(),
        step: "fit".into(),
        started: 7,
        wall_ms: 1,
        cpu_ms: None,
        peak_memory: None,
        machine: "m".into(),
        observed: BTreeMap::new(),
        differs: None,
    }
}

fn registration(node: Node) -> Registration<'static> {
    Registration {
        resolved_key: key("rk"),
        static_key: key("sk"),
        realisation: Realisation {
            outputs: BTreeMap::from([("model".to_owned(), Some(node))]),
        },
        staged: Vec::new(),
        dependencies: Vec::new(),
        derivation: b"derivation",
        attestation: attestation(key("rk")),
    }
}

#[test]
fn content_comes_back_as_it_went_in() {
    let (folder, store) = store();
    let from = folder.path().join("from");
    fs::create_dir_all(from.join("sub/empty")).unwrap();
    fs::write(from.join("a.txt"), "hello").unwrap();
    fs::write(from.join("sub/run.sh"), "#!").unwrap();
    fs::set_permissions(from.join("sub/run.sh"), fs::Permissions::from_mode(0o4755)).unwrap();
    symlink("../a.txt", from.join("sub/link")).unwrap();
    let node = store.import(&from, Bounds::default()).unwrap();
    assert!(store.holds(&node));
    assert!(store.verify(&node).is_empty());

    let view = store.materialise(&node).unwrap();
    assert_eq!(fs::read_to_string(view.join("sub/link")).unwrap(), "hello");
    assert!(view.join("sub/empty").is_dir());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&view.join("sub/run.sh")), 0o555);
    assert_eq!(mode(&view.join("a.txt")), 0o444);
    assert_eq!(mode(&view.join("sub")), 0o555);
    assert_eq!(fs::metadata(view.join("a.txt")).unwrap().mtime(), 1);

    let file = store.entry(&node, "a.txt").unwrap();
    assert_eq!(store.read(&file).unwrap(), b"hello");
    assert!(matches!(store.entry(&node, "b"), Err(StoreError::NoEntry { .. })));
    // The digest of a directory depends on nothing but names, contents and modes.
    assert_eq!(store.import(&view, Bounds::default()).unwrap(), node);
}

#[test]
fn equal_files_are_stored_once_and_never_share_an_inode_with_their_source() {
    let (folder, store) = store();
    for name in ["a", "b"] {
        fs::write(folder.path().join(name), "same").unwrap();
    }
    let one = store.import(&folder.path().join("a"), Bounds::default()).unwrap();
    let other = store.import(&folder.path().join("b"), Bounds::default()).unwrap();
    assert_eq!(one, other);
    let place = store.materialise(&one).unwrap();
    assert_eq!(fs::metadata(&place).unwrap().nlink(), 1);
    fs::write(folder.path().join("a"), "evil").unwrap();
    assert_eq!(fs::read(&place).unwrap(), b"same");
}

#[test]
fn a_second_name_of_an_output_cannot_change_the_store() {
    let (_folder, store) = store();
    let scratch = store.scratch().unwrap();
    let (output, other) = (scratch.path().join("out"), scratch.path().join("other"));
    fs::write(&output, "good").unwrap();
    crate::base::atomic::link(&output, &other).unwrap();
    let node = store.move_in(&output, Bounds::default()).unwrap();
    fs::write(&other, "evil").unwrap();
    assert_eq!(store.read(&node).unwrap(), b"good");
}

#[test]
fn moving_in_takes_what_a_builder_closed() {
    let (_folder, store) = store();
    let scratch = store.scratch().unwrap();
    let output = scratch.path().join("out");
    fs::create_dir_all(output.join("closed")).unwrap();
    fs::write(output.join("closed/f"), "x").unwrap();
    fs::set_permissions(output.join("closed/f"), fs::Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(output.join("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    let node = store.move_in(&output, Bounds::default()).unwrap();
    assert_eq!(
        store.read(&store.entry(&node, "closed/f").unwrap()).unwrap(),
        b"x"
    );
}

#[test]
fn what_is_no_content_is_refused_by_name() {
    let (folder, store) = store();
    let refused = |name: &str, make: &dyn Fn(&Path)| {
        let from = folder.path().join(name);
        fs::create_dir(&from).unwrap();
        make(&from.join("x"));
        let error = store.import(&from, Bounds::default()).unwrap_err();
        error.to_string().replace(&from.display().to_string(), "")
    };
    let bind = |path: &Path| drop(std::os::unix::net::UnixListener::bind(path).unwrap());
    assert_eq!(refused("socket", &bind), "`/x` is a device, a pipe or a socket");
    let link = |path: &Path| symlink("../../etc/passwd", path).unwrap();
    assert_eq!(
        refused("link", &link),
        "`/x` is a symbolic link that leaves its directory, to `../../etc/passwd`"
    );
    let bytes = |path: &Path| {
        use std::os::unix::ffi::OsStrExt;
        fs::write(path.with_file_name(std::ffi::OsStr::from_bytes(b"\xff")), "").unwrap();
    };
    assert!(refused("bytes", &bytes).ends_with("has a name that is not UTF-8"));
    // It takes no room, and no disk could hold what it says it is.
    let sparse = |path: &Path| fs::File::create(path).unwrap().set_len(1 << 43).unwrap();
    assert!(refused("sparse", &sparse).starts_with("`/x` is too large: by its length"));
    let file = |path: &Path| fs::write(path, "12345").unwrap();
    file(&folder.path().join("big"));
    let small = Bounds {
        bytes: 4,
        ..Bounds::default()
    };
    let error = store.import(&folder.path().join("big"), small).unwrap_err();
    assert!(error.to_string().contains("too large"), "{error}");
    symlink("big", folder.path().join("top")).unwrap();
    let error = store
        .import(&folder.path().join("top"), Bounds::default())
        .unwrap_err();
    assert!(error.to_string().contains("is a symbolic link"), "{error}");
}

#[test]
fn the_first_of_two_differing_results_stands() {
    let (_folder, store) = store();
    let one = store.add_bytes(b"one").unwrap();
    let two = store.add_bytes(b"two").unwrap();
    let first = store.register(registration(one)).unwrap();
    assert_eq!(first.verdict, Verdict::First);
    assert_eq!(store.register(registration(one)).unwrap().verdict, Verdict::Same);
    let second = store.register(registration(two)).unwrap();
    assert_eq!(second.verdict, Verdict::Differs(vec!["model".into()]));
    assert_eq!(second.standing, first.standing);
    let trace = store.trace(key("sk")).unwrap().unwrap();
    assert_eq!(trace.outputs["model"], Some(one));
    let attested = store.attestations(key("rk")).unwrap();
    assert!(attested.iter().any(|attestation| attestation.differs.is_some()));
    assert!(
        store.derivation(key("sk")).unwrap().is_none(),
        "those bytes are not the key's"
    );
}

#[test]
fn no_record_stands_over_objects_that_are_not_here() {
    let (_folder, store) = store();
    let missing = Node::File {
        executable: false,
        size: 3,
        digest: key("abc"),
    };
    let error = store.register(registration(missing)).unwrap_err();
    assert!(matches!(error, StoreError::Incomplete { .. }));
    assert!(store.realisation(key("rk")).unwrap().is_none());
}

#[test]
fn a_process_that_dies_between_object_and_record_leaves_an_object_and_no_record() {
    let (folder, store) = store();
    let node = store.add_bytes(b"kept").unwrap();
    // As a killed process would: no destructor runs.
    std::mem::forget(store);
    let store = Store::open(&folder.path().join("store")).unwrap();
    assert!(store.holds(&node));
    assert!(store.realisation(key("rk")).unwrap().is_none());
    assert_eq!(
        store.register(registration(node)).unwrap().verdict,
        Verdict::First
    );
}

#[test]
fn missing_bytes_invalidate_no_record_and_another_result_may_take_their_place() {
    let (_folder, store) = store();
    let one = store.add_bytes(b"one").unwrap();
    store.register(registration(one)).unwrap();
    fs::remove_file(store.materialise(&one).unwrap()).unwrap();
    assert!(!store.holds(&one));
    assert!(store.trace(key("sk")).unwrap().is_some());
    assert!(matches!(store.materialise(&one), Err(StoreError::Missing(_))));
    let two = store.add_bytes(b"two").unwrap();
    let registered = store.register(registration(two)).unwrap();
    assert_eq!(registered.verdict, Verdict::Superseded(vec!["model".into()]));
    assert_eq!(
        store.trace(key("sk")).unwrap().unwrap().outputs["model"],
        Some(two)
    );
}

#[test]
fn a_flipped_bit_is_found_put_aside_and_made_anew() {
    let (folder, store) = store();
    let from = folder.path().join("from");
    fs::create_dir(&from).unwrap();
    fs::write(from.join("a"), "hello").unwrap();
    let node = store.import(&from, Bounds::default()).unwrap();
    let view = store.materialise(&node).unwrap();
    let file = store.entry(&node, "a").unwrap();
    let place = store.materialise(&file).unwrap();
    fs::set_permissions(&place, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&place, "hellp").unwrap();

    assert!(matches!(store.read(&file), Err(StoreError::Damaged { .. })));
    let damaged = store.verify(&node);
    assert_eq!(damaged.len(), 1);
    store.put_aside(&damaged).unwrap();
    assert!(!store.holds(&node));
    assert!(!view.exists(), "it shared the damaged bytes");
    assert_eq!(store.import(&from, Bounds::default()).unwrap(), node);
    assert!(store.verify(&node).is_empty());
    assert_eq!(
        fs::read(store.materialise(&node).unwrap().join("a")).unwrap(),
        b"hello"
    );
}

#[test]
fn a_damaged_record_is_as_if_absent() {
    let (_folder, store) = store();
    let node = store.add_bytes(b"one").unwrap();
    store.register(registration(node)).unwrap();
    let place = store.places.record(place::RecordKind::Trace, key("sk"));
    let whole = fs::read(&place).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&place, &bytes).unwrap();
        assert!(store.trace(key("sk")).unwrap().is_none(), "byte {at}");
    }
    fs::write(&place, &whole[..10]).unwrap();
    assert!(store.trace(key("sk")).unwrap().is_none());
    let trace = Trace {
        resolved_key: key("rk"),
        outputs: BTreeMap::from([("model".to_owned(), Some(node))]),
        dependencies: Vec::new(),
    };
    assert_eq!(store.put_trace(key("sk"), trace.clone()).unwrap(), trace);
    assert_eq!(store.trace(key("sk")).unwrap(), Some(trace));
}

#[test]
fn many_at_once_agree() {
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("from");
    fs::create_dir_all(from.join("sub")).unwrap();
    for index in 0..40 {
        fs::write(from.join(format!("sub/{index}")), format!("{}", index % 7)).unwrap();
    }
    let root = folder.path().join("store");
    let outcomes: Vec<(Node, Realisation, PathBuf)> = std::thread::scope(|scope| {
        let work = || {
            // A store each, as processes have.
            let store = Store::open(&root).unwrap();
            let node = store.import(&from, Bounds::default()).unwrap();
            let own = store
                .add_bytes(format!("{:?}", std::thread::current().id()).as_bytes())
                .unwrap();
            let registered = store.register(registration(own)).unwrap();
            (node, registered.standing, store.materialise(&node).unwrap())
        };
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]));
    let store = Store::open(&root).unwrap();
    assert!(store.verify(&outcomes[0].0).is_empty());
    drop(store);
    assert_eq!(fs::read_dir(root.join("tmp")).unwrap().count(), 0);
}

#[test]
fn a_store_that_cannot_be_written_says_so_and_what_to_do() {
    let error = StoreError::Io {
        doing: "write",
        path: "/s/objects".into(),
        cause: std::io::Error::from(ErrorKind::ReadOnlyFilesystem),
    };
    assert_eq!(
        error.to_string(),
        "cannot write `/s/objects`: the file system is read-only"
    );
    assert_eq!(
        error.help().unwrap(),
        "set MLP_STORE to a folder that can be written"
    );
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let error = Store::open(&folder.path().join("file/store")).unwrap_err();
    assert!(error.to_string().starts_with("cannot"), "{error}");
    assert!(matches!(
        Store::open(folder.path()),
        Err(StoreError::NotAStore(_))
    ));
}

#[test]
fn what_is_in_a_read_only_store_can_be_read() {
    let (folder, store) = store();
    let node = store.add_bytes(b"one").unwrap();
    store.register(registration(node)).unwrap();
    drop(store);
    let root = folder.path().join("store");
    fs::remove_dir(root.join("tmp")).unwrap();
    let store = Store::open(&root).unwrap();
    assert_eq!(store.read(&node).unwrap(), b"one");
    assert!(store.trace(key("sk")).unwrap().is_some());
    let error = store.add_bytes(b"two").unwrap_err();
    assert!(error.to_string().contains("/tmp"), "{error}");
}

#[test]
fn one_process_builds_a_key_at_a_time() {
    let (_folder, store) = store();
    let held = store.lock(key("rk")).unwrap();
    assert!(store.try_lock(key("rk")).unwrap().is_none());
    assert!(store.try_lock(key("other")).unwrap().is_some());
    drop(held);
    assert!(store.try_lock(key("rk")).unwrap().is_some());
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn what_is_put_over_a_damaged_file_mends_it() {
    let (folder, store) = store();
    let from = folder.path().join("from");
    fs::create_dir(&from).unwrap();
    fs::write(from.join("a"), "hello").unwrap();
    let node = store.import(&from, Bounds::default()).unwrap();
    let file = store.entry(&node, "a").unwrap();
    let Node::Dir { tree } = node else { panic!() };
    flip(&store.materialise(&file).unwrap());
    flip(&store.places.tree(tree));
    assert_eq!(store.import(&from, Bounds::default()).unwrap(), node);
    assert!(store.verify(&node).is_empty());
}

#[test]
fn a_view_that_shows_something_else_is_made_again() {
    let (folder, store) = store();
    let from = folder.path().join("from");
    fs::create_dir_all(from.join("sub")).unwrap();
    fs::write(from.join("sub/a"), "hello").unwrap();
    let node = store.import(&from, Bounds::default()).unwrap();
    type Harm = fn(&Path);
    let harms: [Harm; 3] = [
        |sub| fs::remove_file(sub.join("a")).unwrap(),
        |sub| fs::write(sub.join("b"), "").unwrap(),
        |sub| {
            fs::remove_file(sub.join("a")).unwrap();
            fs::write(sub.join("a"), "hellp").unwrap();
        },
    ];
    for harm in harms {
        let view = store.materialise(&node).unwrap();
        fs::set_permissions(view.join("sub"), fs::Permissions::from_mode(0o755)).unwrap();
        harm(&view.join("sub"));
        // As the next process would.
        let store = Store::open(&folder.path().join("store")).unwrap();
        let damaged = store.mend(&node).unwrap();
        assert_eq!(damaged.len(), 1, "{damaged:?}");
        assert!(store.holds(&node), "the objects are whole");
        let view = store.materialise(&node).unwrap();
        assert_eq!(fs::read(view.join("sub/a")).unwrap(), b"hello");
        assert_eq!(fs::read_dir(view.join("sub")).unwrap().count(), 1);
        assert!(store.mend(&node).unwrap().is_empty());
    }
    // A copy with the right bytes, as at the limit of links, is as good as the object.
    let view = store.materialise(&node).unwrap();
    fs::set_permissions(view.join("sub"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_file(view.join("sub/a")).unwrap();
    fs::write(view.join("sub/a"), "hello").unwrap();
    assert!(store.verify(&node).is_empty());
}

#[test]
fn much_is_mended_at_once() {
    let (folder, store) = store();
    let mut nodes = Vec::new();
    for index in 0..60 {
        let from = folder.path().join(format!("from-{index}"));
        fs::create_dir(&from).unwrap();
        fs::write(from.join("shared"), format!("{}", index % 5)).unwrap();
        fs::write(from.join("own"), format!("own {index}")).unwrap();
        nodes.push((store.import(&from, Bounds::default()).unwrap(), from));
    }
    for round in 0..5 {
        for (node, _) in &nodes {
            store.materialise(node).unwrap();
            for name in ["shared", "own"] {
                flip(&store.materialise(&store.entry(node, name).unwrap()).unwrap());
            }
        }
        let at_once: Vec<Store> = (0..4).map(|_| Store::open(store.root()).unwrap()).collect();
        std::thread::scope(|scope| {
            for store in &at_once {
                let nodes = &nodes;
                scope.spawn(move || {
                    for (node, _) in nodes {
                        store.mend(node).unwrap();
                    }
                });
            }
        });
        for (node, from) in &nodes {
            assert_eq!(store.import(from, Bounds::default()).unwrap(), *node);
            assert!(store.verify(node).is_empty(), "round {round}");
        }
    }
}

#[test]
fn mending_puts_aside_what_is_damaged_and_tells_it() {
    let (folder, store) = store();
    let node = store.add_bytes(b"hello").unwrap();
    assert!(store.mend(&node).unwrap().is_empty());
    flip(&store.materialise(&node).unwrap());
    let store = Store::open(&folder.path().join("store")).unwrap();
    let damaged = store.mend(&node).unwrap();
    assert!(
        damaged[0]
            .put_aside()
            .ends_with("is damaged: its bytes are not those of its name; it was put aside and is made again"),
        "{}",
        damaged[0].put_aside()
    );
    assert!(!store.holds(&node));
    assert!(store.mend(&node).unwrap().is_empty(), "missing, and known to be");
    assert_eq!(store.add_bytes(b"hello").unwrap(), node);
    assert!(store.holds(&node));
}

#[test]
fn what_was_taken_away_is_known_by_the_last_time() {
    let (_folder, store) = store();
    let key = Digest::of_blob(b"key");
    assert_eq!(store.removal(key).unwrap(), None);
    for at in [3, 7] {
        store.note_removal(key, Removal { at }).unwrap();
    }
    assert_eq!(store.removal(key).unwrap(), Some(Removal { at: 7 }));
}
