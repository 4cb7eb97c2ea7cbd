//! References to flakes, as flake.nix and flake.lock write them, in one normal form. Two spellings of one reference
//! (`github:NixOS/nixpkgs/nixos-24.05`, `{ type = "github"; owner = …; ref = …; }`) come to equal values. Talks to
//! nobody.

use std::collections::BTreeMap;
use std::fmt;

/// Where a reference's tree comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefKind {
    /// `github:owner/repo`.
    Github,
    /// `gitlab:owner/repo`.
    Gitlab,
    /// `sourcehut:~owner/repo`.
    Sourcehut,
    /// `git+https://…`, `git+file:…`.
    Git,
    /// `hg+https://…`.
    Mercurial,
    /// `path:./x`, or a bare `./x`.
    Path,
    /// An archive, unpacked: `https://….tar.gz`, `tarball+https://…`.
    Tarball,
    /// A single file: `file+https://…`.
    File,
    /// A name that a registry resolves: `nixpkgs`, `flake:nixpkgs/ref`.
    Indirect,
}

impl RefKind {
    /// The value of `type` in flake.nix and flake.lock.
    pub fn name(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Sourcehut => "sourcehut",
            Self::Git => "git",
            Self::Mercurial => "hg",
            Self::Path => "path",
            Self::Tarball => "tarball",
            Self::File => "file",
            Self::Indirect => "indirect",
        }
    }

    fn of(name: &str) -> Option<Self> {
        use RefKind::{File, Git, Github, Gitlab, Indirect, Mercurial, Path, Sourcehut, Tarball};
        [
            Github, Gitlab, Sourcehut, Git, Mercurial, Path, Tarball, File, Indirect,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }

    fn required(self) -> &'static [&'static str] {
        match self {
            Self::Github | Self::Gitlab | Self::Sourcehut => &["owner", "repo"],
            Self::Git | Self::Mercurial | Self::Tarball | Self::File => &["url"],
            Self::Path => &["path"],
            Self::Indirect => &["id"],
        }
    }
}

/// The value of an attribute of a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// A string.
    Text(String),
    /// A whole number.
    Int(u64),
    /// A truth value.
    Bool(bool),
}

/// A reference in normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlakeRef {
    /// Where the tree comes from.
    pub kind: RefKind,
    /// Everything else, as text; a truth value that is false is left out, for that is every one's default.
    attributes: BTreeMap<String, String>,
}

/// Why a reference is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidRef(String);

/// Query parameters that are attributes of the reference, not part of its URL.
const PARAMETERS: [&str; 13] = [
    "allRefs",
    "dir",
    "exportIgnore",
    "host",
    "lastModified",
    "lfs",
    "narHash",
    "ref",
    "rev",
    "revCount",
    "shallow",
    "submodules",
    "verifyCommit",
];
const SWITCHES: [&str; 6] = [
    "allRefs",
    "exportIgnore",
    "lfs",
    "shallow",
    "submodules",
    "verifyCommit",
];
const ARCHIVES: [&str; 7] = [
    ".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2", ".tar.zst",
];

impl FlakeRef {
    /// Reads the URL form.
    pub fn parse(text: &str) -> Result<Self, InvalidRef> {
        if text.is_empty() {
            return fail("it is empty");
        }
        if let Some((_, output)) = text.split_once('#') {
            return fail(format!(
                "`#{output}` names an output, and an input is a whole flake"
            ));
        }
        if text.chars().any(|letter| letter.is_control() || letter == ' ') {
            return fail("it holds a space or a control character");
        }
        let (body, query) = text.split_once('?').unwrap_or((text, ""));
        let mut query = parse_query(query)?;
        match body.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) {
            Some((scheme, rest)) => Self::of_scheme(scheme, rest, query),
            None if is_indirect(body) && query.is_empty() => Self::indirect(body, query),
            None => {
                query.insert("path".into(), body.into());
                Self::finish(RefKind::Path, query)
            }
        }
    }

    /// The reference that an input without any has: its own name, looked up in a registry.
    pub fn named(input: &str) -> Self {
        let attributes = BTreeMap::from([("id".to_owned(), input.to_owned())]);
        Self {
            kind: RefKind::Indirect,
            attributes,
        }
    }

    /// Reads the attribute form, `type` among the attributes.
    pub fn from_attributes(attributes: &BTreeMap<String, Attribute>) -> Result<Self, InvalidRef> {
        let kind = match attributes.get("type") {
            Some(Attribute::Text(name)) => {
                RefKind::of(name).ok_or_else(|| InvalidRef(format!("`{name}` is no type of reference")))?
            }
            Some(_) => return fail("`type` is not a string"),
            None => return fail("`type` is missing"),
        };
        let mut texts = BTreeMap::new();
        for (name, value) in attributes.iter().filter(|(name, _)| *name != "type") {
            let text = match value {
                Attribute::Text(text) => text.clone(),
                Attribute::Int(number) => number.to_string(),
                Attribute::Bool(truth) => truth.to_string(),
            };
            texts.insert(name.clone(), text);
        }
        Self::finish(kind, texts)
    }

    fn of_scheme(scheme: &str, rest: &str, mut query: BTreeMap<String, String>) -> Result<Self, InvalidRef> {
        let (application, transport) = scheme.split_once('+').unwrap_or(("", scheme));
        let kind = match (application, transport) {
            ("", "flake") => return Self::indirect(rest, query),
            ("", "github") => return Self::forge(RefKind::Github, rest, query),
            ("", "gitlab") => return Self::forge(RefKind::Gitlab, rest, query),
            ("", "sourcehut") => return Self::forge(RefKind::Sourcehut, rest, query),
            ("", "path") => {
                query.insert("path".into(), rest.into());
                return Self::finish(RefKind::Path, query);
            }
            ("git", "http" | "https" | "ssh" | "file") | ("", "git") => RefKind::Git,
            ("hg", "http" | "https" | "ssh" | "file") => RefKind::Mercurial,
            ("tarball", "http" | "https" | "file") => RefKind::Tarball,
            ("file", "http" | "https" | "file") => RefKind::File,
            // Nix takes a plain URL for an archive wherever a tree is asked for.
            ("", "http" | "https" | "file") => RefKind::Tarball,
            _ => return fail(format!("`{scheme}:` is no scheme of references to flakes")),
        };
        let mut url = format!("{transport}:{rest}");
        let own: Vec<_> = query.iter().filter(|(name, _)| !is_parameter(name)).collect();
        for (index, (name, value)) in own.into_iter().enumerate() {
            url += &format!("{}{name}={value}", if index == 0 { '?' } else { '&' });
        }
        query.retain(|name, _| is_parameter(name));
        query.insert("url".into(), url);
        Self::finish(kind, query)
    }

    fn indirect(path: &str, mut query: BTreeMap<String, String>) -> Result<Self, InvalidRef> {
        let mut parts = path.split('/');
        query.insert("id".into(), parts.next().unwrap_or_default().to_owned());
        let rest: Vec<&str> = parts.collect();
        match rest.as_slice() {
            [] => {}
            [one] => drop(query.insert(if is_revision(one) { "rev" } else { "ref" }.into(), (*one).into())),
            [branch, revision] if is_revision(revision) => {
                query.insert("ref".into(), (*branch).into());
                query.insert("rev".into(), (*revision).into());
            }
            _ => return fail(format!("`{path}` is not `name`, `name/ref` or `name/ref/rev`")),
        }
        Self::finish(RefKind::Indirect, query)
    }

    fn forge(kind: RefKind, path: &str, mut query: BTreeMap<String, String>) -> Result<Self, InvalidRef> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let [owner, repo, rest @ ..] = parts.as_slice() else {
            return fail(format!(
                "`{}:{path}` does not say `owner/repository`",
                kind.name()
            ));
        };
        query.insert("owner".into(), (*owner).into());
        query.insert("repo".into(), (*repo).into());
        if !rest.is_empty() {
            let what = rest.join("/");
            let key = if is_revision(&what) { "rev" } else { "ref" };
            if query.insert(key.into(), what).is_some() {
                return fail(format!("`{key}` is given twice"));
            }
        }
        if query.contains_key("rev") && query.contains_key("ref") {
            return fail("it gives both a commit and a branch or tag");
        }
        Self::finish(kind, query)
    }

    /// Brings attributes to the one normal form, wherever they come from.
    fn finish(mut kind: RefKind, mut attributes: BTreeMap<String, String>) -> Result<Self, InvalidRef> {
        for required in kind.required() {
            if attributes.get(*required).is_none_or(String::is_empty) {
                return fail(format!("a reference of type {} needs `{required}`", kind.name()));
            }
        }
        if kind == RefKind::Indirect && !is_id(&attributes["id"]) {
            return fail(format!("`{}` is no name of a flake", attributes["id"]));
        }
        if let Some(url) = attributes.remove("url") {
            let url = ["git+", "hg+", "tarball+", "file+"]
                .iter()
                .find_map(|app| url.strip_prefix(app))
                .unwrap_or(&url);
            let (body, query) = url.split_once('?').unwrap_or((url, ""));
            let own = parse_query(query)?;
            // Versions of Nix differ on whether `dir` and its like stay in the URL as well.
            let kept: Vec<_> = own.iter().filter(|(name, _)| !is_parameter(name)).collect();
            let kept: Vec<_> = kept
                .into_iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let mark = if kept.is_empty() { "" } else { "?" };
            attributes.insert("url".into(), format!("{body}{mark}{}", kept.join("&")));
            for (name, value) in own.into_iter().filter(|(name, _)| is_parameter(name)) {
                attributes.entry(name).or_insert(value);
            }
            // They differ, too, on what a URL without an archive's suffix is; the tree is the same.
            if kind == RefKind::File && ARCHIVES.iter().any(|suffix| body.ends_with(suffix)) {
                kind = RefKind::Tarball;
            }
        }
        for switch in SWITCHES {
            match attributes.get(switch).map(String::as_str) {
                Some("1" | "true") => drop(attributes.insert(switch.into(), "true".into())),
                Some(_) => drop(attributes.remove(switch)),
                None => {}
            }
        }
        for name in ["owner", "repo"] {
            if let Some(value) = attributes.get_mut(name) {
                *value = percent_decode(value);
            }
        }
        attributes.retain(|name, value| !(name == "dir" && value.is_empty()));
        Ok(Self { kind, attributes })
    }

    /// An attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// Whether the reference is a place inside the tree of the flake that holds it: it is pinned with that flake.
    pub fn is_relative(&self) -> bool {
        self.kind == RefKind::Path && self.get("path").is_some_and(|path| !path.starts_with('/'))
    }

    /// Whether only this machine has what the reference names.
    pub fn is_machine_local(&self) -> bool {
        match self.kind {
            RefKind::Path => !self.is_relative(),
            _ => self.get("url").is_some_and(|url| url.starts_with("file:")),
        }
    }

    /// Whether both name the same, where `other` may have been written by any version of Nix.
    pub fn agrees(&self, other: &Self) -> bool {
        let archive = |kind| matches!(kind, RefKind::Tarball | RefKind::File);
        let kinds = self.kind == other.kind || archive(self.kind) && archive(other.kind);
        kinds && self.identity().eq(other.identity()) || self.within(other) || other.within(self)
    }

    fn identity(&self) -> impl Iterator<Item = (&String, &String)> {
        let incidental = |name: &str| matches!(name, "lastModified" | "revCount" | "narHash");
        self.attributes.iter().filter(move |(name, _)| !incidental(name))
    }

    /// A bare absolute path inside a git repository is locked as `git+file:` of the repository and a `dir`.
    fn within(&self, repository: &Self) -> bool {
        let (Some(path), Some(url)) = (self.get("path"), repository.get("url")) else {
            return false;
        };
        let Some(root) = url.strip_prefix("file://") else {
            return false;
        };
        let dir = repository.get("dir").unwrap_or_default();
        path.strip_prefix(root)
            .is_some_and(|rest| rest.trim_matches('/') == dir.trim_matches('/'))
    }
}

impl fmt::Display for FlakeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let get = |name| self.get(name).unwrap_or_default();
        let mut shown = match self.kind {
            RefKind::Github | RefKind::Gitlab | RefKind::Sourcehut => {
                write!(
                    f,
                    "{}:{}/{}",
                    self.kind.name(),
                    get("owner").replace('/', "%2F"),
                    get("repo")
                )?;
                vec!["owner", "repo"]
            }
            RefKind::Indirect => write!(f, "{}", get("id")).map(|()| vec!["id"])?,
            RefKind::Path => write!(f, "path:{}", get("path")).map(|()| vec!["path"])?,
            RefKind::Tarball => write!(f, "{}", get("url")).map(|()| vec!["url"])?,
            RefKind::File => write!(f, "file+{}", get("url")).map(|()| vec!["url"])?,
            RefKind::Git if get("url").starts_with("git:") => {
                write!(f, "{}", get("url")).map(|()| vec!["url"])?
            }
            RefKind::Git | RefKind::Mercurial => {
                write!(f, "{}+{}", self.kind.name(), get("url")).map(|()| vec!["url"])?
            }
        };
        if self.get("url").is_none() && self.kind != RefKind::Path {
            for name in ["ref", "rev"] {
                if let Some(value) = self.get(name) {
                    write!(f, "/{value}")?;
                    shown.push(name);
                }
            }
        }
        let mut mark = if self.get("url").is_some_and(|url| url.contains('?')) {
            '&'
        } else {
            '?'
        };
        for (name, value) in self
            .identity()
            .filter(|(name, _)| !shown.contains(&name.as_str()))
        {
            write!(f, "{mark}{name}={}", if value == "true" { "1" } else { value })?;
            mark = '&';
        }
        Ok(())
    }
}

fn fail<T>(why: impl Into<String>) -> Result<T, InvalidRef> {
    Err(InvalidRef(why.into()))
}

fn parse_query(query: &str) -> Result<BTreeMap<String, String>, InvalidRef> {
    let mut parameters = BTreeMap::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let Some((name, value)) = part.split_once('=') else {
            return fail(format!("`{part}` is not `name=value`"));
        };
        let value = if is_parameter(name) {
            percent_decode(value)
        } else {
            value.to_owned()
        };
        if parameters.insert(name.to_owned(), value).is_some() {
            return fail(format!("`{name}` is given twice"));
        }
    }
    Ok(parameters)
}

fn is_parameter(name: &str) -> bool {
    PARAMETERS.contains(&name)
}

fn is_scheme(text: &str) -> bool {
    let mut letters = text.bytes();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || b"+-.".contains(&letter))
}

fn is_id(text: &str) -> bool {
    let mut letters = text.bytes();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || b"_-".contains(&letter))
}

fn is_indirect(text: &str) -> bool {
    let mut parts = text.split('/');
    parts.next().is_some_and(is_id) && parts.clone().count() <= 2 && parts.all(|part| !part.is_empty())
}

/// Whether it is a commit: 40 hexadecimal digits, as in Nix.
fn is_revision(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}

pub(super) fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = (*first == b'%').then(|| tail.get(..2)).flatten();
        let code = code
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests;
