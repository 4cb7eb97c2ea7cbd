//! `mlp add`: pins data that is too large for git.

use super::exit::{Exit, Refusal};
use super::notice::Notice;
use super::place;
use super::told::{self, Format};
use crate::engine::{AddError, Added, Workspace};
use crate::model::node::Node;
use crate::model::pin::Pin;
use crate::report::style::Style;
use crate::report::table::table;
use crate::report::{count, size};
use mlp_lang::source::{Sources, Span};
use serde_json::json;
use std::path::PathBuf;

/// Pin data that is too large for git: its digest goes into mlp.lock, which is committed in its place.
///
/// At any commit a pipeline is then evaluated, and its results are found, without the data being there. A build that needs
/// the bytes takes them from the project, or from the store if `--store` put them there. Where the project is in git,
/// `.gitignore` gets a line for what is pinned. `mlp status` says what changed since.
///
///   mlp add data/images
///   mlp add train.csv test.csv
///   mlp add --store data/images     (keep its bytes in the store, too)
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// Files and directories of the project. One that is pinned already is pinned anew; only what changed is read.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Copy the bytes into the store, too: builds find them there when they are gone from here.
    #[arg(long)]
    store: bool,
    /// How to write what was pinned.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let project = place::project()?;
    let here = std::env::current_dir()
        .map_err(|error| Refusal::new(format!("the folder in which you are cannot be read: {error}")))?;
    let mut texts = Sources::default();
    let mut paths = Vec::new();
    for path in &arguments.paths {
        let Some(inside) = project.path_of(&here, path) else {
            let refusal = Refusal::new(format!("`{}` is no path inside of the project", path.display()));
            return Err(refusal.hint("what is pinned lies below the folder of pipeline.mlp: copy it there, or link to it from there"));
        };
        let shown = path.display().to_string();
        let end = u32::try_from(shown.len()).unwrap_or(u32::MAX);
        let source = texts.add("command line", shown);
        paths.push((
            inside,
            Span {
                source,
                start: 0,
                end,
            },
        ));
    }
    let workspace = Workspace::open(project).map_err(|error| Refusal::of_engine(&error))?;
    match workspace.add(&paths, arguments.store, &mut texts) {
        Ok(added) => {
            tell(&added, arguments.format);
            Ok(Exit::Success)
        }
        Err(AddError::Told(told)) => {
            let notices: Vec<Notice> = told.iter().map(|told| Notice::of(told, &texts)).collect();
            told::mistakes(&notices, arguments.format);
            Ok(Exit::Mend)
        }
        Err(AddError::Engine(error)) => Err(Refusal::of_engine(&error)),
    }
}

fn tell(added: &[Added], format: Format) {
    if format == Format::Json {
        let all: Vec<_> = added.iter().map(object).collect();
        return told::print_json(&json!({ "added": all }));
    }
    let style = Style::stdout();
    let rows: Vec<Vec<String>> = added.iter().map(row).collect();
    for (line, added) in table(&rows, &[]).iter().zip(added) {
        println!("{}", line.replacen(&added.path, &style.bold(&added.path), 1));
        for inner in &added.taken_in {
            println!("  {inner} is pinned with it now");
        }
    }
    if added.iter().any(|added| added.ignored) {
        eprintln!("mlp.lock and .gitignore were written; commit them");
    } else {
        eprintln!("mlp.lock was written; commit it");
    }
}

fn row(added: &Added) -> Vec<String> {
    let word = match &added.before {
        None => "is pinned",
        Some(before) if *before == added.pin => "is pinned as it was",
        Some(_) => "is pinned anew",
    };
    let stored = if added.stored { "in the store" } else { "" };
    vec![
        added.path.clone(),
        content(&added.pin),
        word.to_owned(),
        stored.to_owned(),
    ]
}

/// `20,000 files, 1.2 GiB`.
pub(super) fn content(pin: &Pin) -> String {
    match pin.node {
        Node::File { .. } => size(pin.size),
        Node::Dir { .. } if pin.files == 1 => format!("1 file, {}", size(pin.size)),
        Node::Dir { .. } => format!("{} files, {}", count(pin.files), size(pin.size)),
    }
}

/// What every JSON object of a pin has.
pub(super) fn pin_object(path: &str, pin: &Pin) -> serde_json::Value {
    let (kind, digest) = match pin.node {
        Node::File { digest, .. } => ("file", digest),
        Node::Dir { tree } => ("directory", tree),
    };
    json!({ "path": path, "kind": kind, "digest": digest.to_string(), "size": pin.size, "files": pin.files })
}

fn object(added: &Added) -> serde_json::Value {
    let mut object = pin_object(&added.path, &added.pin);
    object["changed"] = (added.before != Some(added.pin)).into();
    object["stored"] = added.stored.into();
    object["ignored"] = added.ignored.into();
    object
}
