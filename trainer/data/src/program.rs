//! The frame of a builder program: read the call, do the work, say how it ended.
//!
//! Exit status 0: every output is written. 1: a [`Failure`] was sent. 2: started without a call. 70: a bug.

use crate::channel::Channel;
use mlp_protocol::call::{CALL_FILE, Call};
use mlp_protocol::message::{Failure, Message, Outcome};
use serde::de::DeserializeOwned;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

/// The exit status after a bug.
const BUG: u8 = 70;

/// Runs a builder program: `work` does what the call in the working directory says.
pub fn run(work: impl FnOnce(&Call, &Channel) -> Outcome<()>) -> ExitCode {
    ExitCode::from(status(work))
}

/// The same; gives the exit status as a number.
pub fn status(work: impl FnOnce(&Call, &Channel) -> Outcome<()>) -> u8 {
    let text = match std::fs::read(CALL_FILE) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("cannot read {CALL_FILE} in the working directory: {error}");
            eprintln!(
                "This program builds one step; `mlp build` starts it. docs/trainer.md says how to run it by hand."
            );
            return 2;
        }
    };
    let channel = match Channel::open() {
        Ok(channel) => channel,
        Err(error) => {
            eprintln!("cannot reach mlp: {error}");
            return 2;
        }
    };
    let place = remember_panics();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let call: Call = serde_json::from_slice(&text).map_err(|error| unreadable_call(&error))?;
        work(&call, &channel)
    }));
    match outcome {
        Ok(Ok(())) => 0,
        Ok(Err(failure)) => report(&channel, *failure, 1),
        Err(_) => {
            let what = place.lock().map(|text| text.clone()).unwrap_or_default();
            let failure = Failure::new("B0001", format!("the builder program panicked: {what}"))
                .help("this is a bug in mlp: please report it with this step's log");
            report(&channel, *failure, BUG)
        }
    }
}

/// Decodes the call's arguments.
///
/// # Errors
/// When they are not what the builtin takes, which is a bug of the caller.
pub fn arguments<T: DeserializeOwned>(call: &Call) -> Outcome<T> {
    serde_json::from_value(call.args.clone()).map_err(|error| unreadable_call(&error))
}

/// The path of an input.
///
/// # Errors
/// When the call has no such input, which is a bug of the caller.
pub fn input<'a>(call: &'a Call, name: &str) -> Outcome<&'a str> {
    let path = call.inputs.get(name).map(String::as_str);
    path.ok_or_else(|| {
        Failure::new(
            "B0001",
            format!("the call of `{}` has no input `{name}`", call.builtin),
        )
    })
}

/// The failure of a call for a builtin that `program` does not build.
pub fn unknown_builtin(program: &str, name: &str) -> Box<Failure> {
    Failure::new("B0001", format!("{program} does not build `{name}`"))
        .help("mlp and its builder programs are of different versions; install them together")
}

fn unreadable_call(error: &serde_json::Error) -> Box<Failure> {
    Failure::new("B0001", format!("the call cannot be read: {error}"))
        .help("mlp and its builder programs are of different versions; install them together")
}

fn report(channel: &Channel, failure: Failure, status: u8) -> u8 {
    let text = format!("error[{}]: {}", failure.code, failure.message);
    // Also to the log, which is all that is left when the line is broken.
    eprintln!("{text}");
    if let Err(error) = channel.send(&Message::Failed(failure)) {
        eprintln!("cannot tell mlp: {error}");
    }
    status
}

/// Keeps the text and place of a panic for the message that `mlp` gets.
fn remember_panics() -> Arc<Mutex<String>> {
    let place = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&place);
    std::panic::set_hook(Box::new(move |panic| {
        eprintln!("{panic}");
        if let Ok(mut text) = kept.lock() {
            *text = panic.to_string();
        }
    }));
    place
}
