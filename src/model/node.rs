//! What content is, by digest, and the canonical form of it.

use crate::base::digest::{Context, Digest};
use crate::base::encoding::{self, DecodeError, EncodeError, Value, Writer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A file or directory by its content. Typed, so that a file cannot pose as a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Node {
    /// A regular file.
    File {
        /// Whether anyone may execute it.
        executable: bool,
        /// Bytes.
        size: u64,
        /// The digest of its bytes.
        digest: Digest,
    },
    /// A directory.
    Dir {
        /// The digest of its [`Tree`].
        tree: Digest,
    },
}

/// A directory's entries, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree {
    /// Names are single path components of UTF-8: not empty, not `.` or `..`, without `/` or NUL.
    pub entries: BTreeMap<String, Entry>,
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Entry {
    /// A file or directory.
    Node(Node),
    /// A symbolic link that stays inside the tree that is its root.
    Symlink {
        /// Relative, and not escaping.
        symlink: String,
    },
}

/// The schema of a tree's canonical bytes.
const TREE_SCHEMA: u16 = 1;
/// Fields of nodes and entries; `executable` is left out where it is false.
const DIGEST: u16 = 1;
const SIZE: u16 = 2;
const EXECUTABLE: u16 = 3;
const TREE: u16 = 4;
const SYMLINK: u16 = 5;

impl Node {
    /// Writes its canonical form.
    pub fn write(&self, writer: &mut Writer) {
        writer.record(|record| match self {
            Self::File {
                executable,
                size,
                digest,
            } => {
                record.field(DIGEST, |writer| writer.bytes(digest.as_bytes()));
                // No file system holds a file of 2^63 bytes.
                record.field(SIZE, |writer| {
                    writer.int(i64::try_from(*size).unwrap_or(i64::MAX));
                });
                if *executable {
                    record.field(EXECUTABLE, |writer| writer.bool(true));
                }
            }
            Self::Dir { tree } => record.field(TREE, |writer| writer.bytes(tree.as_bytes())),
        });
    }

    /// The node of which `value` is the canonical form.
    pub fn from_value(value: &Value) -> Option<Self> {
        let Value::Record(fields) = value else { return None };
        let digest = |id: u16| match fields.get(&id) {
            Some(Value::Bytes(bytes)) => Some(Digest::from_bytes(bytes.as_slice().try_into().ok()?)),
            _ => None,
        };
        let executable = match fields.get(&EXECUTABLE) {
            None => false,
            Some(Value::Bool(true)) => true,
            Some(_) => return None,
        };
        match (fields.len() - usize::from(executable), fields.get(&SIZE)) {
            (2, Some(Value::Int(size))) => Some(Self::File {
                executable,
                size: u64::try_from(*size).ok()?,
                digest: digest(DIGEST)?,
            }),
            (1, None) if !executable => Some(Self::Dir { tree: digest(TREE)? }),
            _ => None,
        }
    }

    /// Whether it is a directory.
    pub fn is_dir(&self) -> bool {
        matches!(self, Self::Dir { .. })
    }
}

impl Tree {
    /// Its canonical bytes. An error only where a name is not unique, which a `BTreeMap` rules out.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut writer = Writer::new(TREE_SCHEMA);
        writer.map(|map| {
            for (name, entry) in &self.entries {
                map.entry(name, |writer| match entry {
                    Entry::Node(node) => node.write(writer),
                    Entry::Symlink { symlink } => {
                        writer.record(|record| record.field(SYMLINK, |writer| writer.str(symlink)));
                    }
                });
            }
        });
        writer.finish()
    }

    /// The tree of which `bytes` are the canonical form: names and links are what [`Tree`] says, or it is an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let wrong = |what| DecodeError { at: 0, what };
        let Value::Map(entries) = encoding::decode(TREE_SCHEMA, bytes)? else {
            return Err(wrong("a tree is a map"));
        };
        let entries = entries
            .into_iter()
            .map(|(name, value)| {
                if !is_name(&name) {
                    return Err(wrong("a name is no path component"));
                }
                Ok((name, entry(&value).ok_or_else(|| wrong("no entry of a tree"))?))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { entries })
    }

    /// The digest of its canonical bytes.
    pub fn digest_of(bytes: &[u8]) -> Digest {
        Digest::of(Context::Tree, bytes)
    }
}

fn entry(value: &Value) -> Option<Entry> {
    if let Value::Record(fields) = value
        && let Some(Value::Str(symlink)) = fields.get(&SYMLINK)
    {
        let whole =
            fields.len() == 1 && !symlink.is_empty() && !symlink.starts_with('/') && !symlink.contains('\0');
        return whole.then(|| Entry::Symlink {
            symlink: symlink.clone(),
        });
    }
    Node::from_value(value).map(Entry::Node)
}

/// Whether `name` can be an entry's name.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        let file = Node::File {
            executable: true,
            size: 5,
            digest: Digest::of_blob(b"hello"),
        };
        let entries = [
            ("a".to_owned(), Entry::Node(file)),
            (
                "b".to_owned(),
                Entry::Node(Node::Dir {
                    tree: Digest::of_blob(b""),
                }),
            ),
            ("c".to_owned(), Entry::Symlink { symlink: "a".into() }),
        ];
        Tree {
            entries: entries.into(),
        }
    }

    #[test]
    fn golden_digest_of_a_tree() {
        let bytes = tree().encode().unwrap();
        assert_eq!(
            Tree::digest_of(&bytes).to_string(),
            "4b2211a1eb5b0df619878931307830f9623db08017b881ec0b2700a72d7d427e"
        );
        assert_eq!(Tree::decode(&bytes), Ok(tree()));
    }

    #[test]
    fn hostile_trees_are_refused() {
        for name in ["", ".", "..", "a/b", "/", "a\0"] {
            let mut tree = tree();
            tree.entries
                .insert(name.to_owned(), Entry::Symlink { symlink: "a".into() });
            assert!(Tree::decode(&tree.encode().unwrap()).is_err(), "{name:?}");
        }
        let mut tree = tree();
        tree.entries.insert(
            "d".into(),
            Entry::Symlink {
                symlink: "/etc".into(),
            },
        );
        assert!(Tree::decode(&tree.encode().unwrap()).is_err());
    }

    #[test]
    fn a_file_cannot_pose_as_a_tree() {
        let digest = Digest::of_blob(b"x");
        let file = Node::File {
            executable: false,
            size: 1,
            digest,
        };
        for node in [file, Node::Dir { tree: digest }] {
            let mut writer = Writer::new(1);
            node.write(&mut writer);
            let value = encoding::decode(1, &writer.finish().unwrap()).unwrap();
            assert_eq!(Node::from_value(&value), Some(node));
        }
    }

    proptest::proptest! {
        /// What can be read is what would be written: no bytes but the canonical ones stand for a tree.
        #[test]
        fn trees_are_read_as_they_are_or_not_at_all(bytes in crate::base::faults::mutated(tree().encode().unwrap())) {
            if let Ok(read) = Tree::decode(&bytes) {
                proptest::prop_assert_eq!(read.encode().unwrap(), bytes);
            }
        }
    }
}
