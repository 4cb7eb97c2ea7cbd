//! `data.csv`: a CSV file becomes a dataset.

use crate::channel::Channel;
use crate::codec::{Reader, check_role};
use crate::columns::Header;
use crate::dataset::{Dataset, FORMAT};
use crate::table::{Cell, CsvRow, Table, write_row};
use crate::{files, program};
use mlp_protocol::call::Call;
use mlp_protocol::data::{CsvArgs, Features, Schema};
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
    let mut x = feature_readers(&args.x, &header, folders)?;
    check_role(&args.y, true, "y")?;
    let mut y = Reader::new(&args.y, &header, folders, "y")?;
    let mut meta = Meta::new(&args.meta, &header)?;

    let mut examples = 0;
    while table.next_row(&mut row)? {
        check_width(&table, &row, &header)?;
        for reader in x.values_mut().chain([&mut y]) {
            reader.take(&CsvRow::new(&table, &row), &header)?;
        }
        meta.take(&table, &row);
        examples += 1;
        if examples % PROGRESS_ROWS == 0 {
            progress(examples)?;
        }
    }
    if examples == 0 {
        return Err(Failure::new("B0107", "the file has a header, but no rows")
            .at(header.place)
            .argument("file"));
    }
    let schema = Schema {
        format: FORMAT,
        examples,
        x: x.iter()
            .map(|(name, reader)| (name.clone(), reader.sizes().clone()))
            .collect(),
        y: y.target(),
        recipe: recipe(args),
    };
    dataset(schema, x, y, meta.text)
}

/// What readers of columns gave.
fn dataset(schema: Schema, x: BTreeMap<String, Reader>, y: Reader, meta: Option<String>) -> Outcome<Dataset> {
    let (mut inputs, mut targets) = (BTreeMap::new(), BTreeMap::new());
    for (name, reader) in x {
        reader.finish(&name, schema.examples, &mut inputs)?;
    }
    y.finish("y", schema.examples, &mut targets)?;
    let y = targets
        .remove("y")
        .ok_or_else(|| Failure::new("B0001", "the target's codec gave no array"))?;
    Ok(Dataset {
        schema,
        x: inputs,
        y,
        meta,
    })
}

/// How examples are read: what a model must agree with. Columns that are only carried along do not matter to it.
fn recipe(args: &CsvArgs) -> serde_json::Value {
    serde_json::json!({ "x": args.x, "y": args.y })
}

fn read_header(table: &mut Table<'_>, row: &mut Vec<Cell>) -> Outcome<Header> {
    if !table.next_row(row)? {
        return Err(Failure::new("B0107", "the file is empty").argument("file"));
    }
    let mut place = table.place(&row[0]);
    place.bytes = None;
    Ok(Header {
        names: row.iter().map(|cell| table.text(cell).into_owned()).collect(),
        place,
    })
}

fn feature_readers(
    features: &Features,
    header: &Header,
    folders: &BTreeMap<String, String>,
) -> Outcome<BTreeMap<String, Reader>> {
    let reader = |codec, argument: &str| {
        check_role(codec, false, argument)?;
        Reader::new(codec, header, folders, argument)
    };
    match features {
        Features::One(codec) => Ok(BTreeMap::from([("x".to_string(), reader(codec, "x")?)])),
        Features::Named(codecs) => codecs
            .iter()
            .map(|(name, codec)| Ok((name.clone(), reader(codec, &format!("x.{name}"))?)))
            .collect(),
    }
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

/// The columns carried along.
struct Meta {
    columns: Vec<usize>,
    text: Option<String>,
}

impl Meta {
    fn new(names: &[String], header: &Header) -> Outcome<Meta> {
        let columns = names
            .iter()
            .map(|name| header.one(name, "meta"))
            .collect::<Outcome<Vec<usize>>>()?;
        let mut meta = Meta { columns, text: None };
        if !names.is_empty() {
            let mut text = String::new();
            write_row(&mut text, names.iter().map(|name| name.as_str().into()));
            meta.text = Some(text);
        }
        Ok(meta)
    }

    fn take(&mut self, table: &Table<'_>, row: &[Cell]) {
        if let Some(text) = &mut self.text {
            write_row(text, self.columns.iter().map(|column| table.text(&row[*column])));
        }
    }
}
