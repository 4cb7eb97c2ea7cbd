//! The columns of a table, looked at cell by cell: what they hold, and what they may be read as.

use std::collections::{BTreeMap, BTreeSet};

/// Values that are told apart; of more a column is not one of classes.
const MOST_VALUES: usize = 1_000;
/// Names that a list of classes has at most.
const MOST_NAMES: usize = 200;
/// What divides tags in a cell.
const SEPARATORS: [&str; 4] = ["|", ";", ",", "/"];

/// What was seen of a column.
#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) cells: u64,
    pub(super) empty: u64,
    /// The line of the first empty cell, or its row where there are no lines.
    pub(super) first_empty: Option<u64>,
    /// What numbers its cells: `line`, `row`.
    pub(super) numbered: &'static str,
    numbers: u64,
    integers: u64,
    /// Numbers that no tensor may hold: `NaN`, `inf`.
    not_finite: u64,
    pub(super) least: f64,
    pub(super) most: f64,
    /// How often each value comes; none where there are too many.
    values: Option<BTreeMap<String, u64>>,
    pub(super) first: String,
    images: u64,
    sounds: u64,
    letters: u64,
}

/// What a column seems to hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Holds {
    Nothing,
    /// Numbers; whether all are whole.
    Numbers {
        whole: bool,
    },
    /// One of few texts.
    Names(Vec<String>),
    /// Several of few texts.
    Tags {
        sep: &'static str,
        names: Vec<String>,
    },
    Images,
    Sounds,
    Text,
    /// Another value in each row.
    Id,
}

impl Column {
    pub(super) fn new(name: String) -> Column {
        Column {
            name,
            numbered: "line",
            least: f64::INFINITY,
            most: f64::NEG_INFINITY,
            values: Some(BTreeMap::new()),
            ..Column::default()
        }
    }

    pub(super) fn see(&mut self, cell: &str, line: u64) {
        let cell = cell.trim();
        self.cells += 1;
        if cell.is_empty() {
            self.empty += 1;
            self.first_empty.get_or_insert(line);
            return;
        }
        if self.first.is_empty() {
            cell.clone_into(&mut self.first);
        }
        self.letters += cell.chars().count() as u64;
        match cell.parse::<f64>() {
            Ok(number) if number.is_finite() => {
                self.numbers += 1;
                self.integers += u64::from(number.fract() == 0.0);
                self.least = self.least.min(number);
                self.most = self.most.max(number);
            }
            Ok(_) => self.not_finite += 1,
            Err(_) => match super::extension(cell).as_str() {
                "png" | "jpg" | "jpeg" => self.images += 1,
                "wav" | "flac" => self.sounds += 1,
                _ => {}
            },
        }
        if let Some(values) = &mut self.values {
            *values.entry(cell.to_owned()).or_insert(0) += 1;
            if values.len() > MOST_VALUES {
                self.values = None;
            }
        }
    }

    fn filled(&self) -> u64 {
        self.cells - self.empty
    }

    /// How many values there are, where they are few.
    pub(super) fn distinct(&self) -> Option<usize> {
        self.values.as_ref().map(BTreeMap::len)
    }

    /// How often each value comes, in the order in which classes are named: of numbers, of letters.
    pub(super) fn tally(&self) -> Vec<(String, u64)> {
        let mut tally: Vec<(String, u64)> = self
            .values
            .iter()
            .flatten()
            .map(|(name, n)| (name.clone(), *n))
            .collect();
        let number = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
        if self.numbers == self.filled() {
            tally.sort_by(|a, b| number(&a.0).total_cmp(&number(&b.0)));
        }
        tally
    }

    /// The different values that come first in their order, at most so many.
    pub(super) fn some(&self, most: usize) -> Vec<String> {
        match &self.values {
            Some(values) => values.keys().take(most).cloned().collect(),
            None => vec![self.first.clone()],
        }
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.tally().into_iter().map(|(name, _)| name).collect()
    }

    pub(super) fn holds(&self) -> Holds {
        let filled = self.filled();
        if filled == 0 {
            return Holds::Nothing;
        }
        // In a column of names or texts some may look like numbers.
        if self.numbers + self.not_finite == filled && self.numbers > 0 {
            let whole = self.integers == filled;
            return if whole && self.is_row_number() {
                Holds::Id
            } else {
                Holds::Numbers { whole }
            };
        }
        if self.images == filled {
            return Holds::Images;
        }
        if self.sounds == filled {
            return Holds::Sounds;
        }
        if let Some((sep, names)) = self.tags() {
            return Holds::Tags { sep, names };
        }
        match self.distinct() {
            Some(distinct) if distinct <= MOST_NAMES && (distinct == 2 || distinct as u64 * 2 <= filled) => {
                Holds::Names(self.names())
            }
            distinct => {
                let differ = distinct.is_none_or(|distinct| distinct as u64 == filled);
                // Sentences are seldom alike, either.
                let short = self.letters < 24 * filled && !self.first.contains(' ');
                if differ && short { Holds::Id } else { Holds::Text }
            }
        }
    }

    /// Whether it is called a number of rows and has each once.
    fn is_row_number(&self) -> bool {
        let named = matches!(
            self.name.trim().to_lowercase().as_str(),
            "" | "id" | "index" | "unnamed: 0" | "row"
        );
        let span = self.most - self.least + 1.0;
        named
            && span >= self.filled() as f64
            && self
                .distinct()
                .is_none_or(|distinct| distinct as u64 == self.filled())
    }

    /// What the cells are a list of: texts that come again and again, in several cells more than one.
    fn tags(&self) -> Option<(&'static str, Vec<String>)> {
        let values = self.values.as_ref()?;
        SEPARATORS.into_iter().find_map(|sep| {
            let mut names = BTreeSet::new();
            let (mut tags, mut several) = (0, 0);
            for (cell, times) in values {
                let parts: Vec<&str> = cell.split(sep).map(str::trim).collect();
                several += u64::from(parts.len() > 1) * times;
                tags += parts.len() as u64 * times;
                names.extend(parts.into_iter().map(str::to_owned));
            }
            // Commas and strokes stand in texts and dates, too.
            let most = if matches!(sep, "," | "/") {
                values.len().saturating_sub(1)
            } else {
                values.len() * 2
            };
            let few = names.len() <= MOST_NAMES.min(most) && names.len() as u64 * 2 <= tags;
            let words = names
                .iter()
                .all(|name| !name.is_empty() && name.chars().count() <= 40);
            let fits = several * 5 >= self.filled() && several > 1 && names.len() >= 2 && few && words;
            fits.then(|| (sep, names.into_iter().collect()))
        })
    }

    /// How many classes it numbers from 0, where it does that.
    pub(super) fn class_count(&self) -> Option<u64> {
        let distinct = self.distinct()? as u64;
        let dense = self.least == 0.0 && self.most + 1.0 == distinct as f64 && distinct >= 2;
        // A count that goes to 20 may be one of things, too; but then it is one that a person will know.
        let few = distinct <= 20 || distinct * 10 <= self.filled();
        (dense && few && self.integers == self.filled()).then_some(distinct)
    }

    /// What is found, in words.
    pub(super) fn said(&self) -> String {
        let what = match self.holds() {
            Holds::Nothing => return "empty".to_owned(),
            Holds::Numbers { whole } => {
                let kind = if whole { "whole numbers" } else { "numbers" };
                let shown = |value: f64| {
                    if whole {
                        format!("{value}")
                    } else {
                        format!("{value:?}")
                    }
                };
                format!("{kind} from {} to {}", shown(self.least), shown(self.most))
            }
            Holds::Names(names) => format!("{} names: {}", names.len(), shortened(&names)),
            Holds::Tags { sep, names } => {
                format!(
                    "{} tags with `{sep}` between them: {}",
                    names.len(),
                    shortened(&names)
                )
            }
            Holds::Images => format!("image files, as `{}`", self.first),
            Holds::Sounds => format!("sound files, as `{}`", self.first),
            Holds::Text => format!("texts, as {:?}", clipped(&self.first)),
            Holds::Id => format!("another value in each row, as `{}`", clipped(&self.first)),
        };
        let mut said = what;
        if self.empty > 0 {
            let cells = super::literal::counted(self.empty, "cell is", "cells are");
            let line = self.first_empty.map_or(String::new(), |line| {
                format!(", the first in {} {line}", self.numbered)
            });
            said.push_str(&format!("; {cells} empty{line}"));
        }
        if self.not_finite > 0 {
            let cells = super::literal::counted(self.not_finite, "cell is", "cells are");
            said.push_str(&format!("; {cells} NaN or infinite"));
        }
        said
    }
}

fn shortened(names: &[String]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(5)
        .map(|name| format!("`{}`", clipped(name)))
        .collect();
    let more = if names.len() > 5 { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// The beginning of a text, on one line.
fn clipped(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let mut short: String = line.chars().take(40).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}
