//! The same pipeline gives the same bits, whatever runs it.

use crate::augment::augmented;
use crate::call::{Place, classes, cnn, lstm, mlp, train, transformer, without_val};
use mlp_data::safetensors::Array;
use serde_json::{Value, json};

const WEIGHTS: &str = "last/weights.safetensors";

/// The first digits of the digests of trained weights by cpu class, [mlp, cnn, cnn in four shards, lstm, transformer, augmented cnn]. A change of one is a change of results: raise
/// the version of `ml.train` in `mlp_protocol::builtin`.
const GOLDEN: &[(&str, [&str; 6])] = &[(
    "GenuineIntel",
    [
        "24e3223596eaa74d",
        "45e872a1158a12ab",
        "6b7bffbe6eb25476",
        "c463301733877bfe",
        "0d0f9acc3aed9a06",
        "60781fe3f2e8f4c0",
    ],
)];

fn sharded(net: &Value, shards: u32) -> Value {
    let mut call = train(net);
    call["args"]["shards"] = json!(shards);
    call
}

#[test]
fn golden_digests_of_trained_weights() {
    let place = Place::new();
    let digests: Vec<String> = [
        train(&mlp()),
        train(&cnn()),
        sharded(&cnn(), 4),
        train(&lstm()),
        train(&transformer()),
        augmented(),
    ]
    .iter()
    .map(|call| {
        place.build(call);
        place.digest(WEIGHTS)[..16].to_string()
    })
    .collect();
    match GOLDEN.iter().find(|(class, _)| *class == cpu_class()) {
        Some((_, golden)) => assert_eq!(digests, golden),
        None => eprintln!(
            "no digests are recorded for {}; here they are {digests:?}",
            cpu_class()
        ),
    }
}

fn cpu_class() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let vendor = cpus
        .lines()
        .find(|line| line.starts_with("vendor_id"))
        .and_then(|line| line.split(": ").nth(1));
    vendor.unwrap_or("an unknown maker").to_string()
}

#[test]
fn workers_change_nothing() {
    let place = Place::new();
    for net in [mlp(), cnn(), lstm(), transformer()] {
        let outputs = |workers: u32| {
            let mut call = sharded(&net, 4);
            call["workers"] = json!(workers);
            place.build(&call);
            [WEIGHTS, "history.json", "val.json", "best.json"].map(|name| place.digest(name))
        };
        let one = outputs(1);
        for workers in [1, 2, 4, 7] {
            assert_eq!(outputs(workers), one, "{workers} workers");
        }
    }
}

#[test]
fn validation_changes_no_weights() {
    let place = Place::new();
    for call in [train(&cnn()), sharded(&cnn(), 3)] {
        place.build(&call);
        let validated = place.digest(WEIGHTS);
        place.build(&without_val(call));
        assert_eq!(place.digest(WEIGHTS), validated);
    }
}

#[test]
fn seeds_and_shards_change_weights() {
    let place = Place::new();
    let digest = |call: &Value| {
        place.build(call);
        place.digest(WEIGHTS)
    };
    let mut seeded = train(&mlp());
    seeded["args"]["seed"] = json!(-1);
    let digests = [
        digest(&train(&mlp())),
        digest(&seeded),
        digest(&sharded(&mlp(), 2)),
    ];
    assert!(digests[0] != digests[1] && digests[0] != digests[2]);
}

#[test]
fn bytes_train_as_the_fractions_that_they_stand_for() {
    let place = Place::new();
    let digest = |as_bytes: bool| {
        for (name, count) in [("train", 90), ("val", 30)] {
            let mut dataset = classes(count, name);
            let x = &dataset.x["x"];
            let bytes: Vec<u8> = x.to_f32().iter().map(|pixel| (pixel * 100.0) as u8).collect();
            let x = if as_bytes {
                Array::from_u8(x.shape.clone(), bytes)
            } else {
                let numbers: Vec<f32> = bytes.iter().map(|byte| f32::from(*byte) / 255.0).collect();
                Array::from_f32(x.shape.clone(), &numbers)
            };
            dataset.x.insert("x".to_string(), x);
            dataset.write(&place.path(name)).unwrap();
        }
        place.build(&train(&cnn()));
        (place.digest(WEIGHTS), place.digest("val.json"))
    };
    assert_eq!(digest(true), digest(false));
}
