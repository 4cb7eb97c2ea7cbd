//! Commands: which input is mounted where, so that a script finds its files at their own paths.

use super::{Instantiation, Reported, mount, outputs};
use crate::model::datum;
use crate::model::derivation::{Builder, Derivation, Piece, Reference};
use crate::model::source::{SourceContent, SourceRequest};
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::source::Span;
use mlp_lang::spec::{self, DerivationSpec, InputSource};
use std::collections::BTreeMap;

impl Instantiation<'_> {
    /// A command's derivation. Sources are mounted at their own path, artifacts at `inputs/<name>`; an artifact that is
    /// named in an argument alone at `inputs/<output>`.
    pub(super) fn command(
        &mut self,
        spec: &DerivationSpec,
        argv: &[Vec<spec::Piece>],
    ) -> Result<Derivation, Reported> {
        if spec.env.is_some() {
            let error = Diagnostic::error("E0512", spec.origin.span, "environments cannot be realised yet");
            return self.report(
                error.note("this version of mlp builds the steps of the standard library's `data` and `ml`"),
            );
        }
        let mut mounts = Mounts::default();
        for (name, input) in &spec.inputs {
            self.mount(&input.source, name, input.span, &mut mounts)?;
        }
        let span = spec.origin.span;
        let argv = argv
            .iter()
            .map(|argument| self.pieces(argument, span, &mut mounts))
            .collect::<Result<_, _>>()?;
        let mut vars = BTreeMap::new();
        for (name, value) in &spec.vars {
            vars.insert(name.clone(), self.pieces(value, span, &mut mounts)?);
        }
        Ok(Derivation {
            builder: Builder::Command { argv },
            args: datum::without_nulls(&spec.args),
            env: None,
            vars,
            cwd: spec.cwd.clone(),
            inputs: mounts.inputs,
            outputs: outputs(spec, str::to_owned),
            threads: 1,
            device_class: None,
        })
    }

    /// Mounts `source`; gives its place.
    fn mount(
        &mut self,
        source: &InputSource,
        name: &str,
        span: Span,
        mounts: &mut Mounts,
    ) -> Result<String, Reported> {
        if let InputSource::Glob(glob) = source {
            let request = SourceRequest::Glob(glob.clone());
            let Some(Ok(SourceContent::Files(files))) = self.sources.get(&request) else {
                return Err(Reported);
            };
            for (path, node) in files {
                let reference = Reference::Source {
                    path: path.clone(),
                    node: *node,
                };
                mounts.at(path, reference);
            }
            return Ok(glob.clone());
        }
        let reference = self.reference(source, span)?;
        Ok(match &reference {
            Reference::Source { path, .. } => {
                let path = path.clone();
                mounts.at(&path, reference);
                path
            }
            _ => mounts.named(name, reference),
        })
    }

    fn pieces(
        &mut self,
        pieces: &[spec::Piece],
        span: Span,
        mounts: &mut Mounts,
    ) -> Result<Vec<Piece>, Reported> {
        pieces
            .iter()
            .map(|piece| {
                Ok(match piece {
                    spec::Piece::Text(text) => Piece::Text(text.clone()),
                    spec::Piece::Input(source) => {
                        let name = match source {
                            InputSource::Output { output, .. } => output,
                            _ => "chosen",
                        };
                        Piece::Mount(self.mount(source, name, span, mounts)?)
                    }
                    spec::Piece::Late(late) => {
                        let (reference, path) = self.late(late, span)?;
                        Piece::Late(reference, path)
                    }
                })
            })
            .collect()
    }
}

/// Inputs by mount path.
#[derive(Default)]
struct Mounts {
    inputs: BTreeMap<String, Reference>,
}

impl Mounts {
    /// Mounts a source at its own path.
    fn at(&mut self, path: &str, reference: Reference) {
        self.inputs.insert(path.to_owned(), reference);
    }

    /// Mounts an artifact by name, once, and beside another one of that name.
    fn named(&mut self, name: &str, reference: Reference) -> String {
        if let Some((path, _)) = self.inputs.iter().find(|(_, mounted)| **mounted == reference) {
            return path.clone();
        }
        let mut path = mount::of_input(name);
        let mut count = 1;
        while self.inputs.contains_key(&path) {
            count += 1;
            path = mount::of_input(&format!("{name}-{count}"));
        }
        self.inputs.insert(path.clone(), reference);
        path
    }
}
