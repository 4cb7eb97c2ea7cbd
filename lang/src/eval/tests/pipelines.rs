//! Pipelines to specs: names, origins, arguments as the builder programs read them.

use super::project::{Project, messages, project};
use crate::eval::{Demand, Render};
use crate::spec::{Builder, Datum, InputSource, OutputSpec};
use mlp_protocol::data::{CsvArgs, SplitArgs};
use mlp_protocol::train::{EvaluateArgs, Init, TrainArgs};
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) const DIGITS: &str = r#"import std.{data, loss, metrics, ml, nn, optim}

## Passes over the training set.
param epochs: Int = 20
param lr: Float = 1e-3

digits = data.csv(./digits.csv, x = data.pixels("p*", channels = 1, height = 8, width = 8), y = data.label("digit", classes = 10))
parts  = data.split(digits, { train: 0.7, val: 0.1, test: 0.2 }, seed = 1)

fn cnn(width: Int) = nn.sequential([
  nn.conv2d(width, kernel_size = 3, padding = 1), nn.relu, nn.max_pool2d(2),
  nn.flatten,
  nn.linear(10),
])

scores = { accuracy: metrics.accuracy, confusion: metrics.confusion_matrix }

fit = ml.train(
  cnn(32), on = parts.train, val = parts.val, loss = loss.cross_entropy,
  optimizer = optim.adam(lr = lr), metrics = scores, epochs = epochs, batch_size = 64, seed = 42,
)

evaluate = ml.evaluate(fit.model, on = parts.test, metrics = scores)
"#;

/// Data as the builder programs get it.
pub(super) fn json(datum: &Datum) -> Value {
    match datum {
        Datum::Null => Value::Null,
        Datum::Bool(value) => json!(value),
        Datum::Int(value) => json!(value),
        Datum::Float(value) => json!(value),
        Datum::Str(text) => json!(text.as_str()),
        Datum::List(items) => items.iter().map(json).collect(),
        Datum::Map(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), json(value)))
            .collect(),
        Datum::Variant(kind, fields) => {
            let mut object: serde_json::Map<_, _> = fields
                .iter()
                .map(|(name, value)| (name.to_string(), json(value)))
                .collect();
            object.insert("kind".to_owned(), json!(kind.as_str()));
            Value::Object(object)
        }
    }
}

/// Specs as JSON, with the text under their spans.
fn dump(project: &Project, specs: &[crate::spec::DerivationSpec]) -> String {
    let source = |source: &InputSource| match source {
        InputSource::Output { spec, output } => format!("{}.{output}", specs[spec.0 as usize].name),
        InputSource::Source(path) => path.clone(),
        other => format!("{other:?}"),
    };
    let output = |output: &OutputSpec| {
        let observed = if output.observed { " observed" } else { "" };
        format!("{:?}{observed} {}", output.kind, json(&output.schema))
    };
    let specs: Vec<_> = specs
        .iter()
        .map(|spec| {
            let Builder::Builtin(builder) = &spec.builder else { panic!("{:?}", spec.builder) };
            json!({
                "name": spec.name,
                "builder": builder.as_str(),
                "args": json(&spec.args),
                "inputs": spec.inputs.iter().map(|(name, input)| (name.to_string(), json!(source(&input.source)))).collect::<serde_json::Map<_, _>>(),
                "outputs": spec.outputs.iter().map(|(name, own)| (name.to_string(), json!(output(own)))).collect::<serde_json::Map<_, _>>(),
                "arguments": spec.origin.arguments.iter().map(|(name, span)| (name.to_string(), json!(project.sources.text(*span)))).collect::<serde_json::Map<_, _>>(),
            })
        })
        .collect();
    serde_json::to_string_pretty(&specs).unwrap()
}

#[test]
fn the_digits_pipeline() {
    let mut project = project(DIGITS);
    assert_eq!(project.wrong, "");
    let (outcome, said) = project.build(&["evaluate"]);
    assert_eq!(said, "");
    insta::assert_snapshot!("digits", dump(&project, &outcome.evaluation.specs));
    let targets: Vec<_> = outcome
        .evaluation
        .targets
        .iter()
        .map(|target| (target.label.as_str(), target.kind))
        .collect();
    insta::assert_debug_snapshot!(targets, @r#"
    [
        (
            "evaluate",
            Metrics,
        ),
    ]
    "#);
}

#[test]
fn arguments_are_what_the_builder_programs_read() {
    let mut project = project(DIGITS);
    let (outcome, _) = project.build(&["evaluate"]);
    for spec in &outcome.evaluation.specs {
        let Builder::Builtin(builder) = &spec.builder else {
            panic!("{:?}", spec.builder)
        };
        let args = json(&spec.args);
        let read = match builder.as_str() {
            "data.csv" => serde_json::to_value(serde_json::from_value::<CsvArgs>(args.clone()).unwrap()),
            "data.split" => serde_json::to_value(serde_json::from_value::<SplitArgs>(args.clone()).unwrap()),
            "ml.train" => serde_json::to_value(serde_json::from_value::<TrainArgs>(args.clone()).unwrap()),
            "ml.evaluate" => {
                serde_json::to_value(serde_json::from_value::<EvaluateArgs>(args.clone()).unwrap())
            }
            other => panic!("{other}"),
        };
        // What is read says no more than what was written, but for what is left out where it is usual.
        let (Value::Object(mut read), Value::Object(args)) = (read.unwrap(), args) else {
            panic!("{builder}")
        };
        for (name, usual) in [
            ("accumulate", json!(1)),
            ("checkpoint_every", json!(1)),
            ("stratify", json!(false)),
        ] {
            if !args.contains_key(name) && read.get(name) == Some(&usual) {
                read.remove(name);
            }
        }
        assert_eq!(Value::Object(read), Value::Object(args), "{builder}");
        assert!(mlp_protocol::builtin::find(builder).is_some(), "{builder}");
    }
}

#[test]
fn every_operation_on_data_can_be_built() {
    let mut project = project(
        "import std.{data}
rows = data.csv(
  ./rows.csv, x = { colour: data.category(\"colour\", [\"red\", \"green\"]), size: data.numeric(\"size\") },
  y = data.label(\"class\", classes = 4), meta = [\"patient\"],
)
tagged = data.csv(./rows.csv, x = data.numeric(\"size\"), y = data.tags(\"tags\", sep = \"|\", classes = [\"a\", \"b\"]))
sounds = data.csv(
  ./sounds.csv, x = data.audio(\"file\", root = ./sounds, rate = 8000, seconds = 0.5), y = data.label(\"class\", classes = 2),
)
all = [
  data.split(rows, { a: 0.5, b: 0.5 }, seed = 1, group = \"patient\").a,
  data.folds(rows, k = 3, column = \"patient\", stratify = true)[0].train,
  data.take(data.concat([rows, data.balance(rows, per_class = 5, seed = 1)]), 10, seed = 2),
]
top = data.top_classes(rows, 2)
images = data.log_mel(sounds, n_fft = 256, hop = 128, n_mels = 20)
louder = data.log_mel(sounds, n_fft = 256, hop = 128, n_mels = 20, rate = 8000)
",
    );
    let (outcome, _) = project.build(&["all", "top", "images", "louder", "tagged"]);
    let specs = &outcome.evaluation.specs;
    let builders: BTreeSet<String> = specs
        .iter()
        .map(|spec| {
            let Builder::Builtin(builder) = &spec.builder else {
                panic!("{:?}", spec.builder)
            };
            assert_eq!(
                mlp_protocol::understood::gaps(builder, &json(&spec.args)),
                [],
                "{builder}"
            );
            builder.to_string()
        })
        .collect();
    assert_eq!(builders.len(), 8, "{builders:?}");
}

/// A training with this network, and more of its arguments.
fn training(net: &str, more: &str) -> String {
    format!(
        "import std.{{data, loss, metrics, ml, nn, optim, schedule}}
digits = data.csv(./digits.csv, x = data.pixels(\"p*\", channels = 1, height = 8, width = 8), y = data.label(\"digit\", classes = 10))
net = {net}
fit = ml.train(net, on = digits, loss = loss.cross_entropy, optimizer = optim.sgd(0.1), epochs = 2, batch_size = 8, seed = 1{more})
"
    )
}

#[test]
fn every_layer_and_option_is_read() {
    let net = "nn.sequential([
  nn.normalize(mean = [0.5], std = [0.25]), nn.conv2d(4, kernel_size = [3, 3], stride = 2, padding = [1, 0], bias = false),
  nn.batch_norm, nn.gelu, nn.silu, nn.tanh, nn.sigmoid, nn.leaky_relu(negative_slope = 0.2), nn.avg_pool2d(2), nn.dropout(p = 0.1),
  nn.named(\"head\", nn.sequential([nn.flatten, nn.linear(10, bias = false)])),
])";
    let more = ", val = digits, metrics = { loss2: metrics.loss(loss.cross_entropy) }, schedule = schedule.cosine(10, warmup = 2),
  early_stopping = ml.early_stopping(3), keep = \"last\", clip_grad_norm = 1.0, accumulate = 2, device = \"cpu\", shards = 2,
  checkpoint_every = 5, resources = { cpus: 2, memory: 4GiB, time: 30min }";
    let mut project = project(&training(net, more));
    assert_eq!(project.wrong, "");
    let (outcome, said) = project.build(&["fit"]);
    assert_eq!(said, "");
    let spec = &outcome.evaluation.specs[1];
    serde_json::from_value::<TrainArgs>(json(&spec.args)).unwrap();
    insta::assert_snapshot!("every_layer", dump(&project, &outcome.evaluation.specs[1..]));
    assert_eq!(spec.resources.memory, Some(4 << 30));
    let labels: Vec<_> = outcome
        .evaluation
        .targets
        .iter()
        .map(|target| target.label.as_str())
        .collect();
    assert_eq!(
        labels,
        [
            "fit.model",
            "fit.last",
            "fit.history",
            "fit.val",
            "fit.best_epoch"
        ]
    );
}

#[test]
fn what_stops_a_training_is_said_as_little_as_can_be() {
    let rule = |arguments: &str| {
        let more = format!(
            ", val = digits, metrics = {{ top: metrics.accuracy }}, early_stopping = ml.early_stopping(3{arguments})"
        );
        let mut project = project(&training("nn.sequential([nn.flatten, nn.linear(10)])", &more));
        assert_eq!(project.wrong, "");
        let (outcome, said) = project.build(&["fit"]);
        assert_eq!(said, "");
        json(&outcome.evaluation.specs[1].args)["early_stopping"].to_string()
    };
    let plain = r#"{"min_delta":0.0,"patience":3}"#;
    assert_eq!(rule(""), plain);
    // The loss is what is watched anyway: one key.
    assert_eq!(rule(", min = e => e.val.loss"), plain);
    assert_eq!(
        rule(", max = e => e.val.top"),
        r#"{"max":"top","min_delta":0.0,"patience":3}"#
    );
}

#[test]
fn groups_are_said_in_the_order_of_writing() {
    let net = "nn.sequential([nn.flatten, nn.linear(8), nn.linear(10)])";
    let groups = "{ \"2\": { lr: 0.01 }, \"*\": { weight_decay: 0.1 }, \"1\": {} }";
    let text = training(net, "").replace("optim.sgd(0.1)", &format!("optim.sgd(0.1, groups = {groups})"));
    let mut project = project(&text);
    assert_eq!(project.wrong, "");
    let (outcome, said) = project.build(&["fit"]);
    assert_eq!(said, "");
    let args = serde_json::from_value::<TrainArgs>(json(&outcome.evaluation.specs[1].args)).unwrap();
    let layers: Vec<_> = args
        .optimizer
        .groups()
        .iter()
        .map(|group| group.layers.as_str())
        .collect();
    assert_eq!(layers, ["2", "*", "1"]);
    assert_eq!(args.optimizer.groups()[0].lr, Some(0.01));
}

#[test]
fn what_a_training_starts_from_and_leaves_alone_is_read() {
    let more = ", val = digits, init = nn.weights(./digits.csv, at = \"encoder\", skip = [\"head.*\"]), freeze = [\"1\"], ema = 0.99,
  schedule = schedule.plateau(3)";
    let mut project = project(&training(
        "nn.sequential([nn.flatten, nn.linear(8), nn.linear(10)])",
        more,
    ));
    assert_eq!(project.wrong, "");
    let (outcome, said) = project.build(&["fit"]);
    assert_eq!(said, "");
    let args = json(&outcome.evaluation.specs[1].args);
    let args = serde_json::from_value::<TrainArgs>(args).unwrap();
    assert_eq!(args.freeze, ["1"]);
    assert!(matches!(args.init, Some(Init::Weights { at, .. }) if at == "encoder"));
}

#[test]
fn specs_are_named_after_where_they_are_made() {
    let text = DIGITS.to_owned()
        + "
fn run(lr: Float) = { fit: ml.train(cnn(8), on = parts.train, loss = loss.cross_entropy, optimizer = optim.adam(lr = lr), epochs = 1, batch_size = 8, seed = 1) }
sweep = [run(lr) for lr in [0.01, 0.1]]
pair = [run(0.5), run(0.6)]
fn twice(lr: Float) =
  let first = run(lr)
  let second = run(lr / 2.0)
  [first, second]
both = twice(0.3)
inline = ml.evaluate(run(0.7).fit.model, on = parts.test, metrics = scores)
";
    let project = project(&text);
    assert_eq!(project.wrong, "");
    let outcome = project.evaluate(&Demand::All, Render::Nothing);
    let names: Vec<_> = outcome
        .evaluation
        .specs
        .iter()
        .map(|spec| spec.name.as_str())
        .collect();
    insta::assert_debug_snapshot!(names, @r#"
    [
        "digits",
        "parts",
        "fit",
        "evaluate",
        "sweep[lr=0.01].fit",
        "sweep[lr=0.1].fit",
        "pair[0].fit",
        "pair[1].fit",
        "both.first.fit",
        "both.second.fit",
        "inline.model.fit",
        "inline",
    ]
    "#);
}

#[test]
fn values_are_shown_with_their_artifacts() {
    let project = project(DIGITS);
    let outcome = project.evaluate(&Demand::All, Render::Text);
    let shown: Vec<_> = outcome
        .values
        .iter()
        .map(|shown| format!("{} = {}", shown.label, shown.text))
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    epochs = 20
    lr = 0.001
    digits = <Dataset digits>
    parts = { train: <Dataset parts.train>, val: <Dataset parts.val>, test: <Dataset parts.test> }
    cnn = <fn cnn>
    scores = { accuracy: accuracy(top_k = 1), confusion: confusion_matrix }
    fit = {
      model: <Model fit.model>,
      last: <Model fit.last>,
      history: <History fit.history>,
      val: <Metrics fit.val>,
      best_epoch: <Late fit.best_epoch>,
    }
    evaluate = <Metrics evaluate>
    ");
}

#[test]
fn a_network_has_layers_to_show() {
    let mut project = project(DIGITS);
    let (outcome, _) = project.build(&["fit"]);
    let rows: Vec<_> = outcome
        .layers
        .values()
        .map(|rows| crate::shapes::table(rows))
        .collect();
    insta::assert_snapshot!(rows.concat(), @r"
    layer  kind        output             parameters  FLOPs
    0      conv2d      [batch, 32, 8, 8]         320  38912
    1      relu        [batch, 32, 8, 8]           0   2048
    2      max_pool2d  [batch, 32, 4, 4]           0   2048
    3      flatten     [batch, 512]                0      0
    4      linear      [batch, 10]              5130  10250
           total                                5450  53258
    ");
}

#[test]
fn shapes_that_do_not_fit() {
    let said = |net: &str| messages(&training(net, ""));
    insta::assert_snapshot!(
        "wrong_in_features",
        said(
            "nn.sequential([\n  nn.conv2d(32, kernel_size = 3, padding = 1),\n  nn.max_pool2d(2),\n  nn.flatten,\n  nn.linear(10, in_features = 800),\n])"
        )
    );
    insta::assert_snapshot!(
        "wrong_in_channels",
        said("nn.conv2d(3, in_channels = 3, kernel_size = 3)")
    );
    insta::assert_snapshot!(
        "conv_on_flat",
        said("nn.sequential([nn.flatten, nn.conv2d(8, kernel_size = 3)])")
    );
    insta::assert_snapshot!(
        "window_too_large",
        said("nn.sequential([\n  nn.max_pool2d(4),\n  nn.conv2d(8, kernel_size = 3),\n])")
    );
    insta::assert_snapshot!("groups", said("nn.conv2d(8, kernel_size = 3, groups = 3)"));
    insta::assert_snapshot!("classes", said("nn.sequential([nn.flatten, nn.linear(9)])"));
    insta::assert_snapshot!(
        "not_flat",
        said("nn.sequential([nn.conv2d(8, kernel_size = 3), nn.linear(10)])")
    );
    insta::assert_snapshot!(
        "softmax_twice",
        said("nn.sequential([nn.flatten, nn.linear(10), nn.softmax])")
    );
    insta::assert_snapshot!(
        "dropout",
        said("nn.sequential([nn.flatten, nn.dropout(p = 1.5), nn.linear(10)])")
    );
}

#[test]
fn a_layer_in_a_function_is_blamed_where_it_is_written() {
    let text = training("block(4)", "")
        + "fn block(width: Int) = nn.sequential([\n  nn.flatten, nn.linear(width),\n  nn.linear(10, in_features = width + 1),\n])\n";
    insta::assert_snapshot!(messages(&text), @r"
    E0310 shape mismatch: `in_features` is 5, but 4 come in
      pipeline.mlp:7
          nn.linear(10, in_features = width + 1),
                                      ^^^^^^^^^ expects [batch, 5]
      pipeline.mlp:6
          nn.flatten, nn.linear(width),
                      ^^^^^^^^^^^^^^^^ produces [batch, 4]
      note: from [batch, 1, 8, 8]: flatten → [64], linear → [4]
      note: in `block`, called at pipeline.mlp:3:7
      help: leave `in_features` out, it is inferred; or write 4
      mend: write `in_features = 4` (`width + 1` to `4`)
    ");
}

#[test]
fn arguments_out_of_range() {
    let said = |more: &str| messages(&training("nn.sequential([nn.flatten, nn.linear(10)])", more));
    insta::assert_snapshot!(
        "metrics_without_val",
        said(", metrics = { accuracy: metrics.accuracy }")
    );
    insta::assert_snapshot!(
        "stopping_without_val",
        said(", early_stopping = ml.early_stopping(3)")
    );
    insta::assert_snapshot!(
        "top_k",
        said(", val = digits, metrics = { accuracy: metrics.accuracy(top_k = 11) }")
    );
    insta::assert_snapshot!(
        "mae_of_classes",
        said(", val = digits, metrics = { mae: metrics.mae }")
    );
    let text = training("nn.sequential([nn.flatten, nn.linear(10)])", "").replace("epochs = 2", "epochs = 0");
    insta::assert_snapshot!("epochs", messages(&text));
    let text = training("nn.sequential([nn.flatten, nn.linear(10)])", "").replace("sgd(0.1)", "sgd(-0.1)");
    insta::assert_snapshot!("lr", messages(&text));
    let text = training("nn.linear(10)", "")
        + "parts = data.split(digits, { train: 0.7, test: 0.2 }, seed = 1)\nloss_of_nothing = fit.val.loss\n";
    insta::assert_snapshot!("shares", messages(&text));
}

#[test]
fn equal_names_are_numbered() {
    let text = DIGITS.to_owned()
        + "fn pair(a: Int, b: Int) = map([a, b], n => [data.split(digits, { a: 0.5, b: 0.5 }, seed = n)][0])\nx = pair(1, 2)\ny = if len(x) == 2 then { both: [data.split(digits, { a: 1.0 }, seed = 3).a, data.split(digits, { a: 1.0 }, seed = 4).a] } else { both: [] }\nfn both(seed: Int) = max(len([data.split(digits, { a: 1.0 }, seed = seed)]), len([data.split(digits, { a: 1.0 }, seed = seed)]))\nz = both(1) + both(2)\n";
    let project = project(&text);
    assert_eq!(project.wrong, "");
    let outcome = project.evaluate(&Demand::All, Render::Nothing);
    let names: Vec<_> = outcome.evaluation.specs[4..]
        .iter()
        .map(|spec| spec.name.as_str())
        .collect();
    insta::assert_debug_snapshot!(names, @r#"
    [
        "x[0][0]",
        "x[1][0]",
        "y.both[0]",
        "y.both[1]",
        "z.a.xs[0]",
        "z.b.xs[0]",
        "z.a.xs[0]#2",
        "z.b.xs[0]#2",
    ]
    "#);
}
