//! `cargo xtask torture`: the tests of faults, for long. Every run of the tests tries some tens of kills, failures and states
//! of a disk; here it is as many as are asked for, in longer builds, from a seed that is said.

use crate::shell;

/// Tries of each kind, where no number is given.
const TRIES: u32 = 300;

/// What is run, each by its name: `cargo test` with these words.
const PARTS: &[(&str, &str)] = &[
    (
        "a disk that fails, and what a failure of the power leaves",
        "--package mlp --lib -- tests::faults --nocapture",
    ),
    (
        "files that are damaged or meant ill",
        "--package mlp --lib -- read_as no_bytes_make_it_panic",
    ),
    (
        "processes that are killed, builds at once, full disks, clocks, flipped bits",
        "--package mlp --test it -- faults:: --nocapture",
    ),
    (
        "builders that try to leave",
        "--package mlp --test sandbox -- --nocapture",
    ),
];

/// `torture [TRIES] [--seed N]`
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let (mut tries, mut seed) = (TRIES, u64::from(std::process::id()));
    let mut rest = arguments.iter();
    while let Some(&argument) = rest.next() {
        match argument {
            "--seed" => {
                let given = rest.next().and_then(|text| text.parse().ok());
                seed = given.ok_or("`--seed` takes a whole number")?;
            }
            text => {
                let wrong = || format!("torture takes a number of tries and `--seed n`, not `{text}`");
                tries = text.parse().map_err(|_| wrong())?;
            }
        }
    }
    let mut failed = Vec::new();
    for (what, words) in PARTS {
        eprintln!("\n{what}: {tries} tries, seed {seed}");
        let mut command = shell::command(&format!("cargo test {words}"));
        command
            .env("MLP_FAULTS", tries.to_string())
            .env("MLP_FAULTS_SEED", seed.to_string())
            .env("PROPTEST_CASES", tries.saturating_mul(100).to_string());
        if shell::run(&mut command).is_err() {
            failed.push(*what);
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "torture: FAILED: {}\nhint: repeat it with `cargo xtask torture {tries} --seed {seed}`",
            failed.join("; ")
        )),
    }
}
