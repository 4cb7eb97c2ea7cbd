//! JSON, by the language's own lexer, which does not interpolate here. Strict: what other programs would refuse is an
//! error.

use super::{Entries, MAX_NESTING, out_of_range, too_deep};
use crate::diagnostic::Diagnostic;
use crate::hir::{DataNode, DataValue, Name};
use crate::source::{SourceId, Span};
use crate::syntax::lexer::{Token, lex};
use crate::syntax::{SyntaxKind, literal};
use SyntaxKind as K;

/// Parses a JSON text.
pub(super) fn parse(source: SourceId, text: &str) -> Result<DataNode, Diagnostic> {
    let lexed = lex(source, text, false);
    if let Some(error) = lexed.errors.into_iter().next() {
        return Err(Diagnostic {
            code: "E0013",
            mend: None,
            ..error
        });
    }
    let mut json = Json {
        source,
        text,
        tokens: &lexed.tokens,
        pos: 0,
    };
    json.skip_space()?;
    let value = json.value(0)?;
    json.skip_space()?;
    if json.kind() != K::Eof {
        return Err(json.unexpected("the end of the file"));
    }
    Ok(value)
}

struct Json<'t> {
    source: SourceId,
    text: &'t str,
    tokens: &'t [Token],
    pos: usize,
}

impl Json<'_> {
    fn kind(&self) -> SyntaxKind {
        self.tokens[self.pos].kind
    }

    fn span(&self) -> Span {
        let end = self
            .tokens
            .get(self.pos + 1)
            .map_or(self.text.len() as u32, |token| token.start);
        Span {
            source: self.source,
            start: self.tokens[self.pos].start,
            end,
        }
    }

    fn token_text(&self) -> &str {
        let span = self.span();
        &self.text[span.start as usize..span.end as usize]
    }

    /// Goes to the next token.
    fn bump(&mut self) -> Result<(), Diagnostic> {
        self.pos = (self.pos + 1).min(self.tokens.len() - 1);
        self.skip_space()
    }

    fn skip_space(&mut self) -> Result<(), Diagnostic> {
        while self.kind() == K::Whitespace {
            self.pos += 1;
        }
        if self.kind().is_trivia() {
            return Err(Diagnostic::error("E0013", self.span(), "JSON has no comments")
                .help("remove it, or make it a `.yaml` or `.toml` file"));
        }
        Ok(())
    }

    fn unexpected(&self, expected: &str) -> Diagnostic {
        let found = if self.kind() == K::Eof {
            "the end of the file".to_owned()
        } else {
            format!("`{}`", self.token_text())
        };
        let error = Diagnostic::error(
            "E0013",
            self.span(),
            format!("this is no JSON: expected {expected}, found {found}"),
        );
        match (self.kind(), self.token_text()) {
            (K::SlashSlash, _) => Diagnostic::error("E0013", self.span(), "JSON has no comments")
                .help("remove it, or make it a `.yaml` or `.toml` file"),
            (_, "NaN" | "Infinity" | "inf") => {
                error.help("JSON has finite numbers only; nothing is written `null`")
            }
            (_, "True" | "False") => error.help(format!("write `{}`", self.token_text().to_lowercase())),
            (_, "None" | "undefined") => error.help("write `null`"),
            (K::Eof, _) if self.text.trim().is_empty() => {
                error.help("the file is empty; an empty record is `{}`")
            }
            _ => error,
        }
    }

    fn value(&mut self, depth: usize) -> Result<DataNode, Diagnostic> {
        let span = self.span();
        if depth >= MAX_NESTING {
            return Err(too_deep(span));
        }
        let value = match self.kind() {
            K::Null => DataValue::Null,
            K::True => DataValue::Bool(true),
            K::False => DataValue::Bool(false),
            K::Int | K::Float => self.number(self.token_text(), false, span)?,
            K::Minus => return self.negative(span),
            K::Str => DataValue::Str(self.string()),
            K::LBracket => return self.list(span, depth),
            K::LBrace => return self.map(span, depth),
            _ => return Err(self.unexpected("a value")),
        };
        self.bump()?;
        Ok(DataNode { span, value })
    }

    fn number(&self, text: &str, negative: bool, span: Span) -> Result<DataValue, Diagnostic> {
        if text.contains('_') {
            return Err(Diagnostic::error("E0013", span, "JSON has no `_` in numbers"));
        }
        if self.kind() == K::Int {
            let value = literal::int(text, negative).ok_or_else(|| out_of_range(span, text))?;
            return Ok(DataValue::Int(value));
        }
        let value = literal::float(text).ok_or_else(|| out_of_range(span, text))?;
        Ok(DataValue::Float(if negative { -value } else { value }))
    }

    fn negative(&mut self, start: Span) -> Result<DataNode, Diagnostic> {
        self.pos += 1;
        if !matches!(self.kind(), K::Int | K::Float) {
            return Err(self.unexpected("a number"));
        }
        let span = Span {
            end: self.span().end,
            ..start
        };
        let value = self.number(self.token_text(), true, span)?;
        self.bump()?;
        Ok(DataNode { span, value })
    }

    fn string(&self) -> Name {
        let text = self.token_text();
        let mut out = String::new();
        literal::unescape(&text[1..text.len() - 1], &mut out);
        Name::from(out)
    }

    /// After an element: a comma and another one, or the end. Whether another one comes.
    fn another(&mut self, close: SyntaxKind, closer: &str) -> Result<bool, Diagnostic> {
        if self.kind() == K::Comma {
            let comma = self.span();
            self.bump()?;
            if self.kind() == close {
                return Err(
                    Diagnostic::error("E0013", comma, "JSON has no comma after the last element")
                        .help("remove it")
                        .mend("remove `,`", comma, ""),
                );
            }
            return Ok(true);
        }
        if self.kind() == close {
            Ok(false)
        } else {
            Err(self.unexpected(&format!("`,` or `{closer}`")))
        }
    }

    fn list(&mut self, start: Span, depth: usize) -> Result<DataNode, Diagnostic> {
        self.bump()?;
        let mut elements = Vec::new();
        let mut more = self.kind() != K::RBracket;
        while more {
            elements.push(self.value(depth + 1)?);
            more = self.another(K::RBracket, "]")?;
        }
        self.closed(start, DataValue::List(elements))
    }

    fn map(&mut self, start: Span, depth: usize) -> Result<DataNode, Diagnostic> {
        self.bump()?;
        let mut entries = Entries::default();
        let mut more = self.kind() != K::RBrace;
        while more {
            if self.kind() != K::Str {
                return Err(self.unexpected("a key in quotation marks"));
            }
            let (key, key_span) = (self.string(), self.span());
            self.bump()?;
            if self.kind() != K::Colon {
                return Err(self.unexpected("`:`"));
            }
            self.bump()?;
            let value = self.value(depth + 1)?;
            entries.add(key, key_span, value)?;
            more = self.another(K::RBrace, "}")?;
        }
        self.closed(start, entries.finish())
    }

    fn closed(&mut self, start: Span, value: DataValue) -> Result<DataNode, Diagnostic> {
        let span = Span {
            end: self.span().end,
            ..start
        };
        self.bump()?;
        Ok(DataNode { span, value })
    }
}
