//! Numbers, and numbers with a unit.

use super::{K, Lexer};
use crate::diagnostic::Diagnostic;

/// The units of durations and bytes, and what one of each is in milliseconds or bytes.
pub(crate) const UNITS: [(&str, i64); 14] = [
    ("ms", 1),
    ("s", 1_000),
    ("min", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("B", 1),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

impl Lexer<'_> {
    /// At a digit.
    pub(super) fn number(&mut self) {
        let start = self.pos;
        self.digits();
        let mut float = false;
        if self.peek(0) == b'.' && self.peek(1).is_ascii_digit() {
            self.pos += 1;
            self.digits();
            float = true;
        } else if self.peek(0) == b'.' && self.peek(1) != b'.' && !is_name_byte(self.peek(1)) {
            // `1.`: also of `1./2`, which would otherwise be a path.
            self.pos += 1;
            return self.trailing_point(start);
        }
        if let b'e' | b'E' = self.peek(0) {
            let sign = usize::from(matches!(self.peek(1), b'+' | b'-'));
            if self.peek(1 + sign).is_ascii_digit() {
                self.pos += 1 + sign;
                self.digits();
                float = true;
            }
        }
        let end = self.pos;
        self.pos = self.word_end(end);
        if self.pos > end {
            return self.unit(start, end);
        }
        if !float && end - start > 1 && self.bytes[start] == b'0' {
            self.leading_zero(start);
        } else if self.bytes[end - 1] == b'_' {
            let span = self.span(start, end);
            self.error(Diagnostic::error("E0104", span, "a number does not end with `_`"));
        }
        self.push(if float { K::Float } else { K::Int }, start);
    }

    fn digits(&mut self) {
        while self.peek(0).is_ascii_digit() || (self.peek(0) == b'_' && self.peek(1).is_ascii_digit()) {
            self.pos += 1;
        }
    }

    fn trailing_point(&mut self, start: usize) {
        let text = &self.text[start..self.pos];
        let better = format!("{text}0");
        let span = self.span(start, self.pos);
        self.error(
            Diagnostic::error("E0104", span, format!("`{text}` needs a digit after its point"))
                .help(format!("write `{better}`"))
                .mend(format!("write `{better}`"), span, better),
        );
        self.push(K::Float, start);
    }

    /// At `.5`.
    pub(super) fn number_without_zero(&mut self, start: usize) {
        self.pos += 1;
        self.digits();
        let better = format!("0{}", &self.text[start..self.pos]);
        let span = self.span(start, self.pos);
        self.error(
            Diagnostic::error("E0104", span, "a number needs a digit before its point")
                .help(format!("write `{better}`"))
                .mend(format!("write `{better}`"), span, better),
        );
        self.push(K::Float, start);
    }

    fn leading_zero(&mut self, start: usize) {
        let text = &self.text[start..self.pos];
        // `1,000`: the comma and the number before it stand here already.
        let before = self.text[..start].strip_suffix(',');
        let group = before.filter(|before| text.len() == 3 && before.ends_with(|c: char| c.is_ascii_digit()));
        if group.is_some() {
            let span = self.span(start - 1, self.pos);
            return self.error(
                Diagnostic::error("E0104", span, "thousands are set apart by `_`, not by `,`")
                    .help("write `_` for the comma"),
            );
        }
        let digits = text.trim_start_matches(['0', '_']);
        let better = if digits.is_empty() { "0" } else { digits }.to_owned();
        let span = self.span(start, self.pos);
        self.error(
            Diagnostic::error("E0104", span, "a number does not begin with `0`")
                .help(format!("write `{better}`"))
                .mend(format!("write `{better}`"), span, better),
        );
    }

    /// A number from `start` to `end`, with letters up to here.
    fn unit(&mut self, start: usize, end: usize) {
        let suffix = &self.text[end..self.pos];
        if UNITS.iter().any(|(unit, _)| *unit == suffix) {
            return self.push(K::Unit, start);
        }
        let span = self.span(start, self.pos);
        let text = &self.text[start..self.pos];
        let near = UNITS.iter().find(|(unit, _)| unit.eq_ignore_ascii_case(suffix));
        let long = match suffix {
            "sec" | "secs" | "second" | "seconds" => Some("s"),
            "m" | "mins" | "minute" | "minutes" => Some("min"),
            "hour" | "hours" | "hr" => Some("h"),
            "day" | "days" => Some("d"),
            "K" | "k" => Some("KB"),
            "M" => Some("MB"),
            "G" | "Gi" => Some("GiB"),
            "T" => Some("TB"),
            _ => None,
        };
        let error = if let Some(unit) = near.map(|(unit, _)| *unit).or(long) {
            let better = format!("{}{unit}", &self.text[start..end]);
            Diagnostic::error("E0106", span, format!("`{suffix}` is not a unit"))
                .help(format!("write `{better}`"))
                .mend(format!("write `{better}`"), span, better)
        } else if suffix.starts_with(['x', 'b', 'o']) && &self.text[start..end] == "0" {
            Diagnostic::error("E0104", span, format!("`{text}` is not a number here"))
                .help("numbers are written in decimal")
        } else {
            Diagnostic::error("E0106", span, format!("`{text}` is neither a number nor a name"))
                .at(format!("`{suffix}` is not a unit"))
                .note("units are ms, s, min, h, d, and B, KB, MB, GB, TB, KiB, MiB, GiB, TiB")
                .help("a name begins with a letter or `_`; between two factors stands `*`")
        };
        self.error(error);
        self.push(K::Unit, start);
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphabetic() || byte >= 0x80
}
