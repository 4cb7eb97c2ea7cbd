//! Names that stand for nothing, and what may have been meant.

use super::module::Lower;
use super::scope::{Around, Target};
use super::suggest;
use crate::diagnostic::Diagnostic;
use crate::habits;
use crate::hir::{ItemRef, ModuleId, Name};
use crate::library::PRELUDE;
use crate::source::{SourceId, Span};
use crate::syntax::ast::{File, Item};

impl Lower<'_> {
    /// What a name stands for in the modules around.
    pub(super) fn around(&self, own: &str) -> Option<Around> {
        self.module.around.iter().find_map(|id| {
            if let Some(item) = self.exported(*id, own) {
                return Some(Around::Item(item));
            }
            let module = self.cx.program.module(*id);
            // What the library imports is its own affair.
            let mut imports = module.imports.iter().filter(|_| !module.std);
            let import = imports.find(|import| import.name == own)?;
            Some(Around::Module(import.module))
        })
    }

    /// An item of the modules around.
    pub(super) fn item_around(&self, own: &str) -> Option<ItemRef> {
        match self.around(own) {
            Some(Around::Item(item)) => Some(item),
            _ => None,
        }
    }

    /// The names of a module's items, sorted.
    pub(super) fn exported_names(&self, module: ModuleId) -> Vec<Name> {
        let mut names: Vec<Name> = self
            .cx
            .program
            .module(module)
            .items
            .iter()
            .map(|item| item.name.clone())
            .collect();
        names.sort();
        names
    }

    /// Names by which the modules are imported that have an item `own`, sorted.
    pub(super) fn modules_with(&self, own: &str) -> Vec<Name> {
        let has =
            |target: &Target| matches!(target, Target::Module(_, id) if self.exported(*id, own).is_some());
        let names = self.scope.names.iter();
        let mut names: Vec<Name> = names
            .filter(|(_, (target, _))| has(target))
            .map(|(name, _)| name.clone())
            .collect();
        names.sort();
        names
    }

    /// Reports a lower-case name that stands for nothing.
    pub(super) fn unknown_name(&mut self, own: &str, span: Span) {
        if self.is_path_without_dot(span) || self.is_foreign() {
            return;
        }
        if self.is_setting {
            return self.unknown_in_setting(own, span);
        }
        let error = Diagnostic::error("E0250", span, format!("`{own}` is not defined"));
        let error = self.suggest_name(error, own, span);
        self.report(error);
    }

    /// Whether the file was said to bring names from another language: what they are is not known.
    pub(super) fn is_foreign(&self) -> bool {
        let brings = |found: &Diagnostic| {
            let message = found.message.as_str();
            found.span().source == self.module.source
                && (found.code == "E0127" && message.starts_with("imports are written")
                    || found.code == "E0139" && message.ends_with("this is no Python"))
        };
        self.cx.diagnostics.iter().any(brings)
    }

    fn suggest_name(&mut self, error: Diagnostic, own: &str, span: Span) -> Diagnostic {
        if let Some((ours, help)) = foreign(own) {
            return error.help(help).mend(format!("write `{ours}`"), span, ours);
        }
        if let [module, ..] = self.modules_with(own).as_slice() {
            let better = format!("{module}.{own}");
            return error.help(format!("did you mean `{better}`?")).mend(
                format!("write `{better}`"),
                span,
                better,
            );
        }
        if self.followed_by_slash(span) {
            return self.with_path_help(error, own, span);
        }
        if let Some(help) = self.elsewhere(own, span) {
            return error.help(help);
        }
        if self.is_beside(own) {
            return error.help(format!("import it: `import ./{own}.mlp`")).mend(
                format!("add `import ./{own}.mlp`"),
                self.top(),
                format!("import ./{own}.mlp\n"),
            );
        }
        if self.cx.library.text(own).is_some() && own != PRELUDE {
            return error.help(format!("import it: `import std.{{{own}}}`")).mend(
                format!("add `import std.{{{own}}}`"),
                self.top(),
                format!("import std.{{{own}}}\n"),
            );
        }
        let around = self.module.around.iter();
        let around = around
            .flat_map(|id| &self.cx.program.module(*id).items)
            .map(|item| item.name.as_str());
        let module = self.scope.names.keys().map(Name::as_str);
        let near = suggest::near(own, self.locals.visible_names().chain(module).chain(around));
        match (suggest::did_you_mean(&near), near.as_slice()) {
            (Some(help), [one]) => error.help(help).mend(format!("write `{one}`"), span, *one),
            (Some(help), _) => error.help(help),
            (None, _) => match self.library_module_with(own) {
                Some(module) => error.help(format!(
                    "`{module}.{own}` is in the library: `import std.{{{module}}}`"
                )),
                None => error
                    .help("names are bound in the file, or imported; `mlp doc` lists what the library has"),
            },
        }
    }

    /// What stands here for a name of Python; for `torch.relu`, the operation of that name.
    fn elsewhere(&self, own: &str, span: Span) -> Option<String> {
        let member = self.member_after(span);
        let operation = member.as_deref().filter(|member| {
            matches!(own, "torch" | "np" | "numpy" | "jnp") && self.declares("tensor", member)
        });
        if let Some(operation) = operation {
            return Some(format!(
                "in a traced function write `tensor.{operation}`, of `import std.tensor`"
            ));
        }
        habits::name(own, member.as_deref()).map(str::to_owned)
    }

    /// Whether the file `own.mlp` is in this file's folder: read as data is, for the message changes where the file does.
    fn is_beside(&mut self, own: &str) -> bool {
        let path = self.beside(own);
        let read = self.cx.world.read(&path);
        let is_there = read.is_ok();
        self.cx.data.push((path.into(), read));
        is_there
    }

    /// The path of the file `own.mlp` in this file's folder.
    fn beside(&self, own: &str) -> String {
        match self.cx.directory {
            "" => format!("{own}.mlp"),
            directory => format!("{directory}/{own}.mlp"),
        }
    }

    /// Says how a path is written, whose first part stands at `span`.
    pub(super) fn with_path_help(&self, error: Diagnostic, own: &str, span: Span) -> Diagnostic {
        error
            .note("`a/b` is a division")
            .help(format!("a path begins with `./`: write `./{own}/…`"))
            .mend(
                "write `./`",
                Span {
                    end: span.start,
                    ..span
                },
                "./",
            )
    }

    /// `points.csv` for `./points.csv`: reports it, if the name at `span` is the stem of a file.
    pub(super) fn path_without_dot(&mut self, own: &str, span: Span) -> bool {
        let after = &self.cx.sources.get(span.source).text[span.end as usize..];
        let follows = |text: &&&str| {
            after
                .strip_prefix('.')
                .and_then(|after| after.strip_prefix(**text))
                .is_some_and(|rest| {
                    !rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '(' | '.'))
                })
        };
        let Some(extension) = EXTENSIONS.iter().find(follows) else {
            return false;
        };
        if !self.is_path_without_dot(span) {
            let better = format!("./{own}.{extension}");
            let whole = Span {
                end: span.end + 1 + extension.len() as u32,
                ..span
            };
            let error = Diagnostic::error("E0250", whole, format!("`{own}` is not defined"))
                .help(format!("a path begins with `./`: write `{better}`"))
                .mend(format!("write `{better}`"), whole, better);
            self.report(error);
        }
        true
    }

    /// What a setting says is written on the command line, where text has lost its quotes.
    fn unknown_in_setting(&mut self, own: &str, span: Span) {
        let error = Diagnostic::error("E0250", span, format!("`{own}` is not a value here")).help(
            "a setting is written like a value in the pipeline: a number, a list; text in quotes: `'\"text\"'`",
        );
        self.report(error);
    }

    pub(super) fn followed_by_slash(&self, span: Span) -> bool {
        self.cx.sources.get(span.source).text[span.end as usize..].starts_with('/')
    }

    /// Whether this is the `b` of an `a/b` whose `a` was just said not to be defined.
    fn is_path_without_dot(&self, span: Span) -> bool {
        let before = &self.cx.sources.get(span.source).text[..span.start as usize];
        let said = |found: &Diagnostic| {
            let mut places = found.labels.iter().map(|label| label.span);
            matches!(found.code, "E0250" | "E0257")
                && places.any(|place| place.source == span.source && place.end + 1 == span.start)
        };
        before.ends_with('/') && self.cx.diagnostics.iter().rev().take(8).any(said)
    }

    /// Before the first item of the file.
    fn top(&self) -> Span {
        Span {
            source: self.module.source,
            start: 0,
            end: 0,
        }
    }

    fn text_after(&self, span: Span) -> &str {
        &self.cx.sources.get(span.source).text[span.end as usize..]
    }

    /// The name behind the point that follows `span`.
    fn member_after(&self, span: Span) -> Option<String> {
        let after = self.cx.sources.get(span.source).text[span.end as usize..].strip_prefix('.')?;
        let name: String = after
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        (!name.is_empty()).then_some(name)
    }

    /// What the library has for a name of PyTorch, such as `CrossEntropyLoss`: its module and its name here.
    fn in_the_library(&self, own: &str) -> Option<(&'static str, String)> {
        let mut snake = String::new();
        let mut small = false;
        for letter in own.chars() {
            if letter.is_uppercase() && small {
                snake.push('_');
            }
            small = letter.is_lowercase() || letter.is_ascii_digit();
            snake.extend(letter.to_lowercase());
        }
        let short = snake.trim_end_matches("loss").trim_end_matches('_').to_owned();
        [snake, short]
            .into_iter()
            .find_map(|name| Some((self.library_module_with(&name)?, name)))
    }

    /// The module of the library, imported or not, that declares `own`.
    fn library_module_with(&self, own: &str) -> Option<&'static str> {
        self.cx.library.names().find(|module| self.declares(module, own))
    }

    /// Whether a module of the library has a function `own`.
    fn declares(&self, module: &str, own: &str) -> bool {
        let text = self.cx.library.text(module).unwrap_or("");
        // Only on the way to an error, so the module may be parsed anew.
        let parse = crate::syntax::parse(SourceId(0), text.into());
        let Some(file) = File::cast(parse.tree.root()) else {
            return false;
        };
        file.items().any(|item| matches!(item, Item::FnItem(function) if function.name().is_some_and(|name| name.text() == own)))
    }

    /// Reports a name that a module lacks.
    pub(super) fn unknown_member(&mut self, module: ModuleId, alias: &str, own: &str, span: Span) {
        let error = Diagnostic::error("E0251", span, format!("`{alias}` has no `{own}`"));
        let std = self.cx.program.module(module).std;
        let small = own.starts_with(char::is_lowercase);
        let names = self.exported_names(module);
        // A function is no slip for a type; PyTorch's classes are functions here.
        let alike = |name: &&str| !small || name.starts_with(char::is_lowercase);
        let near = suggest::near(own, names.iter().map(Name::as_str).filter(alike));
        let error = match (suggest::did_you_mean(&near), near.as_slice()) {
            (Some(help), [one]) => error.help(help).mend(format!("write `{one}`"), span, *one),
            (Some(help), _) => error.help(help),
            (None, _) => match self.modules_with(own).as_slice() {
                [other, ..] => error.help(format!("did you mean `{other}.{own}`?")),
                [] => match self.in_the_library(own) {
                    Some((module, name)) => {
                        error.help(format!("write `{module}.{name}`, of `import std.{module}`"))
                    }
                    None => match habits::member(own).filter(|_| std) {
                        Some(help) => error.help(help),
                        None => error.help(what_there_is(&names, alias, std)),
                    },
                },
            },
        };
        self.report(error);
    }

    /// An upper-case name that is neither a variant nor a type.
    pub(super) fn unknown_upper(&self, own: &str, span: Span) -> Diagnostic {
        if let Some((ours, help)) = foreign(own) {
            return Diagnostic::error("E0127", span, format!("`{own}` is written `{ours}`"))
                .help(help)
                .mend(format!("write `{ours}`"), span, ours);
        }
        let error = Diagnostic::error("E0250", span, format!("`{own}` is not defined"));
        if let Some(member) = self.member_after(span)
            && own == "F"
            && self.declares("tensor", &member)
        {
            let layer = match self.declares("nn", &member) {
                true => format!("the layer is `nn.{member}`; "),
                false => String::new(),
            };
            return error.help(format!(
                "{layer}in a traced function write `tensor.{member}`, of `import std.tensor`"
            ));
        }
        if self.text_after(span).starts_with("(\"") && self.variant_names().next().is_none() {
            return error.help("what a step writes is a `File(\"…\")`, `Dir(\"…\")`, `Plot(\"…\")` or `Metrics[{ … }](\"…\")`");
        }
        let module = self
            .scope
            .names
            .keys()
            .map(Name::as_str)
            .filter(|name| name.starts_with(char::is_uppercase));
        let near = suggest::near(
            own,
            self.variant_names().chain(module).chain(super::builtin_types()),
        );
        match (suggest::did_you_mean(&near), near.as_slice()) {
            (Some(help), [one]) => error.help(help).mend(format!("write `{one}`"), span, *one),
            (Some(help), _) => error.help(help),
            (None, _) => match self.modules_with(own).as_slice() {
                [module, ..] => error.help(format!("did you mean `{module}.{own}`?")),
                [] => match self
                    .member_after(span)
                    .and_then(|member| self.in_the_library(&member))
                {
                    Some((module, name)) => {
                        error.help(format!("write `{module}.{name}`, of `import std.{module}`"))
                    }
                    None => match habits::member(own) {
                        Some(help) => error.help(help),
                        None => error.note(
                            "names that begin with an upper-case letter are types and variants of enums",
                        ),
                    },
                },
            },
        }
    }
}

/// Names to choose from, where they are few.
fn what_there_is(names: &[Name], alias: &str, std: bool) -> String {
    let small = names
        .iter()
        .map(Name::as_str)
        .filter(|name| name.starts_with(char::is_lowercase));
    match names.len() {
        0 => format!("`{alias}` binds no names"),
        1..=12 => format!("it has {}", suggest::listed(small)),
        _ if std => format!("`mlp doc {alias}` lists what it has"),
        _ => format!("it has {}", suggest::listed(small)),
    }
}

/// What a word of another language is here.
fn foreign(word: &str) -> Option<(&'static str, &'static str)> {
    Some(match word {
        "True" | "TRUE" => ("true", "write `true`"),
        "False" | "FALSE" => ("false", "write `false`"),
        "None" | "NULL" | "Null" | "nil" | "undefined" => ("null", "write `null`"),
        _ => return None,
    })
}

/// The files that a pipeline names most.
const EXTENSIONS: [&str; 15] = [
    "csv",
    "tsv",
    "json",
    "yaml",
    "yml",
    "toml",
    "parquet",
    "npy",
    "npz",
    "txt",
    "pt",
    "safetensors",
    "mlp",
    "py",
    "nix",
];
