//! What the kernel allows: namespaces, filters, Landlock, cgroups. Each by doing it once.

use super::Finding;
use crate::base::size::Size;
use crate::engine::capacity::capacity;
use crate::executor::{Cancel, Local, Manner, environment};
use crate::model::build::{
    BuildObserver, BuildOutcome, BuildRequest, Channel, Ending, Isolation, Limits, Touched,
};
use mlp_protocol::message::Message;
use mlp_sandbox::{Closures, Helper, bounds_here, landlock_version, probe};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// What the sandbox is made of.
const PARTS: &str = "user, mount, pid, network, ipc and uts, with read-only binds (mount_setattr)";

/// Tries everything below `folder`.
pub(super) fn examine(folder: &Path) -> Vec<Finding> {
    let mut found = vec![kernel()];
    let helper = Helper::of_this_program();
    match probe(&helper, folder) {
        Ok(()) => {
            found.push(Finding::good("namespaces", PARTS));
            found.extend(filters(&Local::new(helper), folder));
        }
        Err(refusal) => {
            let finding = Finding::broken("namespaces", refusal.to_string());
            found.push(match refusal.help() {
                Some(help) => finding.help(help),
                None => finding,
            });
        }
    }
    found.push(landlock());
    found.push(cgroups());
    found.push(capacities());
    found
}

fn kernel() -> Finding {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let release = release.trim();
    let mut numbers = release.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    match (major, minor) >= (5, 12) {
        true => Finding::good("kernel", format!("Linux {release}")),
        false => Finding::broken("kernel", format!("Linux {release}: the sandbox needs 5.12")).help(
            "a newer kernel; `--sandbox=off` builds without a sandbox, and is recorded with each result",
        ),
    }
}

/// Runs mlp itself inside, which brings the filters with it; watched, if the kernel can.
fn filters(local: &Local, folder: &Path) -> Vec<Finding> {
    let ran = match run_inside(local, folder, true) {
        Ok((outcome, heard)) if outcome.ending == Ending::Succeeded && heard > 0 => {
            return vec![
                Finding::good("seccomp", "filters of system calls"),
                Finding::good("notification", "`mlp step trace` hears which files a step opens"),
            ];
        }
        Ok((watched, _)) => run_inside(local, folder, false).map(|(plain, _)| (watched, plain)),
        Err(error) => Err(error),
    };
    let said = |outcome: &BuildOutcome| match &outcome.ending {
        Ending::NotStarted { reason, .. } => reason.clone(),
        ending => format!("a program in the sandbox came to {ending:?}"),
    };
    match ran {
        Ok((watched, plain)) if plain.ending == Ending::Succeeded => vec![
            Finding::good("seccomp", "filters of system calls"),
            Finding::limited("notification", said(&watched))
                .help("`mlp step trace` needs Linux 5.5 and a container that lets seccomp notify"),
        ],
        Ok((_, plain)) => vec![Finding::broken("seccomp", said(&plain)).help(
            "the kernel must be built with CONFIG_SECCOMP_FILTER, and a container must allow seccomp(2)",
        )],
        Err(error) => vec![Finding::broken("seccomp", error)],
    }
}

/// Runs `mlp --version` in a sandbox: what came of it, and how many files it was heard to touch.
fn run_inside(local: &Local, folder: &Path, trace: bool) -> Result<(BuildOutcome, u32), String> {
    let words = |error: std::io::Error| format!("a program cannot be run in the sandbox: {error}");
    let scratch = tempfile::tempdir_in(folder).map_err(words)?;
    let program = std::env::current_exe().map_err(words)?;
    let closure = Closures::default()
        .of(&program)
        .map_err(|error| error.to_string())?;
    let null = File::options()
        .read(true)
        .write(true)
        .open("/dev/null")
        .map_err(words)?;
    let manner = Manner {
        streams: [null.as_fd(); 3],
        terminal: false,
        trace,
    };
    let request = version_request(&program, closure, scratch.path());
    let mut heard = Heard(0);
    let cancel = Cancel::new().map_err(words)?;
    let outcome = local.enter(&request, &manner, &mut heard, &cancel);
    Ok((outcome, heard.0))
}

fn version_request(program: &Path, closure: Vec<PathBuf>, scratch: &Path) -> BuildRequest {
    BuildRequest {
        label: "doctor".to_owned(),
        argv: vec![program.display().to_string(), "--version".to_owned()],
        vars: environment::fixed(1),
        cwd: String::new(),
        stdin: None,
        links: BTreeMap::new(),
        files: BTreeMap::new(),
        copies: BTreeMap::new(),
        inputs: BTreeMap::new(),
        closure,
        outputs: BTreeMap::new(),
        scratch: scratch.to_owned(),
        states: None,
        log: scratch.join("log"),
        limits: Limits::default(),
        gpus: Vec::new(),
        channel: Channel::Silent,
        isolation: Isolation::Sandboxed,
        resident: None,
    }
}

/// Counts.
struct Heard(u32);

impl BuildObserver for Heard {
    fn message(&mut self, _: &Message, _: Option<PathBuf>) -> Result<(), String> {
        Ok(())
    }

    fn touched(&mut self, _: Touched) {
        self.0 += 1;
    }
}

fn landlock() -> Finding {
    match landlock_version() {
        Ok(version) => Finding::good(
            "landlock",
            format!("version {version}: `--sandbox=landlock` can be asked for"),
        ),
        // Only where namespaces are refused is it of use, and then their finding says so.
        Err(refusal) => Finding::good(
            "landlock",
            format!("none ({refusal}); it is needed only where namespaces are refused"),
        ),
    }
}

fn cgroups() -> Finding {
    let help = "as root, or in a part of the tree that is yours: `systemd-run --user --scope -p Delegate=yes mlp build …`";
    match bounds_here() {
        (true, true) => Finding::good("cgroups", "`memory` and `cpus` of steps are held by the kernel"),
        (true, false) => Finding::limited(
            "cgroups",
            "`memory` of steps is held by the kernel; `cpus` only decides what is built side by side",
        )
        .help(help),
        (false, cpus) => {
            let others = if cpus {
                ""
            } else {
                "; `cpus` only decides what is built side by side"
            };
            Finding::limited(
                "cgroups",
                format!("`memory` of steps is watched ten times a second{others}"),
            )
            .help(help)
        }
    }
}

/// What steps share.
fn capacities() -> Finding {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let budget = capacity(processors, None);
    let memory = budget
        .memory
        .map(|memory| format!(", {} of memory", Size(memory)));
    Finding::good(
        "machine",
        format!("{processors} processors{}", memory.unwrap_or_default()),
    )
}
