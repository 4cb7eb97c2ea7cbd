//! `mlp step`: finds out about steps of one's own.

use super::enter::{Entered, enter};
use super::exit::{Exit, Refusal};
use super::notice::Mark;
use super::place;
use super::script::{name, path_from};
use crate::engine::{Proposal, Suggestion, Watched};
use crate::model::build::Ending;
use crate::model::derivation::Builder;
use crate::model::graph::Step;
use crate::report::style::Style;
use clap::Subcommand;
use mlp_lang::source::{Sources, Span};

/// Find out about a step of your own.
///
///   mlp step trace fit
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment, arg_required_else_help = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    Trace(Trace),
}

/// Run a step once with the whole project in sight, and propose its inputs.
///
/// What the step reads of other steps is built first. Then it runs with every file of the project where its inputs lie, and
/// each file that it, or any program that it starts, opens is noted. What it reads and does not declare is printed as it
/// belongs into `inputs`. What it writes is thrown away, and nothing is registered. Its own words go to stderr.
///
///   mlp step trace fit
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
struct Trace {
    /// What the step makes: `fit`, `fit.model`.
    target: String,
    #[command(flatten)]
    settings: place::Settings,
}

/// Names that a list in a sentence has at most.
const NAMED: usize = 8;

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let What::Trace(arguments) = &arguments.what;
    let Entered {
        demanded,
        step: id,
        visit,
        cancel,
    } = match enter(&arguments.target, &arguments.settings)? {
        Ok(entered) => entered,
        Err(exit) => return Ok(exit),
    };
    let step = demanded.instance.graph.step(id);
    if let Builder::Builtin { name, .. } = &step.derivation.builder {
        let message = format!(
            "`{}` is a step of the library, `{name}`: it reads its arguments and nothing else",
            step.name()
        );
        return Err(
            Refusal::new(message).hint("`mlp step trace` is for steps that run a program of your own")
        );
    }
    let watched = visit
        .trace(&demanded.workspace, &demanded.instance, id, &cancel)
        .map_err(|error| Refusal::of_engine(&error))?;
    let Watched { ending, proposal } = watched;
    if let Ending::NotStarted { reason, help } = ending {
        let refusal = Refusal::new(format!("`{}` could not be started: {reason}", step.name()));
        return Err(match help {
            Some(help) => refusal.hint(help),
            None => refusal,
        });
    }
    if ending == Ending::Cancelled {
        return Ok(Exit::Cancelled);
    }
    tell(&proposal, step, demanded.pipeline.sources());
    let style = Style::stderr();
    if ending == Ending::Succeeded {
        eprintln!("nothing was registered; another run, with other values, may read other files");
        return Ok(Exit::Success);
    }
    eprintln!(
        "{} the step {}: it may read more where it goes on",
        style.yellow("warning:"),
        how(&ending)
    );
    Ok(Exit::Failed)
}

fn how(ending: &Ending) -> String {
    match ending {
        Ending::Exited(status) => format!("ended with status {status}"),
        Ending::Signalled(signal) => format!("was ended by signal {signal}"),
        _ => "did not come to its end".to_owned(),
    }
}

/// What to paste goes to stdout, all about it to stderr.
fn tell(proposal: &Proposal, step: &Step, sources: &Sources) {
    let called = step.name();
    match proposal.undeclared.as_slice() {
        [] => eprintln!("`{called}` reads nothing of the project that it does not declare"),
        [file] => eprintln!("`{called}` reads `{file}`, which is no input of it"),
        files => eprintln!(
            "`{called}` reads {} files that are no inputs of it: {}",
            files.len(),
            list(files)
        ),
    }
    let inputs = step.origin.arguments.get("inputs").copied();
    let place = |span: Span| Mark::of(sources, span, "").place();
    if !proposal.add.is_empty() {
        let entries = entries(&proposal.add, step.origin.span, sources).join(", ");
        match inputs {
            Some(span) => {
                eprintln!("add to the step's inputs, at {}:", place(span));
                println!("{entries}");
            }
            None => {
                eprintln!("give them to the step, at {}:", place(step.origin.span));
                println!("inputs = {{ {entries} }}");
            }
        }
    }
    for made in &proposal.add {
        if let Suggestion::Output(path, by) = made {
            eprintln!(
                "`{by}` makes `{path}`: have the step read `inputs/{}`, or give it the path as an argument",
                name(path)
            );
        }
    }
    if !proposal.unread.is_empty() {
        eprintln!("declared and never read: {}", list(&proposal.unread));
    }
    if !proposal.looked_for.is_empty() {
        eprintln!("looked for, and not read: {}", list(&proposal.looked_for));
    }
}

fn list(paths: &[String]) -> String {
    let shown: Vec<String> = paths.iter().take(NAMED).map(|path| format!("`{path}`")).collect();
    let more = match paths.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    shown.join(", ") + &more
}

/// `raw: ./data/raw.csv`, each with a name of its own.
fn entries(add: &[Suggestion], at: Span, sources: &Sources) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut unique = |wanted: String| {
        let mut found = wanted.clone();
        let mut count = 1;
        while names.contains(&found) {
            count += 1;
            found = format!("{wanted}_{count}");
        }
        names.push(found.clone());
        found
    };
    let entry = |suggestion: &Suggestion| match suggestion {
        Suggestion::File(path) | Suggestion::Folder(path) => {
            format!("{}: {}", unique(name(path)), path_from(Some(at), path, sources))
        }
        // Patterns are read from the project's root.
        Suggestion::Glob(glob) => {
            let folder = glob.rsplit_once('/').map_or("files", |(folder, _)| folder);
            format!("{}: \"{glob}\"", unique(name(folder)))
        }
        Suggestion::Output(path, by) => format!("{}: {by}", unique(name(path))),
    };
    add.iter().map(entry).collect()
}
