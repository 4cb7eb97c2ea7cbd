//! The program of a build: from the fork off the first process to its exec. Everything that it could use to get out, or
//! by which it could differ from machine to machine, is given up here.

use super::enter::result;
use super::filter;
use super::first::{Step, step};
use super::helper::{Streams, Work};
use super::landlock;
use super::syscall::{self, Cloned};
use super::trace::{self, Tracer};
use super::wire::{Program, Refusal, Spec, Touched};
use nix::errno::Errno;
use nix::sys::personality::{self, Persona};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::SigSet;
use nix::sys::stat::{Mode, umask};
use nix::unistd::Pid;
use std::convert::Infallible;
use std::ffi::CString;
use std::fs::File;
use std::io::{PipeWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// The descriptor of the protocol's socket.
pub const PROTOCOL: i32 = 3;
/// Open files of a program: the same everywhere, however many the machine allows beyond.
const OPEN_FILES: u64 = 4096;

/// The program after its fork.
pub(super) struct Started {
    /// Its id for the first process.
    pub(super) pid: Pid,
    /// Why it did not come to its exec.
    pub(super) refusal: Option<Refusal>,
    /// Hears of the files that it touches, where the spec wants that.
    pub(super) tracer: Option<Tracer>,
}

/// Starts the program and waits until it is exec'd, or has said why not.
pub(super) fn start(
    program: &Program,
    spec: &Spec,
    (streams, protocol): (Streams<OwnedFd>, Option<OwnedFd>),
    work: Option<Work>,
    touched: &mut dyn FnMut(Touched),
) -> Step<Started> {
    let pipe = std::io::pipe();
    let (mut told, tell) = step(|| "make a pipe".into(), result(pipe))?;
    let pair = spec.trace.then(UnixStream::pair).transpose();
    let (heard, hearer) = step(|| "make a socket".into(), result(pair))?.unzip();
    match step(|| "start a process".into(), syscall::clone(0))? {
        Cloned::Child => {
            drop((told, heard));
            let given = Given {
                streams,
                protocol,
                // Out of the way of the descriptors that are placed.
                hearer: hearer.and_then(|hearer| syscall::duplicate_above(hearer.as_fd(), 16).ok()),
            };
            let status = match prepare(program, spec, &given).and_then(|()| go(program, work)) {
                Ok(work) => begin(work, given, OwnedFd::from(tell)),
                Err(refusal) => refuse(&refusal, tell),
            };
            syscall::exit_now(status)
        }
        Cloned::Parent { pid, pidfd: _ } => {
            drop((tell, streams, protocol, hearer));
            let mut tracer = heard.and_then(|heard| Tracer::receive(&heard));
            if let Some(tracer) = &mut tracer {
                // Its exec is the first call that is asked about.
                tracer.serve_until(told.as_fd(), touched);
            }
            let mut said = Vec::new();
            step(
                || "hear from the new process".into(),
                result(told.read_to_end(&mut said)),
            )?;
            let refusal = serde_json::from_slice(&said).ok();
            Ok(Started {
                pid: Pid::from_raw(pid),
                refusal,
                tracer,
            })
        }
    }
}

/// What the program is given.
struct Given {
    streams: Streams<OwnedFd>,
    protocol: Option<OwnedFd>,
    /// Where the descriptor goes by which its calls are heard.
    hearer: Option<OwnedFd>,
}

/// Says why the process does not become the program; gives its status.
fn refuse(refusal: &Refusal, mut tell: PipeWriter) -> i32 {
    if let Ok(text) = serde_json::to_vec(refusal) {
        let _ = tell.write_all(&text);
    }
    127
}

/// Does the work with no descriptor but those that an exec would have left. Whoever waits for an exec hears of it as of
/// one.
fn begin(work: Work, given: Given, tell: OwnedFd) -> i32 {
    let first = match given.protocol {
        Some(_) => PROTOCOL + 1,
        None => PROTOCOL,
    };
    drop((given, tell));
    // What is left belongs to the first process, of which this is a copy: its values are never used or dropped here.
    if syscall::close_from(first).is_err() {
        return 127;
    }
    i32::from(work())
}

/// In the order of `docs/design/sandbox.md`.
fn prepare(program: &Program, spec: &Spec, given: &Given) -> Step<()> {
    step(|| "make a session".into(), nix::unistd::setsid())?;
    syscall::reset_signals();
    step(|| "unblock signals".into(), SigSet::empty().thread_set_mask())?;
    umask(Mode::from_bits_truncate(0o022));
    fix_limits(spec)?;
    fix_addresses();
    let build = if spec.namespaces {
        Path::new("/build")
    } else {
        &spec.build
    };
    let cwd = build.join(&program.cwd);
    step(
        || format!("enter the working directory {}", cwd.display()),
        nix::unistd::chdir(&cwd),
    )?;
    let stdin = match &program.stdin {
        Some(stdin) => build.join(stdin),
        None => "/dev/null".into(),
    };
    place_descriptors(&stdin, given)?;
    if program.terminal {
        step(
            || "take the terminal".into(),
            syscall::take_terminal(std::io::stdin().as_fd()),
        )?;
    }
    if spec.namespaces || spec.access.is_some() {
        // Harmless where keyrings are forbidden: those of the user are out of reach there already.
        let _ = syscall::join_new_keyring();
        step(|| "drop capabilities".into(), syscall::drop_capabilities())?;
        let locked = syscall::set_process_option(libc::PR_SET_NO_NEW_PRIVS, 1);
        step(|| "set no_new_privs".into(), locked)?;
        if let Some(access) = &spec.access {
            landlock::restrict(access)?;
            filter::no_sockets()?;
        }
        filter::install()?;
        if let Some(hearer) = &given.hearer {
            trace::be_heard(hearer.as_fd())?;
        }
    }
    Ok(())
}

/// Execs the program; or gives the work that begins in its place, where the helper has some.
fn go(program: &Program, work: Option<Work>) -> Step<Work> {
    let vars = || {
        let vars = program.vars.iter();
        vars.map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
    };
    if let Some(work) = work {
        // As exec does: what hid the first process would hide this one from mlp's watch.
        let shown = syscall::set_process_option(libc::PR_SET_DUMPABLE, 1);
        step(|| "show the program".into(), shown)?;
        let name = Path::new(program.argv.first().map_or("", String::as_str)).file_name();
        let name = CString::new(name.unwrap_or_default().as_encoded_bytes()).unwrap_or_default();
        step(|| "name the program".into(), nix::sys::prctl::set_name(&name))?;
        let set = syscall::set_environment(strings(&vars())?);
        return step(|| "set the environment".into(), set.map(|()| work));
    }
    let (argv, vars) = (strings(&program.argv)?, strings(&vars())?);
    let Err(refusal) = step(
        || format!("run {}", program.argv.join(" ")),
        exec(program, &argv, &vars),
    );
    Err(refusal)
}

/// Execs the program where it is, or, where its name has no `/`, as the first of that name in the PATH that it gets.
fn exec(program: &Program, argv: &[CString], vars: &[CString]) -> Result<Infallible, Errno> {
    let name = program.argv.first().ok_or(Errno::ENOENT)?;
    if name.contains('/') {
        return nix::unistd::execve(&argv[0], argv, vars);
    }
    let folders = program.vars.get("PATH").map_or("", String::as_str).split(':');
    let mut refused = Errno::ENOENT;
    for folder in folders.filter(|folder| !folder.is_empty()) {
        let path = CString::new(format!("{folder}/{name}")).map_err(|_| Errno::EINVAL)?;
        match nix::unistd::execve(&path, argv, vars) {
            Err(Errno::ENOENT | Errno::ENOTDIR) => {}
            // There is one, but not to be run; a later one may be.
            Err(Errno::EACCES) => refused = Errno::EACCES,
            done => return done,
        }
    }
    Err(refused)
}

/// No core dumps, the same number of open files everywhere, and no single file larger than all may be. Never an address
/// space limit: CUDA and torch map far more than they use.
fn fix_limits(spec: &Spec) -> Step<()> {
    let set = |resource, value: u64| {
        let (_, hard) = step(|| "read a resource limit".into(), getrlimit(resource))?;
        let value = value.min(hard);
        step(
            || "set a resource limit".into(),
            setrlimit(resource, value, value),
        )
    };
    set(Resource::RLIMIT_CORE, 0)?;
    set(Resource::RLIMIT_NOFILE, OPEN_FILES)?;
    match spec.watch.disk {
        Some(disk) => set(Resource::RLIMIT_FSIZE, disk),
        None => Ok(()),
    }
}

/// Addresses decide the order of sets and maps keyed by them. Some container runtimes forbid to fix them; a builder that
/// depends on addresses is then found by `--check`, so this is no reason not to build.
pub(super) fn fix_addresses() {
    if let Ok(persona) = personality::get() {
        let _ = personality::set(persona | Persona::ADDR_NO_RANDOMIZE);
    }
}

/// 0 is the file `stdin`, 1 and 2 are the log, or all three what was given; 3 is the protocol's socket; nothing else
/// survives the exec.
fn place_descriptors(stdin: &Path, given: &Given) -> Step<()> {
    // Out of the way first, so that none is overwritten before it is placed.
    let high = |fd: BorrowedFd<'_>| {
        step(
            || "duplicate a descriptor".into(),
            syscall::duplicate_above(fd, 16),
        )
    };
    let [stdin, out, err] = match &given.streams {
        Streams::Log(log) => {
            let open = || format!("open {}", stdin.display());
            let file = step(open, result(File::open(stdin)))?;
            [high(file.as_fd())?, high(log.as_fd())?, high(log.as_fd())?]
        }
        Streams::Given([stdin, out, err]) => [high(stdin.as_fd())?, high(out.as_fd())?, high(err.as_fd())?],
    };
    let protocol = given.protocol.as_ref();
    let protocol = protocol.map(|protocol| high(protocol.as_fd())).transpose()?;
    let place = |fd: &OwnedFd, number| {
        step(
            || format!("place descriptor {number}"),
            syscall::duplicate_as(fd.as_fd(), number),
        )
    };
    step(
        || "close descriptors at exec".into(),
        syscall::close_on_exec_from(PROTOCOL),
    )?;
    place(&stdin, 0)?;
    place(&out, 1)?;
    place(&err, 2)?;
    match &protocol {
        Some(protocol) => place(protocol, PROTOCOL),
        None => Ok(()),
    }
}

fn strings(texts: &[String]) -> Step<Vec<CString>> {
    let strings: Result<Vec<_>, _> = texts.iter().map(|text| CString::new(text.as_str())).collect();
    step(
        || "pass an argument that holds a NUL byte".into(),
        strings.map_err(|_| Errno::EINVAL),
    )
}
