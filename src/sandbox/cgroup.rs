//! A memory bound by cgroup, version 1 or 2, where this process may make one: as root, and where systemd has delegated
//! the user's part of the tree. Everything here is an attempt; without it the first process watches.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

const TREE: &str = "/sys/fs/cgroup";

/// A cgroup of one build; removed when dropped, which MUST be after its processes are dead.
#[derive(Debug)]
pub(crate) struct MemoryGroup {
    path: PathBuf,
    version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl MemoryGroup {
    /// A group that may hold `limit` bytes, with the process `pid` in it. None where that is not allowed.
    pub(crate) fn holding(pid: i32, limit: u64) -> Option<Self> {
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        parents(&own)
            .into_iter()
            .find_map(|(version, parent)| Self::below(&parent, version, pid, limit))
    }

    fn below(parent: &Path, version: Version, pid: i32, limit: u64) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("mlp-{}-{number}", std::process::id()));
        fs::create_dir(&path).ok()?;
        let group = Self { path, version };
        let bounded = match version {
            Version::One => {
                group.write("memory.limit_in_bytes", limit)?;
                // Where swap is counted it must not be a way around; kernels without that lack the file.
                let _ = group.write("memory.memsw.limit_in_bytes", limit);
                Some(())
            }
            Version::Two => {
                let _ = group.write("memory.swap.max", 0);
                group.write("memory.max", limit)
            }
        };
        bounded?;
        group.write("cgroup.procs", pid.unsigned_abs().into())?;
        Some(group)
    }

    /// The most memory that it held, in bytes.
    pub(crate) fn peak(&self) -> Option<u64> {
        let file = match self.version {
            Version::One => "memory.max_usage_in_bytes",
            Version::Two => "memory.peak",
        };
        fs::read_to_string(self.path.join(file)).ok()?.trim().parse().ok()
    }

    /// Whether the kernel killed one of its processes because of the bound.
    pub(crate) fn killed(&self) -> bool {
        let file = match self.version {
            Version::One => "memory.oom_control",
            Version::Two => "memory.events",
        };
        let events = fs::read_to_string(self.path.join(file)).unwrap_or_default();
        events
            .lines()
            .filter_map(|line| line.strip_prefix("oom_kill "))
            .any(|count| count.trim() != "0")
    }

    fn write(&self, file: &str, value: u64) -> Option<()> {
        // Not created: a file that is missing is a controller that is not there.
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).open(self.path.join(file)).ok()?;
        std::io::Write::write_all(&mut file, value.to_string().as_bytes()).ok()
    }
}

impl Drop for MemoryGroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.path);
    }
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
        if controllers.split(',').any(|controller| controller == "memory") {
            found.push((Version::One, Path::new(TREE).join("memory").join(path)));
        } else if controllers.is_empty() && Path::new(TREE).join("cgroup.controllers").exists() {
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
    fn version_1_is_found_by_its_controller() {
        let found = parents("4:cpu,memory:/a/b\n1:name=systemd:/\n");
        assert_eq!(
            found,
            [(Version::One, PathBuf::from("/sys/fs/cgroup/memory/a/b"))]
        );
    }
}
