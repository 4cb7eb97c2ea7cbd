//! What an input asks for: a text of the language, or a command that begins with a colon.

use super::super::exit::Refusal;
use super::super::place::nearest;
use mlp_lang::session::is_unfinished;

/// What `:help` prints.
pub(super) const HELP: &str = "\
An expression is evaluated and printed. A definition is kept: `x = 1`, `fn f(n: Int) = n + 1`, `import std.{nn}`.
A line goes on while a bracket is open, or after `=`; an empty line ends it.

  :type E           the type of an expression
  :doc [NAME]       what a name is for; without one, what there is
  :shape E          the layers of a model or training, with their shapes
  :shape E, SHAPE   the layers of a layer that is fed a shape: `:shape cnn(32), [1, 28, 28]`
  :load FILE        begin anew with a file
  :reload           read the file again, and enter again what was defined since
  :help             this
  :quit             leave; Ctrl-D does too

The first letter of a command is enough. Tab completes; Ctrl-C clears the line.
";

/// The commands that take a text of the language, the others that take something, and those that take nothing.
const NAMES: &[&str] = &["type", "doc", "shape", "load", "reload", "help", "quit"];

/// What an input asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command<'t> {
    /// To enter a text.
    Enter(&'t str),
    /// The type of an expression.
    Type(&'t str),
    /// What is said of a name.
    Doc(Option<&'t str>),
    /// The layers of a network.
    Shape(&'t str),
    /// Another file.
    Load(&'t str),
    /// The file again.
    Reload,
    /// The commands.
    Help,
    /// To leave.
    Quit,
}

impl<'t> Command<'t> {
    /// Reads an input.
    pub(super) fn read(input: &'t str) -> Result<Self, Refusal> {
        let Some((word, rest)) = split(input) else {
            return Ok(Self::Enter(input));
        };
        let Some(name) = full(word) else {
            let refusal = Refusal::new(format!("there is no command `:{word}`"));
            return Err(match nearest(word, NAMES.iter().copied()) {
                Some(near) => refusal.hint(format!("did you mean `:{near}`?")),
                None => refusal.hint("`:help` lists the commands"),
            });
        };
        let given = (!rest.is_empty()).then_some(rest);
        let needed = |what: &str| {
            given.ok_or_else(|| {
                Refusal::new(format!("`:{name}` needs {what}")).hint("`:help` lists the commands")
            })
        };
        if let ("reload" | "help" | "quit", Some(rest)) = (name, given) {
            return Err(
                Refusal::new(format!("`:{name}` takes nothing, and here is `{rest}`"))
                    .hint(format!("write `:{name}`")),
            );
        }
        Ok(match name {
            "type" => Self::Type(needed("an expression")?),
            "shape" => Self::Shape(needed("a network")?),
            "load" => Self::Load(needed("a file")?),
            "doc" => Self::Doc(given),
            "reload" => Self::Reload,
            "help" => Self::Help,
            _ => Self::Quit,
        })
    }
}

/// The word behind the colon, and what follows it.
fn split(input: &str) -> Option<(&str, &str)> {
    let rest = input.trim_start().strip_prefix(':')?;
    let end = rest.find(|c: char| c.is_whitespace()).unwrap_or(rest.len());
    Some((&rest[..end], rest[end..].trim()))
}

/// The command that a word begins.
fn full(word: &str) -> Option<&'static str> {
    let found = NAMES
        .iter()
        .find(|name| !word.is_empty() && name.starts_with(word));
    found.copied()
}

/// Where the text of the language begins in an input, for completion: behind `:type `, and everywhere else at its start.
/// None where the input is another command.
pub(super) fn language_from(input: &str) -> Option<usize> {
    match split(input) {
        None => Some(0),
        Some((word, rest)) => match full(word)? {
            "type" | "shape" | "doc" if input.len() > word.len() + 1 => Some(input.len() - rest.len()),
            _ => None,
        },
    }
}

/// Whether more lines belong to the input.
pub(super) fn goes_on(input: &str) -> bool {
    match split(input) {
        None => is_unfinished(input),
        Some((word, rest)) => {
            matches!(full(word), Some("type" | "shape")) && !rest.is_empty() && is_unfinished(rest)
        }
    }
}

/// The names of commands that begin so, for completion.
pub(super) fn beginning(word: &str) -> impl Iterator<Item = &'static str> {
    NAMES.iter().copied().filter(move |name| name.starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(input: &str) -> String {
        match Command::read(input) {
            Ok(command) => format!("{command:?}"),
            Err(refusal) => format!("{refusal:?}"),
        }
    }

    #[test]
    fn commands_begin_with_a_colon() {
        assert_eq!(said("x = 1"), "Enter(\"x = 1\")");
        assert_eq!(said(":type [1, 2] "), "Type(\"[1, 2]\")");
        assert_eq!(said(" :t x"), "Type(\"x\")");
        assert_eq!(said(":doc"), "Doc(None)");
        assert_eq!(said(":load a b.mlp"), "Load(\"a b.mlp\")");
        assert_eq!(said(":q"), "Quit");
        assert!(said(":typo x").contains("did you mean `:type`?"));
        assert!(said(":").contains("`:help` lists the commands"));
        assert!(said(":type").contains("`:type` needs an expression"));
        assert!(said(":quit now").contains("takes nothing"));
    }

    #[test]
    fn a_command_goes_on_as_its_text_does() {
        assert!(goes_on(":type [1,"));
        assert!(goes_on("x = ["));
        for input in [":type x", ":type", ":load [", ":foo [", "x = 1", ""] {
            assert!(!goes_on(input), "{input}");
        }
    }

    #[test]
    fn completion_knows_where_the_language_begins() {
        assert_eq!(language_from("x = le"), Some(0));
        assert_eq!(language_from(":type le"), Some(6));
        assert_eq!(language_from(":load ./a"), None);
        assert_eq!(language_from(":ty"), None);
    }
}
