//! Archives: what comes out of one store goes into another, and of what is wrong with one nothing goes in.

use super::super::{Export, Registration};
use super::*;
use crate::model::build::Isolation;
use crate::model::record::Realisation;
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn open(folder: &Path, name: &str) -> Store {
    Store::open(&folder.join(name)).unwrap()
}

fn key(text: &str) -> Digest {
    Digest::of_blob(text.as_bytes())
}

/// The bytes of which `name`'s static key is the digest.
fn derivation(name: &str) -> Vec<u8> {
    name.as_bytes().to_vec()
}

fn static_key(name: &str) -> Digest {
    Digest::of(Context::StaticKey, &derivation(name))
}

fn register(store: &Store, name: &str, node: Node, dependencies: Vec<Dependency>) {
    let attestation = Attestation {
        resolved_key: key(name),
        isolation: Isolation::Sandboxed,
        effective: Isolation::HostTools,
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
        static_key: static_key(name),
        realisation: Realisation {
            outputs: BTreeMap::from([("out".to_owned(), Some(node)), ("none".to_owned(), None)]),
        },
        staged: Vec::new(),
        dependencies,
        derivation: &derivation(name),
        attestation,
    };
    store.register(registration).unwrap();
}

fn dependency(name: &str, node: Node) -> Dependency {
    Dependency {
        static_key: static_key(name),
        output: "out".to_owned(),
        node,
    }
}

/// Data, and a model that was made of it.
fn filled(folder: &Path, name: &str) -> (Store, Node, Node) {
    let store = open(folder, name);
    let from = folder.join(format!("{name}-from"));
    fs::create_dir_all(from.join("sub")).unwrap();
    fs::write(from.join("weights"), "0.5 0.25").unwrap();
    fs::write(from.join("sub/run.sh"), "#!").unwrap();
    fs::write(from.join("sub/empty"), "").unwrap();
    fs::set_permissions(from.join("sub/run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink("../weights", from.join("sub/link")).unwrap();
    let data = store.add_bytes(b"data").unwrap();
    let model = store.import(&from, Bounds::default()).unwrap();
    register(&store, "data", data, Vec::new());
    register(&store, "fit", model, vec![dependency("data", data)]);
    (store, data, model)
}

fn export(store: &Store, whole: &[&str]) -> Vec<u8> {
    let names = ["data", "fit"].map(|name| (static_key(name), name.to_owned()));
    let asked = Export {
        names: names.into(),
        whole: whole.iter().map(|name| static_key(name)).collect(),
    };
    let mut bytes = Vec::new();
    store.export(&asked, Path::new("x"), &mut bytes).unwrap();
    bytes
}

fn import(store: &Store, bytes: &[u8]) -> Result<Imported, StoreError> {
    store.import_archive(Path::new("x"), bytes)
}

/// Why an archive is refused, and that nothing of it is here.
fn refused(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), "store");
    let error = import(&store, bytes).unwrap_err();
    assert!(matches!(error, StoreError::Archive { .. }), "{error}");
    let census = store.census().unwrap();
    assert!(census.items.is_empty() && census.total() == 0);
    for folder in ["r", "s", "drv", "attest"] {
        assert_eq!(
            fs::read_dir(store.root().join(folder)).unwrap().count(),
            0,
            "{folder}"
        );
    }
    error.to_string()
}

#[test]
fn what_was_exported_is_found_elsewhere_and_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (from, data, model) = filled(folder.path(), "from");
    let archive = export(&from, &["fit"]);
    let to = open(folder.path(), "to");
    let imported = import(&to, &archive).unwrap();
    assert_eq!(imported.steps, BTreeSet::from(["fit".to_owned()]));
    assert!(imported.differing.is_empty() && imported.untraced.is_empty());
    assert!(to.verify(&model).is_empty());
    let view = to.materialise(&model).unwrap();
    assert_eq!(fs::read_to_string(view.join("sub/link")).unwrap(), "0.5 0.25");
    let trace = to.trace(static_key("fit")).unwrap().unwrap();
    assert_eq!(trace.outputs["out"], Some(model));
    assert_eq!(
        to.realisation(key("data")).unwrap().unwrap().outputs["out"],
        Some(data)
    );
    assert!(!to.holds(&data), "what it was made from is known, and not here");
    assert_eq!(to.derivation(static_key("fit")).unwrap().unwrap(), b"fit");
    assert_eq!(
        to.attested(key("fit")).unwrap().unwrap().effective,
        Isolation::HostTools
    );
    // The same results give the same archive, wherever they are and whenever it is made.
    assert_eq!(export(&to, &["fit"]), archive);
    assert_eq!(
        import(&to, &archive).unwrap(),
        imported,
        "a second time changes nothing"
    );
    assert_eq!(export(&filled(folder.path(), "again").0, &["fit"]), archive);
}

#[test]
fn what_stands_here_stays_and_a_trace_is_taken_only_where_its_inputs_agree() {
    let folder = tempfile::tempdir().unwrap();
    let (from, _, model) = filled(folder.path(), "from");
    let archive = export(&from, &["data", "fit"]);
    let to = open(folder.path(), "to");
    let own = to.add_bytes(b"other data").unwrap();
    register(&to, "data", own, Vec::new());
    let imported = import(&to, &archive).unwrap();
    assert_eq!(imported.differing, BTreeSet::from(["data".to_owned()]));
    assert_eq!(
        imported.untraced,
        BTreeSet::from(["data".to_owned(), "fit".to_owned()])
    );
    assert_eq!(
        to.trace(static_key("data")).unwrap().unwrap().outputs["out"],
        Some(own)
    );
    assert!(
        to.trace(static_key("fit")).unwrap().is_none(),
        "it was made of other data"
    );
    assert_eq!(
        to.realisation(key("fit")).unwrap().unwrap().outputs["out"],
        Some(model)
    );
}

#[test]
fn what_is_damaged_here_is_not_exported() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _, model) = filled(folder.path(), "from");
    let weights = store
        .materialise(&store.entry(&model, "weights").unwrap())
        .unwrap();
    fs::remove_file(&weights).unwrap();
    fs::write(&weights, "0.5 0.75").unwrap();
    let asked = Export {
        whole: BTreeSet::from([static_key("fit")]),
        ..Export::default()
    };
    let error = store.export(&asked, Path::new("x"), Vec::new()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

/// An archive of these entries, with its end.
fn archive(entries: &[(EntryKind, Digest, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = MAGIC.as_bytes().to_vec();
    for (kind, digest, content) in entries {
        bytes.extend(super::super::archive::header(*kind, *digest, content.len() as u64).as_bytes());
        bytes.extend(content);
    }
    bytes.extend(format!("end {}\n", Digest::of_blob(&bytes)).as_bytes());
    bytes
}

fn result(node: Node) -> (EntryKind, Digest, Vec<u8>) {
    let result = ArchivedResult {
        step: "fit".into(),
        realisation: Realisation {
            outputs: BTreeMap::from([("out".to_owned(), Some(node))]),
        },
        whole: true,
        isolation: None,
    };
    (
        EntryKind::Result,
        key("fit"),
        serde_json::to_vec(&result).unwrap(),
    )
}

fn file(content: &[u8]) -> (EntryKind, Digest, Vec<u8>) {
    (EntryKind::File, Digest::of_blob(content), content.to_vec())
}

fn node(content: &[u8]) -> Node {
    Node::File {
        executable: false,
        size: content.len() as u64,
        digest: Digest::of_blob(content),
    }
}

fn tree(entries: &[(&str, Entry)]) -> (Node, (EntryKind, Digest, Vec<u8>)) {
    let entries = entries
        .iter()
        .map(|(name, entry)| ((*name).to_owned(), entry.clone()));
    let bytes = Tree {
        entries: entries.collect(),
    }
    .encode()
    .unwrap();
    let digest = Tree::digest_of(&bytes);
    (Node::Dir { tree: digest }, (EntryKind::Tree, digest, bytes))
}

#[test]
fn names_and_links_that_lead_out_are_refused() {
    let inner = Entry::Node(node(b"x"));
    for name in ["../../etc/cron.d/x", "/etc/passwd", "..", "a/b", "", "."] {
        let (root, tree) = tree(&[(name, inner.clone())]);
        let told = refused(&archive(&[result(root), tree, file(b"x")]));
        assert!(
            told.contains("holds a directory that is none: "),
            "{name}: {told}"
        );
    }
    for target in ["/etc/passwd", "../x", "a/../../x"] {
        let symlink = target.to_owned();
        let (root, tree) = tree(&[("link", Entry::Symlink { symlink })]);
        let told = refused(&archive(&[result(root), tree]));
        assert!(
            told.contains("leaves it") || told.contains("is none"),
            "{target}: {told}"
        );
    }
}

#[test]
fn what_lies_is_refused() {
    let well = archive(&[result(node(b"hello")), file(b"hello")]);
    assert!(import(&open(tempfile::tempdir().unwrap().path(), "s"), &well).is_ok());
    let told = |entries: &[(EntryKind, Digest, Vec<u8>)]| {
        refused(&archive(entries)).replace(&key("hello").to_string(), "[D]")
    };
    let lie = (EntryKind::File, key("hello"), b"hellp".to_vec());
    let large = Node::File {
        executable: false,
        size: u64::MAX,
        digest: key("hello"),
    };
    let all = [
        told(&[result(node(b"hello")), lie]),
        told(&[result(large), file(b"hello")]),
        told(&[result(node(b"hello"))]),
        told(&[file(b"hello")]),
        told(&[result(node(b"hello")), file(b"hello"), file(b"hello")]),
        told(&[file(b"hello"), result(node(b"hello"))]),
        told(&[(EntryKind::Result, key("fit"), b"{".to_vec())]),
        told(&[(EntryKind::Derivation, key("fit"), b"x".to_vec())]).replace(&key("fit").to_string(), "[K]"),
        refused(b"mlp archive 2\n"),
        refused(b""),
        refused(&[MAGIC.as_bytes(), &[b'x'; 1000]].concat()),
        refused(&[MAGIC.as_bytes(), b"device 1 2\n"].concat()),
        refused(&[&well[..], b"more"].concat()),
        refused(format!("{MAGIC}file {} 99999999999999999999\n", key("hello")).as_bytes()),
        refused(format!("{MAGIC}file {} 17592186044417\n", key("hello")).as_bytes()),
        refused(format!("{MAGIC}file {} 1000000000000\nhello", key("hello")).as_bytes()),
        refused(format!("{MAGIC}tree {} 1000000000\nhello", key("hello")).as_bytes()),
        refused(format!("{MAGIC}tree {} 05\nhello", key("hello")).as_bytes()),
    ];
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn folders_that_come_to_more_than_any_disk_holds_are_refused() {
    let mut entries = vec![file(b"x")];
    let (mut root, first) = tree(&[("x", Entry::Node(node(b"x")))]);
    entries.push(first);
    for _ in 0..40 {
        let (next, entry) = tree(&[("a", Entry::Node(root)), ("b", Entry::Node(root))]);
        entries.push(entry);
        root = next;
    }
    entries.push(result(root));
    entries.sort_by_key(|(kind, digest, _)| (*kind, *digest));
    assert!(refused(&archive(&entries)).contains("comes to more than can be stored at once"));
}

#[test]
fn an_archive_that_was_cut_short_anywhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let whole = export(&filled(folder.path(), "from").0, &["data", "fit"]);
    for length in (0..whole.len()).step_by(7) {
        let told = refused(&whole[..length]);
        assert!(told.ends_with("was cut short"), "{length}: {told}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever is done to the bytes of an archive: it is refused and nothing of it is here, never a panic.
    #[test]
    fn an_archive_that_was_changed_is_refused(
        harms in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..4, any::<u8>()), 1..4),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let whole = export(&filled(folder.path(), "from").0, &["data", "fit"]);
        let mut bytes = whole.clone();
        for (at, harm, byte) in harms {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match harm {
                0 => bytes[at] ^= byte.max(1),
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, byte),
                _ => {
                    let part = bytes[at..].to_vec();
                    bytes.splice(at..at, part);
                }
            }
        }
        prop_assume!(bytes != whole);
        refused(&bytes);
    }

    /// Even where the digest at its end is made to fit: what comes in is what its digests say, or nothing does.
    #[test]
    fn an_archive_with_a_mended_end_tells_no_lie(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let folder = tempfile::tempdir().unwrap();
        let whole = export(&filled(folder.path(), "from").0, &["data", "fit"]);
        let end = whole.len() - 69;
        let mut bytes = whole[..end].to_vec();
        bytes[at.index(end)] = byte;
        bytes.extend(format!("end {}\n", Digest::of_blob(&bytes)).as_bytes());
        let store = open(folder.path(), "to");
        match import(&store, &bytes) {
            Err(error) => prop_assert!(matches!(error, StoreError::Archive { .. }), "{error}"),
            Ok(_) => {
                let census = store.census().unwrap();
                for node in census.items.iter().flat_map(|item| item.outputs.values()) {
                    let errors = store.verify(node);
                    let is_well = |error: &StoreError| matches!(error, StoreError::Missing(_));
                    prop_assert!(errors.iter().all(is_well), "{errors:?}");
                }
            }
        }
    }
}
