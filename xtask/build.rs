//! Hands the triple of the machine on to `xtask fuzz`, which builds for it by name.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let triple = std::env::var("TARGET").unwrap_or_default();
    println!("cargo::rustc-env=TRIPLE={triple}");
}
