//! `/api/users`: manages users and their sessions.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRef, Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, put};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use shared::access::Grant;
use shared::name::NameError;
use shared::{Capability, Millis};

use super::actor::Actor;
use super::api::{check_first, described, wrong_grants};
use super::authority::Authority;
use super::extract::AdminAccess;
use super::sign_in::SignIn;
use crate::clock;
use crate::http::forwarded::TrustedProxies;
use crate::http::problem::ApiError;
use crate::http::route::{Access, Methods, Route};
use crate::log::{AuditAction, By, UserChange, UserName, UserState};
use crate::store::Writer;

/// The methods of the list of users.
const USERS: Methods = &[("GET", Access::Admin), ("POST", Access::Admin)];

/// The routes of users.
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
        Route::new("/api/users", USERS, get(list).post(add)),
        Route::new("/api/users/{name}", &[("DELETE", Access::Admin)], delete(remove)),
        Route::new("/api/users/{name}/grants", &[("PUT", Access::Admin)], put(set_grants)),
        Route::new("/api/users/{name}/password", &[("PUT", Access::Admin)], put(set_password)),
        Route::new("/api/users/{name}/sessions", &[("DELETE", Access::Admin)], delete(end_sessions)),
    ]
}

/// A request to add a user.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// The name.
    pub name: UserName,
    /// The password.
    pub password: String,
    /// Everything that the user may do. If it is absent or empty, the first user is an administrator, and others are refused.
    #[serde(default)]
    pub grants: Vec<Grant>,
}

/// A request to change what a user may do.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewGrants {
    /// Everything that the user may do.
    pub grants: Vec<Grant>,
}

/// A request to change the password of a user.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The password.
    pub password: String,
}

/// A user in the list.
#[derive(Debug, Serialize, Deserialize)]
pub struct ListedUser {
    /// The name.
    pub name: UserName,
    /// Everything that the user may do.
    pub grants: Vec<Grant>,
    /// The time at which the user was added.
    pub created: Millis,
    /// The time of the last change.
    pub changed: Millis,
    /// The number of browsers in which the user is signed in.
    pub sessions: usize,
}

impl ListedUser {
    /// Lists a user as of `now`; `None` for one that was removed.
    #[must_use]
    pub fn of(UserState { user, sessions }: UserState, now: Millis) -> Option<Self> {
        let sessions = sessions.iter().filter(|session| session.expires > now).count();
        let (grants, created, changed) = (user.capability.grants().to_vec(), user.created, user.changed);
        user.removed.is_none().then_some(Self { name: user.name, grants, created, changed, sessions })
    }
}

/// `GET /api/users`: every user, by name.
async fn list(State(authority): State<Authority>, _admin: AdminAccess) -> Json<Vec<ListedUser>> {
    let now = clock::now().wall;
    Json(authority.users().into_iter().filter_map(|user| ListedUser::of(user, now)).collect())
}

/// `POST /api/users`: adds a user.
///
/// # Errors
/// [`ApiError`]; then there is no such user.
async fn add(
    State(authority): State<Authority>,
    State(sign_in): State<SignIn>,
    State(writer): State<Writer>,
    admin: AdminAccess,
    actor: Actor,
    body: Result<Json<NewUser>, JsonRejection>,
) -> Result<StatusCode, ApiError> {
    let NewUser { name, password, grants } = read(body, "an object with name, password and grants")?;
    let grants = if admin.is_everyone() { grants_of_first(grants) } else { grants };
    let capability = Capability::new(grants, None).map_err(wrong_grants)?;
    check_first(&authority, &admin, &capability)?;
    admin.check_grant(&capability)?;
    let password = sign_in.passwords.hash(password).await?;
    tracing::info!(user = %name, "adding a user");
    let by = actor.by(AuditAction::UserAdded, name.as_str(), &described(&capability));
    writer.change_user(UserChange::Add { name, password, capability, at: clock::now().wall }, by).await??;
    Ok(StatusCode::CREATED)
}

/// Returns the grants of the first user: an administrator, unless the request says more.
#[must_use]
pub fn grants_of_first(grants: Vec<Grant>) -> Vec<Grant> {
    if grants.is_empty() { vec![Grant::Admin] } else { grants }
}

/// `DELETE /api/users/{name}`: removes a user with all sessions.
async fn remove(
    State(writer): State<Writer>,
    _admin: AdminAccess,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    let name = parse_name(&name)?;
    let by = actor.by(AuditAction::UserRemoved, name.as_str(), "");
    change(&writer, UserChange::Remove { name, at: clock::now().wall }, by).await
}

/// `PUT /api/users/{name}/grants`: changes what a user may do. The sessions go on.
async fn set_grants(
    State(writer): State<Writer>,
    admin: AdminAccess,
    actor: Actor,
    Path(name): Path<String>,
    body: Result<Json<NewGrants>, JsonRejection>,
) -> Result<StatusCode, ApiError> {
    let (name, NewGrants { grants }) = (parse_name(&name)?, read(body, "an object with grants")?);
    let capability = Capability::new(grants, None).map_err(wrong_grants)?;
    admin.check_grant(&capability)?;
    let by = actor.by(AuditAction::UserGranted, name.as_str(), &described(&capability));
    change(&writer, UserChange::SetCapability { name, capability, at: clock::now().wall }, by).await
}

/// `PUT /api/users/{name}/password`: sets another password, and ends all sessions of the user.
async fn set_password(
    State(sign_in): State<SignIn>,
    State(writer): State<Writer>,
    State(authority): State<Authority>,
    admin: AdminAccess,
    actor: Actor,
    Path(name): Path<String>,
    body: Result<Json<NewPassword>, JsonRejection>,
) -> Result<StatusCode, ApiError> {
    let (name, NewPassword { password }) = (parse_name(&name)?, read(body, "an object with password")?);
    // An administrator who knows the password of a user has all that the user has.
    if let Some(state) = authority.user(&name) {
        admin.check_grant(&state.user.capability)?;
    }
    let password = sign_in.passwords.hash(password).await?;
    let by = actor.by(AuditAction::PasswordSet, name.as_str(), "");
    change(&writer, UserChange::SetPassword { name, password, at: clock::now().wall }, by).await
}

/// `DELETE /api/users/{name}/sessions`: signs a user out everywhere.
async fn end_sessions(
    State(writer): State<Writer>,
    _admin: AdminAccess,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    let name = parse_name(&name)?;
    let by = actor.by(AuditAction::SessionsEnded, name.as_str(), "");
    change(&writer, UserChange::EndSessions { name }, by).await
}

async fn change(writer: &Writer, change: UserChange, by: By) -> Result<StatusCode, ApiError> {
    let UserState { user, .. } = writer.change_user(change, by).await??;
    tracing::info!(user = %user.name, "changed a user");
    Ok(StatusCode::NO_CONTENT)
}

fn read<T: DeserializeOwned>(body: Result<Json<T>, JsonRejection>, expected: &str) -> Result<T, ApiError> {
    let Json(read) = body.map_err(|rejection| match rejection {
        JsonRejection::JsonDataError(error) => ApiError::field("user", expected, error.body_text()),
        error => ApiError::Malformed(error.body_text()),
    })?;
    Ok(read)
}

fn parse_name(text: &str) -> Result<UserName, ApiError> {
    text.parse().map_err(|error: NameError| ApiError::field("name", "a name like ann", format!("{text:?}: {error}")))
}
