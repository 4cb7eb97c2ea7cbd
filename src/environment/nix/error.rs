//! Why Nix did not give a shell, and how that is told. Talks to the language's diagnostics.

use crate::environment::codes;
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::source::Span;
use std::time::Duration;

/// Why there is no shell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NixError {
    /// The program could not be started.
    #[error("{program} could not be started: {why}")]
    NotStarted {
        /// The program.
        program: String,
        /// Why.
        why: String,
    },
    /// It failed.
    #[error("`{command}` failed ({status})")]
    Failed {
        /// The command, as a person would type it.
        command: String,
        /// How it ended.
        status: String,
        /// The end of what it said.
        said: String,
    },
    /// It took too long, and was ended.
    #[error("`{command}` took longer than {limit:?}")]
    TimedOut {
        /// The command.
        command: String,
        /// The limit.
        limit: Duration,
    },
    /// It printed something else than was asked for.
    #[error("the answer of `{command}` cannot be read: {why}")]
    Answer {
        /// The command.
        command: String,
        /// Why.
        why: String,
    },
    /// The flake has no such shell.
    #[error("the flake has no shell `{shell}` for {system}")]
    UnknownShell {
        /// The shell.
        shell: String,
        /// The system.
        system: String,
        /// The shells that there are for it.
        known: Vec<String>,
    },
    /// The place of the flake cannot be written as a reference.
    #[error(
        "the path `{0}` cannot be handed to Nix: it holds a letter that references to flakes cannot hold"
    )]
    Place(String),
}

/// Lines of Nix's last words that are shown.
const SHOWN_LINES: usize = 20;

impl NixError {
    /// The message, at the place in the pipeline that asks for the environment.
    pub fn diagnostic(&self, span: Span) -> Diagnostic {
        let error = |code| Diagnostic::error(code, span, self.to_string());
        match self {
            Self::NotStarted { .. } => {
                error(codes::NO_NIX).help("install Nix: `apt install nix-bin`, or https://nixos.org/download")
            }
            Self::UnknownShell { system, known, .. } if known.is_empty() => error(codes::UNKNOWN_SHELL).help(
                format!("define `devShells.{system}.default` in the flake's outputs"),
            ),
            Self::UnknownShell { known, .. } => {
                let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
                error(codes::UNKNOWN_SHELL).help(format!("it has {}", known.join(", ")))
            }
            Self::TimedOut { command, .. } => error(codes::NIX_TIMEOUT)
                .note("a first realisation downloads the whole closure")
                .help(format!(
                    "run `{}` once where flake.nix lies, then build again",
                    by_hand(command)
                )),
            Self::Failed { said, command, .. } => {
                let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
                let shown = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
                let error = Diagnostic::error(codes::NIX_FAILED, span, "Nix could not make this environment");
                let error = shown
                    .iter()
                    .fold(error, |error, line| error.note(line.trim_end()));
                error.help(format!(
                    "`{}` where flake.nix lies tries it by hand",
                    by_hand(command)
                ))
            }
            Self::Answer { .. } | Self::Place(_) => error(codes::NIX_FAILED),
        }
    }
}

/// What a person would run for it: mlp's own command names a folder that is gone by then.
fn by_hand(command: &str) -> String {
    match command.split_whitespace().take(3).collect::<Vec<_>>()[..] {
        ["nix", "flake", word] => format!("nix flake {word}"),
        _ => "nix develop".to_owned(),
    }
}

/// What there is to say where a pipeline asks for a flake's shell and Nix is not installed.
pub fn not_installed(span: Span) -> Diagnostic {
    Diagnostic::error(codes::NO_NIX, span, "this environment is made by Nix, and Nix is not installed")
        .help("install it: `apt install nix-bin`, or https://nixos.org/download; or pin the tools with `env.python`")
}
