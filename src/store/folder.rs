//! A directory in the making: what lies at paths, put together to folders in folders. Talks to nobody.

use super::place::joined;
use std::collections::BTreeMap;

/// A folder of things.
#[derive(Debug)]
pub(super) struct Folder<T> {
    /// What lies in it, by name.
    pub(super) entries: BTreeMap<String, T>,
    /// Folders in it, by name.
    pub(super) folders: BTreeMap<String, Folder<T>>,
}

impl<T> Default for Folder<T> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            folders: BTreeMap::new(),
        }
    }
}

impl<T> Folder<T> {
    /// Puts `entry` at `path`.
    pub(super) fn insert(&mut self, path: &str, entry: T) {
        match path.split_once('/') {
            Some((name, rest)) => match self.folders.get_mut(name) {
                Some(folder) => folder.insert(rest, entry),
                None => {
                    let mut folder = Self::default();
                    folder.insert(rest, entry);
                    self.folders.insert(name.to_owned(), folder);
                }
            },
            None => drop(self.entries.insert(path.to_owned(), entry)),
        }
    }

    /// Tells of everything that lies in it and below.
    pub(super) fn each<'f>(&'f self, tell: &mut dyn FnMut(&'f T)) {
        self.entries.values().for_each(&mut *tell);
        self.folders.values().for_each(|folder| folder.each(tell));
    }

    /// Everything that lies in it and below, by path.
    pub(super) fn paths(&self) -> BTreeMap<String, &T> {
        let mut found = BTreeMap::new();
        self.collect("", &mut found);
        found
    }

    fn collect<'f>(&'f self, at: &str, into: &mut BTreeMap<String, &'f T>) {
        let entries = self.entries.iter();
        into.extend(entries.map(|(name, entry)| (joined(at, name), entry)));
        for (name, folder) in &self.folders {
            folder.collect(&joined(at, name), into);
        }
    }
}
