//! A run as one JSON object, for programs. `docs/json.md` describes it.

use super::summary::{Artifact, StepEnding, StepSummary, Summary};
use crate::model::node::Node;
use serde_json::{Value, json};

/// The object.
pub fn json(summary: &Summary) -> Value {
    let (built, failed) = summary.counts();
    json!({
        "run": summary.run,
        "targets": summary.targets,
        "settings": summary.settings,
        "status": summary.status,
        "took_ms": summary.took_ms,
        "built": built,
        "reused": summary.reused,
        "failed": failed,
        "artifacts": summary.artifacts.iter().map(artifact).collect::<Vec<_>>(),
        "steps": summary.steps.iter().map(step).collect::<Vec<_>>(),
        "skipped": summary.skipped.iter().map(|(step, _)| step).collect::<Vec<_>>(),
        "warnings": summary.warnings,
        "differs": summary.differs.iter().map(|(step, detail)| json!({ "step": step, "detail": detail })).collect::<Vec<_>>(),
    })
}

fn artifact(artifact: &Artifact) -> Value {
    json!({
        "label": artifact.label,
        "kind": artifact.kind,
        "digest": digest(&artifact.node),
        "place": artifact.place,
        "value": artifact.value,
    })
}

fn step(step: &StepSummary) -> Value {
    let (ending, failure) = match &step.ending {
        StepEnding::Done(how) => (json!(how), None),
        StepEnding::Failed(failure) => (json!("failed"), Some(json!(failure))),
    };
    let training = step.training.as_ref().map(|training| {
        json!({
            "trained": training.trained,
            "found": training.found,
            "examples_per_second": training.examples_per_second(),
            "last": training.last,
            "observed": training.observed,
        })
    });
    json!({
        "step": step.step,
        "ending": ending,
        "failure": failure,
        "wall_ms": step.wall_ms,
        "log": step.log,
        "training": training,
    })
}

/// The digest of what an artifact holds.
pub fn digest(node: &Node) -> String {
    match node {
        Node::File { digest, .. } => digest.to_string(),
        Node::Dir { tree } => tree.to_string(),
    }
}
