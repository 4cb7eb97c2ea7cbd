//! The command line: one file a command. The only place that knows clap and miette; what a command does is the engine's.
//!
//! Data goes to stdout, everything else to stderr, and everything reads the same without colour.

mod add;
mod build;
mod check;
mod completions;
mod data;
mod demand;
mod diff;
mod doc;
mod doctor;
mod enter;
mod env;
mod eval;
mod exit;
mod explain;
mod failure;
mod fmt;
mod gc;
mod graph;
mod init;
mod log;
mod lsp;
mod notice;
mod panic;
mod place;
mod plan;
mod render;
mod repl;
mod runs;
mod sample;
mod script;
mod shell;
mod show;
mod status;
mod step;
mod store;
mod told;
mod tree;
mod usage;
mod watch;
mod why;
mod why_depends;

use crate::report::style::Style;
use clap::{CommandFactory, Parser, Subcommand};
use exit::{Exit, Refusal};
use std::process::ExitCode;

/// A build system for machine learning: the same pipeline gives the same bits, and nothing is done twice.
///
/// A pipeline is a file, pipeline.mlp, that says what to make of which data. `mlp` finds it here or in a folder above,
/// checks all of it before anything runs, builds what you ask for, and keeps every result.
///
///   mlp init                  write a small pipeline to start from
///   mlp check                 find mistakes: types, names, shapes of networks
///   mlp build evaluate        build what `evaluate` stands for
#[derive(Parser, Debug)]
#[command(
    name = "mlp",
    version,
    verbatim_doc_comment,
    after_long_help = exit::CODES,
    arg_required_else_help = true,
    infer_subcommands = false,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Add(add::Arguments),
    Build(build::Arguments),
    Check(check::Arguments),
    Data(data::Arguments),
    Env(env::Arguments),
    Eval(eval::Arguments),
    Fmt(fmt::Arguments),
    Gc(gc::Arguments),
    Graph(graph::Arguments),
    Plan(plan::Arguments),
    Why(why::Arguments),
    WhyDepends(why_depends::Arguments),
    Diff(diff::Arguments),
    Repl(repl::Arguments),
    Sample(sample::Arguments),
    Shell(shell::Arguments),
    Show(show::Arguments),
    Status(status::Arguments),
    Step(step::Arguments),
    Store(store::Arguments),
    Explain(explain::Arguments),
    Doc(doc::Arguments),
    Doctor(doctor::Arguments),
    Init(init::Arguments),
    Runs(runs::Arguments),
    Log(log::Arguments),
    Lsp(lsp::Arguments),
    Completions(completions::Arguments),
}

/// Runs `mlp` on the arguments of the process.
pub fn main() -> ExitCode {
    panic::install();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    match run(&cli.command) {
        Ok(exit) => exit.into(),
        Err(refusal) => {
            refusal.show(Style::stderr());
            Exit::Mend.into()
        }
    }
}

fn run(command: &Command) -> Result<Exit, Refusal> {
    match command {
        Command::Add(arguments) => add::run(arguments),
        Command::Build(arguments) => build::run(arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::Data(arguments) => data::run(arguments),
        Command::Env(arguments) => env::run(arguments),
        Command::Eval(arguments) => eval::run(arguments),
        Command::Fmt(arguments) => fmt::run(arguments),
        Command::Gc(arguments) => gc::run(arguments),
        Command::Graph(arguments) => graph::run(arguments),
        Command::Plan(arguments) => plan::run(arguments),
        Command::Why(arguments) => why::run(arguments),
        Command::WhyDepends(arguments) => why_depends::run(arguments),
        Command::Diff(arguments) => diff::run(arguments),
        Command::Repl(arguments) => repl::run(arguments),
        Command::Sample(arguments) => sample::run(arguments),
        Command::Shell(arguments) => shell::run(arguments),
        Command::Show(arguments) => show::run(arguments),
        Command::Status(arguments) => status::run(arguments),
        Command::Step(arguments) => step::run(arguments),
        Command::Store(arguments) => store::run(arguments),
        Command::Explain(arguments) => explain::run(arguments),
        Command::Doc(arguments) => doc::run(arguments),
        Command::Doctor(arguments) => doctor::run(arguments),
        Command::Init(arguments) => init::run(arguments),
        Command::Runs(arguments) => runs::run(arguments),
        Command::Log(arguments) => log::run(arguments),
        Command::Lsp(arguments) => lsp::run(arguments),
        Command::Completions(arguments) => completions::run(arguments, &mut Cli::command()),
    }
}

/// Help is no error; anything else that clap says is for the user to mend.
fn usage(error: &clap::Error) -> ExitCode {
    let command = std::env::args().nth(1);
    if let Some(refusal) = usage::refusal(error, command.as_deref()) {
        refusal.show(Style::stderr());
        return Exit::Mend.into();
    }
    // Where even stderr is gone, the exit code still tells.
    drop(error.print());
    if error.use_stderr() {
        Exit::Mend.into()
    } else {
        Exit::Success.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_teaches_by_an_example() {
        for command in Cli::command().get_subcommands() {
            let help = command
                .get_long_about()
                .map(ToString::to_string)
                .unwrap_or_default();
            let name = command.get_name();
            assert!(
                help.contains(&format!("  mlp {name}")),
                "`mlp {name}` has no example"
            );
        }
    }
}
