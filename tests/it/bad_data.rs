//! Mistakes in data, and trainings that go wrong: told with the line of the file and the argument of the pipeline; nothing
//! half-written stays, and once it is mended the next build goes on.

use crate::project::{Project, points};

/// Builds with a broken table, shows what is told, mends it and builds again.
fn broken_then_mended(break_it: impl Fn(&str) -> String) -> String {
    let project = Project::small();
    project.write("points.csv", &break_it(&points()));
    let shown = project.shown(&["build", "evaluate"]);
    assert!(
        !project.root().join("result").exists(),
        "nothing may be linked to"
    );
    project.write("points.csv", &points());
    assert_eq!(
        project.build(&["evaluate"]).built(),
        ["evaluate", "fit", "parts", "points"]
    );
    shown
}

/// Replaces the 100th line.
fn with_line(table: &str, line: &str) -> String {
    let mut lines: Vec<&str> = table.lines().collect();
    lines[99] = line;
    lines.join("\n") + "\n"
}

#[test]
fn a_ragged_row() {
    insta::assert_snapshot!(broken_then_mended(|table| with_line(table, "1,2")));
}

#[test]
fn a_label_outside_the_classes() {
    insta::assert_snapshot!(broken_then_mended(|table| with_line(table, "1,2,7")));
}

#[test]
fn nan_in_the_data() {
    insta::assert_snapshot!(broken_then_mended(|table| with_line(table, "1,NaN,1")));
}

#[test]
fn a_word_where_a_number_belongs() {
    insta::assert_snapshot!(broken_then_mended(|table| with_line(table, "1,two,1")));
}

#[test]
fn an_empty_file() {
    insta::assert_snapshot!(broken_then_mended(|_| String::new()));
}

#[test]
fn a_column_that_is_not_there() {
    insta::assert_snapshot!(broken_then_mended(|table| table.replacen("inside", "within", 1)));
}

#[test]
fn a_loss_that_goes_to_nan() {
    let project = Project::small();
    project.edit("pipeline.mlp", "nn.normalize, ", "");
    project.edit("pipeline.mlp", "optim.adam(lr = lr)", "optim.sgd(lr = 1e20)");
    let shown = project.shown(&["build", "evaluate"]);
    insta::assert_snapshot!(shown);
    assert!(
        !project.root().join("result").exists(),
        "nothing may be linked to"
    );
    project.edit("pipeline.mlp", "lr = 1e20", "lr = 0.01");
    assert_eq!(project.build(&["evaluate"]).built(), ["evaluate", "fit"]);
}

#[test]
fn with_keep_going_the_rest_is_built() {
    let project = Project::small();
    let more =
        "\nother = data.csv(./other.csv, x = data.vector([\"x\"]), y = data.label(\"y\", classes = 2))\n";
    let text = std::fs::read_to_string(project.root().join("pipeline.mlp")).unwrap();
    project.write("pipeline.mlp", &(text + more));
    project.write("other.csv", "x,y\n1,5\n");
    let ran = project.run(&["build", "other", "evaluate", "--keep-going", "--format", "json"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&report["built"], &report["failed"]), (&4.into(), &1.into()));
    assert_eq!(report["diagnostics"][0]["code"], "B0106");
}
