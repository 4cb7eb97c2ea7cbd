//! One run of a program that writes a lock. Talks to the operating system.

use super::NotLocked;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

/// Lines of a program's last words that are shown.
const SHOWN_LINES: usize = 20;

/// A program that writes a lock.
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) arguments: Vec<String>,
}

/// Runs it in `folder`. False where the program is not on this machine, or is too old for what is asked of it.
pub(super) fn run(program: &Program, folder: &Path) -> Result<bool, NotLocked> {
    let refused = |said: Vec<String>| NotLocked::Refused {
        command: format!("{} {}", program.name, program.arguments.join(" ")),
        said,
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "what writes locks is no step: it asks the index which packages there are"
    )]
    let ran = Command::new(program.name)
        .args(&program.arguments)
        .current_dir(folder)
        .env("CUSTOM_COMPILE_COMMAND", "mlp env lock")
        .env("NO_COLOR", "1")
        .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
        .env("PIP_NO_INPUT", "1")
        // The interpreter is the machine's, in a lock as in a build.
        .env("UV_PYTHON_DOWNLOADS", "never")
        .stdin(Stdio::null())
        .output();
    let output = match ran {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(refused(vec![error.to_string()])),
    };
    if output.status.success() {
        return Ok(true);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("unknown command \"lock\"") {
        return Ok(false);
    }
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let shown = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
    Err(refused(
        shown.iter().map(|line| line.trim_end().to_owned()).collect(),
    ))
}
