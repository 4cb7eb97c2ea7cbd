use super::*;
use crate::diagnostic::Diagnostic;
use crate::library::Library;
use crate::source::Sources;

/// Each diagnostic as `code line:column message | help`.
fn render(sources: &Sources, diagnostic: &Diagnostic) -> String {
    let span = diagnostic.span();
    let before = &sources.get(span.source).text[..span.start as usize];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    format!(
        "{} {line}:{column} {} | {}",
        diagnostic.code,
        diagnostic.message,
        diagnostic.help.as_deref().unwrap_or("")
    )
}

fn errors(text: &str) -> Vec<String> {
    let loaded = load_text(text);
    loaded
        .diagnostics
        .iter()
        .map(|d| render(&loaded.sources, d))
        .collect()
}

#[test]
fn the_first_pipelines_resolve() {
    let text = "import std.{nn}\nparam lr: Float = 1e-3\nfn cnn(width: Int) = nn.sequential([nn.conv2d(width, \
                kernel_size = 3), nn.relu])\nx = [cnn(w) for w in [1, 2]] |> map(l => { l, lr })\nx";
    assert_eq!(errors(text), Vec::<String>::new());
}

#[test]
fn names_that_are_near() {
    assert_eq!(
        errors("epochs = 1\nx = epoch"),
        ["E0250 2:5 `epoch` is not defined | did you mean `epochs`?"]
    );
}

#[test]
fn the_library_loads() {
    let imports: String = Library::standard()
        .names()
        .map(|name| format!("import std.{name} as m_{name}\n"))
        .collect();
    let loaded = load_text(&imports);
    let errors: Vec<String> = loaded
        .diagnostics
        .iter()
        .filter(|d| d.code != "E0270")
        .map(|d| {
            format!(
                "{} {}",
                loaded.sources.get(d.span().source).path,
                render(&loaded.sources, d)
            )
        })
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}
