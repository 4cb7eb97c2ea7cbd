//! Traced functions: their graphs in specs, and what is said of shapes that do not fit.

use super::pipelines::{self, DIGITS};
use super::project::{messages, project};
use crate::library::Library;
use crate::spec::Datum;
use mlp_protocol::train::Loss;
use serde_json::json;

/// The digits, trained with a loss, a layer and other arguments.
fn training(loss: &str, layer: &str, rest: &str) -> String {
    let (head, _) = DIGITS.split_once("fn cnn").unwrap();
    let head = head.replace("std.{", "std.{schedule, tensor, ");
    format!(
        "{head}
fit = ml.train(
  nn.sequential([nn.flatten, {layer}, nn.linear(10)]), on = parts.train, val = parts.val,
  loss = {loss},
  optimizer = optim.sgd(lr), epochs = 4, batch_size = 64, seed = 42,{rest}
)
"
    )
}

const CROSS: &str = "loss.cross_entropy";

fn with_loss(loss: &str) -> String {
    messages(&training(loss, "nn.relu", ""))
}

fn with_layer(layer: &str) -> String {
    messages(&training(CROSS, layer, ""))
}

/// An argument of the training as JSON.
fn argument(text: &str, name: &str) -> serde_json::Value {
    let mut project = project(text);
    assert_eq!(project.wrong, "");
    let (outcome, said) = project.build(&["fit"]);
    assert_eq!(said, "");
    let spec = outcome.evaluation.specs.last().unwrap();
    let Datum::Map(args) = &spec.args else { panic!() };
    pipelines::json(args.get(name).unwrap())
}

/// Whether the trainer reads what the language says.
#[test]
fn the_trainer_reads_every_operation() {
    let text = Library::standard().text("tensor").unwrap();
    let args = |head: &str| {
        let given = [
            ("tensors: List[Tensor]", "[x, x]"),
            ("dims: List[Int]", "[0, 1]"),
            ("shape: List[Int]", "[-1, 64]"),
            ("condition: Tensor", "x > 0"),
            (
                "index: Tensor",
                "index = tensor.argmax(x, dim = 1, keepdim = true)",
            ),
            ("x: Tensor", "x"),
            ("y: Tensor", "y"),
            ("num_classes: Int", "num_classes = 64"),
            ("dim: Int,", "dim = 1"),
            ("dim: Int)", "dim = 1"),
            ("dim0: Int", "dim0 = 0"),
            ("dim1: Int", "dim1 = 1"),
            ("index: Int", "index = 0"),
            ("start: Int", "start = 0"),
            ("length: Int", "length = 2"),
        ];
        let mut found: Vec<_> = given
            .iter()
            .filter_map(|(param, arg)| Some((head.find(param)?, *arg)))
            .collect();
        found.sort();
        found
            .into_iter()
            .map(|(_, arg)| arg)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut calls = vec!["2 - x", "x + 1", "x * 0.5", "x / 2", "x ** 2", "-x"]
        .into_iter()
        .map(str::to_owned)
        .collect::<Vec<_>>();
    for sign in ["==", "!=", "<", "<=", ">", ">="] {
        calls.push(format!("tensor.float(x {sign} 0)"));
    }
    for item in text.split("\nfn ").skip(1) {
        let head = item.split("\n#").next().unwrap().trim_end();
        if let Some(head) = head.strip_suffix(" -> Tensor = intrinsic") {
            let name = head.split('(').next().unwrap();
            let mut given = args(head);
            match name {
                "one_hot" => given = given.replace("x,", "tensor.argmax(x, dim = 1),"),
                "squeeze" => given = "tensor.unsqueeze(x, dim = 1), dim = 1".to_owned(),
                "logical_not" => given = "x > 0".to_owned(),
                "logical_and" | "logical_or" => given = "x > 0, x < 1".to_owned(),
                "matmul" => given = "x, tensor.transpose(x, dim0 = 0, dim1 = 1)".to_owned(),
                _ => given = given.replace('y', "2"),
            }
            calls.push(format!("tensor.{name}({given})"));
        }
    }
    assert!(calls.len() > 60, "{}", calls.len());
    for call in calls {
        let loss = format!("loss.custom((x, y) => tensor.mean(x) + tensor.mean(tensor.float({call})))");
        let text = training(&loss, "nn.relu", "").replace("nn.linear(10)", "nn.linear(64)");
        let found: Loss =
            serde_json::from_value(argument(&text, "loss")).unwrap_or_else(|error| panic!("{call}: {error}"));
        assert_eq!(
            serde_json::to_value(found).unwrap(),
            argument(&text, "loss"),
            "{call}"
        );
    }
}

/// A graph, a node a line.
fn nodes(graph: &serde_json::Value) -> String {
    let lines = graph.as_array().unwrap().iter().map(serde_json::Value::to_string);
    lines.collect::<Vec<_>>().join("\n")
}

const FOCAL: &str = "loss.custom((out, y) =>
    let p = tensor.softmax(out, dim = 1)
    let unused = tensor.exp(out)
    let right = tensor.squeeze(tensor.gather(p, dim = 1, index = tensor.unsqueeze(y, dim = 1)), dim = 1)
    tensor.mean(-(1 - right) ** 2.0 * tensor.log(right))
  )";

#[test]
fn a_loss_is_a_graph() {
    let text = training(FOCAL, "nn.relu", "");
    insta::assert_snapshot!("focal", nodes(&argument(&text, "loss")["graph"]));
    // A loss may compare examples with each other, so the batch stays whole.
    assert_eq!(argument(&text, "shards"), 1);
}

#[test]
fn a_layer_is_a_graph() {
    let text = training(CROSS, "nn.fn(x => x * tensor.sigmoid(1.5 * x))", "");
    insta::assert_snapshot!(
        "swish",
        nodes(&argument(&text, "net")["root"]["layers"][1]["graph"])
    );
}

/// Neither the order of `let` lines, nor names, nor what is not needed, nor writing an operation twice is in the graph.
#[test]
fn equal_functions_are_one_graph() {
    let graph = |loss: &str| argument(&training(&format!("loss.custom({loss})"), "nn.relu", ""), "loss");
    let one = graph(
        "(out, y) =>
    let a = tensor.exp(out)
    let b = tensor.sum(out, dim = 1)
    tensor.mean(a) + tensor.mean(b * b)",
    );
    let other = graph(
        "(o, t) =>
    let n = tensor.cumsum(o, dim = 1)
    let s = tensor.sum(o, dim = 1)
    let e = tensor.exp(o)
    tensor.mean(e) + tensor.mean(s * tensor.sum(o, dim = -1 + 2))",
    );
    assert_eq!(one, other);
    assert_ne!(one, graph("(out, y) => tensor.mean(tensor.exp(out))"));
}

#[test]
fn shapes_that_do_not_fit() {
    insta::assert_snapshot!(
        "classes",
        with_loss("loss.custom((out, y) => tensor.mean((out - y) ** 2))")
    );
    insta::assert_snapshot!(
        "both_shapes",
        with_loss(
            "loss.custom((out, y) =>
    let p = tensor.softmax(out, dim = 1)
    let hot = tensor.one_hot(y, 9)
    tensor.mean((p - hot) ** 2))"
        )
    );
    insta::assert_snapshot!(
        "library",
        with_loss("loss.custom((out, y) => tensor.mse_loss(out, y))")
    );
    insta::assert_snapshot!("function", with_loss("loss.custom(tensor.mse_loss)"));
    insta::assert_snapshot!(
        "dimension",
        with_loss("loss.custom((out, y) => tensor.mean(tensor.softmax(out, dim = 2)))")
    );
    insta::assert_snapshot!(
        "crossed",
        with_loss(
            "loss.custom((out, y) =>
    let top = tensor.max(out, dim = 1, keepdim = true)
    tensor.mean((top - tensor.float(y)) ** 2))"
        )
    );
}

#[test]
fn what_a_loss_must_be() {
    insta::assert_snapshot!(
        "per_example",
        with_loss("loss.custom((out, y) => tensor.logsumexp(out, dim = 1))")
    );
    insta::assert_snapshot!(
        "flat",
        with_loss("loss.custom((out, y) => 1 - tensor.mean(tensor.float(tensor.argmax(out, dim = 1) == y)))")
    );
    insta::assert_snapshot!(
        "independent",
        with_loss("loss.custom((out, y) => tensor.mean(tensor.float(y)))")
    );
    insta::assert_snapshot!("constant", with_loss("loss.custom((out, y) => 0.5)"));
    insta::assert_snapshot!(
        "constant_tensor",
        with_loss("loss.custom((out, y) => tensor.exp(1.0))")
    );
    insta::assert_snapshot!(
        "stray",
        with_loss(
            "loss.custom((out, y) =>
    let inner = nn.fn(x => x + out)
    tensor.mean(out))"
        )
    );
}

#[test]
fn what_a_layer_must_be() {
    insta::assert_snapshot!("no_batch", with_layer("nn.fn(x => tensor.mean(x))"));
    insta::assert_snapshot!("mixing", with_layer("nn.fn(x => x - tensor.mean(x, dim = 0))"));
    insta::assert_snapshot!("boolean", with_layer("nn.fn(x => x > 0)"));
    insta::assert_snapshot!("incoming", with_layer("nn.fn(x => tensor.reshape(x, [-1, 60]))"));
    let helper = "half";
    let text = training(CROSS, helper, "").replace(
        "fit =",
        "fn split(x: Tensor, n: Int) = tensor.narrow(x, dim = 1, start = n, length = n)\nhalf = nn.fn(x => split(x, 33))\nfit =",
    );
    insta::assert_snapshot!("helper", messages(&text));
}

#[test]
fn a_metric_of_the_library_needs_an_output_like_the_labels() {
    let text = training(
        "loss.custom((out, y) => tensor.mean(out ** 2))",
        "nn.relu",
        " metrics = { a: metrics.accuracy },",
    );
    insta::assert_snapshot!("wide", messages(&text.replace("nn.linear(10)", "nn.linear(20)")));
}

#[test]
fn metrics_and_schedules() {
    let metric = |f: &str| {
        messages(&training(
            CROSS,
            "nn.relu",
            &format!(" metrics = {{ m: metrics.custom({f}, Maximize) }},"),
        ))
    };
    assert_eq!(
        metric("(out, y) => tensor.mean(tensor.float(tensor.argmax(out, dim = 1) == y))"),
        ""
    );
    assert_eq!(
        metric("(out, y) => tensor.sum(tensor.argmax(out, dim = 1) == y)"),
        ""
    );
    insta::assert_snapshot!("metric", metric("(out, y) => tensor.argmax(out, dim = 1) == y"));
    let schedule = |f: &str| training(CROSS, "nn.relu", &format!(" schedule = schedule.custom({f}),"));
    assert_eq!(
        argument(&schedule("epoch => 1 / (1 + epoch)"), "schedule"),
        json!({ "kind": "custom", "factors": [1.0, 0.5, 1.0 / 3.0, 0.25] })
    );
    insta::assert_snapshot!("negative", messages(&schedule("epoch => 1 - 0.5 * float(epoch)")));
}

#[test]
fn what_grows_without_end_is_refused() {
    let grown = |step: &str| {
        with_loss(&format!(
            "loss.custom((out, y) => tensor.mean(fold(range(70), out, (s, i) => {step})))"
        ))
    };
    // The batch's power would pass any bound.
    let squared =
        "tensor.reshape(tensor.matmul(tensor.reshape(s, [-1, 1]), tensor.reshape(s, [1, -1])), [-1])";
    assert_eq!(grown(squared), "");
    assert!(grown("tensor.unsqueeze(s, 0)").starts_with("E0330 `tensor.unsqueeze` gives 65 dimensions"));
    let many = "loss.custom((out, y) => tensor.mean(fold(range(60000), out, (s, i) => s + 1)))";
    assert!(with_loss(many).starts_with("E0338 "));
    // Lists that are shared are many operands all the same.
    let wide = "loss.custom((out, y) =>
    let all = [out for i in range(1000)]
    tensor.mean(fold(range(1000), out, (s, i) => tensor.maximum(s, tensor.mean(tensor.cat(all))))))";
    assert!(with_loss(wide).starts_with("E0338 "));
}

/// A function without parameters stands for the loss that it gives.
#[test]
fn the_batch_stays_whole_behind_a_function() {
    let text = training("own", "nn.conv2d(64, kernel_size = 3, padding = 1), nn.conv2d(64, kernel_size = 3, padding = 1), nn.flatten", "")
        .replace("nn.sequential([nn.flatten, ", "nn.sequential([")
        .replace("fit =", "fn own() = loss.custom(tensor.cross_entropy)\nfit =");
    assert_eq!(argument(&text, "shards"), 1);
    let plain = text.replace("loss = own", "loss = loss.cross_entropy");
    assert_eq!(argument(&plain, "shards"), 4);
    // And around a layer that goes over it.
    let over = |dim: &str| {
        let layer =
            format!("nn.flatten, nn.fn(x => x - tensor.mean(x, dim = {dim}, keepdim = true)), nn.linear");
        plain.replace("nn.flatten, nn.linear", &layer)
    };
    assert_eq!(argument(&over("1"), "shards"), 4);
    let mut project = project(&over("0"));
    let (outcome, said) = project.build(&["fit"]);
    assert!(said.starts_with("warning E0336"), "{said}");
    let Datum::Map(args) = &outcome.evaluation.specs.last().unwrap().args else {
        panic!()
    };
    assert_eq!(args.get("shards"), Some(&Datum::Int(1)));
}
