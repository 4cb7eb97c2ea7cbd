//! The system calls that neither std nor `nix` wraps safely, each with the reason why its use here is sound. Talks to
//! libc alone; only this file of the sandbox is unsafe.
#![expect(
    unsafe_code,
    reason = "the sandbox's system calls; each block says why it is sound"
)]

use nix::errno::Errno;
use std::ffi::CString;
use std::io::IoSliceMut;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;

/// Which side of [`clone`] this is.
pub(super) enum Cloned {
    /// The new process.
    Child,
    /// The process that called.
    Parent {
        /// The child's id in the caller's pid namespace.
        pid: i32,
        /// A descriptor of the child: readable once it and, where it is PID 1, all of its namespace are dead.
        pidfd: OwnedFd,
    },
}

/// Forks into new namespaces by clone(2). Not clone3: container runtimes answer that with ENOSYS, and no flag here
/// needs it.
///
/// MUST be called by a single-threaded process: the child goes on with a copy of the heap.
pub(super) fn clone(namespaces: i32) -> Result<Cloned, Errno> {
    let mut pidfd: RawFd = -1;
    let flags = i64::from(namespaces | libc::CLONE_PIDFD | libc::SIGCHLD);
    // SAFETY: without CLONE_VM and with a null stack this is fork(2): the child has its own copy of everything. The
    // kernel writes the descriptor to `pidfd` in the parent's memory before the call returns.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, &raw mut pidfd, 0, 0) };
    match Errno::result(pid)? {
        0 => Ok(Cloned::Child),
        pid => Ok(Cloned::Parent {
            pid: pid as i32,
            // SAFETY: the kernel just made this descriptor for us.
            pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) },
        }),
    }
}

/// Ends the process at once: no destructors, no exit handlers of the parent whose memory this is a copy of.
pub(super) fn exit_now(status: i32) -> ! {
    // SAFETY: _exit(2) has no preconditions.
    unsafe { libc::_exit(status) }
}

/// Kills the process behind a pidfd; of PID 1 of a namespace this kills all of it.
pub(super) fn kill_pidfd(pidfd: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: all arguments are plain numbers; a null siginfo is allowed.
    let done = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            libc::SIGKILL,
            0,
            0,
        )
    };
    Errno::result(done).map(drop)
}

/// Adds attributes (`MOUNT_ATTR_…`) to the mount at `path`, and to all below it where `recursive`. Unlike a remount it
/// keeps the flags that a more privileged namespace has locked.
pub(super) fn restrict_mount(path: &Path, attributes: u64, recursive: bool) -> Result<(), Errno> {
    let path = c_string(path)?;
    let attr = libc::mount_attr {
        attr_set: attributes,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    let flags = if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: `path` is NUL-terminated, and the size is that of the struct that is passed.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            flags,
            &raw const attr,
            size_of::<libc::mount_attr>(),
        )
    };
    Errno::result(done).map(drop)
}

/// Marks every descriptor from `first` on as close-on-exec.
pub(super) fn close_on_exec_from(first: RawFd) -> Result<(), Errno> {
    // SAFETY: only sets a flag on descriptors; nothing is closed under an owner's hands.
    let done = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            first,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    Errno::result(done).map(drop)
}

/// Closes every descriptor from `first` on. MUST be called only where no value owns one of them any more.
pub(super) fn close_from(first: RawFd) -> Result<(), Errno> {
    // SAFETY: the caller holds nothing that owns these.
    let done = unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) };
    Errno::result(done).map(drop)
}

/// Makes `number` a duplicate of `fd`, inherited across exec. Called in a process that is about to exec, for the
/// numbers of standard streams and of the protocol socket.
pub(super) fn duplicate_as(fd: BorrowedFd<'_>, number: RawFd) -> Result<(), Errno> {
    if fd.as_raw_fd() == number {
        // dup2 of a descriptor on itself would leave close-on-exec set.
        // SAFETY: only changes a flag of an open descriptor.
        return Errno::result(unsafe { libc::fcntl(number, libc::F_SETFD, 0) }).map(drop);
    }
    // SAFETY: what `number` was before is a standard stream or a descriptor that nobody uses up to the exec.
    Errno::result(unsafe { libc::dup2(fd.as_raw_fd(), number) }).map(drop)
}

/// A duplicate of `fd` whose number is at least `least`.
pub(super) fn duplicate_above(fd: BorrowedFd<'_>, least: RawFd) -> Result<OwnedFd, Errno> {
    // SAFETY: makes a new descriptor, whose owner is the value returned.
    let number = Errno::result(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, least) })?;
    // SAFETY: see above.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Gives up every capability for good: the bounding, ambient, inheritable, permitted and effective sets.
pub(super) fn drop_capabilities() -> Result<(), Errno> {
    for capability in 0..64 {
        // SAFETY: prctl with plain numbers. EINVAL: the kernel has no capability of that number,
        // nor any above.
        let done = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) };
        match Errno::result(done) {
            Ok(_) => {}
            // Or a user who may not drop what a program could get, and has none of it: no_new_privs keeps it away.
            Err(Errno::EINVAL | Errno::EPERM) => break,
            Err(errno) => return Err(errno),
        }
    }
    // SAFETY: prctl with plain numbers.
    Errno::result(unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) })?;
    // The header of capability version 3 and its three 32-bit sets, twice.
    let header: [u32; 2] = [0x2008_0522, 0];
    let none = [0u32; 6];
    // SAFETY: both arrays have the layout and length that version 3 has.
    let done = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), none.as_ptr()) };
    Errno::result(done).map(drop)
}

/// prctl(2) of an option that takes one number.
pub(super) fn set_process_option(option: i32, value: u64) -> Result<(), Errno> {
    // SAFETY: options used here (no_new_privs, dumpable, child subreaper) take one plain number.
    Errno::result(unsafe { libc::prctl(option, value, 0, 0, 0) }).map(drop)
}

/// A session keyring of its own, so that the user's keys are out of reach. Kernels without keyrings answer ENOSYS.
pub(super) fn join_new_keyring() -> Result<(), Errno> {
    // SAFETY: a null name makes an anonymous keyring.
    let done = unsafe { libc::syscall(libc::SYS_keyctl, libc::KEYCTL_JOIN_SESSION_KEYRING, 0) };
    match Errno::result(done) {
        Ok(_) | Err(Errno::ENOSYS) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Sets every signal to its default: std has SIGPIPE ignored, and an ignored signal is inherited across exec.
pub(super) fn reset_signals() {
    for signal in 1..=64 {
        // SAFETY: the default disposition runs no code of ours. KILL, STOP and those of libc are refused: no matter.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// Puts `vars` (`NAME=value`) in the place of the environment.
///
/// MUST be called by a single-threaded process that holds no reference into its environment.
pub(super) fn set_environment(vars: Vec<CString>) -> Result<(), Errno> {
    // SAFETY: no other thread reads the environment meanwhile, and nothing here refers into the old one.
    if unsafe { libc::clearenv() } != 0 {
        return Err(Errno::ENOMEM);
    }
    vars.into_iter().try_for_each(|var| {
        // SAFETY: the text is NUL-terminated, and is part of the environment from now on: it is never freed.
        Errno::result(unsafe { libc::putenv(var.into_raw()) }).map(drop)
    })
}

/// Lets the kernel reap children whose status nobody asks for.
pub(super) fn ignore_children() {
    // SAFETY: runs no code of ours.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
}

/// Takes [`ignore_children`] back.
pub(super) fn hear_children() {
    // SAFETY: the default disposition runs no code of ours.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
}

/// Brings the loopback interface of this network namespace up.
pub(super) fn loopback_up() -> Result<(), Errno> {
    // SAFETY: makes a descriptor, owned below.
    let socket =
        Errno::result(unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) })?;
    // SAFETY: see above.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    // SAFETY: an ifreq of zeroes is a valid value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[0] = b'l' as libc::c_char;
    request.ifr_name[1] = b'o' as libc::c_char;
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: the request is an initialised ifreq, as SIOCSIFFLAGS wants.
    let done = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw const request) };
    Errno::result(done).map(drop)
}

/// Receives one message and the descriptors with it. No bytes means that the other side is gone.
pub(super) fn receive(socket: BorrowedFd<'_>, bytes: &mut [u8]) -> Result<(usize, Vec<OwnedFd>), Errno> {
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
    let mut room = nix::cmsg_space!([RawFd; 8]);
    let mut parts = [IoSliceMut::new(bytes)];
    let message = recvmsg::<()>(
        socket.as_raw_fd(),
        &mut parts,
        Some(&mut room),
        MsgFlags::MSG_CMSG_CLOEXEC,
    )?;
    let mut descriptors = Vec::new();
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(numbers) = control {
            // SAFETY: the kernel just made these descriptors for us, and each is taken once.
            descriptors.extend(
                numbers
                    .into_iter()
                    .map(|number| unsafe { OwnedFd::from_raw_fd(number) }),
            );
        }
    }
    Ok((message.bytes, descriptors))
}

/// Makes the terminal `fd` that of this session, whose leader the process is.
pub(super) fn take_terminal(fd: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: the argument is a plain number: 0, not to take it from another session.
    Errno::result(unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCSCTTY, 0) }).map(drop)
}

/// The size of a terminal.
pub(super) fn window_size(fd: BorrowedFd<'_>) -> Result<libc::winsize, Errno> {
    // SAFETY: a winsize of zeroes is a valid value, which the kernel writes over.
    let mut size: libc::winsize = unsafe { std::mem::zeroed() };
    // SAFETY: the request takes a pointer to a winsize.
    Errno::result(unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) })?;
    Ok(size)
}

/// Gives a terminal a size; whoever runs in its foreground hears of it.
pub(super) fn set_window_size(fd: BorrowedFd<'_>, size: &libc::winsize) -> Result<(), Errno> {
    // SAFETY: the request takes a pointer to a winsize.
    Errno::result(unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCSWINSZ, &raw const *size) }).map(drop)
}

/// Installs a filter whose notifications are read from the descriptor that comes back. Needs no_new_privs.
pub(super) fn install_listener(filter: &[libc::sock_filter]) -> Result<OwnedFd, Errno> {
    let program = libc::sock_fprog {
        len: u16::try_from(filter.len()).map_err(|_| Errno::EINVAL)?,
        filter: filter.as_ptr().cast_mut(),
    };
    // SAFETY: the kernel copies the program, which is as long as it says, and writes nothing to it.
    let fd = Errno::result(unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            &raw const program,
        )
    })?;
    // SAFETY: the kernel just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// The next call that a filter tells of; `ENOENT` where the caller was killed meanwhile.
pub(super) fn next_call(listener: BorrowedFd<'_>) -> Result<libc::seccomp_notif, Errno> {
    // SAFETY: a notification of zeroes is a valid value, and what the kernel asks to be passed.
    let mut call: libc::seccomp_notif = unsafe { std::mem::zeroed() };
    // SAFETY: the request takes a pointer to a notification.
    Errno::result(unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_RECV,
            &raw mut call,
        )
    })?;
    Ok(call)
}

/// Lets the call `id` go on as if there were no filter.
pub(super) fn let_call_go_on(listener: BorrowedFd<'_>, id: u64) -> Result<(), Errno> {
    let answer = libc::seccomp_notif_resp {
        id,
        val: 0,
        error: 0,
        flags: libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32,
    };
    // SAFETY: the request takes a pointer to an answer.
    Errno::result(unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_SEND,
            &raw const answer,
        )
    })
    .map(drop)
}

fn c_string(path: &Path) -> Result<CString, Errno> {
    use std::os::unix::ffi::OsStrExt;
    CString::new(path.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)
}

/// What Landlock refuses where no rule allows it.
#[repr(C)]
pub(super) struct LandlockRules {
    /// Rights over files.
    pub(super) files: u64,
    /// Uses of the network: from version 4 on.
    pub(super) network: u64,
    /// What reaches processes outside: from version 6 on.
    pub(super) scoped: u64,
}

/// A rule of Landlock: what is allowed at a file, and below it.
#[repr(C, packed)]
struct LandlockPath {
    allowed: u64,
    parent: RawFd,
}

/// The version of the kernel's Landlock.
pub(super) fn landlock_version() -> Result<u32, Errno> {
    const VERSION: u32 = 1;
    // SAFETY: with this flag the kernel reads no attributes and answers a number.
    let version = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<u8>(),
            0usize,
            VERSION,
        )
    };
    Errno::result(version).map(|version| version as u32)
}

/// An empty set of rules. Older kernels know a prefix of the attributes, and refuse more only where it is not zero.
pub(super) fn landlock_rules(rules: &LandlockRules) -> Result<OwnedFd, Errno> {
    // SAFETY: the attributes are three numbers in the kernel's layout, with their size.
    let made = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::from_ref(rules),
            size_of::<LandlockRules>(),
            0u32,
        )
    };
    let number = Errno::result(made)?;
    // SAFETY: the kernel just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(number as RawFd) })
}

/// Allows `rights` at `file` and below it.
pub(super) fn landlock_allow(rules: BorrowedFd<'_>, file: BorrowedFd<'_>, rights: u64) -> Result<(), Errno> {
    const PATH_BENEATH: u32 = 1;
    let rule = LandlockPath {
        allowed: rights,
        parent: file.as_raw_fd(),
    };
    // SAFETY: the rule has the kernel's packed layout, and both descriptors are open.
    let done = unsafe {
        libc::syscall(
            libc::SYS_landlock_add_rule,
            rules.as_raw_fd(),
            PATH_BENEATH,
            std::ptr::from_ref(&rule),
            0u32,
        )
    };
    Errno::result(done).map(drop)
}

/// Holds this process and its children to the rules, for good.
pub(super) fn landlock_restrict(rules: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: plain numbers.
    let done = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, rules.as_raw_fd(), 0u32) };
    Errno::result(done).map(drop)
}
