//! Command lines that cannot be read, where more can be said than that: commands of other tools, params set as options,
//! a target that is missing.

use super::exit::Refusal;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// What to say in place of clap's own message; none where that says it all.
pub(super) fn refusal(error: &clap::Error, command: Option<&str>) -> Option<Refusal> {
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let name = text(error, ContextKind::InvalidSubcommand)?;
            let hint = elsewhere(&name)?;
            Some(Refusal::new(format!("there is no command `{name}`")).hint(hint))
        }
        ErrorKind::MissingRequiredArgument => {
            let command = command.filter(|command| {
                matches!(
                    *command,
                    "build" | "plan" | "why" | "show" | "graph" | "eval" | "shell"
                )
            })?;
            Some(
                Refusal::new(format!("`mlp {command}` needs a target")).hint(format!(
                    "a target is a binding of pipeline.mlp, or a part of one: `mlp {command} evaluate`"
                )),
            )
        }
        // Where an option is near, clap names it.
        ErrorKind::UnknownArgument if error.get(ContextKind::SuggestedArg).is_none() => {
            unknown(&text(error, ContextKind::InvalidArg)?, command?)
        }
        _ => None,
    }
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        _ => None,
    }
}

fn unknown(argument: &str, command: &str) -> Option<Refusal> {
    let sets = matches!(
        command,
        "build" | "check" | "plan" | "why" | "eval" | "graph" | "show" | "repl" | "env" | "shell"
    );
    let option = argument.strip_prefix("--").filter(|_| sets);
    if let Some(name) = option {
        let name = name.split('=').next().unwrap_or(name).replace('-', "_");
        return Some(
            Refusal::new(format!("`mlp {command}` has no option `{argument}`"))
                .hint(format!("a param of the pipeline is set by `--set {name}=VALUE`; `mlp {command} --help` lists the options")),
        );
    }
    (command == "check").then(|| {
        Refusal::new(format!("`mlp check` takes no file, and is given `{argument}`"))
            .hint("it checks the pipeline.mlp of this folder or of one above, with all that it imports: `mlp check`")
    })
}

/// What a command of another tool is here.
fn elsewhere(command: &str) -> Option<&'static str> {
    Some(match command {
        "train" | "run" | "repro" | "exec" | "make" | "start" | "exp" | "apply" => {
            "`mlp build TARGET` builds what a target stands for, trainings too"
        }
        "evaluate" | "validate" | "predict" | "score" => {
            "`mlp build evaluate` builds what the pipeline binds to `evaluate`"
        }
        "lint" | "validate-config" | "verify" => "`mlp check` finds mistakes without building anything",
        "format" => "write `mlp fmt`",
        "dag" | "tree" => "`mlp graph TARGET` shows its steps, `mlp plan TARGET` what would be done",
        "history" | "experiments" => "`mlp runs` shows what earlier builds did",
        "new" | "create" => "`mlp init` writes a small pipeline to start from",
        "install" | "add" | "sync" | "lock" => {
            "`mlp env` shows the environments of steps, `mlp env lock` writes their locks"
        }
        "shape" | "summary" => "`mlp show fit.model` shows a model's layers with their shapes",
        _ => return None,
    })
}
