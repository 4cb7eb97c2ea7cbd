//! YAML 1.2 with its core schema, by the crate `saphyr-parser`, whose events have places. Anchors, aliases and `<<` are
//! replaced by what they stand for, up to a limit.

use super::{Entries, MAX_NESTING, out_of_range, too_deep};
use crate::diagnostic::Diagnostic;
use crate::hir::{DataNode, DataValue, Name};
use crate::source::{SourceId, Span};
use rustc_hash::FxHashMap;
use saphyr_parser::{Event, Parser, ScalarStyle, StrInput, Tag};

/// How many values a document may come to, aliases replaced: a few lines of them can stand for billions.
const MAX_VALUES: usize = 1_000_000;

/// Parses a text of one YAML document.
pub(super) fn parse(source: SourceId, text: &str) -> Result<DataNode, Diagnostic> {
    let mut yaml = Yaml {
        source,
        text,
        offsets: offsets(text),
        events: Parser::new_from_str(text),
        anchors: FxHashMap::default(),
        values: 0,
    };
    yaml.document()
}

/// The byte at which each character begins; none if they are the same.
fn offsets(text: &str) -> Option<Vec<u32>> {
    (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at as u32).collect())
}

struct Yaml<'t> {
    source: SourceId,
    text: &'t str,
    offsets: Option<Vec<u32>>,
    events: Parser<'t, StrInput<'t>>,
    /// What each anchor stands for, and how many values that is.
    anchors: FxHashMap<usize, (DataNode, usize)>,
    values: usize,
}

impl<'t> Yaml<'t> {
    fn offset(&self, index: usize) -> u32 {
        let length = self.text.len() as u32;
        match &self.offsets {
            Some(offsets) => offsets.get(index).copied().unwrap_or(length),
            None => (index as u32).min(length),
        }
    }

    fn span(&self, span: saphyr_parser::Span) -> Span {
        let start = self.offset(span.start.index());
        Span {
            source: self.source,
            start,
            end: self.offset(span.end.index()).max(start),
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), Diagnostic> {
        match self.events.next_event() {
            Some(Ok((event, span))) => Ok((event, self.span(span))),
            Some(Err(error)) => {
                let at = self.offset(error.marker().index());
                let span = Span {
                    source: self.source,
                    start: at,
                    end: at,
                };
                Err(not_yaml(error.info(), self.text.contains('\t'), span))
            }
            None => Ok((Event::StreamEnd, self.span(saphyr_parser::Span::default()))),
        }
    }

    fn document(&mut self) -> Result<DataNode, Diagnostic> {
        let mut found: Option<DataNode> = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::Nothing | Event::StreamStart | Event::DocumentEnd => {}
                Event::DocumentStart(_) if found.is_some() => {
                    return Err(
                        Diagnostic::error("E0014", span, "this file holds several documents").help(
                            "import files of one document: what follows `---` belongs to a file of its own",
                        ),
                    );
                }
                Event::DocumentStart(_) => {}
                other => found = Some(self.node(other, span, 0)?),
            }
        }
        let empty = Span {
            source: self.source,
            start: 0,
            end: 0,
        };
        Ok(found.unwrap_or(DataNode {
            span: empty,
            value: DataValue::Null,
        }))
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<DataNode, Diagnostic> {
        if depth >= MAX_NESTING {
            return Err(too_deep(span));
        }
        self.count(1, span)?;
        let before = self.values;
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar(&text, style, tag.as_deref(), span)?;
                (DataNode { span, value }, anchor)
            }
            Event::SequenceStart(anchor, _) => (self.sequence(span, depth)?, anchor),
            Event::MappingStart(anchor, _) => (self.mapping(span, depth)?, anchor),
            Event::Alias(anchor) => {
                let Some((node, values)) = self.anchors.get(&anchor) else {
                    return Err(Diagnostic::error("E0014", span, "an anchor cannot hold itself"));
                };
                let (node, values) = (node.clone(), *values);
                self.count(values, span)?;
                return Ok(node);
            }
            _ => {
                return Err(Diagnostic::error(
                    "E0014",
                    span,
                    "this is no YAML: a value is missing",
                ));
            }
        };
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), self.values - before));
        }
        Ok(node)
    }

    fn count(&mut self, values: usize, span: Span) -> Result<(), Diagnostic> {
        self.values += values;
        if self.values > MAX_VALUES {
            return Err(Diagnostic::error(
                "E0017",
                span,
                format!("the file stands for more than {MAX_VALUES} values"),
            ));
        }
        Ok(())
    }

    fn sequence(&mut self, start: Span, depth: usize) -> Result<DataNode, Diagnostic> {
        let mut elements = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                let span = Span {
                    end: span.end.max(start.end),
                    ..start
                };
                let value = DataValue::List(elements);
                return Ok(DataNode { span, value });
            }
            elements.push(self.node(event, span, depth + 1)?);
        }
    }

    fn mapping(&mut self, start: Span, depth: usize) -> Result<DataNode, Diagnostic> {
        let mut entries = Entries::default();
        let mut merged = Vec::new();
        loop {
            let (event, span) = self.next()?;
            let (key, plain) = match event {
                Event::MappingEnd => {
                    for (key, span, value) in merged {
                        if !entries.seen.contains_key(&key) {
                            entries.add(key, span, value)?;
                        }
                    }
                    let span = Span {
                        end: span.end.max(start.end),
                        ..start
                    };
                    let value = entries.finish();
                    return Ok(DataNode { span, value });
                }
                Event::Scalar(text, style, _, _) => (Name::from(text.as_ref()), style == ScalarStyle::Plain),
                _ => {
                    return Err(Diagnostic::error(
                        "E0014",
                        span,
                        "the keys of a map are plain words",
                    ));
                }
            };
            let (event, value_span) = self.next()?;
            let value = self.node(event, value_span, depth + 1)?;
            if plain && key == "<<" {
                merge(value, &mut merged)?;
            } else {
                entries.add(key, span, value)?;
            }
        }
    }
}

/// Takes over the entries of a map, or of the maps of a list; earlier ones win.
fn merge(node: DataNode, merged: &mut Vec<(Name, Span, DataNode)>) -> Result<(), Diagnostic> {
    match node.value {
        DataValue::Map(entries) => {
            for entry in entries {
                if !merged.iter().any(|(key, ..)| *key == entry.0) {
                    merged.push(entry);
                }
            }
            Ok(())
        }
        DataValue::List(nodes) => nodes.into_iter().try_for_each(|node| merge(node, merged)),
        _ => Err(Diagnostic::error(
            "E0014",
            node.span,
            "`<<` takes over the entries of a map, and this is none",
        )),
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Result<DataValue, Diagnostic> {
    if let Some(tag) = tag {
        let core = tag.is_yaml_core_schema();
        return match (core, tag.suffix.as_str()) {
            (true, "str") => Ok(DataValue::Str(text.into())),
            (true, "float") => match plain(text, span)? {
                DataValue::Int(value) => Ok(DataValue::Float(value as f64)),
                value => Ok(value),
            },
            (true, "int" | "bool" | "null") => plain(text, span),
            _ => Err(
                Diagnostic::error("E0014", span, format!("the tag `{tag}` means nothing here"))
                    .help("remove it"),
            ),
        };
    }
    if style == ScalarStyle::Plain {
        plain(text, span)
    } else {
        Ok(DataValue::Str(text.into()))
    }
}

/// The value of a word without quotation marks, by the core schema.
fn plain(text: &str, span: Span) -> Result<DataValue, Diagnostic> {
    let special = match text {
        "" | "~" | "null" | "Null" | "NULL" => Some(DataValue::Null),
        "true" | "True" | "TRUE" => Some(DataValue::Bool(true)),
        "false" | "False" | "FALSE" => Some(DataValue::Bool(false)),
        _ => None,
    };
    if let Some(value) = special {
        return Ok(value);
    }
    if let Some((digits, radix)) = integer(text) {
        let value = i64::from_str_radix(digits, radix).map_err(|_| out_of_range(span, text))?;
        return Ok(DataValue::Int(value));
    }
    if is_float(text) {
        let value = text.parse::<f64>().ok().filter(|value| value.is_finite());
        return Ok(DataValue::Float(value.ok_or_else(|| out_of_range(span, text))?));
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if [".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"].contains(&unsigned) {
        return Err(out_of_range(span, text));
    }
    Ok(DataValue::Str(text.into()))
}

fn integer(text: &str) -> Option<(&str, u32)> {
    let all = |digits: &str, radix| !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    if let Some(digits) = text.strip_prefix("0x") {
        return all(digits, 16).then_some((digits, 16));
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return all(digits, 8).then_some((digits, 8));
    }
    all(text.strip_prefix(['-', '+']).unwrap_or(text), 10).then_some((text, 10))
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (
            mantissa,
            Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)),
        ),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}

/// What the parser of YAML says, in words of the file.
fn not_yaml(info: &str, tabs: bool, span: Span) -> Diagnostic {
    let told = |message: &str, help: &str| {
        Diagnostic::error("E0014", span, format!("this is no YAML: {message}")).help(help)
    };
    match info {
        info if tabs && info.contains("tab") => told(
            "a line is indented by a tab",
            "YAML is indented by spaces, never by tabs",
        ),
        _ if tabs => told(info, "YAML is indented by spaces, never by tabs"),
        info if info.contains("block mapping") => told(
            "this line begins in a column of its own",
            "the keys of one record begin in the same column",
        ),
        info if info.contains("flow sequence") => {
            told("a `[` is not closed", "write the `]` that is missing, or a comma")
        }
        info if info.contains("flow mapping") => {
            told("a `{` is not closed", "write the `}` that is missing, or a comma")
        }
        info if info.contains("quoted scalar") => told(
            "a text in quotes is not closed",
            "write the quotation mark that is missing",
        ),
        info if info.contains("mapping values are not allowed") => told(
            "a second `:` stands in this line",
            "put text with a `: ` in it between quotes; a key stands on a line of its own",
        ),
        info if info.contains("anchor") => told(info, "`*name` repeats what `&name` named before it"),
        info => told(
            info,
            "a file of YAML holds lines of `key: value`, and lists of `- value`",
        ),
    }
}
