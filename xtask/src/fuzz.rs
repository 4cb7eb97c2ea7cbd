//! `cargo xtask fuzz`: runs the fuzz targets of the language (`lang/fuzz`) with libFuzzer, on the stable toolchain: the
//! coverage that guides it is a pass of LLVM that needs no nightly flag, and no sanitizer, since the language has no
//! unsafe code.
//!
//! Corpora grow in `target/fuzz/corpus`, and what fails is written to `target/fuzz/found`.

use crate::shell;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

/// The targets, and how long a text may get.
const TARGETS: &[(&str, u32)] = &[
    ("lexer", 4096),
    ("parser", 4096),
    ("checker", 4096),
    ("evaluator", 4096),
    ("formatter", 4096),
    ("data", 2048),
];

/// What tells libFuzzer which code a text reaches.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";

const TRIPLE: &str = env!("TRIPLE");

/// Runs the named target, or all one after the other, each for `seconds`.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let (target, seconds) = read(arguments)?;
    let chosen: Vec<_> = TARGETS
        .iter()
        .filter(|(name, _)| target.is_none_or(|wanted| wanted == *name))
        .collect();
    if chosen.is_empty() {
        let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
        return Err(format!(
            "there is no fuzz target `{}`; the targets are {}",
            target.unwrap_or_default(),
            names.join(", ")
        ));
    }
    build()?;
    let mut failed = Vec::new();
    for (name, longest) in chosen {
        let seeds = seeds(name)?;
        if let Err(message) = fuzz(name, *longest, seconds, &seeds) {
            eprintln!("xtask: {message}");
            failed.push(*name);
        }
    }
    match failed.as_slice() {
        [] => Ok(()),
        failed => Err(format!(
            "fuzz: FAILED: {}; keep what was found as a file in lang/tests/crashes/<target>",
            failed.join(", ")
        )),
    }
}

/// `[target] [--seconds n]`.
fn read<'a>(arguments: &[&'a str]) -> Result<(Option<&'a str>, u32), String> {
    let (mut target, mut seconds) = (None, 60);
    let mut rest = arguments.iter();
    while let Some(&argument) = rest.next() {
        match argument {
            "--seconds" => {
                let given = rest.next().and_then(|text| text.parse().ok());
                seconds = given.ok_or("`--seconds` takes a whole number")?;
            }
            name if target.is_none() && !name.starts_with('-') => target = Some(name),
            other => return Err(format!("fuzz takes a target and `--seconds n`, not `{other}`")),
        }
    }
    Ok((target, seconds))
}

fn built() -> PathBuf {
    shell::target().join("fuzz")
}

fn build() -> Result<(), String> {
    // With a triple, the flags do not reach build scripts, which libFuzzer's runtime is not linked to.
    let mut command = shell::command(&format!("cargo build --release --target {TRIPLE}"));
    command
        .current_dir(shell::root().join("lang/fuzz"))
        .env("RUSTFLAGS", COVERAGE)
        .env("CARGO_TARGET_DIR", built());
    shell::run(&mut command).map(drop)
}

fn fuzz(name: &str, longest: u32, seconds: u32, seeds: &Path) -> Result<(), String> {
    let (corpus, found) = (built().join("corpus").join(name), built().join("found"));
    for folder in [&corpus, &found] {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    // Coverage makes frames larger than the evaluator's depth is measured for.
    let mut command = shell::program(Path::new("sh"), &shell::root());
    command
        .args(["-c", "ulimit -s 65536 && exec nice -n 19 \"$0\" \"$@\""])
        .arg(built().join(TRIPLE).join("release").join(name))
        .args([&corpus, seeds])
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={longest}"))
        .arg(format!("-artifact_prefix={}/{name}-", found.display()))
        .args(["-timeout=300", "-rss_limit_mb=4096", "-print_final_stats=1"]);
    shell::run(&mut command).map(drop)
}

/// A folder with the texts to begin with: all of `.mlp`, or of data files, that this repository has.
fn seeds(target: &str) -> Result<PathBuf, String> {
    let folder = built().join("seeds").join(target);
    // Made anew, so that what has gone from the repository goes from here.
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let data = target == "data";
    let extensions: &[&str] = if data { &["json", "yaml", "toml"] } else { &["mlp"] };
    let mut texts = Vec::new();
    for place in ["stdlib", "examples", "lang/tests", "docs", "src/cli"] {
        collect(&shell::root().join(place), extensions, &mut texts);
    }
    for text in texts {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let path = folder.join(format!("{:016x}", hasher.finish()));
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(folder)
}

/// The texts below `folder`: files, each case of a file of cases, and the fences of documents.
fn collect(folder: &Path, extensions: &[&str], texts: &mut Vec<Vec<u8>>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        let extension = path
            .extension()
            .and_then(|extension| extension.to_str())
            .unwrap_or("");
        let wanted = extensions.contains(&extension);
        if path.is_dir() {
            collect(&path, extensions, texts);
        } else if wanted || extension == "md" {
            let Ok(bytes) = std::fs::read(&path) else { continue };
            match std::str::from_utf8(&bytes) {
                Ok(text) if !wanted => texts.extend(fences(text, extensions)),
                Ok(text) => texts.extend(cases(text)),
                Err(_) => texts.push(bytes),
            }
        }
    }
}

/// A text, or the cases that it is made of.
fn cases(text: &str) -> Vec<Vec<u8>> {
    let titled = text.split("# === ").skip(1);
    let cases: Vec<Vec<u8>> = titled
        .flat_map(|case| {
            case.split_once('\n')
                .map_or("", |(_, rest)| rest)
                .split("# --- formatted\n")
        })
        .map(|case| case.as_bytes().to_vec())
        .collect();
    if cases.is_empty() {
        vec![text.as_bytes().to_vec()]
    } else {
        cases
    }
}

fn fences(text: &str, extensions: &[&str]) -> Vec<Vec<u8>> {
    let blocks = text.split("```").skip(1).step_by(2);
    let wanted = |block: &&str| extensions.iter().any(|extension| block.starts_with(extension));
    blocks
        .filter(wanted)
        .filter_map(|block| Some(block.split_once('\n')?.1.as_bytes().to_vec()))
        .collect()
}
