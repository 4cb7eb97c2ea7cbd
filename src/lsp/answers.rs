//! What `mlp_lang::ide` answers, in the protocol's words.

use super::capabilities::Client;
use super::position::Lines;
use super::session::Place;
use super::uri::uri_of;
use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionTextEdit, DiagnosticRelatedInformation, DiagnosticSeverity,
    DocumentSymbol, Documentation, Hover, HoverContents, InlayHint, InlayHintKind, InlayHintLabel, Location,
    MarkupContent, MarkupKind, NumberOrString, ParameterInformation, ParameterLabel, Range, SignatureHelp,
    SignatureInformation, SymbolKind, TextEdit, Uri,
};
use mlp_lang::diagnostic::{Diagnostic, Label, Severity};
use mlp_lang::ide::{self, Analysis, CompletionKind, OutlineKind};
use mlp_lang::source::{SourceId, Span};
use std::collections::BTreeMap;
use std::path::Path;

/// Makes places of an analysis into those of the protocol.
pub(super) struct Answers<'a> {
    analysis: &'a Analysis,
    root: &'a Path,
    client: Client,
    lines: BTreeMap<SourceId, Lines<'a>>,
}

impl<'a> Answers<'a> {
    pub(super) fn new(analysis: &'a Analysis, root: &'a Path, client: Client) -> Self {
        Self {
            analysis,
            root,
            client,
            lines: BTreeMap::new(),
        }
    }

    pub(super) fn range(&mut self, span: Span) -> Range {
        let analysis = self.analysis;
        let lines = self
            .lines
            .entry(span.source)
            .or_insert_with(|| Lines::new(&analysis.sources().get(span.source).text));
        lines.range(span.start, span.end)
    }

    /// The address of a source; the library has one only where the editor can show it.
    pub(super) fn uri(&self, source: SourceId) -> Option<Uri> {
        let path = &self.analysis.sources().get(source).path;
        if self.analysis.is_library(source) {
            return self
                .client
                .shows_library
                .then(|| format!("mlp-library:/{path}").parse().ok())?;
        }
        uri_of(&self.root.join(path.as_str()))
    }

    pub(super) fn location(&mut self, span: Span) -> Option<Location> {
        Some(Location {
            uri: self.uri(span.source)?,
            range: self.range(span),
        })
    }

    pub(super) fn edits(&mut self, edits: &[(Span, String)]) -> Vec<(Place, TextEdit)> {
        let edit = |(span, text): &(Span, String)| {
            let place = Place {
                root: self.root.to_owned(),
                path: self.analysis.sources().get(span.source).path.to_string(),
            };
            let edit = TextEdit {
                range: self.range(*span),
                new_text: text.clone(),
            };
            (place, edit)
        };
        edits.iter().map(edit).collect()
    }

    pub(super) fn hover(&mut self, hover: &ide::Hover) -> Hover {
        let mut text = format!("```mlp\n{}\n```", hover.code);
        if let Some(doc) = &hover.doc {
            text += &format!("\n\n{doc}");
        }
        match &hover.network {
            Some(network) if network.contains('\n') => {
                text += &format!("\n\n```text\n{}\n```", network.trim_end());
            }
            Some(network) => text += &format!("\n\n{network}"),
            None => {}
        }
        Hover {
            contents: HoverContents::Markup(markdown(text)),
            range: Some(self.range(hover.span)),
        }
    }

    pub(super) fn completion(&mut self, place: usize, found: ide::Completion) -> CompletionItem {
        let range = self.range(found.replace);
        let new_text = found.insert.unwrap_or_else(|| found.label.clone());
        CompletionItem {
            kind: Some(completion_kind(found.kind)),
            detail: (!found.detail.is_empty()).then_some(found.detail),
            documentation: found.doc.map(|doc| Documentation::MarkupContent(markdown(doc))),
            // What is nearest stands first, in the order in which it was found.
            sort_text: Some(format!("{place:05}")),
            filter_text: Some(found.label.clone()),
            label: found.label,
            text_edit: Some(CompletionTextEdit::Edit(TextEdit { range, new_text })),
            ..CompletionItem::default()
        }
    }

    #[expect(deprecated, reason = "a field of the protocol that has no default")]
    pub(super) fn symbol(&mut self, found: ide::Outline) -> DocumentSymbol {
        let children: Vec<_> = found
            .children
            .into_iter()
            .map(|child| self.symbol(child))
            .collect();
        DocumentSymbol {
            name: found.name,
            detail: (!found.detail.is_empty()).then_some(found.detail),
            kind: symbol_kind(found.kind),
            tags: None,
            deprecated: None,
            range: self.range(found.span),
            selection_range: self.range(found.name_span),
            children: (!children.is_empty()).then_some(children),
        }
    }

    pub(super) fn hint(&mut self, hint: ide::Hint) -> InlayHint {
        let at = Span {
            source: hint.at.source,
            start: hint.at.offset,
            end: hint.at.offset,
        };
        InlayHint {
            position: self.range(at).start,
            label: InlayHintLabel::String(hint.text),
            kind: (!hint.shape).then_some(InlayHintKind::TYPE),
            text_edits: None,
            tooltip: None,
            padding_left: None,
            padding_right: None,
            data: None,
        }
    }

    /// A diagnostic at its place; one that tells of a mistake that was made several times, at each.
    pub(super) fn at_each_place(&mut self, found: &Diagnostic) -> Vec<lsp_types::Diagnostic> {
        let first = self.diagnostic(found);
        let again = |label: &&Label| label.text.is_empty() && label.span.source == found.span().source;
        let again = found.labels.iter().skip(1).filter(again);
        let ranges: Vec<_> = again.map(|label| self.range(label.span)).collect();
        let others = ranges.into_iter().map(|range| lsp_types::Diagnostic {
            range,
            related_information: None,
            ..first.clone()
        });
        std::iter::once(first.clone()).chain(others).collect()
    }

    pub(super) fn diagnostic(&mut self, found: &Diagnostic) -> lsp_types::Diagnostic {
        let (first, others) = found.labels.split_at(1);
        let mut message = found.message.clone();
        let said = first
            .iter()
            .map(|label| label.text.clone())
            .filter(|text| !text.is_empty());
        let notes = found.notes.iter().map(|note| format!("note: {note}"));
        let help = found.help.iter().map(|help| format!("help: {help}"));
        for line in said.chain(notes).chain(help) {
            message += &format!("\n{line}");
        }
        let related = others.iter().filter_map(|label| {
            Some(DiagnosticRelatedInformation {
                location: self.location(label.span)?,
                message: match label.text.as_str() {
                    "" => "see here".to_owned(),
                    text => text.to_owned(),
                },
            })
        });
        let related: Vec<_> = related.collect();
        lsp_types::Diagnostic {
            range: self.range(found.span()),
            severity: Some(match found.severity {
                Severity::Error => DiagnosticSeverity::ERROR,
                Severity::Warning => DiagnosticSeverity::WARNING,
            }),
            code: Some(NumberOrString::String(found.code.to_owned())),
            source: Some("mlp".to_owned()),
            message,
            related_information: (!related.is_empty()).then_some(related),
            ..lsp_types::Diagnostic::default()
        }
    }
}

pub(super) fn signature(help: ide::SignatureHelp) -> SignatureHelp {
    let column = |byte: u32| help.label[..byte as usize].encode_utf16().count() as u32;
    let params = help.params.iter().map(|&(start, end)| ParameterInformation {
        label: ParameterLabel::LabelOffsets([column(start), column(end)]),
        documentation: None,
    });
    let parameters = Some(params.collect());
    // None of them, where the protocol knows no other word for it: one behind the last.
    let active = help.active.unwrap_or(help.params.len() as u32);
    SignatureHelp {
        signatures: vec![SignatureInformation {
            label: help.label,
            documentation: help.doc.map(|doc| Documentation::MarkupContent(markdown(doc))),
            parameters,
            active_parameter: Some(active),
        }],
        active_signature: Some(0),
        active_parameter: Some(active),
    }
}

fn markdown(value: String) -> MarkupContent {
    MarkupContent {
        kind: MarkupKind::Markdown,
        value,
    }
}

fn completion_kind(kind: CompletionKind) -> CompletionItemKind {
    match kind {
        CompletionKind::Argument => CompletionItemKind::PROPERTY,
        CompletionKind::Field => CompletionItemKind::FIELD,
        CompletionKind::Local | CompletionKind::Value => CompletionItemKind::VARIABLE,
        CompletionKind::Param => CompletionItemKind::CONSTANT,
        CompletionKind::Function => CompletionItemKind::FUNCTION,
        CompletionKind::Module => CompletionItemKind::MODULE,
        CompletionKind::Type => CompletionItemKind::STRUCT,
        CompletionKind::Enum => CompletionItemKind::ENUM,
        CompletionKind::Variant => CompletionItemKind::ENUM_MEMBER,
        CompletionKind::Keyword => CompletionItemKind::KEYWORD,
        CompletionKind::File => CompletionItemKind::FILE,
        CompletionKind::Folder => CompletionItemKind::FOLDER,
    }
}

fn symbol_kind(kind: OutlineKind) -> SymbolKind {
    match kind {
        OutlineKind::Value => SymbolKind::VARIABLE,
        OutlineKind::Param => SymbolKind::CONSTANT,
        OutlineKind::Function => SymbolKind::FUNCTION,
        OutlineKind::Type => SymbolKind::STRUCT,
        OutlineKind::Enum => SymbolKind::ENUM,
        OutlineKind::Variant => SymbolKind::ENUM_MEMBER,
    }
}
