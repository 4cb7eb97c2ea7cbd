//! Bounds by cgroup, version 1 or 2, where this process may make one: as root, and where systemd has delegated the user's
//! part of the tree. Everything here is an attempt: without it the first process watches memory, and processors are as
//! many as the step takes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

const TREE: &str = "/sys/fs/cgroup";
/// Over which processor time is counted, in microseconds: the kernel's own default.
const PERIOD: u64 = 100_000;

/// The cgroups of one build; removed when dropped, which MUST be after its processes are dead.
#[derive(Debug, Default)]
pub struct Groups {
    /// The one that bounds memory.
    memory: Option<Group>,
    /// The one that bounds processors, where it is another.
    cpus: Option<Group>,
}

#[derive(Debug)]
struct Group {
    path: PathBuf,
    version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    /// A tree a controller.
    One(Controller),
    /// One tree.
    Two,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Controller {
    Memory,
    Cpu,
}

impl Groups {
    /// Groups with the process `pid` in them that may hold so many bytes and keep so many processors busy, as far as they
    /// are allowed.
    pub fn around(pid: i32, memory: Option<u64>, cpus: Option<u32>) -> Self {
        let mut groups = Self::default();
        if memory.is_none() && cpus.is_none() {
            return groups;
        }
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        for (version, parent) in parents(&own) {
            let memory = memory.filter(|_| groups.memory.is_none());
            let cpus = cpus.filter(|_| groups.cpus.is_none());
            match version {
                Version::One(Controller::Memory) => {
                    groups.memory = groups
                        .memory
                        .or_else(|| Group::below(&parent, version, pid, memory, None));
                }
                Version::One(Controller::Cpu) => {
                    groups.cpus = groups
                        .cpus
                        .or_else(|| Group::below(&parent, version, pid, None, cpus));
                }
                // The process can be in one group of this tree alone: that of memory is of more use than none.
                Version::Two if groups.memory.is_none() && groups.cpus.is_none() => {
                    groups.memory = Group::below(&parent, version, pid, memory, cpus)
                        .or_else(|| Group::below(&parent, version, pid, memory, None));
                }
                Version::Two => {}
            }
        }
        groups
    }

    /// Whether memory is bounded.
    pub fn bound_memory(&self) -> bool {
        self.memory.is_some()
    }

    /// The most memory that was held, in bytes.
    pub fn peak(&self) -> Option<u64> {
        let group = self.memory.as_ref()?;
        let file = match group.version {
            Version::One(_) => "memory.max_usage_in_bytes",
            Version::Two => "memory.peak",
        };
        number(&group.path.join(file))
    }

    /// Whether the kernel killed a process because of the bound on memory.
    pub fn killed(&self) -> bool {
        let Some(group) = &self.memory else { return false };
        let file = match group.version {
            Version::One(_) => "memory.oom_control",
            Version::Two => "memory.events",
        };
        let events = fs::read_to_string(group.path.join(file)).unwrap_or_default();
        events
            .lines()
            .filter_map(|line| line.strip_prefix("oom_kill "))
            .any(|count| count.trim() != "0")
    }
}

impl Group {
    /// A group with all the bounds that are asked for, and the process in it; none where nothing is asked for.
    fn below(
        parent: &Path,
        version: Version,
        pid: i32,
        memory: Option<u64>,
        cpus: Option<u32>,
    ) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        if memory.is_none() && cpus.is_none() {
            return None;
        }
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("mlp-{}-{number}", std::process::id()));
        fs::create_dir(&path).ok()?;
        let group = Self { path, version };
        if let Some(limit) = memory {
            group.bound_memory(limit)?;
        }
        if let Some(cpus) = cpus {
            group.bound_cpus(u64::from(cpus) * PERIOD)?;
        }
        group.write("cgroup.procs", &pid.to_string())?;
        Some(group)
    }

    fn bound_memory(&self, limit: u64) -> Option<()> {
        let limit = limit.to_string();
        match self.version {
            Version::One(_) => {
                self.write("memory.limit_in_bytes", &limit)?;
                // Where swap is counted it must not be a way around; kernels without that lack the file.
                let _ = self.write("memory.memsw.limit_in_bytes", &limit);
                Some(())
            }
            Version::Two => {
                let _ = self.write("memory.swap.max", "0");
                self.write("memory.max", &limit)
            }
        }
    }

    /// So much processor time a period. The step still sees how many processors there are.
    fn bound_cpus(&self, quota: u64) -> Option<()> {
        match self.version {
            Version::One(_) => {
                self.write("cpu.cfs_period_us", &PERIOD.to_string())?;
                self.write("cpu.cfs_quota_us", &quota.to_string())
            }
            Version::Two => self.write("cpu.max", &format!("{quota} {PERIOD}")),
        }
    }

    fn write(&self, file: &str, value: &str) -> Option<()> {
        // Not created: a file that is missing is a controller that is not there.
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).open(self.path.join(file)).ok()?;
        std::io::Write::write_all(&mut file, value.as_bytes()).ok()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.path);
    }
}

/// The bytes of memory that this process and its like may hold together, where a group around it bounds them: what a
/// container or a batch system gives.
pub fn memory_bound() -> Option<u64> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let bounds = parents(&own).into_iter().filter_map(|(version, path)| {
        let file = match version {
            Version::One(Controller::Memory) => "memory.limit_in_bytes",
            Version::One(Controller::Cpu) => return None,
            Version::Two => "memory.max",
        };
        let above = path.ancestors().take_while(|above| above.starts_with(TREE));
        above.filter_map(|group| number(&group.join(file))).min()
    });
    bounds.min()
}

/// What this process may bound by a group of its own: memory, and processors. Tries, with a process that is none.
pub fn bounds_here() -> (bool, bool) {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let (mut memory, mut cpus) = (false, false);
    for (version, parent) in parents(&own) {
        let path = parent.join(format!("mlp-{}-probe", std::process::id()));
        if fs::create_dir(&path).is_err() {
            continue;
        }
        let group = Group { path, version };
        let of = |controller| version == Version::Two || version == Version::One(controller);
        // Version 2 forbids processes in a group beside those with bounds; the parent's list shows it.
        memory |= of(Controller::Memory) && group.bound_memory(1 << 40).is_some();
        cpus |= of(Controller::Cpu) && group.bound_cpus(PERIOD).is_some();
    }
    (memory, cpus)
}

fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Where a group could be made, likeliest first, by the lines of /proc/self/cgroup. In version 2 a group that holds
/// processes can have no bounded children, so that its parent comes into question too.
fn parents(own: &str) -> Vec<(Version, PathBuf)> {
    let mut found = Vec::new();
    for line in own.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
            continue;
        };
        let path = path.trim_start_matches('/');
        for (name, controller) in [("memory", Controller::Memory), ("cpu", Controller::Cpu)] {
            if controllers.split(',').any(|found| found == name) {
                found.push((Version::One(controller), Path::new(TREE).join(name).join(path)));
            }
        }
        if controllers.is_empty() && Path::new(TREE).join("cgroup.controllers").exists() {
            let own = Path::new(TREE).join(path);
            let above = own
                .parent()
                .filter(|above| above.starts_with(TREE))
                .map(Path::to_owned);
            found.extend(
                [Some(own), above]
                    .into_iter()
                    .flatten()
                    .map(|path| (Version::Two, path)),
            );
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_is_found_by_its_controllers() {
        let found = parents("4:cpu,cpuacct:/a/b\n3:memory:/a/b\n1:name=systemd:/\n");
        assert_eq!(
            found,
            [
                (
                    Version::One(Controller::Cpu),
                    PathBuf::from("/sys/fs/cgroup/cpu/a/b")
                ),
                (
                    Version::One(Controller::Memory),
                    PathBuf::from("/sys/fs/cgroup/memory/a/b")
                )
            ]
        );
    }
}
