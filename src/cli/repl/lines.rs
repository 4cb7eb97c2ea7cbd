//! Where inputs come from: a terminal ([`super::prompt`]), or a pipe.

use super::super::exit::Refusal;
use super::command::goes_on;
use std::io::BufRead;

/// Gives inputs, each of one line or of several that belong together.
pub(super) trait Lines {
    /// The next input; none at the end.
    fn next(&mut self) -> Result<Option<String>, Refusal>;
}

/// Standard input that is no terminal.
#[derive(Debug, Default)]
pub(super) struct Piped {
    ended: bool,
}

impl Lines for Piped {
    fn next(&mut self) -> Result<Option<String>, Refusal> {
        let mut input = std::io::stdin().lock();
        self.read(&mut input)
    }
}

impl Piped {
    fn read(&mut self, input: &mut dyn BufRead) -> Result<Option<String>, Refusal> {
        let mut text = String::new();
        while !self.ended {
            let mut bytes = Vec::new();
            let read = input.read_until(b'\n', &mut bytes);
            let read =
                read.map_err(|error| Refusal::new(format!("standard input cannot be read: {error}")))?;
            self.ended = read == 0;
            let line = String::from_utf8(bytes)
                .map_err(|_| Refusal::new("standard input is not UTF-8 text").hint("write it as UTF-8"))?;
            text.push_str(&line);
            // The line's end stays where the next line is empty, which ends what lacks its end.
            let whole = text.strip_suffix('\n').unwrap_or(&text);
            if !whole.trim().is_empty() && !goes_on(whole) {
                break;
            }
        }
        let whole = text.trim_end_matches(['\n', '\r']);
        Ok((!(self.ended && whole.trim().is_empty())).then(|| whole.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(text: &str) -> Vec<String> {
        let mut piped = Piped::default();
        let mut input = text.as_bytes();
        std::iter::from_fn(|| piped.read(&mut input).unwrap()).collect()
    }

    #[test]
    fn lines_that_belong_together_are_one_input() {
        assert_eq!(inputs(""), [""; 0]);
        assert_eq!(inputs("\n\n"), [""; 0]);
        assert_eq!(inputs("x = 1\r\nx"), ["x = 1", "x"]);
        assert_eq!(
            inputs("xs = [\n  1,\n\n  2,\n]\nxs\n"),
            ["xs = [\n  1,\n\n  2,\n]", "xs"]
        );
        assert_eq!(
            inputs("fn f(n: Int) =\n  n\nf(1)\n"),
            ["fn f(n: Int) =\n  n", "f(1)"]
        );
        assert_eq!(inputs("x =\n\n1\n"), ["x =", "1"]);
        assert_eq!(inputs("x = [\n"), ["x = ["]);
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let mut input = &b"x = \"\xff\"\n"[..];
        assert!(Piped::default().read(&mut input).is_err());
    }
}
