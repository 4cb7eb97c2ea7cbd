//! What `mlp` and the sandbox's first process say to each other over the control socket of one build: a [`Spec`] as
//! its length in four bytes and JSON one way, then perhaps [`END_YOURSELF`]; [`Report`]s as JSON lines the other way.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;

/// Has the program asked to end. The end of the stream has everything killed.
pub(super) const END_YOURSELF: u8 = b'T';

/// All that the first process does.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Spec {
    /// Whether the process is PID 1 of namespaces that it is to furnish.
    pub namespaces: bool,
    /// Without namespaces: what of the machine's files the program may reach, by Landlock. None is whatever the user may.
    pub access: Option<Access>,
    /// An empty directory, over which the new root is mounted.
    pub root: PathBuf,
    /// The directory that is `/build` inside.
    pub build: PathBuf,
    /// The directory that is `/tmp` inside.
    pub tmp: PathBuf,
    /// Below the build directory, to the place that is bound there. The mount points exist.
    pub inputs: Vec<(String, PathBuf)>,
    /// Bound read-only at the same place; no two one inside the other.
    pub closure: Vec<PathBuf>,
    /// Symbolic links of the machine, made again: where they stand, and their text.
    pub links: Vec<(PathBuf, PathBuf)>,
    /// Devices of the machine that are visible besides the harmless ones, by their names below /dev.
    pub devices: Vec<String>,
    /// What is run; none to try only whether the place can be made.
    pub program: Option<Program>,
    /// Bounds that the first process watches.
    pub watch: Watch,
    /// Whether to report the files that the program and its children open or look for. Needs namespaces.
    pub trace: bool,
}

/// Places of the machine that a program may reach.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Access {
    /// Files and folders that it may read and run.
    pub read: Vec<PathBuf>,
    /// Folders in which it may do anything.
    pub write: Vec<PathBuf>,
}

/// What is run inside.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Program {
    /// An absolute path and the arguments.
    pub argv: Vec<String>,
    /// All of its environment.
    pub vars: BTreeMap<String, String>,
    /// Below the build directory.
    pub cwd: String,
    /// What it reads from its standard input, below the build directory; none is nothing. Where its streams are given,
    /// it is theirs.
    pub stdin: Option<String>,
    /// Whether its standard input is a terminal, which it is to have for its own.
    pub terminal: bool,
}

/// Bounds on the whole tree of processes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Watch {
    /// Bytes of memory, where no cgroup bounds them.
    pub memory: Option<u64>,
    /// Bytes in `/build` and `/tmp`.
    pub disk: Option<u64>,
    /// Files in them.
    pub files: Option<u64>,
}

/// What the first process tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Report {
    /// The place is made; where there is a program it runs.
    Started,
    /// A file was opened, run or looked for; each is told once.
    Touched(Touched),
    /// Something that had to be done could not be.
    Refused(Refusal),
    /// All processes but the first are dead.
    Ended(Ended),
}

/// A file that a traced program touched, as it is seen inside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Touched {
    /// Its absolute path, without `.`, `..` and links on the way.
    pub path: String,
    /// What was done.
    pub how: Touch,
}

/// What a program does to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Touch {
    /// It asks whether it is there, or of what kind it is.
    LookedFor,
    /// It opens the folder, to see what is in it.
    Listed,
    /// It opens the file to read it, or runs it.
    Read,
}

/// An operation that the kernel refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("cannot {operation}: {}", nix::errno::Errno::from_raw(*.errno).desc())]
pub struct Refusal {
    /// What was tried, in words that go on "cannot …".
    pub operation: String,
    /// The kernel's answer, an errno.
    pub errno: i32,
}

impl Refusal {
    /// Whether the helper itself is gone, whatever it was asked for.
    pub fn is_of_a_helper_that_ended(&self) -> bool {
        use nix::errno::Errno;
        [Errno::EPIPE, Errno::ECONNRESET].contains(&Errno::from_raw(self.errno))
    }
}

/// How the program ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Its exit status, where it exited.
    pub status: Option<i32>,
    /// The signal that ended it, where one did.
    pub signal: Option<i32>,
    /// The bound that was passed, where that is why it was killed.
    pub exceeded: Option<Exceeded>,
    /// Processor time of the whole tree in microseconds.
    pub cpu_us: u64,
    /// The most memory that was seen at once in bytes; without watching that of the largest process.
    pub peak_memory: u64,
}

/// A bound that was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exceeded {
    /// On memory.
    Memory,
    /// On the size of what it wrote.
    Disk,
}

impl Spec {
    /// Writes it with its length before it.
    pub(super) fn send(&self, to: &mut impl Write) -> io::Result<()> {
        let bytes = serde_json::to_vec(self)?;
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        to.write_all(&length.to_le_bytes())?;
        to.write_all(&bytes)
    }

    /// Reads what [`Spec::send`] wrote.
    pub(super) fn receive(from: &mut impl Read) -> io::Result<Self> {
        let mut length = [0; 4];
        from.read_exact(&mut length)?;
        let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
        from.read_exact(&mut bytes)?;
        Ok(serde_json::from_slice(&bytes)?)
    }
}

impl Report {
    /// Writes it as a line.
    pub(super) fn send(&self, to: &mut impl Write) -> io::Result<()> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        to.write_all(&line)
    }
}
