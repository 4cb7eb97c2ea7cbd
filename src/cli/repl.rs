//! `mlp repl`: a prompt. What an input means is the language's ([`mlp_lang::session`]); here are the lines, the commands
//! that begin with a colon, and what is printed.
//!
//! Values go to stdout, everything else to stderr. Without a terminal the lines are read as they come, and no prompt is
//! printed.

mod command;
mod lines;
mod prompt;
mod workspace;

use super::doc;
use super::exit::{Exit, Refusal};
use super::notice::Notice;
use super::place;
use super::show::layer_table;
use super::told;
use crate::engine::has_errors;
use crate::report::style::Style;
use command::Command;
use lines::Lines;
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::doc as pages;
use mlp_lang::library::Library;
use mlp_lang::session::Entered;
use mlp_lang::source::Sources;
use std::cell::RefCell;
use std::io::IsTerminal;
use std::rc::Rc;
use workspace::Workspace;

/// Try the language out, line by line, with the project's pipeline at hand.
///
/// An expression is evaluated and printed; a definition (`x = 1`, `fn …`, `import …`) is kept, and shadows an earlier one.
/// Nothing is built. A line goes on while a bracket is open. What begins with a colon is a command: `:help` lists them.
/// Without a terminal it reads lines from standard input, and prints no prompt.
///
///   mlp repl
///   mlp repl --set lr=0.1
///   echo "len([1, 2])" | mlp repl
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    #[command(flatten)]
    settings: place::Settings,
}

/// What comes after an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// The next input.
    Input,
    /// The end.
    Leave,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let (workspace, found) = Workspace::open(arguments.settings.pairs()?)?;
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if terminal {
        eprintln!("{}", greeting(&workspace));
    }
    let mut session = Session {
        workspace: Rc::new(RefCell::new(workspace)),
        failed: has_errors(&found.1),
    };
    told(&found.0, &found.1);
    let mut lines: Box<dyn Lines> = match terminal {
        true => Box::new(prompt::Prompt::new(Rc::clone(&session.workspace))?),
        false => Box::new(lines::Piped::default()),
    };
    while let Some(input) = lines.next()? {
        if session.answer(&input) == Next::Leave {
            break;
        }
    }
    // At a prompt a mistake is part of the conversation; a script wants to know.
    Ok(if session.failed && !terminal {
        Exit::Mend
    } else {
        Exit::Success
    })
}

fn greeting(workspace: &Workspace) -> String {
    let loaded = match workspace.file() {
        Some(file) => format!("{file} is loaded"),
        None => "there is no project here".to_owned(),
    };
    let version = env!("CARGO_PKG_VERSION");
    format!("mlp {version}: {loaded}; `:help` lists the commands, Ctrl-D leaves")
}

/// Draws what was found on stderr.
fn told(sources: &Sources, diagnostics: &[Diagnostic]) {
    let notices: Vec<Notice> = diagnostics
        .iter()
        .map(|found| Notice::of(found, sources))
        .collect();
    told::show(&notices);
}

struct Session {
    workspace: Rc<RefCell<Workspace>>,
    /// Whether any input failed.
    failed: bool,
}

impl Session {
    /// Does what an input says. What goes wrong is told, and changes nothing.
    fn answer(&mut self, input: &str) -> Next {
        let done = match Command::read(input) {
            Err(refusal) => Err(refusal),
            Ok(Command::Quit) => return Next::Leave,
            Ok(command) => self.obey(&command),
        };
        if let Err(refusal) = done {
            self.failed = true;
            refusal.show(Style::stderr());
        }
        Next::Input
    }

    fn obey(&mut self, command: &Command<'_>) -> Result<(), Refusal> {
        let mut workspace = self.workspace.borrow_mut();
        match command {
            Command::Enter(text) => {
                let entered = workspace.enter(text);
                drop(workspace);
                self.show(&entered);
            }
            Command::Type(text) => {
                let entered = workspace.type_of(text);
                drop(workspace);
                self.show(&entered);
            }
            Command::Shape(text) => {
                let (entered, rows) = workspace.layers(text);
                drop(workspace);
                self.show(&entered);
                if let Some(rows) = rows {
                    print!("{}", layer_table(&rows));
                }
            }
            Command::Doc(name) => {
                let library = pages::library(Library::standard());
                let own = workspace.documentation();
                print!("{}", doc::text(*name, &own, &library, Style::stdout())?);
            }
            Command::Load(path) => {
                let found = workspace.load(path)?;
                drop(workspace);
                self.reloaded(vec![found]);
            }
            Command::Reload => {
                let found = workspace.reload()?;
                drop(workspace);
                self.reloaded(found);
            }
            Command::Help => eprint!("{}", command::HELP),
            Command::Quit => {}
        }
        Ok(())
    }

    fn reloaded(&mut self, found: Vec<(Sources, Vec<Diagnostic>)>) {
        for (sources, diagnostics) in found {
            self.failed |= has_errors(&diagnostics);
            told(&sources, &diagnostics);
        }
        if let Some(file) = self.workspace.borrow().file() {
            eprintln!("{file} is loaded");
        }
    }

    fn show(&mut self, entered: &Entered) {
        self.failed |= entered.failed();
        told(&entered.sources, &entered.diagnostics);
        for definition in &entered.defined {
            eprintln!("{definition}");
        }
        if let Some(shown) = &entered.shown {
            println!("{shown}");
        }
    }
}
