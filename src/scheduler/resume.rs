//! The state that a command goes on from: what an earlier try of the same step left in its folder of state is there again
//! when it is tried anew, after a failure, a limit, Ctrl-C, or with more to do (`extends`).
//!
//! **Invariants.** A state is no result: it is in no key, no realisation and no output that another step could read. It is
//! found by all that the step's key has, less the arguments that it says it extends over; so a try never sees the state
//! of a step that does something else. A build that compares starts without.

use super::Build;
use super::failure::{Attempt, not_started, store_failure};
use crate::base::atomic;
use crate::base::digest::Digest;
use crate::instantiate::Resolution;
use crate::model::build::{BuildOutcome, BuildRequest, Ending};
use crate::model::datum;
use crate::model::derivation::{Derivation, Output};
use crate::model::event::EventKind;
use crate::model::graph::Step;
use crate::model::node::Node;
use crate::store::Bounds;
use mlp_lang::spec::{ArtifactKind, Datum};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// Where states are noted, in the project's folder of local state.
const FOLDER: &str = "states";

/// The states of a step.
pub(super) struct States<'a> {
    build: &'a Build<'a>,
    step: &'a Step,
    resolution: &'a Resolution,
}

impl<'a> States<'a> {
    pub(super) fn of(build: &'a Build<'a>, step: &'a Step, resolution: &'a Resolution) -> Self {
        Self {
            build,
            step,
            resolution,
        }
    }

    fn outputs(&self) -> impl Iterator<Item = (&'a str, &'a Output)> {
        let outputs = self.step.derivation.outputs.iter();
        let outputs = outputs.map(|(name, output)| (name.as_str(), output));
        outputs.filter(|(_, output)| output.kind == ArtifactKind::State)
    }

    /// Has what an earlier try left lie in the build directory, and says so.
    pub(super) fn give_back(&self, request: &mut BuildRequest) -> Attempt<()> {
        for (name, output) in self.outputs() {
            let Some(node) = self.noted(output) else { continue };
            // What is gone or damaged is as if it had never been.
            if !self
                .build
                .is_whole(&node)
                .map_err(|error| store_failure(&error))?
            {
                continue;
            }
            let place = self.build.store.materialise(&node);
            request
                .copies
                .insert(output.path.clone(), place.map_err(|error| store_failure(&error))?);
            (self.build.events)(EventKind::Warning {
                text: format!(
                    "`{}` goes on from the `{name}` that an earlier try left",
                    self.step.name()
                ),
            });
        }
        Ok(())
    }

    /// Keeps what a try left, or forgets it where nothing is left to do.
    pub(super) fn keep(&self, outcome: &BuildOutcome) -> Attempt<()> {
        for (name, output) in self.outputs() {
            let left = outcome.outputs.get(name).filter(|path| is_filled(path));
            let is_done = outcome.ending == Ending::Succeeded && extends(output).is_empty();
            let note = self.note(output);
            match left {
                Some(left) if !is_done => {
                    let node = self.build.store.move_in(left, Bounds::default());
                    let node = node.map_err(|error| store_failure(&error))?;
                    let written = serde_json::to_vec(&node).map_err(std::io::Error::other);
                    let written = written.and_then(|bytes| {
                        fs::create_dir_all(self.build.state.join(FOLDER))?;
                        atomic::write(&note, &bytes)
                    });
                    written.map_err(|error| {
                        not_started(format!("the state of the step cannot be kept: {error}"), None)
                    })?;
                }
                // A try that left none is not a reason to lose what an earlier one did, unless all is done.
                _ if is_done => drop(fs::remove_file(&note)),
                _ => {}
            }
        }
        Ok(())
    }

    fn noted(&self, output: &Output) -> Option<Node> {
        serde_json::from_slice(&fs::read(self.note(output)).ok()?).ok()
    }

    fn note(&self, output: &Output) -> PathBuf {
        let key = key(&self.step.derivation, self.resolution, output);
        self.build.state.join(FOLDER).join(key.to_string())
    }
}

/// All that a try depends on, less what the state extends over.
fn key(derivation: &Derivation, resolution: &Resolution, state: &Output) -> Digest {
    let over = extends(state);
    let inputs: BTreeMap<&String, Node> = resolution
        .inputs
        .iter()
        .map(|(mount, input)| (mount, input.node))
        .collect();
    let vars: BTreeMap<&String, &String> = resolution
        .vars
        .iter()
        .filter(|(name, _)| !over.contains(name))
        .collect();
    let tools = derivation.env.as_ref().map(|env| datum::to_json(&env.tools));
    let all = json!({
        "argv": without(&resolution.argv, &over),
        "cwd": derivation.cwd,
        "env": resolution.env,
        "inputs": inputs.into_iter().collect::<Vec<_>>(),
        "path": state.path,
        "threads": derivation.threads,
        "tools": tools,
        "vars": vars,
    });
    Digest::of_blob(all.to_string().as_bytes())
}

/// The arguments without the values of `flags`: `--epochs 20` and `--epochs=20`.
fn without(argv: &[String], flags: &[String]) -> Vec<String> {
    let mut left: Vec<String> = Vec::new();
    let mut is_value = false;
    for argument in argv {
        let flag = argument
            .split_once('=')
            .map_or(argument.as_str(), |(flag, _)| flag);
        let is_flag = flags.iter().any(|known| known == flag);
        if is_value {
            is_value = false;
        } else if is_flag {
            left.push(flag.to_owned());
            is_value = flag == argument;
        } else {
            left.push(argument.clone());
        }
    }
    left
}

/// What a state is declared to extend over.
fn extends(output: &Output) -> Vec<String> {
    let Datum::List(names) = &output.schema else {
        return Vec::new();
    };
    let names = names.iter().filter_map(|name| match name {
        Datum::Str(name) => Some(name.to_string()),
        _ => None,
    });
    names.collect()
}

fn is_filled(path: &std::path::Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_state_extends_over_is_left_out() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let left = |argv: &str| without(&words(argv), &["--epochs".to_owned()]).join(" ");
        assert_eq!(left("train --epochs 20 --lr 0.1"), "train --epochs --lr 0.1");
        assert_eq!(left("train --epochs=20 --lr 0.1"), "train --epochs --lr 0.1");
        assert_eq!(left("train --epochs"), "train --epochs");
    }
}
