//! What the environment of a flake's shell depends on, as canonical bytes. Talks to base and model.
//!
//! In it are the flake's own tree, the shell, the system, and each node of the lock that is reached from the flake's
//! inputs: the hash of its content, what evaluation can see of how it was locked, and whose input it is by which name.
//! Not in it are URLs, and the names of nodes in the lock: neither can be seen from inside. A node that is in the lock
//! and not reached changes nothing.

use super::flake_lock::{FlakeLock, Locked, Reached};
use crate::base::encoding::{EncodeError, Writer};
use crate::model::node::Node;

/// The version of what is written: a change makes every flake's environment new.
const SCHEMA: u16 = 1;

/// What evaluation sees of a locked node, beside its content; sorted.
const VISIBLE: [&str; 5] = ["dir", "lastModified", "ref", "rev", "revCount"];

/// A shell of a flake.
#[derive(Clone, Copy, Debug)]
pub struct FlakeShell<'a> {
    /// The tree that holds flake.nix, without flake.lock: what that says enters by itself, as far as it is reached. None
    /// where a derivation has the flake's files as inputs, and hashes them as such.
    pub tree: Option<Node>,
    /// Its lock; none for a flake without inputs.
    pub lock: Option<&'a FlakeLock>,
    /// `x86_64-linux`.
    pub system: &'a str,
    /// `default`.
    pub shell: &'a str,
}

impl FlakeShell<'_> {
    /// The bytes that the environment's key hashes. Equal for equal shells whatever the machine and the checkout. What is
    /// left out is false, empty or absent.
    pub fn canonical(&self) -> Result<Vec<u8>, EncodeError> {
        let mut writer = Writer::new(SCHEMA);
        writer.record(|record| {
            if let Some(tree) = &self.tree {
                record.field(1, |writer| tree.write(writer));
            }
            record.field(2, |writer| writer.str(self.system));
            record.field(3, |writer| writer.str(self.shell));
            if let Some(lock) = self.lock {
                record.field(4, |writer| {
                    writer.list(|writer| {
                        for reached in lock.reachable() {
                            write_node(writer, &reached);
                        }
                    });
                });
            }
        });
        writer.finish()
    }
}

/// A node, its inputs by their places in the list. The root has nothing locked: its content is the flake's tree.
fn write_node(writer: &mut Writer, reached: &Reached<'_>) {
    writer.record(|record| {
        if let Some(Locked { reference, nar_hash }) = &reached.node.locked {
            if let Some(hash) = nar_hash.as_deref() {
                record.field(1, |writer| writer.str(hash));
            }
            record.field(2, |writer| {
                writer.map(|map| {
                    for name in VISIBLE {
                        if let Some(value) = reference.get(name) {
                            map.entry(name, |writer| writer.str(value));
                        }
                    }
                });
            });
            // A relative path is content of the flake that holds it, and its place alone says which.
            if let Some(path) = reference.get("path").filter(|_| reference.is_relative()) {
                record.field(3, |writer| writer.str(path));
            }
        }
        if !reached.node.flake {
            record.field(4, |writer| writer.bool(true));
        }
        record.field(5, |writer| {
            writer.map(|map| {
                for (name, place) in &reached.inputs {
                    // A lock with more nodes than 2^63 does not fit into any memory.
                    map.entry(name, |writer| {
                        writer.int(i64::try_from(*place).unwrap_or(i64::MAX));
                    });
                }
            });
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::digest::Digest;
    use crate::environment::flake_lock;
    use mlp_lang::source::Sources;

    const LOCK: &str = r#"{ "version": 7, "root": "root", "nodes": {
      "root": { "inputs": { "a": "a", "b": ["a", "c"] } },
      "a": { "inputs": { "c": "c" },
        "locked": { "type": "github", "owner": "o", "repo": "a", "rev": "1", "narHash": "sha256-wGRc7CElkkSWMzlYvEq9GB78TZCxrOpOTY/7Hka4DzE=" },
        "original": { "type": "github", "owner": "o", "repo": "a" } },
      "c": { "locked": { "type": "indirect", "id": "c", "narHash": "sha256-oi46NrU4jvWkPPnSRb+AfpF93EbbGx9NzoCm27w8N0U=" },
        "original": { "type": "indirect", "id": "c" } },
      "unreached": { "locked": { "type": "indirect", "id": "u", "narHash": "sha256-oi46NrU4jvWkPPnSRb+AfpF93EbbGx9NzoCm27w8N0U=" },
        "original": { "type": "indirect", "id": "u" } } } }"#;

    fn key(lock: &str, shell: &str) -> Vec<u8> {
        let mut sources = Sources::default();
        let source = sources.add("flake.lock", lock);
        let lock = flake_lock::read(&sources, source).unwrap();
        let tree = Node::Dir {
            tree: Digest::of_blob(b"tree"),
        };
        FlakeShell {
            tree: Some(tree),
            lock: Some(&lock),
            system: "x86_64-linux",
            shell,
        }
        .canonical()
        .unwrap()
    }

    #[test]
    fn only_what_is_reached_and_seen_counts() {
        let before = key(LOCK, "default");
        for (old, new, same) in [
            ("\"id\": \"u\"", "\"id\": \"v\"", true),
            ("\"owner\": \"o\"", "\"owner\": \"p\"", true),
            ("\"c\": \"c\"", "\"c\": \"c\", \"d\": \"c\"", false),
            ("\"b\": [\"a\", \"c\"]", "\"b\": [\"a\"]", false),
            ("\"rev\": \"1\"", "\"rev\": \"2\"", false),
            ("sha256-wG", "sha256-wH", false),
        ] {
            assert_eq!(
                key(&LOCK.replace(old, new), "default") == before,
                same,
                "{old} → {new}"
            );
        }
        let renamed = LOCK
            .replace("\"c\": {", "\"c_2\": {")
            .replace("\"c\": \"c\"", "\"c\": \"c_2\"");
        assert_eq!(key(&renamed, "default"), before);
        assert_ne!(key(LOCK, "train"), before);
    }

    /// A change here makes every flake's environment new: it needs a new [`SCHEMA`], and a reason.
    #[test]
    fn the_encoding_is_fixed() {
        let digest = Digest::of_blob(&key(LOCK, "default")).to_string();
        assert_eq!(
            digest,
            "a96d58ddafdfe5e06403e94a2a0c3d8715be0fc102736ae4317d5a2ef585e9ba"
        );
    }
}
