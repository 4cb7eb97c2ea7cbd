//! `mlp add` and `mlp status` of a large file and of many small ones, against DVC and against the floor: b3sum for what has
//! to be read, find with stat for what has not, cp with fsync for what goes into the store.

use super::Row;
use crate::{demo, peers, shell};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Counted runs of ours and of the floor; DVC takes long.
const RUNS: usize = 5;
/// A file's times must be older than a tick of the coarsest clock to be trusted.
const TICK: Duration = Duration::from_secs(3);
/// The bytes of the large file.
const LARGE: usize = 1 << 30;
/// The bytes of a small file.
const SMALL: usize = 4096;

/// The rows.
pub(super) fn rows() -> Result<Vec<Row>, String> {
    shell::run(&mut shell::command("cargo build --release --package mlp"))?;
    let bench = Bench {
        folder: shell::target().join("bench/data"),
        b3sum: peers::ensure(&peers::B3SUM).map(|programs| programs.join("b3sum")),
        dvc: peers::ensure(&peers::DVC).map(|programs| programs.join("dvc")),
    };
    let mut rows = Vec::new();
    bench.of(
        &Data::file(["add 1 GiB", "add --store 1 GiB", "status of 1 GiB"]),
        &mut rows,
    )?;
    let labels = [
        "add 20,000 files",
        "add --store 20,000 files",
        "status of 20,000 files",
    ];
    bench.of(&Data::files(20_000, labels, true), &mut rows)?;
    let labels = [
        "add 200,000 files",
        "add --store 200,000 files",
        "status of 200,000 files",
    ];
    // DVC takes minutes for them.
    bench.of(&Data::files(200_000, labels, false), &mut rows)?;
    Ok(rows)
}

/// What is pinned, and what its rows are called.
struct Data {
    files: usize,
    size: usize,
    labels: [&'static str; 3],
    with_dvc: bool,
}

impl Data {
    fn file(labels: [&'static str; 3]) -> Self {
        Self {
            files: 1,
            size: LARGE,
            labels,
            with_dvc: true,
        }
    }

    fn files(files: usize, labels: [&'static str; 3], with_dvc: bool) -> Self {
        Self {
            files,
            size: SMALL,
            labels,
            with_dvc,
        }
    }
}

struct Bench {
    folder: PathBuf,
    b3sum: Option<PathBuf>,
    dvc: Option<PathBuf>,
}

impl Bench {
    fn of(&self, data: &Data, rows: &mut Vec<Row>) -> Result<(), String> {
        let said = |error: io::Error| format!("{}: {error}", self.folder.display());
        self.clear("").map_err(said)?;
        lay(&self.folder.join("data"), data).map_err(said)?;
        fs::write(self.folder.join("pipeline.mlp"), "").map_err(said)?;
        std::thread::sleep(TICK);
        let [add, store, status] = data.labels;
        let read = self.reads();
        let copied = self.cleared(&["copy"], || self.shell("cp -r data copy && sync -f copy"));
        drop(self.clear("copy"));
        let looked = shell::median(RUNS, || {
            self.shell("find data -type f -printf '%s %T@ %i\\n' > looked")
        });
        let dvc = data.with_dvc.then(|| self.dvc()).flatten();
        let into = self.anew(&["add", "--store", "data"])?;
        let pinned = self.anew(&["add", "data"])?;
        let known = shell::median(RUNS, || self.mlp(&["status"])).ok_or("`mlp status` fails")?;
        let mut row = |what, ours: Duration, theirs: Option<Duration>, peer| {
            rows.push(Row {
                what,
                ours: millis(ours),
                theirs: theirs.map(millis),
                peer,
                unit: "ms",
            });
        };
        row(add, pinned, read, "b3sum");
        row(store, into, copied, "cp and sync");
        row(status, known, looked, "find with stat");
        if let Some((added, told)) = dvc {
            row(add, pinned, Some(added), "dvc add");
            row(status, known, Some(told), "dvc status");
        }
        self.clear("").map_err(said)
    }

    /// The median of a command of ours, each time with nothing remembered and nothing in the store.
    fn anew(&self, arguments: &[&str]) -> Result<Duration, String> {
        let timed = self.cleared(&[".mlp", "store", "mlp.lock"], || self.mlp(arguments));
        timed.ok_or_else(|| format!("`mlp {}` fails", arguments.join(" ")))
    }

    /// The median of a command before each run of which these are removed, which does not count.
    fn cleared(&self, names: &[&str], make: impl Fn() -> Command) -> Option<Duration> {
        let mut taken = Vec::new();
        for _ in 0..RUNS {
            names.iter().for_each(|name| drop(self.clear(name)));
            taken.push(shell::median(1, &make)?);
        }
        taken.sort();
        taken.get(RUNS / 2).copied()
    }

    fn mlp(&self, arguments: &[&str]) -> Command {
        let mut command = shell::program(&demo::mlp(), &self.folder);
        command
            .args(arguments)
            .env("MLP_STORE", self.folder.join("store"));
        command
    }

    fn reads(&self) -> Option<Duration> {
        let b3sum = self.b3sum.as_ref()?.display().to_string();
        let line = format!("find data -type f -print0 | xargs -0 {b3sum} > read");
        shell::median(RUNS, || self.shell(&line))
    }

    /// What DVC takes to add, and to say that nothing changed.
    fn dvc(&self) -> Option<(Duration, Duration)> {
        let dvc = self.dvc.as_ref()?;
        let run = |arguments: &[&str]| {
            let mut command = shell::program(dvc, &self.folder);
            command.args(arguments);
            command
        };
        shell::output(&mut run(&["init", "--no-scm", "--force", "--quiet"]))?;
        let added = shell::median(1, || run(&["add", "--quiet", "data"]))?;
        let told = shell::median(3, || run(&["status", "--quiet"]))?;
        Some((added, told))
    }

    fn shell(&self, line: &str) -> Command {
        let mut command = shell::program(Path::new("sh"), &self.folder);
        command.args(["-c", line]);
        command
    }

    /// Removes what lies at `name` in the folder.
    fn clear(&self, name: &str) -> io::Result<()> {
        let path = self.folder.join(name);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => {
                // Objects and their folders are read-only.
                drop(shell::output(self.shell("chmod -R u+w .").current_dir(&path)));
                fs::remove_dir_all(&path)
            }
            Ok(_) => fs::remove_file(&path),
            Err(_) => Ok(()),
        }
    }
}

/// Writes the files, no two alike, in folders of 200.
fn lay(folder: &Path, data: &Data) -> io::Result<()> {
    for number in 0..data.files {
        let inner = folder.join(format!("{:04}", number / 200));
        if number % 200 == 0 {
            fs::create_dir_all(&inner)?;
        }
        let mut file = fs::File::create(inner.join(format!("{number:06}.bin")))?;
        let mut chunk = vec![0_u8; data.size.min(1 << 20)];
        for part in 0..data.size.div_ceil(1 << 20) {
            let seed = (number * 1_000_003 + part) as u64;
            for (at, word) in chunk.chunks_exact_mut(8).enumerate() {
                let value = (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ at as u64)
                    .wrapping_mul(0xbf58_476d_1ce4_e5b9);
                word.copy_from_slice(&value.to_le_bytes());
            }
            file.write_all(&chunk)?;
        }
    }
    Ok(())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
