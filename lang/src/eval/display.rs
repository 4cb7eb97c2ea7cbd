//! Values as people read them.

use super::machine::Machine;
use super::names::ShapeId;
use super::render::{plain, quote};
use super::value::{ArgPiece, Value, Variant};
use std::fmt::Write as _;
use unicode_ident::is_xid_continue;

/// The longest line that a group stands on.
const WIDTH: usize = 100;
/// The longest text of a value in a message.
const BRIEF: usize = 60;

/// How a text is laid out.
#[derive(Clone, Copy)]
struct Layout {
    /// Whether lines may be broken, and how far in this one stands.
    indent: Option<usize>,
    /// The length from which on nothing is written any more.
    stop: usize,
}

impl Machine<'_> {
    /// The beginning of the value, for messages.
    pub(crate) fn display(&self, value: &Value) -> String {
        let mut out = String::new();
        let layout = Layout {
            indent: None,
            stop: BRIEF,
        };
        self.write(value, layout, &mut out);
        if out.chars().count() > BRIEF {
            out = out.chars().take(BRIEF).collect();
            out.push('…');
        }
        out
    }

    /// The value on one line, as a pipeline would write it; `None` where that is longer than there may be.
    pub(crate) fn text(&self, value: &Value) -> Option<String> {
        self.laid_out(value, None)
    }

    /// The value over several lines where one would be long; `None` where that is longer than there may be.
    pub(crate) fn text_wide(&self, value: &Value) -> Option<String> {
        self.laid_out(value, Some(0))
    }

    fn laid_out(&self, value: &Value, indent: Option<usize>) -> Option<String> {
        let mut out = String::new();
        let layout = Layout {
            indent,
            stop: self.limits.text,
        };
        self.write(value, layout, &mut out);
        (out.len() <= self.limits.text).then_some(out)
    }

    /// Fields with their names.
    pub(super) fn fields<'a>(
        &'a self,
        shape: ShapeId,
        cells: &'a [Value],
    ) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.names
            .fields(shape)
            .iter()
            .map(|name| self.names.text(*name))
            .zip(cells)
    }

    fn write(&self, value: &Value, layout: Layout, out: &mut String) {
        if out.len() > layout.stop {
            return;
        }
        match value {
            Value::Str(text) => literal(text.as_str(), out),
            Value::Path(path) => {
                out.push_str("./");
                // What else stands in a path needs quotation marks.
                let plain = |c: char| is_xid_continue(c) || "-.+@%~/".contains(c);
                match path.as_str().chars().all(plain) {
                    true => out.push_str(path.as_str()),
                    false => literal(path.as_str(), out),
                }
            }
            Value::List(list) => {
                let parts: Vec<_> = list.items().iter().map(|item| (None, item)).collect();
                self.group("[", "]", &parts, layout, out);
            }
            Value::Record(record) => {
                let parts: Vec<_> = self
                    .fields(record.shape, record.cells())
                    .map(|(name, value)| (Some(format!("{name}: ")), value))
                    .collect();
                self.group("{", "}", &parts, layout, out);
            }
            Value::Map(map) => {
                let parts: Vec<_> = map
                    .entries()
                    .iter()
                    .map(|(key, value)| (Some(key_text(key.as_str())), value))
                    .collect();
                self.group("{", "}", &parts, layout, out);
            }
            Value::Variant(variant) => self.variant(variant, layout, out),
            Value::Null => out.push_str("null"),
            Value::Function(function) => {
                let name = &self.core.functions[function.0 as usize].name;
                let _ = write!(out, "<fn {name}>");
            }
            Value::Closure(_) | Value::Use(_) => out.push_str("<fn>"),
            Value::Pick(pick) => {
                let parts: Vec<_> = pick
                    .candidates
                    .iter()
                    .map(|candidate| (None, candidate))
                    .collect();
                self.group("<one of [", "]>", &parts, layout, out);
            }
            Value::Artifact(artifact) => {
                let artifact = self.artifacts.get(*artifact);
                let _ = write!(
                    out,
                    "<{:?} {}>",
                    artifact.kind,
                    self.artifact_name(&artifact.source)
                );
            }
            Value::Tensor(_) => out.push_str("<Tensor>"),
            Value::Late(late) => {
                let _ = write!(out, "<Late {}>", self.late_text(*late));
            }
            Value::Output(output) => {
                out.push_str(self.names.text(output.kind));
                let parts: Vec<_> = output
                    .args
                    .iter()
                    .map(|(name, value)| (Some(format!("{} = ", self.names.text(*name))), value))
                    .collect();
                self.group("(", ")", &parts, layout, out);
            }
            Value::Pieces(pieces) => {
                for piece in &pieces.0 {
                    match piece {
                        ArgPiece::Text(text) => out.push_str(text),
                        ArgPiece::Path(path) | ArgPiece::Glob(path) => out.push_str(path.as_str()),
                        ArgPiece::Artifact(artifact) => self.write(&Value::Artifact(*artifact), layout, out),
                        ArgPiece::Late(late) => self.write(&Value::Late(*late), layout, out),
                    }
                }
            }
            scalar => out.push_str(&plain(&self.names, scalar).unwrap_or_default()),
        }
    }

    fn variant(&self, variant: &Variant, layout: Layout, out: &mut String) {
        out.push_str(self.names.text(variant.name));
        if variant.cells().is_empty() {
            return;
        }
        let parts: Vec<_> = self
            .fields(variant.shape, variant.cells())
            .filter(|(_, value)| !matches!(value, Value::Null))
            .map(|(name, value)| {
                let label = (!name.starts_with(|c: char| c.is_ascii_digit())).then(|| format!("{name} = "));
                (label, value)
            })
            .collect();
        self.group("(", ")", &parts, layout, out);
    }

    /// On one line where that is short, else a line for each part.
    fn group(
        &self,
        open: &str,
        close: &str,
        parts: &[(Option<String>, &Value)],
        layout: Layout,
        out: &mut String,
    ) {
        let start = out.len();
        let spaced = if open == "{" && !parts.is_empty() { " " } else { "" };
        let stop = match layout.indent {
            Some(_) => layout.stop.min(start + WIDTH),
            None => layout.stop,
        };
        let line = Layout { indent: None, stop };
        out.push_str(open);
        out.push_str(spaced);
        for (index, (label, value)) in parts.iter().enumerate() {
            if out.len() > stop {
                break;
            }
            out.push_str(if index > 0 { ", " } else { "" });
            out.push_str(label.as_deref().unwrap_or_default());
            self.write(value, line, out);
        }
        out.push_str(spaced);
        out.push_str(close);
        let Some(indent) = layout.indent else { return };
        if out.len() - start + indent <= WIDTH {
            return;
        }
        out.truncate(start);
        out.push_str(open);
        for (label, value) in parts {
            if out.len() > layout.stop {
                break;
            }
            let _ = write!(out, "\n{:1$}", "", indent + 2);
            out.push_str(label.as_deref().unwrap_or_default());
            let below = Layout {
                indent: Some(indent + 2),
                ..layout
            };
            self.write(value, below, out);
            out.push(',');
        }
        let _ = write!(out, "\n{:1$}", "", indent);
        out.push_str(close);
    }
}

/// A string as a pipeline would write it.
fn literal(text: &str, out: &mut String) {
    if !text.contains("${") {
        return quote(text, out);
    }
    let mut quoted = String::new();
    quote(text, &mut quoted);
    out.push_str(&quoted.replace("${", "\\${"));
}

/// A key as it is written in a map.
fn key_text(key: &str) -> String {
    let mut out = String::new();
    literal(key, &mut out);
    out + ": "
}
