//! Remembers the names of databases and buckets that clients use. There is one store, so every name is accepted.

use std::collections::VecDeque;

use parking_lot::Mutex;

use crate::access::PushAccess;

/// The most names that are kept. The oldest are dropped first; only the lists below depend on them.
const MAX_NAMES: usize = 256;

/// The most characters of a name that is kept.
const MAX_NAME: usize = 256;

/// The name in a list that would otherwise be empty.
const DEFAULT: &str = "pulseboard";

/// Keeps the names that clients created or requested, so that they find them in a list. They are kept in memory only:
/// a client creates its database again at its next start. Each token has names of its own.
#[derive(Debug, Default)]
pub struct Databases(Mutex<VecDeque<Named>>);

#[derive(Debug, PartialEq, Eq)]
struct Named {
    token: Option<String>,
    name: String,
}

impl Databases {
    /// Adds a name for a sender, unless it is known, empty or too long.
    pub(super) fn add(&self, sender: &PushAccess, name: &str) {
        let named = Named { token: sender.token().map(str::to_owned), name: name.to_owned() };
        let mut names = self.0.lock();
        if name.is_empty() || name.chars().count() > MAX_NAME || names.contains(&named) {
            return;
        }
        if names.len() == MAX_NAMES {
            names.pop_front();
        }
        names.push_back(named);
    }

    /// Returns all names of a sender in order, at least one.
    pub(super) fn list(&self, sender: &PushAccess) -> Vec<String> {
        let names = self.0.lock();
        let own = names.iter().filter(|named| named.token.as_deref() == sender.token());
        let mut names: Vec<_> = own.map(|named| named.name.clone()).collect();
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
        let (databases, sender) = (Databases::default(), PushAccess::everything());
        assert_eq!(databases.list(&sender), ["pulseboard"]);
        ["b", "a", "b", "", &"x".repeat(MAX_NAME + 1)].into_iter().for_each(|name| databases.add(&sender, name));
        assert_eq!(databases.list(&sender), ["a", "b"]);
        (0..MAX_NAMES).for_each(|n| databases.add(&sender, &format!("n{n}")));
        assert_eq!(databases.list(&sender).len(), MAX_NAMES);
        assert!(!databases.list(&sender).contains(&"b".to_owned()));
    }
}
