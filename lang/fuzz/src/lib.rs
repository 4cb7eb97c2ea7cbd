//! What the fuzz targets share: the properties, which the tests of `mlp-lang` hold too, and a mutator that knows the
//! language. Talks to libFuzzer, which chooses texts by what code they reach.

#[path = "../../tests/hold/mod.rs"]
pub mod hold;

use hold::grammar::{self, Dice};
use mlp_lang::source::SourceId;
use mlp_lang::syntax::{Node, parse};
use std::ops::Range;
use std::sync::Arc;

/// Changes the text in `data[..size]`, and gives its new length: by bytes as libFuzzer does, or by tokens and nodes of
/// the syntax tree, with parts of the same text or with generated ones.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut dice = Dice::new(seed.into());
    let text = std::str::from_utf8(&data[..size]).ok();
    let Some(text) = text.filter(|_| !dice.once_in(4)) else {
        return libfuzzer_sys::fuzzer_mutate(data, size, max_size);
    };
    let changed = changed(text, &mut dice);
    let bytes = changed.as_bytes();
    let mut length = bytes.len().min(max_size).min(data.len());
    // What is cut off ends with a whole character.
    while !changed.is_char_boundary(length) {
        length -= 1;
    }
    data[..length].copy_from_slice(&bytes[..length]);
    length
}

fn changed(text: &str, dice: &mut Dice) -> String {
    let parsed = parse(SourceId(0), Arc::from(text));
    let tokens: Vec<Range<usize>> = parsed
        .tree
        .tokens()
        .map(|token| token.span().start as usize..token.span().end as usize)
        .collect();
    let mut nodes: Vec<Range<usize>> = Vec::new();
    let mut open: Vec<Node<'_>> = vec![parsed.tree.root()];
    while let Some(node) = open.pop() {
        nodes.push(node.span().start as usize..node.span().end as usize);
        open.extend(node.children());
    }
    let of = |range: &Range<usize>| text[range.clone()].to_owned();
    let (token, node) = (dice.pick(&tokens).clone(), dice.pick(&nodes).clone());
    match dice.roll(10) {
        0 => replaced(text, token, ""),
        1 => {
            let other = of(dice.pick(&tokens));
            replaced(text, token, &other)
        }
        2 => {
            let twice = of(&token) + &of(&token);
            replaced(text, token, &twice)
        }
        3 => replaced(text, node, ""),
        4 | 5 => {
            let other = of(dice.pick(&nodes));
            replaced(text, node, &other)
        }
        6 | 7 => replaced(text, node, &grammar::expression(dice)),
        8 => {
            let item = grammar::item(dice);
            let at = text[..node.start].rfind('\n').map_or(0, |end| end + 1);
            replaced(text, at..at, &format!("{item}\n"))
        }
        _ => grammar::program(dice.roll(usize::MAX) as u64),
    }
}

fn replaced(text: &str, range: Range<usize>, by: &str) -> String {
    format!("{}{by}{}", &text[..range.start], &text[range.end..])
}
