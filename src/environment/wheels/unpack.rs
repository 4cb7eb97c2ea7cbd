//! Installs a wheel: each file where the format says that it belongs, and the programs that it promises.

use super::{PROGRAMS, Wrong, cannot, wrong};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

/// The largest file of a wheel that is installed.
const LARGEST: u64 = 8 << 30;

/// Installs a wheel into the tree.
pub(super) fn unpack(wheel: &Path, into: &Path) -> Result<(), Wrong> {
    let name = wheel
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let broken = |why: String| wrong(format!("the wheel {name} cannot be installed: {why}"));
    let file = File::open(wheel).map_err(|error| cannot("open", wheel, &error))?;
    let mut archive = zip::ZipArchive::new(file).map_err(|error| broken(error.to_string()))?;
    for index in 0..archive.len() {
        let mut entry = archive
            .by_index(index)
            .map_err(|error| broken(error.to_string()))?;
        if entry.is_dir() {
            continue;
        }
        let inner = PathBuf::from(entry.name());
        if !inner
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
        {
            return Err(broken(format!(
                "it holds `{}`, which leads out of it",
                inner.display()
            )));
        }
        if entry.size() > LARGEST {
            return Err(broken(format!(
                "`{}` has {} bytes",
                inner.display(),
                entry.size()
            )));
        }
        let (to, is_script) = place(&inner, into);
        let executable = is_script
            || entry
                .unix_mode()
                .is_some_and(|mode| mode & 0o111 != 0 && mode & 0o170_000 != 0o120_000);
        let mut bytes = Vec::new();
        (&mut entry)
            .take(LARGEST)
            .read_to_end(&mut bytes)
            .map_err(|error| broken(error.to_string()))?;
        if is_script {
            bytes = with_interpreter(bytes);
        }
        put(&to, &bytes, executable).map_err(|error| broken(error.to_string()))?;
        if inner.ends_with("entry_points.txt") {
            for (name, script) in console_scripts(&String::from_utf8_lossy(&bytes)) {
                let to = into.join("bin").join(name);
                put(&to, script.as_bytes(), true).map_err(|error| broken(error.to_string()))?;
            }
        }
    }
    Ok(())
}

/// Where a wheel's file belongs, and whether it is a script.
fn place(inner: &Path, into: &Path) -> (PathBuf, bool) {
    let mut parts = inner.components();
    let first = parts
        .next()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .unwrap_or_default();
    if first.ends_with(".data") {
        let kind = parts
            .next()
            .map(|part| part.as_os_str().to_string_lossy().into_owned());
        let rest = parts.as_path();
        match kind.as_deref() {
            Some("scripts") => return (into.join("bin").join(rest), true),
            Some("data") => return (into.join(rest), false),
            Some("headers") => return (into.join("include").join(rest), false),
            Some("purelib" | "platlib") => return (into.join("site-packages").join(rest), false),
            _ => {}
        }
    }
    (into.join("site-packages").join(inner), false)
}

/// Writes a file. Of one that several wheels have the last stands, as with pip; wheels are installed in the order of names.
fn put(to: &Path, bytes: &[u8], executable: bool) -> io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(to, bytes)?;
    let mode = if executable { 0o755 } else { 0o644 };
    fs::set_permissions(to, fs::Permissions::from_mode(mode))
}

/// A script whose first line says `#!python`, with the interpreter that steps have.
fn with_interpreter(bytes: Vec<u8>) -> Vec<u8> {
    match bytes.strip_prefix(b"#!python") {
        Some(rest) => {
            let rest = rest.strip_prefix(b"w").unwrap_or(rest);
            [format!("#!/build/{PROGRAMS}/python").as_bytes(), rest].concat()
        }
        None => bytes,
    }
}

/// The programs that `entry_points.txt` promises, by name.
fn console_scripts(text: &str) -> Vec<(String, String)> {
    let mut scripts = Vec::new();
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line == "[console_scripts]";
        } else if let Some((name, target)) = line
            .split_once('=')
            .filter(|_| inside && !line.starts_with(['#', ';']))
        {
            let target = target.split('[').next().unwrap_or(target).trim();
            let (module, object) = target.split_once(':').unwrap_or((target, "main"));
            let name = name.trim();
            if name.is_empty() || name.contains('/') || name.starts_with('.') {
                continue;
            }
            let first = object.split('.').next().unwrap_or(object);
            let script = format!(
                "#!/build/{PROGRAMS}/python\nimport sys\nfrom {module} import {first}\nsys.exit({object}())\n"
            );
            scripts.push((name.to_owned(), script));
        }
    }
    scripts
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn wheel(folder: &Path, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let path = folder.join(name);
        let mut archive = zip::ZipWriter::new(File::create(&path).unwrap());
        for (inner, text) in files {
            archive
                .start_file(*inner, zip::write::FileOptions::default())
                .unwrap();
            archive.write_all(text.as_bytes()).unwrap();
        }
        archive.finish().unwrap();
        path
    }

    #[test]
    fn a_wheels_files_go_where_they_belong() {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            ("pkg/__init__.py", "x = 1\n"),
            ("pkg-1.data/scripts/run", "#!python\nprint()\n"),
            ("pkg-1.data/purelib/pure.py", ""),
            ("pkg-1.data/data/share/pkg/table.csv", "1"),
            (
                "pkg-1.dist-info/entry_points.txt",
                "[console_scripts]\npkg = pkg.cli:app.main [extra]\n[gui_scripts]\ng = pkg:g\n",
            ),
        ];
        let wheel = wheel(folder.path(), "pkg-1-py3-none-any.whl", &files);
        let into = folder.path().join("tree");
        unpack(&wheel, &into).unwrap();
        let text = |path: &str| fs::read_to_string(into.join(path)).unwrap();
        assert_eq!(text("site-packages/pkg/__init__.py"), "x = 1\n");
        assert_eq!(text("bin/run"), "#!/build/.env/bin/python\nprint()\n");
        assert_eq!(text("share/pkg/table.csv"), "1");
        assert!(into.join("site-packages/pure.py").exists() && !into.join("bin/g").exists());
        assert_eq!(
            text("bin/pkg"),
            "#!/build/.env/bin/python\nimport sys\nfrom pkg.cli import app\nsys.exit(app.main())\n"
        );
        let mode = fs::metadata(into.join("bin/pkg")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
    }

    #[test]
    fn wheels_that_reach_out_or_are_torn_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let into = folder.path().join("tree");
        let bad = wheel(folder.path(), "a-1-py3-none-any.whl", &[("../out.py", "")]);
        assert!(
            unpack(&bad, &into)
                .unwrap_err()
                .message
                .contains("leads out of it")
        );
        let torn = folder.path().join("e-1-py3-none-any.whl");
        fs::write(&torn, "no zip").unwrap();
        assert!(
            unpack(&torn, &into)
                .unwrap_err()
                .message
                .contains("e-1-py3-none-any.whl")
        );
    }
}
