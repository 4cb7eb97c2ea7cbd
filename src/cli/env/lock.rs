//! `mlp env lock` and `mlp env update`: the locks of a pipeline's environments, written.

use crate::cli::exit::{Exit, Refusal};
use crate::cli::place;
use crate::cli::told::{self, Format};
use crate::engine::{Locked, Renewal, has_errors};
use crate::report::style::Style;
use crate::report::table::table;
use serde_json::json;
use std::collections::BTreeSet;

/// Writes the locks; `names`, where given, are what is renewed.
pub(super) fn run(arguments: &super::Common, renewal: Renewal<'_>) -> Result<Exit, Refusal> {
    let mut evaluated = match super::evaluated(arguments)? {
        Ok(evaluated) => evaluated,
        Err(exit) => return Ok(exit),
    };
    let outcome = &evaluated.outcome.evaluation;
    if let Renewal::Named(names) = renewal {
        let pinned = evaluated.workspace.pinned(outcome).into_values().flatten();
        let pinned: BTreeSet<String> = pinned.map(|(name, _)| name).collect();
        if let Some(unknown) = names.iter().find(|name| !pinned.contains(*name)) {
            let refusal = Refusal::new(format!("no lock of this pipeline pins `{unknown}`"));
            let near = place::nearest(unknown, pinned.iter().map(String::as_str));
            return Err(match (near, pinned.is_empty()) {
                (Some(near), _) => refusal.hint(format!("did you mean `{near}`?")),
                (None, true) => refusal.hint("nothing is locked yet; `mlp env lock` locks"),
                (None, false) => refusal.hint("`mlp env` shows what there is"),
            });
        }
    }
    let locked = evaluated
        .workspace
        .lock(outcome, evaluated.pipeline.sources_mut(), renewal);
    let (locked, mut told) = locked.map_err(|error| Refusal::of_engine(&error))?;
    // What is still wrong with what was written is told at once; what could not be written has been.
    if !has_errors(&told) {
        let (_, found) = evaluated
            .workspace
            .environments(outcome, evaluated.pipeline.sources_mut());
        told.extend(found);
    }
    let failed = has_errors(&told);
    let notices = evaluated.notices(&told);
    match arguments.format {
        Format::Json => {
            let locks: Vec<_> = locked.iter().map(object).collect();
            told::print_json(&json!({ "locks": locks, "diagnostics": told::json(&notices) }));
        }
        Format::Text => {
            told::show(&notices);
            locked.iter().for_each(|locked| print!("{}", text(locked)));
            if locked.is_empty() && notices.is_empty() {
                eprintln!("no environment of this pipeline has a lock");
            }
        }
    }
    Ok(if failed { Exit::Mend } else { Exit::Success })
}

fn text(locked: &Locked) -> String {
    let path = Style::stdout().bold(&format!("./{}", locked.path));
    let mut text = match locked.written {
        true => format!("{path} is written\n"),
        false => format!("{path} stays as it is\n"),
    };
    let row = |(name, before, after): &(String, Option<String>, Option<String>)| {
        let words = match (before, after) {
            (Some(before), Some(after)) => format!("{before} → {after}"),
            (None, Some(after)) => format!("{after}, new"),
            (Some(before), None) => format!("{before}, gone"),
            (None, None) => String::new(),
        };
        vec![name.clone(), words]
    };
    let rows: Vec<Vec<String>> = locked.changes.iter().map(row).collect();
    for line in table(&rows, &[]) {
        text.push_str(&format!("  {line}\n"));
    }
    text
}

fn object(locked: &Locked) -> serde_json::Value {
    let changes = locked.changes.iter();
    let changes: Vec<_> = changes
        .map(|(name, before, after)| json!({ "name": name, "before": before, "after": after }))
        .collect();
    json!({ "path": locked.path, "written": locked.written, "changes": changes })
}
