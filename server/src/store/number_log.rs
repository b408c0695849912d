//! The log of numbers. A commit writes it before the push is answered; a start replays it for numbers that are not
//! flushed yet.
//!
//! A row holds up to 8,192 numbers of a commit, packed: a row for each number would cost more than everything else
//! together.

use rusqlite::Connection;
use shared::{Millis, Number, Seq, Stamp};

use super::damage::{Damage, GREATEST, Part, Unreadable};
use super::format::{self, Section};
use super::sql;
use crate::log::{SeriesId, SetBy};

/// The most numbers in one row, so that reading a row back does not need much memory.
const ROW: usize = 8_192;

/// The most bytes of a number as [`Packed`]: integers of 32, 64 and 64 bits with seven bits a byte, and eight bytes.
const PACKED_LEN: usize = 5 + 10 + 10 + 8;

/// A number with its series, time and seq, as stored in the log.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoggedNumber {
    /// The series that the number belongs to.
    pub series: SeriesId,
    /// The time and the seq.
    pub at: Stamp,
    /// The value.
    pub value: Number,
    /// The party that set the time.
    pub set_by: SetBy,
}

/// The stored form: the series, the difference of the seq and of the time to the number before, the value.
type Packed = (u32, u64, i64, f64);

/// Collects numbers into packed rows.
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
    /// The parties that set the times, as runs.
    set_by: Vec<Run>,
}

/// The length of a run of numbers whose times have the same [`SetBy::code`], and that code.
type Run = (u32, u32);

impl Rows {
    /// Adds a number. Numbers must come in the order of their seqs.
    pub fn add(&mut self, LoggedNumber { series, at, value, set_by }: &LoggedNumber) {
        if self.last.count == ROW {
            self.full.push(std::mem::take(&mut self.last));
        }
        let row = &mut self.last;
        let packed: Packed = (series.0, at.seq.0 - row.seq, sql(at.ts.0) - row.ts, value.get());
        let mut bytes = [0; PACKED_LEN];
        row.data.extend_from_slice(postcard::to_slice(&packed, &mut bytes).expect("it is as long as a number can be"));
        (row.seq, row.ts) = (at.seq.0, sql(at.ts.0));
        row.count += 1;
        match row.set_by.last_mut() {
            Some((count, code)) if *code == set_by.code() => *count += 1,
            _ => row.set_by.push((1, set_by.code())),
        }
    }

    /// Writes the rows, as committed at `now`.
    ///
    /// # Errors
    /// Any SQLite error.
    pub fn append(self, conn: &Connection, now: Millis) -> rusqlite::Result<()> {
        let mut insert =
            conn.prepare_cached("INSERT INTO log (last, at, data, sent, sum) VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for Row { count, seq, data, set_by, .. } in self.full.into_iter().chain([self.last]).filter(|row| row.count > 0)
        {
            let mut whole = Vec::with_capacity(data.len() + 4);
            whole = postcard::to_extend(&count, whole).expect("numbers in memory can be packed");
            whole.extend(data);
            let any_sent = set_by.iter().any(|&(_, code)| code != SetBy::SERVER.code());
            let sent = any_sent.then(|| postcard::to_stdvec(&set_by).expect("numbers in memory can be packed"));
            let sum = checksums(sql(seq), &whole, sent.as_deref());
            insert.execute((sql(seq), sql(now.0), whole, sent, sum))?;
        }
        Ok(())
    }
}

/// Computes the checksums of the columns `data` and `sent` of a row with the key `last`, for the column `sum`.
fn checksums(last: i64, data: &[u8], sent: Option<&[u8]>) -> i64 {
    let [data, sent] = [data, sent.unwrap_or_default()].map(|bytes| format::checksum(bytes, Section::Log, last));
    i64::from(data) | i64::from(sent) << 32
}

/// Decodes the columns `data`, `sent` and `sum` of the row with the key `last`. The result also says if `sent` cannot be
/// read: then the numbers are kept, but they count again if a client repeats them. Rows of earlier versions have no `sum`.
///
/// # Errors
/// [`Unreadable`] if the row is damaged.
pub fn of_row(row: &rusqlite::Row<'_>, from: usize, last: i64) -> rusqlite::Result<Result<LoggedRow, Unreadable>> {
    let data = row.get_ref(from)?.as_blob().map_err(|_| Unreadable::Type);
    let sent = row.get_ref(from + 1)?.as_blob_or_null().map_err(|_| Unreadable::Type);
    let sum = row.get_ref(from + 2)?.as_i64_or_null().map_err(|_| Unreadable::Type);
    let read = || {
        let (data, sum) = (data?, sum?);
        let differs = sum.map_or(0, |sum| sum ^ checksums(last, data, sent.as_ref().ok().copied().flatten()));
        let check =
            |half: i64| if half == 0 { Ok(()) } else { Err(Unreadable::Content("its checksum does not match")) };
        check(differs & i64::from(u32::MAX))?;
        let mut numbers = unpack(data, Seq(last.unsigned_abs()))?;
        let sent = sent.and_then(|sent| check(differs >> 32).map(|()| sent));
        let sent = sent.and_then(|sent| sent.map_or(Ok(()), |sent| unpack_sent(sent, &mut numbers)));
        Ok(LoggedRow { numbers, sent })
    };
    Ok(read())
}

/// A row of the log.
#[derive(Debug)]
pub struct LoggedRow {
    /// The numbers, in the order of their seqs.
    pub numbers: Vec<LoggedNumber>,
    /// The error if the times that senders set cannot be read.
    pub sent: Result<(), Unreadable>,
}

/// Decodes the row whose last number has the seq `last`.
///
/// # Errors
/// [`Unreadable`] if the server cannot have written such a row.
pub fn unpack(bytes: &[u8], last: Seq) -> Result<Vec<LoggedNumber>, Unreadable> {
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
        numbers.push(LoggedNumber { series: SeriesId(series), at, value, set_by: SetBy::SERVER });
    }
    if at.seq != last {
        return Err(Unreadable::Content("it ends with another number than its key"));
    }
    Ok(numbers)
}

/// Decodes the column `sent` of a row: for each number, if the server or the sender set its time.
///
/// # Errors
/// [`Unreadable`] if the server cannot have written such a column. The numbers are unchanged then.
pub fn unpack_sent(bytes: &[u8], numbers: &mut [LoggedNumber]) -> Result<(), Unreadable> {
    let runs: Vec<Run> = postcard::from_bytes(bytes)?;
    let count = runs.iter().try_fold(0_usize, |sum, &(count, _)| sum.checked_add(count as usize));
    let known: Option<Vec<SetBy>> = runs.iter().map(|&(_, code)| SetBy::of_code(code)).collect();
    let (Some(known), true) = (known, count == Some(numbers.len())) else {
        return Err(Unreadable::Content("its numbers and their times do not agree"));
    };
    let each = runs.iter().zip(known).flat_map(|(&(count, _), set_by)| std::iter::repeat_n(set_by, count as usize));
    numbers.iter_mut().zip(each).for_each(|(logged, set_by)| logged.set_by = set_by);
    Ok(())
}

/// Calls `look` with all numbers after `after`, in the order of their seqs, some thousands at a time. Rows that
/// cannot be read are recorded in `damage` and skipped.
///
/// # Errors
/// Any SQLite error.
pub fn replay(
    conn: &Connection,
    after: Seq,
    damage: &Damage,
    mut look: impl FnMut(Vec<LoggedNumber>),
) -> rusqlite::Result<()> {
    let mut select = conn.prepare_cached("SELECT last, data, sent, sum FROM log WHERE last > ?1 ORDER BY last")?;
    let mut rows = select.query([sql(after.0)])?;
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(()),
            Err(error) => return damage.take(Part::Table("log"), error),
        };
        let last: i64 = row.get(0)?;
        match of_row(row, 1, last)? {
            Ok(LoggedRow { mut numbers, sent }) => {
                if let Err(unreadable) = sent {
                    damage.note(Part::Log(last), unreadable);
                }
                // The row may begin before `after`.
                numbers.retain(|logged| logged.at.seq > after);
                look(numbers);
            }
            Err(unreadable) => damage.note(Part::Log(last), unreadable),
        }
    }
}
