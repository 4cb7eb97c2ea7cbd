//! Puts placeholders where output differs from run to run: times, speeds, digests, ids of runs.

/// All of it.
pub(crate) fn all(text: &str) -> String {
    text.lines()
        .map(|line| padding(&padding(&slowest(&one(line)), "[TIME] "), "[RUN] ") + "\n")
        .collect()
}

/// How wide a column of what is left out is differs, too.
fn padding(line: &str, left_out: &str) -> String {
    let mut parts = line.split(left_out);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let after = part.trim_start_matches(' ');
        let gap = if after.len() < part.len() { " " } else { "" };
        out.push_str(&format!("{left_out}{gap}{after}"));
    }
    out
}

/// Which steps took longest differs, too, and whether any took long enough to be named.
fn slowest(line: &str) -> String {
    match line.split_once("built in [TIME] (") {
        Some((before, _)) => format!("{before}built in [TIME]"),
        None => line.to_owned(),
    }
}

fn one(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let inside_a_word = out
            .chars()
            .last()
            .is_some_and(|c| c.is_alphanumeric() || c == '.');
        let found = if inside_a_word { None } else { placeholder(rest) };
        let (shown, length) = found.unwrap_or((&rest[..first.len_utf8()], first.len_utf8()));
        out.push_str(shown);
        rest = &rest[length..];
    }
    out
}

/// What stands for the beginning of `rest`, and for how much of it.
fn placeholder(rest: &str) -> Option<(&'static str, usize)> {
    let stamp = rest.get(..15).is_some_and(|stamp| {
        let mut digits = stamp.bytes().enumerate();
        digits.all(|(index, byte)| {
            if index == 8 {
                byte == b'-'
            } else {
                byte.is_ascii_digit()
            }
        })
    });
    if stamp {
        // `-2` behind it: another run began in the same second.
        let again = rest[15..]
            .strip_prefix('-')
            .map_or(0, |count| length(count, |c| c.is_ascii_digit()));
        return Some(("[RUN]", 15 + if again > 0 { again + 1 } else { 0 }));
    }
    // `2026-01-31 14:25`, or the day alone.
    let shape = |shape: &str| {
        let found = rest.get(..shape.len()).unwrap_or_default();
        !found.is_empty()
            && found
                .chars()
                .zip(shape.chars())
                .all(|(c, s)| c == s || s == 'd' && c.is_ascii_digit())
    };
    if let Some(day) = ["dddd-dd-dd dd:dd", "dddd-dd-dd"]
        .into_iter()
        .find(|of| shape(of))
    {
        return Some(("[DATE]", day.len()));
    }
    let hex = length(rest, |c| c.is_ascii_digit() || ('a'..='f').contains(&c));
    if hex >= 10 {
        return Some(("[DIGEST]", hex));
    }
    let number = length(rest, |c| c.is_ascii_digit() || c == '.' || c == ',');
    let unit = |unit: &str, shown| {
        let after = rest[number..].strip_prefix(unit)?;
        let whole = number > 0 && !after.starts_with(char::is_alphanumeric);
        whole.then_some((shown, number + unit.len()))
    };
    unit(" ms", "[TIME]")
        .or_else(|| unit(" s", "[TIME]"))
        .or_else(|| unit(" examples/s", "[SPEED]"))
}

fn length(text: &str, of: impl Fn(char) -> bool) -> usize {
    text.len() - text.trim_start_matches(of).len()
}

#[test]
fn what_changes_is_left_out_and_nothing_else() {
    assert_eq!(
        all(
            "✓ fit in 1.2 s  16,210 examples/s  loss 0.31\nkey 0123456789abcdef of 20260131-142500, 3 steps, 20260131-142500-2, 2026-01-31 14:25"
        ),
        "✓ fit in [TIME]  [SPEED]  loss 0.31\nkey [DIGEST] of [RUN], 3 steps, [RUN], [DATE]\n"
    );
}
