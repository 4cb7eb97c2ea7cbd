//! What of a call's arguments the builder programs cannot read: found by reading them as the programs will, part by part,
//! so that it cannot come apart from what they do. `mlp` asks before anything runs.

use crate::augment::Augment;
use crate::builtin;
use crate::data::{Codec, CsvArgs, SplitArgs};
use crate::data_files::{ArraysArgs, CifarArgs, IdxArgs, ImageFolderArgs, ResizeArgs};
use crate::data_ops::{BalanceArgs, ConcatArgs, FoldsArgs, LogMelArgs, TakeArgs, TopClassesArgs};
use crate::net::Layer;
use crate::optim::Optimizer;
use crate::predictions::{PredictArgs, ScoreArgs};
use crate::schedule::Schedule;
use crate::train::{EarlyStopping, EvaluateArgs, Init, Loss, Metric, TrainArgs};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The precisions that the trainer computes with.
pub const PRECISIONS: &[&str] = &["fp32"];

/// A part of a call that no builder program understands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// What it is.
    pub part: Part,
    /// What is understood in its place, by name; empty where that is no choice among names.
    pub known: Vec<String>,
}

/// A part of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The builtin itself.
    Builtin,
    /// An argument of the call, whatever its value.
    Argument(String),
    /// The value of an argument of the call: `precision`, "bf16".
    Value(String, String),
    /// A layer of this kind.
    Layer(String),
    /// A description of this kind in an argument of the call: `loss`, `focal`.
    Description(String, String),
    /// An option of a layer or description, under its argument and kind: `optimizer`, `adam`, `groups`.
    Option(String, String, String),
}

/// Every part of a call of `builtin` that no program understands; nothing where all of it can be built.
pub fn gaps(builtin: &str, args: &Value) -> Vec<Gap> {
    if builtin::find(builtin).is_none() {
        return vec![gap(Part::Builtin, Vec::new())];
    }
    match builtin {
        "ml.train" => of::<TrainArgs>(args),
        "ml.evaluate" => of::<EvaluateArgs>(args),
        "data.cifar" => of::<CifarArgs>(args),
        "data.idx" => of::<IdxArgs>(args),
        "data.image_folder" => of::<ImageFolderArgs>(args),
        "data.resize" => of::<ResizeArgs>(args),
        "data.csv" | "data.parquet" => of::<CsvArgs>(args),
        "data.arrays" => of::<ArraysArgs>(args),
        "ml.predict" => of::<PredictArgs>(args),
        "ml.score" => of::<ScoreArgs>(args),
        "data.split" => of::<SplitArgs>(args),
        "data.concat" => of::<ConcatArgs>(args),
        "data.log_mel" => of::<LogMelArgs>(args),
        "data.folds" => of::<FoldsArgs>(args),
        "data.take" => of::<TakeArgs>(args),
        "data.balance" => of::<BalanceArgs>(args),
        "data.top_classes" => of::<TopClassesArgs>(args),
        // Builtins whose arguments hold nothing that a pipeline may choose more of than they know.
        _ => Vec::new(),
    }
}

fn gap(part: Part, known: Vec<String>) -> Gap {
    Gap { part, known }
}

fn of<Args: DeserializeOwned>(args: &Value) -> Vec<Gap> {
    let mut found = Vec::new();
    for (name, value) in args.as_object().into_iter().flatten() {
        argument::<Args>(name, value, &mut found);
    }
    found
}

fn argument<Args: DeserializeOwned>(name: &str, value: &Value, found: &mut Vec<Gap>) {
    // Alone and empty, an argument that is known is refused for its value or its neighbours, one that is not for its name.
    if let Some(Refused::Field(_)) = refused::<Args>(&json!({ name: null })) {
        return found.push(gap(Part::Argument(name.to_owned()), Vec::new()));
    }
    match name {
        "net" => net(value, found),
        "loss" => description::<Loss>(name, value, found),
        "optimizer" => description::<Optimizer>(name, value, found),
        "schedule" => description::<Schedule>(name, value, found),
        "augment" => {
            let all = value.as_array().into_iter().flatten();
            all.for_each(|augment| description::<Augment>(name, augment, found));
        }
        "init" => description::<Init>(name, value, found),
        "metrics" => each(value, |metric| description::<Metric>(name, metric, found)),
        "x" | "y" if value.get("kind").is_some() => description::<Codec>(name, value, found),
        "x" => each(value, |codec| description::<Codec>(name, codec, found)),
        "early_stopping" => {
            if let Some(Refused::Field(field)) = refused::<EarlyStopping>(value) {
                let of = name.to_owned();
                found.push(gap(Part::Option(of.clone(), of, field), Vec::new()));
            }
        }
        "precision" => {
            let precision = value.as_str().unwrap_or_default();
            if !PRECISIONS.contains(&precision) {
                let known = PRECISIONS.iter().map(|&known| known.to_owned()).collect();
                found.push(gap(Part::Value(name.to_owned(), precision.to_owned()), known));
            }
        }
        _ => {}
    }
}

fn each(map: &Value, of: impl FnMut(&Value)) {
    map.as_object()
        .into_iter()
        .flat_map(serde_json::Map::values)
        .for_each(of);
}

fn net(net: &Value, found: &mut Vec<Gap>) {
    layers(&net["root"], found);
}

/// Looks at each layer without those in it.
fn layers(layer: &Value, found: &mut Vec<Gap>) {
    let mut alone = layer.clone();
    let mut inner = Vec::new();
    for (name, field) in alone.as_object_mut().into_iter().flatten() {
        match field {
            Value::Object(one) if one.contains_key("kind") => {
                inner.push(std::mem::replace(field, json!({ "kind": "relu" })));
            }
            Value::Object(named) if name == "layers" => {
                inner.extend(std::mem::take(named).into_iter().map(|(_, layer)| layer));
            }
            Value::Array(all) if name == "layers" => inner.append(all),
            _ => {}
        }
    }
    let kind = kind(layer);
    let missing = match refused::<Layer>(&alone) {
        Some(Refused::Variant(known)) => Some(gap(Part::Layer(kind), known)),
        Some(Refused::Field(field)) => Some(gap(Part::Option("net".to_owned(), kind, field), Vec::new())),
        _ => None,
    };
    found.extend(missing.filter(|gap| !found.contains(gap)));
    inner.iter().for_each(|layer| layers(layer, found));
}

fn description<D: DeserializeOwned>(argument: &str, value: &Value, found: &mut Vec<Gap>) {
    let kind = kind(value);
    // A loss in a metric is refused with the metric.
    let (part, known) = match refused::<D>(value) {
        Some(Refused::Variant(known)) => {
            let inner = value.get("loss").filter(|_| known.contains(&kind));
            let kind = inner.map_or(kind, self::kind);
            (Part::Description(argument.to_owned(), kind), known)
        }
        Some(Refused::Field(field)) => (Part::Option(argument.to_owned(), kind, field), Vec::new()),
        _ => return,
    };
    found.push(gap(part, known));
}

fn kind(value: &Value) -> String {
    value["kind"].as_str().unwrap_or_default().to_owned()
}

/// Why a value cannot be read.
enum Refused {
    /// There is no such variant; those that there are.
    Variant(Vec<String>),
    /// There is no such field.
    Field(String),
    Other,
}

/// Serde says in words what it refuses; a test holds them.
fn refused<D: DeserializeOwned>(value: &Value) -> Option<Refused> {
    let error = serde_json::from_value::<D>(value.clone()).err()?.to_string();
    // Names stand in back quotes: the one that is refused, then those that are known.
    let mut names = error.split('`').skip(1).step_by(2).map(str::to_owned);
    Some(match error.split_once(" `") {
        Some(("unknown variant", _)) => Refused::Variant(names.skip(1).collect()),
        Some(("unknown field", _)) => Refused::Field(names.next().unwrap_or_default()),
        _ => Refused::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn train(extra: &Value) -> Value {
        let mut args = json!({
            "net": { "input": [2], "output": [2], "root": { "kind": "sequential", "layers": [
                { "kind": "linear", "in_features": 2, "out_features": 2, "bias": true },
            ] } },
            "loss": { "kind": "mse" },
            "optimizer": { "kind": "sgd", "lr": 0.1, "momentum": 0.0, "nesterov": false, "weight_decay": 0.0 },
            "epochs": 1, "batch_size": 8, "seed": 1, "keep": "best", "shards": 1,
            "precision": "fp32", "device": "cpu",
        });
        for (name, value) in extra.as_object().into_iter().flatten() {
            args[name] = value.clone();
        }
        args
    }

    fn parts(extra: &Value) -> Vec<Part> {
        gaps("ml.train", &train(extra))
            .into_iter()
            .map(|gap| gap.part)
            .collect()
    }

    #[test]
    fn what_is_understood_has_no_gaps() {
        assert_eq!(parts(&json!({})), []);
        assert!(serde_json::from_value::<TrainArgs>(train(&json!({}))).is_ok());
        assert_eq!(
            parts(&json!({ "metrics": { "a": { "kind": "accuracy", "top_k": 1 } } })),
            []
        );
        let group = json!({ "layers": "0", "lr": 0.01 });
        let optimizer = json!({ "kind": "lion", "lr": 0.1, "betas": [0.9, 0.99], "weight_decay": 0.0, "groups": [group] });
        let rest = json!({
            "optimizer": optimizer, "freeze": ["0"], "ema": 0.9,
            "schedule": { "kind": "plateau", "patience": 3, "factor": 0.1 },
            "init": { "kind": "weights", "at": "", "skip": ["fc"] },
            "early_stopping": { "patience": 3, "min_delta": 0.0, "max": "accuracy" },
        });
        assert_eq!(parts(&rest), []);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let text = |text: &str| text.to_owned();
        assert_eq!(gaps("data.banana", &json!({}))[0].part, Part::Builtin);
        assert_eq!(parts(&json!({ "banana": 0.9 })), [Part::Argument(text("banana"))]);
        assert_eq!(
            parts(&json!({ "precision": "fp4" })),
            [Part::Value(text("precision"), text("fp4"))]
        );
        assert_eq!(
            parts(&json!({ "loss": { "kind": "banana", "gamma": 2.0 } })),
            [Part::Description(text("loss"), text("banana"))]
        );
        let optimizer = json!({ "kind": "sgd", "lr": 0.1, "momentum": 0.0, "nesterov": false, "weight_decay": 0.0, "bananas": {} });
        assert_eq!(
            parts(&json!({ "optimizer": optimizer })),
            [Part::Option(text("optimizer"), text("sgd"), text("bananas"))]
        );
        let metrics =
            json!({ "a": { "kind": "loss", "loss": { "kind": "banana" } }, "b": { "kind": "mango" } });
        let found = parts(&json!({ "metrics": metrics }));
        assert_eq!(found[1], Part::Description(text("metrics"), text("mango")));
    }

    #[test]
    fn an_option_of_a_rule_is_named() {
        let rule = json!({ "early_stopping": { "patience": 3, "min_delta": 0.0, "banana": "accuracy" } });
        let own = || "early_stopping".to_owned();
        assert_eq!(parts(&rule), [Part::Option(own(), own(), "banana".to_owned())]);
        assert_eq!(
            parts(&json!({ "early_stopping": { "patience": 3, "min_delta": 0.0 } })),
            []
        );
    }

    #[test]
    fn layers_in_layers_are_looked_at_one_by_one() {
        let strange = json!({ "kind": "banana", "size": 3 });
        let root = json!({ "kind": "named", "name": "a", "layer": { "kind": "sequential", "layers": [strange, strange, { "kind": "relu" }] } });
        let net = json!({ "input": [2, null], "output": [2], "root": root });
        let found = gaps("ml.train", &train(&json!({ "net": net })));
        let parts: Vec<_> = found.iter().map(|gap| gap.part.clone()).collect();
        assert_eq!(parts, [Part::Layer("banana".to_owned())]);
        assert!(found[0].known.iter().any(|name| name == "linear"));
    }
}
