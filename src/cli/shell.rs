//! `mlp shell`: enters the sandbox of a step.

use super::enter::{Entered, enter};
use super::exit::{Exit, Refusal};
use super::place;
use crate::model::build::Ending;
use crate::report::style::Style;

/// Enter the sandbox of a step: its inputs, its environment, its variables, and nothing else.
///
/// What the step reads is built first. Without a command a shell begins, with job control; with one it is run, and its exit
/// status is that of `mlp`. Whatever is written is thrown away at the end, and nothing is registered. Steps whose environment
/// has no shell (`env.python`, the builtins) get one here, with the usual small programs; the step itself does not see them.
///
///   mlp shell fit
///   mlp shell fit -- python src/train.py --trees 3
///   mlp shell fit -- ls -R inputs
///   mlp shell fit --failed               (with what the last try left, after `mlp build fit --keep-failed`)
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// What the step makes: `fit`, `fit.model`.
    target: String,
    #[command(flatten)]
    settings: place::Settings,
    /// Begin with what the last failed try of the step left, which `mlp build --keep-failed` kept.
    #[arg(long)]
    failed: bool,
    /// What to run instead of a shell.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let Entered {
        demanded,
        step,
        mut visit,
        cancel,
    } = match enter(&arguments.target, &arguments.settings)? {
        Ok(entered) => entered,
        Err(exit) => return Ok(exit),
    };
    let name = demanded.instance.graph.step(step).name();
    if arguments.failed && !visit.go_on_from_failed(&demanded.workspace, &demanded.instance, step) {
        return Err(
            Refusal::new(format!("no failed try of `{name}` is kept as it is now")).hint(format!(
                "`mlp build {} --keep-failed` keeps the next one",
                arguments.target
            )),
        );
    }
    let style = Style::stderr();
    eprintln!(
        "{} in the sandbox of `{name}`; nothing that is written in it is registered",
        style.cyan("mlp:")
    );
    eprintln!(
        "     outputs lie below /build, which is {} on this machine until you leave",
        visit.folder().display()
    );
    if arguments.command.is_empty() {
        let added = match visit.lacks_tools() {
            true => "; a shell and small programs were added, which the step does not see",
            false => "",
        };
        eprintln!("     the step runs `{}`{added}", words(visit.argv()));
    }
    let ending = visit
        .shell(&arguments.command, &cancel)
        .map_err(|error| Refusal::new(format!("the sandbox of `{name}` cannot be entered: {error}")))?;
    match ending {
        Ending::Succeeded => Ok(Exit::Success),
        Ending::Exited(status) => Ok(Exit::Of(u8::try_from(status).unwrap_or(u8::MAX))),
        Ending::Signalled(signal) => Ok(Exit::Of(u8::try_from(128 + signal).unwrap_or(u8::MAX))),
        Ending::Cancelled => Ok(Exit::Cancelled),
        Ending::NotStarted { reason, help } => {
            let refusal = Refusal::new(format!("the sandbox of `{name}` cannot be entered: {reason}"));
            Err(match help {
                Some(help) => refusal.hint(help),
                None => refusal,
            })
        }
        other => Err(Refusal::new(format!(
            "the sandbox of `{name}` was ended: {other:?}"
        ))),
    }
}

/// Arguments as a person would type them.
fn words(argv: &[String]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,@%+".contains(c);
    let word = |text: &String| match !text.is_empty() && text.chars().all(plain) {
        true => text.clone(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    };
    argv.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_as_a_shell_takes_them() {
        let argv = ["python3", "-c", "print('a b')", ""].map(str::to_owned);
        assert_eq!(words(&argv), r"python3 -c 'print('\''a b'\'')' ''");
    }
}
