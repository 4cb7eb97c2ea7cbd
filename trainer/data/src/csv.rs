//! `data.csv`: a CSV file becomes a dataset.

use crate::channel::Channel;
use crate::columns::Header;
use crate::dataset::Dataset;
use crate::readers::Readers;
use crate::table::{Cell, CsvRow, Table};
use crate::{files, program};
use mlp_protocol::call::Call;
use mlp_protocol::data::CsvArgs;
use mlp_protocol::message::{Failure, Message, Outcome};
use std::collections::BTreeMap;
use std::path::Path;

/// Rows between two words of progress.
const PROGRESS_ROWS: u64 = 100_000;

/// Builds `data.csv`.
///
/// # Errors
/// When the file is not what the codecs read.
pub fn build(call: &Call, channel: &Channel) -> Outcome<()> {
    let args: CsvArgs = program::arguments(call)?;
    let bytes = files::map(Path::new(program::input(call, "file")?), "the CSV file")?;
    let progress = |done| {
        let message = Message::Progress {
            done,
            total: None,
            unit: "rows".to_string(),
        };
        channel
            .send(&message)
            .map_err(|error| Failure::new("B0002", format!("mlp does not listen: {error}")))
    };
    let dataset = read(&bytes, &args, &call.inputs, progress)?;
    match call.outputs.get("dataset") {
        Some(path) => dataset.write(Path::new(path)),
        None => Ok(()),
    }
}

/// Reads a CSV text; `progress` is told of the rows now and then. The folders of files that columns name are among the
/// inputs `folders`.
///
/// # Errors
/// When the text is not what the codecs read.
pub fn read(
    bytes: &[u8],
    args: &CsvArgs,
    folders: &BTreeMap<String, String>,
    progress: impl Fn(u64) -> Outcome<()>,
) -> Outcome<Dataset> {
    let mut table = Table::new(bytes, "file", None)?;
    let mut row = Vec::new();
    let header = read_header(&mut table, &mut row)?;
    let mut readers = Readers::new(args, &header, folders)?;
    while table.next_row(&mut row)? {
        check_width(&table, &row, &header)?;
        readers.take(&CsvRow::new(&table, &row), &header)?;
        if readers.examples % PROGRESS_ROWS == 0 {
            progress(readers.examples)?;
        }
    }
    if readers.examples == 0 {
        let failure = Failure::new("B0107", "the file has a header, but no rows").argument("file");
        return Err(match header.place {
            Some(place) => failure.at(place),
            None => failure,
        });
    }
    readers.finish(args)
}

fn read_header(table: &mut Table<'_>, row: &mut Vec<Cell>) -> Outcome<Header> {
    if !table.next_row(row)? {
        return Err(Failure::new("B0107", "the file is empty").argument("file"));
    }
    let mut place = table.place(&row[0]);
    place.bytes = None;
    Ok(Header {
        names: row.iter().map(|cell| table.text(cell).into_owned()).collect(),
        place: Some(place),
        widths: Vec::new(),
        bytes: Vec::new(),
    })
}

fn check_width(table: &Table<'_>, row: &[Cell], header: &Header) -> Outcome<()> {
    let (cells, columns) = (row.len(), header.names.len());
    if cells == columns {
        return Ok(());
    }
    // The first cell too many, or the last one before the missing.
    let at = row.get(columns).or(row.last());
    let plural = if cells == 1 { "" } else { "s" };
    let failure = Failure::new(
        "B0102",
        format!("a row of {cells} cell{plural}, but the header names {columns} columns"),
    );
    let failure = match at {
        Some(cell) => failure.at(table.place(cell)),
        None => failure,
    };
    Err(failure.argument("file").help(if cells > columns {
        "put a cell that holds a comma in double quotes"
    } else {
        "the line may be cut off; an empty cell still needs its comma"
    }))
}
