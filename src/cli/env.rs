//! `mlp env`: the environments of a pipeline's steps, held against what pins them.

use super::exit::{Exit, Refusal};
use super::notice::Notice;
use super::place;
use super::told::{self, Format};
use crate::engine::{EngineError, Pipeline, Workspace, has_errors};
use crate::model::environment::Described;
use crate::report::style::Style;
use crate::report::table::table;
use mlp_lang::spec::{Datum, EnvRef};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Show the environments of a pipeline's steps, and find what is wrong with their locks.
///
/// Reads flake.nix with its lock, the locks of Python packages, and the tools of this machine. Nothing is fetched or built,
/// and Nix is not needed.
///
///   mlp env
///   mlp env --format json
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    #[command(flatten)]
    settings: place::Settings,
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let project = place::project()?;
    let mut pipeline = Pipeline::load(&project, &arguments.settings.pairs()?);
    let mut diagnostics = pipeline.diagnostics().to_vec();
    let outcome = pipeline.evaluate_all();
    diagnostics.extend_from_slice(&outcome.diagnostics);
    let mut environments = BTreeMap::new();
    if !has_errors(&diagnostics) {
        let workspace = Workspace::open(project).map_err(|error| Refusal::of_engine(&error))?;
        match workspace.environments(&outcome.evaluation, pipeline.sources_mut()) {
            Ok((found, warnings)) => {
                environments = found;
                diagnostics.extend(warnings);
            }
            Err(EngineError::Pipeline(found)) => diagnostics.extend(found),
            Err(error) => return Err(Refusal::of_engine(&error)),
        }
    }
    let notices: Vec<Notice> = diagnostics
        .iter()
        .map(|diagnostic| Notice::of(diagnostic, pipeline.sources()))
        .collect();
    match arguments.format {
        Format::Json => {
            let environments: Vec<Value> = environments
                .iter()
                .map(|(env, found)| object(env, found))
                .collect();
            told::print_json(&json!({ "environments": environments, "diagnostics": told::json(&notices) }));
        }
        Format::Text => {
            told::show(&notices);
            environments
                .iter()
                .for_each(|(env, found)| print!("{}", text(env, found)));
            if environments.is_empty() && notices.is_empty() {
                eprintln!("no step of this pipeline has an environment of its own");
            }
        }
    }
    Ok(if has_errors(&diagnostics) {
        Exit::Mend
    } else {
        Exit::Success
    })
}

/// What an environment is called, and what pins it.
fn heading(env: &EnvRef) -> (&'static str, String) {
    match env {
        EnvRef::Flake { file, shell } => ("env.flake", format!("./{file}, shell {shell}")),
        EnvRef::Python { lock, python } => ("env.python", format!("./{lock}, Python {python}")),
        EnvRef::Host { tools } => ("env.host", tools.join(", ")),
    }
}

/// Names and what stands for each: packages with versions, tools with digests, files of a flake.
fn parts(described: &Described) -> Vec<Vec<String>> {
    let tools = match described {
        Described::Host(tools) | Described::Step { tools, .. } => tools,
    };
    let mut rows: Vec<Vec<String>> = match tools {
        Datum::Map(tools) => tools
            .iter()
            .map(|(name, tool)| vec![name.clone(), tool_text(name, tool)])
            .collect(),
        _ => Vec::new(),
    };
    if let Described::Step { args, inputs, .. } = described {
        rows.extend(packages(args));
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
        (Some(Datum::Str(version)), _) => version.clone(),
        (_, Some(Datum::Str(digest))) => {
            let short: String = digest.chars().take(10).collect();
            format!("{short} and {} libraries", parts.len() - 1)
        }
        _ => String::new(),
    }
}

fn packages(args: &Datum) -> Vec<Vec<String>> {
    let Datum::Map(args) = args else { return Vec::new() };
    let Some(Datum::List(packages)) = args.get("packages") else {
        return Vec::new();
    };
    let text = |fields: &BTreeMap<String, Datum>, name: &str| match fields.get(name) {
        Some(Datum::Str(text)) => text.clone(),
        _ => String::new(),
    };
    let row = |package: &Datum| match package {
        Datum::Map(fields) => Some(vec![text(fields, "name"), text(fields, "version")]),
        _ => None,
    };
    packages.iter().filter_map(row).collect()
}

fn text(env: &EnvRef, described: &Described) -> String {
    let (kind, what) = heading(env);
    let mut text = format!("{} {what}\n", Style::stdout().bold(kind));
    for line in table(&parts(described), &[]) {
        text.push_str(&format!("  {line}\n"));
    }
    text
}

fn object(env: &EnvRef, described: &Described) -> Value {
    let (kind, what) = heading(env);
    let parts: serde_json::Map<String, Value> = parts(described)
        .into_iter()
        .filter_map(|row| {
            Some((
                row.first()?.clone(),
                row.get(1).cloned().unwrap_or_default().into(),
            ))
        })
        .collect();
    json!({ "kind": kind, "what": what, "parts": parts })
}
