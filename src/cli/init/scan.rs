//! Python code, line by line, as far as it must be understood to make a script of a notebook: whether a line stands inside of
//! a string or of brackets, and which strings are given to which calls. Talks to nobody.

/// A string literal, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Literal {
    /// What is in it, escapes as they are written.
    pub text: String,
    /// The name of the call that it is an argument of, without what stands before a dot; empty where it is none.
    pub call: String,
    /// The literals before it in the same call.
    pub before: Vec<String>,
    /// The name after `name=`, where it is given by name.
    pub keyword: Option<String>,
    /// The method that is called on the call, as in `Path("x").write_text(…)`.
    pub then: Option<String>,
    /// Whether it is of the form `f"…"`, and not a fixed text.
    pub computed: bool,
}

/// A call that is open, or any other bracket.
#[derive(Default)]
struct Bracket {
    call: String,
    /// The literals of it, by their places in the list of all.
    literals: Vec<usize>,
}

/// Reads code in lines.
#[derive(Default)]
pub(super) struct Scan {
    pub literals: Vec<Literal>,
    /// Names of modules that are imported, as they stand: `sklearn.svm`.
    pub imports: Vec<String>,
    /// Every name that is used as a call.
    pub calls: Vec<String>,
    open: Vec<Bracket>,
    /// The string that is open: its quote, whether it is of three, whether raw, and its text so far.
    string: Option<OpenString>,
    /// The name before the present place, while nothing else came after it.
    name: String,
    keyword: Option<String>,
    /// The literals of the call that was closed last, while only a dot and a name came after it.
    closed: Vec<usize>,
    continued: bool,
}

struct OpenString {
    quote: char,
    triple: bool,
    computed: bool,
    text: String,
}

impl Scan {
    /// Whether the next line goes on with what the last one began.
    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty() || self.string.is_some() || self.continued
    }

    /// Takes all that is open for closed: a cell ends what a line began.
    pub(super) fn end_cell(&mut self) {
        self.open.clear();
        self.string = None;
        self.continued = false;
    }

    /// Reads a line without its end.
    pub(super) fn line(&mut self, line: &str) {
        if !self.is_open() {
            self.import(line.trim());
        }
        self.continued = false;
        let mut rest = line;
        while let Some(letter) = rest.chars().next() {
            rest = match self.string.take() {
                Some(string) => self.in_string(string, rest),
                None if letter == '#' => "",
                None if letter == '\\' && rest.len() == 1 => {
                    self.continued = true;
                    ""
                }
                None => self.in_code(letter, rest),
            };
        }
        match &mut self.string {
            Some(string) if string.triple => string.text.push('\n'),
            // A string of one line that is not closed is a mistake; it ends where Python says so.
            _ => self.string = None,
        }
        self.forget_name();
    }

    fn forget_name(&mut self) {
        self.name.clear();
        self.closed.clear();
    }

    fn import(&mut self, line: &str) {
        let words: Vec<&str> = line.split(|c: char| c.is_whitespace() || c == ',').collect();
        match words.as_slice() {
            ["from", module, "import", ..] => self.imports.push((*module).to_owned()),
            ["import", ..] => {
                let list = line["import".len()..].split('#').next().unwrap_or_default();
                let modules = list
                    .split(',')
                    .filter_map(|module| module.split_whitespace().next());
                self.imports.extend(modules.map(str::to_owned));
            }
            _ => {}
        }
    }

    fn in_code<'t>(&mut self, letter: char, rest: &'t str) -> &'t str {
        let after = &rest[letter.len_utf8()..];
        if letter.is_alphabetic() || letter == '_' {
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            if after.starts_with(['"', '\'']) && is_prefix(word) {
                return self.begin_string(word.to_lowercase().contains('f'), after);
            }
            // After a closed call and a dot this is the method that is called on it.
            if !self.closed.is_empty() && self.name == "." {
                for index in std::mem::take(&mut self.closed) {
                    self.literals[index].then = Some(word.to_owned());
                }
            }
            self.name = word.to_owned();
            return after;
        }
        match letter {
            '"' | '\'' => return self.begin_string(false, rest),
            '(' => {
                if !self.name.is_empty() {
                    self.calls.push(self.name.clone());
                }
                self.open.push(Bracket {
                    call: std::mem::take(&mut self.name),
                    literals: Vec::new(),
                });
            }
            '[' | '{' => self.open.push(Bracket::default()),
            ')' | ']' | '}' => {
                self.closed = self
                    .open
                    .pop()
                    .map(|bracket| bracket.literals)
                    .unwrap_or_default();
                self.name.clear();
                self.keyword = None;
                return after;
            }
            '.' => {
                self.name = ".".to_owned();
                return after;
            }
            '=' if !after.starts_with('=') && !self.open.is_empty() => {
                self.keyword = Some(std::mem::take(&mut self.name));
            }
            ',' => self.keyword = None,
            _ => {}
        }
        if !letter.is_whitespace() {
            self.forget_name();
        }
        after
    }

    fn begin_string<'t>(&mut self, computed: bool, rest: &'t str) -> &'t str {
        let quote = if rest.starts_with('"') { '"' } else { '\'' };
        let triple = rest.starts_with(&quote.to_string().repeat(3));
        self.string = Some(OpenString {
            quote,
            triple,
            computed,
            text: String::new(),
        });
        &rest[if triple { 3 } else { 1 }..]
    }

    fn in_string<'t>(&mut self, mut string: OpenString, rest: &'t str) -> &'t str {
        let end = string.quote.to_string().repeat(if string.triple { 3 } else { 1 });
        if let Some(after) = rest.strip_prefix(end.as_str()) {
            self.end_string(string);
            return after;
        }
        let mut letters = rest.chars();
        let mut taken = 0;
        if let Some(letter) = letters.next() {
            taken += letter.len_utf8();
            string.text.push(letter);
            if letter == '\\'
                && let Some(escaped) = letters.next()
            {
                taken += escaped.len_utf8();
                string.text.push(escaped);
            }
        }
        self.string = Some(string);
        &rest[taken..]
    }

    fn end_string(&mut self, string: OpenString) {
        let index = self.literals.len();
        let known = |index: &usize| self.literals.get(*index).map(|literal| literal.text.clone());
        let (call, before) = match self.open.last() {
            Some(bracket) => (
                bracket.call.clone(),
                bracket.literals.iter().filter_map(known).collect(),
            ),
            None => (String::new(), Vec::new()),
        };
        if let Some(bracket) = self.open.last_mut() {
            bracket.literals.push(index);
        }
        self.literals.push(Literal {
            text: string.text,
            call,
            before,
            keyword: self.keyword.clone(),
            then: None,
            computed: string.computed,
        });
        self.forget_name();
    }
}

/// What may stand before a string's quote.
fn is_prefix(word: &str) -> bool {
    let word = word.to_lowercase();
    word.len() <= 2 && word.chars().all(|letter| "rbfu".contains(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(code: &str) -> Scan {
        let mut scan = Scan::default();
        code.lines().for_each(|line| scan.line(line));
        scan
    }

    #[test]
    fn strings_know_their_calls() {
        let scan = scan(
            "pd.read_csv('a.csv', sep=\";\")\nwith open(r\"b.txt\", 'w') as f: pass\nx = {'k': f(\"c\")}\n",
        );
        let found: Vec<_> = scan
            .literals
            .iter()
            .map(|literal| {
                (
                    literal.call.as_str(),
                    literal.text.as_str(),
                    literal.keyword.as_deref(),
                )
            })
            .collect();
        let expected = [
            ("read_csv", "a.csv", None),
            ("read_csv", ";", Some("sep")),
            ("open", "b.txt", None),
            ("open", "w", None),
            ("", "k", None),
            ("f", "c", None),
        ];
        assert_eq!(found, expected);
        assert_eq!(scan.literals[3].before, ["b.txt"]);
    }

    #[test]
    fn a_method_on_a_call_is_known() {
        let scan = scan("Path('a.txt').write_text('x')\nPath('b.txt')\n");
        assert_eq!(scan.literals[0].then.as_deref(), Some("write_text"));
        assert_eq!(scan.literals[2].then, None);
    }

    #[test]
    fn lines_in_strings_and_brackets_go_on() {
        for (code, open) in [
            ("x = (1,", true),
            ("x = '''a\nb", true),
            ("x = '''a'''", false),
            ("x = 'it\\'s' # (", false),
            ("x = 1 + \\", true),
            ("x = 'not closed", false),
            ("f(\"\"\"a ' (\"\"\")", false),
        ] {
            assert_eq!(scan(code).is_open(), open, "{code}");
        }
    }

    #[test]
    fn imports_are_read() {
        let scan = scan("import numpy as np, os  # x\nfrom sklearn.svm import SVC\n'''\nimport no\n'''\n");
        assert_eq!(scan.imports, ["numpy", "os", "sklearn.svm"]);
    }

    #[test]
    fn odd_text_is_no_crash() {
        for code in [
            "",
            "\\",
            "'\\",
            "\"\"\"",
            ")))",
            "f'{'",
            "ä('ö\\ü')",
            "b\"",
            "=\n==",
        ] {
            scan(code);
        }
    }
}
