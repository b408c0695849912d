//! `GET /badge/{series}.svg`: the newest value of a series as a small picture, for pages outside of Pulseboard.
//!
//! The number, its unit and its level come from [`shared::reading`], like those of the page. [`drawing`] writes the picture.

pub mod drawing;

use axum::extract::{FromRef, Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use ring::digest::{SHA256, digest};
use serde::Deserialize;
use shared::board::{Board, Content, SeriesSource, Show};
use shared::name::NameError;
use shared::reading::{Lookback, LookbackBuckets, Reading, ReadingQuery, default_show, is_stale};
use shared::{BoardId, Declared, Millis, SeriesName, Track};

use crate::access::ReadAccess;
use crate::board::BoardRegistry;
use crate::clock;
use crate::http::assets;
use crate::http::foreign_page::ForeignPage;
use crate::http::problem::ApiError;
use crate::http::route::{READ, Route};
use crate::hub::driver::HubHandle;
use crate::hub::selection::{DEFAULT_HZ, Rate};
use crate::hub::{Resume, Subscription};
use crate::ingest::fields;
use crate::limits::client::LimitedClient;
use crate::rehydrate;
use crate::store::Writer;
use crate::stream::state::Streams;
use drawing::Badge;

/// The path.
pub const PATH: &str = "/badge/{*series}";

/// Seconds for which a cache may show a badge again without asking.
const MAX_AGE: u32 = 10;

/// The route of badges.
#[must_use]
pub fn routes<S>() -> Vec<Route<S>>
where
    S: Clone + Send + Sync + 'static,
    BoardRegistry: FromRef<S>,
    Streams: FromRef<S>,
{
    vec![Route::new(PATH, READ, get(badge))]
}

#[derive(Default, Deserialize)]
struct Query {
    board: Option<String>,
}

/// Draws the badge of a series. Its unit, digits and thresholds are those of the first widget of a board that shows the
/// series: the board of `?board=`, otherwise that of the first segment of the name.
///
/// # Errors
/// [`ApiError::NoSeries`] if there is no such series, or the reader may not see it; [`ApiError::ForeignPage`] for a page of
/// another site, unless everyone may see the series.
async fn badge(
    State(streams): State<Streams>,
    State(boards): State<BoardRegistry>,
    access: ReadAccess,
    client: LimitedClient,
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    check_page(&access, &headers)?;
    let Some(name) = path.strip_suffix(".svg") else { return Err(ApiError::NotFound(format!("/badge/{path}"))) };
    let name: SeriesName = name.parse().map_err(|error| fields::bad_series(name, &error).into_error())?;
    if !access.sees(&name) {
        return Err(ApiError::NoSeries(name));
    }
    let Query { board } = serde_html_form::from_str(query.as_deref().unwrap_or_default())
        .map_err(|error| ApiError::field("query", "optionally board=, once", error.to_string()))?;
    let board = board.map(|id| {
        id.parse::<BoardId>()
            .map_err(|error: NameError| ApiError::field("board", "a name like ops", format!("{id:?}: {error}")))
    });
    let board = board.transpose()?.or_else(|| name.segments().next()?.parse().ok());
    let board = board.filter(|id| access.sees_board(id)).and_then(|id| boards.get(&id));
    let source = board.and_then(|edition| source_of(edition.document.board(), &name));
    let found = track(&streams.hub, &streams.writer, &access, &name, client).await?;
    let Some((declared, track)) = found else { return Err(ApiError::NoSeries(name)) };
    let badge = read(&name, &track, &source.unwrap_or_default(), declared, clock::now().wall);
    Ok(answer(&badge.to_svg(), access.is_public(), &headers))
}

/// Refuses a page of another site, unless the visitor sees what everyone may see. Otherwise the page would learn by
/// loading an image whether there is a series.
fn check_page(access: &ReadAccess, headers: &HeaderMap) -> Result<(), ApiError> {
    let mut sites = headers.get_all("sec-fetch-site").iter();
    let is_foreign = sites.any(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"));
    if is_foreign && !access.is_public() { Err(ApiError::ForeignPage(Box::<ForeignPage>::default())) } else { Ok(()) }
}

/// Returns the options of the first widget that shows the series, if possible of one with thresholds. A number over a
/// range needs the range of a page, so a widget of such numbers does not count.
fn source_of(board: &Board, name: &SeriesName) -> Option<SeriesSource> {
    let sources = board.widgets.iter().filter_map(|widget| match &widget.content {
        Content::Series(shown) => Some(&shown.source),
        Content::Text(_) => None,
    });
    let shows = |source: &&SeriesSource| {
        let is_newest = matches!(source.show, None | Some(Show::Value | Show::Rate));
        is_newest && source.series.iter().any(|selector| selector.matches(name))
    };
    let mut sources = sources.filter(shows);
    let first = sources.next()?;
    let mut with_thresholds = || sources.find(|source| !source.thresholds.is_empty());
    let source = if first.thresholds.is_empty() { with_thresholds().unwrap_or(first) } else { first };
    Some(source.clone())
}

/// Returns the declared metric type and the whole track of a series; `None` if there is none.
async fn track(
    hub: &HubHandle,
    writer: &Writer,
    access: &ReadAccess,
    name: &SeriesName,
    client: LimitedClient,
) -> Result<Option<(Option<Declared>, Track)>, ApiError> {
    let selector = name.to_string().parse().expect("a name is a selector");
    let found = hub.selecting().find(std::slice::from_ref(&selector), client).await?;
    let Some(&index) = found.series.first() else { return Ok(None) };
    let rate = Rate::of_hz(DEFAULT_HZ).expect("the default is a rate");
    let subscription = Subscription { series: vec![selector], boards: Vec::new(), rate, scope: access.scope() };
    // Subscribed for a moment, because the whole track of a series is in memory only while it has subscribers.
    let subscriber = rehydrate::subscribe(hub, writer, subscription, Resume::parse(None), client).await?;
    let track = hub.track(index);
    drop(subscriber);
    Ok(track)
}

/// Reads the badge of a series at `now`.
fn read(name: &SeriesName, track: &Track, source: &SeriesSource, declared: Option<Declared>, now: Millis) -> Badge {
    let label = name.within_board().to_owned();
    let Some(track) = track.as_of(now) else { return Badge { label, value: "–".to_owned(), ..Badge::default() } };
    let show = source.show.unwrap_or_else(|| default_show(declared));
    let lookback = Lookback { range_ms: RANGE_MS, change_ms: RANGE_MS };
    let reading = Reading::of(name, &track, ReadingQuery { source, show, lookback, past: LookbackBuckets::Track });
    let is_stale = source.expect.is_some_and(|expect| is_stale(expect, track.latest_at().ts, now));
    Badge { label, value: reading.text(), level: reading.level(), is_stale, line: line(&track, show) }
}

/// The lookback. The newest value and the rate do not depend on it, if it is over a minute.
const RANGE_MS: u64 = 3_600_000;

/// Returns the numbers of the seconds of a track for the sparkline, each with its time.
fn line(track: &Track, show: Show) -> Vec<(f64, f64)> {
    let Track::Numbers(buckets) = track else { return Vec::new() };
    let befores = [None].into_iter().chain(buckets.iter().map(Some));
    let points = buckets.iter().zip(befores).filter_map(|(bucket, before)| {
        let value = shared::reading::from_track::of_bucket(show, bucket, before)?;
        #[expect(clippy::cast_precision_loss, reason = "a time is far below 2^53")]
        Some((bucket.start.0 as f64, value))
    });
    points.collect()
}

fn answer(svg: &str, is_public: bool, headers: &HeaderMap) -> Response {
    let etag = assets::etag(digest(&SHA256, svg.as_bytes()).as_ref());
    let known = assets::knows(headers, &etag);
    let cache = if is_public { "public" } else { "private" };
    let about = [
        (header::ETAG, etag),
        (header::CACHE_CONTROL, format!("{cache}, max-age={MAX_AGE}")),
        (header::VARY, "authorization, cookie, sec-fetch-site".to_owned()),
    ];
    if known {
        return (StatusCode::NOT_MODIFIED, about).into_response();
    }
    let resource = if is_public { "cross-origin" } else { "same-origin" };
    let kind = (header::CONTENT_TYPE, "image/svg+xml; charset=utf-8");
    let policy = (HeaderName::from_static("cross-origin-resource-policy"), resource);
    (about, [kind, policy], svg.to_owned()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shared::board::Level;
    use shared::{Number, Seq, Stamp, Value};

    fn track(points: &[(u64, f64)]) -> Track {
        let stamp = |at: usize, ts: u64| Stamp { ts: Millis(ts), seq: Seq(at as u64 + 1) };
        let value = |value| Value::Number(Number::new(value).unwrap());
        let mut track = Track::of(stamp(0, points[0].0), value(points[0].1));
        for (at, &(ts, number)) in points.iter().enumerate().skip(1) {
            track.push(stamp(at, ts), value(number));
        }
        track
    }

    #[test]
    fn badge_has_the_text_and_the_level_of_the_reading() {
        let board = Board::read(&json!({ "widgets": [
            { "id": "a", "type": "stat", "series": ["ops/*/x"] },
            { "id": "b", "type": "stat", "series": ["ops/**"], "show": "p95", "thresholds": [{ "above": 0, "level": "bad" }] },
            { "id": "c", "type": "stat", "series": ["ops/lat"], "unit": "s", "expect": "1m" },
            { "id": "d", "type": "stat", "series": ["ops/**"], "unit": "ms", "expect": "1m", "thresholds": [{ "above": 100, "level": "warn" }] },
        ] }))
        .board;
        let name: SeriesName = "ops/lat".parse().unwrap();
        let source = source_of(&board, &name).unwrap();
        let points = track(&[(1_000, 90.0), (2_000, 120.0), (9_000, 1.0)]);
        let badge = read(&name, &points, &source, None, Millis(3_000));
        assert_eq!((badge.label.as_str(), badge.value.as_str()), ("lat", "120\u{a0}ms"), "a point in the future waits");
        assert_eq!((badge.level, badge.is_stale, badge.line.len()), (Some(Level::Warn), false, 2));
        assert!(read(&name, &points, &source, None, Millis(90_000)).is_stale);
        assert_eq!(source_of(&board, &"dev/x".parse().unwrap()), None);
        let counter = read(&name, &points, &SeriesSource::default(), Some(Declared::Counter), Millis(2_500));
        assert!(counter.value.ends_with("/s"), "{counter:?}");
    }
}
