//! `mlp data`: what a file or folder holds, as the declaration that reads it.

use super::exit::{Exit, Refusal};
use super::told::{self, Format};
use crate::engine::Project;
use mlp_data::infer::{Draft, infer};
use mlp_lang::format::format;
use serde_json::json;
use std::path::{Component, Path, PathBuf};

/// Look at data, and draft the declaration that reads it.
///
/// `infer` reads a CSV file, a folder of images with a folder for each class, a folder of sounds or images with a CSV file
/// that names them, IDX, .npy, .npz or .safetensors files. What it prints can be pasted into a pipeline; comments say what
/// was found (rows, ranges, classes, empty cells) and where it took a guess.
///
///   mlp data infer data/train.csv
///   mlp data infer photos >> pipeline.mlp
///   mlp data infer data/train.csv --format json
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment, arg_required_else_help = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    Infer(Infer),
}

/// Draft the declaration that reads a file or folder.
///
/// The draft is laid out as `mlp fmt` would, its paths as they are seen from the pipeline.
///
///   mlp data infer data/train.csv
///   mlp data infer photos >> pipeline.mlp
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
struct Infer {
    /// A file or a folder of the project.
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// How to write what was found.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let Command::Infer(arguments) = &arguments.command;
    let written = written(&arguments.path)?;
    let draft = infer(&arguments.path, &written).map_err(|unclear| {
        let refusal = Refusal::new(unclear.message);
        match unclear.help {
            Some(help) => refusal.hint(help),
            None => refusal,
        }
    })?;
    tell(&draft, arguments.format);
    Ok(Exit::Success)
}

/// The path as a pipeline has it: from the project's folder, or from here where there is no project.
fn written(path: &Path) -> Result<String, Refusal> {
    let here = std::env::current_dir()
        .map_err(|error| Refusal::new(format!("the folder in which you are cannot be read: {error}")))?;
    let inside = match Project::find(Path::new(".")) {
        Ok(project) => {
            let of_root = here.join(path).components().eq(project.root.components());
            project.path_of(&here, path).or(of_root.then(|| ".".to_owned()))
        }
        Err(_) => below(path),
    };
    let inside = inside.ok_or_else(|| {
        Refusal::new(format!("`{}` is no path inside of the project", path.display())).hint(
            "a pipeline reads what lies below its folder: copy the data there, or link to it from there",
        )
    })?;
    Ok(match inside.as_str() {
        "" | "." => ".".to_owned(),
        inside => format!("./{inside}"),
    })
}

/// A path that does not lead out of here, without what says nothing.
fn below(path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path
        .components()
        .filter(|part| *part != Component::CurDir)
        .map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .collect();
    Some(parts?.join("/"))
}

fn tell(draft: &Draft, style: Format) {
    let declaration = laid_out(&draft.declaration);
    if style == Format::Json {
        let mut object = draft.facts.clone();
        object["declaration"] = declaration.into();
        object["notes"] = json!(draft.notes);
        return told::print_json(&object);
    }
    println!("import std.{{data}}\n");
    for note in &draft.notes {
        println!("# {note}");
    }
    print!("{declaration}");
}

/// The declaration as `mlp fmt` has it.
fn laid_out(declaration: &str) -> String {
    format(declaration).unwrap_or_else(|_| format!("{declaration}\n"))
}
