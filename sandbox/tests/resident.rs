//! A program that is the helper of its own builds: what a build is given, and what it is not, is as if it had been exec'd.
//! This program is started as a helper itself, so it has no harness.

use mlp_sandbox::{HELPER_ARGUMENT, Helper, Program, Report, Spec, Streams, helper_main};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::Path;

/// What the helper is loaded with, and no build sees.
const LOADED: &[(&str, &str)] = &[("LOADED", "once")];

fn main() {
    if std::env::args().nth(1).as_deref() == Some(HELPER_ARGUMENT) {
        // Stands for what is dear to load: every build finds it.
        let loaded = format!("{}", std::process::id());
        let _ = LOADED_BY.set((loaded, std::env::var("LOADED").unwrap_or_default()));
        helper_main(Some(work));
    }
    // As libtest would be asked.
    if std::env::args().any(|argument| argument == "--list") {
        println!("a_build_is_a_fork_that_has_what_an_exec_would_have_left: test");
        return;
    }
    for namespaces in [true, false] {
        two_builds(namespaces);
    }
    println!("a build is a fork that has what an exec would have left: ok");
}

static LOADED_BY: std::sync::OnceLock<(String, String)> = std::sync::OnceLock::new();

/// Tells of its surroundings in a file.
fn work() -> u8 {
    let mut told = String::new();
    let (loader, variable) = LOADED_BY.get().cloned().unwrap_or_default();
    let vars: Vec<String> = std::env::vars()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let _ = writeln!(
        told,
        "loader {loader}\nloaded {variable}\nvars {}",
        vars.join(" ")
    );
    let mut open: Vec<u32> = fs::read_dir("/proc/self/fd")
        .map(|entries| {
            entries
                .flatten()
                .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
                .collect()
        })
        .unwrap_or_default();
    open.sort_unstable();
    // The last is that of the listing.
    open.pop();
    let _ = writeln!(told, "open {open:?}");
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    for name in ["Name", "Threads", "NoNewPrivs", "Seccomp", "CapEff", "SigBlk"] {
        let line = status.lines().find(|line| line.split(':').next() == Some(name));
        let _ = writeln!(told, "{}", line.unwrap_or_default().replace(":\t", " "));
    }
    let _ = writeln!(
        told,
        "root {}",
        Path::new("/root").exists() || Path::new("/home").exists()
    );
    println!("said");
    match fs::write("told", told) {
        Ok(()) => 7,
        Err(_) => 1,
    }
}

fn two_builds(namespaces: bool) {
    let program = std::env::current_exe().expect("this program");
    let helper = Helper::with_vars(&program, LOADED);
    let told = [0, 1].map(|number| build(&helper, &program, namespaces, number));
    let [first, second] = &told;
    let value = |told: &BTreeMap<String, String>, name: &str| told.get(name).cloned().unwrap_or_default();
    assert!(!value(first, "loader").is_empty());
    assert_eq!(
        value(first, "loader"),
        value(second, "loader"),
        "loaded once for both"
    );
    assert_ne!(value(first, "loader"), std::process::id().to_string());
    for (number, told) in told.iter().enumerate() {
        assert_eq!(value(told, "loaded"), "once");
        assert_eq!(value(told, "vars"), format!("NUMBER={number}"));
        assert_eq!(value(told, "open"), "[0, 1, 2]");
        assert_eq!(value(told, "Threads"), "1");
        assert_eq!(value(told, "SigBlk"), "0000000000000000");
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        assert_eq!(value(told, "Name"), name[..name.len().min(15)]);
        if namespaces {
            assert_eq!(value(told, "NoNewPrivs"), "1");
            assert_eq!(value(told, "Seccomp"), "2");
            assert_eq!(value(told, "CapEff"), "0000000000000000");
            assert_eq!(value(told, "root"), "false");
        }
    }
}

/// What a build tells, by its first word.
fn build(helper: &Helper, program: &Path, namespaces: bool, number: u32) -> BTreeMap<String, String> {
    let place = tempfile::tempdir().expect("a folder");
    let folder = |name: &str| {
        let folder = place.path().join(name);
        fs::create_dir(&folder).expect("a folder");
        folder
    };
    let log = File::create(place.path().join("log")).expect("a log");
    let spec = Spec {
        namespaces,
        root: folder("root"),
        build: folder("build"),
        tmp: folder("tmp"),
        program: Some(Program {
            argv: vec![program.display().to_string()],
            vars: BTreeMap::from([("NUMBER".to_owned(), number.to_string())]),
            ..Program::default()
        }),
        ..Spec::default()
    };
    let spawned = helper.spawn(namespaces, &Streams::Log(log.as_fd()), None);
    let mut first = spawned.expect("a first process");
    first.begin(&spec).expect("it hears");
    assert_eq!(first.report().expect("a report"), Some(Report::Started));
    let Ok(Some(Report::Ended(ended))) = first.report() else {
        panic!(
            "the build did not end: {}",
            fs::read_to_string(place.path().join("log")).unwrap_or_default()
        );
    };
    assert_eq!((ended.status, ended.signal), (Some(7), None));
    assert_eq!(
        fs::read_to_string(place.path().join("log")).unwrap_or_default(),
        "said\n"
    );
    let told = fs::read_to_string(spec.build.join("told")).expect("what it told");
    let told = told.lines().filter_map(|line| line.split_once(' '));
    told.map(|(name, rest)| (name.to_owned(), rest.to_owned()))
        .collect()
}
