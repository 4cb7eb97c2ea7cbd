//! Which packages a script imports, by the names under which indexes have them. Talks to nobody.

use std::collections::BTreeSet;

/// Modules that every Python brings.
const STANDARD: &[&str] = &[
    "__future__",
    "abc",
    "argparse",
    "array",
    "ast",
    "asyncio",
    "base64",
    "bisect",
    "builtins",
    "bz2",
    "calendar",
    "cmath",
    "codecs",
    "collections",
    "concurrent",
    "configparser",
    "contextlib",
    "copy",
    "csv",
    "ctypes",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "enum",
    "errno",
    "fnmatch",
    "fractions",
    "ftplib",
    "functools",
    "gc",
    "getpass",
    "glob",
    "gzip",
    "hashlib",
    "heapq",
    "hmac",
    "html",
    "http",
    "importlib",
    "inspect",
    "io",
    "ipaddress",
    "itertools",
    "json",
    "locale",
    "logging",
    "lzma",
    "math",
    "mimetypes",
    "multiprocessing",
    "numbers",
    "operator",
    "os",
    "pathlib",
    "pickle",
    "pkgutil",
    "platform",
    "pprint",
    "queue",
    "random",
    "re",
    "sched",
    "secrets",
    "select",
    "shelve",
    "shlex",
    "shutil",
    "signal",
    "socket",
    "sqlite3",
    "ssl",
    "stat",
    "statistics",
    "string",
    "struct",
    "subprocess",
    "sys",
    "sysconfig",
    "tarfile",
    "tempfile",
    "textwrap",
    "threading",
    "time",
    "timeit",
    "tkinter",
    "tomllib",
    "traceback",
    "types",
    "typing",
    "unicodedata",
    "unittest",
    "urllib",
    "uuid",
    "venv",
    "warnings",
    "wave",
    "weakref",
    "xml",
    "zipfile",
    "zlib",
    "zoneinfo",
];

/// Modules whose packages have other names.
const RENAMED: &[(&str, &str)] = &[
    ("IPython", "ipython"),
    ("PIL", "pillow"),
    ("bs4", "beautifulsoup4"),
    ("cv2", "opencv-python-headless"),
    ("dateutil", "python-dateutil"),
    ("mpl_toolkits", "matplotlib"),
    ("skimage", "scikit-image"),
    ("sklearn", "scikit-learn"),
    ("yaml", "pyyaml"),
];

/// The packages of the modules that `imports` name, sorted; `own` says which are of the project.
pub(super) fn of(imports: &[String], own: impl Fn(&str) -> bool) -> Vec<String> {
    let modules: BTreeSet<&str> = imports
        .iter()
        .filter_map(|module| module.split('.').next())
        .filter(|module| !module.is_empty() && module.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
        .filter(|module| !STANDARD.contains(module) && !own(module))
        .collect();
    let package = |module: &str| {
        let renamed = RENAMED.iter().find(|(name, _)| *name == module);
        renamed.map_or_else(
            || module.to_lowercase().replace('_', "-"),
            |(_, package)| (*package).to_owned(),
        )
    };
    let packages: BTreeSet<String> = modules.into_iter().map(package).collect();
    packages.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_named_as_indexes_name_them() {
        let imports = [
            "numpy",
            "sklearn.svm",
            "sklearn",
            "os.path",
            "mine",
            ".near",
            "PIL",
        ]
        .map(str::to_owned);
        assert_eq!(
            of(&imports, |module| module == "mine"),
            ["numpy", "pillow", "scikit-learn"]
        );
    }
}
