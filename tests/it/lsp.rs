//! `mlp lsp` as an editor uses it: a session over its standard input and output.
#![expect(clippy::disallowed_methods, reason = "whole commands are what is tested")]

use crate::project::Project;
use lsp_server::{Message, Notification, Request, RequestId};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::BufReader;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

const PIPELINE: &str = "import std.{data, loss, ml, nn, optim}
import ./sizes.mlp

digits = data.csv(./d.csv, x = data.pixels(\"p*\", channels = 1, height = 8, width = 8), y = data.label(\"l\", classes = 10))
net = nn.sequential([nn.flatten, nn.linear(sizes.hidden), nn.relu, nn.linear(10)])
fit = ml.train(net, on = digits, loss = loss.cross_entropy, optimizer = optim.adam, epochs = 1, batch_size = 8, seed = 1)
";
const SIZES: &str = "## Units of the hidden layer.\nhidden = 8 + 8\n";

/// An editor that talks to the server.
struct Editor {
    project: Project,
    child: Child,
    input: ChildStdin,
    /// What the server says, by a thread that reads it: a message that never comes is a failure.
    output: Receiver<Message>,
    next: i32,
    /// The newest diagnostics of each file, by name.
    diagnostics: BTreeMap<String, Vec<Value>>,
}

impl Editor {
    fn start(files: &[(&str, &str)]) -> Self {
        let project = Project::new("");
        for (name, text) in files {
            project.write(name, text);
        }
        let mut child = Command::new(env!("CARGO_BIN_EXE_mlp"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let (sender, output) = mpsc::channel();
        std::thread::spawn(move || {
            while let Ok(Some(message)) = Message::read(&mut said) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let mut editor = Self {
            project,
            input: child.stdin.take().unwrap(),
            output,
            child,
            next: 0,
            diagnostics: BTreeMap::new(),
        };
        let server = editor.ask("initialize", json!({ "capabilities": {} }));
        assert_eq!(server["serverInfo"]["name"], "mlp");
        editor.tell("initialized", json!({}));
        editor
    }

    fn uri(&self, name: &str) -> String {
        format!("file://{}", self.project.root().join(name).display())
    }

    fn send(&mut self, message: impl Into<Message>) {
        message.into().write(&mut self.input).unwrap();
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.send(Notification::new(method.to_owned(), params));
    }

    /// Takes in a message; diagnostics are kept.
    fn receive(&mut self) -> Message {
        let message = self.output.recv_timeout(Duration::from_secs(120));
        let message = message.expect("the server says something within two minutes");
        if let Message::Notification(note) = &message
            && note.method == "textDocument/publishDiagnostics"
        {
            let uri = note.params["uri"].as_str().unwrap();
            let name = uri.rsplit('/').next().unwrap().to_owned();
            let found = note.params["diagnostics"].as_array().unwrap().clone();
            self.diagnostics.insert(name, found);
        }
        message
    }

    /// Asks, and gives the answer as JSON: the error where it was refused.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let id = RequestId::from(self.next);
        self.send(Request::new(id.clone(), method.to_owned(), params));
        loop {
            if let Message::Response(response) = self.receive()
                && response.id == id
            {
                let answer = serde_json::to_value(response).unwrap();
                let of = if answer["error"].is_null() {
                    "result"
                } else {
                    "error"
                };
                return answer[of].clone();
            }
        }
    }

    /// Asks about a line and column of the file `name`.
    fn ask_at(&mut self, method: &str, name: &str, (line, character): (usize, usize), more: &Value) -> Value {
        let mut params = json!({
            "textDocument": { "uri": self.uri(name) },
            "position": { "line": line, "character": character },
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            params[key] = value.clone();
        }
        self.ask(method, params)
    }

    fn open(&mut self, name: &str, text: &str) {
        let document = json!({ "uri": self.uri(name), "languageId": "mlp", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
    }

    fn change(&mut self, name: &str, version: i32, changes: &Value) {
        let document = json!({ "uri": self.uri(name), "version": version });
        let params = json!({ "textDocument": document, "contentChanges": changes });
        self.tell("textDocument/didChange", params);
    }

    /// Waits until the diagnostics of `name` are as `wanted` says.
    fn wait(&mut self, name: &str, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        loop {
            if let Some(found) = self.diagnostics.get(name).filter(|found| wanted(found)) {
                return found.clone();
            }
            self.receive();
        }
    }

    fn stop(mut self) {
        assert!(self.ask("shutdown", Value::Null).is_null());
        self.tell("exit", Value::Null);
        assert!(self.child.wait().unwrap().success());
    }
}

/// Line and column of `word` in `text`, where nothing before it needs more than one unit.
fn place(text: &str, word: &str) -> (usize, usize) {
    let at = text.find(word).unwrap();
    let line = text[..at].matches('\n').count();
    (line, at - text[..at].rfind('\n').map_or(0, |end| end + 1))
}

fn labels(items: &Value) -> Vec<&str> {
    let items = items.as_array().unwrap().iter();
    items.map(|item| item["label"].as_str().unwrap()).collect()
}

#[test]
fn an_editor_is_answered() {
    let mut editor = Editor::start(&[("pipeline.mlp", PIPELINE), ("sizes.mlp", SIZES)]);
    editor.open("pipeline.mlp", PIPELINE);
    let at = |word| place(PIPELINE, word);

    let hover = editor.ask_at("textDocument/hover", "pipeline.mlp", at("hidden"), &json!({}));
    let said = hover["contents"]["value"].as_str().unwrap();
    assert_eq!(said, "```mlp\nhidden: Int\n```\n\nUnits of the hidden layer.");
    let hover = editor.ask_at("textDocument/hover", "pipeline.mlp", at("relu"), &json!({}));
    assert!(hover.to_string().contains("gives [batch, 16]"), "{hover}");

    let defined = editor.ask_at(
        "textDocument/definition",
        "pipeline.mlp",
        at("hidden"),
        &json!({}),
    );
    assert_eq!(defined["uri"], editor.uri("sizes.mlp"));
    assert_eq!(defined["range"]["start"], json!({ "line": 1, "character": 0 }));

    let behind = |(line, character)| (line, character + "nn.".len());
    let found = editor.ask_at(
        "textDocument/completion",
        "pipeline.mlp",
        behind(at("nn.relu")),
        &json!({}),
    );
    assert!(labels(&found).contains(&"conv2d"), "{found}");

    let (line, character) = at("epochs = 1");
    let help = editor.ask_at(
        "textDocument/signatureHelp",
        "pipeline.mlp",
        (line, character + 9),
        &json!({}),
    );
    let active = help["activeParameter"].as_u64().unwrap() as usize;
    let label = help["signatures"][0]["parameters"][active]["label"].clone();
    let text = help["signatures"][0]["label"].as_str().unwrap();
    let shown = &text[label[0].as_u64().unwrap() as usize..label[1].as_u64().unwrap() as usize];
    assert_eq!(shown, "epochs: Int");

    let symbols = editor.ask(
        "textDocument/documentSymbol",
        json!({ "textDocument": { "uri": editor.uri("pipeline.mlp") } }),
    );
    let names: Vec<_> = symbols
        .as_array()
        .unwrap()
        .iter()
        .map(|symbol| &symbol["name"])
        .collect();
    assert_eq!(names, ["digits", "net", "fit"]);

    let range = json!({ "start": { "line": 4, "character": 0 }, "end": { "line": 5, "character": 0 } });
    let hints = editor.ask(
        "textDocument/inlayHint",
        json!({ "textDocument": { "uri": editor.uri("pipeline.mlp") }, "range": range }),
    );
    let shown: Vec<_> = hints
        .as_array()
        .unwrap()
        .iter()
        .map(|hint| &hint["label"])
        .collect();
    assert_eq!(
        shown,
        [
            ": Layer",
            " → [batch, 64]",
            " → [batch, 16]",
            " → [batch, 16]",
            " → [batch, 10]"
        ]
    );
    editor.stop();
}

#[test]
fn a_name_is_changed_in_all_files() {
    let mut editor = Editor::start(&[("pipeline.mlp", PIPELINE), ("sizes.mlp", SIZES)]);
    editor.open("sizes.mlp", SIZES);
    let at = place(SIZES, "hidden = ");
    let found = editor.ask_at(
        "textDocument/references",
        "sizes.mlp",
        at,
        &json!({ "context": { "includeDeclaration": true } }),
    );
    assert_eq!(found.as_array().unwrap().len(), 2, "{found}");
    let edit = editor.ask_at(
        "textDocument/rename",
        "sizes.mlp",
        at,
        &json!({ "newName": "units" }),
    );
    let changes = edit["changes"].as_object().unwrap();
    assert_eq!(changes.len(), 2);
    let (line, character) = place(PIPELINE, "hidden");
    let start = json!({ "line": line, "character": character });
    assert_eq!(changes[&editor.uri("pipeline.mlp")][0]["range"]["start"], start);
    let refused = editor.ask_at(
        "textDocument/rename",
        "sizes.mlp",
        at,
        &json!({ "newName": "if" }),
    );
    assert_eq!(refused["message"], "`if` is a word of the language");
    editor.stop();
}

#[test]
fn mistakes_are_shown_and_mended() {
    let mut editor = Editor::start(&[("sizes.mlp", SIZES)]);
    editor.open("pipeline.mlp", PIPELINE);
    // What only evaluation finds is shown too.
    let (line, character) = place(PIPELINE, "nn.linear(10)");
    let start = json!({ "line": line, "character": character });
    let end = json!({ "line": line, "character": character + "nn.linear(10)".len() });
    let wrong = json!([{ "range": { "start": start, "end": end }, "text": "nn.linear(7)" }]);
    editor.change("pipeline.mlp", 2, &wrong);
    let found = editor.wait("pipeline.mlp", |found| !found.is_empty());
    assert_eq!(found[0]["code"], "E0314", "{found:?}");
    // As is what cannot be built yet.
    let halved = PIPELINE.replace("batch_size = 8", "batch_size = 8, precision = Bf16");
    editor.change("pipeline.mlp", 3, &json!([{ "text": halved }]));
    let found = editor.wait("pipeline.mlp", |found| {
        found.iter().any(|one| one["code"] == "E0516")
    });
    assert_eq!(found[0]["code"], "E0516", "{found:?}");

    // A mistake of syntax, with its mend, in a file that is broken by it.
    editor.change(
        "pipeline.mlp",
        4,
        &json!([{ "text": "𝒳: 20\nb = \"𝒳\" + a\n" }, { "text": "a: 20\nb = a\n" }]),
    );
    let found = editor.wait("pipeline.mlp", |found| {
        found.iter().any(|one| one["code"] != "E0516")
    });
    assert_eq!(found.len(), 1, "{found:?}");
    let uri = editor.uri("pipeline.mlp");
    let actions = editor.ask(
        "textDocument/codeAction",
        json!({
            "textDocument": { "uri": uri },
            "range": found[0]["range"],
            "context": { "diagnostics": found },
        }),
    );
    let edits = &actions[0]["edit"]["changes"][&uri];
    assert_eq!(edits[0]["newText"], "a =", "{actions}");
    editor.change(
        "pipeline.mlp",
        5,
        &json!([{ "range": edits[0]["range"], "text": edits[0]["newText"] }]),
    );
    editor.wait("pipeline.mlp", <[Value]>::is_empty);
    editor.stop();
}

#[test]
fn columns_count_utf_16_units() {
    let text = "a = \"𝒳ü\"\nword = \"𝒳\"\n";
    let mut editor = Editor::start(&[]);
    let line = "r = { k: \"𝒳ü𝒳\", word, other: word }\n";
    let text = format!("{text}{line}");
    editor.open("pipeline.mlp", &text);
    let column = line[..line.find("word").unwrap()].encode_utf16().count();
    let found = editor.ask_at(
        "textDocument/documentHighlight",
        "pipeline.mlp",
        (2, column + 1),
        &json!({}),
    );
    let starts: Vec<_> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["range"]["start"].clone())
        .collect();
    let last = line[..line.rfind("word").unwrap()].encode_utf16().count();
    let at = |line: usize, character: usize| json!({ "line": line, "character": character });
    assert_eq!(starts, [at(1, 0), at(2, column), at(2, last)]);
    editor.stop();
}

#[test]
fn a_file_that_changes_on_the_disk_is_read_again() {
    let mut editor = Editor::start(&[
        ("pipeline.mlp", "import ./sizes.mlp\nn = sizes.hidden\n"),
        ("sizes.mlp", SIZES),
    ]);
    editor.open("pipeline.mlp", "import ./sizes.mlp\nn = sizes.hidden\n");
    let hover = editor.ask_at("textDocument/hover", "pipeline.mlp", (1, 0), &json!({}));
    assert!(hover.to_string().contains("n: Int"), "{hover}");
    editor.project.write("sizes.mlp", "hidden = 0.5 + 0.5\n");
    let changes = json!([{ "uri": editor.uri("sizes.mlp"), "type": 2 }]);
    editor.tell("workspace/didChangeWatchedFiles", json!({ "changes": changes }));
    let hover = editor.ask_at("textDocument/hover", "pipeline.mlp", (1, 0), &json!({}));
    assert!(hover.to_string().contains("n: Float"), "{hover}");
    editor.stop();
}

#[test]
fn a_buffer_is_laid_out() {
    let mut editor = Editor::start(&[]);
    editor.open("pipeline.mlp", "a   =   1\nb = [ a,a ]\n");
    let params = json!({
        "textDocument": { "uri": editor.uri("pipeline.mlp") },
        "options": { "tabSize": 2, "insertSpaces": true },
    });
    let edits = editor.ask("textDocument/formatting", params.clone());
    assert_eq!(edits[0]["newText"], "a = 1\nb = [a, a]\n");
    assert_eq!(edits[0]["range"]["end"], json!({ "line": 2, "character": 0 }));
    editor.change("pipeline.mlp", 2, &json!([{ "text": "a = [" }]));
    assert!(editor.ask("textDocument/formatting", params).is_null());
    editor.stop();
}
