//! The stored form of entries: bytes that one node writes into a shared log and every node reads.
//!
//! A series is named by its name and not by a node's row, so the bytes mean the same on every node. Each name is there
//! once for all points of the bytes. The first byte is the version of the form; a node that does not know it must not
//! apply anything behind it.
//!
//! [`form`] has the types that postcard writes and reads, and [`convert`] turns them into entries and back.

mod convert;
mod form;
#[cfg(test)]
mod tests;

use shared::point::Kind;

use super::entry::Entry;
use super::push::NewSeries;
use super::series::SeriesId;

/// The version of the form that this program writes, and the only one that it reads.
pub const VERSION: u8 = 1;

/// The most bytes of a stored group that are read: a node writes about a tenth of that.
const MAX_BYTES: usize = 64 << 20;

/// The reason why stored entries cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError {
    /// Another version of the program wrote them.
    #[error("its form is version {0}, and this pulseboard knows version {VERSION}: upgrade this node")]
    Version(u8),
    /// The bytes are damaged, or no pulseboard wrote them.
    #[error("it is damaged: {0}")]
    Content(String),
}

/// Packs entries. `name_of` returns the name and the source of a series by the row of this node.
#[must_use]
pub(crate) fn pack(entries: &[Entry], name_of: impl FnMut(SeriesId) -> NewSeries) -> Vec<u8> {
    let form = convert::form_of(entries, name_of);
    let bytes = Vec::with_capacity(64 + 16 * form.points());
    let bytes = postcard::to_extend(&VERSION, bytes).expect("a byte can be written to memory");
    postcard::to_extend(&form, bytes).expect("entries can be written to memory")
}

/// Unpacks entries. `row_of` returns the row of a known series that holds points of this kind. It must know exactly
/// the series that exist when the entries are applied.
///
/// # Errors
/// [`UnpackError`].
pub(crate) fn unpack(
    bytes: &[u8],
    row_of: impl FnMut(&NewSeries, Kind) -> Option<SeriesId>,
) -> Result<Vec<Entry>, UnpackError> {
    let (&version, form) = bytes.split_first().ok_or_else(|| UnpackError::Content("it is empty".to_owned()))?;
    if version != VERSION {
        return Err(UnpackError::Version(version));
    }
    if bytes.len() > MAX_BYTES {
        return Err(UnpackError::Content(format!("it has {} bytes", bytes.len())));
    }
    let (form, rest) = postcard::take_from_bytes(form).map_err(|error| UnpackError::Content(error.to_string()))?;
    if !rest.is_empty() {
        return Err(UnpackError::Content(format!("{} bytes are left over", rest.len())));
    }
    convert::entries_of(form, row_of)
}
