//! The past of series, as far as the page has looked at it: what history tells, continued by the live fold.
//!
//! - [`asking`]: when to ask, and for how much; [`answer`]: reading what comes (by [`node`]);
//! - [`shelf`]: what is kept of numbers, in [`cell`]s, and of which [`stretches`]; [`texts`]: of texts;
//! - [`recent`]: the live seconds in buckets of the same width, and both glued together.
//!
//! A bucket that the track has all of is made of the track alone; older ones are history's. Where buckets are wider than
//! the track reaches, the one in which both meet is history's with the seconds added that came since it was asked for:
//! until it is asked for anew its count may be off by the points of one second.

pub mod answer;
pub mod asking;
pub mod cell;
mod node;
pub mod recent;
pub mod shelf;
pub mod stretches;
pub mod texts;

use std::collections::HashMap;

use crate::dynamic::{LocalValue, RwSignal, StoredValue};
use leptos::task::spawn_local;
use shared::{SeriesName, Track};

use crate::board::stage::Stage;
use crate::fetch;
use crate::live::Live;
use answer::{Past, Told};
use asking::{Asking, Question, Shown};
use cell::Detail;
use shelf::Shelf;
use texts::Texts;

/// How many lines of each series of texts are asked for at once.
const LINES: u64 = 1_000;

/// In so many widths of buckets the past of a series is kept at most: more than are looked at at once, on any board.
const WIDTHS: usize = 12;

/// A handle on what the page has of the past.
#[derive(Clone, Copy, Debug)]
pub struct History {
    inner: LocalValue<Inner>,
    /// Counts the answers, whoever asked: what one widget asked for, another may be waiting for.
    pub arrivals: RwSignal<u64>,
}

#[derive(Debug, Default)]
struct Inner {
    series: HashMap<SeriesName, Known>,
    /// Which picture the page had: after a new one, nothing is sure.
    generation: u64,
}

/// What is known of one series.
#[derive(Debug, Default)]
pub struct Known {
    /// Of numbers, by how wide the buckets are and how much is known of each; the last one that was looked at comes last.
    numbers: Vec<(u64, Detail, Shelf)>,
    /// Of texts.
    texts: Texts,
}

impl Known {
    /// The buckets of a width. Where there are too many widths, that which was not looked at for the longest time goes.
    pub fn shelf(&mut self, width: u64, detail: Detail) -> &mut Shelf {
        let found = self.numbers.iter().position(|known| known.0 == width && known.1 == detail);
        let shelf = match found {
            Some(at) => self.numbers.remove(at),
            None => {
                if self.numbers.len() >= WIDTHS {
                    self.numbers.remove(0);
                }
                (width, detail, Shelf::default())
            }
        };
        self.numbers.push(shelf);
        let last = self.numbers.len() - 1;
        &mut self.numbers[last].2
    }

    /// In how many widths it has buckets.
    #[must_use]
    pub fn widths(&self) -> usize {
        self.numbers.len()
    }

    /// The lines.
    #[must_use]
    pub fn texts(&self) -> &Texts {
        &self.texts
    }

    fn forget(&mut self, from: u64, to: u64) {
        self.numbers.iter_mut().for_each(|known| known.2.forget(from, to));
        self.texts.forget(from, to);
    }
}

/// What is missing of the past of a series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lack {
    /// Whether any of it is in sight.
    pub in_sight: bool,
    /// What to ask for; nothing where it is not time to.
    pub ask: Option<(u64, u64)>,
}

/// How the questions of one widget stand, and what came of them.
#[derive(Clone, Copy, Debug)]
pub struct Asker {
    asking: StoredValue<Asking>,
    /// Why the last question had no answer; nothing where it had.
    pub trouble: RwSignal<Option<String>>,
    /// Whether the past was told once.
    pub told: RwSignal<bool>,
}

impl Asker {
    /// Of a widget that has asked nothing yet.
    #[must_use]
    pub fn new() -> Self {
        let asking = StoredValue::new(Asking::default());
        Self { asking, trouble: RwSignal::new(None), told: RwSignal::new(false) }
    }
}

impl Default for Asker {
    fn default() -> Self {
        Self::new()
    }
}

impl History {
    /// Nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self { inner: LocalValue::new(Inner::default()), arrivals: RwSignal::new(0) }
    }

    /// Looks at what is known of a series.
    pub fn with<T>(self, name: &SeriesName, look: impl FnOnce(&mut Known) -> T) -> Option<T> {
        self.inner.try_update_value(|inner| match inner.series.get_mut(name) {
            Some(known) => look(known),
            None => look(inner.series.entry(name.clone()).or_default()),
        })
    }

    /// Lets go of what late points have changed, or of all where the picture is another one.
    pub fn follow(self, live: Live) {
        let (generation, revised) = live.take_revised();
        self.inner.try_update_value(|inner| {
            if inner.generation != generation {
                inner.generation = generation;
                inner.series.retain(|name, _| live.with_track(name, |_| ()).is_some());
                inner.series.values_mut().for_each(|known| known.forget(0, u64::MAX));
            }
            for (name, span) in revised {
                if let Some(known) = inner.series.get_mut(&name) {
                    known.forget(span.from.0, span.to.0);
                }
            }
        });
    }

    /// What is missing of what is shown of a series, and whether any of it is in sight.
    #[must_use]
    pub fn lacks(self, name: &SeriesName, track: &Track, shown: Shown, detail: Detail, now: u64) -> Lack {
        let needed = match track {
            Track::Numbers(buckets) => recent::needed_until(buckets, shown.width),
            Track::Texts(log) => texts::reach(log),
        };
        let needed = needed.min(now);
        let lack = self.with(name, |known| {
            let known = match track {
                Track::Numbers(_) => known.shelf(shown.width, detail).known(),
                Track::Texts(_) => known.texts.known(),
            };
            Lack { in_sight: shown.lacks_in_sight(known, needed), ask: shown.lacks(known, needed, now) }
        });
        lack.unwrap_or_default()
    }

    /// Asks for what `names` lack of what is shown, where it is time to.
    pub fn tend(self, asker: Asker, names: &[SeriesName], shown: Shown, detail: Detail, stage: Stage) {
        let now = stage.now();
        let (mut missing, mut in_sight) = (None::<(u64, u64)>, false);
        for name in names {
            let lacks = stage.live.with_track(name, |track| self.lacks(name, track, shown, detail, now));
            let Some(lacks) = lacks else { continue };
            in_sight |= lacks.in_sight;
            if let Some((from, to)) = lacks.ask {
                missing = Some(missing.map_or((from, to), |(low, high)| (low.min(from), high.max(to))));
            }
        }
        if !in_sight && asker.told.try_get_untracked() == Some(false) {
            asker.told.set(true);
        }
        let all_texts = names
            .iter()
            .all(|name| stage.live.with_track(name, |track| matches!(track, Track::Texts(_))).unwrap_or_default());
        let question = asker.asking.try_update_value(|asking| asking.due(now, shown, missing)).flatten();
        let Some(mut question) = question else { return };
        // Texts have no buckets: how many lines there may be does not follow from how wide these are.
        if all_texts {
            question.points = question.points.max(LINES);
        }
        let address = address(names, question, detail);
        spawn_local(async move {
            let answer = fetch::get(&address).await;
            let told = match &answer {
                Err(error) => Err(error.to_string()),
                Ok(answer) if !answer.is_ok() => Err(format!("the server answers {}", answer.status)),
                Ok(answer) => answer::read(&answer.body).ok_or_else(|| "it cannot be read".to_owned()),
            };
            asker.asking.try_update_value(|asking| asking.done(stage.now(), told.is_ok()));
            match told {
                Ok(told) => {
                    self.put(question, now - now % 1_000, shown.width, detail, told);
                    asker.trouble.try_set(None);
                    asker.told.try_set(true);
                }
                Err(why) => _ = asker.trouble.try_set(Some(why)),
            }
        });
    }

    fn put(self, question: Question, as_of: u64, width: u64, detail: Detail, told: Vec<Told>) {
        let Question { from, to, .. } = question;
        for Told { name, past } in told {
            self.with(&name, |known| match past {
                Past::Numbers(cells) => known.shelf(width, detail).put(from, to, as_of, cells),
                Past::Texts(lines) => known.texts.put(from, to, as_of, lines),
            });
        }
        self.arrivals.try_update(|arrivals| *arrivals += 1);
    }
}

impl Default for History {
    fn default() -> Self {
        Self::new()
    }
}

fn address(names: &[SeriesName], question: Question, detail: Detail) -> String {
    let Question { from, to, points } = question;
    let mut address = format!("api/history?from={from}&to={to}&points={points}");
    if detail == Detail::Bins {
        address.push_str("&sketch=1");
    }
    for name in names {
        address.push_str("&series=");
        address.push_str(name.as_str());
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_far_someone_zooms_only_the_widths_looked_at_last_are_kept() {
        let mut known = Known::default();
        for width in 1..=100 {
            known.shelf(1_000, Detail::Figures).version = 7;
            known.shelf(width * 86_400_000, Detail::Figures);
        }
        assert_eq!(known.widths(), WIDTHS);
        assert_eq!(known.shelf(1_000, Detail::Figures).version, 7, "what is always looked at stays");
    }
}
