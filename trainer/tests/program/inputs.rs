//! Networks of several named inputs, among them ids of tokens.

use crate::call::{Place, evaluate, linear, train};
use mlp_data::dataset::{Dataset, FORMAT};
use mlp_data::random::Random;
use mlp_data::safetensors::Array;
use mlp_protocol::data::{Schema, Target};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Examples whose class is told by three inputs together: whether the first word is odd, the age is positive, the photo
/// is bright.
fn examples(count: u64, purpose: &str) -> Dataset {
    let mut random = Random::new(3, purpose);
    let (mut ages, mut photos, mut words, mut labels) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..count {
        let (odd, old, bright) = (random.below(2), random.below(2), random.below(2));
        words.push((random.below(5) * 2 + odd).cast_signed());
        words.extend((0..3).map(|_| random.below(10).cast_signed()));
        ages.push(if old == 1 { 0.8 } else { -0.8 } + random.below(100) as f32 / 500.0);
        photos.extend((0..4).map(|_| (random.below(100) + bright * 150) as u8));
        labels.push((odd + 2 * old + 4 * bright).cast_signed());
    }
    let sizes = |sizes: &[u64]| sizes.iter().map(|size| Some(*size)).collect();
    Dataset {
        schema: Schema {
            format: FORMAT,
            examples: count,
            x: BTreeMap::from([
                ("age".to_string(), sizes(&[1])),
                ("photo".to_string(), sizes(&[1, 2, 2])),
                ("text".to_string(), sizes(&[4])),
            ]),
            y: Target::Class {
                classes: 8,
                names: None,
            },
            recipe: json!("test"),
        },
        x: BTreeMap::from([
            ("age".to_string(), Array::from_f32(vec![count, 1], &ages)),
            ("photo".to_string(), Array::from_u8(vec![count, 1, 2, 2], photos)),
            ("text".to_string(), Array::from_i64(vec![count, 4], &words)),
        ]),
        y: Array::from_i64(vec![count], &labels),
        meta: None,
    }
}

fn net() -> Value {
    let sequential = |layers: Value| json!({ "kind": "sequential", "layers": layers });
    let photo = sequential(json!([
        { "kind": "normalize", "num_features": 1 }, { "kind": "flatten", "start_dim": 1 }, linear(4, 4), { "kind": "relu" },
    ]));
    let text = sequential(json!([
        { "kind": "embedding", "num_embeddings": 10, "embedding_dim": 6 }, { "kind": "flatten", "start_dim": 1 },
    ]));
    let inputs = json!({ "kind": "inputs", "layers": { "age": linear(1, 3), "photo": photo, "text": text } });
    json!({
        "input": { "age": [1], "photo": [1, 2, 2], "text": [4] }, "output": [8],
        "root": sequential(json!([inputs, linear(31, 32), { "kind": "relu" }, linear(32, 8)])),
    })
}

fn place() -> (Place, Value) {
    let place = Place::new();
    for (name, count) in [("train", 240), ("val", 60), ("test", 60)] {
        examples(count, name).write(&place.path(name)).unwrap();
    }
    let mut call = train(&net());
    call["args"]["epochs"] = json!(30);
    call["args"]["metrics"] = json!({ "accuracy": { "kind": "accuracy", "top_k": 1 } });
    (place, call)
}

#[test]
fn every_input_reaches_its_layer() {
    let (place, call) = place();
    place.build(&call);
    let call = evaluate(&place, &json!({ "accuracy": { "kind": "accuracy", "top_k": 1 } }));
    place.build(&call);
    // By two of the inputs half of the examples could be told at best.
    let accuracy = place.json("metrics.json")["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.9, "{accuracy}");
}

#[test]
fn workers_change_nothing() {
    let (place, mut call) = place();
    call["args"]["epochs"] = json!(2);
    call["args"]["shards"] = json!(4);
    let mut digest = |workers: u32| {
        call["workers"] = json!(workers);
        place.build(&call);
        (place.digest("last/weights.safetensors"), place.digest("val.json"))
    };
    let one = digest(1);
    assert_eq!(digest(2), one);
    assert_eq!(digest(4), one);
}

#[test]
fn inputs_of_other_names_or_shapes_are_refused() {
    let (place, mut call) = place();
    call["args"]["net"]["input"]["photo"] = json!([1, 2, 3]);
    let run = place.run(&call);
    let failure = run.failure();
    assert_eq!(failure["code"], "B0202");
    let message = failure["message"].as_str().unwrap();
    assert!(
        message.contains("`photo` [1, 2, 2]") && message.contains("takes `age` [1], `photo` [1, 2, 3]"),
        "{message}"
    );
    call["args"]["net"]["input"] = json!([1, 2, 2]);
    let run = place.run(&call);
    let message = run.failure()["message"].as_str().unwrap().to_string();
    assert!(message.contains("but the network takes one"), "{message}");
}
