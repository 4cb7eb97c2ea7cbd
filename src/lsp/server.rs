//! The loop: messages in, answers out, in the order in which they came.
//!
//! Before it works at a message the server takes in all that wait, so that a request which the editor has cancelled, or
//! whose text it has changed since, is refused without work.

use super::capabilities::{Client, capabilities};
use super::changes::changed;
use super::checker::Checker;
use super::requests::{Refused, answer};
use super::session::{Buffer, Session, place_of};
use super::uri::path_of;
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types::notification::{
    Cancel, DidChangeTextDocument, DidChangeWatchedFiles, DidCloseTextDocument, DidOpenTextDocument,
    DidSaveTextDocument, Exit, Notification as _, PublishDiagnostics,
};
use lsp_types::request::{
    CodeActionRequest, DocumentHighlightRequest, DocumentSymbolRequest, HoverRequest, InlayHintRequest,
    RegisterCapability, Request as _, Shutdown,
};
use lsp_types::{
    CancelParams, DidChangeTextDocumentParams, DidChangeWatchedFilesParams,
    DidChangeWatchedFilesRegistrationOptions, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    DidSaveTextDocumentParams, FileSystemWatcher, GlobPattern, InitializeParams, NumberOrString,
    PublishDiagnosticsParams, Registration, RegistrationParams, Uri,
};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

/// Why the server stopped before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum LspError {
    /// The editor does not speak the protocol.
    #[error("the editor broke the Language Server Protocol: {0}")]
    Protocol(String),
    /// Standard input or output failed, or no thread could be started.
    #[error("the language server lost its editor: {0}")]
    Io(#[from] std::io::Error),
}

/// Serves an editor over standard input and output until it says `exit`.
pub fn serve() -> Result<(), LspError> {
    let (connection, threads) = Connection::stdio();
    let served = converse(&connection);
    drop(connection);
    served?;
    threads.join()?;
    Ok(())
}

fn converse(connection: &Connection) -> Result<(), LspError> {
    let protocol = |error: lsp_server::ProtocolError| LspError::Protocol(error.to_string());
    let (id, params) = connection.initialize_start().map_err(protocol)?;
    let params: InitializeParams =
        serde_json::from_value(params).map_err(|error| LspError::Protocol(error.to_string()))?;
    let client = Client::new(&params);
    let server = json!({
        "capabilities": capabilities(),
        "serverInfo": { "name": "mlp", "version": env!("CARGO_PKG_VERSION") },
    });
    connection.initialize_finish(id, server).map_err(protocol)?;
    // Taken away at the end: the thread that writes ends with the last sender, and a long check may go on past that.
    let outlet = Arc::new(Mutex::new(Some(connection.sender.clone())));
    let open = outlet.clone();
    let checker = Checker::start(client, move |uri, diagnostics| {
        let params = PublishDiagnosticsParams::new(uri, diagnostics, None);
        let note = Notification::new(PublishDiagnostics::METHOD.to_owned(), params);
        let sender = open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = sender.as_ref() {
            // An editor that is gone needs no diagnostics.
            drop(sender.send(note.into()));
        }
    })?;
    let mut server = Server {
        connection,
        client,
        session: Session::default(),
        checker,
        queue: VecDeque::new(),
        stale: false,
        closing: false,
    };
    if client.watches {
        server.watch();
    }
    server.run();
    outlet.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok(())
}

struct Server<'c> {
    connection: &'c Connection,
    client: Client,
    session: Session,
    checker: Checker,
    queue: VecDeque<Message>,
    /// Whether something changed since diagnostics were last asked for.
    stale: bool,
    /// Whether the editor has said that it will end.
    closing: bool,
}

impl Server<'_> {
    /// Works until the editor says `exit`, or closes the pipe without a word.
    fn run(&mut self) {
        loop {
            self.take_in();
            let message = match self.queue.pop_front() {
                Some(message) => message,
                None => {
                    if std::mem::take(&mut self.stale) {
                        self.checker.demand(self.session.projects());
                    }
                    match self.connection.receiver.recv() {
                        Ok(message) => message,
                        Err(_) => return,
                    }
                }
            };
            match message {
                Message::Request(request) => self.request(request),
                Message::Notification(note) if note.method == Exit::METHOD => return,
                Message::Notification(note) if note.method == Cancel::METHOD => self.cancel(note.params),
                Message::Notification(note) => self.note(note),
                Message::Response(_) => {}
            }
        }
    }

    /// Takes in what waits; a request that was cancelled is refused at once.
    fn take_in(&mut self) {
        while let Ok(message) = self.connection.receiver.try_recv() {
            match message {
                Message::Notification(note) if note.method == Cancel::METHOD => self.cancel(note.params),
                message => self.queue.push_back(message),
            }
        }
    }

    fn cancel(&mut self, params: Value) {
        let Ok(params) = serde_json::from_value::<CancelParams>(params) else {
            return;
        };
        let id = match params.id {
            NumberOrString::Number(id) => RequestId::from(id),
            NumberOrString::String(id) => RequestId::from(id),
        };
        let waiting = self
            .queue
            .iter()
            .position(|message| matches!(message, Message::Request(request) if request.id == id));
        if let Some(waiting) = waiting {
            self.queue.remove(waiting);
            self.refuse(id, ErrorCode::RequestCanceled, "cancelled");
        }
    }

    fn refuse(&self, id: RequestId, code: ErrorCode, reason: &str) {
        self.send(Response::new_err(id, code as i32, reason.to_owned()));
    }

    /// Sends; where the editor is gone the next receive says so.
    fn send(&self, message: impl Into<Message>) {
        drop(self.connection.sender.send(message.into()));
    }

    fn request(&mut self, request: Request) {
        if self.closing {
            return self.refuse(
                request.id,
                ErrorCode::InvalidRequest,
                "the server was told to end",
            );
        }
        if request.method == Shutdown::METHOD {
            self.closing = true;
            return self.send(Response::new_ok(request.id, Value::Null));
        }
        if self.is_stale(&request) {
            return self.refuse(request.id, ErrorCode::ContentModified, "the text has changed");
        }
        let Request { id, method, params } = request;
        let made = catch_unwind(AssertUnwindSafe(|| {
            answer(&mut self.session, self.client, &method, params)
        }));
        match made {
            Ok(Ok(value)) => self.send(Response::new_ok(id, value)),
            Ok(Err(Refused::Method)) => {
                self.refuse(
                    id,
                    ErrorCode::MethodNotFound,
                    &format!("there is no method `{method}`"),
                );
            }
            Ok(Err(Refused::Parameters(reason))) => self.refuse(id, ErrorCode::InvalidParams, &reason),
            Ok(Err(Refused::Reason(reason))) => self.refuse(id, ErrorCode::RequestFailed, &reason),
            Err(_) => {
                // A bug of ours, which said where on stderr; the editor goes on without this answer.
                self.session.forget_all();
                self.refuse(
                    id,
                    ErrorCode::InternalError,
                    &format!("a bug in mlp, at `{method}`"),
                );
            }
        }
    }

    /// Whether the editor has changed the text since, and asks again by itself.
    fn is_stale(&self, request: &Request) -> bool {
        const ASKED_AGAIN: [&str; 5] = [
            HoverRequest::METHOD,
            InlayHintRequest::METHOD,
            DocumentSymbolRequest::METHOD,
            DocumentHighlightRequest::METHOD,
            CodeActionRequest::METHOD,
        ];
        let uri = |params: &Value| params["textDocument"]["uri"].as_str().map(str::to_owned);
        let own = uri(&request.params);
        let changes = |message: &Message| {
            matches!(message, Message::Notification(note)
                if note.method == DidChangeTextDocument::METHOD && uri(&note.params) == own)
        };
        own.is_some() && ASKED_AGAIN.contains(&request.method.as_str()) && self.queue.iter().any(changes)
    }

    fn note(&mut self, note: Notification) {
        let Notification { method, params } = note;
        // What cannot be read is no notification of ours; there is nobody to tell.
        let known = match method.as_str() {
            DidOpenTextDocument::METHOD => serde_json::from_value(params).map(|params| self.opened(params)),
            DidChangeTextDocument::METHOD => serde_json::from_value(params).map(|params| self.edited(params)),
            DidCloseTextDocument::METHOD => serde_json::from_value(params).map(|params| self.closed(&params)),
            DidSaveTextDocument::METHOD => serde_json::from_value(params).map(|params| self.saved(&params)),
            DidChangeWatchedFiles::METHOD => {
                serde_json::from_value(params).map(|params| self.changed(&params))
            }
            _ => return,
        };
        self.stale |= known.is_ok();
    }

    fn opened(&mut self, params: DidOpenTextDocumentParams) {
        let document = params.text_document;
        if let Some(place) = path_of(&document.uri).and_then(|path| place_of(&path)) {
            let buffer = Buffer {
                uri: document.uri,
                text: document.text.into(),
            };
            self.session.set(place, buffer);
        }
    }

    fn edited(&mut self, params: DidChangeTextDocumentParams) {
        let place = path_of(&params.text_document.uri).and_then(|path| place_of(&path));
        let Some(place) = place else {
            return;
        };
        let Some(buffer) = self.session.buffer(&place) else {
            return;
        };
        let buffer = Buffer {
            uri: buffer.uri.clone(),
            text: changed(&buffer.text, params.content_changes).into(),
        };
        self.session.set(place, buffer);
    }

    fn closed(&mut self, params: &DidCloseTextDocumentParams) {
        if let Some(place) = path_of(&params.text_document.uri).and_then(|path| place_of(&path)) {
            self.session.close(&place);
        }
    }

    fn saved(&mut self, params: &DidSaveTextDocumentParams) {
        self.touched(&params.text_document.uri);
    }

    fn changed(&mut self, params: &DidChangeWatchedFilesParams) {
        params.changes.iter().for_each(|change| self.touched(&change.uri));
    }

    fn touched(&mut self, uri: &Uri) {
        if let Some(place) = path_of(uri).and_then(|path| place_of(&path)) {
            self.session.forget(&place);
        }
    }

    /// Asks to be told of files that change behind the editor's back.
    fn watch(&self) {
        let watchers = ["**/*.mlp", "**/*.{json,yaml,yml,toml}"].map(|glob| FileSystemWatcher {
            glob_pattern: GlobPattern::String(glob.to_owned()),
            kind: None,
        });
        let options = DidChangeWatchedFilesRegistrationOptions {
            watchers: watchers.to_vec(),
        };
        let registration = Registration {
            id: "files".to_owned(),
            method: DidChangeWatchedFiles::METHOD.to_owned(),
            register_options: serde_json::to_value(options).ok(),
        };
        let params = RegistrationParams {
            registrations: vec![registration],
        };
        let id = RequestId::from("files".to_owned());
        self.send(Request::new(id, RegisterCapability::METHOD.to_owned(), params));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the server answers to messages all of which wait when it starts, by their numbers.
    fn answers(messages: &[Value]) -> Vec<(i32, Result<Value, i32>)> {
        let (server, client) = Connection::memory();
        let folder = tempfile::tempdir().unwrap();
        let uri = super::super::uri::uri_of(&folder.path().join("pipeline.mlp")).unwrap();
        let send = |message: &Value| {
            let text = message.to_string().replace("$uri", uri.as_str());
            client.sender.send(serde_json::from_str(&text).unwrap()).unwrap();
        };
        send(&json!({ "id": 0, "method": "initialize", "params": { "capabilities": {} } }));
        send(&json!({ "method": "initialized", "params": {} }));
        messages.iter().for_each(send);
        send(&json!({ "id": 99, "method": "shutdown" }));
        send(&json!({ "method": "exit" }));
        converse(&server).unwrap();
        drop(server);
        let responses = client.receiver.iter().filter_map(|message| match message {
            Message::Response(response) => Some(response),
            _ => None,
        });
        let answered = responses.map(|response| {
            let id = response.id.to_string().parse().unwrap();
            let made = response.response_result.map_err(|error| error.code);
            (id, made)
        });
        answered.filter(|(id, _)| ![0, 99].contains(id)).collect()
    }

    fn opened(text: &str) -> Value {
        let document = json!({ "uri": "$uri", "languageId": "mlp", "version": 1, "text": text });
        json!({ "method": "textDocument/didOpen", "params": { "textDocument": document } })
    }

    fn hover(id: i32) -> Value {
        let params = json!({ "textDocument": { "uri": "$uri" }, "position": { "line": 0, "character": 0 } });
        json!({ "id": id, "method": "textDocument/hover", "params": params })
    }

    fn changed() -> Value {
        let document = json!({ "uri": "$uri", "version": 2 });
        let changes = json!([{ "text": "a = \"t\"" }]);
        let params = json!({ "textDocument": document, "contentChanges": changes });
        json!({ "method": "textDocument/didChange", "params": params })
    }

    #[test]
    fn what_is_cancelled_or_stale_is_refused() {
        let cancel = json!({ "method": "$/cancelRequest", "params": { "id": 2 } });
        let found = answers(&[opened("a = 1"), hover(1), hover(2), cancel, changed(), hover(3)]);
        let codes: Vec<_> = found
            .iter()
            .map(|(id, made)| (*id, made.as_ref().err().copied()))
            .collect();
        let (cancelled, modified) = (
            ErrorCode::RequestCanceled as i32,
            ErrorCode::ContentModified as i32,
        );
        assert_eq!(codes, [(2, Some(cancelled)), (1, Some(modified)), (3, None)]);
        let text = found[2].1.as_ref().unwrap().to_string();
        assert!(text.contains("a: Str"), "{text}");
    }

    #[test]
    fn what_is_not_known_is_an_error_and_no_end() {
        let unknown = json!({ "id": 1, "method": "textDocument/fly", "params": {} });
        let wrong = json!({ "id": 2, "method": "textDocument/hover", "params": { "position": 1 } });
        let found = answers(&[unknown, wrong, opened("a = 1"), hover(3)]);
        let codes: Vec<_> = found
            .iter()
            .map(|(_, made)| made.as_ref().err().copied())
            .collect();
        let (method, params) = (ErrorCode::MethodNotFound as i32, ErrorCode::InvalidParams as i32);
        assert_eq!(codes, [Some(method), Some(params), None]);
    }
}
