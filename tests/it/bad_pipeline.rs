//! Mistakes in a pipeline: each is told at its place, with what to do, and builds nothing.

use crate::project::{Project, SMALL};

/// Builds `evaluate` of the small pipeline with one text replaced.
fn built_with(old: &str, new: &str) -> String {
    assert_eq!(
        SMALL.matches(old).count(),
        1,
        "`{old}` stands once in the pipeline"
    );
    let project = Project::new(&SMALL.replace(old, new));
    project.write("points.csv", &crate::project::points());
    let shown = project.shown(&["build", "evaluate"]);
    assert!(
        !project.root().join("result").exists(),
        "nothing may be linked to"
    );
    shown
}

#[test]
fn a_missing_file() {
    insta::assert_snapshot!(built_with("./points.csv", "./point.csv"));
}

#[test]
fn what_cannot_be_built_yet_is_told_before_anything_runs() {
    let text = SMALL
        .replace("nn.relu", "nn.torchscript(./net.pt, output = [16])")
        .replace("batch_size = 32", "batch_size = 32, precision = Bf16");
    let project = Project::new(&text);
    insta::assert_snapshot!("not_yet_check", project.shown(&["check"]));
    insta::assert_snapshot!("not_yet_build", project.shown(&["build", "evaluate"]));
    insta::assert_snapshot!("not_yet_show", project.shown(&["show", "fit.model"]));
}

#[test]
fn a_directory_where_a_file_belongs() {
    let project = Project::new(&SMALL.replace("./points.csv", "./points"));
    project.write("points/one.csv", "x,y,inside\n");
    insta::assert_snapshot!(project.shown(&["build", "evaluate"]));
}

#[test]
fn a_wrong_type() {
    insta::assert_snapshot!(built_with("batch_size = 32", "batch_size = \"32\""));
}

#[test]
fn a_misspelt_field() {
    insta::assert_snapshot!(built_with("on = parts.train", "on = parts.trian"));
}

#[test]
fn a_misspelt_argument() {
    insta::assert_snapshot!(built_with("batch_size = 32", "batchsize = 32"));
}

#[test]
fn a_misspelt_layer() {
    insta::assert_snapshot!(built_with("nn.relu", "nn.rellu"));
}

#[test]
fn a_cycle() {
    insta::assert_snapshot!(built_with(
        "scores = { accuracy: metrics.accuracy }",
        "scores = evaluate"
    ));
}

#[test]
fn an_unknown_target() {
    let project = Project::new(SMALL);
    insta::assert_snapshot!(project.shown(&["build", "evaluat"]));
}

#[test]
fn a_shape_mismatch() {
    insta::assert_snapshot!(built_with("nn.linear(2)", "nn.linear(2, in_features = 8)"));
}

#[test]
fn too_few_outputs_for_the_classes() {
    insta::assert_snapshot!(built_with("nn.linear(2)", "nn.linear(1)"));
}

#[test]
fn several_mistakes_at_once() {
    let text = SMALL
        .replace("nn.relu", "nn.rellu")
        .replace("batch_size = 32", "batch_size = \"32\"");
    let project = Project::new(&text);
    let ran = project.run(&["check", "--format", "json"]);
    let found: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(found["diagnostics"].as_array().unwrap().len(), 2, "{}", ran.out);
    assert_eq!(ran.code, Some(1));
}

#[test]
fn a_setting_that_is_no_param_and_one_of_the_wrong_type() {
    let project = Project::new(SMALL);
    insta::assert_snapshot!(project.shown(&["check", "--set", "epoch=3"]));
    insta::assert_snapshot!(project.shown(&["check", "--set", "epochs=many"]));
    insta::assert_snapshot!(project.shown(&["check", "--set", "epochs"]));
}

#[test]
fn no_pipeline_here() {
    let project = Project::new("");
    std::fs::remove_file(project.root().join("pipeline.mlp")).unwrap();
    insta::assert_snapshot!(project.shown(&["check"]));
}
