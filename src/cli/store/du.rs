//! `mlp store du`: what takes how much room.

use crate::base::size::Size;
use crate::cli::exit::{Exit, Refusal};
use crate::cli::told::{self, Format};
use crate::engine::{Census, Item, ItemKind, Store, open_store, projects};
use crate::report::table::{Align, table};
use serde_json::json;
use std::collections::BTreeMap;

/// Say what takes how much room in the store.
///
/// What several have is counted with each of them, and once in the sum. `alone` is what would be free without it.
///
///   mlp store du                    (results, states of trainings, and the rest)
///   mlp store du --by step
///   mlp store du --by project
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// What a line is about.
    #[arg(long, value_enum, default_value_t)]
    by: By,
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum By {
    /// Results, states, content of no step.
    #[default]
    Kind,
    /// Steps by name.
    Step,
    /// Projects that build into the store.
    Project,
}

/// A line.
struct Row {
    name: String,
    bytes: u64,
    alone: u64,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let store = open_store().map_err(|error| Refusal::of_engine(&error))?;
    let refused = |error| Refusal::of_store(&error);
    let census = store.census().map_err(refused)?;
    let groups = match arguments.by {
        By::Kind => by_kind(&census),
        By::Step => by_step(&census),
        By::Project => by_project(&store, &census)?,
    };
    let mut rows: Vec<Row> = groups
        .into_iter()
        .map(|(name, items)| Row {
            name,
            bytes: census.bytes_together(items.iter().copied()),
            alone: census.bytes_alone(&items),
        })
        .collect();
    rows.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    let beside = store.beside().map_err(refused)?;
    match arguments.format {
        Format::Text => tell(&rows, &census, &beside),
        Format::Json => told::print_json(&json!({
            "rows": rows.iter().map(|row| json!({ "name": row.name, "bytes": row.bytes, "alone": row.alone })).collect::<Vec<_>>(),
            "content": census.total(),
            "beside": beside,
        })),
    }
    Ok(Exit::Success)
}

fn tell(rows: &[Row], census: &Census, beside: &BTreeMap<&str, u64>) {
    let size = |bytes: u64| Size(bytes).to_string();
    let mut lines = vec![["", "size", "alone"].map(str::to_owned).to_vec()];
    lines.extend(
        rows.iter()
            .map(|row| vec![row.name.clone(), size(row.bytes), size(row.alone)]),
    );
    lines.push(vec!["all content, each once".to_owned(), size(census.total())]);
    let beside = beside.iter().filter(|(_, bytes)| **bytes > 0);
    lines.extend(beside.map(|(name, bytes)| vec![(*name).to_owned(), size(*bytes)]));
    let align = [Align::Left, Align::Right, Align::Right];
    table(&lines, &align).iter().for_each(|line| println!("{line}"));
}

fn by_kind(census: &Census) -> BTreeMap<String, Vec<&Item>> {
    group(census, |item| match item.kind {
        ItemKind::Result => "results".to_owned(),
        ItemKind::State => "states of trainings".to_owned(),
        ItemKind::Loose => "copies of sources, leftovers".to_owned(),
    })
}

fn by_step(census: &Census) -> BTreeMap<String, Vec<&Item>> {
    group(census, |item| {
        item.step.clone().unwrap_or_else(|| "(no step)".to_owned())
    })
}

fn group(census: &Census, name: impl Fn(&Item) -> String) -> BTreeMap<String, Vec<&Item>> {
    let mut groups: BTreeMap<String, Vec<&Item>> = BTreeMap::new();
    for item in &census.items {
        groups.entry(name(item)).or_default().push(item);
    }
    groups
}

fn by_project<'c>(store: &Store, census: &'c Census) -> Result<BTreeMap<String, Vec<&'c Item>>, Refusal> {
    let projects = projects(store).map_err(|error| Refusal::of_store(&error))?;
    let mut groups: BTreeMap<String, Vec<&Item>> = BTreeMap::new();
    for item in &census.items {
        let mut users = projects.iter().filter(|project| project.has(item)).peekable();
        if users.peek().is_none() {
            groups
                .entry("(no project: earlier results, copies of sources)".to_owned())
                .or_default()
                .push(item);
        }
        for project in users {
            groups
                .entry(project.root.display().to_string())
                .or_default()
                .push(item);
        }
    }
    Ok(groups)
}
