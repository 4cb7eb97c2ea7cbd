//! The environment variables of every builder: the same on every machine, whatever those of mlp are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What every builder gets; the pipeline's own variables come on top.
const EVERYWHERE: &[(&str, &str)] = &[
    ("HOME", "/build"),
    ("PATH", "/usr/local/bin:/usr/bin:/bin"),
    ("TMPDIR", "/tmp"),
    ("LANG", "C.UTF-8"),
    ("LC_ALL", "C.UTF-8"),
    ("TZ", "UTC"),
    ("TERM", "dumb"),
    // Archives and compilers stamp this time: 1980-01-01, the first that zip can hold.
    ("SOURCE_DATE_EPOCH", "315532800"),
    ("PYTHONHASHSEED", "0"),
    ("PYTHONDONTWRITEBYTECODE", "1"),
    // A thread count that a library takes from the machine would change sums: one, unless the step asks for more.
    ("OMP_NUM_THREADS", "1"),
    ("MKL_NUM_THREADS", "1"),
    ("OPENBLAS_NUM_THREADS", "1"),
    ("NUMEXPR_NUM_THREADS", "1"),
    ("RAYON_NUM_THREADS", "1"),
    // Threads that wait must not spin: on busy cores that costs several times the work.
    ("OMP_WAIT_POLICY", "passive"),
    // One instruction set wherever libtorch and its libraries run.
    ("ATEN_CPU_CAPABILITY", "avx2"),
    ("ONEDNN_MAX_CPU_ISA", "AVX2"),
    ("MKL_CBWR", "AVX2"),
    ("CUBLAS_WORKSPACE_CONFIG", ":4096:8"),
];

/// Where Python finds `mlp_events`, below the build directory: a folder that is mlp's own in every project.
const MODULES: &str = ".mlp";

/// The module by which a Python script tells how far it is, as a file of the build directory.
pub fn events_module() -> (String, Vec<u8>) {
    let text = include_str!("mlp_events.py");
    (format!("{MODULES}/mlp_events.py"), text.as_bytes().to_vec())
}

/// Has Python look for [`events_module`] behind all that the step's own variables say.
pub fn find_events_module(vars: &mut BTreeMap<String, String>) {
    let path = vars.entry("PYTHONPATH".to_owned()).or_default();
    path.push_str(if path.is_empty() { "" } else { ":" });
    path.push_str(&format!("/build/{MODULES}"));
}

/// The names of those that hold a number of threads.
const THREADS: &[&str] = &[
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "RAYON_NUM_THREADS",
];

/// The variables of a builder that sees `threads` threads, which are hashed with its derivation.
pub fn fixed(threads: u32) -> BTreeMap<String, String> {
    let mut vars: BTreeMap<String, String> = EVERYWHERE
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    for name in THREADS {
        vars.insert((*name).to_owned(), threads.to_string());
    }
    vars
}

/// What a step that uses the machine's own tools sees of it.
const HOST_TOOLS: &[&str] = &[
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/alternatives",
    "/etc/ld.so.cache",
];

/// The closure of a step that uses the machine's own tools, of which a machine may lack parts.
pub fn host_tools() -> Vec<PathBuf> {
    HOST_TOOLS
        .iter()
        .map(PathBuf::from)
        .filter(|path| Path::exists(path))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_taken_from_the_environment_of_mlp() {
        let vars = fixed(2);
        assert_eq!(vars["HOME"], "/build");
        assert_eq!(vars["OMP_NUM_THREADS"], "2");
        assert_eq!(vars.len(), EVERYWHERE.len());
    }

    #[test]
    fn the_trainer_is_started_as_it_must_be() {
        let vars = fixed(1);
        for (name, value) in mlp_protocol::builtin::NUMERICS_ENVIRONMENT {
            assert_eq!(vars.get(*name).map(String::as_str), Some(*value), "{name}");
        }
    }
}
