//! What a change builds again, and what it does not.

use crate::project::{Project, points};

/// A project whose `evaluate` is built.
fn built() -> Project {
    let project = Project::small();
    assert_eq!(
        project.build(&["evaluate"]).built(),
        ["evaluate", "fit", "parts", "points"]
    );
    project
}

const NOTHING: [&str; 0] = [];

#[test]
fn nothing_changed() {
    let project = built();
    assert_eq!(project.build(&["evaluate"]).built(), NOTHING);
    insta::assert_snapshot!(project.shown(&["build", "evaluate"]));
}

#[test]
fn the_learning_rate() {
    let project = built();
    assert_eq!(
        project.build(&["evaluate", "--set", "lr=0.02"]).built(),
        ["evaluate", "fit"]
    );
    // Back to the first one: it is still there.
    assert_eq!(project.build(&["evaluate"]).built(), NOTHING);
}

#[test]
fn more_epochs_train_only_the_new_ones() {
    let project = built();
    let more = project.build(&["evaluate", "--set", "epochs=9"]);
    assert_eq!(more.built(), ["evaluate", "fit"]);
    assert_eq!(more.epochs("fit"), (3, 6));
    // And it is what training straight through would have given.
    let straight = Project::small().build(&["evaluate", "--set", "epochs=9"]);
    assert_eq!(straight.epochs("fit"), (9, 0));
    assert_eq!(straight.digests(), more.digests());
}

#[test]
fn a_comment_a_name_and_the_place_of_the_checkout() {
    let mut project = built();
    project.edit("pipeline.mlp", "param epochs", "# A comment.\nparam epochs");
    assert_eq!(project.build(&["evaluate"]).built(), NOTHING);
    let text = std::fs::read_to_string(project.root().join("pipeline.mlp")).unwrap();
    project.write(
        "pipeline.mlp",
        &text.replace("fit", "fitted").replace("parts", "shares"),
    );
    assert_eq!(project.build(&["evaluate"]).built(), NOTHING);
    project.relocate();
    assert_eq!(project.build(&["evaluate"]).built(), NOTHING);
}

#[test]
fn validation_metrics_train_nothing() {
    let project = built();
    project.edit(
        "pipeline.mlp",
        "metrics = scores, epochs",
        "metrics = { top: metrics.accuracy }, epochs",
    );
    let report = project.build(&["evaluate"]);
    assert_eq!(report.epochs("fit"), (0, 6));
}

#[test]
fn what_is_watched_to_stop_and_to_choose_trains_nothing() {
    let project = built();
    let rule = "early_stopping = ml.early_stopping(6, max = e => e.val.accuracy), epochs";
    project.edit("pipeline.mlp", "epochs = epochs", &format!("{rule} = epochs"));
    assert_eq!(project.build(&["evaluate"]).epochs("fit"), (0, 6));
    project.edit("pipeline.mlp", "val = parts.val", "val = parts.test");
    assert_eq!(project.build(&["evaluate"]).epochs("fit"), (0, 6));
}

#[test]
fn validation_data_train_anew_where_a_plateau_goes_by_them() {
    let project = Project::small();
    project.edit("pipeline.mlp", "nn, optim}", "nn, optim, schedule}");
    let schedule = "schedule = schedule.plateau(0, factor = 0.5), epochs = epochs";
    project.edit("pipeline.mlp", "epochs = epochs", schedule);
    assert_eq!(project.build(&["evaluate"]).epochs("fit"), (6, 0));
    // What has been watched stands in the states: more epochs go on.
    let more = project.build(&["evaluate", "--set", "epochs=8"]);
    assert_eq!(more.epochs("fit"), (2, 6));
    project.edit("pipeline.mlp", "val = parts.val", "val = parts.test");
    assert_eq!(project.build(&["evaluate"]).epochs("fit"), (6, 0));
}

#[test]
fn fine_tuning_starts_from_another_training() {
    let project = built();
    let tuned = "
tuned = ml.train(
  net, on = parts.val, loss = loss.cross_entropy, optimizer = optim.sgd(0.01, groups = { \"3\": { lr: 0.1 } }),
  epochs = 2, batch_size = 32, seed = 1, init = fit.model, freeze = [\"1\"], ema = 0.9,
)
again = ml.evaluate(tuned.model, on = parts.test, metrics = scores)
";
    let text = std::fs::read_to_string(project.root().join("pipeline.mlp")).unwrap();
    project.write("pipeline.mlp", &(text + tuned));
    let report = project.build(&["again"]);
    assert_eq!(report.built(), ["again", "tuned"]);
    assert_eq!(report.epochs("tuned"), (2, 0));
    // Another model to start from is another training.
    let other = project.build(&["again", "--set", "lr=0.02"]);
    assert_eq!(other.epochs("tuned"), (2, 0));
}

#[test]
fn a_file_that_was_touched() {
    let project = built();
    // Another inode, another time, the same bytes.
    std::fs::remove_file(project.root().join("points.csv")).unwrap();
    project.write("points.csv", &points());
    assert_eq!(project.build(&["evaluate"]).built(), NOTHING);
}

#[test]
fn a_row_that_was_changed() {
    let project = built();
    project.write("points.csv", &points().replacen("\n0,0,1\n", "\n0,0,0\n", 1));
    assert_eq!(
        project.build(&["evaluate"]).built(),
        ["evaluate", "fit", "parts", "points"]
    );
}

#[test]
fn a_change_that_comes_to_the_same_stops_there() {
    let project = built();
    // Read again, for its bytes are others; the dataset comes out the same, so nothing after it is built.
    project.write("points.csv", &points().replacen("\n0,0,1\n", "\n0.0,0,1\n", 1));
    assert_eq!(project.build(&["evaluate"]).built(), ["points"]);
}

#[test]
fn a_dry_run_says_what_and_why() {
    let project = Project::small();
    insta::assert_snapshot!(project.shown(&["build", "evaluate", "--dry-run"]));
    project.build(&["evaluate"]);
    insta::assert_snapshot!(project.shown(&["build", "evaluate", "--dry-run"]));
    let lines = ["build", "evaluate", "--dry-run", "--set", "lr=0.5", "--jobs", "2"];
    let shown = project.shown(&lines);
    insta::assert_snapshot!(shown);
    // It is one thing with `mlp plan`.
    assert_eq!(
        project.shown(&["plan", "evaluate", "--set", "lr=0.5", "--jobs", "2"]),
        shown
    );
    let plan = project.run(&["plan", "evaluate", "--set", "lr=0.5", "--format", "json"]);
    let plan: serde_json::Value = serde_json::from_str(&plan.out).unwrap();
    assert_eq!(plan["steps"][1]["decision"], "build");
    assert!(plan["steps"][1]["expected_ms"].as_u64() <= plan["expected_ms"].as_u64());
    assert_eq!(plan["unknown"], 0);
}
