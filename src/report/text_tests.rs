use super::*;
use crate::base::digest::Digest;
use crate::model::event::{Event, EventKind, Kind, PlannedStep, StepFailure};
use crate::model::node::Node;
use crate::report::json::json;
use mlp_protocol::message::Message;
use std::collections::BTreeMap;

fn events(kinds: Vec<EventKind>) -> Vec<Event> {
    let at = |(index, kind)| Event {
        at_ms: index as u64 * 500,
        kind,
    };
    kinds.into_iter().enumerate().map(at).collect()
}

fn text(summary: &Summary) -> String {
    results(summary, Style::PLAIN) + &closing(summary, Style::PLAIN)
}

fn started() -> EventKind {
    EventKind::RunStarted {
        run: "20260101-120000".into(),
        targets: vec!["evaluate".into()],
        settings: BTreeMap::new(),
        started: 0,
        version: "0.1.0".into(),
    }
}

fn planned(build: &[&str], reuse: &[&str]) -> EventKind {
    let steps = |names: &[&str]| {
        let step = |name: &&str| PlannedStep {
            step: (*name).to_owned(),
            builder: "ml.train".into(),
            reason: "new".into(),
        };
        names.iter().map(step).collect()
    };
    EventKind::Planned {
        build: steps(build),
        reuse: steps(reuse),
        may: Vec::new(),
        targets: Vec::new(),
    }
}

fn finished(status: RunStatus) -> EventKind {
    EventKind::RunFinished {
        status,
        built: 0,
        reused: 0,
        failed: 0,
    }
}

fn ready(label: &str) -> EventKind {
    EventKind::TargetReady {
        label: label.into(),
        kind: Kind("Metrics".into()),
        node: Node::File {
            executable: false,
            size: 3,
            digest: Digest::of_blob(b"abc"),
        },
    }
}

fn done(step: &str, wall_ms: u64) -> EventKind {
    EventKind::StepFinished {
        step: step.into(),
        how: How::Built,
        outputs: BTreeMap::new(),
        wall_ms,
    }
}

#[test]
fn a_run_that_trained_and_scored() {
    let epoch = |epoch: u32, seconds: f64| EventKind::Builder {
        step: "fit".into(),
        message: Message::Epoch {
            epoch,
            epochs: 2,
            metrics: BTreeMap::from([("val.loss".to_owned(), 0.25)]),
            seconds,
            examples_per_second: if seconds > 0.0 { 1000.0 } else { 0.0 },
        },
    };
    let mut summary = Summary::of(&events(vec![
        started(),
        planned(&["fit", "evaluate"], &["digits"]),
        epoch(1, 0.0),
        epoch(2, 2.0),
        done("fit", 2_300),
        done("evaluate", 20),
        ready("evaluate"),
        finished(RunStatus::Succeeded),
    ]));
    let training = summary.steps[0].training.clone().unwrap();
    assert_eq!(
        (training.trained, training.examples_per_second()),
        (1, Some(1000.0))
    );
    summary.artifacts[0].place = Some("result/evaluate.json".into());
    summary.artifacts[0].value = Some(serde_json::json!({
        "accuracy": 0.983_333, "confusion": [[35, 1], [0, 36]], "examples": 1797, "nothing": null,
    }));
    insta::assert_snapshot!(text(&summary));
    let json = json(&summary);
    assert_eq!(json["status"], "succeeded");
    assert_eq!(json["steps"][0]["training"]["trained"], 1);
    assert_eq!(json["artifacts"][0]["place"], "result/evaluate.json");
}

#[test]
fn a_run_with_nothing_to_do() {
    let summary = Summary::of(&events(vec![
        started(),
        planned(&[], &["digits", "fit", "evaluate"]),
        finished(RunStatus::Succeeded),
    ]));
    insta::assert_snapshot!(text(&summary));
}

#[test]
fn a_run_that_failed_and_one_that_was_killed() {
    let failed = EventKind::StepFailed {
        step: "digits".into(),
        failure: StepFailure::OutOfTime { limit_ms: None },
        log: None,
        tail: Vec::new(),
        wall_ms: 3,
    };
    let skipped = EventKind::StepSkipped {
        step: "fit".into(),
        because: Some("digits".into()),
    };
    let kinds = vec![started(), planned(&["digits", "fit"], &[]), failed, skipped];
    insta::assert_snapshot!(text(&Summary::of(&events(kinds.clone()))));
    let ended = [kinds, vec![finished(RunStatus::Failed)]].concat();
    insta::assert_snapshot!(text(&Summary::of(&events(ended))));
}
