//! The codes of diagnostics, each with its page: `mlp explain E0310` prints it. The build script lists the pages of
//! `docs/errors`, so that a code is a page and nothing else: E00xx sources and imports, E01xx syntax, E02xx names and
//! types, E03xx shapes, E04xx evaluation.

include!(concat!(env!("OUT_DIR"), "/codes.rs"));

/// A code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// `E0310`.
    pub code: &'static str,
    /// What it is about, in a few words: `shape mismatch`.
    pub title: &'static str,
    /// Its page, Markdown: what happened, a wrong and a right example.
    pub page: &'static str,
}

/// The codes, sorted.
pub fn codes() -> impl Iterator<Item = Code> {
    PAGES.iter().map(|(code, page)| Code {
        code,
        title: title(page),
        page,
    })
}

/// The code `name`, in whatever case it is written.
pub fn find(name: &str) -> Option<Code> {
    codes().find(|code| code.code.eq_ignore_ascii_case(name))
}

/// What follows `: ` in the heading.
fn title(page: &'static str) -> &'static str {
    let heading = page.lines().next().unwrap_or("");
    heading.split_once(": ").map_or(heading, |(_, title)| title)
}

#[cfg(test)]
mod tests;
