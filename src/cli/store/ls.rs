//! `mlp store ls`: results, by the steps that made them.

use crate::base::clock::day;
use crate::base::size::Size;
use crate::cli::exit::{Exit, Refusal};
use crate::cli::told::{self, Format};
use crate::engine::{Census, Item, ItemKind, open_store};
use crate::report::table::{Align, table};
use serde_json::json;

/// List results: the steps that made them, their outputs, how large they are, when they were last used.
///
///   mlp store ls
///   mlp store ls fit sweep              (of steps whose names begin so)
///   mlp store ls --all --larger 1GB     (states of trainings, and copies of sources, too)
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// Beginnings of names of steps; all steps where none is given.
    #[arg(value_name = "STEP")]
    steps: Vec<String>,
    /// States of trainings and content of no step, too.
    #[arg(long)]
    all: bool,
    /// Only what is at least so large.
    #[arg(long, value_name = "SIZE")]
    larger: Option<Size>,
    /// What comes first.
    #[arg(long, value_enum, default_value_t)]
    sort: Sort,
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Sort {
    /// What was used last.
    #[default]
    Used,
    /// What is largest.
    Size,
    /// By the names of steps.
    Name,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let store = open_store().map_err(|error| Refusal::of_engine(&error))?;
    let census = store.census().map_err(|error| Refusal::of_store(&error))?;
    let mut items: Vec<&Item> = census
        .items
        .iter()
        .filter(|item| {
            arguments.shows(item) && arguments.larger.is_none_or(|size| census.bytes(item) >= size.0)
        })
        .collect();
    let name = |item: &Item| (item.step.clone(), item.epoch(), item.key);
    match arguments.sort {
        Sort::Used => items.sort_by_key(|item| (std::cmp::Reverse(item.used), name(item))),
        Sort::Size => items.sort_by_key(|item| (std::cmp::Reverse(census.bytes(item)), name(item))),
        Sort::Name => items.sort_by_key(|item| name(item)),
    }
    match arguments.format {
        Format::Text => list(&census, &items),
        Format::Json => told::print_json(&items.iter().map(|item| as_json(&census, item)).collect()),
    }
    Ok(Exit::Success)
}

impl Arguments {
    fn shows(&self, item: &Item) -> bool {
        let is_asked = match &item.step {
            Some(step) => {
                self.steps.is_empty() || self.steps.iter().any(|asked| step.starts_with(asked.as_str()))
            }
            None => self.steps.is_empty(),
        };
        is_asked && (self.all || item.kind == ItemKind::Result)
    }
}

fn list(census: &Census, items: &[&Item]) {
    let heading = ["step", "what", "size", "last used", "key"]
        .map(str::to_owned)
        .to_vec();
    let row = |item: &&Item| {
        vec![
            item.step.clone().unwrap_or_else(|| "-".to_owned()),
            what(item),
            Size(census.bytes(item)).to_string(),
            day(item.used),
            item.key.short(),
        ]
    };
    let rows: Vec<Vec<String>> = std::iter::once(heading).chain(items.iter().map(row)).collect();
    let align = [Align::Left, Align::Left, Align::Right, Align::Left, Align::Left];
    if !items.is_empty() {
        table(&rows, &align).iter().for_each(|line| println!("{line}"));
    }
    let together = census.bytes_together(items.iter().copied());
    eprintln!(
        "{} listed; {} together, where what they share counts once",
        items.len(),
        Size(together)
    );
}

fn what(item: &Item) -> String {
    match (item.kind, item.epoch()) {
        (ItemKind::Result, _) => item.outputs.keys().cloned().collect::<Vec<_>>().join(", "),
        (ItemKind::State, Some(epoch)) => format!("state after epoch {epoch}"),
        (ItemKind::State, None) => "state".to_owned(),
        (ItemKind::Loose, _) => "content of no step".to_owned(),
    }
}

fn as_json(census: &Census, item: &Item) -> serde_json::Value {
    json!({
        "kind": item.kind,
        "key": item.key,
        "step": item.step,
        "run": item.run,
        "epoch": item.epoch(),
        "outputs": item.outputs,
        "bytes": census.bytes(item),
        "used": item.used,
    })
}
