//! Strings of parts, paths, and the arguments of commands.

use super::blame::Place;
use super::code::{At, Code};
use super::machine::{Failed, Machine};
use super::render::{plain, write_plain};
use super::value::{ArgPiece, Long, Pieces, Value};
use crate::source::SourceId;
use std::rc::Rc;

impl<'c> Machine<'c> {
    #[inline(never)]
    pub(crate) fn interpolate(&mut self, code: &Code<'c>, parts: &[At]) -> Result<Value, Failed> {
        Ok(Value::str(&self.concat(code, parts)?))
    }

    fn concat(&mut self, code: &Code<'c>, parts: &[At]) -> Result<String, Failed> {
        let mut text = String::new();
        for part in parts {
            let value = self.eval(code, *part)?;
            if let Value::Str(part_text) = &value {
                let place = Place {
                    code: code.id,
                    at: *part,
                };
                self.reserve(text.len() + part_text.as_str().len(), place)?;
            }
            if !write_plain(&self.names, &value, &mut text) {
                let place = Place {
                    code: code.id,
                    at: *part,
                };
                return Err(self.unexpected(place, "what has a short text", &value));
            }
        }
        Ok(text)
    }

    /// A path from the project's root.
    #[inline(never)]
    pub(crate) fn path(
        &mut self,
        code: &Code<'c>,
        source: SourceId,
        parts: &[At],
        place: Place,
    ) -> Result<Value, Failed> {
        let text = self.concat(code, parts)?;
        let file = &self.sources.get(source).path;
        let directory = file.rsplit_once('/').map_or("", |(directory, _)| directory);
        match normalise(directory, &text) {
            Some(path) => Ok(Value::Path(Long::new(&path))),
            None => {
                let error = self
                    .error(place, "E0411", format!("the path `{text}` leaves the project"))
                    .at("outside the folder of the project")
                    .help("put the file into the project, or a symbolic link to it");
                Err(self.fail(error))
            }
        }
    }

    #[inline(never)]
    pub(crate) fn pieces(&mut self, code: &Code<'c>, parts: &[At], place: Place) -> Result<Value, Failed> {
        let mut pieces = Vec::new();
        for part in parts {
            let value = self.eval(code, *part)?;
            self.add_pieces(value, &mut pieces, place)?;
        }
        Ok(Value::Pieces(Rc::new(Pieces(pieces))))
    }

    /// A value as a command's argument.
    pub(crate) fn argument(&mut self, value: Value, place: Place) -> Result<Value, Failed> {
        let mut pieces = Vec::new();
        self.add_pieces(value, &mut pieces, place)?;
        Ok(Value::Pieces(Rc::new(Pieces(pieces))))
    }

    fn add_pieces(&mut self, value: Value, pieces: &mut Vec<ArgPiece>, place: Place) -> Result<(), Failed> {
        match value {
            Value::Path(path) => pieces.push(ArgPiece::Path(path)),
            Value::Artifact(artifact) => pieces.push(ArgPiece::Artifact(artifact)),
            Value::Late(late) => pieces.push(ArgPiece::Late(late)),
            Value::Pieces(own) => pieces.extend(own.0.iter().cloned()),
            value => match (plain(&self.names, &value), pieces.last_mut()) {
                (Some(text), Some(ArgPiece::Text(before))) => before.push_str(&text),
                (Some(text), _) => pieces.push(ArgPiece::Text(text)),
                (None, _) => return Err(self.unexpected(place, "what a command can take", &value)),
            },
        }
        Ok(())
    }
}

/// `path` from `directory`, both from the project's root; `None` where it leaves the project.
fn normalise(directory: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    })
}

#[cfg(test)]
mod tests {
    use super::normalise;

    #[test]
    fn paths_start_at_the_project() {
        let cases = [
            ("", "./digits.csv", Some("digits.csv")),
            ("a/b", "../c//d", Some("a/c/d")),
            ("a", "..", Some(".")),
            ("a", "../../x", None),
        ];
        for (directory, path, expected) in cases {
            assert_eq!(normalise(directory, path).as_deref(), expected);
        }
    }
}
