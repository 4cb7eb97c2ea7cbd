//! Codecs: how the cells of a row become numbers.

use crate::columns::Header;
use crate::safetensors::Array;
use crate::table::{Cell, Table};
use mlp_protocol::data::{Classes, Codec, Columns, Target};
use mlp_protocol::message::{Failure, Outcome};

/// A codec with its columns found: it takes rows and gives an array.
pub(crate) struct Reader {
    columns: Vec<usize>,
    kind: Kind,
    shape: Vec<u64>,
    /// The parameter that holds the codec: `x`, `x.image`, `y`.
    argument: String,
    floats: Vec<f32>,
    classes: Vec<i64>,
}

enum Kind {
    /// Numbers from 0 to the bound, divided by it.
    Pixels(f64),
    /// Numbers as they are; what stands for an empty cell.
    Numbers(Option<f64>),
    Label(Classes),
}

impl Reader {
    /// Finds the columns of `codec`.
    ///
    /// # Errors
    /// When a column is missing, or their number is not that of the codec's shape.
    pub(crate) fn new(codec: &Codec, header: &Header, argument: &str) -> Outcome<Reader> {
        let many = |cols: &Columns| header.find(cols, &format!("{argument}.cols"));
        let one = |col: &str| Outcome::Ok(vec![header.one(col, &format!("{argument}.col"))?]);
        let (columns, kind, shape) = match codec {
            Codec::Pixels {
                cols,
                channels,
                height,
                width,
                max,
            } => {
                let columns = many(cols)?;
                let shape = vec![u64::from(*channels), u64::from(*height), u64::from(*width)];
                check_pixels(columns.len() as u64, &shape, *max, argument)?;
                (columns, Kind::Pixels(*max), shape)
            }
            Codec::Vector { cols } | Codec::Target { cols } => {
                let columns = many(cols)?;
                let shape = vec![columns.len() as u64];
                (columns, Kind::Numbers(None), shape)
            }
            Codec::Numeric { col, missing } => (one(col)?, Kind::Numbers(*missing), vec![1]),
            Codec::Label { col, classes } => (one(col)?, Kind::Label(classes.clone()), vec![]),
        };
        let argument = argument.to_string();
        Ok(Reader {
            columns,
            kind,
            shape,
            argument,
            floats: Vec::new(),
            classes: Vec::new(),
        })
    }

    /// The shape of one example.
    pub(crate) fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// Takes one row.
    ///
    /// # Errors
    /// When a cell is not what the codec reads, with its place.
    pub(crate) fn take(&mut self, table: &Table<'_>, row: &[Cell], header: &Header) -> Outcome<()> {
        for &column in &self.columns {
            let text = table.text(&row[column]);
            let text = text.trim();
            let read = match &self.kind {
                Kind::Pixels(max) => pixel(text, *max).map(|value| self.floats.push(value)),
                Kind::Numbers(Some(missing)) if text.is_empty() => {
                    finite(*missing, "missing").map(|value| self.floats.push(value))
                }
                Kind::Numbers(_) => number(text)
                    .and_then(|value| finite(value, text))
                    .map(|value| self.floats.push(value)),
                Kind::Label(classes) => label(text, classes).map(|value| self.classes.push(value)),
            };
            read.map_err(|failure| {
                let failure = self.blame(failure).at(table.place(&row[column]));
                in_column(failure, &header.names[column])
            })?;
        }
        Ok(())
    }

    /// What the rows gave: [n, shape…].
    pub(crate) fn finish(self, examples: u64) -> Array {
        let shape = std::iter::once(examples).chain(self.shape).collect();
        match self.kind {
            Kind::Label(_) => Array::from_i64(shape, &self.classes),
            Kind::Pixels(_) | Kind::Numbers(_) => Array::from_f32(shape, &self.floats),
        }
    }

    /// What this codec makes of `y`.
    pub(crate) fn target(&self) -> Target {
        match &self.kind {
            Kind::Label(Classes::Count(classes)) => Target::Class {
                classes: *classes,
                names: None,
            },
            Kind::Label(Classes::Names(names)) => Target::Class {
                classes: names.len() as u32,
                names: Some(names.clone()),
            },
            Kind::Pixels(_) | Kind::Numbers(_) => Target::Real {
                size: self.columns.len() as u32,
            },
        }
    }

    /// Names the codec's own parameter that decides whether the cell is right.
    fn blame(&self, failure: Box<Failure>) -> Box<Failure> {
        let part = match (&self.kind, failure.code.as_str()) {
            (Kind::Label(_), _) => "classes",
            (Kind::Pixels(_), "B0110") => "max",
            _ => return failure.argument(self.argument.as_str()),
        };
        failure.argument(format!("{}.{part}", self.argument))
    }
}

/// Refuses a codec that cannot stand for features, or for targets.
///
/// # Errors
/// When it cannot.
pub(crate) fn check_role(codec: &Codec, is_target: bool, argument: &str) -> Outcome<()> {
    let fits = match codec {
        Codec::Pixels { .. } | Codec::Vector { .. } => !is_target,
        Codec::Label { .. } | Codec::Target { .. } => is_target,
        Codec::Numeric { .. } => true,
    };
    if fits {
        return Ok(());
    }
    let (name, takes) = if is_target {
        ("y", "`label`, `numeric` or `target`")
    } else {
        ("x", "`pixels`, `vector` or `numeric`")
    };
    Err(
        Failure::new("B0116", format!("this codec cannot stand for `{name}`"))
            .argument(argument)
            .help(format!("`{name}` takes {takes}")),
    )
}

fn check_pixels(columns: u64, shape: &[u64], max: f64, argument: &str) -> Outcome<()> {
    if !(max.is_finite() && max > 0.0) {
        return Err(
            Failure::new("B0110", format!("`max` is {max}, but must be above 0"))
                .argument(format!("{argument}.max")),
        );
    }
    let [channels, height, width] = shape else {
        return Ok(());
    };
    let expected = channels * height * width;
    if columns == expected {
        return Ok(());
    }
    let message =
        format!("{columns} columns, but channels {channels} x height {height} x width {width} is {expected}");
    let failure = Failure::new("B0108", message).argument(format!("{argument}.cols"));
    let side = (columns / (*channels).max(1)).isqrt();
    Err(if channels * side * side == columns {
        failure.help(format!(
            "{columns} columns would be height = {side}, width = {side}"
        ))
    } else {
        failure.help("`cols` must match the pixels' columns and no other")
    })
}

fn number(text: &str) -> Outcome<f64> {
    if text.is_empty() {
        return Err(Failure::new("B0104", "an empty cell")
            .help("drop the row, or read the column by `data.numeric(…, missing = …)`"));
    }
    text.parse().map_err(|_| {
        let failure = Failure::new("B0103", format!("`{}` is not a number", shown(text)));
        if text.replace(',', ".").parse::<f64>().is_ok() {
            failure.help("write the decimal point as `.`")
        } else if ["na", "n/a", "null", "none", "-", "?"].contains(&text.to_lowercase().as_str()) {
            failure.help("a missing value: leave the cell empty and read it by `data.numeric(…, missing = …)`, or drop the row")
        } else {
            failure.help("mend the cell, or leave the column out of `cols`")
        }
    })
}

fn finite(value: f64, text: &str) -> Outcome<f32> {
    let narrow = value as f32;
    if narrow.is_finite() {
        return Ok(narrow);
    }
    let why = if value.is_finite() {
        "is beyond the range of float32"
    } else {
        "is not a finite number"
    };
    Err(Failure::new("B0105", format!("`{}` {why}", shown(text))).help("drop the row, or mend the value"))
}

fn pixel(text: &str, max: f64) -> Outcome<f32> {
    let value = number(text)?;
    finite(value, text)?;
    if (0.0..=max).contains(&value) {
        return Ok((value / max) as f32);
    }
    let failure = Failure::new(
        "B0110",
        format!("the pixel `{}` is outside 0 to {max}", shown(text)),
    );
    Err(if value > max {
        failure.help(format!("if pixels go up to {value}, write `max = {value}`"))
    } else {
        failure
    })
}

fn label(text: &str, classes: &Classes) -> Outcome<i64> {
    if text.is_empty() {
        return Err(Failure::new("B0104", "an empty label")
            .help("drop the row: an example without label cannot be learned"));
    }
    match classes {
        Classes::Count(count) => counted_label(text, *count),
        Classes::Names(names) => {
            let index = names.iter().position(|name| name == text);
            index.map(|index| index as i64).ok_or_else(|| {
                let failure = Failure::new(
                    "B0106",
                    format!("the label `{}` is none of the classes", shown(text)),
                );
                match crate::columns::nearest(text, names) {
                    Some(near) => failure.help(format!("did you mean `{near}`? Else add it to `classes`")),
                    None => failure.help("add it to `classes`, or drop the row"),
                }
            })
        }
    }
}

fn counted_label(text: &str, count: u32) -> Outcome<i64> {
    // pandas writes whole numbers as `3.0` once a column had a missing value.
    let whole = text.strip_suffix(".0").unwrap_or(text);
    let Ok(value) = whole.parse::<i64>() else {
        return Err(
            Failure::new("B0103", format!("the label `{}` is not an integer", shown(text)))
                .help("if labels are names, list them in order: `classes = [\"cat\", \"dog\"]`"),
        );
    };
    if (0..i64::from(count)).contains(&value) {
        return Ok(value);
    }
    let last = i64::from(count) - 1;
    let failure = Failure::new(
        "B0106",
        format!("the label {value} is outside the {count} classes (0 to {last})"),
    );
    Err(if value == i64::from(count) {
        failure.help(format!(
            "labels start at 0; if they go from 0 to {value}, write `classes = {}`",
            value + 1
        ))
    } else if value > 0 && value < i64::from(u32::MAX) {
        failure.help(format!(
            "if labels go from 0 to {value}, write `classes = {}`",
            value + 1
        ))
    } else {
        failure.help("labels start at 0")
    })
}

fn in_column(mut failure: Box<Failure>, column: &str) -> Box<Failure> {
    failure.message = format!("{} in column `{}`", failure.message, shown(column));
    failure
}

/// A cell's text, short enough for a message.
fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
