//! Steps that mlp does by itself, outside of the sandbox: environments, and files of the web. What they come to is in their
//! keys by hash.

use super::Build;
use super::failure::{Attempt, not_started, store_failure};
use super::furnish;
use crate::base::digest::Digest;
use crate::fetch::{News, Patience, Trouble, Wanted, fetch};
use crate::instantiate::{ENVIRONMENT_OUTPUT, addresses};
use crate::model::derivation::Builder;
use crate::model::event::{EventKind, StepFailure};
use crate::model::graph::Step;
use mlp_lang::spec::Datum;
use mlp_protocol::builtin::{self, Program};
use mlp_protocol::message::{Failure, Message};
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// The output of a fetch.
const FETCHED: &str = "file";

/// The output of a step that mlp does by itself; none where the step is another.
pub(super) fn output(step: &Step) -> Option<&'static str> {
    match &step.derivation.builder {
        _ if furnish::is_environment(step) => Some(ENVIRONMENT_OUTPUT),
        Builder::Builtin { name, .. } => {
            let own = builtin::find(name).is_some_and(|found| found.program == Program::Own);
            own.then_some(FETCHED)
        }
        Builder::Command { .. } => None,
    }
}

/// Makes that output at `into`.
pub(super) fn make(build: &Build<'_>, step: &Step, scratch: &Path, into: &Path, log: &Path) -> Attempt<()> {
    match output(step) {
        Some(FETCHED) => had(build, step, into, log),
        _ => furnish::make(build, step, scratch, into, log),
    }
}

/// Gets a file of the web.
fn had(build: &Build<'_>, step: &Step, into: &Path, log: &Path) -> Attempt<()> {
    let digest = digest(step).ok_or_else(|| not_started("it says no digest", None))?;
    let partial = build
        .store
        .partial(digest)
        .map_err(|error| store_failure(&error))?;
    let wanted = Wanted {
        urls: addresses(step),
        digest,
        into: partial.clone(),
    };
    // A log that cannot be written is no reason to have no file.
    let mut log = File::create(log).ok();
    let mut tell = |news| match news {
        News::Said(sentence) => log.iter_mut().for_each(|log| drop(writeln!(log, "{sentence}"))),
        News::Had(done, total) => (build.events)(EventKind::Builder {
            step: step.name().to_owned(),
            message: Message::Progress {
                done,
                total,
                unit: "bytes".to_owned(),
            },
        }),
    };
    let stop = || build.cancel.is_cancelled();
    fetch(&wanted, Patience::default(), &mut tell, &stop).map_err(|trouble| failure(trouble, digest))?;
    crate::base::atomic::rename(&partial, into)
        .map_err(|error| not_started(format!("what was fetched cannot be taken: {error}"), None))
}

fn digest(step: &Step) -> Option<Digest> {
    match &step.derivation.args {
        Datum::Map(args) => match args.get("blake3") {
            Some(Datum::Str(digits)) => digits.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

fn failure(trouble: Trouble, expected: Digest) -> Box<StepFailure> {
    let failure = match trouble {
        Trouble::Stopped => return Box::new(StepFailure::Cancelled),
        Trouble::Disk(path, error) => {
            let what = format!("`{}` cannot be written: {error}", path.display());
            Failure::new("B0002", what)
                .help("make room on the disk of the store, or set MLP_STORE to a larger one")
        }
        Trouble::Other { url, got } => {
            let what = format!("{url} has another file: its digest is {got}, and {expected} is expected");
            Failure::new("B0402", what).argument("blake3").help(format!(
                "nothing of it was kept; if it is the file that you want, write `blake3 = \"{got}\"`"
            ))
        }
        Trouble::NotHad(reasons) => {
            let told: Vec<String> = reasons.iter().map(|(url, why)| format!("{url}: {why}")).collect();
            Failure::new("B0401", format!("it could not be had: {}", told.join("; ")))
                .argument("url")
                .help("mend the address, or give others by `mirrors`; what was had so far is kept, and a build goes on from there")
        }
    };
    Box::new(StepFailure::Builder(*failure))
}
