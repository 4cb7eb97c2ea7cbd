//! Fuzz target: the layout.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use mlp_lang_fuzz::{hold, mutate};

fuzz_target!(|bytes: &[u8]| hold::formatter(bytes));
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed)
});
