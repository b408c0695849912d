//! A server of Server-Sent Events with plain axum, as in tutorials: `Sse` over a broadcast channel.

use std::convert::Infallible;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::routing::{get, post};
use futures_util::{Stream, StreamExt as _};
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;

/// Serves until it is killed.
pub(crate) async fn run() -> anyhow::Result<()> {
    let (sender, _) = broadcast::channel::<String>(16_384);
    let app = Router::new().route("/sub", get(subscribe)).route("/pub", post(publish)).with_state(sender);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

async fn subscribe(
    State(sender): State<broadcast::Sender<String>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let messages = BroadcastStream::new(sender.subscribe());
    // A lagging reader skips the lost events, and its count shows it.
    Sse::new(messages.filter_map(async |message| Some(Ok(Event::default().data(message.ok()?)))))
}

async fn publish(State(sender): State<broadcast::Sender<String>>, body: String) -> StatusCode {
    let _readers = sender.send(body);
    StatusCode::NO_CONTENT
}
