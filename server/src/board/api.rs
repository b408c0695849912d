//! `/api/boards` and `/api/boards/{id}`: lists, reads, stores and deletes boards over HTTP.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, FromRef, Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing;
use serde::{Deserialize, Serialize};
use shared::board::document::MAX_DOCUMENT;
use shared::board::keyword::Keyword as _;
use shared::board::{BoardFormat, Etag};
use shared::name::NameError;
use shared::problem::FieldError;
use shared::{BoardId, Millis, Selector};

use super::edition::DocumentOrigin;
use super::parsing::off_thread;
use super::precondition::Conditions;
use super::registry::Put;
use super::{BoardRegistry, Document, Refusal, accept};
use crate::access::{Actor, EditAccess, ReadAccess};
use crate::http::forwarded::TrustedProxies;
use crate::http::problem::ApiError;
use crate::http::route::{BOARD, READ, Route};
use crate::hub::driver::HubHandle;

/// The routes of the boards.
#[must_use]
pub fn routes<S>() -> Vec<Route<S>>
where
    S: Clone + Send + Sync + 'static,
    BoardRegistry: FromRef<S>,
    HubHandle: FromRef<S>,
    TrustedProxies: FromRef<S>,
{
    let one = routing::get(get).put(put).delete(delete);
    vec![
        Route::new("/api/boards", READ, routing::get(list)),
        Route::new("/api/boards/{id}", BOARD, one.layer(DefaultBodyLimit::max(MAX_DOCUMENT))),
    ]
}

/// An entry of the list of boards.
#[derive(Debug, Serialize)]
pub struct Listed {
    id: BoardId,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    series: Vec<Selector>,
    etag: Etag,
    origin: &'static str,
    changed: Millis,
}

/// `GET /api/boards`: every board that has a document, by name: `[{"id", "title", "series": [selectors], "etag",
/// "origin": "stored" or "file", "changed"}]`.
pub async fn list(State(boards): State<BoardRegistry>, access: ReadAccess) -> Json<Vec<Listed>> {
    let all = boards.list().into_iter().filter(|(id, _)| access.sees_board(id)).map(|(id, edition)| Listed {
        id,
        title: edition.document.board().title.clone(),
        series: edition.document.board().selectors(),
        etag: edition.document.etag(),
        origin: match edition.origin {
            DocumentOrigin::Stored => "stored",
            DocumentOrigin::File(_) => "file",
        },
        changed: edition.changed,
    });
    Json(all.collect())
}

/// `GET /api/boards/{id}`: the document in the requested form: by `?form=json` or `?form=toml`, otherwise by `Accept`,
/// which not every client can set. In the form in which it is stored, it comes back byte for byte.
///
/// # Errors
/// [`Refusal::NotMade`], [`Refusal::NotAcceptable`], [`ApiError::Invalid`].
pub async fn get(
    State(boards): State<BoardRegistry>,
    access: ReadAccess,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let named = wanted_form(query.as_deref().unwrap_or_default())?;
    let id = parse_id(&id)?;
    let shown = boards.get(&id).filter(|_| access.sees_board(&id));
    let document = shown.ok_or(Refusal::NotMade(id))?.document;
    let wanted = text_of(&headers, &header::ACCEPT);
    let Some(form) = named.or_else(|| accept::choose(&headers, document.form())) else {
        return Err(Refusal::NotAcceptable(wanted.unwrap_or_default()).into());
    };
    let (etag, text) = if form == document.form() {
        document.written_in(form)
    } else {
        off_thread(move || document.written_in(form)).await?
    };
    // `no-cache`: a cache asks before each use if the board is still the same.
    let about = [
        (header::ETAG, etag.to_string()),
        (header::VARY, "Accept".to_owned()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    if Conditions::of(&headers).has_already(etag) {
        return Ok((StatusCode::NOT_MODIFIED, about).into_response());
    }
    Ok((about, [(header::CONTENT_TYPE, form.content_type())], text).into_response())
}

/// The body of a successful PUT that has warnings.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Stored {
    /// Warnings: parts of the document that its author may not have meant, each with its place.
    pub notices: Vec<FieldError>,
}

/// `PUT /api/boards/{id}`: 201 where the board is new, 204 where it was replaced; see [`super::precondition`]. If the
/// document has warnings ([`shared::board::warnings`]), the body lists them: `{"notices": [{"field", "expected",
/// "got"}]}`, with 200 in the place of 204.
///
/// With `?form=toml` or `?form=json` the document is stored in that form, whichever form it is sent in. JSON that
/// replaces a TOML document and is to be stored as TOML changes the old text only where the content differs. So a user
/// who edits a file with comments keeps them.
///
/// # Errors
/// [`Refusal`], or [`ApiError::Invalid`] with every mistake of the document.
pub async fn put(
    State(boards): State<BoardRegistry>,
    State(hub): State<HubHandle>,
    (access, actor): (EditAccess, Actor),
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let id = parse_id(&id)?;
    access.check(&id)?;
    let wanted = wanted_form(query.as_deref().unwrap_or_default())?;
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge.into(),
        _ => ApiError::Malformed(format!("the body broke off: {}", rejection.body_text())),
    })?;
    let form = form_of(text_of(&headers, &header::CONTENT_TYPE).as_deref(), &body)?;
    let before = boards.get(&id).map(|edition| edition.document);
    let read = move || {
        let document = Document::read(form, body.into())?;
        keep(document, wanted.unwrap_or(form), before.as_deref())
    };
    let (document, mut notices) = off_thread(read).await??;
    let (etag, board) = ((header::ETAG, document.etag().to_string()), document.board().clone());
    let put = boards.put(id.clone(), document, Conditions::of(&headers), &actor).await?;
    let (selecting, scope) = (hub.selecting().clone(), access.reading().scope());
    let judge = move || {
        let missing = selecting.without_series(board.selectors(), scope.series());
        shared::board::warnings(&board, &|selector| missing.binary_search(selector).is_err())
    };
    notices.extend(off_thread(judge).await?);
    let quiet = notices.is_empty();
    let body = if quiet { ().into_response() } else { Json(Stored { notices }).into_response() };
    Ok(match put {
        Put::Made => {
            let location = (header::LOCATION, format!("/api/boards/{}", super::escaped(&id)));
            (StatusCode::CREATED, [etag, location], body).into_response()
        }
        Put::Replaced if quiet => (StatusCode::NO_CONTENT, [etag]).into_response(),
        Put::Replaced => ([etag], body).into_response(),
    })
}

/// Converts the document to the form in which it is to be stored, in the place of `before`. Also returns a warning if
/// comments were lost.
fn keep(
    document: Document,
    form: BoardFormat,
    before: Option<&Document>,
) -> Result<(Document, Vec<FieldError>), ApiError> {
    let toml = before.filter(|_| (document.form(), form) == (BoardFormat::Json, BoardFormat::Toml));
    if let Some(changed) = toml.and_then(|before| document.changed_in(before)) {
        return Ok((changed, Vec::new()));
    }
    let had_comments = toml.is_some_and(|before| before.form() == BoardFormat::Toml && before.source().contains('#'));
    let lost = had_comments.then(|| FieldError {
        line: None,
        field: "document".to_owned(),
        expected: "a change that can be made within the text".to_owned(),
        got: "one for which it was written anew, without its comments".to_owned(),
    });
    Ok((document.stored_in(form)?, lost.into_iter().collect()))
}

/// `DELETE /api/boards/{id}`: 204; the board shows all series under its name again.
///
/// # Errors
/// [`Refusal`].
pub async fn delete(
    State(boards): State<BoardRegistry>,
    access: EditAccess,
    actor: Actor,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let id = parse_id(&id)?;
    access.check(&id)?;
    boards.delete(id, Conditions::of(&headers), &actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn parse_id(text: &str) -> Result<BoardId, ApiError> {
    text.parse().map_err(|error: NameError| ApiError::field("id", "a name like ops", format!("{text:?}: {error}")))
}

/// Reads the form from the query: `form=toml` or `form=json`.
fn wanted_form(query: &str) -> Result<Option<BoardFormat>, ApiError> {
    let Some(word) = query.split('&').find_map(|pair| pair.strip_prefix("form=")) else { return Ok(None) };
    BoardFormat::of(word).map(Some).ok_or_else(|| ApiError::field("form", BoardFormat::offer(), format!("{word:?}")))
}

fn text_of(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Determines the form of a body. If the content type does not say (`curl` sends every body as a form), a body that
/// begins with a brace is JSON: no TOML document does.
fn form_of(content_type: Option<&str>, body: &[u8]) -> Result<BoardFormat, ApiError> {
    let name = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match name.as_str() {
        "application/json" => Ok(BoardFormat::Json),
        "application/toml" | "text/x-toml" => Ok(BoardFormat::Toml),
        "" | "application/x-www-form-urlencoded" | "application/octet-stream" | "text/plain" => {
            match body.trim_ascii_start().first() {
                None => Err(ApiError::Malformed("the body is empty; send a document, at least {}".to_owned())),
                Some(b'{') => Ok(BoardFormat::Json),
                Some(_) => Ok(BoardFormat::Toml),
            }
        }
        _ => Err(Refusal::UnknownForm(name).into()),
    }
}
