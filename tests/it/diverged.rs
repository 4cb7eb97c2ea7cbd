//! A training that diverges is a result that ranks last, and a failure only to whoever demands it.

use crate::project::{Project, Ran};

/// Two trainings, of which the second has no chance.
const TWO: &str = r#"import std.{data, loss, metrics, ml, nn, optim}

points = data.csv(./points.csv, x = data.vector(["x", "y"]), y = data.label("inside", classes = 2))
parts = data.split(points, { train: 0.7, val: 0.1, test: 0.2 }, seed = 1, stratify = true)

fn fit(lr: Float) = ml.train(
  nn.sequential([nn.linear(16), nn.relu, nn.linear(2)]), on = parts.train, val = parts.val, loss = loss.cross_entropy,
  optimizer = optim.sgd(lr = lr), epochs = 2, batch_size = 32, seed = 42,
)
scores = { accuracy: metrics.accuracy }
tried = [{ name: "wild", fit: fit(1e20) }, { name: "calm", fit: fit(0.01) }]
measured = [{ ...one, scores: ml.evaluate(one.fit.model, on = parts.test, metrics = scores) } for one in tried]
best = min_by(tried, one => one.fit.val.loss)
accurate = max_by(measured, one => one.scores.accuracy)
winner = best.use(one => one.fit.model)
same = accurate.use(one => one.fit.model)
how = json({ loss: tried[0].fit.val.loss, accuracy: measured[0].scores.accuracy })
"#;

fn two() -> Project {
    let project = Project::small();
    project.write("pipeline.mlp", TWO);
    project
}

fn trained(ran: &Ran) -> usize {
    ran.err.matches("trains ").count()
}

#[test]
fn of_those_that_are_compared_it_is_the_worst() {
    let project = two();
    let ran = project.run(&["build", "winner", "same"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(trained(&ran), 2);
    assert!(ran.err.contains("diverged: the loss became"), "{}", ran.err);
    let again = project.run(&["build", "winner", "same"]);
    assert_eq!((again.code, trained(&again)), (Some(0), 0), "{}", again.err);
    assert!(again.err.contains("nothing to do"), "{}", again.err);
    // Its figures are as those that are not finite.
    let report = project.build(&["how"]);
    assert_eq!(report.built(), ["how"]);
    let how = std::fs::read_to_string(project.root().join("result/how.json"));
    assert_eq!(
        how.unwrap().replace(char::is_whitespace, ""),
        r#"{"accuracy":null,"loss":null}"#
    );
}

#[test]
fn to_whoever_demands_it_it_is_a_failure_each_time() {
    let project = two();
    insta::assert_snapshot!(project.shown(&["build", "measured[0].scores", "--jobs", "1"]));
    let again = project.run(&["build", "measured[0].scores"]);
    assert_eq!((again.code, trained(&again)), (Some(2), 0), "{}", again.err);
    assert!(again.err.contains("B0201"), "{}", again.err);
    assert_eq!(
        project.run(&["build", "measured[0].scores", "--check"]).code,
        Some(2)
    );
}

#[test]
fn where_all_of_them_do_there_is_no_best() {
    let project = two();
    project.edit("pipeline.mlp", "fit(0.01)", "fit(2e20)");
    let ran = project.run(&["build", "winner"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("B0201"), "{}", ran.err);
}
