//! A step's failure, told like an error of the pipeline: where the step was written, why it failed, the line of the data
//! file that is at fault, the last lines of its log, what to do.

use super::notice::{Excerpt, Mark, Notice, floor};
use crate::base::size::Size;
use crate::model::derivation::{Builder, Reference};
use crate::model::event::{ScriptPlace, StepFailure};
use crate::model::graph::Step;
use crate::report::duration;
use mlp_lang::diagnostic::Severity;
use mlp_lang::source::{Sources, Span};
use mlp_protocol::message::{Failure, Place};
use std::sync::Arc;

/// How much of a long line of data is shown on each side of the cell, in bytes.
const AROUND: usize = 36;

/// A failure, and where to look for its places.
pub(crate) struct Failed<'a> {
    /// The step's name.
    pub step: &'a str,
    /// Why.
    pub failure: &'a StepFailure,
    /// The last lines of its log.
    pub tail: &'a [String],
    /// The path of the whole log, as people can open it.
    pub log: Option<String>,
    /// Where its folder is kept.
    pub kept: Option<String>,
    /// The step, where the graph has it.
    pub declared: Option<&'a Step>,
    /// The sources that its origin is in.
    pub sources: &'a Sources,
    /// Gives a line (from 1) of a file by its path from the project's root.
    pub line: &'a dyn Fn(&str, u64) -> Option<String>,
}

/// What a failure comes to: its code, why, and what to do.
pub(super) struct Told {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Failed<'_> {
    /// The notice.
    pub(crate) fn notice(&self) -> Notice {
        let Told { code, message, help } = self.told();
        let mut marks = Vec::new();
        let mut argument = None;
        match self.failure {
            StepFailure::Builder(failure) => {
                marks.extend(failure.place.as_ref().and_then(|place| self.data(place)));
                argument.clone_from(&failure.argument);
            }
            StepFailure::Script {
                place, undeclared, ..
            } => {
                marks.extend(place.as_ref().and_then(|place| self.script(place)));
                argument = (!undeclared.is_empty()).then(|| "inputs".to_owned());
            }
            StepFailure::Output { output, .. } => argument = Some(format!("outputs.{output}")),
            StepFailure::OutOfTime { limit_ms: Some(_) }
            | StepFailure::OutOfMemory { limit: Some(_), .. }
            | StepFailure::OutOfDisk { limit: Some(_) } => argument = Some("resources".to_owned()),
            _ => {}
        }
        marks.extend(self.origin(argument.as_deref()));
        // A builder program writes what it tells into its log, too; that is said already.
        let told_before = format!("error[{code}]");
        let log: Vec<String> = self
            .tail
            .iter()
            .filter(|line| !line.starts_with(&told_before))
            .cloned()
            .collect();
        let whole = self.log.iter().filter(|_| !log.is_empty());
        Notice {
            code,
            severity: Severity::Error,
            message: format!("`{}` failed: {message}", self.step),
            marks,
            notes: whole
                .map(|path| format!("the whole log: {path}"))
                .chain(self.kept_note())
                .collect(),
            help,
            mend: None,
            log,
        }
    }

    fn kept_note(&self) -> Option<String> {
        let kept = self.kept.as_ref()?;
        Some(format!(
            "its folder is kept: {kept}; `mlp shell {} --failed` enters it",
            self.step
        ))
    }

    /// Where the step was written: the argument at fault, or the whole call.
    fn origin(&self, argument: Option<&str>) -> Option<Mark> {
        let origin = &self.declared?.origin;
        let found = argument
            .and_then(|path| prefixes(path).find_map(|label| Some((label, *origin.arguments.get(label)?))));
        Some(match found {
            Some((label, span)) => Mark::of(self.sources, span, format!("`{label}` of `{}`", self.step)),
            None => Mark::of(
                self.sources,
                first_line(self.sources, origin.span),
                format!("`{}` is this step", self.step),
            ),
        })
    }

    fn told(&self) -> Told {
        let is_command = |step: &Step| matches!(step.derivation.builder, Builder::Command { .. });
        match self.failure {
            StepFailure::Script {
                status,
                words,
                undeclared,
                ..
            } => super::script::told(*status, words.as_deref(), undeclared, self.declared, self.sources),
            StepFailure::OutOfMemory { .. } if self.declared.is_some_and(is_command) => Told {
                help: Some(
                    "raise `memory` in the step's `resources`, or build with fewer `--jobs`".to_owned(),
                ),
                ..told(self.failure)
            },
            StepFailure::OutOfDisk { .. } if self.declared.is_some_and(is_command) => Told {
                help: Some("raise `disk` in the step's `resources`, or write less".to_owned()),
                ..told(self.failure)
            },
            failure => told(failure),
        }
    }

    /// The line of a script that the program stopped at.
    fn script(&self, place: &ScriptPlace) -> Option<Mark> {
        let line = (self.line)(&place.path, place.line)?;
        let start = line.len() - line.trim_start().len();
        let end = line.trim_end().len().max(start);
        Some(Mark {
            excerpt: Arc::new(Excerpt {
                path: place.path.clone(),
                text: line.as_str().into(),
                first_line: usize::try_from(place.line.saturating_sub(1)).unwrap_or(usize::MAX),
                first_column: 0,
            }),
            range: start..end,
            text: "the script stopped here".to_owned(),
        })
    }

    /// The cell of a data file that is at fault.
    fn data(&self, place: &Place) -> Option<Mark> {
        let mounted = format!("inputs/{}", place.input);
        let inputs = &self.declared?.derivation.inputs;
        let Reference::Source { path, .. } = inputs.get(&mounted).or_else(|| inputs.get(&place.input))?
        else {
            return None;
        };
        let path = match &place.path {
            Some(inner) => format!("{path}/{inner}"),
            None => path.clone(),
        };
        let line = (self.line)(&path, place.line)?;
        Some(cell(path, &line, place))
    }
}

/// `y.classes`, then `y`.
fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| Some(path.rsplit_once('.')?.0))
}

/// A call may go on for many lines; its first is enough to find it.
fn first_line(sources: &Sources, span: Span) -> Span {
    let text = sources.text(span);
    let length = text.find('\n').unwrap_or(text.len());
    Span {
        end: span.start + length as u32,
        ..span
    }
}

/// The part of a line around the cell, so that a row of a thousand columns still fits the screen.
fn cell(path: String, line: &str, place: &Place) -> Mark {
    let (start, end) = place
        .bytes
        .map_or((0, line.len()), |(start, end)| (start as usize, end as usize));
    let (start, end) = (floor(line, start), floor(line, end));
    let from = floor(line, start.saturating_sub(AROUND));
    let to = floor(line, (start + AROUND).max(end.min(start + 2 * AROUND)));
    let range = start - from..end.clamp(start, to) - from;
    Mark {
        excerpt: Arc::new(Excerpt {
            path,
            text: line[from..to].into(),
            first_line: usize::try_from(place.line.saturating_sub(1)).unwrap_or(usize::MAX),
            first_column: line[..from].chars().count(),
        }),
        range,
        text: if place.bytes.is_some() {
            "this cell"
        } else {
            "this line"
        }
        .to_owned(),
    }
}

fn told(failure: &StepFailure) -> Told {
    let said = |code: &str, message: String, help: Option<&str>| Told {
        code: code.to_owned(),
        message,
        help: help.map(str::to_owned),
    };
    match failure {
        StepFailure::Builder(Failure {
            code, message, help, ..
        }) => Told {
            code: code.clone(),
            message: message.clone(),
            help: help.clone(),
        },
        StepFailure::Environment { code, message, help } => Told {
            code: code.clone(),
            message: message.clone(),
            help: help.clone(),
        },
        StepFailure::Exited { status } | StepFailure::Script { status, .. } => said(
            "S0101",
            format!("its program ended with status {status}"),
            Some("its last words are in the log"),
        ),
        StepFailure::Signalled { signal } => said(
            "S0102",
            format!("its program was ended by {}", signal_name(*signal)),
            Some(
                "nothing half-written was kept; a training goes on from its last whole epoch when you build again",
            ),
        ),
        StepFailure::OutOfTime { limit_ms } => said(
            "S0103",
            match limit_ms {
                Some(limit) => format!("it took longer than the {} that it may take", duration(*limit)),
                None => "it took longer than its limit".to_owned(),
            },
            Some("raise `time` in the step's `resources`"),
        ),
        StepFailure::OutOfMemory { limit, held } => said(
            "S0104",
            out_of_memory(*limit, *held),
            Some(
                "lower `batch_size`, raise `memory` in the step's `resources`, or build with fewer `--jobs`",
            ),
        ),
        StepFailure::OutOfDisk { limit } => said(
            "S0105",
            match limit {
                Some(limit) => format!("it wrote more than the {} that it may", Size(*limit)),
                None => "it wrote more than it may".to_owned(),
            },
            Some("make room on the disk of the store, or write less"),
        ),
        StepFailure::Cancelled => said(
            "S0106",
            "it was stopped".to_owned(),
            Some("build again: what was finished is kept, and a training goes on from its last whole epoch"),
        ),
        StepFailure::NotStarted { reason, help } => Told {
            code: "S0107".to_owned(),
            message: format!("it could not be started: {reason}"),
            help: help.clone(),
        },
        StepFailure::Output { output, reason, help } => Told {
            code: "S0108".to_owned(),
            message: format!("its output `{output}` is not what it should be: {reason}"),
            help: help.clone(),
        },
        StepFailure::SourceChanged { path } => said(
            "S0109",
            format!("`{path}` changed while it was read"),
            Some("build again when the file is whole"),
        ),
        StepFailure::SourceAbsent { path } => Told {
            help: Some(format!(
                "put it at `{path}` again, from wherever the data is kept; `mlp status` says whether it is the right one"
            )),
            ..said(
                "S0112",
                format!("`{path}` is not here: neither the project nor the store has its bytes"),
                None,
            )
        },
        StepFailure::Store { reason, help } => Told {
            code: "S0110".to_owned(),
            message: format!("the store failed: {reason}"),
            help: help.clone(),
        },
    }
}

/// How much it may hold, and how much it did, where it was seen to hold more.
fn out_of_memory(limit: Option<u64>, held: Option<u64>) -> String {
    match (limit, held) {
        (Some(limit), Some(held)) if held > limit => {
            format!(
                "it needed {} of memory or more, and may use {}",
                Size(held),
                Size(limit)
            )
        }
        (Some(limit), _) => format!(
            "it needed more than the {} of memory that it may use",
            Size(limit)
        ),
        (None, _) => "it needed more memory than it may use, or than there is".to_owned(),
    }
}

fn signal_name(signal: i32) -> String {
    let name = match signal {
        2 => "SIGINT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        15 => "SIGTERM",
        _ => return format!("signal {signal}"),
    };
    format!("{name} (signal {signal})")
}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
