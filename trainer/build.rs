//! Compiles the C++ shim against the libtorch that torch-sys found, and makes the program find that libtorch.

use std::env;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=shim");
    let Ok(lib) = env::var("DEP_TCH_LIBTORCH_LIB") else {
        println!("cargo:error=torch-sys does not say where libtorch is; set LIBTORCH (cargo xtask libtorch)");
        return;
    };
    let root = Path::new(&lib).parent().unwrap_or(Path::new("/"));
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        // The kernels are slow without, also where the rest is built to be debugged.
        .opt_level(3)
        .warnings(false)
        .include(root.join("include"))
        .include(root.join("include/torch/csrc/api/include"))
        .files(["shim/shim.cc", "shim/pool.cc"])
        .compile("mlp_trainer_shim");
    // torch-sys's own rpath does not reach the program. `$ORIGIN/../lib` is for an installation: bin/ beside lib/.
    println!("cargo:rustc-link-arg=-Wl,-rpath,{lib}");
    println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN/../lib");
}
