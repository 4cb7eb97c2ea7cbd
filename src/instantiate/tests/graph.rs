//! Graphs: merging, demand, choices, commands, and what is wrong with sources.

use super::*;
use mlp_lang::spec::Fields;

#[test]
fn equal_specs_are_one_step_with_all_its_names() {
    let mut evaluation = pipeline();
    let mut twin = evaluation.specs[2].clone();
    twin.name = "again".into();
    evaluation.specs.push(twin);
    evaluation.targets.push(TargetArtifact {
        label: "again.model".into(),
        source: output(4, "model"),
        kind: ArtifactKind::Model,
    });
    let graph = graph(&evaluation);
    assert_eq!(graph.steps.len(), 4);
    assert_eq!(graph.steps[2].names, ["fit", "again"]);
    assert_eq!(
        output_of(&graph.targets[1].source, &Nothing),
        Some((StepId(2), "model"))
    );
}

#[test]
fn only_what_targets_demand_is_there() {
    let mut evaluation = pipeline();
    evaluation.targets[0].source = output(1, "train");
    let graph = graph(&evaluation);
    assert_eq!(keys(&graph).keys().collect::<Vec<_>>(), ["digits", "parts"]);
    evaluation.targets.clear();
    assert!(requests(&evaluation).is_empty());
}

#[test]
fn a_choice_is_its_winner() {
    let mut evaluation = pipeline();
    let mut other = evaluation.specs[2].clone();
    other.name = "other".into();
    evaluation.specs.push(other);
    set(&mut evaluation, 4, "seed", Datum::Int(5));
    let mut last = evaluation.specs[3].clone();
    last.name = "final".into();
    let choice = InputSource::Chosen {
        index: Box::new(LateValue {
            source: output(3, "metrics"),
            path: vec!["best".into(), "0".into()],
        }),
        candidates: vec![output(2, "model"), output(4, "model")],
    };
    last.inputs.get_mut("model").unwrap().source = choice.clone();
    evaluation.specs.push(last);
    evaluation.targets[0].source = output(5, "metrics");
    evaluation.targets.push(TargetArtifact {
        label: "chosen".into(),
        source: choice,
        kind: ArtifactKind::Model,
    });
    let graph = graph(&evaluation);
    assert_eq!(graph.steps.len(), 6);
    let known = |chooser: &str| {
        Outputs(vec![
            (1, "test", file("test")),
            (1, "val", file("val")),
            (2, "model", file("model 2")),
            (4, "model", file("model 4")),
            (3, "metrics", file(chooser)),
        ])
    };
    let winner = |chooser| {
        let resolution = resolve(&graph, StepId(5), &known(chooser))?;
        Ok::<_, Unresolved>(resolution.inputs["inputs/model"].node)
    };
    assert_eq!(winner("first"), Ok(file("model 2")));
    assert_eq!(winner("second"), Ok(file("model 4")));
    assert_eq!(
        winner("third"),
        Err(Unresolved::Value("there is no candidate 2".into()))
    );
    // Before it is decided, both may be read; then one is, and the other is not asked for.
    let derivation = &graph.step(StepId(5)).derivation;
    let steps = |read: Vec<(StepId, &str)>| read.into_iter().map(|(step, _)| step.0).collect::<Vec<_>>();
    let open = reads(derivation, &Nothing);
    let (must, may) = (steps(open.must), steps(open.may));
    assert!(must.contains(&3) && !must.contains(&2), "{must:?}");
    assert_eq!(may, [2, 4]);
    let decided = reads(derivation, &known("second"));
    assert!(steps(decided.must).contains(&4) && decided.may.is_empty());
    assert_eq!(
        output_of(&graph.targets[1].source, &known("second")),
        Some((StepId(4), "model"))
    );
}

#[test]
fn what_is_wrong_with_sources_is_said_where_they_are_named() {
    let missing = SourceProblem::Missing {
        near: vec!["digits.csv".into()],
    };
    let request = SourceRequest::Path("digits.csv".into());
    let errors = instantiate(
        &mut pipeline(),
        &[(request.clone(), Err(missing))].into(),
        &Default::default(),
        &machine(),
    )
    .unwrap_err();
    assert_eq!(errors.len(), 1, "none that follows from another: {errors:?}");
    assert_eq!((errors[0].code, errors[0].span()), ("E0501", span(10)));
    assert_eq!(errors[0].help.as_deref(), Some("did you mean `./digits.csv`?"));
    let directory = Node::Dir {
        tree: Digest::of_blob(b""),
    };
    let table = [(request, Ok(SourceContent::Node(directory)))].into();
    let errors = instantiate(&mut pipeline(), &table, &Default::default(), &machine()).unwrap_err();
    assert_eq!(errors[0].code, "E0502");
    assert_eq!(
        errors[0].message,
        "`digits.csv` is a directory, and `data.csv` reads a file"
    );
    let mut evaluation = pipeline();
    set(&mut evaluation, 2, "device", text("cuda"));
    let errors = instantiate(&mut evaluation, &sources(""), &Default::default(), &machine()).unwrap_err();
    assert_eq!(
        errors.iter().map(|error| error.code).collect::<Vec<_>>(),
        ["E0507"]
    );
}

#[test]
fn commands_find_sources_at_their_own_paths_and_artifacts_at_inputs() {
    let mut evaluation = pipeline();
    let source = |path: &str| InputSource::Source(path.into());
    let mut command = spec(
        "table",
        "",
        Datum::Map(Fields::new()),
        &[("data", output(1, "val"))],
        &[],
    );
    let argv = vec![
        vec![Piece::Text("python".into())],
        vec![Piece::Input(source("src/table.py"))],
        vec![Piece::Text("--on=".into()), Piece::Input(output(1, "val"))],
        vec![Piece::Input(output(1, "train"))],
        vec![Piece::Late(Box::new(LateValue {
            source: output(3, "metrics"),
            path: vec!["accuracy".into()],
        }))],
    ];
    command.builder = Builder::Command(Command {
        argv,
        stdin: None,
        threads: 1,
    });
    command.cwd = Some("src".into());
    let output_spec = OutputSpec {
        kind: ArtifactKind::File,
        path: Some("table.txt".into()),
        schema: Datum::Null,
        optional: false,
        observed: false,
    };
    command.outputs.insert("table", output_spec);
    command.inputs.insert(
        "src",
        Input {
            source: InputSource::Glob("lib/*.py".into()),
            span: span(20),
        },
    );
    evaluation.specs.push(command);
    evaluation.targets[0].source = output(4, "table");
    assert_eq!(requests(&evaluation).len(), 3);
    let mut table = sources("a,b\n");
    table.insert(
        SourceRequest::Path("src/table.py".into()),
        Ok(SourceContent::Node(file("script"))),
    );
    let files = [
        ("lib/a.py".to_owned(), file("a")),
        ("lib/b.py".to_owned(), file("b")),
    ];
    table.insert(
        SourceRequest::Glob("lib/*.py".into()),
        Ok(SourceContent::Files(files.into())),
    );
    let graph = instantiate(&mut evaluation, &table, &Default::default(), &machine()).unwrap();
    let known = Outputs(vec![
        (1, "val", file("val")),
        (1, "train", file("train")),
        (3, "metrics", file("good")),
    ]);
    let resolution = resolve(&graph, StepId(4), &known).unwrap();
    assert_eq!(
        resolution.argv,
        [
            "python",
            "../src/table.py",
            "--on=../inputs/data",
            "../inputs/train",
            "0.9"
        ]
    );
    let mounts: Vec<_> = resolution.inputs.keys().map(String::as_str).collect();
    assert_eq!(
        mounts,
        [
            "inputs/data",
            "inputs/train",
            "lib/a.py",
            "lib/b.py",
            "src/table.py"
        ]
    );
    assert_eq!(
        resolution.inputs["src/table.py"].source.as_deref(),
        Some("src/table.py")
    );
    assert_eq!(resolution.inputs["inputs/data"].source, None);
}

#[test]
fn every_code_that_is_reported_here_has_a_page() {
    let sources = [
        include_str!("../mod.rs"),
        include_str!("../command.rs"),
        include_str!("../problem.rs"),
    ];
    let codes = sources.iter().flat_map(|source| {
        let places = source.match_indices("\"E05");
        places.map(|(at, _)| &source[at + 1..at + 6])
    });
    let mut count = 0;
    for code in codes {
        count += 1;
        assert!(mlp_lang::codes::find(code).is_some(), "no page for {code}");
    }
    assert!(count >= 12, "{count} codes");
}
