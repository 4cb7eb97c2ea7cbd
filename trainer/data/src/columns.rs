//! Finding columns by name or pattern, with a suggestion where there is none.

use mlp_protocol::data::Columns;
use mlp_protocol::message::{Failure, Outcome, Place};

/// A table's header.
pub(crate) struct Header {
    /// The names, in the order of the file.
    pub(crate) names: Vec<String>,
    /// Where the header stands.
    pub(crate) place: Place,
}

impl Header {
    /// The indexes of the columns that `columns` names, in the order of the names, and of the file inside a pattern.
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
        Ok(found)
    }

    /// The index of the one column called `name`.
    ///
    /// # Errors
    /// When there is none, or there are two.
    pub(crate) fn one(&self, name: &str, argument: &str) -> Outcome<usize> {
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
            return Ok(vec![self.one(pattern, argument)?]);
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
        Failure::new("B0112", format!("the header names the column `{name}` twice"))
            .at(self.place.clone())
            .argument(argument)
            .help("rename one of them in the file")
    }

    fn missing(&self, name: &str, argument: &str) -> Box<Failure> {
        let message = if name.contains(['*', '?']) {
            format!("no column matches `{name}`")
        } else {
            format!("there is no column `{name}`")
        };
        let failure = Failure::new("B0101", message)
            .at(self.place.clone())
            .argument(argument);
        failure.help(self.suggestion(name))
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
            place,
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
    fn a_doubled_column_is_refused() {
        assert_eq!(header(&["a", "a"]).one("a", "y").unwrap_err().code, "B0112");
    }
}
