//! Furnishes the namespaces: a straight list of system calls, in the order of `docs/design/sandbox.md`, each with its
//! reason there and its own words when the kernel refuses it. Runs in the first process, which holds all capabilities
//! of its user namespace until the end of [`enter`].

use super::first::{Ids, Step, step};
use super::syscall;
use super::wire::Spec;
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// The user and the group inside, whoever mlp is outside.
const INSIDE: u32 = 1000;
/// What every mount gets: no setuid programs, no devices.
const PLAIN: u64 = libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;
/// What inputs and the closure get besides.
const READ_ONLY: u64 = PLAIN | libc::MOUNT_ATTR_RDONLY;

/// The devices that exist inside.
const DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];
/// The parts of /proc through which a process that is root outside could change the machine.
const KERNEL_CONTROLS: [&str; 5] = ["sys", "sysrq-trigger", "irq", "bus", "fs"];

/// Makes the place that `spec` describes and leaves this process in it.
pub(super) fn enter(spec: &Spec, outside: Ids) -> Step<()> {
    map_user(outside)?;
    keep_mounts_private()?;
    let root = spec.root.as_path();
    mount_root(root)?;
    bind_writable(root, &spec.build, "build")?;
    for (place, from) in &spec.inputs {
        bind_read_only(from, &root.join("build").join(place))?;
    }
    bind_writable(root, &spec.tmp, "tmp")?;
    for path in &spec.closure {
        let target = inside(root, path);
        make_mount_point(path, &target)?;
        bind_read_only(path, &target)?;
    }
    let terminal = spec.program.as_ref().is_some_and(|program| program.terminal);
    let more: Vec<&str> = spec
        .devices
        .iter()
        .map(String::as_str)
        .chain(terminal.then_some("tty"))
        .collect();
    make_devices(root, spec.watch.memory, &more)?;
    mount_proc(root)?;
    write_etc(root)?;
    // Last, so that no path above is followed through one of them.
    for (path, text) in &spec.links {
        make_link(&inside(root, path), text)?;
    }
    name_machine()?;
    step(
        || "bring the loopback interface up".into(),
        syscall::loopback_up(),
    )?;
    change_root(root)?;
    close_root()
}

/// One user and one group, those of mlp, under fixed numbers. Groups must be frozen before the kernel takes a group map
/// from an ordinary user.
fn map_user(outside: Ids) -> Step<()> {
    let write = |file: &str, text: String| {
        step(
            || format!("write /proc/self/{file}"),
            result(fs::write(Path::new("/proc/self").join(file), text)),
        )
    };
    write("setgroups", "deny".into())?;
    write("uid_map", format!("{INSIDE} {} 1", outside.user))?;
    write("gid_map", format!("{INSIDE} {} 1", outside.group))
}

/// Nothing mounted here shows up outside, and nothing that is mounted outside later shows up here.
fn keep_mounts_private() -> Step<()> {
    let flags = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    step(
        || "make all mounts private".into(),
        mount(NONE, "/", NONE, flags, NONE),
    )
}

/// An empty root in memory; it holds mount points and a few files of /etc.
fn mount_root(root: &Path) -> Step<()> {
    let options = Some("mode=0755,size=64m");
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    let made = mount(Some("mlp"), root, Some("tmpfs"), flags, options);
    step(|| format!("mount a tmpfs at {}", root.display()), made)
}

/// The build directory and /tmp lie on the store's file system: their size is bounded there, not by memory.
fn bind_writable(root: &Path, from: &Path, name: &str) -> Step<()> {
    let target = root.join(name);
    step(
        || format!("make the directory /{name}"),
        result(fs::create_dir(&target)),
    )?;
    bind(from, &target)?;
    step(
        || format!("restrict the mount /{name}"),
        syscall::restrict_mount(&target, PLAIN, true),
    )
}

/// Recursive, since the kernel refuses to bind a tree without the mounts that cover parts of it.
fn bind(from: &Path, target: &Path) -> Step<()> {
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    step(
        || format!("bind {}", from.display()),
        mount(Some(from), target, NONE, flags, NONE),
    )
}

fn bind_read_only(from: &Path, target: &Path) -> Step<()> {
    bind(from, target)?;
    let made = syscall::restrict_mount(target, READ_ONLY, true);
    step(|| format!("make the mount of {} read-only", from.display()), made)
}

/// A directory or an empty file, as `path` is one, at `target`, and what leads to it.
fn make_mount_point(path: &Path, target: &Path) -> Step<()> {
    let words = || format!("make a mount point for {}", path.display());
    let metadata = step(|| format!("find {}", path.display()), result(fs::metadata(path)))?;
    if metadata.is_dir() {
        return step(words, result(fs::create_dir_all(target)));
    }
    let parent = target.parent().unwrap_or(target);
    step(words, result(fs::create_dir_all(parent)))?;
    step(words, result(fs::write(target, "")))
}

/// A few harmless devices, bound one by one, since only root of the machine can make new ones.
/// More of them are the terminal that a process has for its own, and GPUs that it is given.
fn make_devices(root: &Path, memory: Option<u64>, more: &[&str]) -> Step<()> {
    let dev = root.join("dev");
    step(|| "make /dev".into(), result(fs::create_dir(&dev)))?;
    for name in DEVICES.iter().chain(more) {
        let target = dev.join(name);
        let from = Path::new("/dev").join(name);
        step(
            || format!("make a mount point for /dev/{name}"),
            result(fs::write(&target, "")),
        )?;
        bind(&from, &target)?;
        let attributes = libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NOEXEC;
        step(
            || format!("restrict /dev/{name}"),
            syscall::restrict_mount(&target, attributes, false),
        )?;
    }
    for (name, to) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "fd/0"),
        ("stdout", "fd/1"),
        ("stderr", "fd/2"),
    ] {
        make_link(&dev.join(name), Path::new(to))?;
    }
    let shm = dev.join("shm");
    step(|| "make /dev/shm".into(), result(fs::create_dir(&shm)))?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    // Where no cgroup counts it, it is bounded by itself.
    let options = memory.map_or("mode=1777".to_owned(), |memory| {
        format!("mode=1777,size={memory}")
    });
    let made = mount(Some("mlp"), &shm, Some("tmpfs"), flags, Some(options.as_str()));
    step(|| "mount a tmpfs at /dev/shm".into(), made)
}

/// Shows only processes of the build. Needs the machine's own /proc to be wholly visible, so it is mounted before the
/// old root goes.
fn mount_proc(root: &Path) -> Step<()> {
    let proc = root.join("proc");
    step(|| "make /proc".into(), result(fs::create_dir(&proc)))?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    step(
        || "mount /proc".into(),
        mount(Some("proc"), &proc, Some("proc"), flags, NONE),
    )?;
    for name in KERNEL_CONTROLS {
        let path = proc.join(name);
        if path.exists() {
            bind_read_only(&path, &path)?;
        }
    }
    Ok(())
}

/// What programs ask for before they do anything: who they are, and what localhost is.
fn write_etc(root: &Path) -> Step<()> {
    let etc = root.join("etc");
    step(|| "make /etc".into(), result(fs::create_dir_all(&etc)))?;
    let files = [
        (
            "passwd",
            format!("mlp:x:{INSIDE}:{INSIDE}:mlp:/build:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"),
        ),
        ("group", format!("mlp:x:{INSIDE}:\nnogroup:x:65534:\n")),
        ("hosts", "127.0.0.1 localhost mlp\n::1 localhost\n".to_owned()),
        (
            "nsswitch.conf",
            "passwd: files\ngroup: files\nhosts: files\n".to_owned(),
        ),
    ];
    for (name, text) in files {
        let path = etc.join(name);
        if !path.exists() {
            step(|| format!("write /etc/{name}"), result(fs::write(path, text)))?;
        }
    }
    Ok(())
}

fn make_link(path: &Path, text: &Path) -> Step<()> {
    let words = || format!("make the link {}", path.display());
    if let Some(parent) = path.parent() {
        step(words, result(fs::create_dir_all(parent)))?;
    }
    match symlink(text, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => step(words, result(made)),
    }
}

/// The same name on every machine.
fn name_machine() -> Step<()> {
    step(|| "set the host name".into(), nix::unistd::sethostname("mlp"))
}

/// The new root over the old one, and the old one off: no path leads to it any more.
fn change_root(root: &Path) -> Step<()> {
    step(|| "enter the new root".into(), nix::unistd::chdir(root))?;
    step(|| "change the root".into(), nix::unistd::pivot_root(".", "."))?;
    step(|| "leave the old root".into(), umount2(".", MntFlags::MNT_DETACH))?;
    step(|| "enter /".into(), nix::unistd::chdir("/"))
}

/// Only /build, /tmp and /dev/shm can be written.
fn close_root() -> Step<()> {
    step(
        || "make the root read-only".into(),
        syscall::restrict_mount(Path::new("/"), READ_ONLY, false),
    )
}

const NONE: Option<&'static str> = None;

/// Where the machine's absolute `path` lies below the new root.
fn inside(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// The errno of an error of std.
pub(super) fn result<T>(result: io::Result<T>) -> Result<T, Errno> {
    result.map_err(|error| error.raw_os_error().map_or(Errno::EINVAL, Errno::from_raw))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Refusal;

    #[test]
    fn a_refusal_says_what_and_why() {
        let refusal: Refusal = step(|| "mount /proc".into(), Err::<(), _>(Errno::EPERM)).unwrap_err();
        assert_eq!(refusal.to_string(), "cannot mount /proc: Operation not permitted");
    }

    #[test]
    fn absolute_paths_lie_below_the_root() {
        assert_eq!(
            inside(Path::new("/r"), Path::new("/usr/bin")),
            Path::new("/r/usr/bin")
        );
    }
}
