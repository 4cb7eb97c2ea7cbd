//! Loading of the library only what the files of a project mention. A pipeline of five lines imports modules of three hundred
//! functions, and reading them all took half of the time of the shortest commands.
//!
//! *Invariant*: what comes out says nothing where a whole load says nothing, and every name means the same. For whatever a program
//! refers to is written in one of its files; a word too many costs time, a name too few is an error. Messages name what else
//! there is, and no part that is missing may be taken for one that is not there: who is told something loads everything.

use super::imports::resolve;
use super::loader::{Loaded, Texts, decode_source, run_needed};
use crate::hir::Name;
use crate::library::Needed;
use crate::source::World;
use crate::summary::Summaries;

/// Loads the file `entry` of `world`, with summaries in the place of the modules that are `known`, and of the library what
/// the project's files and the texts `also` mention.
pub fn load_mentioned(world: &dyn World, entry: &str, known: Summaries, also: &[&str]) -> Loaded {
    let texts = texts(world, entry, &known);
    let own = texts.values().map(String::as_str);
    let needed = Needed::by(own.chain(also.iter().copied()));
    run_needed(world, entry, known, texts, needed)
}

/// The texts of the files that `entry` leads to, as far as they can be read. What is no import and looks like one is read in
/// vain, and one that is written so that it does not look like one is missed.
fn texts(world: &dyn World, entry: &str, known: &Summaries) -> Texts {
    let mut texts = Texts::default();
    let mut open: Vec<Name> = vec![entry.into()];
    while let Some(path) = open.pop() {
        if texts.contains_key(&path) || known.has(&path) {
            continue;
        }
        let Ok(text) = decode_source(world.read(&path)) else {
            continue;
        };
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        for line in text.lines() {
            let Some(rest) = line.trim_start().strip_prefix("import ") else {
                continue;
            };
            let file = rest.split_whitespace().next().unwrap_or_default();
            let file = file.replace('"', "");
            if file.ends_with(".mlp") {
                open.extend(resolve(directory, &file));
            }
        }
        texts.insert(path, text);
    }
    texts
}
