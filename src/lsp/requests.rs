//! Requests, each a question to `mlp_lang::ide`.

use super::answers::{Answers, signature};
use super::capabilities::Client;
use super::checker::evaluated;
use super::position::Lines;
use super::session::{Place, Session, place_of, position_in};
use super::uri::{path_of, uri_of};
use lsp_types::request::{
    CodeActionRequest, Completion, DocumentHighlightRequest, DocumentSymbolRequest, Formatting,
    GotoDefinition, HoverRequest, InlayHintRequest, PrepareRenameRequest, References, Rename, Request,
    SignatureHelpRequest,
};
use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CompletionResponse, DocumentHighlight,
    DocumentSymbolResponse, GotoDefinitionResponse, InlayHintParams, Location, Position,
    PrepareRenameResponse, ReferenceParams, RenameParams, TextDocumentPositionParams, TextEdit, Uri,
    WorkspaceEdit,
};
use mlp_lang::ide::{self, Analysis};
use mlp_lang::library::Library;
use mlp_lang::source::Span;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Why a request has no answer.
#[derive(Debug)]
pub(super) enum Refused {
    /// The server does not know the method.
    Method,
    /// Its parameters are not what the method takes.
    Parameters(String),
    /// It cannot be done; for a person to read.
    Reason(String),
}

/// Calls and rounds of loops that looking for mends may take.
const STEPS: u64 = 2_000_000;

type Answer = Result<Value, Refused>;

/// Answers a request.
pub(super) fn answer(session: &mut Session, client: Client, method: &str, params: Value) -> Answer {
    let mut asked = Asked { session, client };
    match method {
        HoverRequest::METHOD => asked.at(params, Asked::hover),
        Completion::METHOD => asked.at(params, Asked::completion),
        SignatureHelpRequest::METHOD => asked.at(params, Asked::signature),
        GotoDefinition::METHOD => asked.at(params, Asked::definition),
        DocumentHighlightRequest::METHOD => asked.at(params, Asked::highlights),
        PrepareRenameRequest::METHOD => asked.prepare_rename(&read(params)?),
        References::METHOD => asked.references(&read(params)?),
        Rename::METHOD => asked.rename(&read(params)?),
        DocumentSymbolRequest::METHOD => asked.symbols(&uri_in(&params)?),
        InlayHintRequest::METHOD => asked.hints(&read(params)?),
        Formatting::METHOD => asked.format(&uri_in(&params)?),
        CodeActionRequest::METHOD => asked.actions(&read(params)?),
        "mlp/libraryText" => library_text(&params),
        _ => Err(Refused::Method),
    }
}

fn read<T: serde::de::DeserializeOwned>(params: Value) -> Result<T, Refused> {
    serde_json::from_value(params).map_err(|error| Refused::Parameters(error.to_string()))
}

fn write(answer: impl serde::Serialize) -> Answer {
    serde_json::to_value(answer).map_err(|error| Refused::Reason(error.to_string()))
}

fn uri_in(params: &Value) -> Result<Uri, Refused> {
    read(params["textDocument"]["uri"].clone())
}

/// The text of a module of the library, which is in no file: `mlp-library:/std/nn.mlp`.
fn library_text(params: &Value) -> Answer {
    let uri = params["uri"].as_str().unwrap_or_default();
    let name = uri
        .strip_prefix("mlp-library:/std/")
        .and_then(|file| file.strip_suffix(".mlp"));
    match name.and_then(|name| Library::standard().text(name)) {
        Some(text) => write(text),
        None => Err(Refused::Parameters(format!("the library has no `{uri}`"))),
    }
}

struct Asked<'s> {
    session: &'s mut Session,
    client: Client,
}

impl Asked<'_> {
    /// Answers what is asked of a position; of a file that is none of a project, nothing.
    fn at(&mut self, params: Value, answer: fn(&mut Self, &Place, ide::Position) -> Answer) -> Answer {
        let params: TextDocumentPositionParams = read(params)?;
        match self.position(&params.text_document.uri, params.position) {
            Some((place, at)) => answer(self, &place, at),
            None => Ok(Value::Null),
        }
    }

    fn place(&self, uri: &Uri) -> Option<Place> {
        place_of(&path_of(uri)?).filter(|place| place.path.ends_with(".mlp"))
    }

    fn position(&mut self, uri: &Uri, position: Position) -> Option<(Place, ide::Position)> {
        let place = self.place(uri)?;
        let analysis = self.session.analysis(&place);
        let at = position_in(analysis, &place, position)?;
        Some((place, at))
    }

    fn hover(&mut self, place: &Place, at: ide::Position) -> Answer {
        let analysis = self.session.analysis(place);
        let found = ide::hover(analysis, at);
        write(found.map(|hover| Answers::new(analysis, &place.root, self.client).hover(&hover)))
    }

    fn completion(&mut self, place: &Place, at: ide::Position) -> Answer {
        let world = self.session.overlay(&place.root);
        let analysis = self.session.analysis(place);
        let found = ide::complete(analysis, at, &world, &|folder| world.list(folder));
        let mut answers = Answers::new(analysis, &place.root, self.client);
        let found = found.into_iter().enumerate();
        let items = found.map(|(order, found)| answers.completion(order, found));
        write(CompletionResponse::Array(items.collect()))
    }

    fn signature(&mut self, place: &Place, at: ide::Position) -> Answer {
        write(ide::signature(self.session.analysis(place), at).map(signature))
    }

    fn definition(&mut self, place: &Place, at: ide::Position) -> Answer {
        let analysis = self.session.analysis(place);
        let found = ide::definition(analysis, at);
        let mut answers = Answers::new(analysis, &place.root, self.client);
        let location = found.and_then(|span| answers.location(span));
        write(location.map(GotoDefinitionResponse::Scalar))
    }

    fn highlights(&mut self, place: &Place, at: ide::Position) -> Answer {
        let analysis = self.session.analysis(place);
        let found = ide::references(analysis, at, true);
        let mut answers = Answers::new(analysis, &place.root, self.client);
        let own = found.into_iter().filter(|span| span.source == at.source);
        let highlights = own.map(|span| DocumentHighlight {
            range: answers.range(span),
            kind: None,
        });
        write(highlights.collect::<Vec<_>>())
    }

    fn references(&mut self, params: &ReferenceParams) -> Answer {
        let at = &params.text_document_position;
        let Some(place) = self.place(&at.text_document.uri) else {
            return Ok(Value::Null);
        };
        let mut found: Vec<Location> = Vec::new();
        for entry in self.session.entries(&place) {
            let analysis = self.session.analysis(&entry);
            let Some(at) = position_in(analysis, &place, at.position) else {
                continue;
            };
            let spans = ide::references(analysis, at, params.context.include_declaration);
            let mut answers = Answers::new(analysis, &place.root, self.client);
            for location in spans.into_iter().filter_map(|span| answers.location(span)) {
                if !found.contains(&location) {
                    found.push(location);
                }
            }
        }
        found.sort_by(|a, b| (&a.uri, a.range.start).cmp(&(&b.uri, b.range.start)));
        write(found)
    }

    fn prepare_rename(&mut self, params: &TextDocumentPositionParams) -> Answer {
        let Some((place, at)) = self.position(&params.text_document.uri, params.position) else {
            return Ok(Value::Null);
        };
        let analysis = self.session.analysis(&place);
        let span = ide::renamed_at(analysis, at).map_err(Refused::Reason)?;
        let range = Answers::new(analysis, &place.root, self.client).range(span);
        write(PrepareRenameResponse::Range(range))
    }

    fn rename(&mut self, params: &RenameParams) -> Answer {
        let at = &params.text_document_position;
        let Some(place) = self.place(&at.text_document.uri) else {
            return Ok(Value::Null);
        };
        let mut edits = Vec::new();
        for entry in self.session.entries(&place) {
            let analysis = self.session.analysis(&entry);
            let Some(at) = position_in(analysis, &place, at.position) else {
                continue;
            };
            let found = ide::rename(analysis, at, &params.new_name).map_err(Refused::Reason)?;
            edits.extend(Answers::new(analysis, &place.root, self.client).edits(&found));
        }
        write(self.workspace_edit(edits))
    }

    /// Edits by the files' addresses, each once.
    fn workspace_edit(&self, edits: Vec<(Place, TextEdit)>) -> WorkspaceEdit {
        let mut changes: BTreeMap<Place, Vec<TextEdit>> = BTreeMap::new();
        for (place, edit) in edits {
            let known = changes.entry(place).or_default();
            if !known.contains(&edit) {
                known.push(edit);
            }
        }
        let address = |place: &Place| match self.session.buffer(place) {
            Some(buffer) => Some(buffer.uri.clone()),
            None => uri_of(&place.root.join(&place.path)),
        };
        let changes = changes
            .into_iter()
            .filter_map(|(place, edits)| Some((address(&place)?, edits)));
        WorkspaceEdit {
            changes: Some(changes.collect()),
            ..WorkspaceEdit::default()
        }
    }

    fn symbols(&mut self, uri: &Uri) -> Answer {
        let Some(place) = self.place(uri) else {
            return Ok(Value::Null);
        };
        let analysis = self.session.analysis(&place);
        let Some(source) = analysis.source(&place.path) else {
            return Ok(Value::Null);
        };
        let found = ide::outline(analysis, source);
        let mut answers = Answers::new(analysis, &place.root, self.client);
        let symbols = found.into_iter().map(|symbol| answers.symbol(symbol));
        write(DocumentSymbolResponse::Nested(symbols.collect()))
    }

    /// Lays an open buffer out; one that does not parse stays as it is, its mistakes are shown already.
    fn format(&mut self, uri: &Uri) -> Answer {
        let place = self.place(uri);
        let Some(buffer) = place.and_then(|place| self.session.buffer(&place)) else {
            return Ok(Value::Null);
        };
        let text = &*buffer.text;
        match mlp_lang::format::format(text) {
            Ok(formatted) if formatted != text => write([TextEdit {
                range: Lines::new(text).range(0, text.len() as u32),
                new_text: formatted,
            }]),
            Ok(_) | Err(_) => Ok(Value::Null),
        }
    }

    fn hints(&mut self, params: &InlayHintParams) -> Answer {
        let Some((place, range)) = self.range(&params.text_document.uri, params.range) else {
            return Ok(Value::Null);
        };
        let analysis = self.session.analysis(&place);
        let found = ide::hints(analysis, range);
        let mut answers = Answers::new(analysis, &place.root, self.client);
        let hints = found.into_iter().map(|hint| answers.hint(hint));
        write(hints.collect::<Vec<_>>())
    }

    fn range(&mut self, uri: &Uri, range: lsp_types::Range) -> Option<(Place, Span)> {
        let (place, start) = self.position(uri, range.start)?;
        let (_, end) = self.position(uri, range.end)?;
        let span = Span {
            source: start.source,
            start: start.offset,
            end: end.offset,
        };
        Some((place, span))
    }

    fn actions(&mut self, params: &CodeActionParams) -> Answer {
        let Some((place, range)) = self.range(&params.text_document.uri, params.range) else {
            return Ok(Value::Null);
        };
        let analysis = self.session.analysis(&place);
        let mut found: Vec<_> = analysis.diagnostics().cloned().collect();
        let known: BTreeSet<&str> = found.iter().map(|diagnostic| diagnostic.code).collect();
        // The editor shows a mistake that only evaluation finds: only then it is worth to evaluate again.
        let asked = params.context.diagnostics.iter().any(|shown| match &shown.code {
            Some(lsp_types::NumberOrString::String(code)) => !known.contains(code.as_str()),
            _ => false,
        });
        if asked {
            found.extend(evaluated(analysis, STEPS));
        }
        let made = ide::mends(&found, range);
        let mut actions = Vec::new();
        for action in made {
            let (edits, mended) = self.mended(&place, &action, &found);
            actions.push(CodeActionOrCommand::CodeAction(CodeAction {
                title: action.title,
                kind: Some(CodeActionKind::QUICKFIX),
                diagnostics: Some(vec![mended]),
                edit: Some(self.workspace_edit(edits)),
                is_preferred: Some(true),
                ..CodeAction::default()
            }));
        }
        write(actions)
    }

    fn mended(
        &mut self,
        place: &Place,
        action: &ide::Action,
        found: &[mlp_lang::diagnostic::Diagnostic],
    ) -> (Vec<(Place, TextEdit)>, lsp_types::Diagnostic) {
        let analysis: &Analysis = self.session.analysis(place);
        let mut answers = Answers::new(analysis, &place.root, self.client);
        (
            answers.edits(&action.edits),
            answers.diagnostic(&found[action.diagnostic]),
        )
    }
}
