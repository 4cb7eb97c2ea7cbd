//! BLAKE3 digests, one context string for each kind of thing that is hashed.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A BLAKE3 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// What is hashed: digests of different kinds never meet, so that one cannot pose as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// A directory's entries.
    Tree,
    /// A derivation with its inputs' static keys.
    StaticKey,
    /// A derivation with its inputs' nodes.
    ResolvedKey,
    /// The state before the first epoch.
    ChainBase,
    /// The state after an epoch.
    ChainStep,
    /// Anything local: names of index files, of runs.
    Local,
}

impl Context {
    fn text(self) -> &'static str {
        match self {
            Self::Tree => "mlp 1 tree",
            Self::StaticKey => "mlp 1 static key",
            Self::ResolvedKey => "mlp 1 resolved key",
            Self::ChainBase => "mlp 1 chain base",
            Self::ChainStep => "mlp 1 chain step",
            Self::Local => "mlp 1 local",
        }
    }
}

impl Digest {
    /// The digest of a file's content, as `b3sum` prints it.
    pub fn of_blob(bytes: &[u8]) -> Self {
        Self(blake3::hash(bytes).into())
    }

    /// The digest of the canonical bytes of a thing.
    pub fn of(context: Context, bytes: &[u8]) -> Self {
        Self(blake3::derive_key(context.text(), bytes))
    }

    /// A digest that was computed elsewhere, as bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first ten hexadecimal digits, for people.
    pub fn short(&self) -> String {
        self.to_string()[..10].to_owned()
    }
}

/// The digest of a file's content, piece by piece; long pieces are hashed by several threads.
#[derive(Debug, Default)]
pub struct Hasher(blake3::Hasher);

impl Hasher {
    /// Nothing hashed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Hashes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        // Below that, handing work to other threads costs more than it saves.
        if bytes.len() >= 256 << 10 {
            self.0.update_rayon(bytes);
        } else {
            self.0.update(bytes);
        }
    }

    /// The digest, equal to [`Digest::of_blob`] of all of it.
    pub fn finish(&self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.short())
    }
}

/// Not 64 hexadecimal digits in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest is 64 hexadecimal digits in lower case")]
pub struct InvalidDigest;

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let text = text.as_bytes();
        if text.len() != 64 {
            return Err(InvalidDigest);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

fn nibble(digit: u8) -> Result<u8, InvalidDigest> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(InvalidDigest),
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_agree_with_b3sum() {
        let empty = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
        assert_eq!(Digest::of_blob(b"").to_string(), empty);
        assert_eq!(empty.parse(), Ok(Digest::of_blob(b"")));
    }

    #[test]
    fn kinds_never_meet() {
        assert_ne!(
            Digest::of(Context::Tree, b"x"),
            Digest::of(Context::StaticKey, b"x")
        );
        assert_ne!(Digest::of(Context::Tree, b"x"), Digest::of_blob(b"x"));
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        assert!("AF13".parse::<Digest>().is_err());
        assert!("zz".repeat(32).parse::<Digest>().is_err());
    }
}
