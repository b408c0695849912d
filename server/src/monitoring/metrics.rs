//! `GET /metrics`: counters and gauges in the text format of Prometheus, or as `OpenMetrics` where the client accepts
//! that.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::http::app::AppState;
use crate::http::problem::ApiError;
use crate::hub::frame::live_bytes;
use crate::limits::Limit;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Counters of events. Clones share them.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Counted>);

impl Default for Metrics {
    /// Starts all counters at 0, so that the first event counts as an increase.
    fn default() -> Self {
        let counted = Counted::default();
        for answer in ANSWERS {
            drop(counted.pushes.get_or_create(&Answer { answer }));
        }
        for limit in Limit::ALL {
            drop(counted.refused.get_or_create(&Reached { limit: limit.label() }));
        }
        Self(Arc::new(counted))
    }
}

/// The values of the label `answer`.
const ANSWERS: [&str; 4] = [KEPT, PARTIAL, REFUSED, UNAVAILABLE];
const KEPT: &str = "kept";
const PARTIAL: &str = "partial";
const REFUSED: &str = "refused";
const UNAVAILABLE: &str = "unavailable";

#[derive(Debug, Default)]
struct Counted {
    pushes: Family<Answer, Counter>,
    points: Counter,
    refused: Family<Reached, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reached {
    limit: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    answer: &'static str,
}

impl Metrics {
    /// Counts a push by its answer: stored, or an error.
    pub fn pushed(&self, error: Option<&ApiError>) {
        let answer = match error {
            None => KEPT,
            Some(ApiError::Unavailable(_) | ApiError::Overloaded(_)) => UNAVAILABLE,
            Some(ApiError::PartialWrite { .. }) => PARTIAL,
            Some(_) => REFUSED,
        };
        self.0.pushes.get_or_create(&Answer { answer }).inc();
    }

    /// Counts a request that was refused because it reached a bound.
    pub fn refused(&self, limit: Limit) {
        self.0.refused.get_or_create(&Reached { limit: limit.label() }).inc();
    }

    /// Adds committed points.
    pub fn committed(&self, points: usize) {
        self.0.points.inc_by(points as u64);
    }
}

/// Middleware: counts refused requests by the bound that they reached.
pub async fn count_refused(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if let Some(&limit) = response.extensions().get::<Limit>() {
        app.metrics.refused(limit);
    }
    response
}

/// Answers with all counters, and with gauges of the present state.
pub async fn expose(State(app): State<AppState>, headers: HeaderMap) -> Response {
    let counted = &app.metrics.0;
    let counts = app.hub.counts();
    let gauge = |count: usize| ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX));

    let mut registry = Registry::with_prefix("pulseboard");
    registry.register("pushes", "Pushes by what became of them", counted.pushes.clone());
    let reasons = app.rejections.counted();
    registry.register("pushes_refused", "Pushes refused, by the first reason", reasons);
    registry.register("refused", "Requests refused, by the limit they reached", counted.refused.clone());
    registry.register("points", "Points committed", counted.points.clone());
    registry.register(
        "frames",
        "Update frames encoded, each for all readers of a selection",
        ConstCounter::new(counts.frames),
    );
    registry.register("series", "Series that have a point", gauge(counts.series));
    let unwritten = gauge(app.history.unwritten());
    registry.register("unwritten_blocks", "Rows of buckets that are only in memory and the log yet", unwritten);
    registry.register(
        "match_steps",
        "Steps taken to match selectors with the names of series",
        ConstCounter::new(app.hub.selecting().names().steps()),
    );
    let memory = app.intake.memory();
    registry.register("queue_bytes", "Memory that pushes in progress hold", gauge(memory.used()));
    registry.register("queue_limit_bytes", "Memory that pushes in progress may hold", gauge(memory.most()));
    let stats = app.writer.stats();
    registry.register(
        "repeated_points",
        "Points that were pushed again with the time that their sender set, and changed nothing",
        ConstCounter::new(stats.repeated()),
    );
    let bytes = |bytes: u64| ConstGauge::new(i64::try_from(bytes).unwrap_or(i64::MAX));
    registry.register("series_limit", "Series that the store may hold", gauge(app.limits.series));
    registry.register("idempotency_keys", "Idempotency keys that are remembered", gauge(stats.keys()));
    registry.register("idempotency_keys_limit", "Idempotency keys that may be remembered", gauge(app.limits.keys));
    registry.register("data_bytes", "Size of the database and its log, without free pages", bytes(stats.data()));
    if let Some(most) = app.limits.data {
        registry.register("data_limit_bytes", "Size that the database may have", bytes(most));
    }
    registry.register("disk_free_bytes", "Free bytes of the file system of the database", bytes(stats.free()));
    let answers = app.history.counts();
    registry.register("history_open", "Answers of /api/history in progress", gauge(answers.open));
    registry.register(
        "history_reading",
        "Answers of /api/history that are being read from the disk",
        gauge(answers.reading),
    );
    registry.register("readers", "Open streams", gauge(counts.readers));
    registry.register("connections", "Open connections", gauge(app.connections.taken()));
    registry.register("topics", "Selections that somebody reads", gauge(counts.topics));
    registry.register("topic_bytes", "Bytes of memory that these selections take", gauge(counts.topic_bytes));
    registry.register(
        "frame_bytes",
        "Bytes of frames in memory, including those that readers have not taken",
        gauge(live_bytes()),
    );

    let condition = app.writer.condition();
    let ready = gauge(usize::from(app.writer.is_open() && condition.refusal().is_none()));
    registry.register("ready", "1 where pushes are taken, 0 where the store refuses them", ready);
    let warnings = gauge(condition.warnings().len());
    registry.register("warnings", "Warnings of GET /readyz", warnings);

    let mut text = String::new();
    encode(&mut text, &registry).expect("writing to a String succeeds");
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    if accepted.into_iter().any(|accept| accept.contains("application/openmetrics-text")) {
        return ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response();
    }
    ([(header::CONTENT_TYPE, PROMETHEUS)], prometheus_text(&text)).into_response()
}

/// Converts `OpenMetrics` text to Prometheus' own format, in which a counter is described under the name of its samples
/// and there is no end mark.
fn prometheus_text(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 256);
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line == "# EOF" {
            break;
        }
        let described = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' '));
        match (described, lines.peek()) {
            (Some((name, help)), Some(&kind)) if kind.strip_prefix("# TYPE ") == Some(&format!("{name} counter")) => {
                lines.next();
                for text in ["# HELP ", name, "_total ", help, "\n# TYPE ", name, "_total counter\n"] {
                    written.push_str(text);
                }
            }
            _ => {
                written.push_str(line);
                written.push('\n');
            }
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counter_is_described_under_the_name_of_its_samples() {
        let mut registry = Registry::with_prefix("pulseboard");
        let pushes = Family::<Answer, Counter>::default();
        pushes.get_or_create(&Answer { answer: "kept" }).inc();
        registry.register("pushes", "Pushes", pushes);
        registry.register("points", "Points", Counter::<u64>::default());
        registry.register("readers", "Readers", ConstGauge::new(3_i64));
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        assert_eq!(
            prometheus_text(&text),
            "# HELP pulseboard_pushes_total Pushes.\n# TYPE pulseboard_pushes_total counter\n\
             pulseboard_pushes_total{answer=\"kept\"} 1\n\
             # HELP pulseboard_points_total Points.\n# TYPE pulseboard_points_total counter\npulseboard_points_total 0\n\
             # HELP pulseboard_readers Readers.\n# TYPE pulseboard_readers gauge\npulseboard_readers 3\n"
        );
    }
}
