//! The `mlp` program.

fn main() {
    // Before anything else: the helper must stay small and single-threaded.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == mlp::sandbox::HELPER_ARGUMENT)
    {
        mlp::sandbox::helper_main();
    }
}
