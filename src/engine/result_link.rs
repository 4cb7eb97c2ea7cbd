//! The link `result` in the project: a read-only directory with one entry for each artifact of the targets.

use super::project::Project;
use crate::base::atomic;
use crate::model::derivation::Builder;
use crate::model::node::{Entry, Node, Tree};
use crate::store::{Store, StoreError};
use mlp_lang::spec::ArtifactKind;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The link's name.
pub(super) const LINK: &str = "result";

/// An artifact to be linked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Artifact {
    /// The path from the target: `fit.model`.
    pub(super) label: String,
    /// Where its builder wrote it: gives the extension.
    pub(super) path: String,
    /// What it holds.
    pub(super) node: Node,
}

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    /// Something of the user's has the name.
    #[error("`{0}` is no link of mlp's, so it was left as it is")]
    Occupied(PathBuf),
    /// The file system refused.
    #[error("`{path}` cannot be made: {cause}")]
    Refused { path: PathBuf, cause: std::io::Error },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Points `result` at the artifacts, and tells where each of them is seen, relative to the project.
pub(super) fn link(
    project: &Project,
    store: &Store,
    artifacts: &[Artifact],
) -> Result<Vec<String>, LinkError> {
    let mut tree = Tree::default();
    let mut places = Vec::with_capacity(artifacts.len());
    for artifact in artifacts {
        let name = entry_name(&tree, artifact);
        places.push(format!("{LINK}/{name}"));
        tree.entries.insert(name, Entry::Node(artifact.node));
    }
    let target = store.show(&store.add_tree(&tree)?)?;
    point(&project.root.join(LINK), &target)?;
    Ok(places)
}

/// Replaces a link, or makes it, in one step: whoever reads it sees the old or the new one.
fn point(link: &Path, target: &Path) -> Result<(), LinkError> {
    match link.symlink_metadata() {
        Ok(found) if !found.is_symlink() => return Err(LinkError::Occupied(link.to_owned())),
        Ok(_) if std::fs::read_link(link).is_ok_and(|old| old == target) => return Ok(()),
        _ => {}
    }
    let refused = |cause| LinkError::Refused {
        path: link.to_owned(),
        cause,
    };
    let temporary = link.with_file_name(format!(".{LINK}.{}", std::process::id()));
    match std::fs::remove_file(&temporary) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(refused(error)),
        _ => {}
    }
    std::os::unix::fs::symlink(target, &temporary).map_err(refused)?;
    atomic::rename(&temporary, link).map_err(refused)
}

/// The label with the extension of the file; a number tells apart what would have one name.
fn entry_name(tree: &Tree, artifact: &Artifact) -> String {
    let stem: String = artifact
        .label
        .chars()
        .map(|c| if c == '/' || c == '\0' { '_' } else { c })
        .collect();
    let extension = match artifact.node {
        Node::File { .. } => Path::new(&artifact.path)
            .extension()
            .and_then(|extension| extension.to_str()),
        Node::Dir { .. } => None,
    };
    let name = |number: Option<usize>| {
        let number = number.map(|number| format!("#{number}")).unwrap_or_default();
        let extension = extension
            .map(|extension| format!(".{extension}"))
            .unwrap_or_default();
        format!("{stem}{number}{extension}")
    };
    let first = name(None);
    if !tree.entries.contains_key(&first) {
        return first;
    }
    // One more number than there are entries: one of them is free.
    (2..=tree.entries.len() + 2)
        .map(|number| name(Some(number)))
        .find(|name| !tree.entries.contains_key(name))
        .unwrap_or(first)
}

/// Whether an artifact of the kind is a JSON file, whatever it is called.
pub(super) fn is_json(kind: ArtifactKind, builder: &Builder) -> bool {
    let figures = matches!(
        kind,
        ArtifactKind::Metrics | ArtifactKind::History | ArtifactKind::Value
    );
    figures || matches!(builder, Builder::Builtin { name, .. } if name == "calc")
}

/// The file name that a person sees a target under: its builder's, with the extension that a builtin leaves out.
pub(super) fn file_name(kind: ArtifactKind, path: &str, json: bool) -> String {
    let drawn = kind == ArtifactKind::Plot && !path.contains('.');
    match (json && !path.ends_with(".json"), drawn) {
        (true, _) => format!("{path}.json"),
        (_, true) => format!("{path}.svg"),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture() -> (tempfile::TempDir, Project, Store) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("project");
        std::fs::create_dir(&root).unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        (folder, Project { root }, store)
    }

    #[test]
    fn the_link_holds_each_artifact_by_its_label() {
        let (_folder, project, store) = fixture();
        let node = store.add_bytes(b"{}").unwrap();
        let artifact = |label: &str| Artifact {
            label: label.into(),
            path: "out/metrics.json".into(),
            node,
        };
        let places = link(
            &project,
            &store,
            &[artifact("a"), artifact("a"), artifact("s[x=1/2]")],
        )
        .unwrap();
        assert_eq!(
            places,
            ["result/a.json", "result/a#2.json", "result/s[x=1_2].json"]
        );
        assert_eq!(std::fs::read(project.root.join("result/a.json")).unwrap(), b"{}");
        let places = link(&project, &store, &[artifact("b")]).unwrap();
        assert_eq!(places, ["result/b.json"]);
        assert!(!project.root.join("result/a.json").exists());
    }

    #[test]
    fn what_is_the_users_stays() {
        let (_folder, project, store) = fixture();
        std::fs::write(project.root.join("result"), "mine").unwrap();
        assert!(matches!(link(&project, &store, &[]), Err(LinkError::Occupied(_))));
        assert_eq!(
            std::fs::read_to_string(project.root.join("result")).unwrap(),
            "mine"
        );
    }
}
