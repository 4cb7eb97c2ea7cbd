//! The `mlp` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything else: the sandbox's helper is this program again, and must stay small and single-threaded.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == mlp_sandbox::HELPER_ARGUMENT)
    {
        mlp_sandbox::helper_main(None);
    }
    mlp::cli::main()
}
