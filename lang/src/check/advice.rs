//! What a person likely meant who wrote a value, a field or a call that does not fit: habits of Python and PyTorch, units,
//! quotes, fields that would fit.

use super::Checker;
use super::suggest::{listed, one_of};
use crate::hir::{Expr, ExprId, ItemKind, Name, StrPart};
use crate::library::PRELUDE;
use crate::source::Span;
use crate::syntax::lexer::UNITS;
use crate::types::{Con, Ty, TypeKind};

impl Checker<'_> {
    /// `xs.len()`, `xs.append(x)`: what is a method elsewhere.
    pub(super) fn method_help(&mut self, of: Ty, text: &str, name: &Name, at: Span) -> Option<String> {
        let called = self.text_after(at).starts_with('(');
        let kind = self.types.kind(of);
        let list = matches!(kind, TypeKind::Con(Con::List, _));
        match (name.as_str(), &kind) {
            ("append" | "push" | "add", _) if list => Some(format!(
                "a value never changes; a longer list is `[...{text}, value]`"
            )),
            ("extend" | "concat", _) if list => Some(format!(
                "a value never changes; both lists in one are `{text} + other`"
            )),
            ("items", _) if called => Some(format!(
                "keys and values are gone through by `for key, value in {text}`, of a map"
            )),
            ("format", TypeKind::Con(Con::Str, _)) => {
                Some("values are put into text by `\"… ${value} …\"`".to_owned())
            }
            ("load" | "loads", TypeKind::Fn(..)) if text == "json" => {
                Some("data is imported with its type: `import ./params.json as { lr: Float }`".to_owned())
            }
            ("dump" | "dumps", TypeKind::Fn(..)) if text == "json" => {
                Some("`to_json(value)` is the text, `json(value)` a file that holds it".to_owned())
            }
            ("parameters", TypeKind::Con(Con::Layer, _)) => {
                Some("leave it out: `ml.train` gives the optimizer what there is to train".to_owned())
            }
            ("join", TypeKind::Con(Con::Str, _)) if called => {
                let arguments = self
                    .arguments_after(at)
                    .filter(|given| !given.is_empty())
                    .unwrap_or("xs");
                Some(format!(
                    "functions stand before what they work on: `join({arguments}, {text})`"
                ))
            }
            ("length" | "size" | "count" | "shape", _) if list => Some(format!("write `len({text})`")),
            (own, _) if called && self.is_in_prelude(own) => {
                let arguments = self.arguments_after(at).unwrap_or("…");
                let comma = if arguments.is_empty() { "" } else { ", " };
                Some(format!(
                    "functions stand before what they work on: `{own}({text}{comma}{arguments})`"
                ))
            }
            (own, TypeKind::Con(Con::List, args)) => match self.types.kind(args[0]) {
                TypeKind::Record(record) if record.field(own).is_some() => Some(format!(
                    "its elements have: write `{text}[0].{own}` for one, `[x.{own} for x in {text}]` for all"
                )),
                _ => None,
            },
            _ => None,
        }
    }

    fn text_after(&self, at: Span) -> &str {
        &self.sources.get(at.source).text[at.end as usize..]
    }

    /// What stands in the parentheses that follow, if they end on their line.
    fn arguments_after(&self, at: Span) -> Option<&str> {
        let line = self.text_after(at).lines().next()?.strip_prefix('(')?;
        let mut depth = 0;
        for (end, c) in line.char_indices() {
            match c {
                '(' | '[' | '{' => depth += 1,
                ')' if depth == 0 => return Some(&line[..end]),
                ')' | ']' | '}' => depth -= 1,
                _ => {}
            }
        }
        None
    }

    fn is_in_prelude(&self, own: &str) -> bool {
        let prelude = self
            .program
            .modules
            .first()
            .filter(|module| module.std && module.name == PRELUDE);
        prelude.is_some_and(|module| {
            let function = |item: &crate::hir::Item| item.name == own && matches!(item.kind, ItemKind::Fn(_));
            module.items.iter().any(function)
        })
    }

    /// What to do about a value of one type where another is wanted, if it is plain from how it is written.
    pub(super) fn written_help(&mut self, found: Ty, wanted: &TypeKind, id: ExprId) -> Option<String> {
        let text = self.source_text(id);
        let literal = match self.expr(id) {
            Expr::Str(parts) => match parts.as_slice() {
                [StrPart::Text(text)] => Some(text.clone()),
                _ => None,
            },
            _ => None,
        };
        let TypeKind::Con(wanted, wanted_args) = wanted else {
            return match wanted {
                TypeKind::Fieldwise(..) if matches!(self.types.kind(found), TypeKind::Con(Con::List, _)) => {
                    Some(
                        "give each a name: `{ first: …, second: … }`; the result has the same names"
                            .to_owned(),
                    )
                }
                _ => None,
            };
        };
        match (self.types.kind(found), wanted, literal) {
            (TypeKind::Con(Con::Str, _), Con::Bool, Some(word))
                if matches!(word.as_str(), "true" | "false") =>
            {
                Some(format!("write `{word}`, without quotes"))
            }
            (TypeKind::Con(Con::Int | Con::Float, _), Con::Bool, _) => {
                Some(format!("compare it: `{text} != 0`"))
            }
            (TypeKind::Con(Con::Str, _), Con::Int | Con::Float, Some(word)) => match word.parse::<f64>() {
                Ok(number) if number.is_finite() => Some(format!("write `{word}`, without quotes")),
                _ => None,
            },
            (TypeKind::Con(Con::Str, _), Con::Duration | Con::Bytes, Some(word)) if is_unit(&word) => {
                Some(format!("write `{word}`, without quotes"))
            }
            (TypeKind::Con(Con::Int, _), Con::Duration, _) if is_number(text) => Some(format!(
                "write it with its unit: `{text}s`, `{text}min` or `{text}h`"
            )),
            (TypeKind::Con(Con::Int, _), Con::Bytes, _) if is_number(text) => {
                Some(format!("write it with its unit: `{text}MiB` or `{text}GiB`"))
            }
            (TypeKind::Con(Con::Float, _), Con::Int, _) if is_number(text) => {
                Some(match text.trim_end_matches('0').strip_suffix('.') {
                    Some(whole) => format!("write `{whole}`"),
                    None => "write a whole number, or let it be a `Float`".to_owned(),
                })
            }
            (TypeKind::Con(Con::Bytes, _), Con::Duration, _) => {
                Some("write a time, such as `30min` or `2h`".to_owned())
            }
            (TypeKind::Con(Con::Duration, _), Con::Bytes, _) => {
                Some("write a size, such as `512MiB` or `4GB`".to_owned())
            }
            (TypeKind::Con(Con::Str, _), Con::Duration, _) => {
                Some("write a time, such as `30min`, without quotes".to_owned())
            }
            (TypeKind::Con(Con::Str, _), Con::Bytes, _) => {
                Some("write a size, such as `4GB`, without quotes".to_owned())
            }
            (TypeKind::Con(Con::Str, _), Con::Pair, Some(word)) => match word.as_str() {
                "same" => {
                    Some("write it as a number: `padding = 1` for a kernel of 3, `2` for one of 5".to_owned())
                }
                "valid" => Some("leave it out: `padding = 0` is the default".to_owned()),
                _ => None,
            },
            (TypeKind::Con(Con::Str | Con::Path, _), Con::Output, word) => {
                let path = word.unwrap_or_else(|| text.trim_start_matches("./").into());
                Some(format!("say what the step writes, and where: `File(\"{path}\")`"))
            }
            (TypeKind::Con(Con::Str, _), Con::List, Some(words)) if self.is_argv(wanted_args) => {
                let words: Vec<String> = words.split_whitespace().map(quoted_word).collect();
                Some(format!("write its words as a list: `[{}]`", words.join(", ")))
            }
            (TypeKind::Con(Con::List, _), Con::Map, _) => Some(named_inputs(text)),
            (TypeKind::Con(Con::Str, _), Con::Env, Some(word)) => Some(format!(
                "write `env.host([\"{word}\"])` for a program of this machine, `env.python` or `env.flake` for a pinned one"
            )),
            (TypeKind::Con(Con::Str, _), Con::Codec, Some(column)) => Some(format!(
                "say how the column is read: `data.numeric(\"{column}\")`, `data.label(\"{column}\", classes = 10)` or `data.target(\"{column}\")`"
            )),
            (TypeKind::Con(Con::List, _), Con::Codec, _) => Some(format!(
                "say how the columns are read: `data.vector({text})`, or `data.target({text})`"
            )),
            (TypeKind::Con(Con::Str, _), Con::Dataset, Some(file)) => {
                let (file, reader) = (file.trim_start_matches("./"), reader_of(&file));
                Some(format!("read it: `data.{reader}(./{file}, x = …, y = …)`"))
            }
            (TypeKind::Con(Con::Path, _), Con::Str, _) => Some("text stands between quotes".to_owned()),
            (TypeKind::Con(Con::Arg, _), Con::Str, _) => Some(
                "what is known only after the build is no text yet; a command takes it as an argument"
                    .to_owned(),
            ),
            (TypeKind::Con(Con::List, args), Con::Layer, _)
                if matches!(self.types.kind(args[0]), TypeKind::Con(Con::Layer, _)) =>
            {
                Some(format!(
                    "layers one after the other are `nn.sequential({})`",
                    shortened(text)
                ))
            }
            (TypeKind::Con(Con::Str, _), con, Some(word)) if con.is_description() => {
                self.described_help(*con, &word)
            }
            _ => None,
        }
    }

    fn is_argv(&mut self, args: &[Ty]) -> bool {
        args.first()
            .is_some_and(|element| matches!(self.types.kind(*element), TypeKind::Con(Con::Arg, _)))
    }

    /// `"adam"` for `optim.adam`.
    fn described_help(&self, con: Con, word: &str) -> Option<String> {
        let module = match con {
            Con::Loss => "loss",
            Con::Optimizer => "optim",
            Con::Schedule => "schedule",
            Con::Metric => "metrics",
            Con::Layer => "nn",
            Con::Augment => "augment",
            Con::Dist => "search",
            _ => return None,
        };
        let standard = crate::library::Library::standard();
        let known = standard
            .text(module)
            .is_some_and(|text| text.contains(&format!("\nfn {word}(")));
        Some(if known {
            format!("write `{module}.{word}`, without quotes")
        } else {
            format!("it is made by a function of `std.{module}`; `mlp doc {module}` lists them")
        })
    }

    /// The fields of a record that would do where the record does not.
    pub(super) fn fitting_fields(&mut self, found: Ty, wanted: Ty, text: &str) -> Option<String> {
        let TypeKind::Record(record) = self.types.kind(found) else {
            return None;
        };
        let fits: Vec<String> = record
            .fields
            .iter()
            .filter(|field| self.fits_somehow(field.ty, wanted))
            .map(|field| format!("{text}.{}", field.name))
            .collect();
        match fits.as_slice() {
            [] => None,
            [one] => Some(format!("write `{one}`")),
            several => Some(format!(
                "take one of its fields: {}",
                one_of(several.iter().map(String::as_str))
            )),
        }
    }

    /// Whether a value of one type would do for another that is not wholly known; solves nothing.
    pub(super) fn fits_somehow(&mut self, found: Ty, wanted: Ty) -> bool {
        if let (TypeKind::Con(con, _), TypeKind::Con(Con::Arg, _)) =
            (self.types.kind(found), self.types.kind(wanted))
        {
            return con.is_artifact() || matches!(con, Con::Str | Con::Path | Con::Late);
        }
        let plain = matches!(self.types.kind(wanted), TypeKind::Meta(_) | TypeKind::Error);
        let before = self.types.snapshot();
        let fits = !plain && self.types.unify(found, wanted).is_ok();
        self.types.rollback(before);
        fits
    }

    /// A type in a sentence: a long record by its fields.
    pub(super) fn in_words(&mut self, ty: Ty) -> String {
        let shown = self.shown(ty);
        match self.types.kind(ty) {
            TypeKind::Record(record) if shown.starts_with('{') && shown.len() > 60 => {
                let fields = record.fields.iter().map(|field| field.name.as_str());
                format!("a record of {}", listed(fields))
            }
            TypeKind::Fieldwise(..) => "a record".to_owned(),
            TypeKind::Con(Con::Pair, _) => "a size, `3` or `[3, 5]`".to_owned(),
            TypeKind::Con(Con::Classes, _) => "a number of classes, or a list of their names".to_owned(),
            TypeKind::Con(Con::Columns, _) => "the name of a column, or a list of them".to_owned(),
            // What is not known of it says nothing.
            TypeKind::Con(..) => match shown.split_once('[') {
                Some((name, inside)) if inside.chars().all(|c| "_, ]".contains(c)) => format!("`{name}`"),
                _ => format!("`{shown}`"),
            },
            _ => format!("`{shown}`"),
        }
    }
}

fn quoted_word(word: &str) -> String {
    // A file of the project is there for the step only if it is named as a path.
    match word.contains('.') && !word.starts_with('-') {
        true => format!("./{}", word.trim_start_matches("./")),
        false => format!("\"{word}\""),
    }
}

/// `[./data/train.csv]` as `{ train: ./data/train.csv }`.
fn named_inputs(list: &str) -> String {
    let paths = list
        .trim_start_matches('[')
        .trim_end_matches(']')
        .split(',')
        .map(str::trim);
    let named: Option<Vec<String>> = paths
        .map(|path| {
            let file = path.strip_prefix("./")?.rsplit('/').next()?;
            let stem = file.split('.').next()?.replace('-', "_");
            let plain = !stem.is_empty() && stem.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            plain.then(|| format!("{stem}: {path}"))
        })
        .collect();
    match named {
        Some(named) => format!("give each a name: `{{ {} }}`", named.join(", ")),
        None => "give each a name: `{ name: value }`".to_owned(),
    }
}

fn reader_of(file: &str) -> &'static str {
    if file.ends_with(".parquet") {
        "parquet"
    } else {
        "csv"
    }
}

fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '_' | '.'))
}

fn is_unit(text: &str) -> bool {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    is_number(digits) && UNITS.iter().any(|(unit, _)| *unit == &text[digits.len()..])
}

fn shortened(text: &str) -> &str {
    if text.chars().count() > 40 { "[…]" } else { text }
}
