//! What is kept how long.

use shared::track::{LOG, WINDOW};
use shared::{Millis, Seq, Tier};

use super::block::Place;
use super::{SeriesId, Store, sql};

/// How many series one step of a sweep looks at.
const SERIES: u32 = 100;

/// Most rows that one statement takes away.
const ROWS: u32 = 500;

/// How long what is kept, in milliseconds; nothing: for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Numbers one by one, in the log.
    pub raw: Option<u64>,
    /// Texts. The newest lines of each series stay, so that it has a track.
    pub texts: Option<u64>,
    /// Buckets, by tier, finest first. The newest one-second buckets of each series stay, so that it has a track.
    pub tiers: [Option<u64>; Tier::ALL.len()],
}

impl Retention {
    /// How long the buckets of a tier are kept.
    #[must_use]
    pub fn of(&self, tier: Tier) -> Option<u64> {
        let mut tiers = Tier::ALL.into_iter().zip(self.tiers);
        tiers.find(|&(other, _)| other == tier).and_then(|(_, keep)| keep)
    }
}

impl Default for Retention {
    fn default() -> Self {
        let days = |days: u64| Some(days * 86_400_000);
        let tiers = [days(2), days(7), days(30), days(180), days(730), None];
        Self { raw: days(2), texts: days(365), tiers }
    }
}

/// A sweep through all series, a few at a time.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    /// The last series that was looked at.
    done: u32,
}

impl Store {
    /// Takes away some of what is older than is kept: one step of a sweep that begins again when it is through.
    ///
    /// # Errors
    /// Whatever SQLite says. The step is tried again.
    pub fn sweep(&mut self, retention: &Retention, now: Millis) -> rusqlite::Result<()> {
        let older = |keep: Option<u64>| keep.map(|keep| Millis(now.0.saturating_sub(keep)));
        let (from, settled) = (self.sweep.done + 1, self.settled);
        let last = u32::try_from(self.series.len()).unwrap_or(u32::MAX);
        let to = last.min(self.sweep.done.saturating_add(SERIES));
        self.in_background(|tx| {
            if let Some(before) = older(retention.raw) {
                // In the order of their numbers, which nearly is that of time: what is newer ends it.
                tx.prepare_cached(
                    "DELETE FROM log WHERE at < ?1 AND last IN (SELECT last FROM log WHERE last <= ?2 ORDER BY last LIMIT ?3)",
                )?
                .execute((sql(before.0), sql(settled.0), ROWS))?;
            }
            for series in (from..=to).map(SeriesId) {
                for tier in Tier::ALL {
                    if let Some(before) = older(retention.of(tier)) {
                        sweep_blocks(tx, tier, series, before)?;
                    }
                }
                if let Some(before) = older(retention.texts) {
                    sweep_lines(tx, series, before)?;
                }
            }
            Ok(())
        })?;
        self.sweep.done = if to == last { 0 } else { to };
        Ok(())
    }
}

fn sweep_blocks(tx: &rusqlite::Connection, tier: Tier, series: SeriesId, before: Millis) -> rusqlite::Result<()> {
    let (first, last) = Place::all(tier, series);
    // The block with that moment stays until all of it is older.
    let mut until = Place::holding(tier, series, before).key();
    let is_old = "SELECT EXISTS (SELECT 1 FROM blocks WHERE key >= ?1 AND key < ?2)";
    if !tx.prepare_cached(is_old)?.query_row([first, until], |row| row.get::<_, bool>(0))? {
        return Ok(());
    }
    if tier == Tier::Second {
        let mut select =
            tx.prepare_cached("SELECT key, buckets FROM blocks WHERE key BETWEEN ?1 AND ?2 ORDER BY key DESC")?;
        let mut rows = select.query([first, last])?;
        let mut room = WINDOW as u64;
        while room > 0 {
            let Some(row) = rows.next()? else { return Ok(()) };
            until = until.min(row.get(0)?);
            room = room.saturating_sub(row.get::<_, i64>(1)?.unsigned_abs());
        }
    }
    tx.prepare_cached(
        "DELETE FROM blocks WHERE key IN (SELECT key FROM blocks WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3)",
    )?
    .execute((first, until, ROWS))?;
    Ok(())
}

fn sweep_lines(tx: &rusqlite::Connection, series: SeriesId, before: Millis) -> rusqlite::Result<()> {
    let old = "FROM lines WHERE series = ?1 AND ts < ?2 AND (ts, seq) < (SELECT ts, seq FROM lines WHERE series = ?1
               ORDER BY ts DESC, seq DESC LIMIT 1 OFFSET ?3)";
    let newest = u32::try_from(LOG - 1).unwrap_or(u32::MAX);
    let given = (series.0, sql(before.0), newest, ROWS);
    let select = format!("SELECT count(*), ifnull(max(seq), 0) FROM (SELECT seq {old} ORDER BY ts, seq LIMIT ?4)");
    let (gone, seq): (i64, i64) = tx.prepare_cached(&select)?.query_row(given, |row| Ok((row.get(0)?, row.get(1)?)))?;
    if gone > 0 {
        let delete = format!(
            "DELETE FROM lines WHERE series = ?1 AND (ts, seq) IN (SELECT ts, seq {old} ORDER BY ts, seq LIMIT ?4)"
        );
        tx.prepare_cached(&delete)?.execute(given)?;
        tx.prepare_cached("UPDATE series SET gone = gone + ?2, gone_seq = max(gone_seq, ?3) WHERE id = ?1")?
            .execute((series.0, gone, Seq(seq.unsigned_abs()).0.cast_signed()))?;
    }
    Ok(())
}
