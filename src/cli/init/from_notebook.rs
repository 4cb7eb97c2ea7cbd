//! `mlp init --from notebook.ipynb`: a script of its code cells, and a pipeline that runs it as one step.

use super::files::{self, Files};
use super::notebook::{self, Script};
use super::{packages, refused, write};
use crate::cli::exit::{Exit, Refusal};
use crate::cli::script::name as name_of;
use crate::engine::PIPELINE;
use mlp_lang::format::format as laid_out;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Names that the pipeline cannot give to a step.
const TAKEN: &[&str] = &[
    "and", "else", "env", "false", "fn", "for", "if", "import", "let", "match", "not", "null", "or", "param",
    "python", "std", "step", "then", "true",
];

/// What is written where a notebook writes nothing.
const PRINTED: &str = "printed.txt";

/// Writes the script, and the pipeline that runs it, into `folder`.
pub(super) fn run(from: &Path, folder: &Path) -> Result<Exit, Refusal> {
    let text = std::fs::read_to_string(from)
        .map_err(|error| Refusal::new(format!("`{}` cannot be read: {error}", from.display())))?;
    let script = notebook::read(&text).map_err(|(why, help)| {
        let refusal = Refusal::new(format!("`{}` cannot be taken over: {why}", from.display()));
        match help {
            Some(help) => refusal.hint(help),
            None => refusal,
        }
    })?;
    std::fs::create_dir_all(folder).map_err(|error| refused(folder, &error))?;
    let root = folder.canonicalize().map_err(|error| refused(folder, &error))?;
    let start = Start::of(script, from, &root);
    let manifest = start.manifest().map(|text| ("pyproject.toml".to_owned(), text));
    let pipeline = (PIPELINE.to_owned(), start.pipeline());
    // The pipeline last: a folder with a pipeline has its script too.
    let all: Vec<(String, String)> = [(start.place(), start.text())]
        .into_iter()
        .chain(manifest)
        .chain([pipeline])
        .collect();
    let places: Vec<PathBuf> = all.iter().map(|(path, _)| folder.join(path)).collect();
    if let Some(there) = places.iter().find(|place| place.exists()) {
        return Err(refused(there, &ErrorKind::AlreadyExists.into()));
    }
    for (place, (_, text)) in places.iter().zip(&all) {
        write(place, text)?;
    }
    let shown = |place: &PathBuf| place.strip_prefix(".").unwrap_or(place).display().to_string();
    let written: Vec<String> = places.iter().map(shown).collect();
    eprintln!("wrote {}", listed(&written));
    start.notes().iter().for_each(|note| eprintln!("note: {note}"));
    eprintln!("hint: {}", start.hint());
    Ok(Exit::Success)
}

fn listed(names: &[String]) -> String {
    match names {
        [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        names => names.join(""),
    }
}

/// A project to start from.
struct Start {
    script: Script,
    files: Files,
    /// The notebook's file name, and what is before its ending.
    notebook: String,
    stem: String,
    /// The folder that the script runs in, from the root.
    here: String,
    /// Packages that are imported.
    packages: Vec<String>,
    /// Modules of the project that are imported: files, and folders.
    modules: Vec<String>,
    /// The lock that is there already.
    lock: Option<String>,
    has_manifest: bool,
}

impl Start {
    fn of(script: Script, from: &Path, root: &Path) -> Self {
        let notebook = from
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let stem = notebook
            .rsplit_once('.')
            .map_or(notebook.as_str(), |(stem, _)| stem)
            .to_owned();
        // A notebook of the project keeps its paths; of another place, they are seen from the root.
        let inside = from.canonicalize().ok().and_then(|from| {
            let folder = from.parent()?.strip_prefix(root).ok()?;
            Some(folder.to_string_lossy().into_owned())
        });
        let here = inside.unwrap_or_default();
        let files = files::guess(&script.scan, root, &here);
        let module = |name: &str| {
            let place = files::below(&here, name)?;
            let file = format!("{place}.py");
            match root.join(&file).is_file() {
                true => Some(file),
                false => root.join(&place).is_dir().then(|| format!("{place}/**/*.py")),
            }
        };
        let first = |import: &String| {
            import
                .trim_start_matches('.')
                .split('.')
                .next()
                .map(str::to_owned)
        };
        let imported: BTreeSet<String> = script.scan.imports.iter().filter_map(first).collect();
        let modules = imported.iter().filter_map(|name| module(name)).collect();
        let packages = packages::of(&script.scan.imports, |name| module(name).is_some());
        let lock = lock(root);
        let has_manifest = root.join("pyproject.toml").exists();
        Self {
            script,
            files,
            notebook,
            stem,
            here,
            packages,
            modules,
            lock,
            has_manifest,
        }
    }

    /// The script's path.
    fn place(&self) -> String {
        let place = PathBuf::from(&self.here).join(format!("{}.py", self.stem));
        place.to_string_lossy().into_owned()
    }

    fn writes_nothing(&self) -> bool {
        self.files.written.is_empty() && self.files.written_folders.is_empty()
    }

    /// The script.
    fn text(&self) -> String {
        let mut text = format!(
            "# {}, as a script: `mlp init --from` made it of the code cells.\n",
            self.notebook
        );
        if self.writes_nothing() {
            text.push_str(&format!(
                "\n# The notebook writes no file, and a step is what it writes: so what it prints is kept.\nimport sys\n\nsys.stdout = open(\"{PRINTED}\", \"w\")\n"
            ));
        }
        let scan = &self.script.scan;
        let shows = scan.calls.iter().any(|call| call == "display");
        if shows && !scan.imports.iter().any(|module| module.starts_with("IPython")) {
            text.push_str("\n\n# Jupyter's `display`, as far as a script can show.\ndef display(*values):\n    print(*values)\n");
        }
        text + &self.script.text
    }

    fn python(&self) -> &str {
        self.script.python.as_deref().unwrap_or("3.11")
    }

    /// The environment, and what Python is called in it.
    fn environment(&self) -> (String, &'static str) {
        let version = self.python();
        match self.lock.as_deref() {
            _ if self.packages.is_empty() => ("env.host([\"python3\"])".to_owned(), "python3"),
            Some("flake.lock") => ("env.flake(./flake.nix)".to_owned(), "python3"),
            Some(lock) => (format!("env.python(./{lock}, python = \"{version}\")"), "python"),
            None => (format!("env.python(./uv.lock, python = \"{version}\")"), "python"),
        }
    }

    /// A pyproject.toml, where packages are imported and nothing says yet which.
    fn manifest(&self) -> Option<String> {
        if self.packages.is_empty() || self.lock.is_some() || self.has_manifest {
            return None;
        }
        let list: String = self
            .packages
            .iter()
            .map(|package| format!("    \"{package}\",\n"))
            .collect();
        let name = name_of(&self.stem).replace('_', "-");
        Some(format!(
            "[project]\nname = \"{}\"\nversion = \"0.1.0\"\nrequires-python = \">={}\"\n# By what {} imports; say here which versions you want.\ndependencies = [\n{list}]\n",
            name.trim_matches('-'),
            self.python(),
            self.notebook,
        ))
    }

    fn pipeline(&self) -> String {
        let (environment, python) = self.environment();
        let step = self.step();
        let mut parts = vec![
            format!("[\"{python}\", {}]", path(&self.place())),
            "env = python".to_owned(),
        ];
        if let Some(inputs) = self.inputs() {
            parts.push(format!("inputs = {{ {inputs} }}"));
        }
        parts.push(format!("outputs = {{ {} }}", self.outputs()));
        if !self.here.is_empty() {
            parts.push(format!("cwd = \"{}\"", self.here));
        }
        if self.packages.iter().any(|package| package == "matplotlib") {
            parts.push("vars = { MPLBACKEND: \"Agg\", MPLCONFIGDIR: \"/tmp\" }".to_owned());
        }
        let parts: String = parts.iter().map(|part| format!("  {part},\n")).collect();
        let text = format!(
            "# pipeline.mlp: {notebook} as one step, to start from. Cut it into several where a part takes long: what comes\n\
             # out of each is kept, and only what changed is run again.\nimport std.{{env, step}}\n\npython = {environment}\n\n\
             ## The code cells of {notebook}.\n{step} = step(\n{parts})\n",
            notebook = self.notebook,
        );
        laid_out(&text).unwrap_or(text)
    }

    fn step(&self) -> String {
        let name = name_of(&self.stem);
        match TAKEN.contains(&name.as_str()) {
            true => format!("{name}_notebook"),
            false => name,
        }
    }

    /// `data: ./data.csv, …`; none where nothing is read.
    fn inputs(&self) -> Option<String> {
        let mut names = Names::default();
        let files = self
            .files
            .read
            .iter()
            .chain(&self.files.missing)
            .map(|file| (file, path(file)));
        let globs = self
            .files
            .folders
            .iter()
            .map(|folder| (folder, format!("\"{folder}/**\"")));
        let modules = self.modules.iter().map(|module| match module.contains('*') {
            true => (module, format!("\"{module}\"")),
            false => (module, path(module)),
        });
        let all = files.chain(globs).chain(modules);
        let all: Vec<String> = all
            .map(|(file, written)| format!("{}: {written}", names.of(file)))
            .collect();
        (!all.is_empty()).then(|| all.join(", "))
    }

    fn outputs(&self) -> String {
        let mut names = Names::default();
        if self.writes_nothing() {
            return format!("printed: File(\"{PRINTED}\")");
        }
        let files = self.files.written.iter().map(|file| {
            let ending = file.rsplit('.').next().unwrap_or_default();
            let kind = match ending {
                "png" | "svg" | "pdf" | "jpg" | "jpeg" => "Plot",
                _ => "File",
            };
            (file, kind)
        });
        let all = files.chain(self.files.written_folders.iter().map(|folder| (folder, "Dir")));
        let all: Vec<String> = all
            .map(|(file, kind)| format!("{}: {kind}(\"{file}\")", names.of(file)))
            .collect();
        all.join(", ")
    }

    /// What there is to say of what was guessed.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        match self.script.taken_out.len() {
            0 => {}
            1 => {
                notes
                    .push("a line of Jupyter's own was taken out; the script has it as a comment".to_owned());
            }
            n => notes.push(format!(
                "{n} lines of Jupyter's own were taken out; the script has them as comments"
            )),
        }
        let quoted = |list: &[String]| {
            let all: Vec<String> = list.iter().map(|path| format!("`{path}`")).collect();
            listed(&all)
        };
        let files = &self.files;
        if !files.missing.is_empty() {
            notes.push(format!(
                "it reads {}, missing in the project: put it there",
                quoted(&files.missing)
            ));
        }
        if !files.outside.is_empty() {
            notes.push(format!(
                "it names {}, outside of the project, where a step sees nothing: copy it here, and change the path",
                quoted(&files.outside)
            ));
        }
        if !files.remote.is_empty() {
            notes.push(format!(
                "it reads {}, and steps have no network: download it once, and name the file",
                quoted(&files.remote)
            ));
        }
        notes
    }

    fn hint(&self) -> String {
        let step = self.step();
        match self.packages.is_empty() || self.lock.is_some() {
            true => format!("read pipeline.mlp, then run `mlp build {step}`"),
            false => format!("`mlp env lock` pins the packages; then `mlp build {step}`"),
        }
    }
}

/// The lock of Python packages, or of a flake, that lies in `root`.
fn lock(root: &Path) -> Option<String> {
    let hashed = |name: &str| {
        let text = std::fs::read_to_string(root.join(name));
        text.is_ok_and(|text| text.contains("--hash="))
    };
    let there = |name: &&str| match *name {
        "requirements.txt" => hashed(name),
        name => root.join(name).is_file(),
    };
    let locks = ["uv.lock", "pylock.toml", "requirements.txt", "flake.lock"];
    locks
        .iter()
        .find(|name| there(name))
        .map(|name| (*name).to_owned())
}

/// A path as it is written in the pipeline.
fn path(path: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-._+@%~/".contains(c);
    match path.chars().all(plain) {
        true => format!("./{path}"),
        false => format!("./\"{path}\""),
    }
}

/// Names for files, each once.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn of(&mut self, file: &str) -> String {
        let file = file.strip_suffix("/**/*.py").unwrap_or(file);
        let name = name_of(file);
        let name = match TAKEN.contains(&name.as_str()) {
            true => format!("{name}_file"),
            false => name,
        };
        let mut unique = name.clone();
        let mut number = 2;
        while !self.0.insert(unique.clone()) {
            unique = format!("{name}_{number}");
            number += 1;
        }
        unique
    }
}
