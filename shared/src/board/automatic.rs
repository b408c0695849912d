//! Automatic boards: the document for a board id that no user has created yet.
//!
//! From the top to the bottom: a row of stats for the most telling numbers, charts of siblings with the same unit
//! ([`grouping`]), a stat for each other number, the states, and the logs. A table has the series that are too many for stats.

mod grouping;

use super::document::MAX_SELECTORS;
use super::lines::LineOptions;
use super::log::LogOptions;
use super::metric_type::MetricType;
use super::stat::StatOptions;
use super::states::StatesOptions;
use super::table::{Column, TableOptions};
use super::widget::{MAX_SERIES, SeriesContent};
use super::{Board, Content, Place, SeriesSource, Show, Widget, WidgetId, WidgetView};
use crate::name::MAX_SEGMENT_LEN;
use crate::{BoardId, Duration, Selector, SeriesName};
use grouping::{Group, Grouped, Member, grouped};

/// The range of time that a board with charts shows.
const RANGE: Duration = Duration::from_secs(15 * 60);
/// The columns of the grid.
const COLUMNS: u16 = 12;
/// Up to this many numbers have no siblings that a chart would show.
pub const PLAIN: usize = 2;
/// Up to this many numbers are plain stats, without a row of their own and without charts of two.
const FEW: usize = 4;
/// The most lines that a chart can show apart. More siblings are rows of a table.
const MAX_LINES: usize = 64;
/// The most stats below the charts. More numbers are rows of a table.
const MAX_STATS: usize = 24;
/// The most charts. Further groups are rows of the table.
const MAX_CHARTS: usize = 24;
/// The most series that charts name one by one, so that all selectors of the board fit in the document.
const MAX_LISTED: usize = MAX_SELECTORS - 4 - MAX_CHARTS - MAX_STATS - 3 * MAX_SERIES - 1;
/// The most logs side by side. More texts share one.
const MAX_LOGS: usize = 2;

impl Board {
    /// Returns the automatic board of at most [`PLAIN`] numbers and no texts, which needs no composing; `None` for
    /// others. It is the same as [`Board::automatic`] makes, in a tenth of the code: every page has this part.
    #[must_use]
    pub fn automatic_plain(id: &BoardId, series: &[(SeriesName, MetricType)]) -> Option<Self> {
        let is_number = |(_, kind): &(SeriesName, MetricType)| matches!(kind, MetricType::Gauge | MetricType::Counter);
        if series.len() > PLAIN || !series.iter().all(is_number) {
            return None;
        }
        let mut widgets = Vec::new();
        for (name, kind) in series {
            widgets.push(stat(name, *kind).at(None, &widgets));
        }
        Some(Self { title: Some(title(id.as_str())), columns: None, range: None, markers: Vec::new(), widgets })
    }

    /// Returns the document that the board `id` shows until a user creates it. The page starts editing from this
    /// document, so it is valid as it is, and the same series in the same order give the same document.
    #[must_use]
    pub fn automatic<N: Into<MetricType>>(id: &BoardId, series: impl IntoIterator<Item = (SeriesName, N)>) -> Self {
        let members: Vec<Member> = series.into_iter().map(|(name, kind)| Member::of(name, kind.into())).collect();
        let of = |wanted: fn(MetricType) -> bool| members.iter().filter(move |member| wanted(member.metric_type));
        let numbers: Vec<&Member> = of(|kind| matches!(kind, MetricType::Gauge | MetricType::Counter)).collect();
        let states: Vec<&Member> = of(|kind| kind == MetricType::State).collect();
        let logs: Vec<&Member> = of(|kind| kind == MetricType::Text).collect();
        let Grouped { mut groups, mut singles } = grouped(&numbers, &members);
        if numbers.len() <= FEW {
            // Two siblings are as readable as two stats.
            let pairs = groups.extract_if(.., |group| group.members.len() == 2);
            let found: Vec<&Member> = singles.drain(..).chain(pairs.flat_map(|group| group.members)).collect();
            // In the order of the board.
            let is_found = |number: &&Member| found.iter().any(|single| single.name == number.name);
            singles = numbers.iter().copied().filter(is_found).collect();
        }
        let few = numbers.len() <= FEW && groups.is_empty();
        let mut composer = Composer { widgets: Vec::new(), rows: (!few).then_some(0) };
        let hero = if few { Vec::new() } else { hero(&groups, &singles) };
        singles.retain(|single| !hero.iter().any(|known| known.name == single.name));
        composer.stats(&hero);
        let all_groups = composer.charts(&groups);
        let all_shown =
            all_groups && singles.len() <= MAX_STATS && states.len() <= 2 * MAX_SERIES && logs.len() <= MAX_SERIES;
        if all_shown {
            composer.stats(&singles);
        } else {
            composer.table(id);
        }
        composer.states(states.get(..2 * MAX_SERIES).unwrap_or(&states));
        composer.logs(logs.get(..MAX_SERIES).unwrap_or(&logs));
        Self {
            title: Some(title(id.as_str())),
            columns: None,
            // A board that nobody made is often young, and an hour of it would be nearly empty.
            range: (!few).then_some(RANGE),
            markers: Vec::new(),
            widgets: composer.widgets,
        }
    }
}

/// Selects the most telling numbers, each from another part of the board: shares of a whole, totals, then the others.
fn hero<'a>(groups: &[Group<'a>], singles: &[&'a Member]) -> Vec<&'a Member> {
    let totals = groups.iter().filter_map(Group::total);
    let all: Vec<&Member> = totals.chain(singles.iter().copied()).collect();
    let ranked = |rank: u8| all.iter().copied().filter(move |candidate| candidate.rank() == rank);
    let candidates: Vec<&Member> = (0..=Member::LAST_RANK).flat_map(ranked).collect();
    let mut chosen: Vec<&Member> = Vec::new();
    for elsewhere in [true, false] {
        for candidate in &candidates {
            let known =
                |chosen: &&Member| chosen.name == candidate.name || elsewhere && chosen.parent() == candidate.parent();
            if chosen.len() < FEW && !chosen.iter().any(known) {
                chosen.push(candidate);
            }
        }
    }
    chosen
}

/// Adds widgets row by row.
struct Composer {
    widgets: Vec<Widget>,
    /// Number of rows so far; `None` if the layout of the page places the widgets.
    rows: Option<u16>,
}

impl Composer {
    /// Adds a stat for each number, four in a row.
    fn stats(&mut self, members: &[&Member]) {
        self.in_rows(4, 2, members.iter().map(|member| stat(&member.name, member.metric_type)));
    }

    /// Adds a chart for each group, two in a row. Returns false if there was no room for some of them.
    fn charts(&mut self, groups: &[Group<'_>]) -> bool {
        let (mut charts, mut tables, mut listings) = (Vec::new(), Vec::new(), 0);
        for group in groups.iter().take(MAX_CHARTS) {
            let members = &group.members;
            let series = match &group.selector {
                Some(selector) => vec![selector.clone()],
                None if members.len() <= MAX_SERIES && listings + members.len() <= MAX_LISTED => {
                    listings += members.len();
                    listed(members)
                }
                None => continue,
            };
            let made = |view| Made { title: group.title.clone(), view, show: group.show(), series };
            if members.len() <= MAX_LINES {
                charts.push(made(WidgetView::Line(LineOptions::default())));
            } else {
                tables.push(made(rows()));
            }
        }
        let added = charts.len() + tables.len();
        self.in_rows(2, 4, charts.into_iter());
        self.in_rows(2, 6, tables.into_iter());
        added == groups.len()
    }

    /// Adds a table of all series.
    fn table(&mut self, id: &BoardId) {
        let table = Made { title: "all".to_owned(), view: rows(), show: None, series: vec![id.selector()] };
        self.in_rows(1, 8, [table].into_iter());
    }

    /// Adds the states, one lane for each series.
    fn states(&mut self, members: &[&Member]) {
        for members in members.chunks(MAX_SERIES) {
            let states = Made {
                title: if let [one] = members { one.name.within_board() } else { "states" }.to_owned(),
                view: WidgetView::States(StatesOptions::default()),
                show: None,
                series: listed(members),
            };
            let height = 1 + u16::try_from(members.len()).unwrap_or(1).div_ceil(2);
            self.in_rows(1, height, [states].into_iter());
        }
    }

    /// Adds a log for each series of texts, or one for all of them.
    fn logs(&mut self, members: &[&Member]) {
        let log = |title: &str, members: &[&Member]| Made {
            title: title.to_owned(),
            view: WidgetView::Log(LogOptions::default()),
            show: None,
            series: listed(members),
        };
        if members.len() > MAX_LOGS {
            self.in_rows(1, 3, [log("texts", members)].into_iter());
        } else {
            self.in_rows(2, 3, members.iter().map(|member| log(member.name.within_board(), &[*member])));
        }
    }

    /// Adds widgets of a height, `in_row` side by side. Those of a last row that is not full are wider.
    fn in_rows(&mut self, in_row: usize, height: u16, made: impl ExactSizeIterator<Item = Made>) {
        let count = made.len();
        for (at, made) in made.enumerate() {
            let row = (count - at / in_row * in_row).min(in_row);
            let width = COLUMNS / u16::try_from(row).unwrap_or(COLUMNS);
            let x = u16::try_from(at % in_row).unwrap_or(0) * width;
            let place = self.rows.map(|y| Place { x, y, w: width, h: height });
            self.widgets.push(made.at(place, &self.widgets));
            if at % in_row == in_row - 1 || at + 1 == count {
                self.rows = self.rows.map(|rows| rows + height);
            }
        }
    }
}

/// A widget without its id and its place.
struct Made {
    title: String,
    view: WidgetView,
    show: Option<Show>,
    series: Vec<Selector>,
}

impl Made {
    /// Makes the widget, with an id that none of the others has.
    fn at(self, place: Option<Place>, others: &[Widget]) -> Widget {
        let Self { title, view, show, series } = self;
        let source = SeriesSource { series, show, ..SeriesSource::default() };
        Widget {
            id: free_id(&title, others),
            title: Some(self::title(&title)),
            content: Content::Series(Box::new(SeriesContent { view, source })),
            place,
        }
    }
}

/// The stat of a number: its value, or the rate of a counter.
fn stat(name: &SeriesName, metric_type: MetricType) -> Made {
    Made {
        title: name.within_board().to_owned(),
        view: WidgetView::Stat(StatOptions::default()),
        show: shown(metric_type),
        series: vec![Selector::from(name)],
    }
}

/// The number to show of a metric type; `None` for the value.
fn shown(metric_type: MetricType) -> Option<Show> {
    (metric_type == MetricType::Counter).then_some(Show::Rate)
}

/// The selectors of exactly these series.
fn listed(members: &[&Member]) -> Vec<Selector> {
    members.iter().map(|member| Selector::from(&member.name)).collect()
}

/// A table with a sparkline in each row.
fn rows() -> WidgetView {
    let columns = vec![Column::Name, Column::Value, Column::Change, Column::Sparkline];
    WidgetView::Table(TableOptions { columns, ..TableOptions::default() })
}

/// Makes a title from a name. Cuts names that are longer than a title may be.
fn title(name: &str) -> String {
    name.get(..name.floor_char_boundary(super::widget::MAX_TITLE)).unwrap_or_default().to_owned()
}

/// Makes an unused widget id from a title. Adds a number where two names would give the same id, such as `api/latency`
/// and `api-latency`.
fn free_id(name: &str, taken: &[Widget]) -> WidgetId {
    let base: String = name.chars().map(|c| if crate::name::is_allowed(c) { c } else { '-' }).collect();
    let mut count = 1_usize;
    loop {
        let end = if count == 1 { String::new() } else { format!("-{count}") };
        let text: String = base.chars().take(MAX_SEGMENT_LEN - end.len()).chain(end.chars()).collect();
        // A name such as `x/.-` gives a valid id. A name that is cut to a lone dot does not, so it gets a number.
        if let Ok(id) = text.parse::<WidgetId>()
            && taken.iter().all(|widget| widget.id != id)
        {
            return id;
        }
        count += 1;
    }
}

#[cfg(test)]
mod tests;
