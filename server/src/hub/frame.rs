//! A frame: one or more events as they are sent, encoded once for all subscribers.
//!
//! A large frame is encoded when it is first sent, so that the hub is not locked meanwhile.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::chunk::{Chunk, Reserved};
use super::packed::Packed;
use crate::limits::client::QuotaShare;

/// Events as text, and compressed for subscribers that accept gzip.
#[derive(Clone, Debug)]
pub struct Frame(Arc<Forms>);

#[derive(Debug)]
struct Forms {
    text: OnceLock<Chunk>,
    /// Makes the text, if the frame was made without it.
    recipe: Mutex<Option<Recipe>>,
    /// Made when the first subscriber needs it.
    packed: OnceLock<Packed>,
    /// Bytes of the text as a chunk; an estimate if the frame was made without it.
    size: usize,
    /// Counts the bytes for the client that caused the frame.
    charge: OnceLock<QuotaShare>,
}

/// Makes the text of a frame.
struct Recipe {
    make: Box<dyn FnOnce() -> String + Send>,
    _reserved: Reserved,
}

impl std::fmt::Debug for Recipe {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Recipe").finish_non_exhaustive()
    }
}

impl Frame {
    /// Makes a frame of these events, which are concatenated.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let text = Chunk::new(text.as_bytes());
        let size = text.whole().len();
        Self::of(text.into(), None, size)
    }

    /// Makes a frame whose text `make` produces when it is first needed. It counts as `size` bytes.
    #[must_use]
    pub fn later(size: usize, make: impl FnOnce() -> String + Send + 'static) -> Self {
        let recipe = Recipe { make: Box::new(make), _reserved: Reserved::new(size) };
        Self::of(OnceLock::new(), Some(recipe), size)
    }

    fn of(text: OnceLock<Chunk>, recipe: Option<Recipe>, size: usize) -> Self {
        let (recipe, packed, charge) = (Mutex::new(recipe), OnceLock::new(), OnceLock::new());
        Self(Arc::new(Forms { text, recipe, packed, size, charge }))
    }

    /// Counts the frame for a client, as long as the frame is in memory. `charge` returns the client's holding. Only
    /// the first call has an effect.
    pub fn charge(&self, charge: impl FnOnce(usize) -> QuotaShare) {
        let _charged = self.0.charge.get_or_init(|| charge(self.0.size));
    }

    /// Returns the events as text. May encode them, which takes milliseconds for a large frame: do not call it while
    /// the hub is locked.
    #[must_use]
    pub fn text(&self) -> &Chunk {
        self.0.text.get_or_init(|| {
            let recipe = self.0.recipe.lock().take().expect("a frame without a text has a recipe");
            Chunk::new((recipe.make)().as_bytes())
        })
    }

    /// Returns true if [`Frame::text`] returns at once.
    #[must_use]
    pub fn is_encoded(&self) -> bool {
        self.0.text.get().is_some()
    }

    /// Returns the events, compressed.
    #[must_use]
    pub fn packed(&self) -> &Packed {
        self.0.packed.get_or_init(|| Packed::new(self.text().content()))
    }

    /// Estimates the memory of the frame in bytes, with the compressed form and the overhead of the allocations. Never
    /// changes.
    #[must_use]
    pub fn cost(&self) -> usize {
        const AROUND: usize = 256;
        self.size() + self.size() / 4 + AROUND
    }

    /// The size as a chunk in bytes, or an estimate if it was made [for later](Frame::later). The compressed form adds
    /// about a quarter. Never changes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.size
    }
}

impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Frame {}

#[cfg(test)]
mod tests {
    use super::super::chunk::{HEAD, live_bytes};
    use super::*;

    #[test]
    fn a_frame_is_its_text_and_a_chunk_of_it_in_one_allocation() {
        let frame = Frame::new("data: 1\n\n");
        assert_eq!(frame.text().whole(), "00000009\r\ndata: 1\n\n\r\n");
        assert_eq!(frame.text().content(), "data: 1\n\n");
        assert_eq!(frame.text().content().as_ptr(), frame.text().whole()[HEAD..].as_ptr());
    }

    #[test]
    fn a_frame_is_packed_once_for_all_its_clones() {
        let frame = Frame::new("data: 1\n\n");
        assert!(std::ptr::eq(frame.packed(), frame.clone().packed()));
    }

    #[test]
    fn frame_for_later_is_encoded_once_and_counted_before_and_after() {
        let frame = Frame::later(1 << 40, || "data: 1\n\n".to_owned());
        assert!(!frame.is_encoded() && live_bytes() >= 1 << 40);
        assert_eq!(frame.text().content(), "data: 1\n\n");
        assert!(frame.is_encoded() && live_bytes() < 1 << 40, "its real size counts from now on");
        assert!(std::ptr::eq(frame.text(), frame.clone().text()));
        assert_eq!((frame.size(), frame.clone()), (1 << 40, Frame::new("data: 1\n\n")));
    }
}
