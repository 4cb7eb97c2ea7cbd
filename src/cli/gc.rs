//! `mlp gc`: makes room in the store.

use super::exit::{Exit, Refusal};
use super::told::{self, Format};
use crate::base::clock::{self, day};
use crate::base::size::Size;
use crate::engine::{Bounds, Collected, Gone, ItemKind, collect, open_store};
use crate::report::count;
use crate::report::table::{Align, table};
use serde_json::json;
use std::collections::BTreeMap;

const DAY: u64 = 24 * 60 * 60;
/// Days for which what was used is kept, where nothing else is asked.
const KEEP_DAYS: u32 = 30;
/// What is told of content that no step made.
const LOOSE: &str = "(copies of sources, leftovers)";

/// Make room in the store: remove results that nobody needs any more.
///
/// What is kept: whatever the `result` link of a project shows, what pinned runs came to, what running builds use, and what
/// was used in the last 30 days. States of trainings go before results. What is removed is remembered, and built again when it is
/// asked for. Builds may run meanwhile.
///
///   mlp gc --dry-run                 (what would go, and how much that is)
///   mlp gc
///   mlp gc --keep-days 7
///   mlp gc --max-size 50GB           (oldest first, until the store is no larger)
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// Keep what was used in the last N days: 30 where it is left out, and 0 with `--max-size`.
    #[arg(long, value_name = "N")]
    keep_days: Option<u32>,
    /// Remove only as much as it takes for the store to be no larger: what was used longest ago first.
    #[arg(long, value_name = "SIZE")]
    max_size: Option<Size>,
    /// Only say what would go.
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// How to write what went.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let store = open_store().map_err(|error| Refusal::of_engine(&error))?;
    let now = clock::since_epoch().as_secs();
    let days = arguments.keep_days.unwrap_or(match arguments.max_size {
        Some(_) => 0,
        None => KEEP_DAYS,
    });
    // What was used in this very second is no older than no days.
    let since = match days {
        0 => u64::MAX,
        days => now.saturating_sub(u64::from(days) * DAY),
    };
    let bounds = Bounds {
        since,
        limit: arguments.max_size.map_or(0, |Size(bytes)| bytes),
        dry_run: arguments.dry_run,
    };
    let collected = collect(&store, bounds).map_err(|error| Refusal::of_engine(&error))?;
    match arguments.format {
        Format::Text => tell(&collected, arguments),
        Format::Json => told::print_json(&as_json(&collected)),
    }
    Ok(Exit::Success)
}

fn tell(collected: &Collected, arguments: &Arguments) {
    let groups = groups(&collected.gone);
    let rows: Vec<Vec<String>> = groups
        .iter()
        .map(|(step, group)| {
            let last = group.used.min(clock::since_epoch().as_secs());
            vec![
                step.clone(),
                group.what(),
                Size(group.bytes).to_string(),
                format!("last used {}", day(last)),
            ]
        })
        .collect();
    let align = [Align::Left, Align::Left, Align::Right, Align::Left];
    table(&rows, &align).iter().for_each(|line| println!("{line}"));
    let verb = if arguments.dry_run {
        "would be freed"
    } else {
        "freed"
    };
    let left = collected.before - collected.freed;
    eprintln!(
        "{} {verb}; {} {} left",
        Size(collected.freed + collected.leftovers),
        Size(left),
        if arguments.dry_run { "would be" } else { "are" },
    );
    if let Some(limit) = arguments.max_size.filter(|limit| left > limit.0) {
        eprintln!(
            "that is more than {limit}: the rest is kept by `result` links, pinned runs, running builds{}",
            match arguments.keep_days {
                Some(days) if days > 0 => format!(", and by `--keep-days {days}`"),
                _ => String::new(),
            }
        );
    }
}

/// What went of a step.
#[derive(Default)]
struct Group {
    results: u64,
    states: u64,
    loose: u64,
    bytes: u64,
    /// When any of it was used last.
    used: u64,
}

impl Group {
    fn what(&self) -> String {
        let some = |n: u64, one: &str, many: &str| match n {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{} {many}", count(n))),
        };
        let kinds = [
            some(self.results, "result", "results"),
            some(self.states, "state", "states"),
            some(self.loose, "thing", "things"),
        ];
        kinds.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

fn groups(gone: &[Gone]) -> BTreeMap<String, Group> {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for gone in gone {
        let group = groups.entry(name(gone).to_owned()).or_default();
        match gone.kind {
            ItemKind::Result => group.results += 1,
            ItemKind::State => group.states += 1,
            ItemKind::Loose => group.loose += 1,
        }
        group.bytes += gone.bytes;
        group.used = group.used.max(gone.used);
    }
    groups
}

fn name(gone: &Gone) -> &str {
    match (&gone.step, gone.kind) {
        (Some(step), _) => step,
        (None, ItemKind::Loose) => LOOSE,
        (None, ItemKind::State) => "(states of scripts)",
        (None, ItemKind::Result) => "(of an unknown step)",
    }
}

fn as_json(collected: &Collected) -> serde_json::Value {
    let gone = collected.gone.iter().map(|gone| {
        json!({
            "kind": gone.kind,
            "key": gone.key,
            "step": gone.step,
            "epoch": gone.epoch,
            "used": gone.used,
            "bytes": gone.bytes,
        })
    });
    json!({
        "removed": gone.collect::<Vec<_>>(),
        "freed": collected.freed,
        "leftovers": collected.leftovers,
        "left": collected.before - collected.freed,
    })
}
