//! Static keys: a derivation with its sources' nodes and its steps' static keys, known before anything is built.

use super::material::{self, WriteReference};
use crate::base::digest::{Context, Digest};
use crate::base::encoding::{EncodeError, Writer};
use crate::model::derivation::{Derivation, Reference};
use crate::model::graph::StepId;

/// Static keys of the steps that a derivation may refer to.
pub(super) struct StaticKeys<'k> {
    pub(super) of: &'k dyn Fn(StepId) -> Digest,
}

/// The canonical bytes that the static key of `derivation` hashes: they are what [`super::differences`] compares.
pub(super) fn bytes(derivation: &Derivation, keys: &mut StaticKeys<'_>) -> Result<Vec<u8>, EncodeError> {
    material::encode(derivation, keys)
}

/// The key of those bytes.
pub(super) fn key(bytes: &[u8]) -> Digest {
    Digest::of(Context::StaticKey, bytes)
}

impl StaticKeys<'_> {
    fn reference(&self, reference: &Reference, writer: &mut Writer) {
        match reference {
            Reference::Source { node, path: _ } => node.write(writer),
            Reference::Output { step, output } => writer.variant("output", |map| {
                map.entry("key", |writer| writer.bytes((self.of)(*step).as_bytes()));
                map.entry("name", |writer| writer.str(output));
            }),
            Reference::Chosen { index, candidates } => writer.variant("chosen", |map| {
                map.entry("candidates", |writer| {
                    writer.list(|writer| {
                        for candidate in candidates {
                            self.reference(candidate, writer);
                        }
                    });
                });
                map.entry("index", |writer| self.value(&index.0, &index.1, writer));
            }),
        }
    }

    fn value(&self, reference: &Reference, path: &[String], writer: &mut Writer) {
        writer.variant("late", |map| {
            map.entry("path", |writer| {
                writer.list(|writer| path.iter().for_each(|name| writer.str(name)));
            });
            map.entry("source", |writer| self.reference(reference, writer));
        });
    }
}

impl WriteReference for StaticKeys<'_> {
    fn input(&mut self, _at: &str, reference: &Reference, writer: &mut Writer) {
        self.reference(reference, writer);
    }

    fn late(&mut self, reference: &Reference, path: &[String], writer: &mut Writer) {
        self.value(reference, path, writer);
    }
}
