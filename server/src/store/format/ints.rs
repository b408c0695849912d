//! Columns of integers: differences, packed into as few bits as most of them need.
//!
//! A column is cut into pieces of 128. A piece has a base and a width; the few integers that need more bits than the
//! width are exceptions, which have the rest of their bits behind the piece. So one jump does not widen the others.

use super::{Input, put_varint, unzigzag, zigzag};
use crate::store::damage::Unreadable;

/// The most integers in a piece.
const PIECE: usize = 128;

/// The greatest order of differences.
const MAX_ORDER: usize = 2;

/// The bit of the byte of the width that says that a piece counts from its median, in both directions.
const FROM_MEDIAN: u8 = 0x80;

/// Appends a column. The number of integers is not stored.
pub fn encode(out: &mut Vec<u8>, column: &[i64]) {
    if column.is_empty() {
        return;
    }
    let mut best: Option<(usize, Vec<i64>, u64)> = None;
    let mut differences = column.to_vec();
    for order in 0..=MAX_ORDER.min(column.len() - 1) {
        if order > 0 {
            for at in (order..differences.len()).rev() {
                differences[at] = differences[at].wrapping_sub(differences[at - 1]);
            }
        }
        let bits = differences[order..].chunks(PIECE).map(|piece| Plan::of(piece).bits).sum();
        if best.as_ref().is_none_or(|best| bits < best.2) {
            best = Some((order, differences.clone(), bits));
        }
        if bits == 0 {
            break;
        }
    }
    let (order, differences, _) = best.expect("order 0 was tried");
    #[expect(clippy::cast_possible_truncation, reason = "it is at most 2")]
    out.push(order as u8);
    let (seeds, rest) = differences.split_at(order);
    seeds.iter().for_each(|&seed| put_varint(out, zigzag(seed)));
    rest.chunks(PIECE).for_each(|piece| Plan::of(piece).put(out, piece));
}

/// Decodes a column of `count` integers.
///
/// # Errors
/// [`Unreadable`] if the bytes end too early, or are no column.
pub fn decode(input: &mut Input<'_>, count: usize) -> Result<Vec<i64>, Unreadable> {
    let mut column = Vec::new();
    if count == 0 {
        return Ok(column);
    }
    let order = usize::from(input.byte()?);
    if order > MAX_ORDER || order >= count {
        return Err(Unreadable::Content("a column has an unknown order"));
    }
    for _ in 0..order {
        column.push(unzigzag(input.varint()?));
    }
    while column.len() < count {
        let len = PIECE.min(count - column.len());
        take(input, len, &mut column)?;
    }
    for order in (1..=order).rev() {
        for at in order..column.len() {
            column[at] = column[at].wrapping_add(column[at - 1]);
        }
    }
    Ok(column)
}

/// Decides how a piece is packed.
struct Plan {
    base: i64,
    width: u32,
    from_median: bool,
    /// The bits that this takes, nearly.
    bits: u64,
}

impl Plan {
    fn of(piece: &[i64]) -> Self {
        let (min, max) = piece.iter().fold((i64::MAX, i64::MIN), |(min, max), &n| (min.min(n), max.max(n)));
        if min == max {
            return Self { base: min, width: 0, from_median: false, bits: 0 };
        }
        let (width, bits) = width(piece.iter().map(|&n| n.wrapping_sub(min).cast_unsigned()), piece.len());
        let from_min = Self { base: min, width, from_median: false, bits };
        let mut sorted = [0; PIECE];
        let sorted = &mut sorted[..piece.len()];
        sorted.copy_from_slice(piece);
        let median = *sorted.select_nth_unstable(piece.len() / 2).1;
        let (width, bits) = self::width(piece.iter().map(|&n| zigzag(n.wrapping_sub(median))), piece.len());
        if bits < from_min.bits { Self { base: median, width, from_median: true, bits } } else { from_min }
    }

    fn offset(&self, number: i64) -> u64 {
        let offset = number.wrapping_sub(self.base);
        if self.from_median { zigzag(offset) } else { offset.cast_unsigned() }
    }

    fn put(&self, out: &mut Vec<u8>, piece: &[i64]) {
        put_varint(out, zigzag(self.base));
        let flag = if self.from_median { FROM_MEDIAN } else { 0 };
        #[expect(clippy::cast_possible_truncation, reason = "a width is at most 64")]
        out.push(self.width as u8 | flag);
        let width = self.width;
        let rest = |offset: u64| offset.checked_shr(width).unwrap_or(0);
        let exceptions = piece.iter().filter(|&&number| rest(self.offset(number)) > 0).count();
        #[expect(clippy::cast_possible_truncation, reason = "a piece has at most 128")]
        out.push(exceptions as u8);
        let mask = if width == 64 { u64::MAX } else { (1 << width) - 1 };
        let (mut waiting, mut filled) = (0_u128, 0);
        for &number in piece {
            waiting |= u128::from(self.offset(number) & mask) << filled;
            filled += width;
            while filled >= 8 {
                #[expect(clippy::cast_possible_truncation, reason = "the low byte is taken")]
                out.push(waiting as u8);
                waiting >>= 8;
                filled -= 8;
            }
        }
        if filled > 0 {
            #[expect(clippy::cast_possible_truncation, reason = "the low byte is taken")]
            out.push(waiting as u8);
        }
        for (at, &number) in piece.iter().enumerate() {
            let rest = rest(self.offset(number));
            if rest > 0 {
                #[expect(clippy::cast_possible_truncation, reason = "a piece has at most 128")]
                out.push(at as u8);
                put_varint(out, rest);
            }
        }
    }
}

/// Finds the width that takes the fewest bits for `len` offsets, with the others as exceptions.
fn width(offsets: impl Iterator<Item = u64>, len: usize) -> (u32, u64) {
    let mut of_length = [0_u64; 65];
    offsets.for_each(|offset| of_length[(64 - offset.leading_zeros()) as usize] += 1);
    let longest = of_length.iter().rposition(|&count| count > 0).unwrap_or_default();
    let mut best = (0, u64::MAX);
    for width in 0..=longest {
        let beyond = (width + 1..=longest).filter(|&length| of_length[length] > 0);
        let exceptions: u64 =
            beyond.map(|length| of_length[length] * (8 + 8 * (length - width).div_ceil(7) as u64)).sum();
        let bits = (len * width) as u64 + exceptions;
        if bits < best.1 {
            best = (u32::try_from(width).unwrap_or(64), bits);
        }
    }
    best
}

/// Decodes a piece of `len` integers.
fn take(input: &mut Input<'_>, len: usize, column: &mut Vec<i64>) -> Result<(), Unreadable> {
    let base = unzigzag(input.varint()?);
    let byte = input.byte()?;
    let (from_median, width) = (byte & FROM_MEDIAN != 0, u32::from(byte & !FROM_MEDIAN));
    let exceptions = usize::from(input.byte()?);
    if width > 64 || exceptions > len {
        return Err(Unreadable::Content("a column has an unknown width"));
    }
    let mut offsets = [0_u64; PIECE];
    let offsets = &mut offsets[..len];
    if width > 0 {
        let packed = input.bytes((len * width as usize).div_ceil(8))?;
        unpack(packed, width, offsets);
    }
    for _ in 0..exceptions {
        let at = usize::from(input.byte()?);
        let rest = input.varint()?;
        let rest = if width < 64 && rest.leading_zeros() >= width { rest << width } else { return Err(BEYOND) };
        *offsets.get_mut(at).ok_or(BEYOND)? |= rest;
    }
    let number = |offset: &u64| base.wrapping_add(if from_median { unzigzag(*offset) } else { offset.cast_signed() });
    column.extend(offsets.iter().map(number));
    Ok(())
}

const BEYOND: Unreadable = Unreadable::Content("an exception of a column is out of range");

/// Unpacks integers of `width` bits. `packed` has enough bytes.
fn unpack(packed: &[u8], width: u32, offsets: &mut [u64]) {
    let mask = if width == 64 { u64::MAX } else { (1 << width) - 1 };
    if width <= 56 {
        for (at, offset) in offsets.iter_mut().enumerate() {
            let bit = at * width as usize;
            let from = &packed[bit / 8..];
            let word = match from.first_chunk::<8>() {
                Some(word) => u64::from_le_bytes(*word),
                None => from.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
            };
            *offset = word >> (bit % 8) & mask;
        }
        return;
    }
    let (mut waiting, mut filled, mut bytes) = (0_u128, 0, packed.iter());
    for offset in offsets {
        while filled < width {
            waiting |= u128::from(bytes.next().copied().unwrap_or_default()) << filled;
            filled += 8;
        }
        #[expect(clippy::cast_possible_truncation, reason = "the low bits are taken")]
        let low = waiting as u64;
        *offset = low & mask;
        waiting >>= width;
        filled -= width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn columns() -> impl Strategy<Value = Vec<i64>> {
        let number = prop_oneof![
            4 => -8..8_i64,
            2 => Just(1_000_i64),
            1 => any::<i64>(),
            1 => prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(0)],
        ];
        let walk = prop::collection::vec(-8..8_i64, 0..400).prop_map(|steps| {
            let mut at = 1_732_399_200_000_i64;
            steps.into_iter().map(|step| (at += 1_000 + step, at).1).collect()
        });
        prop_oneof![
            prop::collection::vec(number, 0..400),
            walk,
            prop::collection::vec(any::<i64>(), 0..300),
            (any::<i64>(), 0..400_usize).prop_map(|(number, count)| vec![number; count]),
        ]
    }

    fn encoded(column: &[i64]) -> Vec<u8> {
        let mut out = Vec::new();
        encode(&mut out, column);
        out
    }

    proptest! {
        #[test]
        fn column_survives(column in columns()) {
            let bytes = encoded(&column);
            let mut input = Input::new(&bytes);
            prop_assert_eq!(decode(&mut input, column.len()).unwrap(), column);
            input.end().unwrap();
        }

        #[test]
        fn any_bytes_are_a_column_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200), count in 0..1_000_usize) {
            if let Ok(column) = decode(&mut Input::new(&bytes), count) {
                prop_assert_eq!(column.len(), count);
            }
        }
    }

    #[test]
    fn regular_columns_take_next_to_nothing_and_a_jump_costs_itself_only() {
        let regular: Vec<i64> = (0..3_600).map(|n| 1_732_399_200_000 + n * 1_000).collect();
        assert!(encoded(&regular).len() < 130, "{}", encoded(&regular).len());
        let mut jump = vec![0; 128];
        jump[77] = 1 << 40;
        assert!(encoded(&jump).len() < 16, "{}", encoded(&jump).len());
        let walk: Vec<i64> = (0..128).scan(0, |at, n| Some((*at += (n * 7 % 16) - 8, *at).1)).collect();
        assert!(encoded(&walk).len() < 128 / 2 + 8, "{}", encoded(&walk).len());
    }
}
