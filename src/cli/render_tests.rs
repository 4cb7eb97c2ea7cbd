use super::*;
use crate::cli::notice::Excerpt;
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::source::{Sources, Span};
use std::sync::Arc;

/// The span of `part` in a source that is given as text.
fn span(sources: &Sources, source: mlp_lang::source::SourceId, part: &str) -> Span {
    let start = sources.get(source).text.find(part).unwrap();
    Span {
        source,
        start: start as u32,
        end: (start + part.len()) as u32,
    }
}

fn shown(sources: &Sources, diagnostic: &Diagnostic) -> String {
    render(&Notice::of(diagnostic, sources), Style::PLAIN)
}

#[test]
fn places_near_each_other_share_a_snippet() {
    let mut sources = Sources::default();
    let text = "net = nn.sequential([\n  nn.flatten,\n  nn.linear(10, in_features = 800),\n])\n";
    let file = sources.add("pipeline.mlp", text);
    let diagnostic = Diagnostic::error(
        "E0310",
        span(&sources, file, "in_features = 800"),
        "shape mismatch",
    )
    .at("expects [batch, 800]")
    .label(span(&sources, file, "nn.flatten"), "produces [batch, 1568]")
    .note("from [batch, 1, 28, 28]: conv2d gives [32, 28, 28]")
    .help("leave `in_features` out, it is inferred; or write 1568");
    insta::assert_snapshot!(shown(&sources, &diagnostic));
}

#[test]
fn places_in_two_files_have_a_snippet_each_and_a_third_is_named() {
    let mut sources = Sources::default();
    let pipeline = sources.add("pipeline.mlp", "import ./nets.mlp\nfit = train(nets.cnn)\n");
    let nets = sources.add("nets.mlp", "fn cnn(width: Int) = width\n");
    let params = sources.add("params.yaml", "width: 3\n");
    let diagnostic = Diagnostic::error(
        "E0201",
        span(&sources, pipeline, "nets.cnn"),
        "a function is no layer",
    )
    .at("this is `(Int) -> Int`")
    .label(span(&sources, nets, "cnn"), "defined here")
    .label(span(&sources, params, "3"), "its width");
    insta::assert_snapshot!(shown(&sources, &diagnostic));
}

#[test]
fn of_a_very_long_line_only_a_part_is_shown() {
    let mut sources = Sources::default();
    let row = "12, ".repeat(50_000);
    let file = sources.add("rows.mlp", format!("lr = 1\nrows = [{row}oops, {row}]\n"));
    let diagnostic = Diagnostic::error("E0301", span(&sources, file, "oops"), "nothing is called `oops`");
    insta::assert_snapshot!(shown(&sources, &diagnostic));
}

#[test]
fn the_end_of_a_file_and_an_empty_file_can_be_marked() {
    let mut sources = Sources::default();
    let file = sources.add("pipeline.mlp", "x = [1,\n");
    let empty = sources.add("empty.mlp", "");
    let end = Span {
        source: file,
        start: 8,
        end: 8,
    };
    let nothing = Span {
        source: empty,
        start: 0,
        end: 0,
    };
    insta::assert_snapshot!(shown(
        &sources,
        &Diagnostic::error("E0101", end, "the list is not closed").at("`]` is missing")
    ),);
    insta::assert_snapshot!(shown(
        &sources,
        &Diagnostic::warning("E0102", nothing, "nothing is here")
    ));
}

#[test]
fn a_part_of_a_data_file_keeps_its_line_and_column() {
    let excerpt = Arc::new(Excerpt {
        path: "digits.csv".into(),
        text: "…0,0,12".into(),
        first_line: 813,
        first_column: 120,
    });
    let notice = Notice {
        code: "B0106".into(),
        severity: Severity::Error,
        message: "the label 12 is outside the 10 classes".into(),
        marks: vec![Mark {
            excerpt,
            range: 7..9,
            text: "this cell".into(),
        }],
        notes: vec!["one\ntwo".into()],
        help: None,
        mend: None,
        log: vec!["read 813 rows".into()],
    };
    insta::assert_snapshot!(render(&notice, Style::PLAIN));
}
