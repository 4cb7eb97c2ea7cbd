//! A Jupyter notebook as a Python script: code cells as they are, text cells as comments, and what is Jupyter's own taken out
//! with a word. Talks to its module alone.

use super::scan::Scan;
use serde::Deserialize;

/// A notebook (format 4, as Jupyter has written since 2015).
#[derive(Deserialize)]
struct Notebook {
    #[serde(default)]
    cells: Vec<Cell>,
    nbformat: u64,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    language_info: Language,
}

#[derive(Default, Deserialize)]
struct Language {
    name: Option<String>,
    version: Option<String>,
}

#[derive(Deserialize)]
struct Cell {
    cell_type: String,
    #[serde(default)]
    source: Source,
}

/// Text, or lines with their ends.
#[derive(Deserialize)]
#[serde(untagged)]
enum Source {
    Text(String),
    Lines(Vec<String>),
}

impl Default for Source {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl Source {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Lines(lines) => lines.concat(),
        }
    }
}

/// What a notebook comes to.
pub(super) struct Script {
    /// The script, without what says that it is one.
    pub text: String,
    /// What the code does, as far as it was read.
    pub scan: Scan,
    /// The minor version of Python that it was run with: `3.11`.
    pub python: Option<String>,
    /// Lines that were taken out, as they stood.
    pub taken_out: Vec<String>,
    /// Cells with code in them.
    pub cells: usize,
}

/// Cells in a language of their own that hold Python all the same.
const PYTHON_CELLS: &[&str] = &[
    "%%time",
    "%%timeit",
    "%%capture",
    "%%prun",
    "%%python",
    "%%python3",
];
/// Line magics whose argument is Python that has to run.
const PYTHON_LINES: &[&str] = &["%time ", "%prun "];

/// Reads a notebook; the error says what is wrong with it, and what to do.
pub(super) fn read(text: &str) -> Result<Script, (String, Option<&'static str>)> {
    let notebook: Notebook = serde_json::from_str(text).map_err(|error| {
        let help = "name a file that Jupyter has saved, such as `train.ipynb`";
        (format!("it is no notebook: {error}"), Some(help))
    })?;
    if notebook.nbformat != 4 {
        let help = "save it anew with Jupyter, or: `jupyter nbconvert --to notebook --inplace`";
        let message = format!(
            "it has format {}, and format 4 is what is understood",
            notebook.nbformat
        );
        return Err((message, Some(help)));
    }
    let language = &notebook.metadata.language_info;
    if let Some(other) = language
        .name
        .as_deref()
        .filter(|name| !name.eq_ignore_ascii_case("python"))
    {
        return Err((
            format!("its cells are in {other}, and Python is what is understood"),
            None,
        ));
    }
    let mut script = Script {
        text: String::new(),
        scan: Scan::default(),
        python: language.version.as_deref().and_then(minor),
        taken_out: Vec::new(),
        cells: 0,
    };
    for cell in &notebook.cells {
        let source = cell.source.text();
        match cell.cell_type.as_str() {
            "code" if !source.trim().is_empty() => script.code(&source),
            "markdown" | "raw" if !source.trim().is_empty() => script.comment(&source),
            _ => {}
        }
    }
    if script.cells == 0 {
        return Err(("it has no code".to_owned(), None));
    }
    Ok(script)
}

fn minor(version: &str) -> Option<String> {
    let parts: Vec<&str> = version.split('.').take(2).collect();
    let digits = |part: &&str| !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit());
    (parts.len() == 2 && parts.iter().all(digits) && parts[0] == "3").then(|| parts.join("."))
}

impl Script {
    fn comment(&mut self, text: &str) {
        self.text.push('\n');
        for line in text.trim().lines() {
            self.text.push_str(format!("# {line}").trim_end());
            self.text.push('\n');
        }
    }

    fn code(&mut self, code: &str) {
        self.cells += 1;
        self.text.push_str("\n# %%\n");
        let mut lines = code.trim_matches('\n').lines().peekable();
        if let Some(first) = lines.next_if(|line| line.starts_with("%%")) {
            self.take_out("", first);
            let word = first.split_whitespace().next().unwrap_or_default();
            if !PYTHON_CELLS.contains(&word) {
                for line in lines {
                    self.text.push_str(format!("# {line}").trim_end());
                    self.text.push('\n');
                }
                return;
            }
        }
        let mut shell = false;
        for line in lines {
            // A shell line that ends in a backslash goes on.
            if shell {
                shell = line.trim_end().ends_with('\\');
                self.text.push_str(&format!("#   {}\n", line.trim()));
            } else if !self.scan.is_open() && is_magic(line) {
                shell = line.trim_start().starts_with('!') && line.trim_end().ends_with('\\');
                self.magic(line);
            } else {
                self.push(line);
            }
        }
        self.scan.end_cell();
    }

    fn push(&mut self, line: &str) {
        self.scan.line(line);
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn magic(&mut self, line: &str) {
        let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
        match PYTHON_LINES.iter().find_map(|magic| rest.strip_prefix(magic)) {
            Some(code) => self.push(&format!("{indent}{}", code.trim_start())),
            None => self.take_out(indent, rest),
        }
    }

    /// Leaves a line as a comment. In a block something has to stand in its place.
    fn take_out(&mut self, indent: &str, line: &str) {
        let pass = if indent.is_empty() { "" } else { "pass  " };
        self.text.push_str(&format!(
            "{indent}{pass}# Jupyter's own, taken out: {}\n",
            line.trim_end()
        ));
        self.taken_out.push(line.trim().to_owned());
    }
}

/// Whether a line is for Jupyter and not Python: magics, shell lines, questions.
fn is_magic(line: &str) -> bool {
    let line = line.trim();
    let assigned = line.split_once('=').is_some_and(|(name, value)| {
        let value = value.trim_start();
        let target = |c: char| c.is_alphanumeric() || "_, ".contains(c);
        name.chars().all(target) && (value.starts_with('!') || value.starts_with('%'))
    });
    line.starts_with(['%', '!', '?'])
        || line.ends_with('?') && !line.contains(['#', '"', '\''])
        || line.contains("get_ipython()")
        || assigned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notebook(cells: &[(&str, &str)]) -> String {
        let cells: Vec<_> = cells
            .iter()
            .map(|(kind, source)| serde_json::json!({ "cell_type": kind, "source": source, "outputs": [] }))
            .collect();
        let info = serde_json::json!({ "language_info": { "name": "python", "version": "3.11.4" } });
        serde_json::json!({ "cells": cells, "metadata": info, "nbformat": 4, "nbformat_minor": 5 })
            .to_string()
    }

    fn script(cells: &[(&str, &str)]) -> Script {
        read(&notebook(cells)).map_err(|(why, _)| why).unwrap()
    }

    #[test]
    fn cells_are_parts_of_a_script() {
        let script = script(&[
            ("markdown", "# Digits\n\nFrom a table."),
            ("code", "x = 1"),
            ("code", ""),
            ("code", "y = x\n"),
        ]);
        assert_eq!(
            script.text,
            "\n# # Digits\n#\n# From a table.\n\n# %%\nx = 1\n\n# %%\ny = x\n"
        );
        assert_eq!((script.cells, script.python.as_deref()), (2, Some("3.11")));
    }

    #[test]
    fn what_is_jupyters_own_is_taken_out() {
        let script = script(&[(
            "code",
            "%matplotlib inline\n!pip install \\\n  numpy\nif x:\n    !ls\n%time y = f(\n  1)\nfiles = !ls\nnp.load?\nz = (1\n% 2)\ns = '''\n!no\n'''",
        )]);
        let expected = [
            "",
            "# %%",
            "# Jupyter's own, taken out: %matplotlib inline",
            "# Jupyter's own, taken out: !pip install \\",
            "#   numpy",
            "if x:",
            "    pass  # Jupyter's own, taken out: !ls",
            "y = f(",
            "  1)",
            "# Jupyter's own, taken out: files = !ls",
            "# Jupyter's own, taken out: np.load?",
            "z = (1",
            "% 2)",
            "s = '''",
            "!no",
            "'''",
        ];
        assert_eq!(script.text.lines().collect::<Vec<_>>(), expected);
        assert_eq!(script.taken_out.len(), 5);
    }

    #[test]
    fn a_cell_in_another_language_is_a_comment() {
        let script = script(&[("code", "%%bash\nls -l\n\necho"), ("code", "%%time\nx = 1")]);
        assert_eq!(
            script.text,
            "\n# %%\n# Jupyter's own, taken out: %%bash\n# ls -l\n#\n# echo\n\n# %%\n# Jupyter's own, taken out: %%time\nx = 1\n"
        );
    }

    #[test]
    fn what_is_no_notebook_is_told() {
        let told = |text: &str| read(text).err().map(|(why, _)| why).unwrap();
        assert!(told("{").starts_with("it is no notebook: "));
        assert!(told("[]").starts_with("it is no notebook: "));
        assert_eq!(
            told(r#"{"nbformat": 3}"#),
            "it has format 3, and format 4 is what is understood"
        );
        assert_eq!(told(&notebook(&[("markdown", "x")])), "it has no code");
        let julia = r#"{"nbformat": 4, "metadata": {"language_info": {"name": "julia"}}}"#;
        assert_eq!(
            told(julia),
            "its cells are in julia, and Python is what is understood"
        );
    }
}
