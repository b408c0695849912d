//! Finds the series of pushed points, and refuses those that their sender may not push to.

use shared::access::SeriesScope;
use shared::name::NameError;
use shared::{Value, nfc};

use super::fields::{self, Wrong};
use crate::access::PushAccess;
use crate::log::{PointTime, Pushed, Source};
use crate::store::Directory;
use crate::store::directory::Look;

/// The most selectors of a scope that an error lists.
const MAX_LISTED: usize = 8;

/// The locked directory of series, as far as a sender may push to them.
#[derive(Debug)]
pub struct SeriesLookup<'a> {
    look: Look<'a>,
    scope: &'a SeriesScope,
}

impl<'a> SeriesLookup<'a> {
    /// Locks the directory for a sender.
    #[must_use]
    pub fn new(directory: &'a Directory, access: &'a PushAccess) -> Self {
        Self { look: directory.look(), scope: access.scope() }
    }

    /// Locks the directory for code that no request runs.
    #[must_use]
    pub fn unrestricted(directory: &'a Directory) -> Self {
        Self { look: directory.look(), scope: &SeriesScope::All }
    }

    /// Creates a point of the series of this name.
    ///
    /// # Errors
    /// [`Wrong`] if the text is not a valid name, or if the sender may not push to the series.
    pub fn point(&self, name: &str, time: PointTime, value: Value) -> Result<Pushed, Wrong> {
        self.check(name, self.look.point(name, time, value))
    }

    /// Creates a point of the series of this source. The readable name of the source, without the hash that a series
    /// may have at its end, decides if the sender may push to it.
    ///
    /// # Errors
    /// [`Wrong`] if the text is not a valid name, or if the sender may not push to the series.
    pub fn point_of(&self, name: &str, source: Source, time: PointTime, value: Value) -> Result<Pushed, Wrong> {
        self.check(name, self.look.point_of(name, source, time, value))
    }

    fn check(&self, name: &str, point: Result<Pushed, NameError>) -> Result<Pushed, Wrong> {
        let point = point.map_err(|error| fields::bad_series(name, &error))?;
        match self.scope {
            SeriesScope::All => Ok(point),
            SeriesScope::Matching(_) if self.scope.contains_text(&nfc(name)) => Ok(point),
            SeriesScope::Matching(selectors) => {
                let mut listed: Vec<_> = selectors.iter().take(MAX_LISTED).map(ToString::to_string).collect();
                if selectors.len() > MAX_LISTED {
                    listed.push("…".to_owned());
                }
                Err(Wrong::forbidden(format!("a series that the sender may push to: {}", listed.join(", ")), name))
            }
        }
    }

    /// Releases the lock for a waiting writer, and takes it again.
    pub fn give_way(&mut self) {
        self.look.give_way();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{Millis, Number};

    #[test]
    fn point_is_refused_where_its_sender_may_not_push_whatever_the_composition_of_its_name() {
        let (directory, scope) = (Directory::default(), SeriesScope::of(&["haus/küche/*".parse().unwrap()]));
        let lookup = SeriesLookup { look: directory.look(), scope: &scope };
        let point = |name: &str| {
            let (time, value) = (PointTime::of_server(Millis(1)), Value::Number(Number::new(1.0).unwrap()));
            let source = Source::in_group(1, name.as_bytes());
            let named = lookup.point(name, time, value.clone()).map(|_| ()).map_err(|wrong| wrong.is_forbidden());
            let of_source =
                lookup.point_of(name, source, time, value).map(|_| ()).map_err(|wrong| wrong.is_forbidden());
            assert_eq!(named, of_source, "{name}");
            named
        };
        for name in ["haus/küche/temp", "haus/ku\u{308}che/temp"] {
            assert_eq!(point(name), Ok(()), "{name}");
        }
        for name in ["haus/küche", "haus/kuche/temp", "haus/küche/temp/x", "haus"] {
            assert_eq!(point(name), Err(true), "{name}");
        }
        assert_eq!(point("haus/küche/*"), Err(false), "it is no name");
    }
}
