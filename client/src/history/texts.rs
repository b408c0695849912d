//! Keeps the fetched lines of a series of texts, and glues them to the live log.

use shared::TextLog;

use super::time_ranges::TimeRanges;

/// Most lines of a series that are requested. Older ones are left out, and the widget says so (see [`Texts::cut`]).
const MOST: usize = 5_000;

/// Lines with their times, oldest first, and the ranges of time for which they are complete.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    lines: Vec<(u64, String)>,
    known: TimeRanges,
    /// Time before which lines are left out because there are too many, in milliseconds.
    pub cut: Option<u64>,
    /// Number of changes.
    pub version: u64,
}

impl Texts {
    /// Replaces the lines of `from..to` with those of an answer. A complete answer also has the line before `from`.
    /// An answer with [`Lines::more`] has only the newest lines, so the stretch before them is still missing.
    pub fn put(&mut self, from: u64, to: u64, as_of: u64, Lines { lines, more }: Lines) {
        self.version += 1;
        let first = lines.first().map(|line| line.0);
        let start = match first {
            // Other lines of the same millisecond as the first one may be missing.
            Some(first) if more => first,
            first => first.map_or(from, |first| first.min(from)),
        };
        let low = self.lines.partition_point(|line| line.0 < start);
        let high = self.lines.partition_point(|line| line.0 < to).max(low);
        self.lines.splice(low..high, lines);
        let there = match first.filter(|_| more) {
            Some(first) if self.lines.len() < MOST => first + 1,
            Some(first) => {
                self.cut = Some(self.cut.map_or(first, |cut| cut.max(first)));
                from
            }
            None => from,
        };
        self.known.remove(from, to);
        self.known.add(there, to.min(as_of));
    }

    /// Marks a stretch as out of date.
    pub fn forget(&mut self, from: u64, to: u64) {
        self.known.remove(from, to);
        self.cut = None;
    }

    /// Ranges of time for which the lines are complete and up to date.
    #[must_use]
    pub fn known(&self) -> &TimeRanges {
        &self.known
    }

    /// Returns the lines of `from..to`, oldest first.
    #[must_use]
    pub fn within(&self, from: u64, to: u64) -> Vec<(u64, &str)> {
        let low = self.lines.partition_point(|line| line.0 < from);
        let high = self.lines.partition_point(|line| line.0 < to).max(low);
        self.lines[low..high].iter().map(|line| (line.0, line.1.as_str())).collect()
    }

    /// Returns all lines up to `to`, beginning with the one that was current at `from`: those of history up to where
    /// the log begins, then those of the log.
    #[must_use]
    pub fn join<'a>(&'a self, log: &'a TextLog, from: u64, to: u64) -> Vec<(u64, &'a str)> {
        let reach = reach(log);
        let older = self.lines.iter().take_while(|line| line.0 < reach).map(|line| (line.0, line.1.as_str()));
        let newer = log.lines.iter().map(|line| (line.at.ts.0, line.text.as_str()));
        let mut lines: Vec<_> = older.chain(newer.skip_while(|line| line.0 < reach)).collect();
        let first = lines.partition_point(|line| line.0 <= from).saturating_sub(1);
        lines.truncate(lines.partition_point(|line| line.0 < to));
        lines.drain(..first.min(lines.len()));
        lines
    }
}

/// Lines of an answer, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// Time in milliseconds, and text, of each line.
    pub lines: Vec<(u64, String)>,
    /// True if older lines of the requested stretch were left out.
    pub more: bool,
}

/// Returns the moment from which on a log has all lines of its series, in milliseconds. Some lines of its oldest
/// millisecond may be gone.
#[must_use]
pub fn reach(log: &TextLog) -> u64 {
    match log.lines.front() {
        Some(oldest) if log.total > log.lines.len() as u64 => oldest.at.ts.0 + 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{LogLine, Millis, Seq, Stamp};

    #[test]
    fn history_has_the_line_before_its_start_and_the_log_continues_it() {
        let line = |ts: u64, text: &str| LogLine { at: Stamp { ts: Millis(ts), seq: Seq(ts) }, text: text.to_owned() };
        let log = TextLog { lines: [line(50, "e"), line(60, "f")].into(), total: 6, changed: Seq(60) };
        let mut texts = Texts::default();
        let lines = [(10, "a"), (20, "b"), (40, "d"), (50, "e")].map(|(ts, text)| (ts, text.to_owned()));
        texts.put(15, 55, 55, Lines { lines: lines.into(), more: false });
        assert_eq!(texts.join(&log, 30, 100), [(20, "b"), (40, "d"), (50, "e"), (60, "f")]);
        assert_eq!(texts.join(&log, 45, 58), [(40, "d"), (50, "e")]);
        assert_eq!(texts.known().missing(15, 55), None);
        let young = TextLog { total: 2, ..log };
        assert_eq!(texts.join(&young, 0, 100), [(50, "e"), (60, "f")], "the log has all");
    }
    #[test]
    fn lines_that_did_not_fit_are_requested_next_and_the_oldest_are_cut() {
        let every: Vec<(u64, String)> = (0..20_000).map(|ts| (ts, ts.to_string())).collect();
        let (mut texts, mut asked) = (Texts::default(), 0);
        while let Some((from, to)) = texts.known().missing(10, 20_000) {
            let (from, to) = (usize::try_from(from).unwrap(), usize::try_from(to).unwrap());
            let newest = to.saturating_sub(1_001).max(from - 1)..to;
            let more = newest.start >= from;
            texts.put(from as u64, to as u64, u64::MAX, Lines { lines: every[newest].to_vec(), more });
            asked += 1;
        }
        assert!((4..=6).contains(&asked), "{asked} questions");
        let cut = texts.cut.expect("not all are there");
        let newest = LogLine { at: Stamp { ts: Millis(20_000), seq: Seq(20_001) }, text: String::new() };
        let log = TextLog { lines: [newest].into(), total: 20_001, changed: Seq(20_001) };
        let joined = texts.join(&log, 10, 20_000);
        assert_eq!(joined.first().map(|line| line.0), Some(cut), "all that is not left out is there");
        assert!(joined.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0), "without a hole");
        let mut few = Texts::default();
        few.put(10, 50, u64::MAX, Lines { lines: every[9..50].to_vec(), more: false });
        assert_eq!((few.known().missing(10, 50), few.cut), (None, None));
    }
}
