//! The prompt on a terminal: editing, history, completion. rustyline does the keys; nothing else of `mlp` knows it.

use super::super::exit::Refusal;
use super::command::{beginning, goes_on, language_from};
use super::lines::Lines;
use super::workspace::Workspace;
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper};
use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

/// What stands before a line.
const PROMPT: &str = "mlp> ";

/// A terminal.
pub(super) struct Prompt {
    editor: Editor<Session, DefaultHistory>,
    /// Where the history is kept, if anywhere.
    history: Option<PathBuf>,
}

impl Prompt {
    pub(super) fn new(workspace: Rc<RefCell<Workspace>>) -> Result<Self, Refusal> {
        let config = Config::builder().completion_type(CompletionType::List).build();
        let mut editor = Editor::with_config(config).map_err(|error| unusable(&error))?;
        editor.set_helper(Some(Session { workspace }));
        let history = history();
        if let Some(history) = &history {
            // There is none the first time.
            drop(editor.load_history(history));
        }
        Ok(Self { editor, history })
    }

    /// Remembers an input at once: whatever ends the session later, the history has it.
    fn remember(&mut self, input: &str) {
        // An input that was remembered just before is not remembered again, and that is no failure.
        drop(self.editor.add_history_entry(input));
        let Some(history) = &self.history else { return };
        let folder = history.parent().map(std::fs::create_dir_all);
        let kept = match folder {
            Some(Err(error)) => Err(error.to_string()),
            _ => self
                .editor
                .append_history(history)
                .map_err(|error| error.to_string()),
        };
        if let Err(error) = kept {
            eprintln!("the history cannot be kept in {}: {error}", history.display());
            self.history = None;
        }
    }
}

fn unusable(error: &ReadlineError) -> Refusal {
    Refusal::new(format!("the terminal cannot be used: {error}"))
        .hint("pipe the lines in: `mlp repl < lines.mlp`")
}

/// `mlp/history` in the user's folder for state, as XDG has it.
fn history() -> Option<PathBuf> {
    let folder = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let state = folder("XDG_STATE_HOME").or_else(|| folder("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("mlp/history"))
}

impl Lines for Prompt {
    fn next(&mut self) -> Result<Option<String>, Refusal> {
        loop {
            match self.editor.readline(PROMPT) {
                Ok(input) if input.trim().is_empty() => {}
                Ok(input) => {
                    self.remember(&input);
                    return Ok(Some(input));
                }
                // Ctrl-C: what was typed is dropped.
                Err(ReadlineError::Interrupted) => {}
                Err(ReadlineError::Eof) => return Ok(None),
                Err(error) => return Err(unusable(&error)),
            }
        }
    }
}

/// What the editor asks while a line is typed.
struct Session {
    workspace: Rc<RefCell<Workspace>>,
}

impl Helper for Session {}
impl Highlighter for Session {}
impl Hinter for Session {
    type Hint = String;
}

impl Validator for Session {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match goes_on(context.input()) {
            true => ValidationResult::Incomplete,
            false => ValidationResult::Valid(None),
        })
    }
}

impl Completer for Session {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        Ok(candidates(&self.workspace.borrow(), line, at))
    }
}

/// What may stand at byte `at`, and where what it replaces begins.
fn candidates(workspace: &Workspace, line: &str, at: usize) -> (usize, Vec<Pair>) {
    let Some(from) = language_from(line) else {
        return of_command(&line[..at]);
    };
    if at < from {
        return (at, Vec::new());
    }
    let found = workspace.complete(&line[from..], at - from);
    let Some(start) = found.first().map(|first| from + first.replace.start as usize) else {
        return (at, Vec::new());
    };
    let typed = &line[start.min(at)..at];
    let pairs = found
        .into_iter()
        .filter(|found| found.label.starts_with(typed))
        .map(|found| Pair {
            display: found.label.clone(),
            replacement: found.insert.unwrap_or(found.label),
        });
    (start, pairs.collect())
}

/// The name of a command, or the file that one takes.
fn of_command(typed: &str) -> (usize, Vec<Pair>) {
    let pair = |text: String| Pair {
        display: text.clone(),
        replacement: text,
    };
    let Some(blank) = typed.find(char::is_whitespace) else {
        let colon = typed.find(':').map_or(0, |colon| colon + 1);
        let names = beginning(&typed[colon..]).map(|name| pair(name.to_owned()));
        return (colon, names.collect());
    };
    let path = typed[blank..].trim_start();
    let folder = path.rfind('/').map_or(0, |slash| slash + 1);
    let (folder, name) = path.split_at(folder);
    let here = if folder.is_empty() { "." } else { folder };
    let entries = Workspace::list_here(here).into_iter();
    let fitting = entries
        .filter(|entry| entry.name.starts_with(name) && (entry.folder || entry.name.ends_with(".mlp")));
    let names = fitting.map(|entry| match entry.folder {
        true => pair(format!("{}/", entry.name)),
        false => pair(entry.name),
    });
    (typed.len() - name.len(), names.collect())
}
