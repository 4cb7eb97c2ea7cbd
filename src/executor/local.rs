//! Builds on this machine, in the sandbox (or without one, where the request says so).

use super::directory::Directories;
use super::dvclive::DvcLive;
use super::events::EVENTS_VARIABLE;
use super::protocol::Line;
use super::supervise::{End, Supervised};
use super::{Cancel, Executor};
use crate::model::build::{BuildObserver, BuildOutcome, BuildRequest, Channel, Ending, Isolation};
use mlp_protocol::call::SOCKET_VARIABLE;
use mlp_sandbox::{Access, Groups, Helper, Layout, PROTOCOL, Program, Spec, Streams, Watch};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The executor of this machine.
#[derive(Debug)]
pub struct Local {
    helper: Helper,
    /// The program that is its own helper, once there was a build of it.
    resident: Mutex<Option<Arc<Resident>>>,
}

/// A program that stays loaded.
#[derive(Debug)]
struct Resident {
    program: PathBuf,
    /// Its inode and time of change when it was started: another file of that name is another program.
    file: (u64, i64, i64),
    helper: Helper,
}

impl Local {
    /// Builds in sandboxes that `helper` makes.
    pub fn new(helper: Helper) -> Self {
        Self {
            helper,
            resident: Mutex::new(None),
        }
    }

    /// The helper: to start it early, and to probe what it may do.
    pub fn helper(&self) -> &Helper {
        &self.helper
    }
}

/// What somebody who sits before a program has besides what a build has.
#[derive(Debug)]
pub struct Manner<'a> {
    /// Its stdin, stdout and stderr.
    pub streams: [BorrowedFd<'a>; 3],
    /// Whether its stdin is a terminal that it is to have for its own.
    pub terminal: bool,
    /// Whether the observer is told of the files that it touches.
    pub trace: bool,
}

/// Why a build could not be started: the words, and what to do.
struct NotStarted(String, Option<String>);

impl From<String> for NotStarted {
    fn from(reason: String) -> Self {
        Self(reason, None)
    }
}

impl From<mlp_sandbox::Refusal> for NotStarted {
    fn from(refusal: mlp_sandbox::Refusal) -> Self {
        Self(refusal.to_string(), refusal.help())
    }
}

impl Executor for Local {
    fn build(
        &self,
        request: &BuildRequest,
        observer: &mut dyn BuildObserver,
        cancel: &Cancel,
    ) -> BuildOutcome {
        self.answer(request, None, observer, cancel)
    }
}

impl Local {
    /// As [`Executor::build`], in the given manner. The request's log is left alone.
    pub fn enter(
        &self,
        request: &BuildRequest,
        manner: &Manner<'_>,
        observer: &mut dyn BuildObserver,
        cancel: &Cancel,
    ) -> BuildOutcome {
        self.answer(request, Some(manner), observer, cancel)
    }

    /// The helper that is the request's program itself, where it can be one and nobody sits before it.
    fn resident(&self, request: &BuildRequest) -> Option<Arc<Resident>> {
        let program = PathBuf::from(request.argv.first()?);
        let loaded = request.resident?;
        let found = program.metadata().ok()?;
        let file = (found.ino(), found.ctime(), found.ctime_nsec());
        let mut resident = self.resident.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |known: &&Arc<Resident>| known.program == program && known.file == file;
        if let Some(known) = resident.as_ref().filter(is_same) {
            return Some(Arc::clone(known));
        }
        let helper = Helper::with_vars(&program, loaded);
        let started = Arc::new(Resident {
            program,
            file,
            helper,
        });
        *resident = Some(Arc::clone(&started));
        Some(started)
    }

    fn answer(
        &self,
        request: &BuildRequest,
        manner: Option<&Manner<'_>>,
        observer: &mut dyn BuildObserver,
        cancel: &Cancel,
    ) -> BuildOutcome {
        let began = Instant::now();
        let (end, outputs) = match self.run(request, manner, observer, cancel, began) {
            Ok(done) => done,
            Err(NotStarted(reason, help)) => {
                let ending = Ending::NotStarted { reason, help };
                (
                    End {
                        ending,
                        cpu_us: None,
                        peak_memory: None,
                    },
                    BTreeMap::new(),
                )
            }
        };
        BuildOutcome {
            ending: end.ending,
            outputs,
            wall: began.elapsed(),
            cpu: end.cpu_us.map(Duration::from_micros),
            peak_memory: end.peak_memory,
            isolation: request.isolation,
        }
    }

    fn run(
        &self,
        request: &BuildRequest,
        manner: Option<&Manner<'_>>,
        observer: &mut dyn BuildObserver,
        cancel: &Cancel,
        began: Instant,
    ) -> Result<(End, BTreeMap<String, PathBuf>), NotStarted> {
        let namespaces = request.isolation > Isolation::Landlock;
        refuse_nested(request)?;
        let directories = Directories::make(request, !namespaces)?;
        let mut spec = spec(request, &directories, namespaces)?;
        let log;
        let streams = match manner {
            None => {
                log = open_log(request)?;
                Streams::Log(log.as_fd())
            }
            Some(manner) => {
                spec.trace = manner.trace;
                let program = spec.program.iter_mut();
                program.for_each(|program| program.terminal = manner.terminal);
                Streams::Given(manner.streams)
            }
        };
        let socket = |error| NotStarted(format!("cannot make the builder's socket: {error}"), None);
        let pair = if request.channel != Channel::Silent {
            Some(UnixStream::pair().map_err(socket)?)
        } else {
            None
        };
        let (line, theirs) = pair.unzip();
        let line = line
            .map(|line| Line::new(line, request.channel))
            .transpose()
            .map_err(socket)?;
        let resident = manner.is_none().then(|| self.resident(request)).flatten();
        let helper = resident
            .as_ref()
            .map_or(&self.helper, |resident| &resident.helper);
        let spawned = helper.spawn(namespaces, &streams, theirs.as_ref().map(AsFd::as_fd));
        let mut first = spawned.map_err(|refusal| match &resident {
            Some(resident) if refusal.is_of_a_helper_that_ended() => {
                ended_as_it_was_loaded(&resident.program)
            }
            _ => refusal.into(),
        })?;
        drop(theirs);
        // Before it is told to begin, so that nothing of the build is outside the group.
        let groups = Groups::around(first.pid(), request.limits.memory, request.limits.cpus);
        if !groups.bound_memory() {
            spec.watch.memory = request.limits.memory;
        }
        first.begin(&spec)?;
        let supervised = Supervised {
            request,
            directories: &directories,
            observer,
            cancel,
            first,
            line,
            groups,
            began,
            stopping: None,
            live: (request.channel == Channel::Events).then(|| DvcLive::of(&request.cwd)),
        };
        let end = supervised.until_the_end();
        let found = request.outputs.iter();
        let outputs = found
            .filter_map(|(name, path)| Some((name.clone(), directories.find(path)?)))
            .collect();
        Ok((end, outputs))
    }
}

/// Whatever it said about that went to where mlp tells its own errors.
fn ended_as_it_was_loaded(program: &Path) -> NotStarted {
    NotStarted(
        format!("`{}` ended as it was loaded", program.display()),
        Some("it must be of the same version as `mlp`: build or install both together; `mlp doctor` says what it loads".to_owned()),
    )
}

/// A mount point inside another input would have to be made in what is bound read-only there. What lies in the outer one
/// already (a file of a folder, both named) is no trouble.
fn refuse_nested(request: &BuildRequest) -> Result<(), NotStarted> {
    for place in request.inputs.keys() {
        let Some((outer, there)) = request.outer(place) else {
            continue;
        };
        if !there.exists() {
            let help = "a .gitignore leaves it out of the folder: name the folder's files by a glob and this one by its path, or \
                        give one of the two another place";
            return Err(NotStarted(
                format!("the input `{place}` lies inside the input `{outer}`, which does not hold it"),
                Some(help.to_owned()),
            ));
        }
    }
    Ok(())
}

fn spec(request: &BuildRequest, directories: &Directories, namespaces: bool) -> Result<Spec, NotStarted> {
    let layout = match namespaces {
        true => mlp_sandbox::layout(&request.closure).map_err(|(path, error)| {
            format!(
                "the sandbox needs {}, which cannot be read: {error}",
                path.display()
            )
        })?,
        false => Layout::default(),
    };
    let mut vars = request.vars.clone();
    let variable = match request.channel {
        Channel::Silent => None,
        Channel::Protocol => Some(SOCKET_VARIABLE),
        Channel::Events => Some(EVENTS_VARIABLE),
    };
    vars.extend(variable.map(|variable| (variable.to_owned(), PROTOCOL.to_string())));
    if !namespaces {
        // The places that those variables name exist only in the sandbox.
        vars.insert("HOME".to_owned(), directories.build.display().to_string());
        vars.insert("TMPDIR".to_owned(), directories.tmp.display().to_string());
        let build = format!("{}/", directories.build.display());
        for name in ["PATH", "PYTHONPATH"] {
            if let Some(value) = vars.get_mut(name) {
                *value = value.replace("/build/", &build);
            }
        }
    }
    vars.extend(visible_gpus(&request.gpus, namespaces));
    let limits = &request.limits;
    Ok(Spec {
        namespaces,
        access: (request.isolation == Isolation::Landlock).then(|| access(request, directories)),
        root: directories.root.clone(),
        build: directories.build.clone(),
        tmp: directories.tmp.clone(),
        inputs: request
            .inputs
            .iter()
            .filter(|(place, _)| request.outer(place).is_none())
            .map(|(place, from)| (place.clone(), from.clone()))
            .collect(),
        closure: layout.binds,
        links: layout.links,
        program: Some(Program {
            argv: request.argv.clone(),
            vars,
            cwd: request.cwd.clone(),
            stdin: request.stdin.clone(),
            terminal: false,
        }),
        devices: gpu_devices(&request.gpus),
        watch: Watch {
            memory: None,
            disk: limits.disk,
            files: limits.files,
        },
        trace: false,
    })
}

/// What a program may reach that runs among the machine's files.
fn access(request: &BuildRequest, directories: &Directories) -> Access {
    let devices = gpu_devices(&request.gpus).into_iter();
    let write = [directories.build.clone(), directories.tmp.clone()];
    Access {
        read: request.inputs.values().chain(&request.closure).cloned().collect(),
        write: write
            .into_iter()
            .chain(devices.map(|name| Path::new("/dev").join(name)))
            .collect(),
    }
}

/// The devices by which CUDA reaches these GPUs, as far as the machine has them.
fn gpu_devices(gpus: &[u32]) -> Vec<String> {
    let shared = ["nvidiactl", "nvidia-uvm", "nvidia-uvm-tools"];
    let shared = shared.into_iter().filter(|_| !gpus.is_empty());
    let own = gpus.iter().map(|gpu| format!("nvidia{gpu}"));
    let names = shared.map(str::to_owned).chain(own);
    names
        .filter(|name| Path::new("/dev").join(name).exists())
        .collect()
}

/// What tells CUDA which GPUs to use. Inside of namespaces there are no others, and they count from 0, so that the step
/// cannot tell which it was given.
fn visible_gpus(gpus: &[u32], namespaces: bool) -> Option<(String, String)> {
    let numbers = gpus.iter().zip(0..);
    let number = |(gpu, place): (&u32, u32)| if namespaces { place } else { *gpu }.to_string();
    let list: Vec<String> = numbers.map(number).collect();
    (!list.is_empty()).then(|| ("CUDA_VISIBLE_DEVICES".to_owned(), list.join(",")))
}

fn open_log(request: &BuildRequest) -> Result<File, NotStarted> {
    let log = OpenOptions::new().create(true).append(true).open(&request.log);
    log.map_err(|error| {
        NotStarted(
            format!("cannot open the log {}: {error}", request.log.display()),
            None,
        )
    })
}
