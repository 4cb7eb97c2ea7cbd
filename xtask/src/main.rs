//! The commands of someone who works on mlp, or tries it on a fresh machine: `cargo xtask demo`, `test`, `bench`,
//! `fashion`, `fuzz`, `torture`, `parity`, `docs`, `libtorch`. They start cargo and programs that cargo built, and link to nothing of mlp.
#![expect(
    clippy::disallowed_methods,
    reason = "starting programs is what xtask does, and it is no part of mlp"
)]

mod bench;
mod demo;
mod docs;
mod editors;
mod fashion;
mod fuzz;
mod libtorch;
mod machine;
mod measure;
mod parity;
mod peers;
mod shell;
mod test;
mod torture;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask COMMAND

  demo       get libtorch, build in release, train and score a model on handwritten digits
  test       everything that has to hold: format, clippy, all tests, the examples
  bench      how fast mlp is, each figure against what people use now; alone all of it, or one part:
             bench tools   start-up, a build with nothing to do
             bench train   training throughput, start and memory against PyTorch eager
             bench steps   a pipeline of scripts and its environment against DVC, pip and uv
             bench build   the first build of 100 and 1,000 small steps against ninja, ninja with bubblewrap, and DVC
             bench noop    1,000 and 10,000 steps with nothing to do, against ninja, DVC and Snakemake
             bench data    `mlp add` and `mlp status`, of 1 GiB and of 200,000 files, against DVC, b3sum and find
             bench sandbox a step that does nothing, in the sandbox, with 5 and 50 inputs, against bubblewrap
             bench lang    five programs against Nix, jrsonnet and starlark-rust
             bench check   `mlp check` of 10,000 steps in 100 files
             bench lsp     how soon the language server answers after a keystroke in such a project
  fashion    train and score the example on Fashion-MNIST, whose data is a package of Debian's
  fuzz       look for texts that crash the language: fuzz [TARGET] [--seconds N]
  torture    kills, full and failing disks, power failures, damage, many times over: torture [TRIES] [--seed N]
  parity     [NAME] every layer, loss, optimizer and schedule against PyTorch, by their losses over 200 train steps
  docs       write docs/stdlib.md from the doc comments of the standard library
  libtorch   only get libtorch, and print the folder to set LIBTORCH to
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["demo"] => demo::run(),
        ["fashion"] => fashion::run(),
        ["test"] => test::run(),
        ["bench"] => bench::all(),
        ["bench", part] => bench::part(part),
        ["fuzz", ref rest @ ..] => fuzz::run(rest),
        ["torture", ref rest @ ..] => torture::run(rest),
        ["parity"] => parity::run(""),
        ["parity", case] => parity::run(case),
        // Not for people: how `bench` has a program measured.
        ["measured", into, program, ref arguments @ ..] => measure::child(into, program, arguments),
        ["docs"] => docs::run(),
        ["libtorch"] => libtorch::ensure().map(|folder| println!("{}", folder.display())),
        [] | ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        _ => Err(format!("unknown command `{}`\n\n{USAGE}", arguments.join(" "))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
