//! Functions of the standard library that the machine runs itself: those whose body in `stdlib/*.mlp` is `intrinsic`.
//!
//! Arguments lie on top of the stack in the order of the parameters, all of them; the checker has seen to their types.
//! An intrinsic that stands in no table and describes something (a layer, a loss, a codec, …) needs no code: it makes a
//! variant of its own name and parameters.

mod augment;
mod bayes;
mod choose;
mod codecs;
mod data;
mod describe;
mod draw;
mod file;
mod given;
mod late;
mod list;
mod map;
mod measure;
mod network;
mod number;
mod outputs;
mod plot;
mod search;
mod settings;
mod split;
mod start;
mod step;
mod stopping;
mod summary;
mod text;
mod traced;
mod train;
mod transform;
mod typed;

use super::blame::Place;
use super::machine::{Failed, Machine};
use super::value::Value;
use crate::core::FunctionId;
pub(crate) use network::Networks;

/// A function of the machine. It need not take its arguments off the stack.
pub(crate) type Intrinsic = for<'m, 'c> fn(&'m mut Machine<'c>, FunctionId, Place) -> Result<Value, Failed>;

/// A table: functions of one module, by name, with how many parameters each has.
type Table = &'static [(&'static str, usize, Intrinsic)];

const TABLES: &[(&str, Table)] = &[
    ("prelude", list::TABLE),
    ("prelude", late::TABLE),
    ("prelude", choose::PRELUDE),
    ("prelude", map::TABLE),
    ("prelude", text::TABLE),
    ("prelude", number::TABLE),
    ("prelude", step::TABLE),
    ("prelude", file::TABLE),
    ("data", data::TABLE),
    ("data", split::TABLE),
    ("data", transform::TABLE),
    ("ml", measure::TABLE),
    ("plot", plot::TABLE),
    ("ml", train::TABLE),
    ("ml", summary::TABLE),
    ("loss", traced::LOSS),
    ("metrics", traced::METRICS),
    ("nn", traced::NN),
    ("search", search::TABLE),
    ("search", choose::TABLE),
    ("search", bayes::TABLE),
];

/// The function with a qualified name; names of the prelude may stand alone.
pub(crate) fn find(name: &str) -> Option<Intrinsic> {
    let (module, own) = name.rsplit_once('.').unwrap_or(("prelude", name));
    TABLES
        .iter()
        .filter(|(table, _)| *table == module)
        .flat_map(|(_, table)| table.iter())
        .find(|(entry, ..)| *entry == own)
        .map(|(.., intrinsic)| *intrinsic)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parameters that each `intrinsic` of a library module has, by name.
    fn signatures(text: &str) -> Vec<(String, usize)> {
        let mut found = Vec::new();
        for item in text.split("\nfn ").skip(1) {
            let item = item.split("\n##").next().unwrap_or_default();
            if !item.trim_end().ends_with("= intrinsic") {
                continue;
            }
            let name: String = item
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            let from = item.find('(').unwrap() + 1;
            let (mut depth, mut count) = (0, 0);
            for c in item[from..].chars() {
                match c {
                    ')' if depth == 0 => break,
                    '(' | '[' | '{' => depth += 1,
                    ')' | ']' | '}' => depth -= 1,
                    ':' if depth == 0 => count += 1,
                    _ => {}
                }
            }
            found.push((name, count));
        }
        found
    }

    #[test]
    fn the_tables_agree_with_the_library() {
        let modules = [
            ("prelude", include_str!("../../../../stdlib/prelude.mlp")),
            ("data", include_str!("../../../../stdlib/data.mlp")),
            ("ml", include_str!("../../../../stdlib/ml.mlp")),
            ("plot", include_str!("../../../../stdlib/plot.mlp")),
            ("search", include_str!("../../../../stdlib/search.mlp")),
        ];
        let descriptions = [
            "pixels",
            "image",
            "audio",
            "vector",
            "numeric",
            "category",
            "text",
            "label",
            "tags",
            "target",
            "decode",
            "uniform",
            "log_uniform",
            "log_normal",
            "int",
            "choice",
        ];
        for (module, text) in modules {
            let declared = signatures(text);
            for (name, count) in &declared {
                if descriptions.contains(&name.as_str()) {
                    continue;
                }
                let entry = TABLES
                    .iter()
                    .filter(|(table, _)| *table == module)
                    .flat_map(|(_, table)| table.iter())
                    .find(|(entry, ..)| entry == name);
                assert_eq!(entry.map(|(_, count, _)| count), Some(count), "{module}.{name}");
            }
            for (table, entries) in TABLES {
                for (name, ..) in entries.iter().filter(|_| *table == module) {
                    assert!(
                        declared.iter().any(|(own, _)| own == name),
                        "{module}.{name} is not declared"
                    );
                }
            }
        }
    }
}
