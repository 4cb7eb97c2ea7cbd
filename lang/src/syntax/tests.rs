use super::*;

#[test]
fn the_text_comes_back() {
    for text in [
        "",
        "x = 1",
        "  x = [1,\n 2] # c\n",
        "\"a ${b(\"c\")}\n ] ) }",
        "'",
        "\u{0}é\u{301}",
    ] {
        let parse = parse(SourceId(0), text.into());
        let back: String = parse.tree.tokens().map(|token| token.text()).collect();
        assert_eq!(back, text);
    }
}
