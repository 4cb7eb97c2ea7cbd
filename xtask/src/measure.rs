//! What a program takes: CPU time and peak memory, as the system counts them.
//!
//! The system tells a process what all of its children took together. So each program is started by a process of its own,
//! which is this one again: `xtask measured FILE PROGRAM ARGUMENT…`.

use crate::shell;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::path::Path;
use std::process::{Command, Stdio};

/// What one run of a program took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// User and system time, in milliseconds.
    pub(crate) cpu: f64,
    /// The most memory that it held, in MiB.
    pub(crate) memory: f64,
}

/// Runs a program and gives its output with what it took.
pub(crate) fn measured(command: &Command) -> Result<(String, Usage), String> {
    let into = shell::target().join("bench/usage");
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut child = Command::new(own);
    child
        .arg("measured")
        .arg(&into)
        .arg(command.get_program())
        .args(command.get_args());
    child.stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => child.env(name, value),
            None => child.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        child.current_dir(folder);
    }
    let output = child.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!(
            "{:?} fails\n{}",
            command.get_program(),
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    let usage = std::fs::read_to_string(&into).map_err(|error| format!("{}: {error}", into.display()))?;
    let mut numbers = usage.split_whitespace().filter_map(|number| number.parse().ok());
    match (numbers.next(), numbers.next()) {
        (Some(cpu), Some(memory)) => Ok((
            String::from_utf8_lossy(&output.stdout).trim().to_owned(),
            Usage { cpu, memory },
        )),
        _ => Err(format!("{} is no usage: {usage}", into.display())),
    }
}

/// The process in between: runs the program and writes what it took.
pub(crate) fn child(into: &str, program: &str, arguments: &[&str]) -> Result<(), String> {
    let status = Command::new(program)
        .args(arguments)
        .status()
        .map_err(|error| format!("{program}: {error}"))?;
    if !status.success() {
        return Err(format!("{program}: {status}"));
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| error.to_string())?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    let (cpu, memory) = (micros as f64 / 1000.0, usage.max_rss() as f64 / 1024.0);
    std::fs::write(Path::new(into), format!("{cpu} {memory}\n")).map_err(|error| format!("{into}: {error}"))
}
