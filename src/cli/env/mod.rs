//! `mlp env`: the environments of a pipeline's steps, held against what pins them, and their locks written.

mod lock;

use super::exit::{Exit, Refusal};
use super::notice::Notice;
use super::place;
use super::told::{self, Format};
use crate::engine::{Pipeline, Renewal, Workspace, has_errors};
use crate::model::environment::{Described, EnvironmentTable};
use crate::report::style::Style;
use crate::report::table::table;
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::eval::Outcome;
use mlp_lang::spec::{Datum, EnvRef};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The environments of a pipeline's steps: show them, lock them, find what is wrong with their locks.
///
/// Without a word after it, `mlp env` shows them. Nothing is built here; only `lock` and `update` ask the network.
///
///   mlp env
///   mlp env check
///   mlp env lock
///   mlp env update nixpkgs
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment, args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    common: Common,
}

#[derive(clap::Args, Debug)]
struct Common {
    #[command(flatten)]
    settings: place::Settings,
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Show each environment: its packages, tools, files.
    ///
    /// Reads flake.nix with its lock, the locks of Python packages, and the tools of this machine. Nothing is fetched or
    /// built, and Nix is not needed.
    ///
    ///   mlp env show
    ///   mlp env show --format json
    #[command(verbatim_doc_comment)]
    Show(Common),
    /// Write the locks: what is locked and still fits stays, what is missing is added.
    ///
    /// flake.lock is written by Nix, a uv.lock by uv, a pylock.toml or requirements by uv, pip or pip-compile. A lock is
    /// replaced whole, or stays as it is.
    ///
    ///   mlp env lock
    #[command(verbatim_doc_comment)]
    Lock(Common),
    /// Lock anew: the inputs and packages that are named, or everything.
    ///
    ///   mlp env update
    ///   mlp env update nixpkgs
    ///   mlp env update numpy pandas
    #[command(verbatim_doc_comment)]
    Update {
        /// Inputs of flakes, packages; all where none is named.
        names: Vec<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Find what is not locked, locked for something else, or had by this machine alone.
    ///
    /// Says for each what to do. Without a mistake the exit code is 0, so that it can stand in CI.
    ///
    ///   mlp env check
    #[command(verbatim_doc_comment)]
    Check(Common),
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    match &arguments.command {
        None => show(&arguments.common, true),
        Some(Command::Show(common)) => show(common, true),
        Some(Command::Check(common)) => show(common, false),
        Some(Command::Lock(common)) => lock::run(common, Renewal::Missing),
        Some(Command::Update { names, common }) if names.is_empty() => lock::run(common, Renewal::All),
        Some(Command::Update { names, common }) => lock::run(common, Renewal::Named(names)),
    }
}

/// A pipeline that is evaluated, and where it stands.
struct Evaluated {
    pipeline: Pipeline,
    workspace: Workspace,
    outcome: Outcome,
}

impl Evaluated {
    fn notices(&self, told: &[Diagnostic]) -> Vec<Notice> {
        let notice = |told: &Diagnostic| Notice::of(told, self.pipeline.sources());
        told.iter().map(notice).collect()
    }
}

/// Evaluates all of the pipeline; where it has mistakes of its own, they are told.
fn evaluated(arguments: &Common) -> Result<Result<Evaluated, Exit>, Refusal> {
    let project = place::project()?;
    let pipeline = Pipeline::load(&project, &arguments.settings.pairs()?);
    let mut told = pipeline.diagnostics().to_vec();
    let outcome = pipeline.evaluate_all();
    told.extend_from_slice(&outcome.diagnostics);
    if has_errors(&told) {
        let notice = |told: &Diagnostic| Notice::of(told, pipeline.sources());
        let notices: Vec<Notice> = told.iter().map(notice).collect();
        match arguments.format {
            Format::Json => told::print_json(&json!({ "diagnostics": told::json(&notices) })),
            Format::Text => told::show(&notices),
        }
        return Ok(Err(Exit::Mend));
    }
    let workspace = Workspace::open(project).map_err(|error| Refusal::of_engine(&error))?;
    Ok(Ok(Evaluated {
        pipeline,
        workspace,
        outcome,
    }))
}

/// Shows the environments, or with `parts` false only what is wrong with them.
fn show(arguments: &Common, parts: bool) -> Result<Exit, Refusal> {
    let mut evaluated = match evaluated(arguments)? {
        Ok(evaluated) => evaluated,
        Err(exit) => return Ok(exit),
    };
    let (environments, told) = evaluated
        .workspace
        .environments(&evaluated.outcome.evaluation, evaluated.pipeline.sources_mut());
    let pinned = evaluated.workspace.pinned(&evaluated.outcome.evaluation);
    let notices = evaluated.notices(&told);
    match arguments.format {
        Format::Json if parts => {
            let environments: Vec<Value> = environments
                .iter()
                .map(|(env, found)| object(env, found, pinned.get(env)))
                .collect();
            told::print_json(&json!({ "environments": environments, "diagnostics": told::json(&notices) }));
        }
        Format::Json => told::print_json(&json!({ "diagnostics": told::json(&notices) })),
        Format::Text => {
            told::show(&notices);
            if parts {
                environments
                    .iter()
                    .for_each(|(env, found)| print!("{}", text(env, found, pinned.get(env))));
            }
            if notices.is_empty() {
                fine(&environments, parts);
            }
        }
    }
    Ok(if has_errors(&told) {
        Exit::Mend
    } else {
        Exit::Success
    })
}

/// Says that nothing is wrong, where that was the question.
fn fine(environments: &EnvironmentTable, parts: bool) {
    match environments.len() {
        0 => eprintln!("no step of this pipeline has an environment of its own"),
        _ if parts => {}
        1 => eprintln!("ok: 1 environment, pinned"),
        n => eprintln!("ok: {n} environments, pinned"),
    }
}

/// What an environment is called, and what pins it.
fn heading(env: &EnvRef) -> (&'static str, String) {
    match env {
        EnvRef::Flake { file, shell } => ("env.flake", format!("./{file}, shell {shell}")),
        EnvRef::Python { lock, python } => ("env.python", format!("./{lock}, Python {python}")),
        EnvRef::Host { tools } => ("env.host", tools.join(", ")),
    }
}

/// How hermetic what it brings is.
fn made(env: &EnvRef) -> &'static str {
    match env {
        EnvRef::Flake { .. } => "made by Nix, outside of the sandbox, from inputs that are pinned by hash",
        EnvRef::Python { .. } => "made outside of the sandbox, from wheels that are pinned by hash",
        EnvRef::Host { .. } => {
            "this machine's: steps see more of it than these tools, the least hermetic there is"
        }
    }
}

/// What a lock pins.
type Pinned = BTreeMap<String, String>;

/// Names and what stands for each: packages with versions, tools with digests, a flake's inputs and files.
fn parts(described: &Described, pinned: Option<&Pinned>) -> Vec<Vec<String>> {
    let tools = match described {
        Described::Host(tools) | Described::Step { tools, .. } => tools,
    };
    let mut rows: Vec<Vec<String>> = match tools {
        Datum::Map(tools) => tools
            .iter()
            .map(|(name, tool)| vec![name.to_string(), tool_text(name, tool)])
            .collect(),
        _ => Vec::new(),
    };
    if let Described::Step { inputs, .. } = described {
        let pinned = pinned.into_iter().flatten();
        rows.extend(pinned.map(|(name, what)| vec![name.clone(), what.clone()]));
        rows.extend(
            inputs
                .values()
                .map(|(path, _)| vec![format!("./{path}"), String::new()]),
        );
    }
    rows
}

/// The version of an interpreter; of any other tool the digest of its own bytes.
fn tool_text(name: &str, tool: &Datum) -> String {
    let Datum::Map(parts) = tool else {
        return String::new();
    };
    match (
        parts.get("version"),
        parts.get(name).or_else(|| parts.values().next()),
    ) {
        (Some(Datum::Str(version)), _) => version.to_string(),
        (_, Some(Datum::Str(digest))) => {
            let short: String = digest.chars().take(10).collect();
            format!("{short} and {} libraries", parts.len() - 1)
        }
        _ => String::new(),
    }
}

fn text(env: &EnvRef, described: &Described, pinned: Option<&Pinned>) -> String {
    let (kind, what) = heading(env);
    let mut text = format!("{} {what}\n  {}\n", Style::stdout().bold(kind), made(env));
    for line in table(&parts(described, pinned), &[]) {
        text.push_str(&format!("  {line}\n"));
    }
    text
}

fn object(env: &EnvRef, described: &Described, pinned: Option<&Pinned>) -> Value {
    let (kind, what) = heading(env);
    let parts: serde_json::Map<String, Value> = parts(described, pinned)
        .into_iter()
        .filter_map(|row| {
            Some((
                row.first()?.clone(),
                row.get(1).cloned().unwrap_or_default().into(),
            ))
        })
        .collect();
    json!({ "kind": kind, "what": what, "made": made(env), "parts": parts })
}
