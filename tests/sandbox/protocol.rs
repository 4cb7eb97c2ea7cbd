//! What a builder says, and what it hears.

use super::{Build, Heard, script};
use mlp::executor::Cancel;
use mlp::model::build::{BuildObserver, BuildOutcome, Ending};
use mlp_protocol::message::Message;
use std::path::PathBuf;

fn speaker(text: &str) -> Build {
    let mut build = script(text);
    build.request.channel = mlp::model::build::Channel::Protocol;
    build.request.states = Some("states".into());
    build
}

fn run(build: &Build) -> (BuildOutcome, Heard) {
    let mut heard = Heard::default();
    let outcome = build.run_with(&mut heard, &Cancel::new().unwrap());
    (outcome, heard)
}

const STATE: &str = r#"mkdir states/tmp; echo w > states/tmp/weights; mv states/tmp states/epoch-1;
    echo '{"type":"state","epoch":1,"name":"epoch-1"}' >&$MLP_SOCKET"#;

#[test]
fn words_are_heard_in_order_and_to_the_last() {
    let build = speaker(
        r#"for i in 1 2 3; do echo "{\"type\":\"warning\",\"text\":\"$i\"}" >&3; done; echo x > out"#,
    );
    let (outcome, heard) = run(&build);
    assert_eq!(outcome.ending, Ending::Succeeded, "{}", build.log());
    let text = |text: &str| Message::Warning { text: text.into() };
    assert_eq!(heard.messages, [text("1"), text("2"), text("3")]);
}

#[test]
fn a_failure_that_was_told_is_the_ending() {
    let build = speaker(r#"echo '{"type":"failed","code":"B0101","message":"no"}' >&3; exit 1"#);
    let Ending::Failed(failure) = run(&build).0.ending else {
        panic!("{}", build.log())
    };
    assert_eq!((failure.code.as_str(), failure.message.as_str()), ("B0101", "no"));
}

#[test]
fn a_state_leaves_the_builders_sight_and_is_answered() {
    let build = speaker(&format!(
        "{STATE}; read answer <&3; echo \"$answer\"; ls states; touch out"
    ));
    let (outcome, heard) = run(&build);
    assert_eq!(outcome.ending, Ending::Succeeded, "{}", build.log());
    assert_eq!(build.log(), "{\"type\":\"state_stored\",\"epoch\":1}\n");
    let [state] = &heard.states[..] else {
        panic!("{:?}", heard.messages)
    };
    assert_eq!(std::fs::read_to_string(state.join("weights")).unwrap(), "w\n");
    assert!(!state.starts_with(build.request.scratch.join("build")));
}

#[test]
fn a_state_that_cannot_be_stored_fails_the_build() {
    let build = speaker(&format!("{STATE}; sleep 1000"));
    let mut heard = Heard {
        refuse: true,
        ..Heard::default()
    };
    let outcome = build.run_with(&mut heard, &Cancel::new().unwrap());
    let Ending::Failed(failure) = outcome.ending else {
        panic!("{}", build.log())
    };
    assert_eq!(failure.message, "the store is full");
}

#[test]
fn a_state_by_a_path_is_refused() {
    let build = speaker(r#"echo '{"type":"state","epoch":1,"name":"../inputs"}' >&3; sleep 1000"#);
    let Ending::Failed(failure) = run(&build).0.ending else {
        panic!("{}", build.log())
    };
    assert_eq!(
        failure.message,
        "the state `../inputs` is no directory in `states`"
    );
}

#[test]
fn a_builder_that_babbles_is_ended() {
    let build = speaker("echo hello >&3; sleep 1000");
    let Ending::Failed(failure) = run(&build).0.ending else {
        panic!("{}", build.log())
    };
    assert!(
        failure
            .message
            .starts_with("the builder broke the protocol: `hello`"),
        "{}",
        failure.message
    );
}

/// Wishes the end at the first word, and keeps states.
struct StopOnWord(Cancel, Vec<PathBuf>);

impl BuildObserver for StopOnWord {
    fn message(&mut self, _: &Message, state: Option<PathBuf>) -> Result<(), String> {
        self.0.cancel();
        self.1.extend(state);
        Ok(())
    }
}

#[test]
fn a_cancelled_training_finishes_its_state_and_no_more() {
    let build = speaker(&format!(
        "echo '{{\"type\":\"warning\",\"text\":\"x\"}}' >&3; {STATE}; sleep 1000"
    ));
    let cancel = Cancel::new().unwrap();
    let mut observer = StopOnWord(cancel.clone(), Vec::new());
    let outcome = build.run_with(&mut observer, &cancel);
    assert_eq!(outcome.ending, Ending::Cancelled, "{}", build.log());
    assert_eq!(observer.1.len(), 1);
}
