//! What is looked at before and after a training: predictions and their scores, figures, examples, and a trial of the whole.

use crate::project::{Project, SMALL};
use serde_json::Value;

/// The small pipeline, with all that can be made of its model.
fn project() -> Project {
    let project = Project::small();
    let more = "
all = { accuracy: metrics.accuracy, auc: metrics.roc_auc(Binary), confusion: metrics.confusion_matrix, ce: metrics.loss(loss.cross_entropy) }
said = ml.predict(fit.model, on = parts.test)
scored = ml.score(said, all)
measured = ml.evaluate(fit.model, on = parts.test, metrics = all)
both = ml.compare({ best: fit.model, last: fit.last }, on = parts.test, metrics = scores)
seeds = ml.summary([measured, scored])
drawn = {
  curves: plot.curves([fit.history], y = [\"loss\", \"accuracy\"]),
  roc: plot.roc(said),
  confusion: plot.confusion(measured.confusion),
  scatter: plot.scatter([1, 2], n => n, n => measured.ce * n),
}
good = assert(measured.accuracy > 0.9, \"not good enough\")
";
    let pipeline = SMALL.replace("nn, optim", "nn, optim, plot");
    project.write("pipeline.mlp", &(pipeline + more));
    project
}

#[test]
fn scores_of_predictions_are_those_of_the_model() {
    let project = project();
    let report = project.build(&["scored", "measured", "both", "seeds", "drawn"]);
    let artifact = |label: &str| -> Value {
        let artifacts = report.0["artifacts"].as_array().unwrap();
        artifacts.iter().find(|one| one["label"] == label).unwrap()["value"].clone()
    };
    assert_eq!(artifact("scored"), artifact("measured"));
    assert_eq!(
        artifact("both.best")["accuracy"],
        artifact("measured")["accuracy"]
    );
    assert_eq!(artifact("seeds")["auc"]["std"], 0.0);
    for figure in ["curves", "roc", "confusion", "scatter"] {
        let path = project.root().join(format!("result/drawn.{figure}.svg"));
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(text.starts_with("<svg") && text.ends_with("</svg>\n"), "{text}");
    }
    // Building them again gives the same bits.
    assert_eq!(
        project.run(&["build", "said", "drawn", "scored", "--check"]).code,
        Some(0)
    );
}

#[test]
fn examples_of_a_dataset_and_of_a_training() {
    let project = project();
    insta::assert_snapshot!("sample", project.shown(&["sample", "parts.test", "--n", "3"]));
    insta::assert_snapshot!(
        "sample_fit",
        project.shown(&["sample", "fit", "-n", "2", "--seed", "1"])
    );
    let json = project.run(&["sample", "parts.test", "-n", "2", "--format", "json"]);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(
        json["examples"][1]["inputs"]["x"]["shape"],
        serde_json::json!([2])
    );
    insta::assert_snapshot!("sample_parts", project.shown(&["sample", "parts"]));
    insta::assert_snapshot!("sample_nothing", project.shown(&["sample", "evaluate"]));
}

#[test]
fn images_are_a_picture() {
    let pixels = |class: usize| {
        (0..4)
            .map(|at| if at == class { "255" } else { "0" })
            .collect::<Vec<_>>()
            .join(",")
    };
    let rows: String = (0..8)
        .map(|row| format!("{},{}\n", pixels(row % 4), row % 4))
        .collect();
    let project = Project::new(
        "import std.{data, plot}\n\
         points = data.csv(./p.csv, x = data.pixels(\"p*\", channels = 1, height = 2, width = 2), y = data.label(\"c\", classes = 4))\n\
         shown = plot.images(points, 4)\n",
    );
    project.write("p.csv", &("p0,p1,p2,p3,c\n".to_owned() + &rows));
    insta::assert_snapshot!(
        "sample_images",
        project.shown(&["sample", "points", "-n", "3", "--output", "here.svg"])
    );
    let text = std::fs::read_to_string(project.root().join("here.svg")).unwrap();
    assert_eq!(text.matches("data:image/png;base64,").count(), 3);
    project.build(&["shown"]);
    let text = std::fs::read_to_string(project.root().join("result/shown.svg")).unwrap();
    assert_eq!(text.matches("<image").count(), 4);
}

#[test]
fn a_trial_of_the_whole_is_no_result() {
    let project = project();
    let targets = ["scored", "measured", "drawn", "good"];
    let smoke: Vec<&str> = ["build", "--smoke"].into_iter().chain(targets).collect();
    let ran = project.run(&smoke);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(
        ran.err
            .contains("a smoke build: trainings are of one epoch of two batches"),
        "{}",
        ran.err
    );
    assert!(!project.root().join("result").exists());
    // It is found again, and nothing of it by a build: that trains all epochs.
    let again: Vec<&str> = smoke.iter().copied().chain(["--format", "json"]).collect();
    let again: Value = serde_json::from_str(&project.run(&again).out).unwrap();
    assert_eq!(again["status"], "succeeded", "{again}");
    let report = project.build(&["fit.model", "said"]);
    assert!(report.built().contains(&"fit".to_owned()) && report.built().contains(&"said".to_owned()));
    assert_eq!(report.epochs("fit"), (6, 0));
    let planned = project.run(&["plan", "evaluate"]);
    assert!(planned.out.contains("build      evaluate"), "{}", planned.out);
    // What a build would do as a trial can be asked, too.
    let planned = project.run(&["build", "evaluate", "--smoke", "--dry-run"]);
    assert!(planned.out.contains("reuse      fit"), "{}", planned.out);
}
