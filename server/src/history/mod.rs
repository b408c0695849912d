//! `GET /api/history`: the past of series.
//!
//! [`query`] reads what is asked for, [`plan`] chooses the buckets that answer it, [`past`] reads them, [`answer`] tells them.
//! Reading has connections and threads of its own, so that no push waits for it.

pub mod answer;
pub mod past;
pub mod plan;
pub mod query;
#[cfg(test)]
mod tests;
pub mod time;

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};
use shared::Millis;
use shared::point::Kind;
use tokio::sync::Semaphore;

use answer::Told;
use past::{MAX_SERIES, PastError};
use plan::Plan;
use query::Asked;

use crate::app::AppState;
use crate::clock;
use crate::problem::ApiError;
use crate::store::damage::Damage;
use crate::store::fresh::Fresh;
use crate::store::schema::{BUSY_TIMEOUT, FILE};
use crate::store::{Condition, Retention, Store};

/// How many questions are answered at once; more wait. Each is a thread and a connection.
const AT_ONCE: usize = 4;

/// Most buckets of one answer, over all its series: some 30 MB of JSON.
const MAX_BUCKETS: u64 = 200_000;

/// Where the past is read. Clones share it.
#[derive(Clone, Debug)]
pub struct History(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: PathBuf,
    fresh: Arc<Fresh>,
    damage: Damage,
    condition: Condition,
    retention: Retention,
    /// Connections that nobody uses.
    idle: Mutex<Vec<Connection>>,
    turns: Semaphore,
}

impl History {
    /// The past in `store`, from which goes what `retention` says.
    #[must_use]
    pub fn new(store: &Store, retention: Retention) -> Self {
        let (file, fresh, damage) = (store.folder().join(FILE), store.fresh(), store.damage());
        let condition = store.condition();
        Self(Arc::new(Inner {
            file,
            fresh,
            damage,
            condition,
            retention,
            idle: Mutex::default(),
            turns: Semaphore::new(AT_ONCE),
        }))
    }

    /// How many blocks wait in memory to be written.
    #[must_use]
    pub fn unwritten(&self) -> usize {
        self.0.fresh.len()
    }

    /// Answers a question, by the clock `now`. Takes as long as the disk does.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] where it is about too much, [`ApiError::Unavailable`] where the database cannot be read.
    pub fn answer(&self, asked: &Asked, now: Millis) -> Result<Vec<Told>, ApiError> {
        if let Some(why) = self.0.condition.lost() {
            return Err(ApiError::Unreadable(why));
        }
        let idle = self.0.idle.lock().pop();
        let read = || {
            let conn = idle.map_or_else(|| self.connect(), Ok)?;
            let told = self.tell(&conn, asked, now)?;
            self.0.idle.lock().push(conn);
            Ok(told)
        };
        read().map_err(|error: PastError| match error {
            PastError::TooMany => too_much(&format!("more than {MAX_SERIES}"), asked),
            PastError::Database(error) => ApiError::Unreadable(error.to_string()),
        })?
    }

    fn tell(&self, conn: &Connection, asked: &Asked, now: Millis) -> Result<Result<Vec<Told>, ApiError>, PastError> {
        // All of an answer is of one moment.
        let tx = conn.unchecked_transaction()?;
        let selected = past::select(&tx, &asked.selectors)?;
        if selected.len() as u64 * asked.points > MAX_BUCKETS {
            return Ok(Err(too_much(&selected.len().to_string(), asked)));
        }
        let plan = Plan::new(asked.span, asked.points, &self.0.retention, now);
        let mut told = Vec::with_capacity(selected.len());
        for (name, (series, kind)) in selected {
            told.push(match kind {
                Kind::Number => {
                    let buckets = past::numbers(&tx, &self.0.fresh, &self.0.damage, series, &plan)?;
                    Told::numbers(name, plan.width_ms, &buckets, asked.detail)
                }
                Kind::Text => Told::texts(name, past::texts(&tx, series, asked.span, asked.points)?),
            });
        }
        Ok(Ok(told))
    }

    fn connect(&self) -> Result<Connection, PastError> {
        let conn = Connection::open_with_flags(
            &self.0.file,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        conn.busy_timeout(BUSY_TIMEOUT)?;
        Ok(conn)
    }
}

fn too_much(series: &str, asked: &Asked) -> ApiError {
    let most = MAX_SERIES.min(usize::try_from(MAX_BUCKETS / asked.points).unwrap_or(usize::MAX));
    let expected = format!(
        "selectors of at most {most} series with points={}; narrow them, or ask for fewer points",
        asked.points
    );
    ApiError::field("series", expected, format!("{series} series"))
}

/// The past of the selected series: `[{"series", "tier_ms", "buckets"}]`, or with `Accept: text/csv` a line for each bucket.
///
/// # Errors
/// [`ApiError`].
pub async fn read(
    State(app): State<AppState>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let now = clock::now().wall;
    let asked = query::parse(query.as_deref().unwrap_or_default(), now)?;
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let as_csv = accept.is_some_and(|accept| accept.contains("text/csv"));
    let history = app.history.clone();
    let stopped = |error: String| ApiError::Unreadable(error);
    let _turn = app.history.0.turns.acquire().await.map_err(|error| stopped(error.to_string()))?;
    let work = move || {
        let told = history.answer(&asked, now)?;
        let (kind, body) = if as_csv {
            ("text/csv; charset=utf-8", answer::csv(&told).into_bytes())
        } else {
            ("application/json", serde_json::to_vec(&told).map_err(|error| ApiError::Unreadable(error.to_string()))?)
        };
        Ok::<_, ApiError>((kind, body))
    };
    let (kind, body) = tokio::task::spawn_blocking(work).await.map_err(|error| stopped(error.to_string()))??;
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    Ok(response)
}
