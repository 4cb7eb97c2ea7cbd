//! Keys: what they must see, and what they must not.

use super::*;
use mlp_lang::spec::{ByName, Fields};

#[test]
fn golden_static_keys() {
    let keys = keys(&graph(&pipeline()));
    let golden = [
        (
            keys["digits"],
            "658b729a0fd1f6489aed4ccadcf273d0a5c821cd5c54bfef7c9c36a09b29b49b",
        ),
        (
            keys["parts"],
            "6e1fe30329c999f7ac6124fd46673c6c28265241a622cf48f086502432858d25",
        ),
        (
            keys["fit"],
            "7b4021d02102f811142dcd6394de8fd60ee41c93a9ac5220b1a25368c9d81131",
        ),
        (
            keys["evaluate"],
            "fab644e8cbf87daff8cdf1db0c444b7841beefcca7df83cfb06bd91f4e27bc6f",
        ),
    ];
    for (key, golden) in golden {
        assert_eq!(key.to_string(), golden);
    }
}

#[test]
fn golden_resolved_and_chain_keys() {
    let graph = graph(&pipeline());
    let known = Outputs(vec![(1, "train", file("train")), (1, "val", file("val"))]);
    let resolution = resolve(&graph, StepId(2), &known).unwrap();
    let chain = chain_keys(&graph.steps[2].derivation, &resolution)
        .unwrap()
        .unwrap();
    assert_eq!(chain.len(), 4);
    let golden = [
        (
            resolution.key,
            "ff43adc67ebe3a63ca41570e04fd0bde771ed079c57ce7f1fb44d6c48bee424e",
        ),
        (
            chain[0],
            "503faf697b0480e5c990158e5ceb924beb740f8565f3c2e4034b732818a94c7b",
        ),
        (
            chain[3],
            "4909b1456e6a62fc381fd8b662f418f8b38eae12ec78a987566090a8f7e81f02",
        ),
    ];
    for (key, golden) in golden {
        assert_eq!(key.to_string(), golden);
    }
    assert!(
        chain_keys(&graph.steps[0].derivation, &resolution)
            .unwrap()
            .is_none()
    );
}

#[test]
fn names_places_spans_and_resources_are_in_no_key() {
    let untouched = changed_by(|evaluation| {
        for spec in &mut evaluation.specs {
            spec.origin.span = span(900);
            spec.origin.arguments.insert("lr", span(901));
            spec.resources.cpus = Some(7);
            spec.resources.memory = Some(1);
            let moved = |(name, input): (_, Input)| {
                (
                    name,
                    Input {
                        span: span(902),
                        ..input
                    },
                )
            };
            spec.inputs = spec.inputs.clone().into_iter().map(moved).collect::<ByName<_>>();
        }
        set(evaluation, 2, "schedule", Datum::Null);
        let Datum::Map(args) = &mut evaluation.specs[2].args else {
            panic!()
        };
        args.remove("schedule");
    });
    assert_eq!(untouched, Vec::<String>::new());

    let mut renamed = pipeline();
    renamed.specs[2].name = "trained".into();
    assert_eq!(
        keys(&graph(&renamed))["trained"],
        keys(&graph(&pipeline()))["fit"]
    );

    let mut moved = pipeline();
    moved.specs[0].inputs.get_mut("file").unwrap().source = InputSource::Source("data/digits.csv".into());
    let request = SourceRequest::Path("data/digits.csv".into());
    let table = [(request, Ok(SourceContent::Node(file("a,b\n"))))].into();
    let moved = instantiate(&mut moved, &table, &Default::default(), &machine()).unwrap();
    assert_eq!(keys(&moved), keys(&graph(&pipeline())));
}

#[test]
fn what_decides_bits_is_in_the_keys_of_what_depends_on_it() {
    let after_fit = ["evaluate", "fit"];
    let everything = ["digits", "evaluate", "fit", "parts"];
    assert_eq!(
        changed_by(|evaluation| set(evaluation, 2, "seed", Datum::Int(43))),
        after_fit
    );
    assert_eq!(
        changed_by(|evaluation| set(evaluation, 2, "epochs", Datum::Int(4))),
        after_fit
    );
    // Int and Float are distinct: elaboration decides which it is.
    assert_eq!(
        changed_by(|evaluation| set(evaluation, 2, "seed", Datum::Float(42.0))),
        after_fit
    );
    assert_eq!(
        changed_by(|evaluation| set(evaluation, 0, "meta", Datum::List(vec![text("id")]))),
        everything
    );
    let schema = |evaluation: &mut Evaluation| {
        let metrics = evaluation.specs[3].outputs.get_mut("metrics").unwrap();
        metrics.schema = text("Float");
    };
    assert_eq!(changed_by(schema), ["evaluate"]);
    let swapped = |evaluation: &mut Evaluation| {
        let on = evaluation.specs[3].inputs.get_mut("on").unwrap();
        on.source = output(1, "train");
    };
    assert_eq!(changed_by(swapped), ["evaluate"]);

    let here = keys(&graph(&pipeline()));
    let other_machine = Machine {
        cpu: "Other avx2".into(),
        cuda: None,
    };
    let elsewhere = keys(
        &instantiate(
            &mut pipeline(),
            &sources("a,b\n"),
            &Default::default(),
            &other_machine,
        )
        .unwrap(),
    );
    assert_eq!(here["parts"], elsewhere["parts"]);
    assert_ne!(here["fit"], elsewhere["fit"]);
    let other_content = keys(
        &instantiate(
            &mut pipeline(),
            &sources("a,b,c\n"),
            &Default::default(),
            &machine(),
        )
        .unwrap(),
    );
    assert!(here.iter().all(|(name, key)| other_content[name] != *key));
}

/// Has the training validate on another part of the data.
fn validated_on_test(evaluation: &mut Evaluation) {
    evaluation.specs[2].inputs.get_mut("val").unwrap().source = output(1, "test");
    let part = evaluation.specs[1].outputs.get("val").unwrap().clone();
    evaluation.specs[1].outputs.insert("test", part);
}

/// The chain of the pipeline's training after a change of the pipeline.
fn chain(change: &dyn Fn(&mut Evaluation)) -> Vec<Digest> {
    let known = Outputs(vec![
        (1, "train", file("train")),
        (1, "val", file("val")),
        (1, "test", file("test")),
    ]);
    let mut evaluation = pipeline();
    change(&mut evaluation);
    let graph = graph(&evaluation);
    let resolution = resolve(&graph, StepId(2), &known).unwrap();
    chain_keys(&graph.steps[2].derivation, &resolution)
        .unwrap()
        .unwrap()
}

#[test]
fn validation_data_are_part_of_a_chain_that_a_plateau_moves() {
    let rule = |patience| {
        variant(
            "plateau",
            &[("patience", Datum::Int(patience)), ("factor", Datum::Float(0.1))],
        )
    };
    let plateau = chain(&|evaluation| set(evaluation, 2, "schedule", rule(2)));
    let elsewhere = chain(&|evaluation| {
        set(evaluation, 2, "schedule", rule(2));
        validated_on_test(evaluation);
    });
    assert!(plateau.iter().zip(&elsewhere).all(|(a, b)| a != b));
    let patient = chain(&|evaluation| set(evaluation, 2, "schedule", rule(3)));
    assert_eq!(
        plateau[0], patient[0],
        "the weights before the first epoch are the same"
    );
    assert_ne!(plateau[1], patient[1]);
    assert_ne!(chain(&|_| {})[1], plateau[1]);
}

#[test]
fn what_is_frozen_grouped_and_averaged_acts_in_every_epoch() {
    let before = chain(&|_| {});
    let group = map(&[("layers", text("0")), ("lr", Datum::Float(0.1))]);
    let changes: [&dyn Fn(&mut Evaluation); 3] = [
        &|evaluation| set(evaluation, 2, "freeze", Datum::List(vec![text("0")])),
        &|evaluation| set(evaluation, 2, "ema", Datum::Float(0.9)),
        &|evaluation| {
            let Datum::Map(args) = &mut evaluation.specs[2].args else {
                panic!()
            };
            let Some(Datum::Variant(_, optimizer)) = args.get_mut("optimizer") else {
                panic!()
            };
            optimizer.insert("groups", Datum::List(vec![Datum::Map(group.clone())]));
        },
    ];
    for change in changes {
        let changed = chain(change);
        assert_eq!(before[0], changed[0]);
        assert!(before[1..].iter().zip(&changed[1..]).all(|(a, b)| a != b));
    }
}

#[test]
fn chain_keys_see_what_acts_in_their_epochs_and_nothing_else() {
    let before = chain(&|_| {});
    let more_epochs = chain(&|evaluation| set(evaluation, 2, "epochs", Datum::Int(5)));
    assert_eq!(before, more_epochs[..4]);
    let metrics = chain(&|evaluation| {
        set(evaluation, 2, "metrics", Datum::Map(Fields::new()));
        set(evaluation, 2, "keep", text("last"));
        let rule = map(&[("patience", Datum::Int(2)), ("min_delta", Datum::Float(0.0))]);
        set(evaluation, 2, "early_stopping", Datum::Map(rule));
        set(evaluation, 2, "checkpoint_every", Datum::Int(2));
        validated_on_test(evaluation);
    });
    assert_eq!(before, metrics);
    let watched = chain(&|evaluation| {
        let rule = map(&[
            ("patience", Datum::Int(5)),
            ("min_delta", Datum::Float(0.1)),
            ("max", text("accuracy")),
        ]);
        set(evaluation, 2, "early_stopping", Datum::Map(rule));
    });
    assert_eq!(before, watched, "another figure, the other way");
    let reseeded = chain(&|evaluation| set(evaluation, 2, "seed", Datum::Int(43)));
    assert!(before.iter().zip(&reseeded).all(|(a, b)| a != b));
    let step = variant(
        "step",
        &[("step_size", Datum::Int(2)), ("gamma", Datum::Float(0.1))],
    );
    let scheduled = chain(&|evaluation| set(evaluation, 2, "schedule", step.clone()));
    assert_eq!(before[..3], scheduled[..3], "the rate moves in the third epoch");
    assert_ne!(before[3], scheduled[3]);
    let other_data = chain(&|evaluation| {
        evaluation.specs[2].inputs.get_mut("on").unwrap().source = output(1, "val");
    });
    assert_ne!(before[0], other_data[0]);
}

#[test]
fn early_cutoff_keys_see_contents_alone() {
    let one = graph(&pipeline());
    let other = instantiate(
        &mut pipeline(),
        &sources("another file"),
        &Default::default(),
        &machine(),
    )
    .unwrap();
    assert_ne!(one.steps[2].static_key, other.steps[2].static_key);
    let known = Outputs(vec![(1, "train", file("train")), (1, "val", file("val"))]);
    let (one, other) = (
        resolve(&one, StepId(2), &known).unwrap(),
        resolve(&other, StepId(2), &known).unwrap(),
    );
    assert_eq!(one.key, other.key);
    assert_ne!(one.dependencies, other.dependencies);
    let graph = graph(&pipeline());
    assert_eq!(
        resolve(&graph, StepId(3), &known),
        Err(Unresolved::Unknown(StepId(2)))
    );
}

#[test]
fn a_difference_is_named_by_the_way_to_it() {
    let one = graph(&pipeline());
    let mut evaluation = pipeline();
    let mut args = training();
    let Some(Datum::Variant(_, adam)) = args.get_mut("optimizer") else {
        panic!()
    };
    adam.insert("lr", Datum::Float(0.0003));
    args.insert("clip_grad_norm", Datum::Float(1.0));
    evaluation.specs[2].args = Datum::Map(args);
    let other = graph(&evaluation);
    let bytes = |graph: &Graph| static_bytes(graph, StepId(2)).unwrap();
    let found = differences(&bytes(&one), &bytes(&other)).unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|found| {
            let words = |value: &Option<_>| value.as_ref().map(in_words);
            (found.path.join("."), words(&found.old), words(&found.new))
        })
        .collect();
    let words = |text: &str| Some(text.to_owned());
    let expected = [
        ("args.clip_grad_norm".to_owned(), None, words("1.0")),
        ("args.optimizer.lr".to_owned(), words("0.001"), words("0.0003")),
    ];
    assert_eq!(found, expected);
    assert_eq!(static_key::key(&bytes(&one)), one.steps[2].static_key);
    assert!(differences(b"", &bytes(&one)).is_err());
}
