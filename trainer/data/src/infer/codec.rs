//! Which codecs read the columns of a table: what is predicted, and what it is predicted from.

use super::columns::{Column, Holds};
use super::folder;
use super::literal;
use super::{Place, Unclear};

/// What a column that is predicted is often called.
const TARGETS: &[&str] = &[
    "label",
    "labels",
    "class",
    "target",
    "y",
    "category",
    "tags",
    "outcome",
    "output",
    "species",
    "digit",
    "sentiment",
    "diagnosis",
];
/// Columns that a list names; of more it is a pattern, where there is one.
const MOST_LISTED: usize = 24;
/// Sound files that are listened to.
const SOUNDS: usize = 100;
/// Columns that make an image, at least.
const FEWEST_PIXELS: usize = 16;

/// The codecs of a table.
pub(super) struct Codecs {
    pub(super) x: String,
    pub(super) y: String,
    pub(super) meta: Vec<String>,
    /// The position of the column that is predicted.
    pub(super) target: usize,
    pub(super) notes: Vec<String>,
}

/// Chooses codecs for the columns of the table at `place`.
///
/// # Errors
/// When there is nothing to predict, or nothing to predict it from.
pub(super) fn choose(columns: &[Column], place: &Place) -> Result<Codecs, Unclear> {
    let mut notes = Vec::new();
    let target = target(columns, &mut notes).ok_or_else(|| {
        Unclear::new(
            format!(
                "`{}` has no column that could be predicted: of classes, tags or numbers",
                place.written
            ),
            "`mlp doc data` lists the codecs",
        )
    })?;
    let y = target_codec(&columns[target], &mut notes);
    let rest: Vec<&Column> = columns
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != target)
        .map(|(_, column)| column)
        .collect();
    let meta = rest.iter().filter(|column| column.holds() == Holds::Id);
    let meta: Vec<String> = meta.map(|column| column.name.clone()).collect();
    let mut inputs = Vec::new();
    inputs.extend(pixels(&rest, columns));
    if inputs.is_empty() {
        inputs.extend(numbers(&rest, columns));
    }
    for column in &rest {
        inputs.extend(input(column, place, &mut notes));
    }
    let x = match inputs.len() {
        0 => {
            return Err(Unclear::new(
                format!(
                    "`{}` has nothing that `{}` could be predicted from",
                    place.written, columns[target].name
                ),
                "inputs are numbers, few names, and the names of image and sound files",
            ));
        }
        1 => inputs.remove(0).1,
        _ => {
            let mut taken = Vec::new();
            let fields: Vec<String> = inputs
                .into_iter()
                .map(|(column, codec)| {
                    taken.push(literal::name(&column, &taken));
                    format!("{}: {codec}", taken[taken.len() - 1])
                })
                .collect();
            notes.push("several inputs: the network begins with `nn.inputs`".to_owned());
            format!("{{ {} }}", fields.join(", "))
        }
    };
    Ok(Codecs {
        x,
        y,
        meta,
        target,
        notes,
    })
}

/// The column that is predicted: by its name, or the last one that can be.
fn target(columns: &[Column], notes: &mut Vec<String>) -> Option<usize> {
    let fits = |column: &Column| {
        matches!(
            column.holds(),
            Holds::Numbers { .. } | Holds::Names(_) | Holds::Tags { .. }
        )
    };
    let named = |known: &&str| {
        columns
            .iter()
            .position(|column| column.name.trim().eq_ignore_ascii_case(known) && fits(column))
    };
    let found = TARGETS.iter().find_map(named);
    let (target, why) = match found {
        Some(target) => (target, "by its name"),
        None => (columns.iter().rposition(fits)?, "as the last column"),
    };
    notes.push(format!(
        "`{}` is taken for what is predicted, {why}; if it is another, exchange them",
        columns[target].name
    ));
    Some(target)
}

fn target_codec(column: &Column, notes: &mut Vec<String>) -> String {
    let col = literal::text(&column.name);
    if column.empty > 0 {
        notes.push(format!(
            "`{}` is empty in {}: what is predicted must be there in every row",
            column.name,
            literal::counted(column.empty, "row", "rows")
        ));
    }
    match column.holds() {
        Holds::Tags { sep, names } => format!(
            "data.tags({col}, sep = {}, classes = {})",
            literal::text(sep),
            literal::texts(&names)
        ),
        Holds::Names(names) => format!("data.label({col}, classes = {})", literal::texts(&names)),
        _ => match (column.class_count(), column.distinct()) {
            (Some(classes), _) => format!("data.label({col}, classes = {classes})"),
            (None, Some(distinct @ 2..=10))
                if column.holds() == (Holds::Numbers { whole: true })
                    && distinct as u64 * 5 <= column.cells =>
            {
                format!("data.label({col}, classes = {})", literal::texts(&column.names()))
            }
            _ => format!("data.target({col})"),
        },
    }
}

/// Whether a column holds numbers in every row.
fn is_full(column: &Column) -> bool {
    matches!(column.holds(), Holds::Numbers { .. }) && column.empty == 0
}

/// The columns as one image, where they are numbered and as many as a square has.
fn pixels(rest: &[&Column], all: &[Column]) -> Option<(String, String)> {
    let full: Vec<&Column> = rest.iter().copied().filter(|column| is_full(column)).collect();
    let prefix = prefix(&full)?;
    let of_image: Vec<&Column> = full
        .into_iter()
        .filter(|column| numbered(&column.name, &prefix))
        .collect();
    let matched = all
        .iter()
        .filter(|column| column.name.starts_with(&prefix))
        .count();
    let side = |count: usize| (count.isqrt().pow(2) == count).then_some(count.isqrt());
    let (channels, side) = match (side(of_image.len()), of_image.len().is_multiple_of(3)) {
        (Some(side), _) => (1, side),
        (None, true) => (3, side(of_image.len() / 3)?),
        _ => return None,
    };
    let most = of_image.iter().map(|column| column.most).fold(0.0, f64::max);
    let least = of_image.iter().map(|column| column.least).fold(0.0, f64::min);
    if of_image.len() < FEWEST_PIXELS
        || matched != of_image.len()
        || least < 0.0
        || most > 255.0
        || most == 0.0
    {
        return None;
    }
    let max = match most {
        ..=1.0 => ", max = 1.0",
        ..=16.0 => ", max = 16.0",
        _ => "",
    };
    let pattern = literal::text(&format!("{prefix}*"));
    let codec =
        format!("data.pixels({pattern}, channels = {channels}, height = {side}, width = {side}{max})");
    Some(("image".to_owned(), codec))
}

/// The columns of numbers as one vector.
fn numbers(rest: &[&Column], all: &[Column]) -> Option<(String, String)> {
    let full: Vec<&Column> = rest.iter().copied().filter(|column| is_full(column)).collect();
    match full[..] {
        [] => None,
        [only] => Some((
            only.name.clone(),
            format!("data.numeric({})", literal::text(&only.name)),
        )),
        _ => {
            let pattern = prefix(&full).filter(|prefix| {
                let matched = all
                    .iter()
                    .filter(|column| column.name.starts_with(prefix))
                    .count();
                full.len() > MOST_LISTED && matched == full.len()
            });
            let cols = match pattern {
                Some(prefix) => literal::text(&format!("{prefix}*")),
                None => literal::texts(full.iter().map(|column| &column.name)),
            };
            Some(("numbers".to_owned(), format!("data.vector({cols})")))
        }
    }
}

/// What all but a number is alike in the names of most columns.
fn prefix(columns: &[&Column]) -> Option<String> {
    let stem = |column: &&Column| {
        let stem = column.name.trim_end_matches(|c: char| c.is_ascii_digit());
        (stem.len() < column.name.len() && !stem.is_empty()).then(|| stem.to_owned())
    };
    let first = columns.iter().find_map(stem)?;
    let alike = columns
        .iter()
        .filter(|column| numbered(&column.name, &first))
        .count();
    (alike * 2 > columns.len()).then_some(first)
}

fn numbered(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix)
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The codec of a column that is neither full of numbers nor predicted.
fn input(column: &Column, place: &Place, notes: &mut Vec<String>) -> Option<(String, String)> {
    let col = literal::text(&column.name);
    let codec = match column.holds() {
        Holds::Numbers { .. } if column.empty > 0 => {
            notes.push(format!(
                "`missing = 0.0` stands for the empty cells of `{}`: choose what fits",
                column.name
            ));
            format!("data.numeric({col}, missing = 0.0)")
        }
        Holds::Names(names) => format!("data.category({col}, {})", literal::texts(&names)),
        Holds::Images => {
            let root = folder::root_of(place, &column.first, notes);
            format!("data.image({col}, root = {})", literal::path(&root.written))
        }
        Holds::Sounds => {
            let root = folder::root_of(place, &column.first, notes);
            let (rate, seconds) = folder::sounds(&root, &column.some(SOUNDS), notes);
            format!(
                "data.audio({col}, root = {}, rate = {rate}, seconds = {})",
                literal::path(&root.written),
                literal::float(seconds)
            )
        }
        Holds::Text => {
            notes.push(format!(
                "`{}` is left out; `data.text({col}, tokenizer = ./tokenizer.json, max_length = 128)` reads texts",
                column.name
            ));
            return None;
        }
        Holds::Tags { .. } => {
            notes.push(format!(
                "`{}` is left out: tags can be predicted, not predicted from",
                column.name
            ));
            return None;
        }
        Holds::Numbers { .. } | Holds::Nothing | Holds::Id => return None,
    };
    if column.empty > 0 && !matches!(column.holds(), Holds::Numbers { .. }) {
        notes.push(format!(
            "empty cells of `{}` are refused when it is read",
            column.name
        ));
    }
    Some((column.name.clone(), codec))
}
