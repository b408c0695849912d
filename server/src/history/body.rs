//! Streams an answer from the disk to the socket.
//!
//! A task reads the [`Job`] step by step and sends each piece through a channel of capacity one; the body of the
//! response receives them as hyper polls it. So only a few pieces of an answer are in memory, however long it is and
//! however slowly the client reads. The task ends when the body is dropped (the request was reset, or the connection
//! closed), or when the client takes no piece for a heartbeat interval.
//!
//! An error before the first piece is answered with problem+json. Later the status is sent already, so the body ends
//! with an error: over HTTP/1.1 the last chunk is missing, over HTTP/2 the stream is reset. So no client mistakes a
//! part for the whole.

use std::time::{Duration, Instant};

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::History;
use super::cancel::{Cancel, StopOnDrop};
use super::error::{HistoryError, LONGEST_STEP_SECONDS};
use super::job::{Job, Piece};
use super::read_queue::AnswerSlot;
use crate::limits::Limit;
use crate::limits::client::LimitedClient;
use crate::monitoring::metrics::Metrics;

/// Maximum time that one step, which fills some 64 KiB, may read.
const LONGEST_STEP: Duration = Duration::from_secs(LONGEST_STEP_SECONDS);

/// Maximum time that a whole answer may take.
const LONGEST: Duration = Duration::from_secs(600);

/// Starts an answer. Returns its body once its first piece is read.
///
/// # Errors
/// [`HistoryError`] if the answer fails before its first piece.
pub(super) async fn start(
    history: History,
    client: LimitedClient,
    job: Job,
    metrics: Metrics,
) -> Result<Body, HistoryError> {
    let slot = history.0.queue.open(client)?;
    let (send, mut pieces) = mpsc::channel(1);
    let task = Answering { history, send, metrics, began: Instant::now(), sent: 0, _slot: slot };
    tokio::spawn(task.run(job));
    let first = pieces.recv().await.ok_or_else(|| HistoryError::Unreadable("the server is stopping".to_owned()))??;
    if first.last {
        return Ok(Body::from(first.bytes));
    }
    let rest = Rest { pieces, first: Some(first), ended: false };
    Ok(Body::from_stream(stream::unfold(rest, |mut rest| async { Some((rest.next().await?, rest)) })))
}

/// The rest of an answer.
#[derive(Debug)]
struct Rest {
    pieces: Receiver<Result<Piece, HistoryError>>,
    first: Option<Piece>,
    ended: bool,
}

impl Rest {
    async fn next(&mut self) -> Option<Result<Bytes, HistoryError>> {
        if self.ended {
            return None;
        }
        let piece = match self.first.take() {
            Some(first) => Ok(first),
            None => {
                self.pieces.recv().await.unwrap_or_else(|| Err(HistoryError::Unreadable("it was cut short".to_owned())))
            }
        };
        self.ended = !matches!(piece, Ok(Piece { last: false, .. }));
        Some(piece.map(|piece| piece.bytes.into()))
    }
}

/// The task of one answer.
struct Answering {
    history: History,
    send: Sender<Result<Piece, HistoryError>>,
    metrics: Metrics,
    began: Instant,
    /// Bytes that were passed on so far.
    sent: u64,
    _slot: AnswerSlot,
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
            let (last, bytes) = (piece.last, piece.bytes.len() as u64);
            if let Some(error) = self.over_bound(bytes) {
                return self.fail(error).await;
            }
            match self.send.send_timeout(Ok(piece), self.history.0.patience).await {
                Ok(()) if last => return,
                Ok(()) => self.sent += bytes,
                Err(SendTimeoutError::Closed(_)) => return,
                Err(SendTimeoutError::Timeout(_)) => {
                    tracing::debug!(
                        sent = self.sent,
                        "the client does not read an answer of history, so it is cut off"
                    );
                    return self.metrics.refused(Limit::HistoryUnread);
                }
            }
        }
    }

    /// Returns an error if `more` bytes would make the answer too long, or if it took too long already.
    fn over_bound(&self, more: u64) -> Option<HistoryError> {
        let most = self.history.0.max_bytes;
        if self.sent.saturating_add(more) > most {
            Some(HistoryError::TooLong(most))
        } else {
            (self.began.elapsed() > LONGEST).then_some(HistoryError::TooSlow(LONGEST.as_secs()))
        }
    }

    async fn fail(self, error: HistoryError) {
        if self.sent > 0 {
            // The status is sent already, so the middleware cannot count the refusal.
            match error.limit() {
                Some(limit) => self.metrics.refused(limit),
                None => tracing::warn!(%error, "an answer of history was cut off"),
            }
        }
        let _gone = self.send.send_timeout(Err(error), self.history.0.patience).await;
    }
}

/// Reads the next piece on a blocking thread. The permit moves to that thread and is released when the work ends.
/// Dropping the future cancels the work.
async fn read_step(history: History, mut job: Job) -> Result<(Job, Piece), HistoryError> {
    let permit = history.0.queue.next().await;
    let (cancel, _stop): (Cancel, StopOnDrop) = Cancel::within(LONGEST_STEP);
    let work = move || {
        let _permit = permit;
        let piece = history.step(&mut job, &cancel);
        piece.map(|piece| (job, piece))
    };
    let read = tokio::task::spawn_blocking(work).await;
    Ok(read.map_err(|error| HistoryError::Unreadable(error.to_string()))??)
}
