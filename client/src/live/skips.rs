//! Counts the lines of a log that came and went between two looks at it.

use shared::{Seq, TextLog};

/// State of a log at the last look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skips {
    /// Total number of lines and seq of the newest one, at the last look; `None` before the first.
    seen: Option<(u64, Seq)>,
    skipped: u64,
}

impl Skips {
    /// Looks at the log, and returns the number of all lines so far that came after one look and were gone by the
    /// next.
    pub fn see(&mut self, log: &TextLog) -> u64 {
        if let Some((total, newest)) = self.seen.replace((log.total, log.changed)) {
            let shown = log.lines.iter().filter(|line| line.at.seq > newest).count();
            let came = log.total.saturating_sub(total);
            self.skipped = self.skipped.saturating_add(came.saturating_sub(u64::try_from(shown).unwrap_or(u64::MAX)));
        }
        self.skipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{Millis, Stamp, Text, Track, Value};

    fn push(track: &mut Track, lines: std::ops::RangeInclusive<u64>) {
        for seq in lines {
            let at = Stamp { ts: Millis(seq), seq: Seq(seq) };
            track.push(at, Value::Text(Text::new(format!("line {seq}")).unwrap()));
        }
    }

    #[test]
    fn what_came_and_went_between_two_looks_was_skipped() {
        let mut track =
            Track::of(Stamp { ts: Millis(1), seq: Seq(1) }, Value::Text(Text::new("first".into()).unwrap()));
        push(&mut track, 2..=500);
        let mut skips = Skips::default();
        let mut see = |track: &Track| match track {
            Track::Texts(log) => skips.see(log),
            Track::Numbers(_) => panic!("texts were pushed"),
        };
        assert_eq!(see(&track), 0, "what was before the first look is nothing that was missed");
        push(&mut track, 501..=600);
        assert_eq!(see(&track), 0, "a hundred lines are kept");
        push(&mut track, 601..=737);
        assert_eq!(see(&track), 37);
        push(&mut track, 738..=738);
        assert_eq!(see(&track), 37);
        push(&mut track, 739..=840);
        assert_eq!(see(&track), 39);
    }
}
