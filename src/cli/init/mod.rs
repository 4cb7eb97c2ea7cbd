//! `mlp init`: a small pipeline to start from, with data that it runs on; or a notebook as one.

mod files;
mod from_notebook;
mod notebook;
mod packages;
mod scan;

use super::exit::{Exit, Refusal};
use crate::engine::PIPELINE;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The starter.
const STARTER: &str = include_str!("pipeline.mlp");
/// The data that it runs on.
const POINTS: &str = "points.csv";

/// Write a small pipeline to start from.
///
/// It trains a network to tell whether a point lies inside a circle, and explains every line; put your own table and
/// network in their place. Nothing that exists is overwritten.
///
/// With `--from` it is a Jupyter notebook: its code cells as a Python script, run by one step. What it reads and writes is
/// guessed from the code, what is Jupyter's own is taken out with a word.
///
///   mlp init
///   mlp init --from train.ipynb
///   mlp init my-project && cd my-project && mlp build evaluate
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// The folder; made if it is missing.
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// A Jupyter notebook to start from.
    #[arg(long, value_name = "NOTEBOOK")]
    from: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let folder = &arguments.folder;
    if let Some(notebook) = &arguments.from {
        return from_notebook::run(notebook, folder);
    }
    std::fs::create_dir_all(folder).map_err(|error| refused(folder, &error))?;
    // The pipeline last: a folder with a pipeline has its data too.
    write(&folder.join(POINTS), &points())?;
    write(&folder.join(PIPELINE), STARTER)?;
    eprintln!(
        "wrote {} and {}",
        folder.join(PIPELINE).display(),
        folder.join(POINTS).display()
    );
    eprintln!("hint: read it, then run `mlp build evaluate`");
    Ok(Exit::Success)
}

/// Writes a file that must not be there yet.
fn write(path: &Path, text: &str) -> Result<(), Refusal> {
    let mut file = std::fs::File::create_new(path).map_err(|error| refused(path, &error))?;
    file.write_all(text.as_bytes())
        .map_err(|error| refused(path, &error))
}

fn refused(path: &Path, error: &std::io::Error) -> Refusal {
    if error.kind() == ErrorKind::AlreadyExists {
        return Refusal::new(format!(
            "`{}` is there already, and was left as it is",
            path.display()
        ))
        .hint("`mlp init OTHER-FOLDER` starts elsewhere");
    }
    Refusal::new(format!("`{}` cannot be written: {error}", path.display()))
}

/// A grid of points, and whether each lies inside a circle.
fn points() -> String {
    let mut table = String::from("x,y,inside\n");
    for (x, y) in (-12..=12).flat_map(|x| (-12..=12).map(move |y| (x, y))) {
        let inside = u8::from(x * x + y * y < 70);
        table.push_str(&format!("{x},{y},{inside}\n"));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let arguments = Arguments {
            folder: folder.path().join("new"),
            from: None,
        };
        assert_eq!(run(&arguments).unwrap(), Exit::Success);
        let pipeline = arguments.folder.join(PIPELINE);
        std::fs::write(&pipeline, "mine").unwrap();
        assert!(run(&arguments).is_err());
        assert_eq!(std::fs::read_to_string(&pipeline).unwrap(), "mine");
    }

    #[test]
    fn both_classes_have_many_points() {
        let inside = points().lines().filter(|line| line.ends_with(",1")).count();
        assert_eq!((points().lines().count(), inside), (626, 221));
    }
}
