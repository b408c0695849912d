//! Remembers the names of databases and buckets that clients use. There is one store, so every name is accepted.

use std::collections::VecDeque;

use parking_lot::Mutex;

/// The most names that are kept. The oldest are dropped first; only the lists below depend on them.
const MAX_NAMES: usize = 256;

/// The most characters of a name that is kept.
const MAX_NAME: usize = 256;

/// The name in a list that would otherwise be empty.
const DEFAULT: &str = "pulseboard";

/// Keeps the names that clients created or requested, so that they find them in a list. They are kept in memory only:
/// a client creates its database again at its next start.
#[derive(Debug, Default)]
pub struct Databases(Mutex<VecDeque<String>>);

impl Databases {
    /// Adds a name, unless it is known, empty or too long.
    pub(super) fn add(&self, name: &str) {
        let mut names = self.0.lock();
        if name.is_empty() || name.chars().count() > MAX_NAME || names.iter().any(|known| known == name) {
            return;
        }
        if names.len() == MAX_NAMES {
            names.pop_front();
        }
        names.push_back(name.to_owned());
    }

    /// Returns all names in order, at least one.
    pub(super) fn list(&self) -> Vec<String> {
        let mut names: Vec<_> = self.0.lock().iter().cloned().collect();
        names.sort_unstable();
        if names.is_empty() {
            names.push(DEFAULT.to_owned());
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_remembered_once_and_in_bounded_number() {
        let databases = Databases::default();
        assert_eq!(databases.list(), ["pulseboard"]);
        ["b", "a", "b", "", &"x".repeat(MAX_NAME + 1)].into_iter().for_each(|name| databases.add(name));
        assert_eq!(databases.list(), ["a", "b"]);
        (0..MAX_NAMES).for_each(|n| databases.add(&format!("n{n}")));
        assert_eq!(databases.list().len(), MAX_NAMES);
        assert!(!databases.list().contains(&"b".to_owned()));
    }
}
