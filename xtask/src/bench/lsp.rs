//! The language server in a project of 10,000 steps: from a keystroke to the completions that the editor asks for with it,
//! over standard input and output. Diagnostics are found on a thread beside all the while, as in an editor.

use super::project;
use crate::{demo, shell};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

/// Keystrokes that are counted, in each file.
const KEYSTROKES: usize = 200;

/// Files, what they are, and a line that is typed at their end.
const TYPED: &[(&str, &str, &str)] = &[
    (
        "part_50.mlp",
        "a file of 100 steps",
        "more = common.epochs(2) + 1\n",
    ),
    (
        "pipeline.mlp",
        "the file that imports all",
        "more = part_7.scores_1.accuracy\n",
    ),
    (
        "common.mlp",
        "the file that all import",
        "fn more(width: Int) = cnn(width)\n",
    ),
];

/// Measures, and prints medians.
pub(super) fn run() -> Result<(), String> {
    shell::run(&mut shell::command("cargo build --release --package mlp"))?;
    let project = project::write()?;
    println!("mlp lsp, {KEYSTROKES} keystrokes each      ms: median, 95 of 100, longest");
    for (file, what, line) in TYPED {
        let mut taken = type_into(&project, file, line)?;
        taken.sort_by(f64::total_cmp);
        let (median, most, longest) = (
            taken[KEYSTROKES / 2],
            taken[KEYSTROKES * 95 / 100],
            taken[KEYSTROKES - 1],
        );
        println!("{what:<34}{median:>14.1}{most:>12.1}{longest:>9.1}");
    }
    Ok(())
}

/// Opens a file in a server of its own and types a line at its end, again and again; how long each answer took.
fn type_into(project: &Path, file: &str, line: &str) -> Result<Vec<f64>, String> {
    let path = project.join(file);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let end = text.lines().count();
    let mut editor = Editor::start(project)?;
    let uri = format!("file://{}", path.display());
    let document = json!({ "uri": uri, "languageId": "mlp", "version": 1, "text": text });
    editor.notify("textDocument/didOpen", &json!({ "textDocument": document }))?;
    // What the first request costs is the start of an editor, not a keystroke.
    editor.complete(&uri, end, 0)?;
    let mut taken = Vec::new();
    let typed: Vec<char> = line.trim_end().chars().collect();
    for stroke in 0.. {
        let column = stroke % (typed.len() + 1);
        let began = Instant::now();
        let (from, to, new) = match typed.get(column) {
            Some(new) => (column, column, new.to_string()),
            // The line is whole: it goes, and is typed once more.
            None => (0, typed.len(), String::new()),
        };
        editor.change(&uri, end, (from, to), &new)?;
        editor.complete(&uri, end, from + new.len())?;
        taken.push(began.elapsed().as_secs_f64() * 1000.0);
        if taken.len() == KEYSTROKES {
            break;
        }
    }
    editor.stop()?;
    Ok(taken)
}

/// The least of an editor.
struct Editor {
    server: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    requests: i64,
}

impl Editor {
    fn start(project: &Path) -> Result<Self, String> {
        let mut server = Command::new(demo::mlp())
            .arg("lsp")
            .current_dir(project)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("mlp lsp: {error}"))?;
        let (Some(input), Some(output)) = (server.stdin.take(), server.stdout.take()) else {
            return Err("mlp lsp: no pipes".to_owned());
        };
        let mut editor = Self {
            server,
            input,
            output: BufReader::new(output),
            requests: 0,
        };
        editor.request("initialize", &json!({ "capabilities": {} }))?;
        editor.notify("initialized", &json!({}))?;
        Ok(editor)
    }

    fn change(
        &mut self,
        uri: &str,
        line: usize,
        (from, to): (usize, usize),
        new: &str,
    ) -> Result<(), String> {
        let at = |character: usize| json!({ "line": line, "character": character });
        let change = json!({ "range": { "start": at(from), "end": at(to) }, "text": new });
        let document = json!({ "uri": uri, "version": 2 });
        self.notify(
            "textDocument/didChange",
            &json!({ "textDocument": document, "contentChanges": [change] }),
        )
    }

    fn complete(&mut self, uri: &str, line: usize, character: usize) -> Result<(), String> {
        let position = json!({ "line": line, "character": character });
        let params = json!({ "textDocument": { "uri": uri }, "position": position });
        self.request("textDocument/completion", &params).map(drop)
    }

    fn notify(&mut self, method: &str, params: &Value) -> Result<(), String> {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }))
    }

    /// Asks, and waits for the answer; what else comes is passed over.
    fn request(&mut self, method: &str, params: &Value) -> Result<Value, String> {
        self.requests += 1;
        let id = self.requests;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))?;
        loop {
            let message = self.receive()?;
            if message["id"] == id && message.get("method").is_none() {
                return match message.get("error") {
                    Some(error) => Err(format!("{method}: {error}")),
                    None => Ok(message["result"].clone()),
                };
            }
        }
    }

    fn send(&mut self, message: &Value) -> Result<(), String> {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len())
            .and_then(|()| self.input.flush())
            .map_err(|error| format!("mlp lsp: {error}"))
    }

    fn receive(&mut self) -> Result<Value, String> {
        let mut length = 0;
        loop {
            let mut line = String::new();
            let read = self.output.read_line(&mut line);
            if read.map_err(|error| error.to_string())? == 0 {
                return Err("mlp lsp has ended".to_owned());
            }
            match line.trim_end().strip_prefix("Content-Length: ") {
                Some(number) => length = number.parse().map_err(|_| line.clone())?,
                None if line.trim_end().is_empty() => break,
                None => {}
            }
        }
        let mut text = vec![0; length];
        self.output
            .read_exact(&mut text)
            .map_err(|error| error.to_string())?;
        serde_json::from_slice(&text).map_err(|error| error.to_string())
    }

    fn stop(mut self) -> Result<(), String> {
        self.request("shutdown", &Value::Null)?;
        self.notify("exit", &Value::Null)?;
        self.server.wait().map(drop).map_err(|error| error.to_string())
    }
}
