//! The log of numbers: what is committed before a push is answered, and read again only to make up for a sudden end.
//!
//! A row holds the numbers of a whole commit, packed: a row for each number would cost more than all else together.

use rusqlite::Connection;
use shared::{Millis, Number, Seq, Stamp, Value};

use super::commit::Committed;
use super::damage::{Damage, GREATEST, Part, Unreadable};
use super::{SeriesId, sql};

/// Most numbers in one row, so that none gets so long that reading it back needs much memory.
const ROW: usize = 8_192;

/// A number as the log has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Logged {
    /// Whose.
    pub series: SeriesId,
    /// Its place among all points.
    pub at: Stamp,
    /// The number.
    pub value: Number,
}

impl Logged {
    /// What the log has of a point: nothing of a text.
    #[must_use]
    pub fn of(point: &Committed) -> Option<Self> {
        let &Committed { series, at, value: Value::Number(value), .. } = point else { return None };
        Some(Self { series, at, value })
    }
}

/// As it is written: the series, what is added to the seq and the ts of the one before, the value.
type Packed = (u32, u64, i64, f64);

/// Rows that are made ready, number by number.
#[derive(Debug, Default)]
pub struct Rows {
    full: Vec<Row>,
    last: Row,
}

#[derive(Debug, Default)]
struct Row {
    count: usize,
    seq: u64,
    ts: i64,
    /// All numbers as [`Packed`], without their count in front.
    data: Vec<u8>,
}

impl Rows {
    /// Adds a number. They come in the order of their seqs.
    pub fn add(&mut self, Logged { series, at, value }: &Logged) {
        if self.last.count == ROW {
            self.full.push(std::mem::take(&mut self.last));
        }
        let row = &mut self.last;
        let packed: Packed = (series.0, at.seq.0 - row.seq, sql(at.ts.0) - row.ts, value.get());
        row.data =
            postcard::to_extend(&packed, std::mem::take(&mut row.data)).expect("numbers in memory can be packed");
        (row.seq, row.ts) = (at.seq.0, sql(at.ts.0));
        row.count += 1;
    }

    /// Writes them, as committed at `now`.
    ///
    /// # Errors
    /// Whatever SQLite says.
    pub fn append(self, conn: &Connection, now: Millis) -> rusqlite::Result<()> {
        let mut insert = conn.prepare_cached("INSERT INTO log (last, at, data) VALUES (?1, ?2, ?3)")?;
        for Row { count, seq, data, .. } in self.full.into_iter().chain([self.last]).filter(|row| row.count > 0) {
            let mut whole = Vec::with_capacity(data.len() + 4);
            whole = postcard::to_extend(&count, whole).expect("numbers in memory can be packed");
            whole.extend(data);
            insert.execute((sql(seq), sql(now.0), whole))?;
        }
        Ok(())
    }
}

/// Decodes the row whose last number has the seq `last`.
///
/// # Errors
/// [`Unreadable`] if such a row cannot have been written.
pub fn unpack(bytes: &[u8], last: Seq) -> Result<Vec<Logged>, Unreadable> {
    let packed: Vec<Packed> = postcard::from_bytes(bytes)?;
    let mut at = Stamp { ts: Millis(0), seq: Seq::ZERO };
    let mut numbers = Vec::with_capacity(packed.len());
    for (series, seq, ts, value) in packed {
        let ts = at.ts.0.checked_add_signed(ts).filter(|&ts| i64::try_from(ts).is_ok());
        let seq = at.seq.0.checked_add(seq).filter(|&seq| seq > at.seq.0 && seq <= GREATEST);
        let (Some(ts), Some(seq)) = (ts, seq) else {
            return Err(Unreadable::Content("a time or a number is out of range"));
        };
        at = Stamp { ts: Millis(ts), seq: Seq(seq) };
        let value = Number::new(value).ok_or(Unreadable::Content("a value is not finite"))?;
        numbers.push(Logged { series: SeriesId(series), at, value });
    }
    if at.seq != last {
        return Err(Unreadable::Content("it ends with another number than its key"));
    }
    Ok(numbers)
}

/// Calls `look` with all numbers after `after`, in the order of their seqs, some thousands at a time. Rows that cannot
/// be read are recorded in `damage` and skipped.
///
/// # Errors
/// Whatever SQLite says.
pub fn replay(
    conn: &Connection,
    after: Seq,
    damage: &Damage,
    mut look: impl FnMut(Vec<Logged>),
) -> rusqlite::Result<()> {
    let mut select = conn.prepare_cached("SELECT last, data FROM log WHERE last > ?1 ORDER BY last")?;
    let mut rows = select.query([sql(after.0)])?;
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(()),
            Err(error) => return damage.take(Part::Table("log"), error),
        };
        let last: i64 = row.get(0)?;
        let bytes = row.get_ref(1)?.as_blob().map_err(|_| Unreadable::Type);
        match bytes.and_then(|bytes| unpack(bytes, Seq(last.unsigned_abs()))) {
            Ok(mut numbers) => {
                // A row may begin before.
                numbers.retain(|logged| logged.at.seq > after);
                look(numbers);
            }
            Err(unreadable) => damage.note(Part::Log(last), unreadable),
        }
    }
}
