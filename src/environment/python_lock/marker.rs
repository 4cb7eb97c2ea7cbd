//! Environment markers of Python's dependency specifiers (`sys_platform == 'win32' and python_version < '3.12'`): read, and
//! evaluated for a fixed target, never for the machine that evaluates. Talks to nobody.

use super::target::Target;
use pep440_rs::{Version, VersionSpecifier};
use std::collections::BTreeSet;
use std::str::FromStr;

/// What a marker is asked about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting<'a> {
    pub(super) target: &'a Target,
    /// Extras of the package that asks.
    pub(super) extras: &'a BTreeSet<String>,
}

/// Parentheses nested deeper than this are refused: the reader recurses.
const MOST_LEVELS: usize = 50;

/// Whether the marker holds, or why it is none.
pub(super) fn holds(marker: &str, setting: Setting<'_>) -> Result<bool, String> {
    let mut reader = Reader {
        rest: marker,
        setting,
        level: 0,
    };
    let value = reader.any()?;
    match reader.rest.trim_start() {
        "" => Ok(value),
        rest => Err(format!("`{rest}` is not expected")),
    }
}

struct Reader<'a> {
    rest: &'a str,
    setting: Setting<'a>,
    level: usize,
}

/// An operand: what the target answers to a variable, or a text.
#[derive(Clone, Debug)]
enum Operand<'a> {
    Text(&'a str),
    Version(String),
    Known(&'static str),
    Set(Vec<&'a str>),
}

impl Operand<'_> {
    fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Known(text) => text,
            Self::Version(text) => text,
            Self::Set(_) => "",
        }
    }
}

impl<'a> Reader<'a> {
    fn any(&mut self) -> Result<bool, String> {
        let mut value = self.all()?;
        while self.word("or") {
            value |= self.all()?;
        }
        Ok(value)
    }

    fn all(&mut self) -> Result<bool, String> {
        let mut value = self.one()?;
        while self.word("and") {
            value &= self.one()?;
        }
        Ok(value)
    }

    fn one(&mut self) -> Result<bool, String> {
        if !self.symbol("(") {
            let left = self.operand()?;
            let operator = self.operator()?;
            let right = self.operand()?;
            return compare(&left, operator, &right);
        }
        self.level += 1;
        if self.level > MOST_LEVELS {
            return Err("it is nested too deeply".to_owned());
        }
        let value = self.any()?;
        self.level -= 1;
        if self.symbol(")") {
            Ok(value)
        } else {
            Err("a `)` is missing".to_owned())
        }
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        match self.rest.trim_start().strip_prefix(symbol) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn word(&mut self, word: &str) -> bool {
        let Some(rest) = self.rest.trim_start().strip_prefix(word) else {
            return false;
        };
        let ends = rest
            .chars()
            .next()
            .is_none_or(|next| !next.is_alphanumeric() && next != '_');
        if ends {
            self.rest = rest;
        }
        ends
    }

    fn operator(&mut self) -> Result<&'static str, String> {
        if self.word("not") {
            return if self.word("in") {
                Ok("not in")
            } else {
                Err("`in` is missing after `not`".to_owned())
            };
        }
        if self.word("in") {
            return Ok("in");
        }
        // Longer ones first.
        let operators = ["===", "==", "~=", "!=", "<=", ">=", "<", ">"];
        let found = operators.into_iter().find(|operator| self.symbol(operator));
        found.ok_or_else(|| format!("an operator is missing before `{}`", self.rest.trim_start()))
    }

    fn operand(&mut self) -> Result<Operand<'a>, String> {
        let rest = self.rest.trim_start();
        if let Some(quote @ ('\'' | '"')) = rest.chars().next() {
            let Some((text, rest)) = rest[1..].split_once(quote) else {
                return Err(format!("a closing {quote} is missing"));
            };
            self.rest = rest;
            return Ok(Operand::Text(text));
        }
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && !"_.".contains(letter));
        let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
        self.rest = rest;
        self.variable(name)
    }

    fn variable(&self, name: &str) -> Result<Operand<'a>, String> {
        let target = self.setting.target;
        Ok(match name {
            "python_version" => Operand::Version(target.python_minor()),
            "python_full_version" | "implementation_version" => Operand::Version(target.python.to_string()),
            "os_name" | "os.name" => Operand::Known("posix"),
            "sys_platform" | "sys.platform" => Operand::Known("linux"),
            "platform_system" => Operand::Known("Linux"),
            "platform_machine" | "platform.machine" => Operand::Known("x86_64"),
            "platform_python_implementation" | "platform.python_implementation" | "python_implementation" => {
                Operand::Known("CPython")
            }
            "implementation_name" => Operand::Known("cpython"),
            "extra" | "extras" => Operand::Set(self.setting.extras.iter().map(String::as_str).collect()),
            // Groups are for development; an environment has none.
            "dependency_groups" => Operand::Set(Vec::new()),
            "platform_release" | "platform_version" | "platform.version" => {
                return Err(format!(
                    "`{name}` is the kernel of the machine, and an environment must not depend on it"
                ));
            }
            "" => return Err("a name or a string is missing".to_owned()),
            other => return Err(format!("`{other}` is no variable of markers")),
        })
    }
}

fn compare(left: &Operand<'_>, operator: &str, right: &Operand<'_>) -> Result<bool, String> {
    match (left, right) {
        // `extra == 'x'` asks whether x is among the extras.
        (Operand::Set(set), Operand::Text(text)) | (Operand::Text(text), Operand::Set(set)) => match operator
        {
            "==" | "in" => Ok(set.iter().any(|one| same_name(one, text))),
            "!=" | "not in" => Ok(!set.iter().any(|one| same_name(one, text))),
            _ => Err(format!("`{operator}` does not compare extras")),
        },
        (Operand::Set(_), _) | (_, Operand::Set(_)) => Err("extras are compared with strings".to_owned()),
        _ => match operator {
            "in" => Ok(right.text().contains(left.text())),
            "not in" => Ok(!right.text().contains(left.text())),
            _ => Ok(match (left, right) {
                (Operand::Version(version), other) => by_version(version, operator, other.text()),
                (other, Operand::Version(version)) => by_version(version, mirrored(operator), other.text()),
                _ => None,
            }
            .unwrap_or_else(|| by_text(left.text(), operator, right.text()))),
        },
    }
}

/// None, where the other side is no version: then they are compared as texts.
fn by_version(version: &str, operator: &str, other: &str) -> Option<bool> {
    let version = Version::from_str(version).ok()?;
    let specifier = VersionSpecifier::from_str(&format!("{operator}{other}")).ok()?;
    Some(specifier.contains(&version))
}

fn by_text(left: &str, operator: &str, right: &str) -> bool {
    match operator {
        "==" | "===" => left == right,
        "!=" => left != right,
        "<" => left < right,
        "<=" => left <= right,
        ">" => left > right,
        ">=" => left >= right,
        _ => false,
    }
}

fn mirrored(operator: &str) -> &str {
    match operator {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        other => other,
    }
}

/// Whether two names of extras or packages are the same, as Python's packaging takes them.
pub(super) fn same_name(one: &str, other: &str) -> bool {
    normalised(one) == normalised(other)
}

/// A package's name as Python's packaging compares it: lower case, runs of `-`, `_` and `.` one `-`.
pub(super) fn normalised(name: &str) -> String {
    let mut result = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '-' | '_' | '.' if result.ends_with('-') => {}
            '-' | '_' | '.' => result.push('-'),
            _ => result.extend(letter.to_lowercase()),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(marker: &str) -> Result<bool, String> {
        let target = Target::new("3.11.7").unwrap();
        let extras = BTreeSet::from(["Fast_IO".to_owned()]);
        holds(
            marker,
            Setting {
                target: &target,
                extras: &extras,
            },
        )
    }

    #[test]
    fn markers_are_those_of_the_target() {
        for (marker, expected) in [
            ("sys_platform == 'linux'", true),
            ("sys_platform == 'win32' or os_name == \"posix\"", true),
            (
                "sys_platform == 'win32' or os_name == 'posix' and platform_machine == 'aarch64'",
                false,
            ),
            (
                "(sys_platform == 'win32' or os_name == 'posix') and python_version >= '3.8'",
                true,
            ),
            ("python_version < '3.9'", false),
            ("python_version < '3.100'", true),
            ("'3.9' < python_version", true),
            ("python_full_version >= '3.11.4'", true),
            ("python_full_version < '3.12'", true),
            ("python_version == '3.*'", true),
            ("python_version ~= '3.10'", true),
            ("python_version in '3.10 3.11'", true),
            ("platform_machine not in 'arm64 aarch64'", true),
            (
                "implementation_name != 'pypy' and platform_python_implementation == 'CPython'",
                true,
            ),
            ("extra == 'fast-io'", true),
            ("'fast-io' in extras", true),
            ("extra != 'fast-io'", false),
            ("'dev' in dependency_groups", false),
            ("python_version >= 'x'", false),
        ] {
            assert_eq!(check(marker), Ok(expected), "{marker}");
        }
    }

    #[test]
    fn what_is_no_marker_says_why() {
        for (marker, why) in [
            ("", "a name or a string is missing"),
            ("sys_platform", "an operator is missing before ``"),
            ("weather == 'fine'", "`weather` is no variable of markers"),
            ("(os_name == 'posix'", "a `)` is missing"),
            ("os_name == 'posix", "a closing ' is missing"),
            ("os_name == 'posix' os_name", "`os_name` is not expected"),
            ("os_name not 'posix'", "`in` is missing after `not`"),
            (
                "platform_release >= '5'",
                "`platform_release` is the kernel of the machine, and an environment must not depend on it",
            ),
        ] {
            assert_eq!(check(marker), Err(why.to_owned()), "{marker}");
        }
        assert!(check(&"(".repeat(100_000)).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_a_crash(text in "(python_version|extra|os_name|and|or|not|in|[()<>=!~ '\"3.x*é]){0,20}") {
            drop(check(&text));
        }
    }
}
