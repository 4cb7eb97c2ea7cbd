//! Traced functions, from the pipeline's text to what the trainer makes of them.

use crate::project::Project;

/// The small project with a loss, a layer, a metric and a schedule of its own.
fn own() -> Project {
    let project = Project::small();
    let edits = [
        ("import std.{", "import std.{schedule, tensor, "),
        ("nn.relu", "nn.fn(x => x * tensor.sigmoid(x))"),
        (
            "{ accuracy: metrics.accuracy }",
            "{\n  accuracy: metrics.accuracy,\n  own: metrics.custom((out, y) => tensor.mean(tensor.float(tensor.argmax(out, dim = 1) == y)), Maximize),\n}",
        ),
        (
            "loss = loss.cross_entropy,",
            "loss = loss.custom((out, y) => tensor.cross_entropy(out, y)), schedule = schedule.custom(epoch => 0.9 ** float(epoch)),",
        ),
    ];
    for (old, new) in edits {
        project.edit("pipeline.mlp", old, new);
    }
    project
}

#[test]
fn they_are_shown() {
    insta::assert_snapshot!(own().shown(&["show", "fit.model"]));
}

#[test]
fn they_are_trained_and_keep_their_keys() {
    let project = own();
    let built = ["evaluate", "fit", "parts", "points"];
    assert_eq!(project.build(&["evaluate"]).built(), built);
    // The same operations in other words are the same function.
    project.edit(
        "pipeline.mlp",
        "(out, y) => tensor.cross_entropy(out, y)",
        "(logits, classes) =>\n    let loss = tensor.cross_entropy(logits, classes)\n    loss",
    );
    assert!(project.build(&["evaluate"]).built().is_empty());
    // The schedule says the rate of each epoch, so that more epochs are only new ones.
    let more = project.build(&["evaluate", "--set", "epochs=8"]);
    assert_eq!(more.epochs("fit"), (2, 6));
    project.edit("pipeline.mlp", "0.9 **", "0.8 **");
    assert_eq!(project.build(&["evaluate"]).built(), ["evaluate", "fit"]);
}
