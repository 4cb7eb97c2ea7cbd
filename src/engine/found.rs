//! Where targets lie that are built already, and archives of them.

use super::error::EngineError;
use super::workspace::{Instance, Workspace};
use crate::base::digest::Digest;
use crate::instantiate::{Known, output_of};
use crate::model::graph::StepId;
use crate::model::node::Node;
use crate::plan::{Found, Plan};
use crate::store::{Export, Exported, Store};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A target, and what it came to.
#[derive(Clone, Debug)]
pub struct Target {
    /// The path from the target: `fit.model`.
    pub label: String,
    /// What it holds; none where it is not built, or was removed.
    pub node: Option<Node>,
    /// The step that makes it, where that is decided.
    step: Option<StepId>,
}

impl Workspace {
    /// The targets of `instance`, and what they came to.
    pub fn targets(&self, instance: &Instance) -> Result<Vec<Target>, EngineError> {
        let plan = self.plan(instance, false)?;
        let planned = Planned {
            found: plan.reused().collect(),
            store: &self.store,
        };
        let targets = instance.graph.targets.iter().map(|target| {
            let made = output_of(&target.source, &planned);
            let node = made.and_then(|(step, output)| planned.output(step, output).flatten());
            Target {
                label: target.label.clone(),
                node: node.filter(|node| self.store.holds(node)),
                step: made.map(|(step, _)| step),
            }
        });
        Ok(targets.collect())
    }

    /// The place of what a target came to, to be read.
    pub fn place(&self, node: &Node) -> Result<PathBuf, EngineError> {
        Ok(self.store.show(node)?)
    }

    /// Writes an archive of the steps that make `targets`, which are built, to `out`, called `path` in errors.
    pub fn export(
        &self,
        instance: &Instance,
        targets: &[Target],
        path: &Path,
        out: impl Write,
    ) -> Result<Exported, EngineError> {
        let steps = instance.graph.steps.iter();
        let names: BTreeMap<Digest, String> = steps
            .map(|step| (step.static_key, step.name().to_owned()))
            .collect();
        let made = targets.iter().filter_map(|target| target.step);
        let export = Export {
            names,
            whole: made.map(|step| instance.graph.step(step).static_key).collect(),
        };
        self.note_traces(&self.plan(instance, false)?, instance)?;
        Ok(self.store.export(&export, path, out)?)
    }

    /// Steps that were found by what they read have no trace yet, and an archive is made along traces.
    fn note_traces(&self, plan: &Plan, instance: &Instance) -> Result<(), EngineError> {
        for (step, found) in plan.reused() {
            if let Some(trace) = &found.new_trace {
                let static_key = instance.graph.step(step).static_key;
                self.store.put_trace(static_key, trace.clone())?;
            }
        }
        Ok(())
    }
}

/// What a plan found.
struct Planned<'p> {
    found: BTreeMap<StepId, &'p Found>,
    store: &'p Store,
}

impl Known for Planned<'_> {
    fn output(&self, step: StepId, output: &str) -> Option<Option<Node>> {
        let found = self.found.get(&step)?;
        Some(found.outputs.get(output).copied().flatten())
    }

    fn json(&self, node: &Node) -> Result<serde_json::Value, String> {
        self.store.read_json(node).map_err(|error| error.to_string())
    }
}
