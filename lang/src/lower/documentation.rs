//! Doc comments that document nothing: what they say would be lost without a word.

use crate::diagnostic::{Diagnostic, Mend};
use crate::source::Span;
use crate::syntax::ast::{self, Item};
use crate::syntax::{SyntaxKind, SyntaxToken, Tree};
use std::collections::BTreeSet;

/// Doc comments one after the other, and what is between them and what they should be about.
struct Run {
    marks: Vec<Span>,
    /// Whether they document the file, if they stand at its top.
    module: bool,
    why: Option<&'static str>,
}

/// A warning for each run of doc comments of `tree` that neither an item, nor a variant, nor the file has.
pub(super) fn of_nothing(tree: &Tree) -> Vec<Diagnostic> {
    let is_doc = |token: &SyntaxToken<'_>| matches!(token.kind(), SyntaxKind::Doc | SyntaxKind::ModuleDoc);
    if !tree.tokens().any(|token| is_doc(&token)) {
        return Vec::new();
    }
    let documented = documented(tree);
    let mut found = Vec::new();
    let mut run: Option<Run> = None;
    let (mut top, mut breaks) = (true, 1);
    for token in tree.tokens() {
        match token.kind() {
            SyntaxKind::Whitespace => {
                breaks = token.text().bytes().filter(|byte| *byte == b'\n').count();
                if breaks > 1
                    && let Some(run) = &mut run
                {
                    run.why.get_or_insert("a blank line follows");
                }
            }
            SyntaxKind::ModuleDoc if top => {}
            SyntaxKind::Doc | SyntaxKind::ModuleDoc => {
                let behind = breaks == 0 && !top;
                let module = token.kind() == SyntaxKind::ModuleDoc;
                let goes_on = |run: &Run| run.why.is_none() && run.module == module && !behind;
                if !run.as_ref().is_some_and(goes_on) {
                    found.extend(run.take().as_ref().map(told));
                }
                let run = run.get_or_insert_with(|| Run {
                    marks: Vec::new(),
                    module,
                    why: behind.then_some("it stands behind what it is about, not before"),
                });
                run.marks.push(token.span());
                breaks = 0;
            }
            SyntaxKind::Comment => {
                if let Some(run) = &mut run {
                    run.why.get_or_insert("another comment follows");
                }
                breaks = 0;
            }
            kind => {
                let fits =
                    |run: &Run| run.why.is_none() && !run.module && documented.contains(&token.span().start);
                found.extend(run.take().filter(|run| !fits(run)).as_ref().map(told));
                top &= kind.is_trivia();
                breaks = 0;
            }
        }
    }
    found.extend(run.as_ref().map(told));
    found
}

/// Where what can be documented begins.
fn documented(tree: &Tree) -> BTreeSet<u32> {
    let mut starts = BTreeSet::new();
    for item in ast::File::cast(tree.root()).iter().flat_map(|file| file.items()) {
        if !matches!(item, Item::ImportFile(_) | Item::ImportStd(_)) {
            starts.insert(item.node().span().start);
        }
        if let Item::EnumItem(item) = item {
            starts.extend(item.variants().map(|variant| variant.node().span().start));
        }
    }
    starts
}

fn told(run: &Run) -> Diagnostic {
    let (mark, help) = if run.module {
        (
            "##!",
            "write `#` for a comment; `##!` lines stand before everything else in a file",
        )
    } else {
        (
            "##",
            "write `#` for a comment; `##` lines stand right before an item, or a variant of an enum",
        )
    };
    let first = run.marks[0];
    let span = Span {
        end: run.marks.last().map_or(first.end, |last| last.end),
        ..first
    };
    let edits = run.marks.iter().map(|line| {
        let mark = Span {
            end: line.start + mark.len() as u32,
            ..*line
        };
        (mark, "#".to_owned())
    });
    let mut warning = Diagnostic::warning("E0272", span, "this documents nothing").help(help);
    warning.mend = Some(Mend {
        title: "write `#`".to_owned(),
        edits: edits.collect(),
    });
    match run.why {
        Some(why) => warning.at(why),
        None => warning,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceId;
    use crate::syntax::parse;

    /// The comments that document nothing, and why.
    fn lost(text: &str) -> Vec<(&str, String)> {
        let parse = parse(SourceId(0), text.into());
        let told = of_nothing(&parse.tree).into_iter();
        told.map(|told| {
            let span = told.span();
            (
                text[span.start as usize..span.end as usize].trim_end(),
                told.labels[0].text.clone(),
            )
        })
        .collect()
    }

    #[test]
    fn what_documents_something_is_left_alone() {
        let text = "# x\n##! The file.\n##! More.\n\n## A.\n## B.\na = 1\n## E.\nenum E {\n  ## S.\n  S,\n  ## C.\n  C(Int),\n}\n\
                    ## P.\nparam p: Int = 1\n## T.\ntype T = Int\n## F.\nfn f(x: Int) = x\n### ruler\n";
        assert_eq!(lost(text), []);
    }

    #[test]
    fn each_run_that_documents_nothing_is_told_once() {
        let text = "## Before an import.\nimport std.nn\na = 1 ## Behind.\nb = 2\n## A section.\n\n## Of b.\nc = {\n  ## In.\n  ## Two.\n  d: 1,\n}\n\
                    ## Commented.\n# No.\ne = 1\n##! Late.\nf = 1\n## At the end.\n";
        let found = lost(text);
        let blank = |text| (text, String::new());
        assert_eq!(
            found,
            [
                blank("## Before an import."),
                (
                    "## Behind.",
                    "it stands behind what it is about, not before".to_owned()
                ),
                ("## A section.", "a blank line follows".to_owned()),
                blank("## In.\n  ## Two."),
                ("## Commented.", "another comment follows".to_owned()),
                blank("##! Late."),
                blank("## At the end."),
            ]
        );
    }

    #[test]
    fn what_stands_behind_something_documents_nothing_else() {
        let parse = parse(SourceId(0), "a = 1 ## Of a.\nb = 2\n".into());
        let file = ast::File::cast(parse.tree.root()).unwrap();
        let docs: Vec<_> = file
            .items()
            .map(|item| ast::doc_before(item.node().first_token()))
            .collect();
        assert_eq!(docs, [None, None]);
    }
}
