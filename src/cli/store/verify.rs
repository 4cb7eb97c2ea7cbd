//! `mlp store verify`: reads all of the store, and finds what is damaged.

use crate::base::size::Size;
use crate::cli::exit::{Exit, Refusal};
use crate::cli::told::{self, Format};
use crate::engine::{Checked, Remedy, open_store};
use crate::report::count;
use serde_json::json;
use std::path::Path;

/// Read everything in the store, and say what is damaged and how it comes back.
///
/// With `--repair` what is damaged is put aside, in the folder `damaged` of the store: the next build that needs it makes it
/// again. Builds do so by themselves with what they use.
///
///   mlp store verify
///   mlp store verify --repair
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// Put aside what is damaged.
    #[arg(long)]
    repair: bool,
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let store = open_store().map_err(|error| Refusal::of_engine(&error))?;
    let checked = store
        .check(arguments.repair)
        .map_err(|error| Refusal::of_store(&error))?;
    match arguments.format {
        Format::Text => tell(&checked, store.root(), arguments.repair),
        Format::Json => told::print_json(&as_json(&checked, arguments.repair)),
    }
    Ok(match checked.damages.is_empty() || arguments.repair {
        true => Exit::Success,
        false => Exit::Mend,
    })
}

fn tell(checked: &Checked, root: &Path, repair: bool) {
    for damage in &checked.damages {
        let path = damage.path.strip_prefix(root).unwrap_or(&damage.path);
        println!("{}: {}; {}", path.display(), damage.what, remedy(&damage.remedy));
    }
    let read = format!(
        "{} of content and {} records were read",
        Size(checked.bytes),
        count(checked.records as u64)
    );
    match (checked.damages.len(), repair) {
        (0, _) => eprintln!("{read}; all is whole"),
        (n, true) => eprintln!(
            "{read}; {n} damaged, put aside in {}",
            root.join("damaged").display()
        ),
        (n, false) => eprintln!("{read}; {n} damaged: `mlp store verify --repair` puts them aside"),
    }
}

fn remedy(remedy: &Remedy) -> String {
    match remedy {
        Remedy::Built(steps) if steps.is_empty() => "it is built again when it is needed".to_owned(),
        Remedy::Built(steps) => {
            let names: Vec<String> = steps.iter().map(|step| format!("`{step}`")).collect();
            format!("it is built again when {} is needed", names.join(" or "))
        }
        Remedy::Copied => "it is copied again if the file that it is a copy of is still there".to_owned(),
        Remedy::Derived => "it is made again".to_owned(),
    }
}

fn as_json(checked: &Checked, repair: bool) -> serde_json::Value {
    let damages = checked.damages.iter().map(|damage| {
        let (again, steps) = match &damage.remedy {
            Remedy::Built(steps) => ("built", Some(steps)),
            Remedy::Copied => ("copied", None),
            Remedy::Derived => ("derived", None),
        };
        json!({ "path": damage.path, "what": damage.what, "again": again, "steps": steps })
    });
    json!({
        "contents": checked.contents,
        "bytes": checked.bytes,
        "records": checked.records,
        "damaged": damages.collect::<Vec<_>>(),
        "put_aside": repair,
    })
}
