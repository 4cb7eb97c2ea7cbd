//! `data.parquet`: a Parquet file becomes a dataset, as a CSV file does: its columns are read by name, those in groups by
//! their path, `group.name`. Lists are not read: they have another number of values in each row.

use crate::channel::Channel;
use crate::columns::Header;
use crate::dataset::Dataset;
use crate::program;
use crate::readers::Readers;
use crate::value::{Row, Value};
use ::parquet::basic::ConvertedType;
use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use ::parquet::data_type::DataType;
use ::parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use ::parquet::schema::types::ColumnDescPtr;
use mlp_protocol::call::Call;
use mlp_protocol::data::CsvArgs;
use mlp_protocol::message::{Failure, Message, Outcome};
use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Rows that are in memory at a time.
const BATCH: usize = 4_096;

/// Builds `data.parquet`.
///
/// # Errors
/// When the file is damaged, or not what the codecs read.
pub fn build(call: &Call, channel: &Channel) -> Outcome<()> {
    let args: CsvArgs = program::arguments(call)?;
    let path = Path::new(program::input(call, "file")?);
    let file = File::open(path)
        .map_err(|error| Failure::new("B0002", format!("the Parquet file cannot be read: {error}")))?;
    let dataset = read(file, &args, call, |done, total| {
        let message = Message::Progress {
            done,
            total: Some(total),
            unit: "rows".to_string(),
        };
        channel
            .send(&message)
            .map_err(|error| Failure::new("B0002", format!("mlp does not listen: {error}")))
    })?;
    match call.outputs.get("dataset") {
        Some(path) => dataset.write(Path::new(path)),
        None => Ok(()),
    }
}

fn read(
    file: File,
    args: &CsvArgs,
    call: &Call,
    progress: impl Fn(u64, u64) -> Outcome<()>,
) -> Outcome<Dataset> {
    let reader = guarded(|| SerializedFileReader::new(file))?;
    let described = described(&reader);
    let header = Header {
        names: names(&described),
        place: None,
        widths: Vec::new(),
        bytes: Vec::new(),
    };
    let mut readers = Readers::new(args, &header, &call.inputs)?;
    let used: BTreeSet<usize> = readers.cells().collect();
    for column in &used {
        check_column(&described[*column], &header.names[*column])?;
    }
    let total = u64::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or(0);
    each_row(&reader, &described, &used, |row| {
        readers.take(row, &header)?;
        match row.row + 1 == row.columns.rows {
            true => progress(readers.examples, total),
            false => Ok(()),
        }
    })?;
    if readers.examples == 0 {
        return Err(Failure::new("B0107", "the file has no rows").argument("file"));
    }
    readers.finish(args)
}

/// Shows each cell of the columns that are read, with its column and its row, from 0; gives the names of all columns.
///
/// # Errors
/// When the file is damaged.
pub(crate) fn each_cell(file: File, mut see: impl FnMut(usize, &str, u64)) -> Outcome<Vec<String>> {
    let reader = guarded(|| SerializedFileReader::new(file))?;
    let described = described(&reader);
    let names = names(&described);
    let read = |index: &usize| check_column(&described[*index], &names[*index]).is_ok();
    let read: BTreeSet<usize> = (0..names.len()).filter(read).collect();
    each_row(&reader, &described, &read, |row| {
        read.iter()
            .for_each(|column| see(*column, &row.value(*column).text(), row.number));
        Ok(())
    })?;
    Ok(names)
}

fn described(reader: &SerializedFileReader<File>) -> Vec<ColumnDescPtr> {
    reader
        .metadata()
        .file_metadata()
        .schema_descr()
        .columns()
        .to_vec()
}

fn names(described: &[ColumnDescPtr]) -> Vec<String> {
    let path = |column: &ColumnDescPtr| column.path().parts().join(".");
    described.iter().map(path).collect()
}

/// Shows every row, with the columns that are `used`.
fn each_row(
    reader: &SerializedFileReader<File>,
    described: &[ColumnDescPtr],
    used: &BTreeSet<usize>,
    mut see: impl FnMut(&ParquetRow<'_>) -> Outcome<()>,
) -> Outcome<()> {
    let mut number = 0;
    for group in 0..reader.num_row_groups() {
        let group = guarded(|| reader.get_row_group(group))?;
        let mut columns = Columns::open(&*group, described, used)?;
        let mut left = usize::try_from(group.metadata().num_rows()).map_err(|error| damaged(&error))?;
        while left > 0 {
            let rows = left.min(BATCH);
            columns.next(rows)?;
            for row in 0..rows {
                see(&ParquetRow {
                    columns: &columns,
                    row,
                    number,
                })?;
                number += 1;
            }
            left -= rows;
        }
    }
    Ok(())
}

fn damaged(why: &dyn Display) -> Box<Failure> {
    Failure::new("B0126", format!("the Parquet file cannot be read: {why}"))
        .argument("file")
        .help("it may be cut short: write it or get it anew")
}

/// What a function of the format's crate gives; what it fails or panics of, a damaged file.
fn guarded<T>(read: impl FnOnce() -> Result<T, ::parquet::errors::ParquetError>) -> Outcome<T> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(error)) => Err(damaged(&error)),
        Err(_) => Err(damaged(&"its parts do not fit together")),
    }
}

fn check_column(column: &ColumnDescPtr, name: &str) -> Outcome<()> {
    use ::parquet::basic::Type;
    let wrong = |what: &str, help: &str| {
        Err(Failure::new(
            "B0126",
            format!("the column `{name}` holds {what}, which are not read"),
        )
        .argument("file")
        .help(help.to_owned()))
    };
    if column.max_rep_level() > 0 {
        return wrong(
            "lists",
            "write a column for each number, or arrays (`data.arrays`)",
        );
    }
    let decimal = column.converted_type() == ConvertedType::DECIMAL;
    match column.physical_type() {
        Type::INT96 => wrong("timestamps of 96 bits", "write them as numbers or texts"),
        Type::FIXED_LEN_BYTE_ARRAY => wrong("bytes of a fixed length", "write them as numbers or texts"),
        Type::BYTE_ARRAY if decimal => wrong("decimals of any length", "write them as float64"),
        _ => Ok(()),
    }
}

/// The columns of a group of rows that are looked at, and the rows of them that are in memory.
struct Columns {
    /// By the column's index; none for columns that nobody looks at.
    open: Vec<Option<Column>>,
    /// How many rows are in memory.
    rows: usize,
}

struct Column {
    reader: ColumnReader,
    /// The level at which a value is there.
    level: i16,
    /// What a whole number is multiplied by, of decimals.
    scale: Option<f64>,
    unsigned: bool,
    values: Vec<Value<'static>>,
}

impl Columns {
    fn open(
        group: &dyn RowGroupReader,
        described: &[ColumnDescPtr],
        used: &BTreeSet<usize>,
    ) -> Outcome<Columns> {
        let open = |(index, column): (usize, &ColumnDescPtr)| {
            if !used.contains(&index) {
                return Ok(None);
            }
            let kind = column.converted_type();
            Ok(Some(Column {
                reader: guarded(|| group.get_column_reader(index))?,
                level: column.max_def_level(),
                scale: (kind == ConvertedType::DECIMAL).then(|| f64::from(column.type_scale())),
                unsigned: matches!(
                    kind,
                    ConvertedType::UINT_8
                        | ConvertedType::UINT_16
                        | ConvertedType::UINT_32
                        | ConvertedType::UINT_64
                ),
                values: Vec::new(),
            }))
        };
        let open = described.iter().enumerate().map(open).collect::<Outcome<_>>()?;
        Ok(Columns { open, rows: 0 })
    }

    /// Puts the next `rows` rows in the place of those before.
    fn next(&mut self, rows: usize) -> Outcome<()> {
        self.rows = rows;
        self.open
            .iter_mut()
            .flatten()
            .try_for_each(|column| column.next(rows))
    }
}

impl Column {
    fn next(&mut self, rows: usize) -> Outcome<()> {
        let (level, scale, unsigned) = (self.level, self.scale, self.unsigned);
        let whole = |number: i64| match scale {
            // Powers of ten are exact as far as a decimal of 64 bits goes; divided by, and not multiplied.
            Some(scale) => Value::Float(number as f64 / libm::exp10(scale)),
            None => Value::Int(number),
        };
        self.values = match &mut self.reader {
            ColumnReader::BoolColumnReader(reader) => {
                values(reader, rows, level, |value| Ok(Value::Int(i64::from(*value))))
            }
            ColumnReader::Int32ColumnReader(reader) => values(reader, rows, level, |value| {
                Ok(match unsigned {
                    true => whole(i64::from(value.cast_unsigned())),
                    false => whole(i64::from(*value)),
                })
            }),
            ColumnReader::Int64ColumnReader(reader) => values(reader, rows, level, |value| {
                Ok(match unsigned && *value < 0 {
                    true => Value::Float(value.cast_unsigned() as f64),
                    false => whole(*value),
                })
            }),
            ColumnReader::FloatColumnReader(reader) => {
                values(reader, rows, level, |value| Ok(Value::Float(f64::from(*value))))
            }
            ColumnReader::DoubleColumnReader(reader) => {
                values(reader, rows, level, |value| Ok(Value::Float(*value)))
            }
            ColumnReader::ByteArrayColumnReader(reader) => values(reader, rows, level, |value| {
                let text = value
                    .as_utf8()
                    .map_err(|_| damaged(&"a text in it is not UTF-8"))?;
                Ok(Value::Text(text.to_owned().into()))
            }),
            _ => Err(damaged(&"a column is of another type than its schema says")),
        }?;
        Ok(())
    }
}

/// The next `rows` values of a column, empty where none is there.
fn values<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    level: i16,
    value: impl Fn(&T::T) -> Outcome<Value<'static>>,
) -> Outcome<Vec<Value<'static>>> {
    let (mut found, mut levels) = (Vec::new(), Vec::new());
    let mut records = 0;
    while records < rows {
        let (read, _, _) =
            guarded(|| reader.read_records(rows - records, Some(&mut levels), None, &mut found))?;
        if read == 0 {
            return Err(damaged(&"a column has fewer values than rows"));
        }
        records += read;
    }
    // A column that must be there in every row has no levels.
    if level == 0 {
        return found.iter().map(value).collect();
    }
    let mut found = found.iter();
    levels
        .iter()
        .map(|own| match *own == level {
            true => found
                .next()
                .map_or_else(|| Err(damaged(&"a column has fewer values than it says")), &value),
            false => Ok(Value::Empty),
        })
        .collect()
}

/// A row of the rows in memory.
struct ParquetRow<'a> {
    columns: &'a Columns,
    row: usize,
    number: u64,
}

impl Row for ParquetRow<'_> {
    fn value(&self, column: usize) -> Value<'_> {
        let open = self.columns.open[column].as_ref();
        open.and_then(|column| column.values.get(self.row))
            .cloned()
            .unwrap_or(Value::Empty)
    }

    fn blame(&self, mut failure: Box<Failure>, _column: usize) -> Box<Failure> {
        failure.message = format!("{} at row {}", failure.message, self.number);
        failure
    }
}

#[cfg(test)]
#[path = "parquet_tests.rs"]
mod tests;
