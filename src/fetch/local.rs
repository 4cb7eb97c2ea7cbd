//! `file:///…`: a file of this machine.

use super::{Attempt, Job};
use std::fs::File;

/// Copies the file at `path`, as a URL writes it.
pub(super) fn copy(job: &Job, path: &str) -> Result<(), Attempt> {
    let path = decoded(path).ok_or_else(|| Attempt::Refused("this is no path".to_owned()))?;
    let refused = |error: std::io::Error| {
        Attempt::Refused(match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => error.to_string(),
        })
    };
    let mut file = File::open(path).map_err(refused)?;
    let metadata = file.metadata().map_err(refused)?;
    if !metadata.is_file() {
        return Err(Attempt::Refused("it is not a file".to_owned()));
    }
    job.write(&mut file, 0, Some(metadata.len()))
}

/// The text that a URL writes with `%20`.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first == b'%' {
            let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &rest[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

#[test]
fn what_a_url_writes_otherwise_is_read() {
    assert_eq!(decoded("/a%20b/%C3%A4").as_deref(), Some("/a b/ä"));
    assert_eq!(
        (decoded("/a%2"), decoded("/%zz"), decoded("/%ff")),
        (None, None, None)
    );
}
