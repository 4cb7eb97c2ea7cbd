//! Data files that are imported as values: JSON, YAML, TOML. Each value keeps its place, so that what does not fit its
//! type is shown in the data file.
#![expect(
    clippy::result_large_err,
    reason = "the first error ends the reading of a file, so it is made once"
)]

use super::imports::{plain_path, resolve};
use super::loader::{Unreadable, decode_source, unreadable};
use super::module::Lower;
use crate::diagnostic::Diagnostic;
use crate::hir::{DataFile, DataNode, DataValue, Expr, Name};
use crate::source::{ReadError, SourceId, Span};
use crate::syntax::ast;
use rustc_hash::FxHashMap;

mod json;
mod toml;
mod yaml;

/// How deep data may be nested.
const MAX_NESTING: usize = 256;

/// Parses a text of a data format, or says what is wrong with it.
type ParseData = fn(SourceId, &str) -> Result<DataNode, Diagnostic>;

impl Lower<'_> {
    pub(super) fn import_data(&mut self, import: ast::ImportData<'_>) -> Expr {
        let Some(path_view) = import.path() else {
            return Expr::Error;
        };
        let path_span = path_view.node().span();
        let ty = match import.ty() {
            Some(ty) => self.ty(ty),
            None => self.add_type(crate::hir::TypeExpr::Error, path_span),
        };
        let Some(text) = plain_path(path_view) else {
            let error = Diagnostic::error("E0012", path_span, "the path of an import is written out")
                .help("leave the `${…}` out; files are imported before anything is evaluated");
            self.report(error);
            return Expr::Error;
        };
        let Some(parse) = self.data_format(&text, path_span) else {
            return Expr::Error;
        };
        let Some(path) = resolve(self.cx.directory, &text) else {
            self.report(unreadable(
                &text,
                &Unreadable::Read(ReadError::Outside),
                path_span,
            ));
            return Expr::Error;
        };
        let data = match self.data.get(&path) {
            Some(data) => data.clone(),
            None => {
                let data = self.read_data(&path, path_span, parse);
                self.data.insert(path.clone(), data.clone());
                data
            }
        };
        Expr::ImportData {
            path,
            path_span,
            ty,
            data: data.map(Box::new),
        }
    }

    fn data_format(&mut self, path: &str, span: Span) -> Option<ParseData> {
        let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
        Some(match extension {
            "json" => json::parse,
            "yaml" | "yml" => yaml::parse,
            "toml" => toml::parse,
            "mlp" => {
                let error = Diagnostic::error("E0012", span, "a file of the language is imported at the top")
                    .help(format!(
                        "write `import {path}` on a line of its own, and then its names with their module's"
                    ));
                self.report(error);
                return None;
            }
            _ => {
                let error = Diagnostic::error(
                    "E0012",
                    span,
                    format!("`{path}` is in no format that can be imported"),
                )
                .help(
                    "data is imported from `.json`, `.yaml` and `.toml`; a dataset by `data.csv` and its kin",
                );
                self.report(error);
                return None;
            }
        })
    }

    fn read_data(&mut self, path: &Name, span: Span, parse: ParseData) -> Option<DataFile> {
        let read = self.cx.world.read(path);
        self.cx.data.push((path.clone(), read.clone()));
        let text = match decode_source(read) {
            Ok(text) => text,
            Err(reason) => {
                self.report(unreadable(path, &reason, span));
                return None;
            }
        };
        let source = self.cx.sources.add(path.clone(), text.as_str());
        match parse(source, &text) {
            Ok(value) => Some(DataFile { source, value }),
            Err(error) => {
                self.report(error.label(span, "imported here"));
                None
            }
        }
    }
}

/// The entries of a map, each key once.
#[derive(Default)]
struct Entries {
    entries: Vec<(Name, Span, DataNode)>,
    seen: FxHashMap<Name, Span>,
}

impl Entries {
    /// Adds an entry; an error if its key is there.
    fn add(&mut self, key: Name, span: Span, value: DataNode) -> Result<(), Diagnostic> {
        if let Some(before) = self.seen.insert(key.clone(), span) {
            return Err(
                Diagnostic::error("E0016", span, format!("the key `{key}` is written twice"))
                    .at("again here")
                    .label(before, "first here")
                    .help("remove one of them"),
            );
        }
        self.entries.push((key, span, value));
        Ok(())
    }

    fn finish(self) -> DataValue {
        DataValue::Map(self.entries)
    }
}

fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error(
        "E0017",
        span,
        format!("the data is nested deeper than {MAX_NESTING}"),
    )
}

fn out_of_range(span: Span, text: &str) -> Diagnostic {
    Diagnostic::error("E0017", span, format!("`{text}` is out of range"))
        .note("integers have 64 bits; the largest float is about 1.8e308")
}
