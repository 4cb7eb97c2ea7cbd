//! The tree-sitter grammar of `.mlp`, made from `grammar.js` when this is built; `tests/parser.rs` holds it to the language's
//! own parser.
#![cfg_attr(generated, expect(unsafe_code, reason = "the parser is C"))]

#[cfg(generated)]
use tree_sitter_language::LanguageFn;

#[cfg(generated)]
unsafe extern "C" {
    fn tree_sitter_mlp() -> *const ();
}

/// The language, for `tree_sitter::Parser::set_language`; none where Node.js was not there to read the grammar.
pub fn language() -> Option<tree_sitter_language::LanguageFn> {
    #[cfg(generated)]
    // SAFETY: the function is the one that tree-sitter generates.
    return Some(unsafe { LanguageFn::from_raw(tree_sitter_mlp) });
    #[cfg(not(generated))]
    None
}
