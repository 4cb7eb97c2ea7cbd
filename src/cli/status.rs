//! `mlp status`: how pinned data stands.

use super::add::{content, pin_object};
use super::exit::{Exit, Refusal};
use super::notice::Notice;
use super::place;
use super::told::{self, Format};
use crate::engine::{Change, Differences, Here, Standing, Workspace};
use crate::report::count;
use crate::report::style::Style;
use crate::report::table::table;
use mlp_lang::source::Sources;
use serde_json::{Value, json};

/// Names that are listed of each kind of change.
const LISTED: usize = 10;

/// Say what became of the data that mlp.lock pins: changed, missing, in the store.
///
/// Reads only what changed since it was last looked at. With `--check` the exit code is 1 where anything is not as it is
/// pinned, so that it can stand in CI.
///
///   mlp status
///   mlp status --check
///   mlp status --format json        (with every file that changed)
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// Fail where anything that is here is not what is pinned, or is nowhere to be had.
    #[arg(long)]
    check: bool,
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let project = place::project()?;
    let workspace = Workspace::open(project).map_err(|error| Refusal::of_engine(&error))?;
    let mut texts = Sources::default();
    let standing = match workspace.standing(&mut texts) {
        Ok(standing) => standing,
        Err(told) => {
            let notices: Vec<Notice> = told.iter().map(|told| Notice::of(told, &texts)).collect();
            told::mistakes(&notices, arguments.format);
            return Ok(Exit::Mend);
        }
    };
    let unreadable = standing.iter().filter_map(|standing| match &standing.here {
        Here::Unreadable(told) => Some(Notice::of(told, &texts)),
        _ => None,
    });
    let unreadable: Vec<Notice> = unreadable.collect();
    match arguments.format {
        Format::Json => {
            let pins: Vec<Value> = standing.iter().map(object).collect();
            told::print_json(&json!({ "pins": pins, "diagnostics": told::json(&unreadable) }));
        }
        Format::Text => {
            show(&standing);
            told::show(&unreadable);
        }
    }
    let fails = !unreadable.is_empty() || arguments.check && !standing.iter().all(is_well);
    Ok(if fails { Exit::Mend } else { Exit::Success })
}

/// Whether a build would go on from what is pinned.
fn is_well(standing: &Standing) -> bool {
    match standing.here {
        Here::Same => true,
        Here::Nothing => standing.stored,
        Here::Differs(_) | Here::Unreadable(_) => false,
    }
}

fn show(all: &[Standing]) {
    if all.is_empty() {
        eprintln!("nothing is pinned; `mlp add PATH` pins data that is too large for git");
        return;
    }
    let style = Style::stdout();
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    for (line, standing) in table(&rows, &[]).iter().zip(all) {
        println!(
            "{}",
            line.replacen(&standing.path, &style.bold(&standing.path), 1)
        );
        for line in details(standing) {
            println!("  {line}");
        }
    }
    let other = all.iter().find(|one| matches!(one.here, Here::Differs(_)));
    if let Some(Standing { path, .. }) = other {
        eprintln!("`mlp add {path}` pins what is there now; a build takes it as it is");
    }
}

fn row(standing: &Standing) -> Vec<String> {
    let stored = if standing.stored { "in the store" } else { "" };
    let (state, stored) = match (&standing.here, standing.stored) {
        (Here::Same, _) => ("as it is pinned".to_owned(), stored),
        (Here::Unreadable(_), _) => ("cannot be read".to_owned(), stored),
        (Here::Nothing, true) => ("is not here; builds take it from the store".to_owned(), ""),
        (Here::Nothing, false) => ("is not here, and not in the store".to_owned(), ""),
        (Here::Differs(_), _) => (differs(standing), stored),
    };
    vec![
        standing.path.clone(),
        content(&standing.pin),
        state,
        stored.to_owned(),
    ]
}

/// `differs: 2 changed, 1 new, 1 gone`.
fn differs(standing: &Standing) -> String {
    let Some(counts) = standing.here.counts() else {
        return "differs; which files is not known here".to_owned();
    };
    let named = counts.iter().zip(["changed", "new", "gone"]);
    let named = named.filter(|(n, _)| **n > 0);
    let words: Vec<String> = named
        .map(|(n, word)| format!("{} {word}", count(*n as u64)))
        .collect();
    match words.is_empty() {
        true => "differs".to_owned(),
        false => format!("differs: {}", words.join(", ")),
    }
}

/// The first files of each kind of change.
fn details(standing: &Standing) -> Vec<String> {
    let mut lines = Vec::new();
    for (change, word) in [
        (Change::Changed, "changed"),
        (Change::Added, "new"),
        (Change::Removed, "gone"),
    ] {
        let files = files(standing, change);
        lines.extend(files.iter().take(LISTED).map(|path| format!("{word:<8} {path}")));
        if files.len() > LISTED {
            let more = count((files.len() - LISTED) as u64);
            lines.push(format!("{word:<8} … and {more} more"));
        }
    }
    lines
}

fn files(standing: &Standing, wanted: Change) -> Vec<&str> {
    let Here::Differs(Differences {
        files: Some(files), ..
    }) = &standing.here
    else {
        return Vec::new();
    };
    let found = files.iter().filter(|(_, change)| **change == wanted);
    found.map(|(path, _)| path.as_str()).collect()
}

fn object(standing: &Standing) -> Value {
    let mut object = pin_object(&standing.path, &standing.pin);
    object["state"] = match &standing.here {
        Here::Same => "as_pinned",
        Here::Differs(_) => "differs",
        Here::Nothing => "missing",
        Here::Unreadable(_) => "unreadable",
    }
    .into();
    object["stored"] = standing.stored.into();
    if let Here::Differs(Differences { files: Some(_), .. }) = &standing.here {
        object["changed"] = files(standing, Change::Changed).into();
        object["added"] = files(standing, Change::Added).into();
        object["removed"] = files(standing, Change::Removed).into();
    }
    object
}
