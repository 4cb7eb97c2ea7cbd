//! Environments: described before, taken into derivations here. One that has to be made is a step of its own, so that
//! steps depend on what it came to and not on how it was written.

use super::{Instantiation, Reported};
use crate::base::digest::Digest;
use crate::model::derivation::{Builder, Derivation, Environment, Output, Reference};
use crate::model::environment::Described;
use crate::model::graph::Step;
use mlp_lang::spec::{self, ArtifactKind, ByName, Datum, EnvRef, Resources};

/// The one output of an environment's step.
pub const ENVIRONMENT_OUTPUT: &str = "env";

/// The version of what an environment's step makes of its arguments: raised whenever that changes.
const VERSION: u32 = 1;

impl Instantiation<'_> {
    /// The environment of a command.
    pub(super) fn environment(
        &mut self,
        env: Option<&spec::Environment>,
    ) -> Result<Option<Environment>, Reported> {
        let Some(env) = env else { return Ok(None) };
        // What cannot be described was reported by who described it.
        let described = self.environments.get(&env.kind).ok_or(Reported)?;
        let (builtin, args, inputs, locators, tools) = match described {
            Described::Host(tools) => {
                return Ok(Some(Environment {
                    made: None,
                    tools: tools.clone(),
                }));
            }
            Described::Step {
                builtin,
                args,
                inputs,
                locators,
                tools,
            } => (builtin, args, inputs, locators, tools),
        };
        let inputs = inputs.iter().map(|(mount, (path, node))| {
            let reference = Reference::Source {
                path: path.clone(),
                node: *node,
            };
            (mount.clone(), reference)
        });
        let kind = match env.kind {
            EnvRef::Python { .. } => ArtifactKind::Dir,
            EnvRef::Flake { .. } | EnvRef::Host { .. } => ArtifactKind::File,
        };
        let output = Output {
            kind,
            path: ENVIRONMENT_OUTPUT.to_owned(),
            schema: Datum::Null,
            optional: false,
            observed: false,
        };
        let step = Step {
            derivation: Derivation {
                builder: Builder::Builtin {
                    name: builtin.clone(),
                    version: VERSION,
                    numerics: None,
                },
                args: args.clone(),
                env: None,
                vars: ByName::new(),
                cwd: None,
                inputs: inputs.collect(),
                outputs: ByName::from([(ENVIRONMENT_OUTPUT, output)]),
                threads: 1,
                device_class: None,
            },
            static_key: Digest::of_blob(b""),
            names: vec![name(&env.kind)],
            origin: env.origin.clone(),
            resources: Resources::default(),
            locators: locators.clone(),
        };
        let step = self.add(step).ok_or(Reported)?;
        Ok(Some(Environment {
            made: Some(Reference::Output {
                step,
                output: ENVIRONMENT_OUTPUT.to_owned(),
            }),
            tools: tools.clone(),
        }))
    }
}

/// What people call it: environments are values, and have no name of their own.
fn name(env: &EnvRef) -> String {
    match env {
        EnvRef::Flake { file, shell } if shell == "default" => file.clone(),
        EnvRef::Flake { file, shell } => format!("{file}#{shell}"),
        EnvRef::Python { lock, .. } => lock.clone(),
        EnvRef::Host { tools } => tools.join(", "),
    }
}
