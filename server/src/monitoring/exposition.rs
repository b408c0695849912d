//! Handles `GET /metrics`: counters and gauges in the text format of Prometheus, or as `OpenMetrics` where the client
//! accepts that.

use axum::extract::{FromRef, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;

use super::metrics::Metrics;
use super::rejections::Rejections;
use crate::history::History;
use crate::http::accept;
use crate::http::route::{Access, Route};
use crate::hub::chunk::live_bytes;
use crate::hub::driver::HubHandle;
use crate::limits::Limits;
use crate::limits::client::ClientSlots;
use crate::limits::push_memory::PushMemory;
use crate::log::postgres::status::Progress;
use crate::store::Writer;
use crate::store::table_sizes::TableSizes;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Everything that `/metrics` shows.
#[derive(Clone, Debug)]
pub struct Sources {
    /// Counters of events.
    pub metrics: Metrics,
    /// Refused pushes.
    pub rejections: Rejections,
    /// All series and streams.
    pub hub: HubHandle,
    /// Answers about the past.
    pub history: History,
    /// The store.
    pub writer: Writer,
    /// The memory of pushes in progress.
    pub memory: PushMemory,
    /// Open connections.
    pub connections: ClientSlots,
    /// The sizes of the tables.
    pub tables: TableSizes,
    /// The bounds that are shown beside what they bound.
    pub limits: Limits,
}

/// The route of the metrics.
#[must_use]
pub fn routes<S>() -> Vec<Route<S>>
where
    S: Clone + Send + Sync + 'static,
    Sources: FromRef<S>,
{
    vec![Route::new("/metrics", &[("GET", Access::ReadAll)], get(expose))]
}

/// Answers with all counters, and with gauges of the present state.
async fn expose(State(sources): State<Sources>, headers: HeaderMap) -> Response {
    let counts = sources.hub.counts();
    let gauge = |count: usize| ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX));

    let mut registry = Registry::with_prefix("pulseboard");
    sources.metrics.register(&mut registry, sources.rejections.counted());
    registry.register(
        "frames",
        "Update frames encoded, each for all readers of a selection",
        ConstCounter::new(counts.frames),
    );
    registry.register("series", "Series that have a point", gauge(counts.series));
    let unwritten = gauge(sources.history.unwritten());
    registry.register("unwritten_blocks", "Rows of buckets that are only in memory and the log yet", unwritten);
    registry.register(
        "match_steps",
        "Steps taken to match selectors with the names of series",
        ConstCounter::new(sources.hub.selecting().names().steps()),
    );
    let memory = &sources.memory;
    registry.register("queue_bytes", "Memory that pushes in progress hold", gauge(memory.used()));
    registry.register("queue_limit_bytes", "Memory that pushes in progress may hold", gauge(memory.most()));
    let stats = sources.writer.stats();
    registry.register(
        "repeated_points",
        "Points that were pushed again with the time that their sender set, and changed nothing",
        ConstCounter::new(stats.repeated()),
    );
    let bytes = |bytes: u64| ConstGauge::new(i64::try_from(bytes).unwrap_or(i64::MAX));
    registry.register("series_limit", "Series that the store may hold", gauge(sources.limits.series));
    registry.register("idempotency_keys", "Idempotency keys that are remembered", gauge(stats.keys()));
    registry.register("idempotency_keys_limit", "Idempotency keys that may be remembered", gauge(sources.limits.keys));
    let tables = Family::<Vec<(String, String)>, Gauge>::default();
    for (table, size) in sources.tables.current() {
        tables.get_or_create(&vec![("table".to_owned(), table)]).set(i64::try_from(size).unwrap_or(i64::MAX));
    }
    registry.register(
        "table_bytes",
        "Size of each table with its indexes, measured once a minute or less often",
        tables,
    );
    registry.register("data_bytes", "Size of the database and its log, without free pages", bytes(stats.data()));
    if let Some(most) = sources.limits.data {
        registry.register("data_limit_bytes", "Size that the database may have", bytes(most));
    }
    registry.register("disk_free_bytes", "Free bytes of the file system of the database", bytes(stats.free()));
    let answers = sources.history.counts();
    registry.register("history_open", "Answers of /api/history in progress", gauge(answers.open));
    registry.register(
        "history_reading",
        "Answers of /api/history that are being read from the disk",
        gauge(answers.reading),
    );
    registry.register("readers", "Open streams", gauge(counts.readers));
    registry.register("connections", "Open connections", gauge(sources.connections.taken()));
    registry.register("topics", "Selections that somebody reads", gauge(counts.topics));
    registry.register("topic_bytes", "Bytes of memory that these selections take", gauge(counts.topic_bytes));
    registry.register(
        "frame_bytes",
        "Bytes of frames in memory, including those that readers have not taken",
        gauge(live_bytes()),
    );

    if let Some(cluster) = sources.writer.cluster() {
        let Progress { position, head, lag } = cluster.progress();
        registry.register("cluster_position", "Changes of the shared log that this node has applied", bytes(position));
        registry.register("cluster_head", "Changes that the shared log is known to have", bytes(head));
        let lag = ConstGauge::new(lag.as_secs_f64());
        registry.register("cluster_lag_seconds", "Time since this node had applied the whole shared log", lag);
        let away = gauge(usize::from(cluster.away().is_some()));
        registry.register("cluster_away", "1 while the shared log cannot be reached, else 0", away);
    }

    let condition = sources.writer.condition();
    let ready = gauge(usize::from(sources.writer.is_open() && condition.refusal().is_none()));
    registry.register("ready", "1 where pushes are taken, 0 where the store refuses them", ready);
    let warnings = gauge(condition.warnings().len());
    registry.register("warnings", "Warnings of GET /readyz", warnings);

    let mut text = String::new();
    encode(&mut text, &registry).expect("writing to a String succeeds");
    let quality = |kind| accept::media_type(&headers, kind);
    let (open_metrics, plain) = (quality("application/openmetrics-text"), quality("text/plain"));
    if open_metrics.is_named && open_metrics.quality > 0.0 && open_metrics.quality >= plain.quality {
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
    use prometheus_client::metrics::counter::Counter;

    #[test]
    fn counter_is_described_under_the_name_of_its_samples() {
        let mut registry = Registry::with_prefix("pulseboard");
        let pushes = Family::<Vec<(String, String)>, Counter>::default();
        pushes.get_or_create(&vec![("answer".to_owned(), "kept".to_owned())]).inc();
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
