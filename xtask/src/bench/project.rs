//! A generated project, for figures that grow with a pipeline: 10,000 steps in 100 files, and a pipeline that imports all
//! of them.

use crate::shell;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Files besides the pipeline.
pub(super) const FILES: usize = 100;
/// Trainings in a file. With their evaluations, a table and its split a file has 100 steps.
const TRAININGS: usize = 49;

/// What each file shares with the others.
const COMMON: &str = "\
##! What the parts share.

import std.{loss, metrics, nn, optim}

## Passes over the training set.
fn epochs(scale: Int) = 10 * scale

fn cnn(width: Int, classes: Int = 10) = nn.sequential([
  nn.conv2d(width, kernel_size = 3, padding = 1), nn.relu, nn.max_pool2d(2),
  nn.flatten,
  nn.linear(classes),
])

fn adam(lr: Float) = optim.adam(lr = lr)

scores = { accuracy: metrics.accuracy }
objective = loss.cross_entropy
";

/// Writes the project; its folder.
pub(super) fn write() -> Result<PathBuf, String> {
    let root = shell::target().join("bench/project");
    std::fs::create_dir_all(&root).map_err(|error| format!("{}: {error}", root.display()))?;
    save(&root, "common.mlp", COMMON)?;
    save(&root, "pipeline.mlp", &pipeline())?;
    for file in 0..FILES {
        save(&root, &format!("part_{file}.mlp"), &part(file))?;
    }
    Ok(root)
}

/// The pipeline: imports all parts, and holds what they came to.
fn pipeline() -> String {
    let mut text = String::new();
    for file in 0..FILES {
        let _ = writeln!(text, "import ./part_{file}.mlp");
    }
    text += "\nparam width: Int = 16\n\nall = {\n";
    for file in 0..FILES {
        let _ = writeln!(text, "  part_{file}: part_{file}.all,");
    }
    text + "}\n"
}

/// A part: a table, its split, and trainings with their evaluations.
fn part(file: usize) -> String {
    let mut text = format!(
        "import std.{{data, ml}}
import ./common.mlp

digits = data.csv(
  ./digits.csv, x = data.pixels(\"p*\", channels = 1, height = 8, width = 8), y = data.label(\"digit\", classes = 10),
)
parts = data.split(digits, {{ train: 0.7, val: 0.1, test: 0.2 }}, seed = {file})
"
    );
    for training in 0..TRAININGS {
        let (width, lr) = (8 + 8 * (training % 4), 1 + training);
        let _ = write!(
            text,
            "
## Training {training} of part {file}.
fit_{training} = ml.train(
  common.cnn({width}), on = parts.train, val = parts.val, loss = common.objective,
  optimizer = common.adam(lr = {lr}e-4), metrics = common.scores, epochs = common.epochs({}), batch_size = 64,
  seed = {training},
)
scores_{training} = ml.evaluate(fit_{training}.model, on = parts.test, metrics = common.scores)
",
            1 + training % 3,
        );
    }
    text += "\nall = [\n";
    for training in 0..TRAININGS {
        let _ = writeln!(text, "  scores_{training},");
    }
    text + "]\n"
}

fn save(root: &Path, name: &str, text: &str) -> Result<(), String> {
    let path = root.join(name);
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
}
