//! Datasets, models and predictions that scripts write: taken by the library's steps like their own, or refused with what is
//! wrong with them.

use crate::project::Project;

/// Writes safetensors as anybody can: lists of numbers, their shapes, their types.
const SAFE: &str = r#"import json, os, struct

def save(path, **tensors):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    header, data = {}, b""
    for name, (dtype, shape, values) in tensors.items():
        code = {"F32": "f", "F64": "d", "I64": "q"}[dtype]
        part = struct.pack(f"<{len(values)}{code}", *values)
        header[name.replace("__", ".")] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(header).encode()
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + data)
"#;

const POINTS: &str = r#"from safe import save
rows = [(x / 8, y / 8) for x in range(-8, 8) for y in range(-8, 8)]
save("data/x.safetensors", x=("F32", [256, 2], [v for row in rows for v in row]))
save("data/y.safetensors", y=("I64", [256], [int(x + y > 0) for x, y in rows]))
open("data/meta.csv", "w").write("id\n" + "\n".join(str(i) for i in range(256)) + "\n")
"#;

/// Says 1 where x + y > 0, which is always right.
const FIT: &str = r#"import json
from safe import save
assert json.load(open("inputs/data/dataset.json"))["examples"] > 0
save("model.safetensors", weight=("F32", [2, 2], [-1, -1, 1, 1]), bias=("F32", [2], [0, 0]))
save("said.safetensors", outputs=("F32", [1, 2], [0, 1]), y=("I64", [1], [1]))
"#;

const PIPELINE: &str = r#"import std.{data, env, loss, metrics, ml, nn, optim, step}

python = env.host(["python3"])
scores = { accuracy: metrics.accuracy }

points = step(
  ["python3", ./points.py], env = python, inputs = { safe: ./safe.py },
  outputs = { data: Dataset[Vector(2), Class(2)]("data") },
)
parts = data.split(points.data, { train: 0.5, test: 0.5 }, seed = 1)

net = nn.linear(2)
fit = step(
  ["python3", ./fit.py], env = python, inputs = { safe: ./safe.py, data: parts.train },
  outputs = { model: Model(net, "model.safetensors"), said: Predictions("said.safetensors") },
)
evaluate = ml.evaluate(fit.model, on = parts.test, metrics = scores)
trained = ml.train(
  net, on = parts.train, loss = loss.cross_entropy, optimizer = optim.sgd(lr = 0.5), epochs = 2, batch_size = 32, seed = 1,
)
"#;

fn project() -> Project {
    Project::small();
    let project = Project::new(PIPELINE);
    project.write("safe.py", SAFE);
    project.write("points.py", POINTS);
    project.write("fit.py", FIT);
    project
}

/// Builds `target` after a change of the script, which must fail and register nothing.
fn refused(file: &str, old: &str, new: &str, target: &str) -> String {
    let project = project();
    project.edit(file, old, new);
    let shown = project.shown(&["build", target]);
    assert!(!project.root().join("result").exists(), "{shown}");
    let step = target.split('.').next().unwrap();
    assert_eq!(project.run(&["log", step]).code, Some(0), "its log is kept");
    shown
}

#[test]
fn the_library_trains_and_scores_what_scripts_wrote() {
    let project = project();
    let report = project.build(&["evaluate", "fit.said"]);
    assert_eq!(report.built(), ["evaluate", "fit", "parts", "points"]);
    assert_eq!(report.0["artifacts"][0]["value"]["accuracy"], 1.0);
    assert_eq!(project.build(&["trained.model"]).built(), ["trained"]);
    // Like those of the library, results are found again, and a model is a folder.
    assert!(project.build(&["evaluate", "fit.model"]).built().is_empty());
    let linked = std::fs::read_dir(project.root().join("result")).unwrap();
    let names: Vec<String> = linked
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(names.contains(&"fit.model".to_owned()), "{names:?}");
}

#[test]
fn a_model_of_written_types_is_scored_on_any_data_with_its_labels() {
    let project = project();
    let points = (-20..20).map(|i| format!("{i},{},{}\n", i + 1, u8::from(2 * i + 1 > 0)));
    project.write(
        "table.csv",
        &("a,b,above\n".to_owned() + &points.collect::<String>()),
    );
    let more = "table = data.csv(./table.csv, x = data.vector([\"a\", \"b\"]), y = data.label(\"above\", classes = 2))\n\
                alone = step([\"python3\", ./alone.py], env = python, inputs = { safe: ./safe.py },\n\
                outputs = { model: Model[Vector(2), Class(2)](net, \"m\") })\n\
                scored = ml.evaluate(alone.model, on = table, metrics = scores)\n";
    project.write("pipeline.mlp", &(PIPELINE.to_owned() + more));
    let alone = FIT
        .lines()
        .filter(|line| !line.contains("assert") && !line.contains("said"));
    let alone: Vec<&str> = alone.collect();
    project.write("alone.py", &alone.join("\n").replace("model.safetensors", "m"));
    assert_eq!(
        project.build(&["scored"]).0["artifacts"][0]["value"]["accuracy"],
        1.0
    );
    // One that was given its dataset is of that one, and of those that were read in the same way.
    project.edit(
        "pipeline.mlp",
        "{ safe: ./safe.py },\noutputs",
        "{ safe: ./safe.py, data: table },\noutputs",
    );
    project.edit(
        "pipeline.mlp",
        "Model[Vector(2), Class(2)](net, \"m\")",
        "Model(net, \"m\")",
    );
    assert!(project.build(&["scored"]).built().contains(&"scored".to_owned()));
    project.edit("pipeline.mlp", "on = table", "on = parts.test");
    let ran = project.run(&["build", "scored"]);
    assert!(ran.err.contains("error B0204"), "{}", ran.err);
}

#[test]
fn datasets_that_are_not_what_was_declared() {
    let shape = refused("points.py", "[256, 2]", "[128, 4]", "points.data");
    insta::assert_snapshot!("dataset_shape", shape);
    insta::assert_snapshot!("dataset_dtype", refused("points.py", "F32", "F64", "points.data"));
    let class = refused("points.py", "int(x + y > 0)", "int(x + y > 0) * 2", "points.data");
    insta::assert_snapshot!("dataset_class", class);
    insta::assert_snapshot!(
        "dataset_meta",
        refused("points.py", "range(256)", "range(255)", "points.data")
    );
}

#[test]
fn models_that_are_not_of_their_network() {
    let turned = refused(
        "fit.py",
        "[2, 2], [-1, -1, 1, 1]",
        "[4], [-1, -1, 1, 1]",
        "fit.model",
    );
    insta::assert_snapshot!("model_shape", turned);
    let missing = refused(
        "fit.py",
        "bias=(\"F32\", [2], [0, 0])",
        "offset=(\"F32\", [2], [0, 0])",
        "fit.model",
    );
    insta::assert_snapshot!("model_missing", missing);
    let integers = refused("fit.py", "bias=(\"F32\"", "bias=(\"I64\"", "fit.model");
    insta::assert_snapshot!("model_dtype", integers);
    let text = refused(
        "fit.py",
        "save(\"said",
        "open(\"model.safetensors\", \"w\").write(\"{}\")\nsave(\"said",
        "fit.model",
    );
    insta::assert_snapshot!("model_no_safetensors", text);
}

#[test]
fn what_does_not_say_its_data() {
    let project = project();
    project.edit("pipeline.mlp", ", data: parts.train }", " }");
    insta::assert_snapshot!("model_of_no_data", project.shown(&["check"]));
    project.edit("pipeline.mlp", "Model(net", "Model[Vector(3), Class(2)](net");
    project.edit("pipeline.mlp", ", said: Predictions(\"said.safetensors\")", "");
    insta::assert_snapshot!("model_of_other_data", project.shown(&["check"]));
}
