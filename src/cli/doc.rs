//! `mlp doc NAME`: what a function of the library, or a binding of the project, is for.

use super::exit::{Exit, Refusal};
use crate::engine::{Project, documentation};
use crate::report::style::Style;
use mlp_lang::doc::{self, Entry, Found, Page};
use mlp_lang::library::Library;
use std::path::Path;

/// How the documentation is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For a terminal.
    #[default]
    Text,
    /// The whole library as a document.
    Markdown,
}

/// Print the documentation of a function, a module or a binding.
///
/// What it takes and gives, and its doc comment: the `##` lines before it. Without a name it lists the library's modules,
/// and the bindings of the project.
///
///   mlp doc nn.conv2d
///   mlp doc nn
///   mlp doc evaluate
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// A function (`nn.conv2d`, `map`), a module (`nn`), a type (`Dataset`), or a binding of the project.
    name: Option<String>,
    /// How to write it.
    #[arg(long, value_enum, default_value_t, conflicts_with = "name")]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let library = doc::library(Library::standard());
    if arguments.format == Format::Markdown {
        print!("{}", doc::markdown(&library));
        return Ok(Exit::Success);
    }
    // Outside of a project there is the library still.
    let project = Project::find(Path::new("."));
    let project = project.map(|project| documentation(&project)).unwrap_or_default();
    print!(
        "{}",
        text(arguments.name.as_deref(), &project, &library, Style::stdout())?
    );
    Ok(Exit::Success)
}

/// What is said of a name, or without one what there is.
pub(super) fn text(
    name: Option<&str>,
    project: &[Entry],
    library: &[Page],
    style: Style,
) -> Result<String, Refusal> {
    let Some(name) = name else {
        return Ok(contents(project, library, style));
    };
    match doc::find(name, project, library) {
        Found::Entries(entries) => {
            let texts = entries.into_iter().map(|found| entry(found, style));
            Ok(texts.collect::<Vec<_>>().join("\n"))
        }
        Found::Page(found) => Ok(page(found, style)),
        Found::Nothing(near) => Err(unknown(name, &near)),
    }
}

/// The signature, and the doc comment beneath.
fn entry(entry: &Entry, style: Style) -> String {
    let mut text = format!("{}\n", style.cyan(&entry.signature));
    for line in entry.doc.lines() {
        text += format!("  {line}").trim_end();
        text.push('\n');
    }
    text
}

/// The module's doc comment, and a line for each item.
fn page(page: &Page, style: Style) -> String {
    format!("{}\n\n{}", page.doc, list(&page.entries, style))
}

fn contents(project: &[Entry], library: &[Page], style: Style) -> String {
    let modules: Vec<Entry> = library
        .iter()
        .map(|page| Entry {
            name: page.name.clone(),
            signature: String::new(),
            doc: page.doc.clone(),
        })
        .collect();
    let mut text = format!("{}\n{}", style.bold("The library"), list(&modules, style));
    if !project.is_empty() {
        text += &format!("\n{}\n{}", style.bold("This project"), list(project, style));
    }
    text
}

/// Names with the first sentence of what is said of them.
fn list(entries: &[Entry], style: Style) -> String {
    let width = entries
        .iter()
        .map(|entry| entry.name.chars().count())
        .max()
        .unwrap_or(0);
    let line = |entry: &Entry| {
        // The colour's escapes must not count as width.
        let blanks = " ".repeat(width - entry.name.chars().count());
        // What is not documented says at least what it is.
        let summary = match entry.doc.is_empty() {
            true => entry.signature.lines().next().unwrap_or_default().to_owned(),
            false => doc::summary(&entry.doc),
        };
        let line = format!("  {}{blanks}  {summary}", style.cyan(&entry.name));
        format!("{}\n", line.trim_end())
    };
    entries.iter().map(line).collect()
}

fn unknown(name: &str, near: &[&str]) -> Refusal {
    Refusal::new(format!("nothing is called `{name}`")).hint(match near {
        [] => "`mlp doc` lists the modules, `mlp doc nn` what is in one".to_owned(),
        near => format!("did you mean {}?", near.join(" or ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_with_their_first_sentence() {
        let entries = ["a", "long"].map(|name| Entry {
            name: name.to_owned(),
            signature: format!("{name}() -> Int"),
            doc: "First. Second.\nThird.".to_owned(),
        });
        let undocumented = Entry {
            doc: String::new(),
            ..entries[0].clone()
        };
        assert_eq!(list(&[undocumented], Style::PLAIN), "  a  a() -> Int\n");
        assert_eq!(list(&entries, Style::PLAIN), "  a     First.\n  long  First.\n");
        assert_eq!(
            entry(&entries[0], Style::PLAIN),
            "a() -> Int\n  First. Second.\n  Third.\n"
        );
    }

    #[test]
    fn an_unknown_name_comes_with_near_ones() {
        let refusal = format!("{:?}", unknown("nn.conv", &["nn.conv2d"]));
        assert!(refusal.contains("did you mean nn.conv2d?"));
        assert!(format!("{:?}", unknown("x", &[])).contains("mlp doc"));
    }
}
