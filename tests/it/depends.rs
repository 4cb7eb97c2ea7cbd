//! How targets depend on each other.

use crate::project::{Project, SMALL, points};

#[test]
fn the_way_is_shown_or_that_there_is_none() {
    let project = Project::new(SMALL);
    project.write("points.csv", &points());
    let lines: &[&[&str]] = &[
        &["why-depends", "evaluate", "parts"],
        &["why-depends", "evaluate", "points", "--all"],
        &["why-depends", "evaluate", "./points.csv"],
        &["why-depends", "parts", "fit"],
        &["why-depends", "parts", "./other.csv"],
        &["why-depends", "evaluate", "pats"],
    ];
    let shown = lines
        .iter()
        .map(|line| format!("$ mlp {}\n{}", line.join(" "), project.shown(line)));
    insta::assert_snapshot!("ways", shown.collect::<Vec<_>>().join("\n"));
    let json = project.run(&["why-depends", "evaluate", "./points.csv", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["path"].as_array().unwrap().len(), 3);
    assert_eq!(json["path"][2]["source"], "points.csv");
}

#[test]
fn a_choice_and_a_late_value_are_ways() {
    let project = Project::new(
        r#"import std.{env, step}
tools = env.host(["sh"])
fn told(n: Int) = step(
  ["sh", "-c", "echo '{\"n\": ${n}}' > m.json"], env = tools, outputs = { said: Metrics[{ n: Int }]("m.json") },
)
one = told(1)
two = told(2)
best = max_by([one, two], told => told.said.n)
after = step(["sh", "-c", "echo ${best.use(told => told.said.n)} > out"], env = tools, outputs = { out: File("out") })
"#,
    );
    insta::assert_snapshot!("late", project.shown(&["why-depends", "after", "two", "--all"]));
}
