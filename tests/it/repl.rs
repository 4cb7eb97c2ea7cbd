//! The prompt: through a pipe, and through a pseudo-terminal for what only a terminal has.

#![expect(clippy::disallowed_methods, reason = "a terminal is started as a program")]

use crate::project::{Project, Ran};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What a session answers to lines, values and words of the two streams apart.
fn piped(project: &Project, lines: &str) -> Ran {
    let mut command = project.command(&["repl"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    Ran::of(child.wait_with_output().unwrap())
}

fn shown(project: &Project, lines: &str) -> String {
    project.redacted(&piped(project, lines))
}

const PIPELINE: &str = "\
import std.{data, loss, ml, nn, optim}

## Units of the hidden layer.
param width: Int = 8

points = data.csv(./points.csv, x = data.vector([\"a\", \"b\"]), y = data.label(\"c\", classes = 2))
fn net(width: Int) = nn.sequential([nn.linear(width), nn.relu, nn.linear(2)])
fit = ml.train(
  net(width), on = points, loss = loss.cross_entropy, optimizer = optim.adam(), epochs = 1, batch_size = 4, seed = 1,
)
";

#[test]
fn lines_are_answered_and_mistakes_change_nothing() {
    let project = Project::new("");
    let lines = "x = 1\nx + 1\nx + \"a\"\nxs = [\n  x,\n\n  2,\n]\nx = 10\nxs\n:type xs\nfn twice(n: Int) =\n  n * 2\n\
                 [twice(n) for n in xs]\nlen(xs\n";
    insta::assert_snapshot!(shown(&project, lines));
}

#[test]
fn the_pipeline_is_at_hand() {
    let project = Project::new(PIPELINE);
    let lines = "width\nwidth = 3\nnet(width)\n:shape fit\n:shape net(3), [2]\n:shape nn.relu\n:doc width\n:type fit.model\n";
    insta::assert_snapshot!(shown(&project, lines));
}

#[test]
fn commands_say_what_is_wrong_with_them() {
    let project = Project::new("n = 1\n");
    let lines = ":typo n\n:type\n:load gone.mlp\n:doc frobnicate\n:help\nn\n:quit\nn + 1\n";
    insta::assert_snapshot!(shown(&project, lines));
}

#[test]
fn a_file_is_loaded_and_read_again() {
    let project = Project::new("n = 1\n");
    project.write("lib/other.mlp", "m = 2\nbad = 1 + \"a\"\n");
    let lines = "n\n:load lib/other.mlp\nm\nbad\nk = m + 1\n:reload\nk\nn\n";
    insta::assert_snapshot!(shown(&project, lines));
}

#[test]
fn a_good_session_ends_well_and_its_values_can_be_piped() {
    let project = Project::new("");
    let ran = piped(&project, "x = [1, 2]\n[n * n for n in x]\n");
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "[1, 4]\n"));
    assert_eq!(piped(&project, "").code, Some(0));
    assert_eq!(piped(&project, "nothing\n").code, Some(1));
}

/// A prompt on a terminal.
struct Terminal {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    /// What it printed that was not waited for yet.
    seen: String,
}

impl Terminal {
    /// `script` of util-linux gives a command a terminal; none where it is not installed.
    fn open(project: &Project, state: &Path) -> Option<Self> {
        let mut command = Command::new("script");
        command
            .args(["--quiet", "--return", "--echo", "never", "--command"])
            .arg(format!("{} repl", env!("CARGO_BIN_EXE_mlp")))
            .arg("/dev/null")
            .current_dir(project.root())
            .env("XDG_STATE_HOME", state)
            .env("NO_COLOR", "1")
            .env("TERM", "xterm")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().ok()?;
        Some(Self {
            input: child.stdin.take().unwrap(),
            output: child.stdout.take().unwrap(),
            child,
            seen: String::new(),
        })
    }

    fn press(&mut self, keys: &str) {
        self.input.write_all(keys.as_bytes()).unwrap();
        self.input.flush().unwrap();
    }

    /// Reads until the text comes.
    fn wait_for(&mut self, text: &str) {
        while !self.seen.contains(text) {
            let mut bytes = [0; 4096];
            let read = self.output.read(&mut bytes).unwrap();
            assert!(read > 0, "{text:?} never came: {:?}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
        let at = self.seen.find(text).unwrap() + text.len();
        self.seen.drain(..at);
    }
}

#[test]
fn a_terminal_has_completion_history_and_lines_that_go_on() {
    let project = Project::new(PIPELINE);
    let state = project.root().join("state");
    let Some(mut terminal) = Terminal::open(&project, &state) else {
        eprintln!("`script` is not installed: the terminal is not tested");
        return;
    };
    terminal.wait_for("`:help` lists the commands");
    // Tab completes names and commands; Enter within brackets goes on.
    for (keys, answer) in [
        ("wid\t * 3\r", "24"),
        (":ty\t [1]\r", "List[Int]"),
        ("sum([20,\r3])\r", "23"),
    ] {
        terminal.wait_for("mlp> ");
        terminal.press(keys);
        terminal.wait_for(answer);
    }
    // Ctrl-C drops what was typed, Ctrl-D leaves.
    terminal.wait_for("mlp> ");
    terminal.press("gone");
    terminal.wait_for("gone");
    terminal.press("\x03");
    terminal.wait_for("mlp> ");
    terminal.press("\x04");
    assert_eq!(terminal.child.wait().unwrap().code(), Some(0));
    let history = std::fs::read_to_string(state.join("mlp/history")).unwrap();
    assert!(history.contains("width * 3\n"), "{history:?}");
    assert!(!history.contains("gone"), "{history:?}");
}
