use super::line::line;
use super::lines::lines;
use super::steps::Steps;
use crate::base::digest::Digest;
use crate::model::event::{Event, EventKind, How, PlannedStep, StepFailure};
use crate::report::style::Style;
use mlp_protocol::message::Message;
use std::collections::BTreeMap;

/// Feeds events half a second apart; gives the lines that stay, and after them the live lines at the end.
fn fed(kinds: Vec<EventKind>, live: bool) -> String {
    let mut steps = Steps::default();
    let mut all = Vec::new();
    for (index, kind) in kinds.into_iter().enumerate() {
        let event = Event {
            at_ms: index as u64 * 500,
            kind,
        };
        all.extend(lines(&steps, &event, live, Style::PLAIN));
        steps.apply(&event);
    }
    for (name, running) in &steps.running {
        all.push(format!("> {name} {}", line(running, Style::PLAIN)));
    }
    all.join("\n")
}

fn step(name: &str, builder: &str, reason: &str) -> PlannedStep {
    PlannedStep {
        step: name.into(),
        builder: builder.into(),
        reason: reason.into(),
    }
}

fn started(name: &str) -> EventKind {
    EventKind::StepStarted {
        step: name.into(),
        resolved_key: Digest::of_blob(b""),
        log: format!("{name}.log"),
    }
}

fn says(name: &str, message: Message) -> EventKind {
    EventKind::Builder {
        step: name.into(),
        message,
    }
}

fn epoch(epoch: u32, seconds: f64) -> EventKind {
    let metrics = [
        ("lr", 0.001),
        ("train.loss", 0.5),
        ("val.accuracy", 0.9),
        ("val.loss", 0.4),
    ];
    says(
        "fit",
        Message::Epoch {
            epoch,
            epochs: 20,
            metrics: metrics.map(|(name, x)| (name.to_owned(), x)).into(),
            seconds,
            examples_per_second: 2514.0,
        },
    )
}

fn training() -> Vec<EventKind> {
    vec![
        EventKind::Planned {
            build: vec![
                step("fit", "ml.train", "`lr` changed"),
                step("evaluate", "ml.evaluate", "it reads `fit`"),
            ],
            reuse: vec![step("digits", "data.csv", "")],
            may: Vec::new(),
            targets: Vec::new(),
        },
        started("fit"),
        EventKind::ChainFound {
            step: "fit".into(),
            epochs: 1,
            of: 20,
        },
        says(
            "fit",
            Message::TrainingStarted {
                device: "cpu".into(),
                parameters: 19_466,
                examples: 1257,
                from_epoch: 1,
                epochs: 20,
            },
        ),
        epoch(1, 0.0),
        epoch(2, 0.5),
        says(
            "fit",
            Message::Step {
                epoch: 3,
                step: 10,
                steps: 20,
                loss: 0.312,
                examples_per_second: 2480.4,
            },
        ),
    ]
}

#[test]
fn a_training_on_a_terminal() {
    insta::assert_snapshot!(fed(training(), true));
}

#[test]
fn a_training_that_ended_tells_its_last_figures() {
    let mut kinds = training();
    kinds.push(EventKind::StepFinished {
        step: "fit".into(),
        how: How::Built,
        outputs: BTreeMap::new(),
        wall_ms: 9_500,
    });
    insta::assert_snapshot!(fed(kinds, true));
}

#[test]
fn a_training_in_plain_lines() {
    insta::assert_snapshot!(fed(training(), false));
}

#[test]
fn several_steps_at_once_and_how_they_end() {
    let progress = |done, total| Message::Progress {
        done,
        total,
        unit: "rows".into(),
    };
    let kinds = vec![
        EventKind::Planned {
            build: ["a", "b", "c", "d"]
                .map(|name| step(name, "data.csv", "new"))
                .into(),
            reuse: Vec::new(),
            may: Vec::new(),
            targets: Vec::new(),
        },
        started("a"),
        started("b"),
        started("c"),
        started("d"),
        says("a", progress(500, Some(2000))),
        says("b", progress(1500, None)),
        EventKind::Warning {
            text: "careful".into(),
        },
        EventKind::StepFinished {
            step: "c".into(),
            how: How::Cutoff,
            outputs: BTreeMap::new(),
            wall_ms: 0,
        },
        EventKind::StepFailed {
            step: "d".into(),
            failure: StepFailure::OutOfTime { limit_ms: None },
            log: None,
            tail: Vec::new(),
            wall_ms: 1500,
        },
    ];
    insta::assert_snapshot!(fed(kinds, true));
}

#[test]
fn a_long_training_does_not_flood_a_log() {
    let mut kinds = vec![started("fit")];
    kinds.extend((1..=20).map(|n| epoch(n, 0.1)));
    assert_eq!(
        fed(kinds.clone(), false)
            .lines()
            .filter(|line| line.contains("epoch "))
            .count(),
        20
    );
    for kind in &mut kinds {
        if let EventKind::Builder {
            message: Message::Epoch { epoch, epochs, .. },
            ..
        } = kind
        {
            (*epoch, *epochs) = (*epoch * 100, 2000);
        }
    }
    assert_eq!(
        fed(kinds, false)
            .lines()
            .filter(|line| line.contains("epoch "))
            .count(),
        10
    );
}
