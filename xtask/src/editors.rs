//! The grammar for VS Code, run with the very packages that VS Code runs grammars with: `editors/vscode/test` pins them,
//! with their hashes, and npm brings them the first time.

use crate::shell;
use std::ffi::OsStr;
use std::fs;

/// Runs the test of the grammar; Node.js and npm are looked for along `path`.
pub(crate) fn test(path: Option<&OsStr>) -> Result<(), String> {
    let folder = shell::root().join("editors/vscode/test");
    let command = |line: &str| {
        let mut command = shell::command(line);
        command.envs(path.map(|path| ("PATH", path)));
        command.current_dir(&folder);
        command
    };
    let (lock, installed) = (
        folder.join("package-lock.json"),
        folder.join("node_modules/installed"),
    );
    let wanted = fs::read_to_string(&lock).map_err(|error| format!("{}: {error}", lock.display()))?;
    if !fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        shell::run(&mut command("npm ci --ignore-scripts --no-audit --no-fund"))?;
        fs::write(&installed, wanted).map_err(|error| format!("{}: {error}", installed.display()))?;
    }
    shell::run(&mut command("node grammar.js")).map(drop)
}
