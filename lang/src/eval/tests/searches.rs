//! Searches and arithmetic on results to specs: names, what each reads, arguments as the builder programs read them.

use super::project::{messages, project};
use crate::spec::{Builder, DerivationSpec, InputSource, LateValue};
use mlp_protocol::calc::CalcArgs;
use mlp_protocol::choose::ChooseArgs;
use mlp_protocol::propose::ProposeArgs;
use std::fmt::Write;

const SEARCH: &str = r#"import std.{data, loss, metrics, ml, nn, optim, search}
digits = data.csv(./digits.csv, x = data.pixels("p*", channels = 1, height = 8, width = 8), y = data.label("digit", classes = 10))
parts  = data.split(digits, { train: 0.7, val: 0.1, test: 0.2 }, seed = 1)
scores = { accuracy: metrics.accuracy, confusion: metrics.confusion_matrix }
fn cnn(width: Int) = nn.sequential([nn.conv2d(width, kernel_size = 3), nn.relu, nn.flatten, nn.linear(10)])
configs = search.random({ lr: search.log_uniform(1e-4, 1e-1), width: search.choice([16, 32, 64]) }, n = 4, seed = 7)
fn run(c: typeof(configs[0]), on: Dataset, epochs: Int, seed: Int) = ml.train(cnn(c.width), on = on, val = parts.val, loss = loss.cross_entropy,
  optimizer = optim.adam(lr = c.lr), epochs = epochs, batch_size = 64, seed = seed)

best  = search.halving(configs, rungs = [1, 3, 9], eta = 2, min = (c, epochs) => run(c, parts.train, epochs, 1).val.loss)
final = best.use(c => [run(c, parts.train, 9, s) for s in [1, 2, 3]])
evaluate = ml.summary([ml.evaluate(f.model, on = parts.test, metrics = scores) for f in final])
"#;

/// Specs in short: `name builder args <- inputs`.
fn brief(specs: &[DerivationSpec]) -> String {
    let mut text = String::new();
    for spec in specs {
        let Builder::Builtin(builder) = &spec.builder else {
            panic!("{:?}", spec.builder)
        };
        writeln!(text, "{} ({builder})", spec.name).unwrap();
        if ["calc", "choose", "propose"].contains(&builder.as_str()) {
            writeln!(text, "    {}", super::pipelines::json(&spec.args)).unwrap();
        }
        for (name, input) in &spec.inputs {
            writeln!(text, "    {name} = {}", source(specs, &input.source)).unwrap();
        }
    }
    text
}

fn source(specs: &[DerivationSpec], of: &InputSource) -> String {
    match of {
        InputSource::Output { spec, output } => format!("{}:{output}", specs[spec.0 as usize].name),
        InputSource::Chosen { index, candidates } => {
            let LateValue {
                source: chooser,
                path,
            } = &**index;
            let candidates: Vec<_> = candidates.iter().map(|one| source(specs, one)).collect();
            format!(
                "{}.{} of [{}]",
                source(specs, chooser),
                path.join("."),
                candidates.join(", ")
            )
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn a_search_whose_winner_is_trained_with_three_seeds() {
    let mut project = project(SEARCH);
    assert_eq!(project.wrong, "");
    let (outcome, said) = project.build(&["evaluate"]);
    assert_eq!(said, "");
    insta::assert_snapshot!("search", brief(&outcome.evaluation.specs));
}

#[test]
fn a_choice_and_what_it_chooses_can_be_built() {
    let mut project = project(SEARCH);
    let (outcome, said) = project.build(&["best", "final[1].model", "final[0].best_epoch"]);
    assert_eq!(said, "");
    let specs = &outcome.evaluation.specs;
    let targets = outcome.evaluation.targets.iter();
    let shown: Vec<_> = targets
        .map(|target| {
            format!(
                "{} {:?} {}",
                target.label,
                target.kind,
                source(specs, &target.source)
            )
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn arguments_are_what_the_builder_programs_read() {
    let text = SEARCH.to_owned()
        + "value = best.value\nby = min_by(configs, c => run(c, parts.train, 3, 1).val.loss / 2.0 + 1.0)\n\
           ok = assert(evaluate.accuracy.mean > 0.9, \"too low\")\nname = by.use(c => { name: if c.width > 16 then [\"wide\"] else [\"a\", \"b\"] }).name\n";
    let mut project = project(&text);
    assert_eq!(project.wrong, "");
    let (outcome, said) = project.build(&["evaluate", "value", "by", "ok", "name"]);
    assert_eq!(said, "");
    let mut kinds = std::collections::BTreeSet::new();
    for spec in &outcome.evaluation.specs {
        let Builder::Builtin(builder) = &spec.builder else {
            panic!("{:?}", spec.builder)
        };
        let args = super::pipelines::json(&spec.args);
        let read = match builder.as_str() {
            "calc" => serde_json::to_value(serde_json::from_value::<CalcArgs>(args.clone()).unwrap()),
            "choose" => serde_json::to_value(serde_json::from_value::<ChooseArgs>(args.clone()).unwrap()),
            _ => continue,
        };
        assert_eq!(read.unwrap(), args, "{}", spec.name);
        kinds.insert(builder.clone());
    }
    assert_eq!(kinds.len(), 2);
}

#[test]
fn formulas_that_share_parts_stay_small() {
    let doubled = |n: usize| {
        (0..n)
            .map(|i| format!("x{} = x{i} + x{i}\n", i + 1))
            .collect::<String>()
    };
    let text = SEARCH.to_owned()
        + "x0 = evaluate.accuracy.mean\n"
        + &doubled(60)
        + "long = fold(range(2000), x0, (s, i) => s * 0.5)\n";
    let mut project = project(&text);
    let (outcome, said) = project.build(&["x60", "long"]);
    assert_eq!(said, "");
    let specs = &outcome.evaluation.specs;
    let largest = specs.iter().map(|spec| format!("{:?}", spec.args).len()).max();
    assert!(specs.len() < 200, "{}", specs.len());
    assert!(largest < Some(20_000), "{largest:?}");
}

#[test]
fn what_is_computed_is_called_after_what_asks_for_it() {
    let text =
        SEARCH.to_owned() + "half = evaluate.accuracy.mean / 2.0\nreport = { half, more: [half + 1.0] }\n";
    let mut project = project(&text);
    let (outcome, _) = project.build(&["report"]);
    let specs = outcome.evaluation.specs;
    let names: Vec<_> = specs
        .iter()
        .rev()
        .take(2)
        .map(|spec| spec.name.as_str())
        .collect();
    assert_eq!(names, ["report.more[0]", "report.half"]);
}

#[test]
fn a_candidate_that_fails_is_named() {
    let text = SEARCH.to_owned()
        + "flat = best.use(c => run({ lr: c.lr, width: c.width - 16 }, parts.train, 1, 1).model)\n";
    insta::assert_snapshot!(messages(&text));
}

#[test]
fn a_search_by_a_model_is_a_row_of_proposals() {
    let text = SEARCH.replace(
        "best  = search.halving(configs, rungs = [1, 3, 9], eta = 2, min = (c, epochs) => run(c, parts.train, epochs, 1).val.loss)",
        "best  = search.bayes(configs, n = 3, min = c => run(c, parts.train, 2, 1).val.loss)",
    );
    let mut project = project(&text);
    assert_eq!(project.wrong, "");
    let (outcome, said) = project.build(&["best"]);
    assert_eq!(said, "");
    let specs = &outcome.evaluation.specs;
    insta::assert_snapshot!("bayes", brief(specs));
    for spec in specs {
        if spec.builder == Builder::Builtin("propose".into()) {
            let args = super::pipelines::json(&spec.args);
            let read: ProposeArgs = serde_json::from_value(args.clone()).unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), args, "{}", spec.name);
        }
    }
}

#[test]
fn more_trials_keep_those_that_there_are() {
    let specs = |n: usize| {
        let text = format!(
            "{SEARCH}pool = search.random({{ lr: search.log_uniform(1e-4, 1e-1) }}, n = 12, seed = 7)\n\
             more = search.bayes(pool, n = {n}, min = c => run({{ lr: c.lr, width: 16 }}, parts.train, 2, 1).val.loss)\n"
        );
        let mut project = project(&text);
        let (outcome, said) = project.build(&["more"]);
        assert_eq!(said, "");
        outcome.evaluation.specs
    };
    let (few, many) = (specs(5), specs(8));
    // All but the chooser.
    let trials = few.len() - 1;
    assert_eq!(brief(&few[..trials]), brief(&many[..trials]));
    assert_eq!(many.len() - few.len(), 6);
}

#[test]
fn a_choice_among_choices_is_one_among_all_candidates() {
    let text = SEARCH.to_owned()
        + "width = min_by([16, 32], width => run({ lr: 0.1, width }, parts.train, 1, 1).val.loss)\n\
           both = width.use(width => min_by([{ lr, width } for lr in [0.1, 0.01]], c => run(c, parts.train, 2, 1).val.loss))\n\
           model = both.use(c => run(c, parts.train, 9, 1).model)\n";
    let mut project = project(&text);
    assert_eq!(project.wrong, "");
    let (outcome, said) = project.build(&["model"]);
    assert_eq!(said, "");
    insta::assert_snapshot!("choice_among_choices", brief(&outcome.evaluation.specs));
}
