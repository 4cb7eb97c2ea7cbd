//! The canonical bytes of a derivation: what its keys hash, and what an explanation reads. `docs/design/encoding.md`
//! lists the fields.

use crate::base::encoding::{EncodeError, MapWriter, Writer};
use crate::model::datum;
use crate::model::derivation::{Builder, Derivation, Output, Piece, Reference};
use mlp_lang::spec::Datum;

/// The schema of a derivation's canonical bytes.
pub(super) const SCHEMA: u16 = 1;
/// What steps see of the sandbox: raised when the sandbox shows them something else. 1 is left out.
const SANDBOX: i64 = 1;

/// The fields of a derivation by number, with the names that people read.
pub(super) const BUILTIN: u16 = 1;
pub(super) const ARGV: u16 = 2;
pub(super) const ARGS: u16 = 3;
pub(super) const ENV: u16 = 4;
pub(super) const VARS: u16 = 5;
pub(super) const CWD: u16 = 6;
pub(super) const INPUTS: u16 = 7;
pub(super) const OUTPUTS: u16 = 8;
pub(super) const THREADS: u16 = 9;
pub(super) const DEVICE_CLASS: u16 = 10;
pub(super) const SANDBOX_VERSION: u16 = 11;
pub(super) const STDIN: u16 = 12;

/// How references are written: by where they come from, or by what they came to.
pub(super) trait WriteReference {
    /// An input, or the environment. `at` is its mount path.
    fn input(&mut self, at: &str, reference: &Reference, writer: &mut Writer);
    /// A value in an output.
    fn late(&mut self, reference: &Reference, path: &[String], writer: &mut Writer);
}

/// The place of the environment among references.
pub(super) const ENVIRONMENT: &str = "";

/// The canonical bytes of `derivation`.
pub(super) fn encode(
    derivation: &Derivation,
    references: &mut impl WriteReference,
) -> Result<Vec<u8>, EncodeError> {
    let Derivation {
        builder,
        args,
        env,
        vars,
        cwd,
        inputs,
        outputs,
        threads,
        device_class,
    } = derivation;
    let mut writer = Writer::new(SCHEMA);
    writer.record(|record| {
        match builder {
            Builder::Builtin {
                name,
                version,
                numerics,
            } => record.field(BUILTIN, |writer| {
                writer.variant(name, |map| {
                    if let Some(numerics) = numerics {
                        map.entry("numerics", |writer| writer.str(numerics));
                    }
                    map.entry("version", |writer| writer.int(i64::from(*version)));
                });
            }),
            Builder::Command { argv, .. } => record.field(ARGV, |writer| {
                writer.list(|writer| {
                    for argument in argv {
                        pieces(argument, references, writer);
                    }
                });
            }),
        }
        if !matches!(args, Datum::Map(fields) if fields.is_empty()) {
            record.field(ARGS, |writer| datum::write(args, writer));
        }
        if let Some(env) = env {
            record.field(ENV, |writer| {
                writer.map(|map| {
                    if let Some(made) = &env.made {
                        map.entry("made", |writer| references.input(ENVIRONMENT, made, writer));
                    }
                    map.entry("tools", |writer| datum::write(&env.tools, writer));
                });
            });
        }
        if !vars.is_empty() {
            record.field(VARS, |writer| {
                writer.map(|map| {
                    for (name, value) in vars {
                        map.entry(name, |writer| pieces(value, references, writer));
                    }
                });
            });
        }
        if let Some(cwd) = cwd {
            record.field(CWD, |writer| writer.str(cwd));
        }
        if !inputs.is_empty() {
            record.field(INPUTS, |writer| {
                writer.map(|map| {
                    for (at, reference) in inputs {
                        map.entry(at, |writer| references.input(at, reference, writer));
                    }
                });
            });
        }
        record.field(OUTPUTS, |writer| {
            writer.map(|map| {
                for (name, output) in outputs {
                    map.entry(name, |writer| writer.map(|map| write_output(output, map)));
                }
            });
        });
        if *threads != 1 {
            record.field(THREADS, |writer| writer.int(i64::from(*threads)));
        }
        if let Some(class) = device_class {
            record.field(DEVICE_CLASS, |writer| writer.str(class));
        }
        if SANDBOX != 1 {
            record.field(SANDBOX_VERSION, |writer| writer.int(SANDBOX));
        }
        if let Builder::Command {
            stdin: Some(stdin), ..
        } = builder
        {
            record.field(STDIN, |writer| writer.str(stdin));
        }
    });
    writer.finish()
}

fn write_output(output: &Output, map: &mut MapWriter<'_>) {
    let Output {
        kind,
        path,
        schema,
        optional,
        observed,
    } = output;
    map.entry("kind", |writer| writer.str(&format!("{kind:?}")));
    if *observed {
        map.entry("observed", |writer| writer.bool(true));
    }
    if *optional {
        map.entry("optional", |writer| writer.bool(true));
    }
    map.entry("path", |writer| writer.str(path));
    if *schema != Datum::Null {
        map.entry("schema", |writer| datum::write(schema, writer));
    }
}

fn pieces(pieces: &[Piece], references: &mut impl WriteReference, writer: &mut Writer) {
    writer.list(|writer| {
        for piece in pieces {
            match piece {
                Piece::Text(text) => writer.str(text),
                Piece::Mount(path) => writer.variant("input", |map| {
                    map.entry("path", |writer| writer.str(path));
                }),
                Piece::Late(late) => references.late(&late.0, &late.1, writer),
            }
        }
    });
}
