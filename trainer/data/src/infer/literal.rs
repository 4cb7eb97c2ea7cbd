//! Texts, numbers, names and paths as they are written in a pipeline.

/// Words that are no names.
const RESERVED: &[&str] = &[
    "and", "else", "false", "fn", "for", "if", "import", "let", "match", "not", "null", "or", "param",
    "then", "true",
];

/// A text in quotes.
pub(super) fn text(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' => out.push_str("\\$"),
            c if c.is_control() => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A list of texts.
pub(super) fn texts<'a>(items: impl IntoIterator<Item = &'a String>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| text(item)).collect();
    format!("[{}]", items.join(", "))
}

/// A number with a point or an exponent.
pub(super) fn float(value: f64) -> String {
    format!("{value:?}")
}

/// A path, in quotes where it must be.
pub(super) fn path(written: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._/+@%~".contains(c);
    if written.chars().all(plain) {
        return written.to_owned();
    }
    let quoted = text(written);
    // A path begins within the quotes as it does without.
    format!("./{}", quoted.replacen("\"./", "\"", 1))
}

/// A name like `from` that may stand before `=` or in a record, and that none of `taken` is.
pub(super) fn name(from: &str, taken: &[String]) -> String {
    let mut name: String = from
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect();
    while name.contains("__") {
        name = name.replace("__", "_");
    }
    let name = name.trim_matches('_');
    let name = if name.starts_with(|c: char| c.is_ascii_lowercase()) {
        name.to_owned()
    } else {
        format!("data_{name}").trim_end_matches('_').to_owned()
    };
    let name = if RESERVED.contains(&name.as_str()) {
        format!("{name}_")
    } else {
        name
    };
    let mut free = name.clone();
    let mut count = 2;
    while taken.contains(&free) {
        free = format!("{name}_{count}");
        count += 1;
    }
    free
}

/// `1,234`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 row`, `1,234 rows`.
pub(super) fn counted(number: u64, one: &str, many: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        number => format!("{} {many}", count(number)),
    }
}
