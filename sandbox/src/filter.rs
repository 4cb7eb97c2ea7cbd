//! The seccomp filters of a program: what namespaces leave within reach and no builder needs.
//!
//! They are deny lists, as in Nix and bwrap: a builder may be any program, and what a new kernel adds is unknown to it
//! too. What must not work even so stands behind capabilities that are gone.

use super::first::Step;
use super::wire::Refusal;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter, sock_filter,
};
use std::collections::BTreeMap;

/// No mounts, no namespaces, no kernel interfaces with a history of holes, nothing that sets the machine.
const DENIED: &[i64] = &[
    // Mounts: a bind is read-only as long as nobody can mount.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    // Namespaces: a nested user namespace would give capabilities back.
    libc::SYS_unshare,
    libc::SYS_setns,
    // Kernel interfaces whose holes were ways out of many sandboxes.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // Keys of the user.
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // Files by handle leave any root.
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    // The machine itself.
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
];

/// Extended attributes are no part of an output, and could carry rights out. Programs that copy files take ENOTSUP for
/// a file system that has none.
const UNSUPPORTED: &[i64] = &[libc::SYS_setxattr, libc::SYS_lsetxattr, libc::SYS_fsetxattr];

/// Their arguments lie in memory, where no filter sees them; libraries fall back to the older calls.
const MISSING: &[i64] = &[libc::SYS_clone3, libc::SYS_openat2];

/// Installs the filters for good. Needs no_new_privs.
pub(super) fn install() -> Step<()> {
    apply(programs())
}

/// No sockets but pairs: where there is no network namespace, the network and the sockets of other programs are the
/// machine's.
pub(super) fn no_sockets() -> Step<()> {
    let denied = always(&[libc::SYS_socket, libc::SYS_connect, libc::SYS_bind]);
    apply(compile(denied, libc::EPERM).map(|program| vec![program]))
}

fn apply(programs: Result<Vec<BpfProgram>, seccompiler::BackendError>) -> Step<()> {
    let failed = |error: String| Refusal {
        operation: format!("install the seccomp filter ({error})"),
        errno: std::io::Error::last_os_error()
            .raw_os_error()
            .unwrap_or(libc::EINVAL),
    };
    for program in programs.map_err(|error| failed(error.to_string()))? {
        apply_filter(&program).map_err(|error| failed(error.to_string()))?;
    }
    Ok(())
}

fn programs() -> Result<Vec<BpfProgram>, seccompiler::BackendError> {
    let mut denied = always(DENIED);
    denied.extend(setuid_rules()?);
    denied.insert(libc::SYS_clone, vec![namespace_rule()?]);
    let mut programs = vec![
        compile(denied, libc::EPERM)?,
        compile(always(UNSUPPORTED), libc::ENOTSUP)?,
        compile(always(MISSING), libc::ENOSYS)?,
    ];
    if cfg!(target_arch = "x86_64") {
        programs.push(refuse_x32());
    }
    Ok(programs)
}

fn always(calls: &[i64]) -> BTreeMap<i64, Vec<SeccompRule>> {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

fn compile(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    errno: i32,
) -> Result<BpfProgram, seccompiler::BackendError> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(errno as u32),
        arch,
    )?
    .try_into()
}

/// Any of these bits of an argument is set.
fn has(argument: u8, bit: u32) -> Result<SeccompCondition, seccompiler::BackendError> {
    let bit = u64::from(bit);
    SeccompCondition::new(
        argument,
        SeccompCmpArgLen::Dword,
        SeccompCmpOp::MaskedEq(bit),
        bit,
    )
}

/// A fork into a new user namespace. Those into the other kinds need capabilities, which are gone.
fn namespace_rule() -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(vec![has(0, libc::CLONE_NEWUSER as u32)?])
}

/// A file that is made setuid or setgid: where mlp is root, it would be root's, and others could reach it in the scratch
/// directory.
fn setuid_rules() -> Result<BTreeMap<i64, Vec<SeccompRule>>, seccompiler::BackendError> {
    let bits = [libc::S_ISUID, libc::S_ISGID];
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    let mut deny = |call: i64, mode: u8, flags: Option<u8>| {
        for bit in bits {
            let mut conditions = vec![has(mode, bit)?];
            // Without O_CREAT the mode is whatever was in the register.
            conditions.extend(flags.map(|flags| has(flags, libc::O_CREAT as u32)).transpose()?);
            rules.entry(call).or_default().push(SeccompRule::new(conditions)?);
        }
        Ok::<_, seccompiler::BackendError>(())
    };
    /// Newer than the table of libc: the same number on every architecture.
    const FCHMODAT2: i64 = 452;
    deny(libc::SYS_fchmod, 1, None)?;
    deny(libc::SYS_fchmodat, 2, None)?;
    deny(FCHMODAT2, 2, None)?;
    deny(libc::SYS_mknodat, 2, None)?;
    deny(libc::SYS_openat, 3, Some(2))?;
    #[cfg(target_arch = "x86_64")]
    {
        deny(libc::SYS_chmod, 1, None)?;
        deny(libc::SYS_mknod, 1, None)?;
        deny(libc::SYS_creat, 1, None)?;
        deny(libc::SYS_open, 2, Some(1))?;
    }
    Ok(rules)
}

/// The x32 calls have other numbers under the same architecture, and would pass by every rule.
fn refuse_x32() -> BpfProgram {
    let code = |code: u32, jt: u8, jf: u8, k: u32| sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    vec![
        // seccomp_data.nr is the first word.
        code(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        code(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 0, 1, 0x4000_0000),
        code(
            libc::BPF_RET | libc::BPF_K,
            0,
            0,
            libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32,
        ),
        code(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filters_compile() {
        let programs = programs().unwrap();
        assert!(
            programs
                .iter()
                .all(|program| !program.is_empty() && program.len() < 4096)
        );
    }
}
