//! The past of a series of texts.

use shared::Log;

use super::stretches::Stretches;

/// Lines with their times, oldest first, and which stretches they are all of.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    lines: Vec<(u64, String)>,
    known: Stretches,
    /// Counts its changes.
    pub version: u64,
}

impl Texts {
    /// Puts the lines of an answer about `from..to` in the place of those that are there. The answer has the line before them, too.
    pub fn put(&mut self, from: u64, to: u64, as_of: u64, lines: Vec<(u64, String)>) {
        self.version += 1;
        let start = lines.first().map_or(from, |line| line.0.min(from));
        let low = self.lines.partition_point(|line| line.0 < start);
        let high = self.lines.partition_point(|line| line.0 < to).max(low);
        self.lines.splice(low..high, lines);
        self.known.remove(from, to);
        self.known.add(from, to.min(as_of));
    }

    /// What it has of a stretch does not hold any more.
    pub fn forget(&mut self, from: u64, to: u64) {
        self.known.remove(from, to);
    }

    /// Which stretches it has all of.
    #[must_use]
    pub fn known(&self) -> &Stretches {
        &self.known
    }

    /// All lines up to `to`, from the one that held at `from`: those of history up to where the log begins, then those of the log.
    #[must_use]
    pub fn glue<'a>(&'a self, log: &'a Log, from: u64, to: u64) -> Vec<(u64, &'a str)> {
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

/// From when on a log has all lines of its series. Of the millisecond of its oldest line some may be gone.
#[must_use]
pub fn reach(log: &Log) -> u64 {
    match log.lines.front() {
        Some(oldest) if log.total > log.lines.len() as u64 => oldest.at.ts.0 + 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{Line, Millis, Seq, Stamp};

    #[test]
    fn what_held_at_the_left_edge_is_told_too_and_the_log_goes_on_where_history_ends() {
        let line = |ts: u64, text: &str| Line { at: Stamp { ts: Millis(ts), seq: Seq(ts) }, text: text.to_owned() };
        let log = Log { lines: [line(50, "e"), line(60, "f")].into(), total: 6, changed: Seq(60) };
        let mut texts = Texts::default();
        let told = [(10, "a"), (20, "b"), (40, "d"), (50, "e")].map(|(ts, text)| (ts, text.to_owned()));
        texts.put(15, 55, 55, told.into());
        assert_eq!(texts.glue(&log, 30, 100), [(20, "b"), (40, "d"), (50, "e"), (60, "f")]);
        assert_eq!(texts.glue(&log, 45, 58), [(40, "d"), (50, "e")]);
        let young = Log { total: 2, ..log };
        assert_eq!(texts.glue(&young, 0, 100), [(50, "e"), (60, "f")], "the log has all");
    }
}
