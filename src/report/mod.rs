//! What a run came to, as functions of its event log: [`summary`] folds the events, [`text`] and [`json`] write it for
//! people and programs. Talks to the model alone; who calls it decides where the text goes.

pub mod confusion;
pub mod json;
pub mod style;
pub mod summary;
pub mod table;
pub mod text;

/// How long something took, for people: `3 ms`, `1.2 s`, `4 min 05 s`.
pub fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{:.1} s", ms as f64 / 1000.0),
        60_000..3_600_000 => format!("{} min {:02} s", ms / 60_000, ms / 1000 % 60),
        _ => format!("{} h {:02} min", ms / 3_600_000, ms / 60_000 % 60),
    }
}

/// Bytes, for people: `512 B`, `1.5 MiB`.
pub fn size(bytes: u64) -> String {
    let mut rest = bytes as f64;
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    for unit in ["KiB", "MiB", "GiB"] {
        rest /= 1024.0;
        if rest < 999.5 {
            let decimals = usize::from(rest < 9.95);
            return format!("{rest:.decimals$} {unit}");
        }
    }
    format!("{:.1} TiB", rest / 1024.0)
}

/// A count with separators: `19,466`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A figure with four significant digits; whole numbers whole, and the smallest and largest with an exponent.
pub fn figure(x: f64) -> String {
    let size = x.abs();
    if !x.is_finite() {
        return x.to_string();
    }
    if size != 0.0 && !(1e-3..1e7).contains(&size) {
        return format!("{x:.2e}");
    }
    if x.fract() == 0.0 {
        return format!("{x}");
    }
    let decimals = match size {
        1000.0.. => 1,
        100.0.. => 1,
        10.0.. => 2,
        1.0.. => 3,
        _ => 4,
    };
    format!("{x:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            [0, 1023, 1024, 1_500_000, 20 << 20, 1 << 30, 5 << 40].map(size),
            [
                "0 B", "1023 B", "1.0 KiB", "1.4 MiB", "20 MiB", "1.0 GiB", "5.0 TiB"
            ]
        );
        let durations: Vec<_> = [7, 1250, 65_000, 7_260_000].map(duration).into();
        assert_eq!(durations, ["7 ms", "1.2 s", "1 min 05 s", "2 h 01 min"]);
        assert_eq!(
            [999, 1000, 19_466, 1_000_000].map(count),
            ["999", "1,000", "19,466", "1,000,000"]
        );
        assert_eq!(
            [0.0, 0.98333, 12.345, 1234.56, 20.0, 1e-3, 0.000_012, f64::NAN].map(figure),
            ["0", "0.9833", "12.35", "1234.6", "20", "0.0010", "1.20e-5", "NaN"]
        );
    }
}
