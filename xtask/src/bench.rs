//! `cargo xtask bench`: figures that are meant to be compared, taken in one run on one machine and given as ratios.

mod build;
mod check;
mod data;
mod dvc;
mod lang;
mod lsp;
mod noop;
mod project;
mod sandbox;
mod steps;
mod tools;
mod train;

/// A figure of ours beside one of a tool that people use now.
struct Row {
    what: &'static str,
    ours: f64,
    theirs: Option<f64>,
    peer: &'static str,
    unit: &'static str,
}

/// Takes all figures.
pub(crate) fn all() -> Result<(), String> {
    [
        "tools", "train", "steps", "build", "noop", "data", "sandbox", "lang", "check", "lsp",
    ]
    .into_iter()
    .try_for_each(part)
}

/// Takes the figures of one part, and prints its table.
pub(crate) fn part(name: &str) -> Result<(), String> {
    match name {
        "tools" => print(&tools::rows()?),
        "train" => print(&train::rows()?),
        "steps" => print(&steps::rows()?),
        "build" => print(&build::rows()?),
        "noop" => print(&noop::rows()?),
        "data" => print(&data::rows()?),
        "sandbox" => print(&sandbox::rows()?),
        "lang" => lang::run()?,
        "check" => check::run()?,
        "lsp" => lsp::run()?,
        _ => {
            return Err(format!(
                "bench has no part `{name}`\nhint: its parts are tools, train, steps, build, noop, data, sandbox, lang, check, lsp"
            ));
        }
    }
    Ok(())
}

fn print(rows: &[Row]) {
    println!(
        "{:<34}{:>14}{:>14}  {:<22}{:>8}",
        "", "mlp", "", "against", "ratio"
    );
    for row in rows {
        println!("{}", line(row));
    }
}

fn line(row: &Row) -> String {
    let theirs = row
        .theirs
        .map_or("not here".to_owned(), |theirs| format!("{theirs:.1}"));
    let ratio = row
        .theirs
        .map_or(String::new(), |theirs| format!("{:.1}x", theirs / row.ours));
    let what = format!("{} ({})", row.what, row.unit);
    format!(
        "{what:<34}{:>14.1}{theirs:>14}  {:<22}{ratio:>8}",
        row.ours, row.peer
    )
}
