//! What holds of every text (`hold`), of programs that are made at random along the grammar, and of parts of them.

mod hold;

use hold::grammar::program;
use mlp_lang::check::check;
use mlp_lang::lower::load_text;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// The same cases each time: looking for new ones is what `cargo xtask fuzz` is for.
fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 64,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn programs_end_in_values_or_messages(seed in any::<u64>()) {
        let text = program(seed);
        hold::on_main_stack(move || hold::evaluator(text.as_bytes()));
    }

    #[test]
    fn programs_are_laid_out(seed in any::<u64>()) {
        hold::formatter(program(seed).as_bytes());
    }

    #[test]
    fn programs_that_end_anywhere_are_checked(seed in any::<u64>(), end in any::<prop::sample::Index>()) {
        let text = program(seed);
        let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let part = &text[..*end.get(&ends)];
        hold::lexer(part.as_bytes());
        hold::parser(part.as_bytes());
        hold::checker(part.as_bytes());
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        hold::lexer(&bytes);
        hold::parser(&bytes);
        hold::data(&bytes);
    }
}

/// A generator whose programs are refused would test the parser alone.
#[test]
fn most_programs_check() {
    let good = (0..100).filter(|seed| {
        let loaded = load_text(&program(*seed));
        let checked = check(&loaded.program, &loaded.sources);
        !hold::has_errors(&loaded.diagnostics) && !hold::has_errors(&checked.diagnostics)
    });
    let good = good.count();
    assert!(good >= 60, "{good} of 100");
}
