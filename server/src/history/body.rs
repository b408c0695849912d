//! The way of an answer from the disk to the socket.
//!
//! A task reads the [`Job`] step by step and puts each piece into a channel that holds one; the body of the response takes
//! them out as hyper asks for them. So at most a few pieces of an answer are in memory, however long it is and however slowly
//! it is read. The task ends when the body is dropped (the request was reset, the connection is gone), or when nobody
//! takes a piece for as long as a peer may be silent.
//!
//! Errors before the first piece are problem+json. After it the status is sent already, so the body ends with an error: over
//! HTTP/1.1 the last chunk is missing, over HTTP/2 the stream is reset, and no client takes a part for the whole.

use std::time::{Duration, Instant};

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::History;
use super::cancel::{Cancel, StopOnDrop, Stopped};
use super::job::{Job, Piece};
use super::past::PastError;
use super::turns::Slot;
use crate::limits::Limit;
use crate::metrics::Metrics;
use crate::problem::ApiError;

/// Longest that one step may read: it fills some 64 KiB.
const LONGEST_STEP: Duration = Duration::from_secs(10);

/// Longest that an answer may be under way.
const LONGEST: Duration = Duration::from_secs(600);

/// Seconds after which a question that took too long may be answered in time.
const RETRY_AFTER: u32 = 5;

/// Begins an answer. Gives its body, once its first piece is there.
///
/// # Errors
/// [`ApiError`] where there is no answer.
pub(super) async fn start(history: History, job: Job, metrics: Metrics) -> Result<Body, ApiError> {
    let slot = history.0.turns.open()?;
    let (send, mut pieces) = mpsc::channel(1);
    let task = Answering { history, send, metrics, began: Instant::now(), sent: 0, _slot: slot };
    tokio::spawn(task.run(job));
    let first = pieces.recv().await.ok_or_else(|| ApiError::Unreadable("the server is stopping".to_owned()))??;
    if first.last {
        return Ok(Body::from(first.bytes));
    }
    let rest = Rest { pieces, first: Some(first), ended: false };
    Ok(Body::from_stream(stream::unfold(rest, |mut rest| async { Some((rest.next().await?, rest)) })))
}

/// What of an answer is still to come.
#[derive(Debug)]
struct Rest {
    pieces: Receiver<Result<Piece, ApiError>>,
    first: Option<Piece>,
    ended: bool,
}

impl Rest {
    async fn next(&mut self) -> Option<Result<Bytes, ApiError>> {
        if self.ended {
            return None;
        }
        let piece = match self.first.take() {
            Some(first) => Ok(first),
            None => {
                self.pieces.recv().await.unwrap_or_else(|| Err(ApiError::Unreadable("it was cut short".to_owned())))
            }
        };
        self.ended = !matches!(piece, Ok(Piece { last: false, .. }));
        Some(piece.map(|piece| piece.bytes.into()))
    }
}

/// The task of one answer.
struct Answering {
    history: History,
    send: Sender<Result<Piece, ApiError>>,
    metrics: Metrics,
    began: Instant,
    /// Bytes that were put into the channel.
    sent: u64,
    _slot: Slot,
}

impl Answering {
    async fn run(mut self, mut job: Job) {
        loop {
            let step = tokio::select! {
                () = self.send.closed() => return,
                step = read_step(self.history.clone(), job) => step,
            };
            let piece = match step {
                Ok((rest, piece)) => {
                    job = rest;
                    piece
                }
                Err(error) => return self.fail(error).await,
            };
            let last = piece.last;
            self.sent += piece.bytes.len() as u64;
            if let Some(error) = self.over_bound() {
                return self.fail(error).await;
            }
            match self.send.send_timeout(Ok(piece), self.history.0.patience).await {
                Ok(()) if last => return,
                Ok(()) => {}
                Err(SendTimeoutError::Closed(_)) => return,
                Err(SendTimeoutError::Timeout(_)) => {
                    tracing::debug!(sent = self.sent, "an answer of history is not read and ends");
                    return self.metrics.refused(Limit::HistoryUnread);
                }
            }
        }
    }

    fn over_bound(&self) -> Option<ApiError> {
        let most = self.history.0.max_bytes;
        let (limit, detail) = if self.sent > most {
            (
                Limit::HistoryBytes,
                format!("the answer has over {most} bytes (--max-history-bytes); ask for less at a time"),
            )
        } else if self.began.elapsed() > LONGEST {
            (Limit::HistoryTime, format!("the answer took over {} s; ask for less at a time", LONGEST.as_secs()))
        } else {
            return None;
        };
        Some(ApiError::LimitReached { limit, detail, retry_after: None })
    }

    async fn fail(self, error: ApiError) {
        if self.sent > 0 {
            // The status is sent, so no middleware counts it any more.
            match error.limit() {
                Some(limit) => self.metrics.refused(limit),
                None => tracing::warn!(%error, "an answer of history ends in the middle"),
            }
        }
        let _gone = self.send.send_timeout(Err(error), self.history.0.patience).await;
    }
}

/// Reads the next piece on a thread of its own. The turn moves there, and comes back with the end of the work; where this
/// future is dropped, the work is told to end.
async fn read_step(history: History, mut job: Job) -> Result<(Job, Piece), ApiError> {
    let turn = history.0.turns.next().await;
    let (cancel, _stop): (Cancel, StopOnDrop) = Cancel::within(LONGEST_STEP);
    let work = move || {
        let _turn = turn;
        let piece = history.step(&mut job, &cancel);
        piece.map(|piece| (job, piece))
    };
    let read = tokio::task::spawn_blocking(work).await;
    read.map_err(|error| ApiError::Unreadable(error.to_string()))?.map_err(|error| match error {
        PastError::Stopped(Stopped::TooLong) => ApiError::LimitReached {
            limit: Limit::HistoryTime,
            detail: format!(
                "reading the past took over {} s; ask for less at a time, or again later",
                LONGEST_STEP.as_secs()
            ),
            retry_after: Some(RETRY_AFTER),
        },
        PastError::Database(error) => ApiError::Unreadable(error.to_string()),
        PastError::Lost(why) => ApiError::Unreadable(why),
        PastError::Stopped(Stopped::Unwanted) => ApiError::Unreadable(Stopped::Unwanted.to_string()),
    })
}
