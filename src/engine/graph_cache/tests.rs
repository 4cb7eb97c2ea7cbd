//! What is remembered, and what is not.

use super::*;
use crate::engine::{PIPELINE, Pipeline};

const TEXT: &str = "import ./parts.mlp\n\nparam n: Int = 1\nx = parts.y + n\n";

fn project() -> (tempfile::TempDir, Project) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(PIPELINE), TEXT).unwrap();
    fs::write(folder.path().join("parts.mlp"), "y = 2\n").unwrap();
    let root = folder.path().canonicalize().unwrap();
    (folder, Project { root })
}

fn settings(n: &str) -> Vec<(String, String)> {
    vec![("n".to_owned(), n.to_owned())]
}

fn check(project: &Project, settings: &[(String, String)]) {
    let pipeline = Pipeline::load(project, settings);
    remember_clean(project, settings, pipeline.noted().unwrap());
}

/// The one file of the cache.
fn file(project: &Project) -> PathBuf {
    let folder = project.state().unwrap().join(FOLDER);
    fs::read_dir(folder).unwrap().next().unwrap().unwrap().path()
}

#[test]
fn it_is_known_while_every_file_is_what_it_was() {
    let (_folder, project) = project();
    assert!(!is_known_to_be_clean(&project, &[]));
    check(&project, &[]);
    assert!(is_known_to_be_clean(&project, &[]));
    fs::write(project.root.join("parts.mlp"), "y = 3\n").unwrap();
    assert!(!is_known_to_be_clean(&project, &[]));
    fs::write(project.root.join("parts.mlp"), "y = 2\n").unwrap();
    assert!(is_known_to_be_clean(&project, &[]));
    fs::remove_file(project.root.join("parts.mlp")).unwrap();
    assert!(!is_known_to_be_clean(&project, &[]));
}

#[test]
fn settings_and_targets_are_other_questions() {
    let (_folder, project) = project();
    check(&project, &settings("2"));
    assert!(is_known_to_be_clean(&project, &settings("2")));
    assert!(!is_known_to_be_clean(&project, &settings("3")));
    assert!(!is_known_to_be_clean(&project, &[]));
    let asked = Asked {
        targets: &["x".to_owned()],
        settings: &settings("2"),
    };
    assert!(entry(&project, asked).is_none());
}

#[test]
fn what_could_not_be_read_is_not_remembered() {
    let (_folder, project) = project();
    fs::write(project.root.join("parts.mlp"), [0xff, 0xfe]).unwrap();
    let pipeline = Pipeline::load(&project, &[]);
    assert!(pipeline.noted().is_some(), "it is there, though it is no text");
    fs::remove_file(project.root.join("parts.mlp")).unwrap();
    assert!(Pipeline::load(&project, &[]).noted().is_none());
}

#[test]
fn a_damaged_memory_is_none() {
    let (_folder, project) = project();
    check(&project, &[]);
    let file = file(&project);
    let whole = fs::read(&file).unwrap();
    for at in (0..whole.len()).step_by(7) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&file, &damaged).unwrap();
        assert!(!is_known_to_be_clean(&project, &[]), "bit flipped at {at}");
        fs::write(&file, &whole[..at]).unwrap();
        assert!(!is_known_to_be_clean(&project, &[]), "cut at {at}");
    }
}

#[test]
fn only_so_many_questions_are_remembered() {
    let (_folder, project) = project();
    for n in 0..KEPT + 5 {
        check(&project, &settings(&n.to_string()));
    }
    let folder = project.state().unwrap().join(FOLDER);
    assert_eq!(fs::read_dir(folder).unwrap().count(), KEPT);
    assert!(is_known_to_be_clean(&project, &settings(&(KEPT + 4).to_string())));
}
