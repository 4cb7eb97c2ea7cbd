//! Optimizers, and what groups of parameters have for themselves.

use serde::{Deserialize, Serialize};

/// An optimizer. Defaults are PyTorch's and are written in by the language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "the fields are PyTorch's, each documented in the standard library"
)]
pub enum Optimizer {
    Sgd {
        lr: f64,
        momentum: f64,
        nesterov: bool,
        weight_decay: f64,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        groups: Vec<Group>,
    },
    Adam {
        lr: f64,
        betas: [f64; 2],
        eps: f64,
        weight_decay: f64,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        groups: Vec<Group>,
    },
    Adamw {
        lr: f64,
        betas: [f64; 2],
        eps: f64,
        weight_decay: f64,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        groups: Vec<Group>,
    },
    Rmsprop {
        lr: f64,
        alpha: f64,
        eps: f64,
        weight_decay: f64,
        momentum: f64,
        centered: bool,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        groups: Vec<Group>,
    },
    Lion {
        lr: f64,
        betas: [f64; 2],
        weight_decay: f64,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        groups: Vec<Group>,
    },
}

/// What the parameters of some layers have for themselves. Of several groups that name a layer the first holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The pattern of the layers.
    pub layers: String,
    /// Their learning rate; the optimizer's where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lr: Option<f64>,
    /// Their weight decay; the optimizer's where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
}

impl Optimizer {
    /// The learning rate.
    pub fn lr(&self) -> f64 {
        match self {
            Self::Sgd { lr, .. }
            | Self::Adam { lr, .. }
            | Self::Adamw { lr, .. }
            | Self::Rmsprop { lr, .. }
            | Self::Lion { lr, .. } => *lr,
        }
    }

    /// Weight decay.
    pub fn weight_decay(&self) -> f64 {
        match self {
            Self::Sgd { weight_decay, .. }
            | Self::Adam { weight_decay, .. }
            | Self::Adamw { weight_decay, .. }
            | Self::Rmsprop { weight_decay, .. }
            | Self::Lion { weight_decay, .. } => *weight_decay,
        }
    }

    /// Momentum, or Adam's betas.
    pub fn momentum(&self) -> Vec<f64> {
        match self {
            Self::Sgd { momentum, .. } | Self::Rmsprop { momentum, .. } => vec![*momentum],
            Self::Adam { betas, .. } | Self::Adamw { betas, .. } | Self::Lion { betas, .. } => betas.to_vec(),
        }
    }

    /// The groups, the first one first.
    pub fn groups(&self) -> &[Group] {
        match self {
            Self::Sgd { groups, .. }
            | Self::Adam { groups, .. }
            | Self::Adamw { groups, .. }
            | Self::Rmsprop { groups, .. }
            | Self::Lion { groups, .. } => groups,
        }
    }
}

/// Whether `pattern` names the layer at `path`, or one that it is in: part by part, where `*` is one part or
/// several.
pub fn names_layer(pattern: &str, path: &str) -> bool {
    let first = |path| str::split_once(path, '.').map_or((path, None), |(part, rest)| (part, Some(rest)));
    let ((wanted, more), (part, below)) = (first(pattern), first(path));
    let goes_on = |pattern: Option<&str>| match (pattern, below) {
        (None, _) => true,
        (Some(pattern), Some(below)) => names_layer(pattern, below),
        (Some(_), None) => false,
    };
    match wanted {
        "*" => goes_on(more) || goes_on(Some(pattern)),
        wanted => wanted == part && goes_on(more),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_a_layer_and_all_in_it() {
        assert!(names_layer("layer1", "layer1.0.conv1"));
        assert!(names_layer("layer1.*.bn1", "layer1.1.bn1"));
        assert!(names_layer("*.bn1", "layer1.1.bn1"));
        assert!(names_layer("*.bn1.weight", "layer1.1.bn1.weight"));
        assert!(!names_layer("*.bn1", "bn1"));
        assert!(!names_layer("*.bn1", "layer1.bn2"));
        assert!(!names_layer("layer", "layer1"));
        assert!(!names_layer("layer1.0", "layer1"));
        assert!(!names_layer("bn1", "layer1.0.bn1"));
    }
}
