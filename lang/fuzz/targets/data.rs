//! Fuzz target: data files, as JSON, YAML and TOML. Bytes alone: what matters here are the decoders.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mlp_lang_fuzz::hold;

fuzz_target!(|bytes: &[u8]| hold::data(bytes));
