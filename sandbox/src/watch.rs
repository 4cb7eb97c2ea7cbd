//! Watches the bounds that the kernel does not hold by itself: memory where there is no cgroup, and disk. Runs in the
//! first process, to which /proc shows the processes of its build, and no others.

use super::wire::{Exceeded, Spec, Watch};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often memory is looked at. A program that grows by more than the machine has within one interval is the
/// kernel's to kill.
const INTERVAL: Duration = Duration::from_millis(100);

/// What was seen so far.
pub(super) struct Watcher {
    watch: Watch,
    peak_memory: u64,
    /// When memory is looked at next: not after each of a thousand short processes.
    next_memory: Instant,
    /// When the disk is looked at next: a large tree is walked less often, so that watching stays cheap.
    next_disk: Instant,
}

impl Watcher {
    /// Watches the bounds of `spec`.
    pub(super) fn new(spec: &Spec) -> Self {
        Self {
            watch: spec.watch.clone(),
            peak_memory: 0,
            next_memory: Instant::now(),
            next_disk: Instant::now(),
        }
    }

    /// How long to wait at most until the next look; none where nothing is to be watched.
    pub(super) fn interval(&self) -> Option<u8> {
        let any = self.watch.memory.is_some() || self.watches_disk();
        any.then_some(INTERVAL.as_millis() as u8)
    }

    /// The most memory that was seen at once.
    pub(super) fn peak_memory(&self) -> u64 {
        self.peak_memory
    }

    /// Looks, and says which bound is passed.
    pub(super) fn look(&mut self, spec: &Spec) -> Option<Exceeded> {
        let began = Instant::now();
        if let Some(limit) = self.watch.memory.filter(|_| began >= self.next_memory) {
            self.next_memory = began + INTERVAL / 2;
            let memory = memory(limit, spec.namespaces);
            self.peak_memory = self.peak_memory.max(memory);
            if memory > limit {
                return Some(Exceeded::Memory);
            }
        }
        if self.watches_disk() && began >= self.next_disk {
            let passed = self.disk(spec);
            self.next_disk = Instant::now() + (began.elapsed() * 20).max(INTERVAL);
            return passed.then_some(Exceeded::Disk);
        }
        None
    }

    fn watches_disk(&self) -> bool {
        self.watch.disk.is_some() || self.watch.files.is_some()
    }

    /// Whether the build directory and /tmp hold too much.
    fn disk(&self, spec: &Spec) -> bool {
        let (build, tmp) = match spec.namespaces {
            true => (Path::new("/build"), Path::new("/tmp")),
            false => (spec.build.as_path(), spec.tmp.as_path()),
        };
        let skip: BTreeSet<PathBuf> = spec.inputs.iter().map(|(place, _)| build.join(place)).collect();
        let mut held = Held::default();
        held.add(build, &skip);
        held.add(tmp, &skip);
        self.watch.disk.is_some_and(|limit| held.bytes > limit)
            || self.watch.files.is_some_and(|limit| held.files > limit)
    }
}

/// What directories hold.
#[derive(Default)]
struct Held {
    bytes: u64,
    files: u64,
}

impl Held {
    /// Adds what lies below `directory`, but for `skip`. What vanishes meanwhile counts nothing.
    fn add(&mut self, directory: &Path, skip: &BTreeSet<PathBuf>) {
        let mut directories = vec![directory.to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                let path = entry.path();
                let Ok(metadata) = fs::symlink_metadata(&path) else {
                    continue;
                };
                if skip.contains(&path) {
                    continue;
                }
                self.files += 1;
                if metadata.is_dir() {
                    directories.push(path);
                } else {
                    // The length too: a sparse file has few blocks, and whoever reads it all the same reads its length.
                    self.bytes += metadata.len().max(metadata.blocks() * 512);
                }
            }
        }
    }
}

/// Memory of all processes of the build: resident sets, which is cheap and counts shared pages once a process; where
/// that passes `limit`, the proportional sets, which count them once.
fn memory(limit: u64, own_namespace: bool) -> u64 {
    let processes = processes(own_namespace);
    let all: u64 = processes.iter().map(|process| resident(process)).sum();
    if all <= limit {
        return all;
    }
    processes
        .iter()
        .map(|process| proportional(process).unwrap_or_else(|| resident(process)))
        .sum()
}

/// The directories in /proc of the processes of the build but this one.
fn processes(own_namespace: bool) -> Vec<PathBuf> {
    let own = std::process::id();
    let all: Vec<(u32, PathBuf)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .filter(|(pid, _)| *pid != own)
        .collect();
    if own_namespace {
        return all.into_iter().map(|(_, path)| path).collect();
    }
    descendants(own, &all)
}

/// Those of `all` that come from `root` by parents.
fn descendants(root: u32, all: &[(u32, PathBuf)]) -> Vec<PathBuf> {
    let parents: Vec<(u32, u32, &PathBuf)> = all
        .iter()
        .filter_map(|(pid, path)| Some((*pid, parent(path)?, path)))
        .collect();
    let mut family = BTreeSet::from([root]);
    let mut found = Vec::new();
    loop {
        let before = family.len();
        for (pid, parent, path) in &parents {
            if family.contains(parent) && family.insert(*pid) {
                found.push((*path).clone());
            }
        }
        if family.len() == before {
            return found;
        }
    }
}

/// The parent of the process at `path`.
pub(super) fn parent(path: &Path) -> Option<u32> {
    let stat = fs::read_to_string(path.join("stat")).ok()?;
    // The name stands in parentheses and may hold anything; state and parent follow the last one.
    let (_, after) = stat.rsplit_once(") ")?;
    after.split(' ').nth(1)?.parse().ok()
}

fn resident(process: &Path) -> u64 {
    let pages = || {
        let statm = fs::read_to_string(process.join("statm")).ok()?;
        statm.split(' ').nth(1)?.parse::<u64>().ok()
    };
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE)
        .ok()
        .flatten()
        .unwrap_or(4096);
    pages().unwrap_or(0) * page.unsigned_abs()
}

/// Where the kernel tells it.
fn proportional(process: &Path) -> Option<u64> {
    let rollup = fs::read_to_string(process.join("smaps_rollup")).ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
