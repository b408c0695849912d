//! The times that senders set, by which repeated points are recognised.
//!
//! Most points are alone in their second. The bucket has the time to the millisecond and the value of such a point, so
//! only the nanoseconds behind it are stored, which are nearly always 0. All other points are stored in full.

use shared::{Millis, Rolled};

use super::floats::Scale;
use super::{Input, ints, put_varint};
use crate::log::point_time::NANOS_OF_MILLI;
use crate::store::damage::Unreadable;
use crate::store::dedup_keys::DedupKey;

/// Appends the points at `keys`, which are in order and count from `from`. `buckets` are those of the same row.
pub fn encode(out: &mut Vec<u8>, keys: &[DedupKey], buckets: &[Rolled], from: Millis) {
    let mut rest = Vec::new();
    let mut left = keys.iter().copied().peekable();
    let milli = |key: &DedupKey| key.at / u64::from(NANOS_OF_MILLI);
    let mut nanos = Vec::with_capacity(buckets.len());
    for single in buckets.iter().filter(|rolled| rolled.bucket.count == 1) {
        let point = single.bucket.first;
        let at = point.at.ts.since(from);
        rest.extend(std::iter::from_fn(|| left.next_if(|key| milli(key) < at)));
        let value = DedupKey::value_of(point.value);
        let own = left.next_if(|key| milli(key) == at && key.value == value);
        nanos.push(own.map_or(0, |key| 1 + (key.at % u64::from(NANOS_OF_MILLI)).cast_signed()));
    }
    rest.extend(left);
    ints::encode(out, &nanos);
    put_varint(out, rest.len() as u64);
    let values = rest.iter().map(|key| f64::from_bits(key.value));
    let scale = Scale::of(values.clone(), values.clone());
    out.push(scale.byte());
    let units = [NANOS_OF_MILLI, 1_000, 1].map(u64::from);
    let unit = units.into_iter().find(|unit| rest.iter().all(|key| key.at.is_multiple_of(*unit))).unwrap_or(1);
    put_varint(out, unit);
    ints::encode(out, &rest.iter().map(|key| (key.at / unit).cast_signed()).collect::<Vec<_>>());
    let (wholes, steps): (Vec<i64>, Vec<i64>) = values.map(|value| scale.split(value)).unzip();
    ints::encode(out, &wholes);
    ints::encode(out, &steps);
}

/// Decodes the points of the row that has `buckets`, in order. Their times must be less than `end` nanoseconds, and
/// there may be at most `most` in full.
///
/// # Errors
/// [`Unreadable`] if the server cannot have written them.
pub fn decode(
    input: &mut Input<'_>,
    buckets: &[Rolled],
    from: Millis,
    end: u64,
    most: usize,
) -> Result<Vec<DedupKey>, Unreadable> {
    let single = || buckets.iter().filter(|rolled| rolled.bucket.count == 1);
    let nanos = ints::decode(input, single().count())?;
    let mut keys = Vec::new();
    for (rolled, nanos) in single().zip(nanos) {
        let point = rolled.bucket.first;
        match u64::try_from(nanos).ok().filter(|&nanos| nanos <= NANOS_OF_MILLI.into()) {
            Some(0) => {}
            Some(nanos) => {
                let at = point.at.ts.since(from) * u64::from(NANOS_OF_MILLI) + nanos - 1;
                keys.push(DedupKey { at, value: DedupKey::value_of(point.value) });
            }
            None => return Err(Unreadable::Content("a sent time is out of range")),
        }
    }
    let count = input.count(most)?;
    let scale = Scale::of_byte(input.byte()?)?;
    let unit = input.varint()?;
    let times = ints::decode(input, count)?;
    let wholes = ints::decode(input, count)?;
    let steps = ints::decode(input, count)?;
    for ((time, whole), steps) in times.into_iter().zip(wholes).zip(steps) {
        let at = u64::try_from(time).ok().and_then(|time| time.checked_mul(unit)).filter(|&at| at < end);
        let at = at.ok_or(Unreadable::Content("a sent time is out of range"))?;
        let value = scale.join(whole, steps);
        if !value.is_finite() {
            return Err(Unreadable::Content("a sent value is not finite"));
        }
        keys.push(DedupKey { at, value: DedupKey::value_of(value) });
    }
    keys.sort_unstable();
    Ok(keys)
}
