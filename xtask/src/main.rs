//! `cargo xtask`: `libtorch` gets libtorch and prints the folder to set `LIBTORCH` to.

mod libtorch;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["libtorch"] => libtorch::ensure().map(|folder| println!("{}", folder.display())),
        _ => Err("usage: cargo xtask libtorch".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
