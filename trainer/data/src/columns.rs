//! Finding columns by name or pattern, with a suggestion where there is none.

use mlp_protocol::data::Columns;
use mlp_protocol::message::{Failure, Outcome, Place};
use std::ops::Range;

/// A table's header.
pub(crate) struct Header {
    /// The names, in the order of the file.
    pub(crate) names: Vec<String>,
    /// Where the header stands, in a text.
    pub(crate) place: Option<Place>,
    /// How many cells a row has in each column, one after the other; empty where each has one.
    pub(crate) widths: Vec<usize>,
    /// Whether each column holds bytes alone; empty where none does.
    pub(crate) bytes: Vec<bool>,
}

impl Header {
    /// The cells of the columns that `columns` names, in the order of the names, and of the file inside a pattern.
    ///
    /// # Errors
    /// When a name or pattern matches none, or a name two. `argument` is the parameter that holds it.
    pub(crate) fn find(&self, columns: &Columns, argument: &str) -> Outcome<Vec<usize>> {
        let patterns = match columns {
            Columns::One(pattern) => std::slice::from_ref(pattern),
            Columns::Many(patterns) => patterns,
        };
        let mut found = Vec::new();
        for pattern in patterns {
            found.extend(self.matches(pattern, argument)?);
        }
        if found.is_empty() {
            return Err(Failure::new("B0101", "no column is named").argument(argument));
        }
        Ok(found.into_iter().flat_map(|column| self.cells(column)).collect())
    }

    /// The one cell of the column called `name`.
    ///
    /// # Errors
    /// When there is none, or there are two, or it has several cells.
    pub(crate) fn one(&self, name: &str, argument: &str) -> Outcome<usize> {
        let cells = self.cells(self.column(name, argument)?);
        if cells.len() == 1 {
            return Ok(cells.start);
        }
        let message = format!(
            "`{name}` has {} numbers an example, where one belongs",
            cells.len()
        );
        Err(Failure::new("B0124", message)
            .argument(argument)
            .help("`data.vector` and `data.target` read several"))
    }

    /// The name of the column that a cell belongs to.
    pub(crate) fn name_of(&self, cell: usize) -> &str {
        let column = (0..self.names.len()).find(|column| self.cells(*column).contains(&cell));
        column.map_or("", |column| &self.names[column])
    }

    /// Whether these cells are all bytes.
    pub(crate) fn are_bytes(&self, cells: &[usize]) -> bool {
        let of_bytes = |cell: &usize| {
            (0..self.bytes.len()).any(|column| self.bytes[column] && self.cells(column).contains(cell))
        };
        // Ends of runs are enough where one column gives them all, which may be a million.
        cells.first().is_some_and(of_bytes) && cells.last().is_some_and(of_bytes) && {
            let first = cells.first().map(|cell| self.name_of(*cell));
            first == cells.last().map(|cell| self.name_of(*cell))
        }
    }

    fn cells(&self, column: usize) -> Range<usize> {
        if self.widths.is_empty() {
            return column..column + 1;
        }
        let start = self.widths[..column].iter().sum();
        start..start + self.widths[column]
    }

    /// The index of the one column called `name`.
    fn column(&self, name: &str, argument: &str) -> Outcome<usize> {
        let found: Vec<usize> = self.indexes(|other| other == name).collect();
        match found[..] {
            [index] => Ok(index),
            [] => Err(self.missing(name, argument)),
            _ => Err(self.ambiguous(name, argument)),
        }
    }

    fn matches(&self, pattern: &str, argument: &str) -> Outcome<Vec<usize>> {
        // A column may itself be called `a*b`.
        if !pattern.contains(['*', '?']) || self.names.iter().any(|name| name == pattern) {
            return Ok(vec![self.column(pattern, argument)?]);
        }
        let found: Vec<usize> = self
            .indexes(|name| matches_glob(pattern.as_bytes(), name.as_bytes()))
            .collect();
        if found.is_empty() {
            Err(self.missing(pattern, argument))
        } else {
            Ok(found)
        }
    }

    fn indexes<'a>(&'a self, wanted: impl Fn(&str) -> bool + 'a) -> impl Iterator<Item = usize> + 'a {
        self.names
            .iter()
            .enumerate()
            .filter(move |(_, name)| wanted(name))
            .map(|(index, _)| index)
    }

    fn ambiguous(&self, name: &str, argument: &str) -> Box<Failure> {
        self.failure(
            "B0112",
            format!("the header names the column `{name}` twice"),
            argument,
        )
        .help("rename one of them in the file")
    }

    fn missing(&self, name: &str, argument: &str) -> Box<Failure> {
        let message = if name.contains(['*', '?']) {
            format!("no column matches `{name}`")
        } else {
            format!("there is no column `{name}`")
        };
        self.failure("B0101", message, argument)
            .help(self.suggestion(name))
    }

    fn failure(&self, code: &'static str, message: String, argument: &str) -> Box<Failure> {
        let failure = Failure::new(code, message).argument(argument);
        match &self.place {
            Some(place) => failure.at(place.clone()),
            None => failure,
        }
    }

    fn suggestion(&self, name: &str) -> String {
        if let [only] = &self.names[..] {
            for (separator, word) in [(';', "semicolons"), ('\t', "tabs"), ('|', "bars")] {
                if only.contains(separator) {
                    return format!(
                        "the file's cells seem to be separated by {word}; they must be separated by commas"
                    );
                }
            }
        }
        if self.names.iter().all(|name| name.trim().parse::<f64>().is_ok()) {
            return "the first row holds numbers, not names: add a header".to_string();
        }
        if let Some(near) = nearest(name, &self.names) {
            return format!("did you mean `{near}`?");
        }
        let shown: Vec<String> = self
            .names
            .iter()
            .take(8)
            .map(|name| format!("`{name}`"))
            .collect();
        let rest = self.names.len().saturating_sub(shown.len());
        let more = if rest > 0 {
            format!(" and {rest} more")
        } else {
            String::new()
        };
        format!("the columns are {}{more}", shown.join(", "))
    }
}

/// Whether `text` matches a pattern of `*` (any bytes) and `?` (any one character).
fn matches_glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to go on when what followed the last star did not match: its place, and one byte further in the text.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(b'?') => {
                p += 1;
                t += 1;
                while text.get(t).is_some_and(|byte| byte & 0xc0 == 0x80) {
                    t += 1;
                }
            }
            Some(byte) if *byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// The name that differs least from `name`, if it is near enough to be a slip: the first of equals.
pub(crate) fn nearest<'a>(name: &str, names: &'a [String]) -> Option<&'a str> {
    let bound = name.chars().count().div_ceil(3).max(1);
    let scored = names.iter().map(|other| {
        let same = other.trim().to_lowercase() == name.trim().to_lowercase();
        (if same { 0 } else { distance(name, other) }, other)
    });
    // `min_by_key` gives the first of equals.
    let (best, near) = scored.min_by_key(|(distance, _)| *distance)?;
    (best <= bound).then_some(near.as_str())
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &[&str]) -> Header {
        let place = Place {
            input: "file".into(),
            path: None,
            line: 1,
            bytes: None,
        };
        Header {
            names: names.iter().map(ToString::to_string).collect(),
            place: Some(place),
            widths: Vec::new(),
            bytes: Vec::new(),
        }
    }

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("p*", "p10", true),
            ("p*", "xp", false),
            ("*x*", "axb", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-", false),
            ("?x", "éx", true),
            ("*", "", true),
            ("??", "é", false),
        ] {
            assert_eq!(
                matches_glob(pattern.as_bytes(), text.as_bytes()),
                expected,
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn matches_come_in_the_files_order() {
        let header = header(&["p2", "y", "p10", "p1"]);
        assert_eq!(header.find(&Columns::One("p*".into()), "x").unwrap(), [0, 2, 3]);
        assert_eq!(
            header
                .find(&Columns::Many(vec!["y".into(), "p2".into()]), "x")
                .unwrap(),
            [1, 0]
        );
    }

    #[test]
    fn a_missing_column_gets_a_suggestion() {
        let help = |names: &[&str], name: &str| header(names).one(name, "y").unwrap_err().help.unwrap();
        assert_eq!(help(&["digit", "p0"], "digits"), "did you mean `digit`?");
        assert_eq!(help(&["Digit", "p0"], "digit"), "did you mean `Digit`?");
        assert_eq!(help(&["a", "b"], "weather"), "the columns are `a`, `b`");
        assert!(help(&["a;b"], "a").contains("semicolons"));
        assert!(help(&["1", "2.5"], "a").contains("add a header"));
    }

    #[test]
    fn a_column_of_several_cells_is_all_of_them() {
        let mut header = header(&["a", "b", "c"]);
        header.widths = vec![2, 1, 3];
        assert_eq!(header.find(&Columns::One("c".into()), "x").unwrap(), [3, 4, 5]);
        assert_eq!(header.one("b", "y").unwrap(), 2);
        assert_eq!(header.one("a", "y").unwrap_err().code, "B0124");
        assert_eq!(
            [0, 1, 2, 5].map(|cell| header.name_of(cell)),
            ["a", "a", "b", "c"]
        );
    }

    #[test]
    fn a_doubled_column_is_refused() {
        assert_eq!(header(&["a", "a"]).one("a", "y").unwrap_err().code, "B0112");
    }
}
