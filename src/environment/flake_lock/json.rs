//! Places in a JSON text: where the value under a path of keys stands. The text must be valid, which serde_json has
//! said; in any other, a place is merely not found. Talks to nobody.

use std::ops::Range;

/// The place of the key at the end of `path`, or of the whole text's first byte where the path leads nowhere.
pub(super) fn place(text: &str, path: &[&str]) -> Range<usize> {
    let mut scanner = Scanner {
        bytes: text.as_bytes(),
        at: 0,
    };
    let mut found = 0..0;
    for (index, name) in path.iter().enumerate() {
        match scanner.enter(name) {
            Some(key) => found = key,
            // What was reached on the way is the nearest place.
            None if index > 0 => return found,
            None => return 0..0,
        }
    }
    found
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    /// From before an object to before the value of its key `name`. Keys with escapes are taken as they are written.
    fn enter(&mut self, name: &str) -> Option<Range<usize>> {
        self.blank();
        (self.bytes.get(self.at)? == &b'{').then_some(())?;
        self.at += 1;
        loop {
            self.blank();
            let key = self.string()?;
            self.blank();
            (self.bytes.get(self.at)? == &b':').then_some(())?;
            self.at += 1;
            if &self.bytes[key.start + 1..key.end - 1] == name.as_bytes() {
                return Some(key);
            }
            self.skip()?;
            self.blank();
            (self.bytes.get(self.at)? == &b',').then_some(())?;
            self.at += 1;
        }
    }

    fn blank(&mut self) {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn string(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        (self.bytes.get(self.at)? == &b'"').then_some(())?;
        self.at += 1;
        loop {
            match self.bytes.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return Some(start..self.at);
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }

    /// Over a value.
    fn skip(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.bytes.get(self.at)? {
                b'"' => {
                    self.string()?;
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth == 0 => return Some(()),
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' if depth == 0 => return Some(()),
                _ => self.at += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_and_the_nearest_where_there_is_none() {
        let text = r#"{ "a": [1, {"b": 2}], "b\"": "}", "b": { "c": {"x": "\"{"}, "d": 1 } }"#;
        assert_eq!(&text[place(text, &["b", "d"])], "\"d\"");
        assert_eq!(&text[place(text, &["b", "e"])], "\"b\"");
        assert_eq!(place(text, &["z"]), 0..0);
        assert_eq!(place("{\"a", &["a"]), 0..0);
    }
}
