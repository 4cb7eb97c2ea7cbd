//! Sources: what is found, what is remembered, what is provided to builds.

use super::*;
use std::os::unix::fs::symlink;

struct Project {
    folder: tempfile::TempDir,
    store: Store,
}

impl Project {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
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
