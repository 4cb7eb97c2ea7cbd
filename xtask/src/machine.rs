//! What a machine needs, looked for before the long work begins: each lack with the way to mend it.

use crate::shell;

/// The oldest Rust that builds mlp: `rust-version` of Cargo.toml.
const RUST: (u32, u32) = (1, 90);

/// Something that is missing, and how to get it.
struct Lack {
    what: &'static str,
    mend: &'static str,
}

/// Fails with all that is missing.
pub(crate) fn check() -> Result<(), String> {
    let lacks: Vec<Lack> = [rust(), compiler(), pip(), avx2(), namespaces()]
        .into_iter()
        .flatten()
        .collect();
    if lacks.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = lacks
        .iter()
        .map(|lack| format!("  missing: {}\n  hint: {}", lack.what, lack.mend))
        .collect();
    Err(format!("this machine is not ready\n{}", lines.join("\n")))
}

fn rust() -> Option<Lack> {
    let text = shell::output(&mut shell::command("rustc --version")).unwrap_or_default();
    (rust_version(&text)? < RUST).then_some(Lack {
        what: "Rust 1.90 or later",
        mend: "rustup update stable (from https://rustup.rs where there is no rustup)",
    })
}

/// Of `rustc 1.95.0 (…)`.
fn rust_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split_whitespace().nth(1)?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn compiler() -> Option<Lack> {
    // An own compiler is named in CXX; the `cc` crate looks there first, and then for c++.
    let named = std::env::var("CXX").is_ok();
    let there = ["c++", "g++", "clang++"]
        .iter()
        .any(|name| shell::output(&mut shell::command(&format!("{name} --version"))).is_some());
    (!named && !there).then_some(Lack {
        what: "a C++ compiler",
        mend: "sudo apt install g++",
    })
}

fn pip() -> Option<Lack> {
    let given = std::env::var("LIBTORCH").is_ok();
    let there = shell::output(&mut shell::command("python3 -m pip --version")).is_some();
    (!given && !there).then_some(Lack {
        what: "Python with pip, which fetches libtorch",
        mend: "sudo apt install python3-pip; or set LIBTORCH to a libtorch 2.11.0 that is here already",
    })
}

fn avx2() -> Option<Lack> {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    (!has_flag(&cpus, "avx2")).then_some(Lack {
        what: "a processor with AVX2, which results are pinned to (or /proc/cpuinfo cannot be read)",
        mend: "an x86-64 machine of 2013 or later; in a virtual machine, pass the host's processor through",
    })
}

fn has_flag(cpus: &str, flag: &str) -> bool {
    cpus.lines()
        .filter(|line| line.starts_with("flags"))
        .any(|line| line.split_whitespace().any(|word| word == flag))
}

fn namespaces() -> Option<Lack> {
    // `unshare` is in util-linux, which every Debian and Ubuntu has; elsewhere the sandbox itself will tell.
    shell::output(&mut shell::command("unshare --version"))?;
    // With a mount: Ubuntu 24.04 allows the namespace and denies what it is for.
    let tried = shell::output(&mut shell::command(
        "unshare --user --map-root-user --mount --pid --fork --net mount -t tmpfs tmpfs /tmp",
    ));
    tried.is_none().then_some(Lack {
        what: "user namespaces, in which steps are isolated",
        mend: "sudo sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000; on Ubuntu 24.04 also \
               kernel.apparmor_restrict_unprivileged_userns=0; in Docker run with --security-opt seccomp=unconfined",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read() {
        assert_eq!(rust_version("rustc 1.95.0 (f2d3ce0bd 2026-03-21)"), Some((1, 95)));
        assert_eq!(rust_version("nonsense"), None);
    }

    #[test]
    fn a_flag_is_a_whole_word() {
        assert!(has_flag(
            "model name: avx2\nflags\t\t: fpu avx avx2 sse\n",
            "avx2"
        ));
        assert!(!has_flag(
            "model name: avx2\nflags\t\t: fpu avx avx2_vnni\n",
            "avx2"
        ));
    }
}
