//! Values by name.

use smol_str::SmolStr;
use std::fmt;
use std::sync::Arc;

/// Values by name, sorted by it. Cloning is a count; what is changed while it is shared is copied first.
///
/// A sorted vector and not a tree: almost all have a handful of entries, and a pipeline has a hundred thousand of them.
#[derive(Clone)]
pub struct ByName<V>(
    /// None is empty.
    Option<Arc<Vec<(SmolStr, V)>>>,
);

impl<V> ByName<V> {
    /// Nothing.
    pub const fn new() -> Self {
        Self(None)
    }

    fn entries(&self) -> &[(SmolStr, V)] {
        self.0.as_ref().map_or(&[], |entries| entries.as_slice())
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.entries().binary_search_by(|(own, _)| own.as_str().cmp(name))
    }

    /// The value called `name`.
    pub fn get(&self, name: &str) -> Option<&V> {
        let index = self.position(name).ok()?;
        Some(&self.entries()[index].1)
    }

    /// Whether there is a value called `name`.
    pub fn contains_key(&self, name: &str) -> bool {
        self.position(name).is_ok()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// All, in the order of their names.
    pub fn iter(&self) -> Iter<'_, V> {
        self.into_iter()
    }

    /// The names, sorted.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &SmolStr> + ExactSizeIterator {
        self.entries().iter().map(|(name, _)| name)
    }

    /// The values, in the order of their names.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + ExactSizeIterator {
        self.entries().iter().map(|(_, value)| value)
    }
}

impl<V: Clone> ByName<V> {
    /// Adds a value, or puts it in the place of the one of that name, which is returned.
    pub fn insert(&mut self, name: impl Into<SmolStr>, value: V) -> Option<V> {
        let name = name.into();
        let position = self.position(&name);
        let entries = Arc::make_mut(self.0.get_or_insert_default());
        match position {
            Ok(index) => Some(std::mem::replace(&mut entries[index].1, value)),
            Err(index) => {
                entries.insert(index, (name, value));
                None
            }
        }
    }

    /// Takes the value called `name` out.
    pub fn remove(&mut self, name: &str) -> Option<V> {
        let index = self.position(name).ok()?;
        let entries = Arc::make_mut(self.0.as_mut()?);
        let (_, value) = entries.remove(index);
        if entries.is_empty() {
            self.0 = None;
        }
        Some(value)
    }

    /// The value called `name`, to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut V> {
        let index = self.position(name).ok()?;
        Some(&mut Arc::make_mut(self.0.as_mut()?)[index].1)
    }
}

impl<V: PartialEq> PartialEq for ByName<V> {
    /// What shares its entries is equal without a look at them: no data holds NaN.
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b) || a == b,
            (None, None) => true,
            _ => false,
        }
    }
}

impl<V: PartialEq> ByName<V> {
    /// Holds the entries of `other` where they are equal, so that both are held once.
    pub fn share(&mut self, other: &Self) {
        if self == other {
            self.0.clone_from(&other.0);
        }
    }
}

impl<V: Eq> Eq for ByName<V> {}

impl<V> Default for ByName<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: fmt::Debug> fmt::Debug for ByName<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Into<SmolStr>, V> FromIterator<(K, V)> for ByName<V> {
    /// Of equal names the last counts.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let entries = entries.into_iter().map(|(name, value)| (name.into(), value));
        let mut entries: Vec<(SmolStr, V)> = entries.collect();
        if entries.is_empty() {
            return Self::new();
        }
        if !entries.is_sorted_by(|(a, _), (b, _)| a < b) {
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            entries.dedup_by(|later, kept| {
                let same = later.0 == kept.0;
                if same {
                    std::mem::swap(later, kept);
                }
                same
            });
        }
        Self(Some(Arc::new(entries)))
    }
}

impl<K: Into<SmolStr>, V, const N: usize> From<[(K, V); N]> for ByName<V> {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<K: Into<SmolStr>, V: Clone> Extend<(K, V)> for ByName<V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (name, value) in entries {
            self.insert(name, value);
        }
    }
}

/// The entries, in the order of their names.
pub type Iter<'a, V> =
    std::iter::Map<std::slice::Iter<'a, (SmolStr, V)>, fn(&(SmolStr, V)) -> (&SmolStr, &V)>;

impl<'a, V> IntoIterator for &'a ByName<V> {
    type Item = (&'a SmolStr, &'a V);
    type IntoIter = Iter<'a, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries().iter().map(|(name, value)| (name, value))
    }
}

impl<V: Clone> IntoIterator for ByName<V> {
    type Item = (SmolStr, V);
    type IntoIter = std::vec::IntoIter<(SmolStr, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.map(Arc::unwrap_or_clone).unwrap_or_default().into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_names_and_the_last_of_a_name_counts() {
        let mut fields = ByName::from([("b", 1), ("a", 2), ("b", 3), ("c", 4)]);
        assert_eq!(format!("{fields:?}"), r#"{"a": 2, "b": 3, "c": 4}"#);
        assert_eq!(fields.insert("aa", 5), None);
        assert_eq!(fields.insert("a", 6), Some(2));
        assert_eq!(fields.remove("c"), Some(4));
        assert_eq!(fields.remove("c"), None);
        assert_eq!(fields.keys().collect::<Vec<_>>(), ["a", "aa", "b"]);
        assert_eq!((fields.get("b"), fields.get("x")), (Some(&3), None));
    }

    #[test]
    fn a_copy_keeps_what_it_was() {
        let before = ByName::from([("a", 1)]);
        let mut after = before.clone();
        *after.get_mut("a").unwrap() = 2;
        assert_eq!((before.get("a"), after.get("a")), (Some(&1), Some(&2)));
    }

    #[test]
    fn empty_is_empty_however_it_came_to_be() {
        let mut fields = ByName::from([("a", 1)]);
        fields.remove("a");
        assert_eq!(fields, ByName::new());
        assert_eq!(fields, std::iter::empty::<(&str, i32)>().collect());
        assert_eq!(fields.into_iter().count(), 0);
    }
}
