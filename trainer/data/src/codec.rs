//! Codecs: how the cells of a row become numbers.

use crate::audio;
use crate::columns::Header;
use crate::images;
use crate::named;
use crate::safetensors::{Array, Dtype};
use crate::spool::Spool;
use crate::value::{Row, Value};
use mlp_protocol::data::{Classes, Codec, Columns, Sizes, Target, offsets_of};
use mlp_protocol::message::{Failure, Outcome};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A codec with its columns found: it takes rows and gives an array.
pub(crate) struct Reader {
    columns: Vec<usize>,
    kind: Kind,
    sizes: Sizes,
    /// The parameter that holds the codec: `x`, `x.image`, `y`.
    argument: String,
    values: Spool,
}

/// The inputs of a call by name, which codecs name the folders by that they read.
pub(crate) type Folders = BTreeMap<String, String>;

enum Kind {
    /// Bytes that stand for fractions of 255.
    Bytes,
    /// Numbers from 0 to the bound, divided by it.
    Pixels(f64),
    /// Numbers as they are; what stands for an empty cell.
    Numbers(Option<f64>),
    Label(Classes),
    /// One of several values, as a vector.
    Category(Classes),
    /// Any number of classes with this between them, as a vector.
    Tags(String, Classes),
    Audio(Sounds),
    /// Image files below a folder; where each begins, and the last ends.
    Images(PathBuf, Vec<i64>),
}

/// How sound files are read.
struct Sounds {
    root: PathBuf,
    rate: u32,
    samples: usize,
}

impl Sounds {
    fn samples_of(&self, cell: &str) -> Outcome<Vec<f32>> {
        let file = named::read(&self.root, cell)?;
        audio::read(&file, self.rate, self.samples).map_err(|why| {
            Failure::new("B0154", format!("the sound file `{}` {why}", shown(cell)))
                .help("drop its row, or write it anew as WAV or FLAC: `ffmpeg -i old.mp3 new.flac`")
        })
    }
}

impl Reader {
    /// Finds the columns of `codec`. The folders of files that columns name are among the inputs `folders`.
    ///
    /// # Errors
    /// When a column is missing, or their number is not that of the codec's shape.
    pub(crate) fn new(codec: &Codec, header: &Header, folders: &Folders, argument: &str) -> Outcome<Reader> {
        let many = |cols: &Columns| header.find(cols, &format!("{argument}.cols"));
        let one = |col: &str| Outcome::Ok(vec![header.one(col, &format!("{argument}.col"))?]);
        let known = |shape: Vec<u64>| shape.into_iter().map(Some).collect::<Sizes>();
        let folder = |root: &String| {
            let path = folders.get(root).map(PathBuf::from);
            path.ok_or_else(|| Failure::new("B0001", format!("the call has no folder `{root}`")))
        };
        let (columns, kind, sizes) = match codec {
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
                // Bytes stay bytes: as numbers they would be four times as large, and stand for the same.
                let kind = match header.are_bytes(&columns) && *max == 255.0 {
                    true => Kind::Bytes,
                    false => Kind::Pixels(*max),
                };
                (columns, kind, known(shape))
            }
            Codec::Vector { cols } | Codec::Target { cols } => {
                let columns = many(cols)?;
                let sizes = vec![Some(columns.len() as u64)];
                (columns, Kind::Numbers(None), sizes)
            }
            Codec::Numeric { col, missing } => (one(col)?, Kind::Numbers(*missing), vec![Some(1)]),
            Codec::Label { col, classes } => (one(col)?, Kind::Label(classes.clone()), vec![]),
            Codec::Category { col, values } => (
                one(col)?,
                Kind::Category(values.clone()),
                known(vec![count(values)]),
            ),
            Codec::Audio {
                col,
                root,
                rate,
                seconds,
            } => {
                let samples = (seconds * f64::from(*rate)).round().max(1.0) as usize;
                let sounds = Sounds {
                    root: folder(root)?,
                    rate: *rate,
                    samples,
                };
                (one(col)?, Kind::Audio(sounds), known(vec![1, samples as u64]))
            }
            Codec::Image { col, root, channels } => {
                images::check_channels(*channels, &format!("{argument}.channels"))?;
                let sizes = vec![Some(u64::from(*channels)), None, None];
                (one(col)?, Kind::Images(folder(root)?, vec![0]), sizes)
            }
            Codec::Tags { col, sep, classes } => {
                check_separator(sep, classes, argument)?;
                (
                    one(col)?,
                    Kind::Tags(sep.clone(), classes.clone()),
                    known(vec![count(classes)]),
                )
            }
        };
        Ok(Reader {
            columns,
            kind,
            sizes,
            argument: argument.to_string(),
            values: Spool::default(),
        })
    }

    /// The shape of one example.
    pub(crate) fn sizes(&self) -> &Sizes {
        &self.sizes
    }

    /// The cells that it reads.
    pub(crate) fn cells(&self) -> impl Iterator<Item = usize> {
        self.columns.iter().copied()
    }

    /// Takes one row.
    ///
    /// # Errors
    /// When a cell is not what the codec reads, with its place.
    pub(crate) fn take(&mut self, row: &impl Row, header: &Header) -> Outcome<()> {
        for &column in &self.columns {
            let value = row.value(column);
            let read = self.kind.read(&value, &mut self.values);
            read.map_err(|failure| {
                let failure = row.blame(self.blame(failure), column);
                in_column(failure, header.name_of(column))
            })?;
        }
        Ok(())
    }

    /// Puts what the rows gave, [n, shape…], to `arrays` as `name`.
    ///
    /// # Errors
    /// When there is no room for it.
    pub(crate) fn finish(
        self,
        name: &str,
        examples: u64,
        arrays: &mut BTreeMap<String, Array>,
    ) -> Outcome<()> {
        let bytes = self.values.finish()?;
        let rows = std::iter::once(examples).chain(self.sizes.into_iter().flatten());
        let (dtype, shape) = match self.kind {
            Kind::Label(_) => (Dtype::I64, rows.collect()),
            Kind::Bytes => (Dtype::U8, rows.collect()),
            Kind::Images(_, offsets) => {
                let offsets = Array::from_i64(vec![offsets.len() as u64], &offsets);
                arrays.insert(offsets_of(name), offsets);
                (Dtype::U8, vec![bytes.len() as u64])
            }
            _ => (Dtype::F32, rows.collect()),
        };
        arrays.insert(name.to_owned(), Array { dtype, shape, bytes });
        Ok(())
    }

    /// What this codec makes of `y`.
    pub(crate) fn target(&self) -> Target {
        match &self.kind {
            Kind::Label(classes) => class_target(classes),
            Kind::Tags(_, classes) => {
                let (classes, names) = count_and_names(classes);
                Target::Tags { classes, names }
            }
            _ => Target::Real {
                size: self.columns.len() as u32,
            },
        }
    }

    /// Names the codec's own parameter that decides whether the cell is right.
    fn blame(&self, failure: Box<Failure>) -> Box<Failure> {
        let part = match (&self.kind, failure.code.as_str()) {
            (Kind::Label(_) | Kind::Tags(..), _) => "classes",
            (Kind::Category(_), _) => "values",
            (Kind::Audio(_) | Kind::Images(..), "B0156") => "root",
            (Kind::Pixels(_), "B0110") => "max",
            _ => return failure.argument(self.argument.as_str()),
        };
        failure.argument(format!("{}.{part}", self.argument))
    }
}

impl Kind {
    /// Reads a cell, and puts what it comes to.
    fn read(&mut self, value: &Value<'_>, values: &mut Spool) -> Outcome<()> {
        let numbers = match self {
            Kind::Bytes => {
                let byte = number(value)? as u8;
                return values.put(&[byte]);
            }
            Kind::Pixels(max) => return values.put(&pixel(value, *max)?.to_le_bytes()),
            Kind::Numbers(missing) => {
                let number = match missing {
                    Some(missing) if value.is_empty() => finite(*missing, &Value::Float(*missing))?,
                    _ => finite(number(value)?, value)?,
                };
                return values.put(&number.to_le_bytes());
            }
            Kind::Label(classes) => return values.put(&label(value, classes)?.to_le_bytes()),
            Kind::Category(classes) => ones(&[category(value, classes)?], classes),
            Kind::Tags(sep, classes) => ones(&tags(value, sep, classes)?, classes),
            Kind::Audio(sounds) => sounds.samples_of(value.text().trim())?,
            Kind::Images(root, offsets) => {
                let file = image(value, root)?;
                offsets.push(offsets.last().copied().unwrap_or(0) + file.len() as i64);
                return values.put(&file);
            }
        };
        numbers
            .iter()
            .try_for_each(|number| values.put(&number.to_le_bytes()))
    }
}

/// A vector with a 1 at each of `places`.
fn ones(places: &[i64], classes: &Classes) -> Vec<f32> {
    let mut vector = vec![0.0; count(classes) as usize];
    places.iter().for_each(|place| vector[*place as usize] = 1.0);
    vector
}

/// The image file that a cell names, below `root`.
fn image(value: &Value<'_>, root: &Path) -> Outcome<Vec<u8>> {
    let text = value.text();
    let name = text.trim();
    if name.is_empty() {
        return Err(Failure::new("B0104", "no image is named").help("drop the row"));
    }
    let file = named::read(root, name)?;
    images::inspect(&file).map_err(|why| why.of(&format!("the image `{}`", shown(name))))?;
    Ok(file)
}

/// Labels of `classes`.
pub(crate) fn class_target(classes: &Classes) -> Target {
    let (classes, names) = count_and_names(classes);
    Target::Class { classes, names }
}

fn count_and_names(classes: &Classes) -> (u32, Option<Vec<String>>) {
    match classes {
        Classes::Count(classes) => (*classes, None),
        Classes::Names(names) => (names.len() as u32, Some(names.clone())),
    }
}

fn count(classes: &Classes) -> u64 {
    u64::from(count_and_names(classes).0)
}

/// Refuses a codec that cannot stand for features, or for targets.
///
/// # Errors
/// When it cannot.
pub(crate) fn check_role(codec: &Codec, is_target: bool, argument: &str) -> Outcome<()> {
    let fits = match codec {
        Codec::Pixels { .. }
        | Codec::Vector { .. }
        | Codec::Category { .. }
        | Codec::Audio { .. }
        | Codec::Image { .. } => !is_target,
        Codec::Label { .. } | Codec::Tags { .. } | Codec::Target { .. } => is_target,
        Codec::Numeric { .. } => true,
    };
    if fits {
        return Ok(());
    }
    let (name, takes) = if is_target {
        ("y", "`label`, `tags`, `numeric` or `target`")
    } else {
        (
            "x",
            "`pixels`, `image`, `vector`, `numeric`, `category` or `audio`",
        )
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

fn number(value: &Value<'_>) -> Outcome<f64> {
    let text = match value {
        Value::Float(value) => return Ok(*value),
        Value::Int(value) => return Ok(*value as f64),
        Value::Empty => "",
        Value::Text(text) => text.trim(),
    };
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

fn finite(number: f64, value: &Value<'_>) -> Outcome<f32> {
    let narrow = number as f32;
    if narrow.is_finite() {
        return Ok(narrow);
    }
    let why = if number.is_finite() {
        "is beyond the range of float32"
    } else {
        "is not a finite number"
    };
    Err(Failure::new("B0105", format!("`{}` {why}", shown(&value.text())))
        .help("drop the row, or mend the value"))
}

fn pixel(value: &Value<'_>, max: f64) -> Outcome<f32> {
    let pixel = number(value)?;
    finite(pixel, value)?;
    if (0.0..=max).contains(&pixel) {
        return Ok((pixel / max) as f32);
    }
    let failure = Failure::new(
        "B0110",
        format!("the pixel `{}` is outside 0 to {max}", shown(&value.text())),
    );
    Err(if pixel > max {
        failure.help(format!("if pixels go up to {pixel}, write `max = {pixel}`"))
    } else {
        failure
    })
}

fn label(value: &Value<'_>, classes: &Classes) -> Outcome<i64> {
    let text = value.text();
    if text.trim().is_empty() {
        return Err(Failure::new("B0104", "an empty label")
            .help("drop the row: an example without label cannot be learned"));
    }
    class(text.trim(), classes, ("label", "classes"))
}

fn category(value: &Value<'_>, values: &Classes) -> Outcome<i64> {
    let text = value.text();
    let text = text.trim();
    // That nothing stands there may be one of the values.
    let listed = matches!(values, Classes::Names(names) if names.iter().any(|name| name.is_empty()));
    if text.is_empty() && !listed {
        return Err(
            Failure::new("B0104", "an empty cell").help("drop the row, or let `\"\"` be one of `values`")
        );
    }
    class(text, values, ("value", "values"))
}

/// The classes that a cell names; an empty one names none.
fn tags(value: &Value<'_>, sep: &str, classes: &Classes) -> Outcome<Vec<i64>> {
    let text = value.text();
    let tags = text.split(sep).map(str::trim).filter(|tag| !tag.is_empty());
    tags.map(|tag| class(tag, classes, ("tag", "classes"))).collect()
}

/// The place of `text` among the classes; words call it and the parameter that lists them.
fn class(text: &str, classes: &Classes, (noun, list): (&str, &str)) -> Outcome<i64> {
    let names = match classes {
        Classes::Count(count) => return counted_label(text, *count, (noun, list)),
        Classes::Names(names) => names,
    };
    let index = names.iter().position(|name| name == text);
    index.map(|index| index as i64).ok_or_else(|| {
        let failure = Failure::new(
            "B0106",
            format!("the {noun} `{}` is none of the {list}", shown(text)),
        );
        match crate::columns::nearest(text, names) {
            Some(near) => failure.help(format!("did you mean `{near}`? Else add it to `{list}`")),
            None => failure.help(format!("add it to `{list}`, or drop the row")),
        }
    })
}

fn check_separator(sep: &str, classes: &Classes, argument: &str) -> Outcome<()> {
    let names: &[String] = match classes {
        Classes::Names(names) => names,
        Classes::Count(_) => &[],
    };
    let cut = names.iter().find(|name| name.contains(sep));
    let message = match cut {
        _ if sep.is_empty() => "`sep` is empty: nothing could be told apart".to_owned(),
        Some(cut) => format!(
            "the class `{}` holds `{sep}`, which stands between two of them",
            shown(cut)
        ),
        None => return Ok(()),
    };
    Err(Failure::new("B0106", message)
        .argument(format!("{argument}.sep"))
        .help("`sep` is what divides tags in a cell and stands in none of them: `|`"))
}

fn counted_label(text: &str, count: u32, (noun, list): (&str, &str)) -> Outcome<i64> {
    // pandas writes whole numbers as `3.0` once a column had a missing value.
    let whole = text.strip_suffix(".0").unwrap_or(text);
    let Ok(value) = whole.parse::<i64>() else {
        return Err(
            Failure::new("B0103", format!("the {noun} `{}` is not an integer", shown(text))).help(format!(
                "if {noun}s are names, list them in order: `{list} = [\"cat\", \"dog\"]`"
            )),
        );
    };
    if (0..i64::from(count)).contains(&value) {
        return Ok(value);
    }
    let last = i64::from(count) - 1;
    let failure = Failure::new(
        "B0106",
        format!("the {noun} {value} is outside the {count} {list} (0 to {last})"),
    );
    Err(if value == i64::from(count) {
        failure.help(format!(
            "{noun}s start at 0; if they go from 0 to {value}, write `{list} = {}`",
            value + 1
        ))
    } else if value > 0 && value < i64::from(u32::MAX) {
        failure.help(format!(
            "if {noun}s go from 0 to {value}, write `{list} = {}`",
            value + 1
        ))
    } else {
        failure.help(format!("{noun}s start at 0"))
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
