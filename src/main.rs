//! The `mlp` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything else: the sandbox's helper is this program again, and must stay small and single-threaded.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == mlp::sandbox::HELPER_ARGUMENT)
    {
        mlp::sandbox::helper_main();
    }
    mlp::cli::main()
}
