//! Commands: which input is mounted where, so that a script finds its files at their own paths.

use super::{Instantiation, Reported, mount, outputs};
use crate::model::datum;
use crate::model::derivation::{Builder, Derivation, Output, Piece, Reference};
use crate::model::source::{SourceContent, SourceRequest};
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::source::Span;
use mlp_lang::spec::{self, ByName, Command, DerivationSpec, EnvRef, Input, InputSource};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

impl Instantiation<'_> {
    /// A command's derivation. Sources are mounted at their own path, artifacts at `inputs/<name>`; an artifact that is
    /// named in an argument alone at `inputs/<output>`.
    pub(super) fn command(
        &mut self,
        spec: &DerivationSpec,
        command: &Command,
    ) -> Result<Derivation, Reported> {
        let env = self.environment(spec.env.as_deref())?;
        self.refuse_unnamed_tool(spec, command)?;
        let mut mounts = Mounts::default();
        for (name, input) in &spec.inputs {
            self.mount(&input.source, name, input.span, &mut mounts)?;
        }
        let label = |label: &str| {
            spec.origin
                .arguments
                .get(label)
                .copied()
                .unwrap_or(spec.origin.span)
        };
        let mut argv = Vec::new();
        for argument in &command.argv {
            argv.extend(self.arguments(argument, label("argv"), &mut mounts)?);
        }
        let vars = spec
            .vars
            .iter()
            .map(|(name, value)| Ok((name.clone(), self.pieces(value, label("vars"), &mut mounts)?)))
            .collect::<Result<_, Reported>>()?;
        let stdin = match &command.stdin {
            Some(Input { source, span }) => Some(self.mount(source, "stdin", *span, &mut mounts)?),
            None => None,
        };
        let outputs = outputs(spec, str::to_owned);
        self.refuse_outputs_in_inputs(spec, &outputs, &mounts)?;
        Ok(Derivation {
            builder: Builder::Command { argv, stdin },
            args: datum::without_nulls(&spec.args),
            env: env.map(Arc::new),
            vars,
            cwd: spec.cwd.clone(),
            inputs: mounts.inputs.into_iter().collect(),
            outputs,
            threads: command.threads,
            device_class: None,
        })
    }

    /// Of the machine's tools only those that are named are in the key, so only those are run.
    fn refuse_unnamed_tool(&mut self, spec: &DerivationSpec, command: &Command) -> Result<(), Reported> {
        let Some(EnvRef::Host { tools }) = spec.env.as_ref().map(|env| &env.kind) else {
            return Ok(());
        };
        let Some([spec::Piece::Text(program)]) = command.argv.first().map(Vec::as_slice) else {
            return Ok(());
        };
        if tools.iter().any(|tool| tool == program) {
            return Ok(());
        }
        let span = spec
            .origin
            .arguments
            .get("argv")
            .copied()
            .unwrap_or(spec.origin.span);
        let message = format!("`{program}` is none of the tools that this step's environment names");
        let error = Diagnostic::error("E0515", span, message);
        let near = tools
            .iter()
            .find(|tool| tool.starts_with(program.as_str()) || program.starts_with(tool.as_str()));
        let name = program.rsplit('/').next().unwrap_or(program);
        let named: Vec<String> = tools.iter().map(|tool| format!("\"{tool}\"")).collect();
        self.report(match near {
            Some(near) => error.help(format!(
                "run `{near}`, or name `{program}` too: `env.host([{}, \"{name}\"])`",
                named.join(", ")
            )),
            None => error.help(format!("name it: `env.host([{}, \"{name}\"])`", named.join(", "))),
        })
    }

    /// Inputs are read-only, so a program can write neither over one nor into one.
    fn refuse_outputs_in_inputs(
        &mut self,
        spec: &DerivationSpec,
        outputs: &ByName<Output>,
        mounts: &Mounts,
    ) -> Result<(), Reported> {
        for (name, output) in outputs {
            let path = &output.path;
            let inside = |mount: &&String| {
                path.strip_prefix(mount.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            let Some(mount) = mounts.inputs.keys().find(inside) else {
                continue;
            };
            let label = format!("outputs.{name}");
            let span = spec
                .origin
                .arguments
                .get(&label)
                .copied()
                .unwrap_or(spec.origin.span);
            let message = match path == mount {
                true => format!("the output `{name}` would be written over the input `{mount}`"),
                false => format!("the output `{name}` would be written into the input `{mount}`"),
            };
            return self.report(
                Diagnostic::error("E0513", span, message)
                    .at("inputs are read-only")
                    .help("write it elsewhere: `out/…`"),
            );
        }
        Ok(())
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
            self.glob(glob, mounts)?;
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

    /// Mounts the files that a glob matches; gives their paths.
    fn glob(&mut self, glob: &str, mounts: &mut Mounts) -> Result<Vec<String>, Reported> {
        let request = SourceRequest::Glob(glob.to_owned());
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
        Ok(files.keys().cloned().collect())
    }

    /// The arguments that one of the pipeline's comes to: a glob by itself is as many as it matches files.
    fn arguments(
        &mut self,
        pieces: &[spec::Piece],
        span: Span,
        mounts: &mut Mounts,
    ) -> Result<Vec<Vec<Piece>>, Reported> {
        if let [spec::Piece::Input(InputSource::Glob(glob))] = pieces {
            let files = self.glob(glob, mounts)?;
            return Ok(files
                .into_iter()
                .map(|file| vec![Piece::Mount(file.into())])
                .collect());
        }
        Ok(vec![self.pieces(pieces, span, mounts)?])
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
                    spec::Piece::Input(InputSource::Glob(glob)) => {
                        let message =
                            format!("the glob `{glob}` stands inside a text, and may match several files");
                        let error = Diagnostic::error("E0509", span, message);
                        return self.report(error.help("give it as an argument of its own"));
                    }
                    spec::Piece::Input(source) => {
                        let name = match source {
                            InputSource::Output { output, .. } => output,
                            _ => "chosen",
                        };
                        Piece::Mount(self.mount(source, name, span, mounts)?.into())
                    }
                    spec::Piece::Late(late) => Piece::Late(Box::new(self.late(late, span)?)),
                })
            })
            .collect()
    }
}

/// Inputs by mount path.
#[derive(Default)]
struct Mounts {
    inputs: BTreeMap<String, Reference>,
    /// Where each artifact is. Looked up, never iterated, as the next.
    places: HashMap<Reference, String>,
    /// How many artifacts asked for a name.
    asked: HashMap<String, usize>,
}

impl Mounts {
    /// Mounts a source at its own path.
    fn at(&mut self, path: &str, reference: Reference) {
        self.inputs.insert(path.to_owned(), reference);
    }

    /// Mounts an artifact by name, once, and beside another one of that name.
    fn named(&mut self, name: &str, reference: Reference) -> String {
        if let Some(path) = self.places.get(&reference) {
            return path.clone();
        }
        let count = self.asked.entry(name.to_owned()).or_default();
        let path = loop {
            *count += 1;
            let path = match *count {
                1 => mount::of_input(name),
                count => mount::of_input(&format!("{name}-{count}")),
            };
            if !self.inputs.contains_key(&path) {
                break path;
            }
        };
        self.inputs.insert(path.clone(), reference.clone());
        self.places.insert(reference, path.clone());
        path
    }
}
