//! Sources: what is found, what is remembered, what is provided to builds.

use super::*;
use crate::model::pin::{Pin, Pins};
use crate::store::provide::SNAPSHOT;
use crate::store::{Bounds, Change, ProvideError, Store};
use std::os::unix::fs::symlink;
use std::sync::Arc;

struct Project {
    folder: tempfile::TempDir,
    store: Arc<Store>,
}

impl Project {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(&folder.path().join("store")).unwrap());
        let project = Self { folder, store };
        fs::create_dir(project.root()).unwrap();
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn sources(&self) -> Sources {
        Sources::open(&self.root(), Some(&self.folder.path().join("stat")))
    }

    /// The sources with these paths pinned as they are.
    fn pinned(&self, paths: &[&str]) -> Sources {
        let named = paths.iter().map(|path| (*path).to_owned());
        let soon = Pinned::default().and_soon(named);
        let sources = self.sources().with_pins(soon);
        let pins = paths.iter().map(|path| {
            let pin = sources.pin(&self.store, path, false).unwrap();
            ((*path).to_owned(), pin)
        });
        let pins: Pins = pins.collect();
        self.sources()
            .with_pins(Pinned::new(pins, Arc::clone(&self.store)))
    }

    fn remove(&self, path: &str) {
        let path = self.root().join(path);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }

    fn node(&self, path: &str) -> Result<Node, SourceProblem> {
        self.sources().path(path)
    }
}

#[test]
fn a_request_is_answered_with_content_or_with_what_is_wrong() {
    let project = Project::new(&[
        ("digits.csv", "a\n"),
        ("src/a.py", "1"),
        ("src/b/c.py", "2"),
        ("src/d.txt", ""),
    ]);
    let path = |path: &str| SourceRequest::Path(path.into());
    let glob = |glob: &str| SourceRequest::Glob(glob.into());
    let requests = [
        path("digits.csv"),
        path("digit.csv"),
        path("../x"),
        glob("src/**/*.py"),
        glob("*.json"),
        glob("a[b"),
    ];
    let table = project.sources().digest(&BTreeSet::from(requests.clone()));
    let answers: Vec<_> = requests.iter().map(|request| table[request].clone()).collect();
    let file = Node::File {
        executable: false,
        size: 2,
        digest: Digest::of_blob(b"a\n"),
    };
    assert_eq!(answers[0], Ok(SourceContent::Node(file)));
    let near = vec!["digits.csv".to_owned()];
    assert_eq!(answers[1], Err(SourceProblem::Missing { near }));
    assert_eq!(answers[2], Err(SourceProblem::Outside));
    let Ok(SourceContent::Files(files)) = &answers[3] else {
        panic!("{:?}", answers[3])
    };
    assert_eq!(files.keys().collect::<Vec<_>>(), ["src/a.py", "src/b/c.py"]);
    assert_eq!(answers[4], Err(SourceProblem::NoMatch));
    assert!(matches!(answers[5], Err(SourceProblem::InvalidGlob(_))));
}

#[test]
fn a_directory_is_what_a_fresh_clone_has() {
    let project = Project::new(&[("d/a", "1"), ("d/s/b", "2")]);
    let clone = project.node("d").unwrap();
    fs::create_dir_all(project.root().join("d/empty/deeper")).unwrap();
    assert_eq!(project.node("d").unwrap(), clone);
    project.write(".gitignore", "*.pyc\n__pycache__/\n");
    project.write("d/__pycache__/x", "");
    project.write("d/s/x.pyc", "");
    assert_eq!(project.node("d").unwrap(), clone);
    project.write("d/s/b", "3");
    assert_ne!(project.node("d").unwrap(), clone);
}

#[test]
fn a_directory_of_sources_has_the_digest_that_the_store_gives_it() {
    let project = Project::new(&[("d/a", "1"), ("d/s/b", "2")]);
    symlink("s/b", project.root().join("d/link")).unwrap();
    let node = project.node("d").unwrap();
    assert_eq!(
        project
            .store
            .import(&project.root().join("d"), Bounds::default())
            .unwrap(),
        node
    );
}

#[test]
fn what_did_not_change_is_not_read_again() {
    let project = Project::new(&[("a", "one")]);
    let node = project.node("a").unwrap();
    let file = project.root().join("a");
    let stat = Stat::of(&fs::metadata(&file).unwrap());
    // As if it had been read long after it was written, and with a digest that no reading gives.
    let sources = project.sources();
    let remembered = Digest::of_blob(b"remembered");
    sources
        .cache
        .lock()
        .unwrap()
        .note("a", stat, i64::MAX, remembered);
    sources.save().unwrap();
    let expected = Node::File {
        executable: false,
        size: 3,
        digest: remembered,
    };
    assert_eq!(project.node("a").unwrap(), expected);
    // Touched: read again, and the same.
    fs::write(&file, "one").unwrap();
    assert_eq!(project.node("a").unwrap(), node);
}

#[test]
fn a_change_within_one_tick_of_the_clock_is_seen() {
    let project = Project::new(&[("a", "one")]);
    let sources = project.sources();
    let before = sources.path("a").unwrap();
    project.write("a", "two");
    assert_ne!(sources.path("a").unwrap(), before);
}

#[test]
fn small_sources_are_snapshotted_and_large_ones_bound_where_they_are() {
    let project = Project::new(&[
        (".gitignore", "*.tmp"),
        ("a", "small"),
        ("d/x", "1"),
        ("d/y.tmp", "2"),
    ]);
    let sources = project.sources();
    for path in ["a", "d"] {
        let node = sources.path(path).unwrap();
        let provided = sources.provide(&project.store, path, &node).unwrap();
        assert!(!provided.in_place);
        assert!(project.store.holds(&node));
        assert!(!provided.place.join("y.tmp").exists());
    }
    let large = fs::File::create(project.root().join("large")).unwrap();
    large.set_len(SNAPSHOT + 1).unwrap();
    let node = sources.path("large").unwrap();
    let provided = sources.provide(&project.store, "large", &node).unwrap();
    assert!(provided.in_place);
    sources.recheck("large", &node).unwrap();
    large.set_len(SNAPSHOT + 2).unwrap();
    let error = sources.recheck("large", &node).unwrap_err();
    assert_eq!(error.to_string(), "`large` changed while it was read");
}

#[test]
fn a_source_that_changed_since_it_was_digested_is_not_provided() {
    let project = Project::new(&[("a", "one"), ("d/x", "1")]);
    let sources = project.sources();
    let (file, directory) = (sources.path("a").unwrap(), sources.path("d").unwrap());
    project.write("a", "two");
    project.write("d/x", "2");
    let provide = |path: &str, node: &Node| sources.provide(&project.store, path, node);
    assert!(matches!(provide("a", &file), Err(ProvideError::Changed { .. })));
    assert!(matches!(
        provide("d", &directory),
        Err(ProvideError::Changed { .. })
    ));
    fs::remove_file(project.root().join("a")).unwrap();
    assert!(matches!(provide("a", &file), Err(ProvideError::Changed { .. })));
}

#[test]
fn a_link_at_the_named_path_is_followed() {
    let project = Project::new(&[]);
    fs::write(project.folder.path().join("elsewhere.csv"), "x").unwrap();
    symlink("../elsewhere.csv", project.root().join("data.csv")).unwrap();
    let node = project.node("data.csv").unwrap();
    let provided = project
        .sources()
        .provide(&project.store, "data.csv", &node)
        .unwrap();
    assert_eq!(fs::read(provided.place).unwrap(), b"x");
}

fn data() -> Project {
    Project::new(&[
        (".gitignore", "*.bin\n/data/big/\n/deep/\n"),
        ("data/own.csv", "1"),
        ("data/big/a.bin", "2"),
        ("data/big/s/b.csv", "3"),
        ("deep/down/pinned.bin", "4"),
        ("deep/other.csv", "5"),
    ])
}

#[test]
fn what_is_pinned_counts_whatever_ignore_files_say() {
    let project = data();
    let sources = project.pinned(&["data/big", "deep/down/pinned.bin"]);
    let mut files = sources.files().unwrap();
    files.sort();
    let all = [
        ".gitignore",
        "data/big/a.bin",
        "data/big/s/b.csv",
        "data/own.csv",
        "deep/down/pinned.bin",
    ];
    assert_eq!(files, all);
    assert_eq!(project.sources().files().unwrap().len(), 2);
}

/// What is asked of sources, with what they answer.
fn answers(sources: &Sources) -> SourceTable {
    let paths = [
        "data",
        "data/big",
        "data/big/s",
        "data/big/s/b.csv",
        "deep",
        "deep/down/pinned.bin",
    ];
    let globs = [
        "**/*.bin",
        "data/*/*",
        "data/big/**",
        "deep/**",
        "data/big/s/*.csv",
    ];
    let paths = paths.map(|path| SourceRequest::Path(path.into()));
    let requests = paths
        .into_iter()
        .chain(globs.map(|glob| SourceRequest::Glob(glob.into())));
    sources.digest(&requests.collect())
}

#[test]
fn what_is_pinned_and_gone_is_what_it_was() {
    let project = data();
    // Its own folder is ignored; named, it counts, and then its files do.
    project.write(".gitignore", "*.bin\n/data/big/\n/deep/other.csv\n");
    let sources = project.pinned(&["data/big", "deep/down/pinned.bin"]);
    let before = answers(&sources);
    assert!(before.values().all(Result::is_ok), "{before:?}");
    project.remove("data/big");
    project.remove("deep/down");
    assert_eq!(answers(&sources), before);
    // A folder that a program left empty is as if it were gone.
    fs::create_dir_all(project.root().join("data/big/s")).unwrap();
    assert_eq!(answers(&sources), before);
    project.remove("data/big");
    // Nothing else lay there, so that the folder around it went, too.
    project.remove("deep");
    assert_eq!(answers(&sources), before);
    assert!(sources.has("data/big/s/b.csv") && !sources.has("data/big/none"));
}

#[test]
fn a_directory_that_nobody_knows_is_said_to_be_that() {
    let project = data();
    let strange = Pin {
        node: Node::Dir {
            tree: Digest::of_blob(b"strange"),
        },
        size: 1,
        files: 1,
    };
    let pins = Pins::from([("far".to_owned(), strange)]);
    let sources = project
        .sources()
        .with_pins(Pinned::new(pins, Arc::clone(&project.store)));
    assert_eq!(sources.path("far"), Ok(strange.node));
    let unlisted = || SourceProblem::Unlisted { pin: "far".into() };
    assert_eq!(sources.path("far/x"), Err(unlisted()));
    assert_eq!(sources.glob("far/*.csv"), Err(unlisted()));
    assert_eq!(sources.glob("**/own.csv"), Err(unlisted()));
    assert!(sources.glob("data/*.csv").is_ok());
    assert!(matches!(
        sources.provide(&project.store, "far", &strange.node),
        Err(ProvideError::Absent { path }) if path == "far"
    ));
}

#[test]
fn bytes_are_had_from_here_and_from_the_store_together() {
    let project = data();
    let sources = project.pinned(&["data/big"]);
    let whole = sources.path("data").unwrap();
    sources.pin(&project.store, "data/big", true).unwrap();
    project.remove("data/big");
    assert!(sources.absent(&project.store, "data", &whole).is_empty());
    let place = sources.provide(&project.store, "data", &whole).unwrap().place;
    assert_eq!(fs::read(place.join("big/s/b.csv")).unwrap(), b"3");
    assert_eq!(fs::read(place.join("own.csv")).unwrap(), b"1");
}

#[test]
fn a_changed_file_of_many_is_the_one_that_is_read() {
    let project = data();
    let sources = project.pinned(&["data/big"]);
    let pin = sources.pin(&project.store, "data/big", false).unwrap();
    assert_eq!((pin.size, pin.files), (2, 2));
    assert_eq!(sources.differences("data/big", &pin), Ok(None));
    project.write("data/big/a.bin", "other");
    project.write("data/big/new", "");
    project.remove("data/big/s");
    let found = sources.differences("data/big", &pin).unwrap().unwrap();
    let files = found.files.unwrap().into_iter();
    let expected = [
        ("a.bin", Change::Changed),
        ("new", Change::Added),
        ("s/b.csv", Change::Removed),
    ];
    assert!(files.eq(expected.map(|(path, change)| (path.to_owned(), change))));
}
