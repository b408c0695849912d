//! What speaks to InfluxDB can push here unchanged: `POST /write` (version 1) and `POST /api/v2/write` (version 2) take its line
//! protocol, and what clients ask before they write has an answer.
//!
//! A field is a point of the series that [`naming`] says: numbers, whole numbers and booleans (1 and 0) of a series of numbers,
//! texts of one of texts. Databases, buckets, organisations, users and tokens are passed over: there is one store.

mod line;
mod naming;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::IntoResponse;
use serde::Deserialize;
use shared::Millis;

use self::line::{Line, Lines};
use self::naming::Naming;
use crate::app::AppState;
use crate::ingest::fields::{Acceptance, Wrong};
use crate::ingest::gathering::{Batch, Gathering};
use crate::ingest::{self, query};
use crate::places::Bounded;
use crate::problem::ApiError;
use crate::push_memory::Share;
use crate::store::PointTime;

/// Most bytes the body of a write can have, also when it is unpacked: 4 MiB. Clients gather more lines than a script does.
pub const MAX_BODY: usize = 4 << 20;

/// The unit of the times in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Precision {
    /// Several in a millisecond, which is what is kept.
    Fraction(u64),
    /// So many milliseconds.
    Whole(u64),
}

#[derive(Debug, Default, Deserialize)]
struct Query {
    precision: Option<String>,
}

impl Precision {
    /// By the names of both versions; nanoseconds where there is none.
    fn parse(query: Option<&str>) -> Result<Self, ApiError> {
        let expected = "one of ns, us, ms, s, m and h";
        let query: Query = serde_html_form::from_str(query.unwrap_or_default())
            .map_err(|error| ApiError::field("precision", expected, error.to_string()))?;
        Ok(match query.precision.as_deref() {
            None | Some("" | "ns" | "n") => Self::Fraction(1_000_000),
            Some("us" | "u" | "µ" | "µs") => Self::Fraction(1_000),
            Some("ms") => Self::Whole(1),
            Some("s") => Self::Whole(1_000),
            Some("m") => Self::Whole(60_000),
            Some("h") => Self::Whole(3_600_000),
            Some(other) => return Err(ApiError::field("precision", expected, other)),
        })
    }

    /// The time that a sender set; nothing before 1970, and the end of time for what is beyond.
    fn time(self, time: i64) -> Option<PointTime> {
        let time = u64::try_from(time).ok()?;
        let (ms, nanos) = match self {
            Self::Fraction(parts) => (time / parts, time % parts * (1_000_000 / parts)),
            Self::Whole(ms) => (time.saturating_mul(ms), 0),
        };
        Some(PointTime::of_sender(Millis(ms), u32::try_from(nanos).unwrap_or_default()))
    }
}

/// `POST /write` and `POST /api/v2/write`: 204 once all of it is committed; or nothing is.
///
/// # Errors
/// [`Refused`](ingest::Refused); a 422 lists the lines that are wrong.
pub async fn write(
    State(app): State<AppState>,
    RawQuery(query): RawQuery,
    uri: Uri,
    headers: HeaderMap,
    client: Bounded,
    body: Body,
) -> Result<StatusCode, ingest::Refused> {
    let parser = app.parser();
    let parse = move |text: &[u8], share: &mut Share| {
        let age = query::age(query.as_deref())?;
        read(text, query.as_deref(), parser.accepted(age), parser.gathering(share))
    };
    let parse = ingest::identified(&uri, &headers, parse);
    let batch = ingest::take_in(&app, body, &headers, client, MAX_BODY, parse).await;
    ingest::commit(&app, batch, &headers).await
}

/// Reads lines into `gathering`. Their times are in the unit that the query of the request names.
///
/// # Errors
/// [`ApiError::Invalid`] with the lines that are wrong, [`ApiError::Malformed`] where there is none.
/// [`ApiError::LimitReached`] as soon as there are more points than `gathering` takes.
pub fn read(
    body: &[u8],
    query: Option<&str>,
    accepted: Acceptance,
    mut gathering: Gathering<'_>,
) -> Result<Batch, ApiError> {
    let precision = Precision::parse(query)?;
    let text = std::str::from_utf8(body).map_err(|error| ApiError::Malformed(format!("no UTF-8: {error}")))?;
    gathering.expect(text.len());
    let mut lines = Lines::new(text);
    let mut line = Line::default();
    let mut naming = Naming::default();
    loop {
        (lines.room, lines.only_counts) = (gathering.room(), gathering.only_counts());
        let Some(read) = lines.next(&mut line) else { break };
        let number = lines.number;
        let ts = read.and_then(|()| time(line.time, precision, accepted));
        let ts = match ts {
            Ok(ts) => ts,
            Err(wrong) => {
                gathering.take(number, Err(wrong))?;
                continue;
            }
        };
        naming.line(&line.measurement, &line.tags);
        for (field, value) in line.fields.drain(..) {
            let (name, source) = naming.field(&field);
            let point = gathering.look().point_of(name, source, ts, value);
            gathering.take(number, point.map_err(|error| ingest::fields::bad_series(name, &error)))?;
        }
    }
    gathering.finish()
}

fn time(time: Option<i64>, precision: Precision, accepted: Acceptance) -> Result<PointTime, Wrong> {
    let Some(time) = time else { return Ok(PointTime::of_server(accepted.now)) };
    let before = || Wrong::new("ts", "a time after 1970", time.to_string());
    let expected = "a time in nanoseconds, or in the unit of ?precision=; in milliseconds that is";
    let time = precision.time(time).ok_or_else(before)?;
    accepted.check(time.ts, expected).map(|_| time)
}

/// `GET /ping`: clients of version 1 ask it to see whether anybody is there.
pub async fn ping() -> impl IntoResponse {
    (StatusCode::NO_CONTENT, [("x-influxdb-build", "pulseboard"), ("x-influxdb-version", env!("CARGO_PKG_VERSION"))])
}

/// `GET /health`: the same for clients of version 2.
///
/// # Errors
/// [`ApiError::Unavailable`] where the store takes no pushes.
pub async fn health(State(app): State<AppState>) -> Result<impl IntoResponse, ApiError> {
    if !app.writer.is_open() {
        return Err(ApiError::Unavailable("the server is shutting down".to_owned()));
    }
    let version = env!("CARGO_PKG_VERSION");
    Ok(axum::Json(serde_json::json!({
        "name": "pulseboard", "message": "ready for writes", "status": "pass", "checks": [], "version": version
    })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Now, Uptime};
    use crate::limits::Limit;
    use crate::store::{Directory, Push, Store};
    use shared::{Number, Text, Value};

    const ACCEPTED: Acceptance = Acceptance { now: Millis(1_732_399_200_123), late_ms: 86_400_000 };

    fn read(body: &str, query: &str) -> Result<Batch, ApiError> {
        let (directory, mut share) = (Directory::default(), Share::unbounded());
        super::read(body.as_bytes(), Some(query), ACCEPTED, Gathering::by_default(&directory, &mut share))
    }

    /// Commits the points to a new store; each begins a series. Gives the name, the time and the value of each.
    fn kept(batch: Batch) -> Vec<(String, u64, Value)> {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let push = Push { points: batch.points, key: None };
        let outcome = store.commit(vec![push], Now { wall: ACCEPTED.now, up: Uptime(0) });
        let points = outcome.committed.into_iter();
        points.map(|point| (point.begins.unwrap().to_string(), point.at.ts.0, point.value)).collect()
    }

    #[test]
    fn each_field_is_a_point_at_the_time_of_its_line() {
        let number = |value| Value::Number(Number::new(value).unwrap());
        let body = "cpu,host=a usage=1.5,count=3i 1732399200000999999\n\nlog,host=a line=\"up\"\n";
        let batch = read(body, "db=telegraf&precision=ns").unwrap();
        assert_eq!(batch.lines, [1, 1, 3]);
        let wanted = [
            ("cpu/a/usage", 1_732_399_200_000, number(1.5)),
            ("cpu/a/count", 1_732_399_200_000, number(3.0)),
            ("log/a/line", ACCEPTED.now.0, Value::Text(Text::new("up".into()).unwrap())),
        ];
        assert_eq!(kept(batch), wanted.map(|(name, ts, value)| (name.to_owned(), ts, value)));
    }

    #[test]
    fn the_unit_of_times_is_told_by_the_request() {
        for (query, time, ts) in [
            ("", "1732399200000000000", 1_732_399_200_000),
            ("bucket=b&org=o&precision=us", "1732399200000000", 1_732_399_200_000),
            ("precision=ms", "1732399200000", 1_732_399_200_000),
            ("precision=s", "1732399200", 1_732_399_200_000),
            ("precision=m", "28873320", 1_732_399_200_000),
            ("precision=h", "481222", 1_732_399_200_000),
        ] {
            let batch = read(&format!("a x=1 {time}"), query).unwrap();
            let value = Value::Number(Number::new(1.0).unwrap());
            assert_eq!(kept(batch), [("a/x".to_owned(), ts, value)], "{query}");
        }
        let error = read("a x=1", "precision=d").unwrap_err().to_string();
        assert!(error.contains("one of ns, us, ms, s, m and h, got d"), "{error}");
    }

    #[test]
    fn every_wrong_line_is_listed_and_nothing_is_taken() {
        let body = "a x=1\na x=oops\nb\na x=1 1732399200\na x=1 -5\n";
        let Err(ApiError::Invalid { errors, detail }) = read(body, "") else { panic!("it is wrong") };
        let places: Vec<_> = errors.iter().map(|error| (error.line.unwrap(), error.field.as_str())).collect();
        assert_eq!(places, [(2, "field"), (3, "field"), (4, "ts"), (5, "ts")]);
        assert_eq!(detail, "4 of 5 lines are wrong, so nothing was stored");
        assert!(matches!(read("# nothing\n", ""), Err(ApiError::Malformed(_))));
    }

    #[test]
    fn reading_stops_at_the_first_field_over_the_bound_also_within_a_line() {
        let read = |body: &str| {
            let (directory, mut share) = (Directory::default(), Share::unbounded());
            super::read(body.as_bytes(), None, ACCEPTED, Gathering::new(&directory, 3, &mut share))
        };
        assert_eq!(read("a x=1,y=2\nb x=3").unwrap().points.len(), 3);
        for body in ["a x=1\nb x=1\na y=1\na x=1", "a x=1,y=2,z=3,u=4", "a x=1,y=2\na x=1,y=2 broken and more"] {
            assert_eq!(read(body).unwrap_err().limit(), Some(Limit::Points), "{body}");
        }
    }

    #[test]
    fn all_errors_are_counted_and_a_thousand_listed() {
        for line in ["x\n", ",\n", "=\n", "a,b c=1\n", "a x=\n", "a x=1 y\n", "a x=1 5\n"] {
            let Err(ApiError::Invalid { detail, errors }) = read(&line.repeat(3_000), "") else { panic!("{line}") };
            assert_eq!((errors.len(), errors[999].line), (1_000, Some(1_000)));
            assert!(detail.starts_with("3000 of 3000 lines are wrong"), "{detail}");
            assert!(errors.iter().all(|error| !error.got.is_empty()), "a listed error has the received text");
        }
    }
}
