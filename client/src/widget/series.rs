//! The series of a widget with their labels, readings and staleness: all that the kinds of widgets share.

use leptos::prelude::*;
use shared::board::{Level, SeriesSource, Show};
use shared::reading::{LookbackBuckets, Reading, ReadingQuery, default_show};
use shared::{Millis, SeriesName, Track};

use super::freshness::Freshness;
use super::lookback::{LookbackKind, WidgetHistory};
use super::names::{labels, names};
use crate::board::context::BoardContext;
use crate::browser;

/// A handle on the series of a widget; cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct WidgetSeries {
    /// Existing series, in order.
    pub names: Memo<Vec<SeriesName>>,
    /// Label of each series.
    labels: Memo<Vec<String>>,
    /// The options of the document: selectors, unit, thresholds and so on.
    pub source: StoredValue<SeriesSource>,
    /// Shared context of the board's widgets.
    pub context: BoardContext,
    /// The lookback.
    pub history: WidgetHistory,
    fresh: Freshness,
}

impl WidgetSeries {
    /// Makes the handle for a widget with this lookback.
    #[must_use]
    pub fn new(source: SeriesSource, kind: LookbackKind, context: BoardContext) -> Self {
        let fresh = Freshness { expect: source.expect, context };
        let names = names(&source, context);
        let labels = Memo::new(move |_| names.with(|names| labels(names)));
        let history = WidgetHistory::follow(&source, kind, names, context);
        Self { names, labels, source: StoredValue::new(source), context, history, fresh }
    }

    /// Returns the number to show of a series: the one of the document, else the rate of a declared counter, else the
    /// value.
    #[must_use]
    pub fn show(self, name: &SeriesName) -> Show {
        let own = self.source.try_with_value(|source| source.show).flatten();
        own.unwrap_or_else(|| default_show(self.context.live.declared(name)))
    }

    /// Returns the reading of a series; tracked.
    #[must_use]
    pub fn reading(self, name: &SeriesName) -> Option<Reading> {
        let (lookback, show) = (self.history.lookback(), self.show(name));
        let reading = |source: &SeriesSource, track: &Track| match track {
            Track::Texts(_) => {
                Some(Reading::of(name, track, ReadingQuery { source, show, lookback, past: LookbackBuckets::Track }))
            }
            Track::Numbers(buckets) => self.history.with(name, buckets, lookback, |past| {
                Reading::of(name, track, ReadingQuery { source, show, lookback, past })
            }),
        };
        self.source
            .try_with_value(|source| self.context.with_track(name, |track| reading(source, track)).flatten())
            .flatten()
    }

    /// Returns the text in the place of a reading that there is none of; tracked. A board that shows the past has a dash
    /// for a series without a point until then, and an ellipsis while it waits for history.
    #[must_use]
    pub fn absent(self, name: &SeriesName) -> &'static str {
        let past = self.context.view.past;
        match past.at.get() {
            None => "",
            Some(_) if past.awaits(name) => "…",
            Some(_) => "–",
        }
    }

    /// Returns the reading of a series as a memo.
    #[must_use]
    pub fn reading_memo(self, name: SeriesName) -> Memo<Option<Reading>> {
        Memo::new(move |_| self.reading(&name))
    }

    /// Returns the level of a reading as a memo.
    #[must_use]
    pub fn level(reading: Memo<Option<Reading>>) -> Memo<Option<Level>> {
        Memo::new(move |_| reading.with(|reading| reading.as_ref()?.level()))
    }

    /// Returns `true` for a stale series, for style sheets; else an empty text. Tracked.
    #[must_use]
    pub fn stale_flag(self, name: &SeriesName) -> &'static str {
        if self.stale_since(name).is_some() { "true" } else { "" }
    }

    /// Returns the name of a series for a row. Tracked.
    #[must_use]
    pub fn name(self, name: &SeriesName) -> String {
        self.label(name).unwrap_or_else(|| name.within_board().to_owned())
    }

    /// Returns the label of a series; `None` for a single one. Tracked.
    #[must_use]
    pub fn label(self, name: &SeriesName) -> Option<String> {
        let at = self.names.with(|names| names.iter().position(|other| other == name).filter(|_| names.len() > 1))?;
        self.labels.with(|labels| labels.get(at).cloned())
    }

    /// Returns the time of the newest point of a stale series; tracked.
    #[must_use]
    pub fn stale_since(self, name: &SeriesName) -> Option<Millis> {
        self.fresh.stale_since(name)
    }

    /// Describes a stale series, such as `stale since 14:02:05`; empty while it reports. Tracked.
    #[must_use]
    pub fn stale_words(self, name: &SeriesName) -> String {
        self.stale_since(name).map(|since| stale_words(since, self.context.server_now.get())).unwrap_or_default()
    }
}

/// Describes the time since which a series is stale.
#[must_use]
pub fn stale_words(since: Millis, now: u64) -> String {
    format!("stale since {}", browser::moment(since.0, now))
}
