//! The series of a widget, and how they are told.

use shared::board::{Show, Source};
use shared::{Declared, Millis, SeriesName, Track};

use super::freshness::Freshness;
use super::glance::{Glance, Question};
use super::names::{labels, names};
use super::past::{Past, Stretch, Tells};
use crate::board::stage::Stage;
use crate::browser;
use crate::dynamic::{Memo, StoredValue, memo_text};
use crate::icon::{Icon, icon, level_word};
use crate::part::Part;

/// A handle on them; cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// Those that there are, in their order.
    pub names: Memo<Vec<SeriesName>>,
    /// What each of them is called beside the others.
    labels: Memo<Vec<String>>,
    /// How their numbers are told.
    pub source: StoredValue<Source>,
    /// What all widgets share.
    pub stage: Stage,
    /// What came before that.
    pub past: Past,
    fresh: Freshness,
}

impl Told {
    /// The series of a widget that tells so far back.
    #[must_use]
    pub fn new(source: Source, tells: Tells, stage: Stage) -> Self {
        let fresh = Freshness { expect: source.expect, stage };
        let names = names(&source, stage);
        let labels = Memo::new(move || names.with(|names| labels(names)));
        let past = Past::follow(&source, tells, names, stage);
        Self { names, labels, source: StoredValue::new(source), stage, past, fresh }
    }

    /// Which number of one of them is shown: what the document says; else of one that was declared to count, how fast it does.
    #[must_use]
    pub fn show(self, name: &SeriesName) -> Show {
        let said = self.source.try_with_value(|source| source.show).flatten();
        said.unwrap_or_else(|| shown_of(self.stage.live.declared(name)))
    }

    /// What is shown of one of them; followed.
    #[must_use]
    pub fn glance(self, name: &SeriesName) -> Option<Glance> {
        let (back, show) = (self.past.back(), self.show(name));
        let glance = |source: &Source, track: &Track| match track {
            Track::Texts(_) => Some(Glance::of(name, track, Question { source, show, back, stretch: Stretch::Track })),
            Track::Numbers(buckets) => self
                .past
                .with(name, buckets, back, |stretch| Glance::of(name, track, Question { source, show, back, stretch })),
        };
        self.source.try_with_value(|source| self.stage.track(name, |track| glance(source, track)).flatten()).flatten()
    }

    /// What is shown of one of them, made anew only where it is another.
    #[must_use]
    pub fn remembered(self, name: SeriesName) -> Memo<Option<Glance>> {
        Memo::new(move || self.glance(&name))
    }

    /// A part for each of them, in another.
    #[must_use]
    pub fn each(self, into: Part, part: impl Fn(&SeriesName) -> Part + 'static) -> Part {
        let make = move |name: &str| name.parse().map_or_else(|_| Part::nothing(), |name| part(&name));
        into.live_list(move || written(&self.names.get()), make)
    }

    /// The level of one of them by its word, told where it changes; empty where it has none.
    #[must_use]
    pub fn level(glance: Memo<Option<Glance>>) -> Memo<String> {
        memo_text(move || level_word(glance.with(|glance| glance.as_ref()?.level())))
    }

    /// `true` where one of them has not reported for too long, for style sheets; else empty. Followed.
    pub fn stale_flag(self, name: &SeriesName) -> impl Fn() -> String + 'static {
        let name = name.clone();
        move || if self.stale_since(&name).is_some() { "true".to_owned() } else { String::new() }
    }

    /// That one of them is stale, by a sign and in words; nothing where it reports.
    #[must_use]
    pub fn stale_mark(self, name: &SeriesName) -> Part {
        let name = name.clone();
        let words = memo_text(move || self.stale_words(&name));
        let mark = move || match words.get() {
            words if words.is_empty() => Vec::new(),
            words => {
                let mark = Part::new("span", "stale-mark").with("data-testid", "stale");
                vec![mark.put(&icon(Icon::Stale)).text(" ").text(&words)]
            }
        };
        Part::new("span", "host").live_inside(mark)
    }

    /// What one of them is called above what is shown of it, and that it is stale; nothing where it is alone: then its frame
    /// says so.
    #[must_use]
    pub fn head(self, name: &SeriesName) -> Part {
        let name = name.clone();
        let of = name.clone();
        let label = memo_text(move || self.label(&of).unwrap_or_default());
        let head = move || match label.get() {
            label if label.is_empty() => Vec::new(),
            label => {
                let called = Part::new("span", "label-name").with("title", name.as_str()).text(&label);
                vec![Part::new("p", "label").put(&called).put(&self.stale_mark(&name))]
            }
        };
        Part::new("div", "host").live_inside(head)
    }

    /// What one of them is called in a row of its own. Followed.
    #[must_use]
    pub fn name(self, name: &SeriesName) -> String {
        self.label(name).unwrap_or_else(|| name.within_board().to_owned())
    }

    /// What one of them is called beside the others; nothing where it is alone. Followed.
    #[must_use]
    pub fn label(self, name: &SeriesName) -> Option<String> {
        let at = self.names.with(|names| names.iter().position(|other| other == name).filter(|_| names.len() > 1))?;
        self.labels.with(|labels| labels.get(at).cloned())
    }

    /// Since when one of them has not reported, where that is too long; followed.
    #[must_use]
    pub fn stale_since(self, name: &SeriesName) -> Option<Millis> {
        self.fresh.stale_since(name)
    }

    /// The same in words, such as `stale since 14:02:05`; empty where it reports. Followed.
    #[must_use]
    pub fn stale_words(self, name: &SeriesName) -> String {
        self.stale_since(name).map(|since| stale_words(since, self.stage.server_now.get())).unwrap_or_default()
    }
}

/// Which number is shown of a series of which this was declared, where no document says so.
#[must_use]
pub fn shown_of(declared: Option<Declared>) -> Show {
    match declared {
        Some(Declared::Counter) => Show::Rate,
        Some(Declared::Gauge) | None => Show::Value,
    }
}

/// Names as keys of a list.
#[must_use]
pub fn written(names: &[SeriesName]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// That nothing was reported since a moment, in words.
#[must_use]
pub fn stale_words(since: Millis, now: u64) -> String {
    format!("stale since {}", browser::moment(since.0, now))
}
