//! Pipelines of scripts: examples/python-scripts built by `mlp` and by `dvc repro`, the same scripts on the same packages; and
//! how long its environment takes to be there, from wheels that were fetched before.

use super::{Row, dvc};
use crate::{demo, peers, shell};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Counted runs of what takes milliseconds, and of what takes seconds.
const MANY: usize = 15;
const FEW: usize = 3;

/// A pipeline that asks for the environment and next to nothing else.
const READY: &str = "\
import std.{env, step}
ready = step([\"python\", \"-c\", \"open('o', 'w')\"], env = env.python(./uv.lock, python = \"3.11\"), outputs = { o: File(\"o\") })
";

/// Where everything of a run lies: nothing of it is kept for the next.
struct Place {
    folder: PathBuf,
    example: PathBuf,
    wheels: PathBuf,
}

/// The rows of all.
pub(super) fn rows() -> Result<Vec<Row>, String> {
    shell::run(&mut shell::command("cargo build --release --package mlp"))?;
    let folder = shell::target().join("bench/steps");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let place = Place {
        wheels: folder.join("wheels"),
        folder,
        example: shell::root().join("examples/python-scripts"),
    };
    let uv = peers::ensure(&peers::UV).ok_or("without uv the packages cannot be listed")?;
    fetch(&place, &uv.join("uv"))?;
    let mut rows = environment(&place, &uv.join("uv"))?;
    rows.extend(pipeline(&place)?);
    // A dozen environments are gigabytes.
    fs::remove_dir_all(&place.folder).map_err(|error| format!("{}: {error}", place.folder.display()))?;
    Ok(rows)
}

/// Lists what the lock pins, and has pip fetch it once.
fn fetch(place: &Place, uv: &Path) -> Result<(), String> {
    let mut export = shell::program(uv, &place.example);
    export.args([
        "export",
        "--frozen",
        "--no-hashes",
        "--no-emit-project",
        "--quiet",
        "--output-file",
    ]);
    shell::run(export.arg(place.requirements()))?;
    let mut download = shell::program(Path::new("python3.11"), &place.folder);
    download.args([
        "-m",
        "pip",
        "download",
        "--quiet",
        "--only-binary=:all:",
        "--no-deps",
        "--dest",
    ]);
    shell::run(download.arg(&place.wheels).arg("-r").arg(place.requirements())).map(drop)
}

impl Place {
    fn requirements(&self) -> PathBuf {
        self.folder.join("requirements.txt")
    }

    /// A project with files of the example.
    fn project(&self, name: &str, files: &[&str]) -> Result<PathBuf, String> {
        let folder = self.folder.join(name);
        for file in files {
            let (from, to) = (self.example.join(file), folder.join(file));
            let parent = to.parent().unwrap_or(&folder);
            fs::create_dir_all(parent)
                .and_then(|()| fs::copy(&from, &to))
                .map_err(|error| format!("{}: {error}", to.display()))?;
        }
        Ok(folder)
    }

    /// `mlp` in `project`, with the fetched wheels for an index.
    fn mlp(&self, project: &Path, store: &Path, arguments: &[&str]) -> Command {
        let mut command = shell::program(&demo::mlp(), project);
        command
            .args(arguments)
            .env("MLP_STORE", store)
            .env("PIP_NO_INDEX", "1")
            .env("PIP_FIND_LINKS", &self.wheels);
        command
    }
}

/// The environment, made anew each time; and in a new checkout, when the store has it.
fn environment(place: &Place, uv: &Path) -> Result<Vec<Row>, String> {
    let mut number = 0;
    let mut fresh = |what: &str| {
        number += 1;
        place.folder.join(format!("{what}-{number}"))
    };
    let project = |folder: &Path| -> Result<(), String> {
        let made = fs::create_dir_all(folder)
            .and_then(|()| fs::copy(place.example.join("uv.lock"), folder.join("uv.lock")))
            .and_then(|_| fs::write(folder.join("pipeline.mlp"), READY));
        made.map_err(|error| format!("{}: {error}", folder.display()))
    };
    let shared = fresh("project");
    project(&shared)?;
    let store = place.folder.join("store");
    let ours = shell::median(FEW, || place.mlp(&shared, &fresh("store"), &["build", "ready"]));
    shell::run(&mut place.mlp(&shared, &store, &["build", "ready"]))?;
    let mut checkouts = Vec::new();
    for _ in 0..FEW {
        let checkout = fresh("checkout");
        project(&checkout)?;
        checkouts.push(checkout);
    }
    let mut waiting = checkouts.iter();
    let again = shell::median(FEW, || {
        let checkout = waiting.next().unwrap_or(&shared);
        place.mlp(checkout, &store, &["build", "ready"])
    });
    let script = |script: String| {
        let mut command = shell::program(Path::new("sh"), &place.folder);
        command.args(["-ec", &script]);
        command
    };
    let wheels = format!("--no-index --find-links {}", place.wheels.display());
    let list = place.requirements();
    let pip = shell::median(FEW, || {
        let venv = fresh("venv");
        let (venv, list) = (venv.display(), list.display());
        script(format!(
            "python3.11 -m venv {venv}; {venv}/bin/pip install --quiet {wheels} -r {list}"
        ))
    });
    let mut with_uv = || {
        let venv = fresh("venv");
        let (uv, venv, list) = (uv.display(), venv.display(), list.display());
        script(format!(
            "{uv} venv --quiet --python python3.11 {venv}; {uv} pip install --quiet --compile-bytecode --python {venv}/bin/python {wheels} -r {list}"
        ))
    };
    // Once before, so that uv has unpacked the wheels into its cache.
    shell::output(&mut with_uv()).ok_or("uv cannot install the packages")?;
    let uv = shell::median(FEW, with_uv);
    let ours = millis(ours.ok_or("the environment cannot be made")?);
    let again = millis(again.ok_or("the environment cannot be found again")?);
    let row = |what, ours, theirs: Option<Duration>, peer| Row {
        what,
        ours,
        theirs: theirs.map(millis),
        peer,
        unit: "ms",
    };
    Ok(vec![
        row("environment from wheels", ours, pip, "venv, pip install"),
        row("environment from wheels", ours, uv, "uv pip install"),
        row("environment in a new checkout", again, uv, "uv pip install"),
    ])
}

/// The four scripts: all of them, none of them, and those that a changed parameter reaches.
fn pipeline(place: &Place) -> Result<Vec<Row>, String> {
    let scripts = [
        "src/prepare.py",
        "src/train.py",
        "src/evaluate.py",
        "src/plot.py",
        "src/digits.py",
    ];
    let common = [&scripts[..], &["params.yaml", "data/digits.csv"]].concat();
    let ours = place.project("scripts", &[&common[..], &["pipeline.mlp", "uv.lock"]].concat())?;
    let store = place.folder.join("store");
    let build = || place.mlp(&ours, &store, &["build", "evaluate", "plot"]);
    // The environment is there, as DVC's is; what is timed are the scripts.
    let all = once(&mut build())?;
    let none = shell::median(MANY, build).ok_or("the second build of the scripts fails")?;
    fewer_trees(&ours)?;
    let some = once(&mut build())?;

    let theirs = match peers::ensure(&peers::DVC) {
        Some(programs) => {
            let folder = place.project("dvc", &common)?;
            dvc_times(place, &programs, &folder)
        }
        None => None,
    };
    let row = |what, ours: Duration, theirs: Option<Duration>| Row {
        what,
        ours: millis(ours),
        theirs: theirs.map(millis),
        peer: "dvc repro, four stages",
        unit: "ms",
    };
    let of = |index: usize| theirs.map(|times| times[index]);
    Ok(vec![
        row("four scripts, first build", all, of(0)),
        row("four scripts, nothing to do", none, of(1)),
        row("four scripts, a changed parameter", some, of(2)),
    ])
}

/// What DVC takes for the same: all stages, none, those that the parameter reaches.
fn dvc_times(place: &Place, programs: &Path, folder: &Path) -> Option<[Duration; 3]> {
    let python = place.folder.join("dvc-venv");
    let (venv, wheels, list) = (python.display(), place.wheels.display(), place.requirements());
    let list = list.display();
    let install = format!(
        "python3.11 -m venv {venv}; {venv}/bin/pip install --quiet --no-index --find-links {wheels} -r {list}"
    );
    let mut made = shell::program(Path::new("sh"), &place.folder);
    let made = shell::run(made.args(["-ec", &install])).and_then(|_| {
        fs::write(folder.join("dvc.yaml"), dvc::scripts(&python)).map_err(|error| error.to_string())
    });
    if let Err(why) = made {
        eprintln!("xtask: no figure of dvc: {why}");
        return None;
    }
    let repro = || {
        let mut command = shell::program(&programs.join("dvc"), folder);
        command.args(["repro", "--quiet"]);
        command
    };
    let mut init = shell::program(&programs.join("dvc"), folder);
    shell::output(init.args(["init", "--no-scm", "--quiet"]))?;
    let told = |why: String| eprintln!("xtask: no figure of dvc: {why}");
    let all = once(&mut repro()).map_err(told).ok()?;
    let none = shell::median(FEW, repro)?;
    fewer_trees(folder).map_err(told).ok()?;
    let some = once(&mut repro()).map_err(told).ok()?;
    Some([all, none, some])
}

/// How long a command takes that must succeed.
fn once(command: &mut Command) -> Result<Duration, String> {
    let start = Instant::now();
    match shell::output(command) {
        Some(_) => Ok(start.elapsed()),
        None => Err(format!("{:?} fails", command.get_program())),
    }
}

fn fewer_trees(project: &Path) -> Result<(), String> {
    let path = project.join("params.yaml");
    let changed =
        fs::read_to_string(&path).and_then(|text| fs::write(&path, text.replace("trees: 60", "trees: 20")));
    changed.map_err(|error| format!("{}: {error}", path.display()))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
