//! Amounts of bytes as people write and read them: `8GiB`, `512MB`, `22.1 GiB`.

use std::fmt;
use std::str::FromStr;

/// Units, largest first.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
    ("B", 1),
];
/// A whole number of a unit is written as one up to here.
const LARGEST: u64 = 9999;

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    /// As people would have written it, where it is a whole number of a unit; else in the largest binary unit that it
    /// fills, with one decimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |(_, unit): &&(&str, u64)| {
            self.0 >= *unit && self.0.is_multiple_of(*unit) && self.0 / unit <= LARGEST
        };
        if let Some((name, unit)) = UNITS.iter().find(whole) {
            return write!(f, "{} {name}", self.0 / unit);
        }
        let filled = |(name, unit): &&(&str, u64)| name.ends_with("iB") && self.0 >= *unit;
        match UNITS.iter().find(filled) {
            Some((name, unit)) => write!(f, "{:.1} {name}", self.0 as f64 / *unit as f64),
            None => write!(f, "{} B", self.0),
        }
    }
}

impl FromStr for Size {
    type Err = String;

    /// A number and a unit, as in a pipeline: `8GiB`, `1.5 GB`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no amount of bytes: write a number and a unit, as in `8GiB`");
        let text = text.trim();
        let (name, unit) = UNITS
            .iter()
            .find(|(name, _)| text.to_ascii_lowercase().ends_with(&name.to_ascii_lowercase()))
            .ok_or_else(wrong)?;
        let number: f64 = text[..text.len() - name.len()]
            .trim()
            .parse()
            .map_err(|_| wrong())?;
        let bytes = number * *unit as f64;
        if !(1.0..=u64::MAX as f64).contains(&bytes) {
            return Err(wrong());
        }
        Ok(Self(bytes as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written() {
        assert_eq!("8GiB".parse(), Ok(Size(8 << 30)));
        assert_eq!(" 1.5 gb".parse(), Ok(Size(1_500_000_000)));
        for wrong in ["8", "GiB", "-1GB", "0MB", "nanGB", "1e400GB"] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
        let shown = [0, 1023, 4 << 30, 1_500_000_000, 1_000_000, 23_456_789_012];
        let shown = shown.map(|bytes| Size(bytes).to_string());
        assert_eq!(shown, ["0 B", "1023 B", "4 GiB", "1500 MB", "1 MB", "21.8 GiB"]);
    }
}
