//! The header of a `.npy` file: what numpy writes before the elements.

use super::element::Element;

/// What a header says.
#[derive(Debug, PartialEq)]
pub(super) struct Described {
    pub(super) element: Element,
    pub(super) big_endian: bool,
    pub(super) shape: Vec<u64>,
    /// Where the elements begin.
    pub(super) start: usize,
}

/// Reads the header of `file`. An error is words that go on after the file's name, and what to do.
pub(super) fn describe(file: &[u8]) -> Result<Described, (String, &'static str)> {
    const AGAIN: &str = "write it anew by `numpy.save`";
    let cut = || ("is cut short".to_owned(), AGAIN);
    let &[0x93, b'N', b'U', b'M', b'P', b'Y', major, _, ref rest @ ..] = file else {
        return Err(("is no .npy file".to_owned(), AGAIN));
    };
    let (length, before) = match (major, rest) {
        (1, &[a, b, ..]) => (usize::from(u16::from_le_bytes([a, b])), 10),
        (2 | 3, &[a, b, c, d, ..]) => (u32::from_le_bytes([a, b, c, d]) as usize, 12),
        (1..=3, _) => return Err(cut()),
        _ => return Err((format!("is of version {major} of the .npy format"), AGAIN)),
    };
    let start = before + length;
    let header = file.get(before..start).ok_or_else(cut)?;
    let header =
        std::str::from_utf8(header).map_err(|_| ("has a header that is no text".to_owned(), AGAIN))?;
    let unread = || {
        (
            format!("has a header that cannot be read: {}", header.trim()),
            AGAIN,
        )
    };
    let after = |key: &str| header.split_once(key).map(|(_, value)| value.trim_start());
    if !after("'fortran_order':").ok_or_else(unread)?.starts_with("False") {
        return Err((
            "has its columns one after the other (Fortran order)".to_owned(),
            "write it anew after `numpy.ascontiguousarray(x)`",
        ));
    }
    let shape = after("'shape':").and_then(|text| text.strip_prefix('('));
    let (shape, _) = shape.and_then(|text| text.split_once(')')).ok_or_else(unread)?;
    let sizes = shape.split(',').map(str::trim).filter(|size| !size.is_empty());
    let shape: Option<Vec<u64>> = sizes.map(|size| size.parse().ok()).collect();
    let shape = shape.ok_or_else(unread)?;
    let kind = after("'descr':").and_then(|text| text.strip_prefix('\'')?.split_once('\''));
    let (kind, _) = kind.ok_or_else(|| {
        (
            "holds records of several fields".to_owned(),
            "write an array for each field",
        )
    })?;
    let (order, name) = kind.split_at_checked(1).ok_or_else(unread)?;
    let element = element(name).ok_or_else(|| {
        let help = match name.chars().next() {
            Some('O') => "write numbers or texts: `x.astype(\"float32\")`, `x.astype(\"U\")`",
            _ => "convert it: `x.astype(\"float32\")`, or to another type of numbers",
        };
        (
            format!("has elements of the type `{kind}`, which is not read"),
            help,
        )
    })?;
    Ok(Described {
        element,
        big_endian: order == ">",
        shape,
        start,
    })
}

fn element(name: &str) -> Option<Element> {
    let length = |text: &str| text.parse().ok().filter(|length| (1..1 << 20).contains(length));
    Some(match name {
        "b1" => Element::Bool,
        "i1" => Element::I8,
        "i2" => Element::I16,
        "i4" => Element::I32,
        "i8" => Element::I64,
        "u1" => Element::U8,
        "u2" => Element::U16,
        "u4" => Element::U32,
        "u8" => Element::U64,
        "f2" => Element::F16,
        "f4" => Element::F32,
        "f8" => Element::F64,
        _ => match name.split_at_checked(1)? {
            ("S", text) => Element::Ascii(length(text)?),
            ("U", text) => Element::Unicode(length(text)?),
            _ => return None,
        },
    })
}
