//! Requirements with hashes, as `pip-compile --generate-hashes` and `uv export` write them: each an exact version with the
//! hashes of its files, or a URL with one. Talks to its module alone.

use super::{Needed, Offer, Place, Reading, Unlocated, codes, file_of, normalised, sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

const AGAIN: &str = "write all of it with hashes: `pip-compile --generate-hashes`, or `uv export --no-dev -o requirements.txt`";

pub(super) fn read(reading: &mut Reading<'_>, text: &str) {
    let mut seen: BTreeMap<String, Range<usize>> = BTreeMap::new();
    for line in lines(text) {
        let body = line.text.trim();
        if body.starts_with('-') {
            option(reading, body, line.range);
        } else if !body.is_empty() {
            requirement(reading, body, &line.range, &mut seen);
        }
    }
}

/// A line after its continuations are joined and its comment is taken away.
struct Line {
    text: String,
    range: Range<usize>,
}

fn lines(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut open: Option<Line> = None;
    let mut at = 0;
    for raw in text.split_inclusive('\n') {
        let start = at + (raw.len() - raw.trim_start().len());
        at += raw.len();
        let line = raw.trim();
        let comment = if line.starts_with('#') {
            Some(0)
        } else {
            line.find(" #")
        };
        let (line, continued) = match (comment, line.strip_suffix('\\')) {
            (Some(comment), _) => (&line[..comment], false),
            (None, Some(line)) => (line, true),
            (None, None) => (line, false),
        };
        // A comment of its own between continued lines ends nothing.
        if comment == Some(0) && open.is_some() {
            continue;
        }
        let mut whole = open.take().unwrap_or(Line {
            text: String::new(),
            range: start..start,
        });
        if whole.text.is_empty() {
            whole.range.end = start + line.trim_end().len();
        }
        whole.text.push(' ');
        whole.text.push_str(line);
        if continued {
            open = Some(whole);
        } else {
            lines.push(whole);
        }
    }
    lines.extend(open);
    lines
}

fn option(reading: &mut Reading<'_>, body: &str, range: Range<usize>) {
    let name = body.split([' ', '=']).next().unwrap_or(body);
    match name {
        "-r" | "--requirement" | "-c" | "--constraint" => {
            reading.error(codes::PYTHON_LOCK, range, "a lock stands in one file", AGAIN);
        }
        "-e" | "--editable" => {
            let message = "an editable package is not locked";
            reading.error(
                codes::PYTHON_SOURCE_ONLY,
                range,
                message,
                "give its code to the step as an input",
            );
        }
        // Where files are, and how they are checked, is no matter here: they are found by their hashes.
        _ => {}
    }
}

fn requirement(
    reading: &mut Reading<'_>,
    body: &str,
    range: &Range<usize>,
    seen: &mut BTreeMap<String, Range<usize>>,
) {
    let (body, options) = body.split_once(" --").unwrap_or((body, ""));
    let hashes: Vec<String> = options
        .split_whitespace()
        .filter_map(|option| option.strip_prefix("--").unwrap_or(option).strip_prefix("hash="))
        .filter_map(sha256)
        .collect();
    // In a URL a `;` needs a space before it to start a marker.
    let is_url = body.contains(" @ ");
    let (body, marker) = match if is_url {
        body.split_once(" ;")
    } else {
        body.split_once(';')
    } {
        Some((body, marker)) => (body.trim(), Some(marker.trim())),
        None => (body.trim(), None),
    };
    if let Some(marker) = marker
        && !reading.holds(marker, range, &BTreeSet::new())
    {
        return;
    }
    if is_wheel(body) {
        return wheel(reading, body, hashes.first().cloned(), range, seen);
    }
    let without_extras = |name: &str| name.split('[').next().unwrap_or(name).trim().to_owned();
    let (name, version) = if let Some((name, url)) = body.split_once(" @ ") {
        let name = without_extras(name);
        let (url, fragment) = url.trim().split_once('#').unwrap_or((url.trim(), ""));
        let hash = hashes.first().cloned().or_else(|| sha256(fragment));
        let offer = Offer {
            file: file_of(url),
            place: Place::Url(url.to_owned()),
            sha256: hash,
        };
        if once(reading, &name, range, seen) {
            let needed = Needed {
                name: &name,
                version: None,
                range: range.clone(),
                offers: vec![offer],
                sdist: true,
            };
            reading.choose(needed);
        }
        return;
    } else if let Some((name, version)) = body.split_once("==") {
        (
            without_extras(name),
            version.trim_start_matches('=').trim().to_owned(),
        )
    } else {
        let message = format!("`{body}` is not pinned to one version");
        return reading.error(codes::PYTHON_LOCK, range.clone(), message, AGAIN);
    };
    let exact = !version.ends_with('*') && version.parse::<pep440_rs::Version>().is_ok();
    if !exact
        || name.is_empty()
        || !name
            .chars()
            .all(|letter| letter.is_alphanumeric() || "-_.".contains(letter))
    {
        let message = format!("`{body}` is not a package with one version");
        return reading.error(codes::PYTHON_LOCK, range.clone(), message, AGAIN);
    }
    if hashes.is_empty() {
        let message = format!("`{name}` has no `--hash=sha256:…`");
        return reading.error(codes::PYTHON_NO_HASH, range.clone(), message, AGAIN);
    }
    if once(reading, &name, range, seen) {
        let sha256: BTreeSet<String> = hashes.into_iter().collect();
        let span = reading.span(range);
        let sha256 = sha256.into_iter().collect();
        reading.environment.unlocated.push(Unlocated {
            name: normalised(&name),
            version,
            sha256,
            span,
        });
    }
}

/// Whether it is the path of a wheel, as pip takes it, and no name.
fn is_wheel(body: &str) -> bool {
    body.ends_with(".whl") && !body.contains(" @ ") && !body.contains("==")
}

fn wheel(
    reading: &mut Reading<'_>,
    path: &str,
    sha256: Option<String>,
    range: &Range<usize>,
    seen: &mut BTreeMap<String, Range<usize>>,
) {
    let file = file_of(path);
    let name = file.split('-').next().unwrap_or_default().to_owned();
    let place = match path.contains("://") {
        true => Place::Url(path.to_owned()),
        false => Place::Path(path.trim_start_matches("./").to_owned()),
    };
    if once(reading, &name, range, seen) {
        reading.choose(Needed {
            name: &name,
            version: None,
            range: range.clone(),
            offers: vec![Offer { file, place, sha256 }],
            sdist: false,
        });
    }
}

fn once(
    reading: &mut Reading<'_>,
    name: &str,
    range: &Range<usize>,
    seen: &mut BTreeMap<String, Range<usize>>,
) -> bool {
    let first = seen.insert(normalised(name), range.clone()).is_none();
    if !first {
        reading.error(
            codes::PYTHON_LOCK,
            range.clone(),
            format!("`{name}` is required twice"),
            AGAIN,
        );
    }
    first
}
