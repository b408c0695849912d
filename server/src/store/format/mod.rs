//! The form of stored blocks: a version byte, a checksum, and columns.
//!
//! Each field of the buckets of a row is a column. A column of integers is stored as differences (of order 0, 1 or 2),
//! packed into as few bits as most of them need ([`ints`]). A number with few decimals is stored as an integer
//! ([`floats`]). Nothing is stored that follows from other fields ([`buckets`]). [`sent`] has the times that senders set.
//!
//! A library such as `pco` describes each column anew, and rows have 60 to 700 buckets in a dozen columns, so the
//! descriptions would be a large part of a row. It was not measured. The code here needs no dependency, and its errors
//! are those of this module.
//!
//! The checksum covers the key of the row, so a row that stands under the wrong key is noticed, too.

pub mod buckets;
pub mod floats;
pub mod ints;
pub mod sent;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::damage::Unreadable;

/// The version of the form. Rows of the first form began with their number of buckets, which was at most 60.
const VERSION: u8 = 0x83;

/// The length of the version and the checksum.
const HEAD: usize = 5;

/// The part of a row that a checksum covers; it seeds the checksum, so that one part is never taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Buckets of a block.
    Block,
    /// Buckets of an extent.
    Extent,
    /// Times that senders set, of a block.
    SentOfBlock,
    /// Times that senders set, of an extent.
    SentOfExtent,
    /// A row of the log.
    Log,
}

/// Returns a buffer for a row, with room for its head. Append the content, then call [`seal`].
#[must_use]
pub fn begin() -> Vec<u8> {
    vec![0; HEAD]
}

/// Writes the head of a row that was begun with [`begin`].
#[must_use]
pub fn seal(mut row: Vec<u8>, section: Section, key: i64) -> Vec<u8> {
    let sum = checksum(&row[HEAD..], section, key);
    row[0] = VERSION;
    row[1..HEAD].copy_from_slice(&sum.to_le_bytes());
    row
}

/// Checks the head of a row, and returns its content.
///
/// # Errors
/// [`Unreadable`] if the row is of another version, or if a bit of it has changed.
pub fn open(row: &[u8], section: Section, key: i64) -> Result<&[u8], Unreadable> {
    let Some((head, content)) = row.split_first_chunk::<HEAD>() else {
        return Err(Unreadable::Content("it is too short"));
    };
    if head[0] != VERSION {
        return Err(Unreadable::Content("it has an unknown version"));
    }
    if head[1..] != checksum(content, section, key).to_le_bytes() {
        return Err(Unreadable::Content("its checksum does not match"));
    }
    Ok(content)
}

/// Computes the checksum of a part of a row.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "the low half of the hash is as good as any")]
pub fn checksum(content: &[u8], section: Section, key: i64) -> u32 {
    xxh3_64_with_seed(content, key.cast_unsigned() ^ ((section as u64 + 1) << 60)) as u32
}

/// Reads a row from front to back. Every read is bounded by the bytes that are left.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a>(&'a [u8]);

/// The error of a column that ends too early.
const SHORT: Unreadable = Unreadable::Content("a column is too short");

impl<'a> Input<'a> {
    /// Reads `bytes` from the front.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Takes a byte.
    ///
    /// # Errors
    /// [`Unreadable`] if no byte is left. So do all others.
    pub fn byte(&mut self) -> Result<u8, Unreadable> {
        let (&byte, rest) = self.0.split_first().ok_or(SHORT)?;
        self.0 = rest;
        Ok(byte)
    }

    /// Takes `count` bytes.
    ///
    /// # Errors
    /// As [`Self::byte`].
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], Unreadable> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(SHORT)?;
        self.0 = rest;
        Ok(taken)
    }

    /// Takes an integer with seven bits a byte.
    ///
    /// # Errors
    /// As [`Self::byte`]; also if it has more than 64 bits.
    pub fn varint(&mut self) -> Result<u64, Unreadable> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Unreadable::Content("an integer is too long"))
    }

    /// Takes a number of items, at most `most`.
    ///
    /// # Errors
    /// As [`Self::varint`]; also if it is greater.
    pub fn count(&mut self, most: usize) -> Result<usize, Unreadable> {
        let count = usize::try_from(self.varint()?).ok().filter(|&count| count <= most);
        count.ok_or(Unreadable::Content("it has more items than fit"))
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    /// [`Unreadable`] if something is.
    pub fn end(self) -> Result<(), Unreadable> {
        if self.0.is_empty() { Ok(()) } else { Err(Unreadable::Content("it has bytes behind its end")) }
    }
}

/// Appends an integer with seven bits a byte.
pub fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        #[expect(clippy::cast_possible_truncation, reason = "the low seven bits are taken")]
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is less than 128")]
    out.push(number as u8);
}

/// Maps small integers of either sign to small ones without.
#[must_use]
pub fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

/// Undoes [`zigzag`].
#[must_use]
pub fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn varints_and_zigzags_survive(number: u64) {
            let mut out = Vec::new();
            put_varint(&mut out, number);
            let mut input = Input::new(&out);
            prop_assert_eq!(input.varint().unwrap(), number);
            input.end().unwrap();
            prop_assert_eq!(zigzag(unzigzag(number)), number);
        }
    }

    #[test]
    fn each_flipped_bit_of_a_row_is_noticed_and_so_is_another_key() {
        let mut row = begin();
        row.extend((0..200_u8).map(|n| n.wrapping_mul(31)));
        let row = seal(row, Section::Block, 77);
        assert!(open(&row, Section::Block, 77).is_ok());
        assert!(open(&row, Section::Block, 78).is_err() && open(&row, Section::Extent, 77).is_err());
        for bit in 0..row.len() * 8 {
            let mut row = row.clone();
            row[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&row, Section::Block, 77).is_err(), "bit {bit}");
        }
        for cut in 0..row.len() {
            assert!(open(&row[..cut], Section::Block, 77).is_err(), "cut at {cut}");
        }
    }
}
