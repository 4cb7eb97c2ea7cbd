//! Python environments: from wheels of the project, without a network; and the example, whose packages come from the index
//! once and are kept in a store of the tests. Where the index cannot be reached, that one says so and passes.
#![expect(clippy::disallowed_methods, reason = "whole commands are what is tested")]

use crate::project::{Project, Ran, Report};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs Python code of the machine's `python3`.
fn run_python(code: &str, folder: &Path) -> String {
    let output = Command::new("python3")
        .args(["-c", code])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The version that a `pythonX.Y` of the machine has.
pub(crate) fn version() -> String {
    run_python(
        "import sys; print(f'{sys.version_info[0]}.{sys.version_info[1]}')",
        Path::new("/"),
    )
}

/// A wheel with a module and a program, written at `wheels/own-1.0-py3-none-any.whl`; its hash is printed.
const WHEEL: &str = r#"
import hashlib, os, zipfile
os.makedirs("wheels", exist_ok=True)
name = "wheels/own-1.0-py3-none-any.whl"
with zipfile.ZipFile(name, "w") as wheel:
    for inner, text in {
        "own/__init__.py": "def main():\n    open('said', 'w').write(__file__)\n",
        "own-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: own\nVersion: 1.0\n",
        "own-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "own-1.0.dist-info/entry_points.txt": "[console_scripts]\nown = own:main\n",
        "own-1.0.dist-info/RECORD": "",
    }.items():
        wheel.writestr(zipfile.ZipInfo(inner), text)
print(hashlib.sha256(open(name, "rb").read()).hexdigest())
"#;

/// Writes a wheel of the project; its hash.
pub(crate) fn wheel(project: &Project) -> String {
    run_python(WHEEL, project.root())
}

const SCRIPT: &str = r#"
import importlib.metadata, importlib.util, json, os, sys
import own
found = {
    "version": importlib.metadata.version("own"),
    "compiled": os.path.exists(importlib.util.cache_from_source(own.__file__)),
    "foreign": [path for path in sys.path if "dist-packages" in path or "packages" in path and ".env" not in path],
    "shell": os.path.exists("/bin/sh"),
}
json.dump(found, open("found.json", "w"))
"#;

/// Two steps in an environment that a lock pins.
pub(crate) fn project() -> Project {
    let project = Project::new(&format!(
        r#"import std.{{env, step}}
packages = env.python(./pylock.toml, python = "{}")
made = step(
  ["python", ./look.py], env = packages,
  outputs = {{ found: Metrics[{{ version: Str, compiled: Bool, foreign: List[Str], shell: Bool }}]("found.json") }},
)
said = step(["own"], env = packages, outputs = {{ file: File("said") }})
"#,
        version()
    ));
    project.write("look.py", SCRIPT);
    let hash = wheel(&project);
    project.write(
        "pylock.toml",
        &format!(
            r#"lock-version = "1.0"
created-by = "hand"
[[packages]]
name = "own"
version = "1.0"
[packages.archive]
path = "wheels/own-1.0-py3-none-any.whl"
hashes = {{ sha256 = "{hash}" }}
"#
        ),
    );
    project
}

#[test]
fn a_step_sees_its_locks_packages_and_the_interpreter() {
    let project = project();
    let report = project.build(&["made", "said"]);
    assert_eq!(report.built(), ["made", "pylock.toml", "said"]);
    let found = serde_json::json!({ "version": "1.0", "compiled": true, "foreign": [], "shell": false });
    let artifacts = report.0["artifacts"].as_array().unwrap();
    assert_eq!(artifacts[0]["value"], found);
    let said = std::fs::read_to_string(project.root().join("result/said.file"));
    let said = said
        .or_else(|_| std::fs::read_to_string(project.root().join("result/said.file/said")))
        .unwrap();
    assert_eq!(said, "/build/.env/packages/site-packages/own/__init__.py");
    assert!(project.build(&["made", "said"]).built().is_empty());

    let shown = project.run(&["env"]);
    assert!(
        shown.out.starts_with("env.python ./pylock.toml, Python "),
        "{}",
        shown.out
    );
    let own = |line: &str| line.split_whitespace().eq(["own", "1.0"]);
    assert!(shown.out.lines().any(own), "{}", shown.out);

    // A lock that is written in another way makes the same environment.
    project.edit(
        "pylock.toml",
        "created-by = \"hand\"",
        "created-by = \"another hand\"",
    );
    assert!(project.build(&["made"]).built().is_empty());
    let again = project.run(&["build", "made", "--check"]);
    assert_eq!(again.code, Some(0), "{}", again.err);

    // How it was made is told as it is: the step in the sandbox, its packages not.
    let show = project.run(&["show", "made", "--format", "json"]);
    let show: serde_json::Value = serde_json::from_str(&show.out).unwrap();
    let isolation = (
        show[0]["isolation"].as_str(),
        show[0]["effective_isolation"].as_str(),
    );
    assert_eq!(isolation, (Some("sandboxed"), Some("pinned")));
    let shown = project.run(&["show", "made"]).out;
    let made =
        "in the sandbox; of what it reads, some outside of the sandbox, from content that is pinned by hash";
    assert!(shown.contains(made), "{shown}");
}

#[test]
fn locks_and_interpreters_that_do_not_fit() {
    let project = project();
    let lock = std::fs::read_to_string(project.root().join("pylock.toml")).unwrap();
    let at = lock.find("sha256 = \"").unwrap() + 10;
    project.write(
        "pylock.toml",
        &format!("{}{}{}", &lock[..at], "0".repeat(64), &lock[at + 64..]),
    );
    insta::assert_snapshot!("another_hash", project.shown(&["build", "made"]));
    project.write(
        "pylock.toml",
        &lock.replace(
            "path = \"wheels/own-1.0-py3-none-any.whl\"",
            "path = \"own-1.0-cp37-cp37m-win32.whl\"",
        ),
    );
    let shown = project.shown(&["build", "made"]).replace(&version(), "[VERSION]");
    insta::assert_snapshot!("another_platform", shown);
    std::fs::remove_file(project.root().join("pylock.toml")).unwrap();
    let shown = project.shown(&["build", "made"]).replace(&version(), "[VERSION]");
    insta::assert_snapshot!("no_lock_file", shown);
    project.write("pylock.toml", &lock);
    project.edit(
        "pipeline.mlp",
        &format!("python = \"{}\"", version()),
        "python = \"3.5\"",
    );
    let ran = project.run(&["build", "made"]);
    assert!(
        ran.err.contains("error E0617: there is no Python 3.5 here"),
        "{}",
        ran.err
    );
    assert_eq!(ran.code, Some(1));
}

/// A project whose requirements name [`WHEEL`] by its hash, in whatever index it is.
fn required(hash: &str) -> Project {
    let project = Project::new(&format!(
        "import std.{{env, step}}\nmade = step([\"own\"], env = env.python(./requirements.txt, python = \"{}\"), outputs = {{ file: File(\"said\") }})\n",
        version()
    ));
    let requirements = format!(
        "# by hand\nown==1.0 \\\n    --hash=sha256:{} \\\n    --hash=sha256:{hash}\ncolorama==0.4.6 ; sys_platform == 'win32' --hash=sha256:{}\n",
        "0".repeat(64),
        "1".repeat(64)
    );
    project.write("requirements.txt", &requirements);
    project
}

/// Runs a command whose pip knows the wheels of the folder `index` and no network.
fn with_index(project: &Project, index: &Path, arguments: &[&str]) -> Ran {
    let mut command = project.command(arguments);
    command.env("PIP_NO_INDEX", "1").env("PIP_FIND_LINKS", index);
    Ran::of(command.output().unwrap())
}

#[test]
fn requirements_are_fetched_by_their_hashes() {
    let elsewhere = Project::new("");
    let hash = wheel(&elsewhere);
    let index = elsewhere.root().join("wheels");
    let project = required(&hash);
    let built = with_index(&project, &index, &["build", "made"]);
    assert_eq!(built.code, Some(0), "{}", built.err);
    let said = std::fs::read_to_string(project.root().join("result/made.file"));
    let said = said
        .or_else(|_| std::fs::read_to_string(project.root().join("result/made.file/said")))
        .unwrap();
    assert_eq!(said, "/build/.env/packages/site-packages/own/__init__.py");
    // Where it came from is no part of it: without an index there is nothing to do.
    let nowhere = project.root().join("nowhere");
    let again = with_index(&project, &nowhere, &["build", "made"]);
    assert!(again.err.contains("nothing to do"), "{}", again.err);

    // What pip says is its own affair, and holds places of this machine.
    let shown = |ran: &Ran| {
        let text = project.redacted(ran).replace(&version(), "[VERSION]");
        let of_pip = |line: &&str| line.starts_with("  log:") || line.starts_with("       ");
        text.lines()
            .filter(|line| !of_pip(line))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let other = required(&"2".repeat(64));
    let wrong = with_index(&other, &index, &["build", "made"]);
    insta::assert_snapshot!("fetched_another_hash", shown(&wrong));
    let missing = with_index(&other, &nowhere, &["build", "made"]);
    insta::assert_snapshot!("fetched_nothing", shown(&missing));
    other.write("requirements.txt", "own==1.0\nnumpy>=2\n");
    insta::assert_snapshot!(
        "requirements_without_hashes",
        shown(&with_index(&other, &index, &["env", "check"]))
    );
}

#[test]
fn packages_cannot_be_fetched_without_pip() {
    let project = required(&"2".repeat(64));
    let interpreter = run_python("import sys; print(sys.executable)", project.root());
    let programs = project.root().join("programs");
    std::fs::create_dir(&programs).unwrap();
    std::os::unix::fs::symlink(interpreter, programs.join(format!("python{}", version()))).unwrap();
    let mut command = project.command(&["build", "made"]);
    let ran = Ran::of(command.env("PATH", &programs).output().unwrap());
    let shown = project.redacted(&ran).replace(&version(), "[VERSION]");
    insta::assert_snapshot!("no_pip", shown);
}

#[test]
fn requirements_of_the_index_are_fetched() {
    let project = Project::new(&format!(
        "import std.{{env, step}}\nmade = step([\"python\", \"-c\", \"import six; open('o', 'w').write(six.__version__)\"], env = env.python(./requirements.txt, python = \"{}\"), outputs = {{ o: File(\"o\") }})\n",
        version()
    ));
    // As `uv pip compile --generate-hashes` writes it; the second file is of source code, and is passed over.
    project.write(
        "requirements.txt",
        "six==1.17.0 \\\n    --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274 \\\n    --hash=sha256:ff70335d468e7eb6ec65b95b99d3a2836546063f63acc5171de367e834932a81\n    # via -r six.in\n",
    );
    let ran = project.run(&["build", "made"]);
    if ran.err.contains("error E0626") {
        eprintln!("the index cannot be reached, so it is not tested:\n{}", ran.err);
        return;
    }
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(
        std::fs::read_to_string(project.root().join("result/made.o")).unwrap(),
        "1.17.0"
    );
}

/// The example in a folder of its own, its scripts changed so that they were never run before.
fn example() -> Project {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/python-scripts");
    let text = |path: &str| std::fs::read_to_string(from.join(path)).unwrap();
    let project = Project::new(&text("pipeline.mlp"));
    for path in ["params.yaml", "uv.lock", "data/digits.csv", "src/digits.py"] {
        project.write(path, &text(path));
    }
    let new = project.root().parent().unwrap().display().to_string();
    for path in ["src/prepare.py", "src/train.py", "src/evaluate.py", "src/plot.py"] {
        project.write(path, &format!("{}# {new}\n", text(path)));
    }
    project
}

fn store() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-store")
}

/// Runs a command with a store in which packages that were fetched once are kept.
pub(crate) fn run(project: &Project, arguments: &[&str]) -> Ran {
    Ran::of(
        project
            .command(arguments)
            .env("MLP_STORE", store())
            .output()
            .unwrap(),
    )
}

fn built(project: &Project) -> Report {
    let ran = run(project, &["build", "evaluate", "plot", "--format", "json"]);
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
    Report(serde_json::from_str(&ran.out).unwrap())
}

#[test]
fn the_example_of_scripts_builds_and_reruns_what_changed() {
    let project = example();
    let first = run(&project, &["build", "prepare"]);
    if first.err.contains("error E0626") || first.err.contains("error E0617") {
        eprintln!(
            "the example's environment cannot be made here, so it is not tested:\n{}",
            first.err
        );
        return;
    }
    assert_eq!(first.code, Some(0), "{}", first.err);
    let report = built(&project);
    let value = &report.0["artifacts"][0]["value"];
    assert!(value["accuracy"].as_f64().unwrap() > 0.9, "{value}");
    let figure = std::fs::read(project.root().join("result/plot.png")).unwrap();
    assert!(figure.starts_with(b"\x89PNG"));
    assert!(built(&project).built().is_empty());

    project.edit("params.yaml", "trees: 60", "trees: 20");
    let again = built(&project).built();
    assert!(
        again.starts_with(&["fit".to_owned()]) && !again.contains(&"prepare".to_owned()),
        "{again:?}"
    );

    // What a step forgets is named, with the line that needs it.
    project.edit(
        "pipeline.mlp",
        "env = python, inputs = { shared: \"src/digits.py\" },\n  outputs = { model",
        "env = python,\n  outputs = { model",
    );
    let forgot = run(&project, &["build", "fit"]);
    assert!(
        forgot
            .err
            .contains("error S0111: `fit` failed: it looked for `src/digits.py`"),
        "{}",
        forgot.err
    );
    assert!(forgot.err.contains("src/train.py:8:1"), "{}", forgot.err);
    assert!(
        forgot.err.contains("`inputs = { digits: ./src/digits.py }`"),
        "{}",
        forgot.err
    );
}

#[test]
fn a_shell_has_the_locks_packages_and_the_programs_that_it_needs() {
    let project = project();
    let ran = project.run(&[
        "shell",
        "made",
        "--",
        "sh",
        "-c",
        "python -c 'import own; print(own.__file__)'; ls; exit 3",
    ]);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    assert_eq!(
        ran.out,
        "/build/.env/packages/site-packages/own/__init__.py\nlook.py\n"
    );
    // What a lock brings is no file of the project.
    let traced = project.run(&["step", "trace", "made"]);
    assert_eq!(
        (traced.code, traced.out.as_str()),
        (Some(0), ""),
        "{}",
        traced.err
    );
    assert!(
        traced
            .err
            .contains("reads nothing of the project that it does not declare"),
        "{}",
        traced.err
    );
    // Programs were added, and with them no packages of the machine.
    let foreign = ["shell", "made", "--", "ls", "/usr/lib/python3/dist-packages"];
    assert_ne!(project.run(&foreign).code, Some(0));
}
