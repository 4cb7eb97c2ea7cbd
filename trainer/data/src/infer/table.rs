//! Drafts for CSV and Parquet files.

use super::codec::choose;
use super::columns::Column;
use super::{Draft, Place, Unclear, literal};
use crate::table::Table;
use crate::{files, parquet};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::File;

/// Columns that are told one by one.
const MOST_TOLD: usize = 40;

/// How a table is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Csv,
    Parquet,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Csv => "csv",
            Kind::Parquet => "parquet",
        }
    }
}

pub(super) fn draft(place: &Place, kind: Kind) -> Result<Draft, Unclear> {
    let columns = match kind {
        Kind::Csv => columns(place)?,
        Kind::Parquet => columns_of_parquet(place)?,
    };
    let rows = columns.first().map_or(0, |column| column.cells);
    let codecs = choose(&columns, place)?;
    let name = literal::name(place.name().split('.').next().unwrap_or_default(), &[]);
    let meta = match codecs.meta[..] {
        [] => String::new(),
        _ => format!(", meta = {}", literal::texts(&codecs.meta)),
    };
    let declaration = format!(
        "{name} = data.{}({}, x = {}, y = {}{meta})",
        kind.name(),
        literal::path(&place.written),
        codecs.x,
        codecs.y
    );
    let mut notes = vec![format!(
        "{}: {}, {}",
        place.written,
        literal::counted(rows, "row", "rows"),
        literal::counted(columns.len() as u64, "column", "columns")
    )];
    notes.extend(told(&columns));
    notes.extend(tally(&columns[codecs.target]));
    notes.extend(codecs.notes);
    let facts = columns.iter().map(|column| {
        let mut facts = json!({ "name": column.name, "holds": column.said(), "empty": column.empty });
        if column.least.is_finite() {
            facts["least"] = column.least.into();
            facts["most"] = column.most.into();
        }
        if let Some(distinct) = column.distinct() {
            facts["distinct"] = distinct.into();
        }
        facts
    });
    let facts = json!({ "kind": kind.name(), "rows": rows, "columns": facts.collect::<Vec<_>>() });
    Ok(Draft {
        notes,
        declaration,
        facts,
    })
}

/// What each column holds. Neighbours of which the same is to be said are told together.
fn told(columns: &[Column]) -> Vec<String> {
    let stem = |column: &Column| {
        column
            .name
            .trim_end_matches(|c: char| c.is_ascii_digit())
            .to_owned()
    };
    let mut runs: Vec<&[Column]> = Vec::new();
    for run in columns.chunk_by(|a, b| stem(a) == stem(b) && !stem(a).is_empty()) {
        match run.len() {
            0..=3 => runs.extend(run.chunks(1)),
            _ => runs.push(run),
        }
    }
    let mut lines: Vec<String> = runs
        .iter()
        .take(MOST_TOLD)
        .map(|run| match run {
            [column] => format!("`{}`: {}", column.name, column.said()),
            [first, .., last] => {
                let least = run
                    .iter()
                    .map(|column| column.least)
                    .fold(f64::INFINITY, f64::min);
                let most = run
                    .iter()
                    .map(|column| column.most)
                    .fold(f64::NEG_INFINITY, f64::max);
                let range = if least <= most {
                    format!(", numbers from {least} to {most}")
                } else {
                    String::new()
                };
                format!(
                    "`{}` to `{}`: {} columns{range}",
                    first.name,
                    last.name,
                    run.len()
                )
            }
            [] => String::new(),
        })
        .collect();
    if runs.len() > MOST_TOLD {
        lines.push(format!(
            "and {} more columns",
            literal::count((runs.len() - MOST_TOLD) as u64)
        ));
    }
    lines
}

/// How often each class comes, where they are few.
fn tally(target: &Column) -> Option<String> {
    let tally = target.tally();
    let shown: Vec<String> = tally
        .iter()
        .map(|(name, times)| format!("`{name}` {}", literal::count(*times)))
        .collect();
    (2..=12)
        .contains(&tally.len())
        .then(|| format!("of `{}`: {}", target.name, shown.join(", ")))
}

fn columns_of_parquet(place: &Place) -> Result<Vec<Column>, Unclear> {
    let name = &place.written;
    let file = File::open(&place.path).map_err(|error| Unclear {
        message: format!("`{name}` cannot be read: {error}"),
        help: None,
    })?;
    let mut columns: BTreeMap<usize, Column> = BTreeMap::new();
    let names = parquet::each_cell(file, |column, cell, row| {
        let column = columns
            .entry(column)
            .or_insert_with(|| Column::new(String::new()));
        column.see(cell, row + 1);
    });
    let mut names = names.map_err(|failure| Unclear::of(*failure, name))?;
    for (index, column) in &mut columns {
        column.name = std::mem::take(&mut names[*index]);
        column.numbered = "row";
    }
    match columns.is_empty() {
        true => Err(Unclear {
            message: format!("`{name}` has no rows with columns that are read"),
            help: None,
        }),
        false => Ok(columns.into_values().collect()),
    }
}

fn columns(place: &Place) -> Result<Vec<Column>, Unclear> {
    let name = &place.written;
    let unclear = |failure: Box<mlp_protocol::message::Failure>| Unclear::of(*failure, name);
    let bytes = files::map(&place.path, name).map_err(unclear)?;
    if bytes.iter().take(4096).any(|byte| *byte == 0) {
        return Err(Unclear::new(
            format!("`{name}` is no text, and no other file that is known"),
            "CSV, .npy, .npz, .safetensors and IDX files are looked at, and folders of images or of sounds with a CSV file",
        ));
    }
    let mut table = Table::new(&bytes, "file", None).map_err(unclear)?;
    let mut row = Vec::new();
    if !table.next_row(&mut row).map_err(unclear)? {
        return Err(Unclear {
            message: format!("`{name}` is empty"),
            help: None,
        });
    }
    let names: Vec<String> = row.iter().map(|cell| table.text(cell).into_owned()).collect();
    check_header(&names, place)?;
    let mut columns: Vec<Column> = names.into_iter().map(Column::new).collect();
    while table.next_row(&mut row).map_err(unclear)? {
        let line = row.first().map_or(0, |cell| table.place(cell).line);
        if row.len() != columns.len() {
            return Err(Unclear::new(
                format!(
                    "`{name}`, line {line}: {}, and the header names {}",
                    literal::counted(row.len() as u64, "cell", "cells"),
                    literal::counted(columns.len() as u64, "column", "columns")
                ),
                "a cell that holds a comma stands in double quotes; an empty one still needs its comma",
            ));
        }
        for (column, cell) in columns.iter_mut().zip(&row) {
            column.see(&table.text(cell), line);
        }
    }
    if columns[0].cells == 0 {
        return Err(Unclear {
            message: format!("`{name}` has a header, and no rows"),
            help: None,
        });
    }
    Ok(columns)
}

fn check_header(names: &[String], place: &Place) -> Result<(), Unclear> {
    let name = &place.written;
    if let [only] = names {
        let separators = [
            (';', "semicolons", "';'"),
            ('\t', "tabs", "'\\t'"),
            ('|', "bars", "'|'"),
        ];
        if let Some((_, word, quoted)) = separators
            .into_iter()
            .find(|(separator, ..)| only.contains(*separator))
        {
            return Err(Unclear::new(
                format!("the cells of `{name}` are divided by {word}, and `data.csv` reads commas"),
                format!(
                    "write it anew, quotes and all: python3 -c \"import csv, sys; csv.writer(sys.stdout).writerows(csv.reader(sys.stdin, delimiter={quoted}))\" < {name} > commas.csv"
                ),
            ));
        }
    }
    if names.len() > 1 && names.iter().all(|name| name.trim().parse::<f64>().is_ok()) {
        return Err(Unclear::new(
            format!("the first row of `{name}` holds numbers, not names"),
            format!(
                "put a header before it: a line with {} names, divided by commas",
                names.len()
            ),
        ));
    }
    let twice = names
        .iter()
        .enumerate()
        .find(|(index, name)| names[..*index].contains(name));
    match twice {
        Some((_, twice)) => Err(Unclear::new(
            format!("the header of `{name}` names the column `{twice}` twice"),
            "rename one of them in the file",
        )),
        None => Ok(()),
    }
}
