//! `/api/links` and `/link/{secret}`: makes links that show one board, and opens them.
//!
//! The secret is in the address only until the browser opens it: the answer swaps it for a cookie, and leads to the board.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRef, Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use shared::name::NameError;
use shared::{BoardId, Duration, Millis};

use super::actor::Actor;
use super::authority::{Authority, no_random};
use super::extract::EditAccess;
use super::secret::{self, Secret};
use super::sign_in::SignIn;
use crate::clock;
use crate::http::forwarded::TrustedProxies;
use crate::http::problem::ApiError;
use crate::http::route::{Access, Methods, PUBLIC, Route};
use crate::limits::client::Client;
use crate::log::{AuditAction, LinkChange, LinkId, LinkRecord, NewLink};
use crate::store::Writer;

/// The methods of the list of links.
const LINKS: Methods = &[("GET", Access::Edit), ("POST", Access::Edit)];

/// The time for which a link is valid if its maker says nothing else: 30 days.
const USUAL: u64 = 30 * 86_400_000;

/// The longest time for which a link can be valid: a year.
const LONGEST: u64 = 366 * 86_400_000;

/// The characters of an id.
const ID_LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// The number of characters of an id.
const ID_LENGTH: usize = 8;

/// The routes of links.
#[must_use]
pub fn routes<S>() -> Vec<Route<S>>
where
    S: Clone + Send + Sync + 'static,
    Authority: FromRef<S>,
    SignIn: FromRef<S>,
    TrustedProxies: FromRef<S>,
    Writer: FromRef<S>,
{
    vec![
        Route::new("/api/links", LINKS, get(list).post(create)),
        Route::new("/api/links/{id}", &[("DELETE", Access::Edit)], delete(revoke)),
        Route::new("/link/{secret}", PUBLIC, get(open)),
    ]
}

/// A request to make a link.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkRequest {
    /// The board.
    pub board: BoardId,
    /// The time from now on for which it is valid; 30 days if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Duration>,
}

/// A link with its secret, which no later answer has.
#[derive(Debug, Serialize, Deserialize)]
pub struct MadeLink {
    /// The id, by which it is revoked.
    pub id: LinkId,
    /// The board.
    pub board: BoardId,
    /// The address, from the root of the server on.
    pub path: String,
    /// The time at which it ends.
    pub expires: Millis,
}

/// A link in the list.
#[derive(Debug, Serialize, Deserialize)]
pub struct ListedLink {
    /// The id.
    pub id: LinkId,
    /// The board.
    pub board: BoardId,
    /// The maker, such as `user ann`.
    pub maker: String,
    /// The time at which it was made.
    pub created: Millis,
    /// The time at which it ends.
    pub expires: Millis,
    /// The time at which it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Millis>,
}

impl From<LinkRecord> for ListedLink {
    fn from(LinkRecord { link, revoked, .. }: LinkRecord) -> Self {
        let NewLink { id, board, maker, created, expires, .. } = link;
        Self { id, board, maker, created, expires, revoked }
    }
}

/// `GET /api/links`: the links of all boards that the sender may change, without their secrets.
async fn list(State(authority): State<Authority>, access: EditAccess) -> Json<Vec<ListedLink>> {
    let links = authority.links().into_iter().filter(|record| access.check(&record.link.board).is_ok());
    Json(links.map(ListedLink::from).collect())
}

/// `POST /api/links`: makes a link. The answer has its address.
///
/// # Errors
/// [`ApiError::Forbidden`] if the sender may not change the board, may read none of its series, or for less long.
async fn create(
    State(authority): State<Authority>,
    State(writer): State<Writer>,
    access: EditAccess,
    actor: Actor,
    body: Result<Json<LinkRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<MadeLink>), ApiError> {
    let Json(LinkRequest { board, lasts }) = body.map_err(|rejection| match rejection {
        JsonRejection::JsonDataError(error) => {
            ApiError::field("link", "an object with board and perhaps lasts", error.body_text())
        }
        error => ApiError::Malformed(error.body_text()),
    })?;
    access.check(&board)?;
    if access.is_everyone() {
        let detail = "this server is open: everyone who reaches it can see the board without a link; links are for servers \
                      with tokens or users";
        return Err(ApiError::Forbidden { detail: detail.to_owned(), errors: Vec::new() });
    }
    let lasts = lasts.map_or(USUAL, Duration::as_millis);
    if lasts > LONGEST {
        return Err(ApiError::field("lasts", "at most 366d", format!("{lasts} ms")));
    }
    let created = clock::now().wall;
    let (expires, scope) = (created.plus(lasts), access.reading_grants());
    access.check_until(expires)?;
    if authority.hides_all(&board, &scope) {
        return Err(access.refuse(&format!("read any series of the board {board}, so a link would show nothing")));
    }
    let (secret, id) = (Secret::draw().map_err(no_random)?, draw_id()?);
    let by = actor.by(AuditAction::LinkMade, id.as_str(), &format!("board {board} until {expires}"));
    let maker = actor.who().to_owned();
    let link = NewLink { id, hash: secret.hash(), board, scope, maker, created, expires };
    let LinkRecord { link, .. } = writer.change_link(LinkChange::Create(link), by).await??;
    tracing::info!(link = %link.id, board = %link.board, "made a link");
    let path = format!("/link/{}", secret.reveal());
    Ok((StatusCode::CREATED, Json(MadeLink { id: link.id, board: link.board, path, expires })))
}

/// `DELETE /api/links/{id}`: revokes a link. Its streams end within a second.
async fn revoke(
    State(authority): State<Authority>,
    State(writer): State<Writer>,
    access: EditAccess,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let id: LinkId = id.parse().map_err(|error: NameError| {
        ApiError::field("id", "the id of a link, as in the list", format!("{id:?}: {error}"))
    })?;
    // A link of a board that the sender may not change is for it as if there were none.
    let known = authority.links().into_iter().find(|record| record.link.id == id);
    let known = known.filter(|record| access.check(&record.link.board).is_ok());
    let Some(LinkRecord { link, .. }) = known else { return Err(crate::log::LinkRefusal::Absent(id).into()) };
    let by = actor.by(AuditAction::LinkRevoked, id.as_str(), &format!("board {}", link.board));
    let record = writer.change_link(LinkChange::Revoke { id, at: clock::now().wall }, by).await??;
    tracing::info!(link = %record.link.id, "revoked a link");
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /link/{secret}`: sets the cookie of the link, and leads to its board. The query goes on to the board, so that a link
/// can show a range or a moment.
async fn open(
    State(sign_in): State<SignIn>,
    client: Option<Extension<Client>>,
    Path(secret): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let now = clock::now().wall;
    let link = secret::hash_of(&secret).and_then(|hash| sign_in.authority.link_of(&hash, now));
    let Some(LinkRecord { link, .. }) = link else { return sign_in.no_link() };
    let query = query.filter(|query| query.bytes().all(|byte| byte.is_ascii_graphic()));
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let board = percent_encoding::utf8_percent_encode(link.board.as_str(), percent_encoding::NON_ALPHANUMERIC);
    let max_age = u32::try_from(link.expires.since(now) / 1_000).unwrap_or(u32::MAX);
    let cookie = sign_in.link_cookie(&headers, client.map(|Extension(client)| client), &secret, max_age);
    // Relative, because a proxy may serve all of this below a path.
    let location = HeaderValue::try_from(format!("../b/{board}{query}")).expect("it is plain ASCII");
    (StatusCode::SEE_OTHER, [(header::LOCATION, location), (header::SET_COOKIE, cookie)]).into_response()
}

fn draw_id() -> Result<LinkId, ApiError> {
    let mut bytes = [0; ID_LENGTH];
    getrandom::fill(&mut bytes).map_err(no_random)?;
    let id: String = bytes.iter().map(|byte| char::from(ID_LETTERS[usize::from(byte % 32)])).collect();
    Ok(id.parse().expect("letters and digits are an id"))
}
