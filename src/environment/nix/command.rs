//! One run of `nix`: its arguments, its limits, what it said. Talks to the operating system.

use super::{Nix, NixError};
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// What is kept of the answer: print-dev-env of the largest shells gives a few megabytes.
const MOST_ANSWER: usize = 256 << 20;
/// What is kept of the end of the messages.
const MOST_MESSAGES: usize = 64 << 10;

/// Options of every run. With them nothing is asked, written or taken from a configuration of the flake.
const ALWAYS: [&str; 8] = [
    "--extra-experimental-features",
    "nix-command flakes",
    "--option",
    "accept-flake-config",
    "false",
    "--option",
    "warn-dirty",
    "false",
];

impl Nix {
    /// Runs `nix` with these arguments, and returns what it printed.
    pub(super) fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<String, NixError> {
        let mut all: Vec<OsString> = ALWAYS.iter().map(OsString::from).collect();
        if self.offline {
            all.push("--offline".into());
        }
        // Options of nix itself are accepted after the subcommand, whose name has to come first.
        all.splice(0..0, arguments.first().map(|name| name.as_ref().to_owned()));
        all.extend(
            arguments
                .iter()
                .skip(1)
                .map(|argument| argument.as_ref().to_owned()),
        );
        let shown = shown(arguments);
        let mut child = self.start(&all).map_err(|error| NixError::NotStarted {
            program: self.program.display().to_string(),
            why: error.to_string(),
        })?;
        let answer = tail_of(child.stdout.take(), MOST_ANSWER);
        let messages = tail_of(child.stderr.take(), MOST_MESSAGES);
        let deadline = Instant::now() + self.limit;
        let closed = answer.recv_timeout(self.limit);
        let status = closed
            .ok()
            .and_then(|answer| Some((answer, wait(&mut child, deadline)?)));
        let said = |messages: mpsc::Receiver<Vec<u8>>| {
            // A child of Nix may hold the pipe a little longer than Nix.
            let bytes = messages.recv_timeout(Duration::from_secs(5)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let Some((answer, status)) = status else {
            // Both fail only if it ended by itself just now.
            child.kill().and_then(|()| child.wait()).ok();
            return Err(NixError::TimedOut {
                command: shown,
                limit: self.limit,
            });
        };
        if !status.success() {
            return Err(NixError::Failed {
                command: shown,
                status: status.to_string(),
                said: said(messages),
            });
        }
        String::from_utf8(answer).map_err(|_| NixError::Answer {
            command: shown,
            why: "it is not UTF-8".to_owned(),
        })
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "Nix is no step: it makes the environments that steps run in"
    )]
    fn start(&self, arguments: &[OsString]) -> std::io::Result<Child> {
        Command::new(&self.program)
            .args(arguments)
            .env_clear()
            .envs(&self.variables)
            .env("LC_ALL", "C")
            .env("TERM", "dumb")
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
    }
}

/// Reads a pipe to its end, and hands over its last bytes.
fn tail_of(pipe: Option<impl Read + Send + 'static>, most: usize) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let mut chunk = vec![0; 64 << 10];
        if let Some(mut pipe) = pipe {
            while let Ok(count @ 1..) = pipe.read(&mut chunk) {
                bytes.extend_from_slice(&chunk[..count]);
                if bytes.len() > 2 * most {
                    bytes.drain(..bytes.len() - most);
                }
            }
        }
        bytes.drain(..bytes.len().saturating_sub(most));
        // Nobody listens any more after the limit.
        sender.send(bytes).ok();
    });
    receiver
}

/// The status of a child that has closed its output, unless it goes on past the deadline.
fn wait(child: &mut Child, deadline: Instant) -> Option<std::process::ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(1)),
            Ok(None) | Err(_) => return None,
        }
    }
}

/// The command as a person would type it.
fn shown<S: AsRef<OsStr>>(arguments: &[S]) -> String {
    let plain = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/_-.:#=+,@".contains(&b))
    };
    let quoted = arguments.iter().map(|argument| {
        let text = argument.as_ref().to_string_lossy().into_owned();
        if plain(&text) && !text.is_empty() {
            text
        } else {
            format!("'{}'", text.replace('\'', "'\\''"))
        }
    });
    ["nix".to_owned()]
        .into_iter()
        .chain(quoted)
        .collect::<Vec<_>>()
        .join(" ")
}
