//! Text to tokens, without a gap: the tokens' texts, one after the other, are the text. Never fails; what is malformed
//! is a token all the same, and a diagnostic.
//!
//! Opening and closing tokens of strings and `${` are always paired: where one is missing in the text, an empty token
//! stands for it. The parser relies on it.

mod number;
pub(crate) use number::UNITS;
mod string;

use super::kind::{SyntaxKind, reserved};
use crate::diagnostic::Diagnostic;
use crate::source::{SourceId, Span};
use SyntaxKind as K;

/// A token; it ends where the next begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: SyntaxKind,
    /// How it stands to what is before it.
    pub(crate) flags: u8,
    /// Its first byte.
    pub(crate) start: u32,
}

impl Token {
    /// It is the first of its line that is no trivia.
    pub(crate) const FIRST: u8 = 1;
    /// There is trivia before it.
    pub(crate) const SPACED: u8 = 2;
    /// It follows junk, which was reported.
    pub(crate) const AFTER_JUNK: u8 = 4;
    /// It is the first byte of its line.
    pub(crate) const COLUMN_0: u8 = 8;

    /// Whether it has all of `flags`.
    pub(crate) fn has(self, flags: u8) -> bool {
        self.flags & flags == flags
    }
}

/// What the lexer makes.
#[derive(Debug)]
pub(crate) struct Lexed {
    /// The tokens, and an `Eof` at the end of the text.
    pub(crate) tokens: Vec<Token>,
    /// What was malformed.
    pub(crate) errors: Vec<Diagnostic>,
}

/// A string or `${` that the lexer is inside of.
#[derive(Clone, Copy, Debug)]
enum Mode {
    /// In the text of a string that opened at `open`.
    Text { triple: bool, open: u32 },
    /// In `${`, with so many braces open.
    Interp { braces: u32, open: u32 },
}

/// Cuts `text` into tokens. `interpolate`: whether `${` opens an expression (not in data files).
pub(crate) fn lex(source: SourceId, text: &str, interpolate: bool) -> Lexed {
    let mut lexer = Lexer {
        source,
        text,
        bytes: text.as_bytes(),
        pos: 0,
        tokens: Vec::with_capacity(text.len() / 3 + 8),
        errors: Vec::new(),
        modes: Vec::new(),
        flags: Token::FIRST | Token::COLUMN_0,
        interpolate,
    };
    lexer.run();
    Lexed {
        tokens: lexer.tokens,
        errors: lexer.errors,
    }
}

struct Lexer<'t> {
    source: SourceId,
    text: &'t str,
    bytes: &'t [u8],
    pos: usize,
    tokens: Vec<Token>,
    errors: Vec<Diagnostic>,
    modes: Vec<Mode>,
    /// Flags for the next token.
    flags: u8,
    interpolate: bool,
}

impl<'t> Lexer<'t> {
    fn run(&mut self) {
        while self.pos < self.bytes.len() {
            match self.modes.last() {
                Some(Mode::Text { .. }) => self.string_text(),
                _ => self.token(),
            }
        }
        self.close_modes(0);
        self.push(K::Eof, self.pos);
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.pos + ahead).copied().unwrap_or(0)
    }

    fn rest(&self) -> &'t str {
        &self.text[self.pos..]
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span {
            source: self.source,
            start: start as u32,
            end: end as u32,
        }
    }

    fn error(&mut self, diagnostic: Diagnostic) {
        self.errors.push(diagnostic);
    }

    /// Ends a token that began at `start` here.
    fn push(&mut self, kind: SyntaxKind, start: usize) {
        self.tokens.push(Token {
            kind,
            flags: self.flags,
            start: start as u32,
        });
        match kind {
            K::Junk => self.flags |= Token::SPACED | Token::AFTER_JUNK,
            _ if kind.is_trivia() => {
                self.flags |= Token::SPACED;
                self.flags &= !Token::COLUMN_0;
            }
            _ => self.flags = 0,
        }
    }

    fn bump(&mut self, kind: SyntaxKind, bytes: usize) {
        let start = self.pos;
        self.pos += bytes;
        self.push(kind, start);
    }

    fn token(&mut self) {
        let start = self.pos;
        match self.bytes[start] {
            b' ' | b'\t' | b'\r' | b'\n' => self.whitespace(),
            b'#' => self.comment(),
            b'/' | b'-' if self.is_foreign_comment() => self.foreign_comment(),
            b'-' if self.flags & Token::COLUMN_0 != 0
                && self.rest().lines().next().map(str::trim_end) == Some("---") =>
            {
                self.junk('-');
            }
            b'0'..=b'9' => self.number(),
            b'"' => self.string(),
            b'\'' => self.single_quoted(),
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => self.word(),
            b'.' => self.dot(),
            byte if byte < 0x80 => self.punctuation(byte),
            _ => {
                let next = self.rest().chars().next().unwrap_or('\u{fffd}');
                if unicode_ident::is_xid_start(next) {
                    self.word();
                } else {
                    self.junk(next);
                }
            }
        }
    }

    fn whitespace(&mut self) {
        let start = self.pos;
        while let b' ' | b'\t' | b'\r' | b'\n' = self.peek(0) {
            if self.peek(0) == b'\n'
                && let Some(at) = self.outermost_oneline()
            {
                if self.interpolation_goes_on() {
                    self.report_broken_interpolation();
                    self.pos += 1;
                    continue;
                }
                if self.pos > start {
                    self.push(K::Whitespace, start);
                }
                return self.close_modes(at);
            }
            self.pos += 1;
        }
        let text = &self.bytes[start..self.pos];
        self.push(K::Whitespace, start);
        if text.contains(&b'\n') {
            self.flags |= Token::FIRST;
            if text.last() == Some(&b'\n') {
                self.flags |= Token::COLUMN_0;
            }
        }
    }

    /// The outermost string on one line that we are in: a newline closes it and all within.
    fn outermost_oneline(&self) -> Option<usize> {
        self.modes
            .iter()
            .position(|mode| matches!(mode, Mode::Text { triple: false, .. }))
    }

    fn comment(&mut self) {
        let start = self.pos;
        let line = self.rest();
        let mut end = line.find('\n').unwrap_or(line.len());
        if line[..end].ends_with('\r') {
            end -= 1;
        }
        let line = &line[..end];
        let kind = if line.starts_with("##!") {
            K::ModuleDoc
        } else if line.starts_with("##") && !line.starts_with("###") {
            K::Doc
        } else {
            K::Comment
        };
        self.pos += end;
        self.push(kind, start);
    }

    /// Whether `//` or `--` begins a comment of another language here: where a line begins, or before two words, which
    /// are no operand.
    fn is_foreign_comment(&self) -> bool {
        let sign = if self.peek(0) == b'/' { "//" } else { "--" };
        let line = self.rest();
        let line = &line[..line.find('\n').unwrap_or(line.len())];
        let Some(text) = line.strip_prefix(sign).filter(|_| self.interpolate) else {
            return false;
        };
        if !text.starts_with([' ', '\t']) {
            return false;
        }
        let is_word = |word: &str| {
            word.chars()
                .all(|c| c.is_alphabetic() || matches!(c, '\'' | ',' | '.'))
        };
        let goes_on = |word: &str| reserved(word).is_some() || word == "in";
        let mut words = text.split_whitespace();
        let prose = match (words.next(), words.next()) {
            (Some(first), Some(second)) => {
                is_word(first) && is_word(second) && !goes_on(second) && !first.ends_with([',', '.'])
            }
            _ => false,
        };
        prose || (self.flags & Token::COLUMN_0 != 0 && sign == "//")
    }

    fn foreign_comment(&mut self) {
        let start = self.pos;
        let line = self.rest();
        self.pos += line.find(['\n', '\r']).unwrap_or(line.len());
        let span = self.span(start, start + 2);
        let error = Diagnostic::error("E0101", span, "comments begin with `#`")
            .help("write `#`")
            .mend("write `#`", span, "#");
        self.habit(error);
        self.push(K::Comment, start);
    }

    /// Reports what a person does in many places; what comes later joins the first.
    fn habit(&mut self, diagnostic: Diagnostic) {
        let same = |before: &&mut Diagnostic| before.message == diagnostic.message && before.mend.is_some();
        match self.errors.iter_mut().find(same) {
            Some(before) => before.join(diagnostic),
            None => self.errors.push(diagnostic),
        }
    }

    fn word(&mut self) {
        let start = self.pos;
        let end = self.word_end(start);
        let text = &self.text[start..end];
        self.pos = end;
        let upper = text.chars().next().is_some_and(char::is_uppercase);
        let kind = if upper {
            K::Uname
        } else {
            reserved(text).unwrap_or(K::Lname)
        };
        self.push(kind, start);
    }

    fn word_end(&self, start: usize) -> usize {
        let mut end = start;
        while let Some(&byte) = self.bytes.get(end) {
            if byte == b'_' || byte.is_ascii_alphanumeric() {
                end += 1;
            } else if byte < 0x80 {
                break;
            } else {
                let next = self.text[end..].chars().next().unwrap_or(' ');
                if !unicode_ident::is_xid_continue(next) {
                    break;
                }
                end += next.len_utf8();
            }
        }
        end
    }

    fn dot(&mut self) {
        let start = self.pos;
        match (self.peek(1), self.peek(2)) {
            (b'/', _) => self.path(2),
            (b'.', b'/') => self.path(3),
            (b'.', b'.') => self.bump(K::Ellipsis, 3),
            (b'.', _) => self.bump(K::DotDot, 2),
            (b'0'..=b'9', _) if !self.after_operand() => self.number_without_zero(start),
            _ => self.bump(K::Dot, 1),
        }
    }

    /// Whether the token before touches this place and can be followed by `.name`.
    fn after_operand(&self) -> bool {
        self.flags & (Token::SPACED | Token::FIRST) == 0
            && self.tokens.last().is_some_and(|token| {
                matches!(
                    token.kind,
                    K::Lname | K::Uname | K::RParen | K::RBracket | K::RBrace | K::StrClose | K::Str
                )
            })
    }

    /// At `./` or `../`, which is `prefix` bytes long.
    fn path(&mut self, prefix: usize) {
        let start = self.pos;
        self.pos += prefix;
        loop {
            match self.peek(0) {
                b'-' | b'.' | b'+' | b'@' | b'%' | b'~' | b'/' => self.pos += 1,
                _ => {
                    let end = self.word_or_digits_end();
                    if end == self.pos {
                        break;
                    }
                    self.pos = end;
                }
            }
        }
        if matches!(self.peek(0), b'*' | b'?') && matches!(self.bytes[self.pos - 1], b'/' | b'*') {
            self.glob(start);
        }
        self.push(K::Path, start);
    }

    fn word_or_digits_end(&self) -> usize {
        let mut end = self.pos;
        while self.bytes.get(end).is_some_and(u8::is_ascii_digit) {
            end += 1;
        }
        self.word_end(end)
    }

    /// At the `*` of `./src/*.py`: a glob is a string.
    fn glob(&mut self, start: usize) {
        while matches!(self.peek(0), b'*' | b'?' | b'/' | b'.' | b'-' | b'_')
            || self.peek(0).is_ascii_alphanumeric()
        {
            self.pos += 1;
        }
        let text = &self.text[start..self.pos];
        let glob = format!("\"{}\"", text.strip_prefix("./").unwrap_or(text));
        let span = self.span(start, self.pos);
        self.error(
            Diagnostic::error("E0109", span, format!("`{text}` is a pattern, not a path"))
                .at("`*` stands for many files")
                .help(format!("patterns are strings: write `{glob}`"))
                .mend(format!("write `{glob}`"), span, glob),
        );
    }

    fn junk(&mut self, first: char) {
        if matches!(first, '\u{201c}' | '\u{201d}' | '\u{201e}') && self.typographic_string() {
            return;
        }
        let start = self.pos;
        self.pos += first.len_utf8();
        let span = self.span(start, self.pos);
        let error = match first {
            ';' => Diagnostic::error("E0101", span, "lines do not end with `;`")
                .help("leave the `;` out")
                .mend("remove `;`", span, ""),
            '`' => Diagnostic::error("E0101", span, "backquotes are not used here")
                .help("strings are written with `\"`"),
            '\u{201c}' | '\u{201d}' | '\u{201e}' => Diagnostic::error(
                "E0101",
                span,
                format!("`{first}` is a typographic quotation mark"),
            )
            .help("strings are written with the plain `\"`")
            .mend("write `\"`", span, "\""),
            '-' => {
                self.pos = start + 3;
                let span = self.span(start, self.pos);
                Diagnostic::error("E0101", span, "`---` separates nothing here")
                    .help("leave it out")
                    .mend("remove `---`", span, "")
            }
            '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{ad}' => Diagnostic::error(
                "E0101",
                span,
                format!("an invisible character, U+{:04X}, stands here", first as u32),
            )
            .help("remove it")
            .mend("remove it", span, ""),
            '\u{a0}' | '\u{2009}' | '\u{202f}' | '\u{3000}' | '\u{feff}' => Diagnostic::error(
                "E0101",
                span,
                format!("a special space, U+{:04X}, stands here", first as u32),
            )
            .help("write a plain space")
            .mend("write a plain space", span, " "),
            '\u{2212}' | '\u{2013}' | '\u{2014}' => {
                Diagnostic::error("E0101", span, format!("`{first}` is a dash, not a minus"))
                    .help("write `-`")
                    .mend("write `-`", span, "-")
            }
            '$' => {
                self.pos = self.word_end(self.pos);
                let span = self.span(start, self.pos);
                let error = Diagnostic::error("E0101", span, "`$` stands only in strings, as `${…}`");
                match &self.text[start + 1..self.pos] {
                    "" if self.text[self.pos..].starts_with('(') => error.help(
                        "nothing runs while a pipeline is read; a command is run by a step: `step([\"date\"], …)`",
                    ),
                    "" => error.help("outside of a string a value stands by its name alone: write `name`"),
                    name => error.help(format!(
                        "the environment is not read; declare `param {}: Str`, and give it with `--set`",
                        name.to_lowercase()
                    )),
                }
            }
            '~' => Diagnostic::error("E0101", span, "`~` means nothing here")
                .help("no value is written `null`; a path begins with `./`, and stays within the project"),
            '@' => {
                let before = self.text[..start].trim_end_matches([' ', '\t']);
                let decorates = before.is_empty() || before.ends_with('\n');
                Diagnostic::error("E0101", span, "`@` means nothing here").help(match decorates {
                    true => "there are no decorators: leave it out",
                    false => "matrices are multiplied by `tensor.matmul(a, b)`",
                })
            }
            '\\' => Diagnostic::error("E0101", span, "a line needs no `\\` to go on")
                .help("a line goes on by itself inside of brackets, and before an operator"),
            other if other.is_control() => {
                // Of a file that is no text there may be thousands.
                let rest = self.rest();
                self.pos += rest.len() - rest.trim_start_matches(other).len();
                let message = format!("a control character, U+{:04X}, stands here", other as u32);
                Diagnostic::error("E0101", span, message).help("remove it")
            }
            other => match ascii_for(other) {
                Some(ours) => Diagnostic::error("E0101", span, format!("`{other}` is written `{ours}`"))
                    .help(format!("write `{ours}`"))
                    .mend(format!("write `{ours}`"), span, ours),
                None => Diagnostic::error("E0101", span, format!("`{other}` means nothing here"))
                    .help("names are made of letters, digits and `_`; other characters stand in strings"),
            },
        };
        if first == ';' {
            self.habit(error);
        } else {
            self.error(error);
        }
        self.push(K::Junk, start);
    }

    fn punctuation(&mut self, byte: u8) {
        let (kind, length) = match (byte, self.peek(1)) {
            (b'(', _) => (K::LParen, 1),
            (b')', _) => (K::RParen, 1),
            (b'[', _) => (K::LBracket, 1),
            (b']', _) => (K::RBracket, 1),
            (b'{', _) => {
                if let Some(Mode::Interp { braces, .. }) = self.modes.last_mut() {
                    *braces += 1;
                }
                (K::LBrace, 1)
            }
            (b'}', _) => return self.right_brace(),
            (b',', _) => (K::Comma, 1),
            (b':', b'=') => return self.foreign(K::Assign, 2, "a binding is written with `=`", "="),
            (b':', _) => (K::Colon, 1),
            (b'=', b'=') if self.peek(2) == b'=' => {
                return self.foreign(K::EqEq, 3, "equality is written `==`", "==");
            }
            (b'=', b'=') => (K::EqEq, 2),
            (b'=', b'>') => (K::FatArrow, 2),
            (b'=', _) => (K::Assign, 1),
            (b'!', b'=') if self.peek(2) == b'=' => {
                return self.foreign(K::Ne, 3, "inequality is written `!=`", "!=");
            }
            (b'!', b'=') => (K::Ne, 2),
            (b'!', _) => return self.foreign(K::Not, 1, "negation is written `not`", "not "),
            (b'<', b'=') => (K::Le, 2),
            (b'<', b'>') => return self.foreign(K::Ne, 2, "inequality is written `!=`", "!="),
            (b'<', _) => (K::Lt, 1),
            (b'>', b'=') => (K::Ge, 2),
            (b'>', _) => (K::Gt, 1),
            (b'+', _) => (K::Plus, 1),
            (b'-', b'>') => (K::Arrow, 2),
            (b'-', _) => (K::Minus, 1),
            (b'*', b'*') => (K::StarStar, 2),
            (b'*', _) => (K::Star, 1),
            (b'/', b'/') => (K::SlashSlash, 2),
            (b'/', b'*') => return self.block_comment(),
            (b'/', _) => (K::Slash, 1),
            (b'%', _) => (K::Percent, 1),
            (b'|', b'>') => (K::PipeOp, 2),
            (b'|', b'|') => return self.foreign(K::Or, 2, "this is written `or`", "or"),
            (b'|', _) => (K::Bar, 1),
            (b'&', b'&') => return self.foreign(K::And, 2, "this is written `and`", "and"),
            (b'^', _) => return self.foreign(K::StarStar, 1, "powers are written `**`", "**"),
            (b'?', b'?') => (K::QuestionQuestion, 2),
            (b'?', _) => (K::Question, 1),
            _ => return self.junk(byte as char),
        };
        self.bump(kind, length);
    }

    /// An operator of another language: reported, and taken for ours.
    fn foreign(&mut self, kind: SyntaxKind, length: usize, message: &str, ours: &str) {
        let span = self.span(self.pos, self.pos + length);
        let word = ours.trim();
        let mend = if kind == K::Not && self.peek(1) == b' ' {
            word
        } else {
            ours
        };
        self.error(
            Diagnostic::error("E0124", span, message)
                .help(format!("write `{word}`"))
                .mend(format!("write `{word}`"), span, mend),
        );
        self.bump(kind, length);
    }

    fn block_comment(&mut self) {
        let start = self.pos;
        let length = self.rest().find("*/").map_or(2, |at| at + 2);
        self.pos += length;
        let span = self.span(start, self.pos);
        self.error(
            Diagnostic::error("E0101", span, "comments begin with `#`").help("write `#` before each line"),
        );
        self.push(K::Junk, start);
    }
}

/// What is written here for a sign of mathematics or of a wide keyboard.
fn ascii_for(sign: char) -> Option<&'static str> {
    Some(match sign {
        '\u{d7}' | '\u{22c5}' => "*",
        '\u{f7}' => "/",
        '\u{2264}' => "<=",
        '\u{2265}' => ">=",
        '\u{2260}' => "!=",
        '\u{2192}' => "->",
        '\u{21d2}' => "=>",
        '\u{2026}' => "...",
        '\u{ff0c}' => ",",
        '\u{ff1a}' => ":",
        '\u{ff08}' => "(",
        '\u{ff09}' => ")",
        '\u{ff1d}' => "=",
        _ => return None,
    })
}
