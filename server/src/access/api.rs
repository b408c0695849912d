//! `/api/tokens` and `/api/tickets`: manages tokens, and makes tickets for streams.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRef, Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use shared::access::{CapabilityError, Grant};
use shared::name::NameError;
use shared::{Capability, Duration, Millis};

use super::actor::Actor;
use super::authority::{Authority, ListedToken, no_random};
use super::extract::{AdminAccess, ReadAccess};
use super::secret::Secret;
use super::tickets;
use crate::clock;
use crate::http::forwarded::TrustedProxies;
use crate::http::problem::ApiError;
use crate::http::route::{Access, Methods, Route};
use crate::log::{AuditAction, TokenChange, TokenName, TokenRecord};
use crate::store::Writer;

/// The methods of the list of tokens.
const TOKENS: Methods = &[("GET", Access::Admin), ("POST", Access::Admin)];

/// The routes of tokens and tickets.
#[must_use]
pub fn routes<S>() -> Vec<Route<S>>
where
    S: Clone + Send + Sync + 'static,
    Authority: FromRef<S>,
    TrustedProxies: FromRef<S>,
    Writer: FromRef<S>,
{
    vec![
        Route::new("/api/tokens", TOKENS, get(list).post(create)),
        Route::new("/api/tokens/{name}", &[("DELETE", Access::Admin)], axum::routing::delete(revoke)),
        Route::new("/api/tokens/{name}/rotate", &[("POST", Access::Admin)], post(rotate)),
        Route::new("/api/tickets", &[("POST", Access::Read)], post(ticket)),
    ]
}

/// A request to create a token.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// The name.
    pub name: TokenName,
    /// Everything that its holder may do.
    pub grants: Vec<Grant>,
    /// The time from now on for which it is valid; without it, for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Duration>,
}

/// A token with its secret, which no later answer has.
#[derive(Debug, Serialize, Deserialize)]
pub struct Issued {
    /// The name.
    pub name: TokenName,
    /// The secret.
    pub token: String,
    /// Everything that its holder may do.
    pub grants: Vec<Grant>,
    /// The time at which it ends, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Millis>,
}

/// A token in the list.
#[derive(Debug, Serialize, Deserialize)]
pub struct Listed {
    /// The name.
    pub name: TokenName,
    /// Everything that its holder may do.
    pub grants: Vec<Grant>,
    /// The time at which it ends, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Millis>,
    /// The time at which it was created.
    pub created: Millis,
    /// The time at which it got its present secret, if that is not the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotated: Option<Millis>,
    /// The time at which it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Millis>,
    /// The time of its last use, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<Millis>,
}

impl From<ListedToken> for Listed {
    fn from(ListedToken { record, used }: ListedToken) -> Self {
        let TokenRecord { name, capability, created, rotated, revoked, .. } = record;
        let (grants, expires) = (capability.grants().to_vec(), capability.expires());
        Self { name, grants, expires, created, rotated, revoked, used }
    }
}

/// `GET /api/tokens`: every token by name, also revoked ones, without their secrets.
async fn list(State(authority): State<Authority>, _admin: AdminAccess) -> Json<Vec<Listed>> {
    Json(authority.tokens().into_iter().map(Listed::from).collect())
}

/// `POST /api/tokens`: creates a token. The answer has its secret.
///
/// # Errors
/// [`ApiError`]; then there is no such token.
async fn create(
    State(authority): State<Authority>,
    State(writer): State<Writer>,
    admin: AdminAccess,
    actor: Actor,
    body: Result<Json<NewToken>, JsonRejection>,
) -> Result<(StatusCode, Json<Issued>), ApiError> {
    let Json(NewToken { name, grants, lasts }) = body.map_err(|rejection| match rejection {
        JsonRejection::JsonDataError(error) => {
            ApiError::field("token", "an object with name, grants and perhaps lasts", error.body_text())
        }
        error => ApiError::Malformed(error.body_text()),
    })?;
    let at = clock::now().wall;
    let expires = lasts.map(|lasts| at.plus(lasts.as_millis()));
    let capability = Capability::new(grants, expires).map_err(wrong_grants)?;
    check_first(&authority, &admin, &capability)?;
    admin.check_grant(&capability)?;
    let secret = Secret::draw().map_err(no_random)?;
    let by = actor.by(AuditAction::TokenCreated, name.as_str(), &described(&capability));
    let change = TokenChange::Create { name, hash: secret.hash(), capability, at };
    let record = writer.change_token(change, by).await??;
    tracing::info!(token = %record.name, "created a token");
    Ok((StatusCode::CREATED, Json(issued(record, &secret))))
}

/// Describes a capability, for the audit log.
#[must_use]
pub fn described(capability: &Capability) -> String {
    let grants: Vec<_> = capability.grants().iter().map(ToString::to_string).collect();
    let until = capability.expires().map(|at| format!(" until {}", clock::rfc3339(at)));
    format!("{}{}", grants.join(", "), until.unwrap_or_default())
}

/// Checks the first token of a server that is open: from then on, everything is denied that no token grants.
pub(super) fn check_first(authority: &Authority, admin: &AdminAccess, capability: &Capability) -> Result<(), ApiError> {
    if !admin.is_everyone() {
        return Ok(());
    }
    if !authority.may_begin() {
        let detail = "everyone can reach this server, so the first token or user is created where it runs: stop it, and \
                      run pulseboard token create NAME --admin --data FOLDER";
        return Err(ApiError::Forbidden { detail: detail.to_owned(), errors: Vec::new() });
    }
    if !is_first(capability) {
        let expected = "admin, without an end, for the first token or user: from then on the server denies everything \
                        that nobody was granted, and another one could not be created";
        let grants: Vec<_> = capability.grants().iter().map(ToString::to_string).collect();
        return Err(ApiError::field("grants", expected, grants.join(", ")));
    }
    Ok(())
}

/// Returns true if the capability can be that of the first token.
#[must_use]
pub fn is_first(capability: &Capability) -> bool {
    capability.is_admin() && capability.expires().is_none()
}

pub(super) fn wrong_grants(error: CapabilityError) -> ApiError {
    ApiError::field("grants", "what the holder may do", error.to_string())
}

/// `POST /api/tokens/{name}/rotate`: gives a token another secret. The former one is refused from then on.
async fn rotate(
    State(writer): State<Writer>,
    State(authority): State<Authority>,
    admin: AdminAccess,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<Json<Issued>, ApiError> {
    let name = parse_name(&name)?;
    // The new secret may be one that the administrator keeps.
    let of_name = authority.tokens().into_iter().find(|token| token.record.name == name);
    of_name.map_or(Ok(()), |token| admin.check_grant(&token.record.capability))?;
    let secret = Secret::draw().map_err(no_random)?;
    let by = actor.by(AuditAction::TokenRotated, name.as_str(), "");
    let change = TokenChange::Rotate { name, hash: secret.hash(), at: clock::now().wall };
    let record = writer.change_token(change, by).await??;
    tracing::info!(token = %record.name, "gave a token another secret");
    Ok(Json(issued(record, &secret)))
}

/// `DELETE /api/tokens/{name}`: revokes a token. Its streams end within a second.
async fn revoke(
    State(writer): State<Writer>,
    _admin: AdminAccess,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    let name = parse_name(&name)?;
    let by = actor.by(AuditAction::TokenRevoked, name.as_str(), "");
    let record = writer.change_token(TokenChange::Revoke { name, at: clock::now().wall }, by).await??;
    tracing::info!(token = %record.name, "revoked a token");
    Ok(StatusCode::NO_CONTENT)
}

fn parse_name(text: &str) -> Result<TokenName, ApiError> {
    text.parse().map_err(|error: NameError| ApiError::field("name", "a name like office", format!("{text:?}: {error}")))
}

fn issued(TokenRecord { name, capability, .. }: TokenRecord, secret: &Secret) -> Issued {
    let (grants, expires) = (capability.grants().to_vec(), capability.expires());
    Issued { name, token: secret.reveal().to_owned(), grants, expires }
}

/// The answer to `POST /api/tickets`.
#[derive(Debug, Serialize)]
struct Ticket {
    ticket: String,
    lasts_ms: u64,
}

/// `POST /api/tickets`: makes a ticket, which opens one stream with the permissions of its maker:
/// `/sse?series=…&ticket=TICKET`.
async fn ticket(
    State(authority): State<Authority>,
    access: ReadAccess,
) -> Result<(StatusCode, Json<Ticket>), ApiError> {
    let secret = authority.make_ticket(access.principal().clone())?;
    Ok((StatusCode::CREATED, Json(Ticket { ticket: secret.reveal().to_owned(), lasts_ms: tickets::LASTS_MS })))
}
