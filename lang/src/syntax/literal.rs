//! What literals stand for: escapes, numbers, units.

use super::lexer::UNITS;

/// The character that the escape at the start of `text` stands for, and the escape's length; or the length of what is no
/// escape. Two `\u` of a surrogate pair, as JSON has them, are one character.
pub(crate) fn escape(text: &str) -> Result<(char, usize), usize> {
    let mut chars = text.chars();
    chars.next();
    let Some(second) = chars.next() else {
        return Err(1);
    };
    let plain = match second {
        '"' | '\\' | '/' | '$' => second,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return unicode_escape(text),
        other => return Err(1 + other.len_utf8()),
    };
    Ok((plain, 2))
}

fn unicode_escape(text: &str) -> Result<(char, usize), usize> {
    if let Some(rest) = text[2..].strip_prefix('{') {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        let closed = rest.as_bytes().get(digits) == Some(&b'}');
        let length = 3 + digits + usize::from(closed);
        let code = u32::from_str_radix(&rest[..digits], 16).ok();
        return match code.and_then(char::from_u32) {
            Some(character) if closed => Ok((character, length)),
            _ => Err(length),
        };
    }
    let digits = text[2..]
        .bytes()
        .take(4)
        .take_while(u8::is_ascii_hexdigit)
        .count();
    let Some(first) = four_digits(text, 0) else {
        return Err(2 + digits);
    };
    if let Some(character) = char::from_u32(first) {
        return Ok((character, 6));
    }
    match four_digits(text, 6) {
        Some(second) if (0xd800..0xdc00).contains(&first) && (0xdc00..0xe000).contains(&second) => {
            let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            char::from_u32(code).map(|character| (character, 12)).ok_or(12)
        }
        _ => Err(6),
    }
}

/// The code of the `\uXXXX` at `at`.
fn four_digits(text: &str, at: usize) -> Option<u32> {
    let escape = text.get(at..at + 6)?;
    let digits = escape.strip_prefix("\\u")?;
    // from_str_radix takes a sign too.
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, 16).ok()
}

/// Appends `raw` to `out`, escapes replaced, CRLF as LF. What is no escape (it was reported) stays as it is.
pub(crate) fn unescape(raw: &str, out: &mut String) {
    let mut rest = raw;
    while let Some(at) = rest.find(['\\', '\r']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix('\r') {
            if !after.starts_with('\n') {
                out.push('\r');
            }
            rest = after;
            continue;
        }
        match escape(rest) {
            Ok((character, length)) => {
                out.push(character);
                rest = &rest[length..];
            }
            Err(length) => {
                out.push_str(&rest[..length]);
                rest = &rest[length..];
            }
        }
    }
    out.push_str(rest);
}

/// The value of an INT, with its sign; none if it is beyond 64 bits.
pub(crate) fn int(text: &str, negative: bool) -> Option<i64> {
    let mut value: i64 = 0;
    for digit in text.bytes().filter(|byte| *byte != b'_') {
        let digit = i64::from(digit.wrapping_sub(b'0'));
        value = value.checked_mul(10)?;
        value = if negative {
            value.checked_sub(digit)?
        } else {
            value.checked_add(digit)?
        };
    }
    Some(value)
}

/// The value of a FLOAT; none if it is beyond a double.
pub(crate) fn float(text: &str) -> Option<f64> {
    let value: f64 = if text.contains('_') {
        text.replace('_', "").parse().ok()?
    } else {
        text.parse().ok()?
    };
    value.is_finite().then_some(value)
}

/// What a UNIT stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    /// Milliseconds.
    Duration(i64),
    /// Bytes.
    Bytes(i64),
}

/// Why a UNIT stands for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QuantityError {
    /// The unit is unknown, or the number malformed: reported by the lexer.
    Malformed,
    /// It is no whole number of milliseconds or bytes.
    Fraction,
    /// It is beyond 64 bits.
    Range,
}

/// The value of a UNIT.
pub(crate) fn quantity(text: &str) -> Result<Quantity, QuantityError> {
    let split = text
        .char_indices()
        .find(|(at, c)| c.is_alphabetic() && !is_exponent(text, *at))
        .map_or(text.len(), |(at, _)| at);
    let (number, unit) = text.split_at(split);
    let Some(index) = UNITS.iter().position(|(name, _)| *name == unit) else {
        return Err(QuantityError::Malformed);
    };
    let amount = scale(number, UNITS[index].1)?;
    // The first five are durations.
    Ok(if index < 5 {
        Quantity::Duration(amount)
    } else {
        Quantity::Bytes(amount)
    })
}

/// Whether the letter at `at` is the `e` of `1e3s`.
fn is_exponent(text: &str, at: usize) -> bool {
    let rest = text[at..].strip_prefix(['e', 'E']);
    rest.is_some_and(|rest| {
        rest.trim_start_matches(['+', '-'])
            .starts_with(|c: char| c.is_ascii_digit())
    })
}

/// `number` times `unit`, exactly.
fn scale(number: &str, unit: i64) -> Result<i64, QuantityError> {
    let number = number.replace('_', "");
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (
            mantissa,
            exponent.parse::<i32>().map_err(|_| QuantityError::Range)?,
        ),
        None => (number.as_str(), 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut value: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        value = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(i128::from(digit.wrapping_sub(b'0'))))
            .ok_or(QuantityError::Range)?;
    }
    value = value.checked_mul(i128::from(unit)).ok_or(QuantityError::Range)?;
    let mut shift = exponent.saturating_sub(i32::try_from(fraction.len()).unwrap_or(i32::MAX));
    while shift > 0 && value != 0 {
        value = value.checked_mul(10).ok_or(QuantityError::Range)?;
        shift -= 1;
    }
    while shift < 0 && value != 0 {
        if value % 10 != 0 {
            return Err(QuantityError::Fraction);
        }
        value /= 10;
        shift += 1;
    }
    i64::try_from(value).map_err(|_| QuantityError::Range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(escape("\\n"), Ok(('\n', 2)));
        assert_eq!(escape("\\u00e9x"), Ok(('é', 6)));
        assert_eq!(escape("\\u{1f600}"), Ok(('😀', 9)));
        assert_eq!(escape("\\uD83D\\uDE00"), Ok(('😀', 12)));
        assert_eq!(escape("\\uD83D"), Err(6));
        assert_eq!(escape("\\u12"), Err(4));
        assert_eq!(escape("\\u{110000}"), Err(10));
        assert_eq!(escape("\\é"), Err(3));
        assert_eq!(escape("\\"), Err(1));
    }

    #[test]
    fn numbers() {
        assert_eq!(int("9223372036854775807", false), Some(i64::MAX));
        assert_eq!(int("9223372036854775808", false), None);
        assert_eq!(int("9223372036854775808", true), Some(i64::MIN));
        assert_eq!(int("1_000", false), Some(1000));
        assert_eq!(float("1e400"), None);
        assert_eq!(float("1_0.5"), Some(10.5));
    }

    #[test]
    fn quantities() {
        assert_eq!(quantity("30min"), Ok(Quantity::Duration(1_800_000)));
        assert_eq!(quantity("0.5s"), Ok(Quantity::Duration(500)));
        assert_eq!(quantity("1.5KiB"), Ok(Quantity::Bytes(1536)));
        assert_eq!(quantity("1e3s"), Ok(Quantity::Duration(1_000_000)));
        assert_eq!(quantity("0.5ms"), Err(QuantityError::Fraction));
        assert_eq!(quantity("10000000TiB"), Err(QuantityError::Range));
        assert_eq!(quantity("5x"), Err(QuantityError::Malformed));
        assert_eq!(quantity("1e999999999s"), Err(QuantityError::Range));
        assert_eq!(quantity("1e-999999999s"), Err(QuantityError::Fraction));
    }
}
