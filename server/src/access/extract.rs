//! The types by which a handler gets series and boards. A handler that takes none of them cannot reach any.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use shared::access::{Grant, SeriesScope};
use shared::{BoardId, Capability, Millis, Selector, SeriesName};

use super::principal::{Principal, Who};
use super::read_scope::ReadScope;
use crate::clock;
use crate::http::problem::ApiError;

/// Access to the series that a sender may push to.
#[derive(Clone, Debug)]
pub struct PushAccess(Arc<Principal>);

/// Access to the series and boards that a reader may see.
#[derive(Clone, Debug)]
pub struct ReadAccess(Arc<Principal>);

/// Access to the boards that an editor may change.
#[derive(Clone, Debug)]
pub struct EditAccess(Arc<Principal>);

/// Access to everything.
#[derive(Clone, Debug)]
pub struct AdminAccess(Arc<Principal>);

impl PushAccess {
    /// Access to every series, for code that no request runs.
    #[must_use]
    pub fn everything() -> Self {
        Self(Arc::new(Principal::new(Who::Everyone, Capability::admin(), shared::Seq::ZERO)))
    }

    /// The series that the sender may push to.
    #[must_use]
    pub fn scope(&self) -> &SeriesScope {
        self.0.push_scope()
    }

    /// Returns the name of the sender's token; `None` if it has none.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        match self.0.who() {
            Who::Token(name) => Some(name.as_str()),
            _ => None,
        }
    }

    /// Makes the error for a push to a series that the sender may not push to.
    #[must_use]
    pub fn refuse(&self, series: &str) -> ApiError {
        self.0.refuse(&format!("push to {series}"))
    }
}

impl ReadAccess {
    /// Access to everything.
    #[cfg(test)]
    pub(crate) fn everything() -> Self {
        Self(Arc::new(Principal::new(Who::Everyone, Capability::admin(), shared::Seq::ZERO)))
    }

    /// The scope that a stream has.
    #[must_use]
    pub fn scope(&self) -> Arc<ReadScope> {
        self.0.read_scope().clone()
    }

    /// Returns true if the reader may see a series.
    #[must_use]
    pub fn sees(&self, name: &SeriesName) -> bool {
        self.0.read_scope().series().contains(name)
    }

    /// Returns true if the reader is the visitor without a credential: it sees what everyone may see.
    #[must_use]
    pub fn is_public(&self) -> bool {
        *self.0.who() == Who::Anonymous
    }

    /// Returns true if the reader may see the document of a board. For any other board it is one that nobody made.
    #[must_use]
    pub fn sees_board(&self, id: &BoardId) -> bool {
        self.0.read_scope().sees_board(id)
    }

    /// Checks that the reader may see each series that is named without a wildcard.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`], or [`ApiError::Unauthorized`] for a visitor.
    pub fn check_named(&self, selectors: &[Selector]) -> Result<(), ApiError> {
        let series = self.0.read_scope().series();
        let hidden = selectors.iter().find(|selector| !selector.as_str().contains('*') && !series.covers(selector));
        hidden.map_or(Ok(()), |hidden| Err(self.0.refuse(&format!("read {hidden}"))))
    }

    /// Leaves those series out of wildcards that the reader may not see.
    ///
    /// # Errors
    /// As [`ReadAccess::check_named`].
    pub fn narrow(&self, selectors: Vec<Selector>) -> Result<Vec<Selector>, ApiError> {
        self.check_named(&selectors)?;
        Ok(self.0.read_scope().series().narrow(selectors))
    }

    /// The principal, for a ticket.
    #[must_use]
    pub(super) fn principal(&self) -> &Arc<Principal> {
        &self.0
    }
}

impl EditAccess {
    /// Checks that the editor may change a board.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`], or [`ApiError::Unauthorized`] for a visitor.
    pub fn check(&self, id: &BoardId) -> Result<(), ApiError> {
        let may = self.0.capability().edits_board(id);
        if may { Ok(()) } else { Err(self.0.refuse(&format!("change the board {id}"))) }
    }

    /// Returns true if the server is open to everyone.
    #[must_use]
    pub fn is_everyone(&self) -> bool {
        *self.0.who() == Who::Everyone
    }

    /// Returns the grants by which the editor reads series.
    #[must_use]
    pub fn reading_grants(&self) -> Vec<Grant> {
        let grants = self.0.capability().grants();
        if self.0.capability().is_admin() {
            return vec![Grant::Read("**".parse().expect("it is a selector"))];
        }
        grants.iter().filter(|grant| matches!(grant, Grant::Read(_) | Grant::ReadSeries(_))).cloned().collect()
    }

    /// Checks that the editor's permission lasts until a time.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`].
    pub fn check_until(&self, until: Millis) -> Result<(), ApiError> {
        match self.0.capability().expires() {
            Some(own) if own < until => Err(self.0.refuse(&format!(
                "grant anything for longer than its own permission, which ends at {}",
                clock::rfc3339(own)
            ))),
            _ => Ok(()),
        }
    }

    /// Makes the error for something that the editor may not do: `what` completes "may not …".
    #[must_use]
    pub fn refuse(&self, what: &str) -> ApiError {
        self.0.refuse(what)
    }

    /// What the editor may read.
    #[must_use]
    pub fn reading(&self) -> ReadAccess {
        ReadAccess(self.0.clone())
    }
}

impl AdminAccess {
    /// Returns true if the server is open to everyone.
    #[must_use]
    pub fn is_everyone(&self) -> bool {
        *self.0.who() == Who::Everyone
    }

    /// Checks that the administrator may grant a capability.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`] if it grants more than the administrator has, or for longer.
    pub fn check_grant(&self, capability: &Capability) -> Result<(), ApiError> {
        if self.0.capability().covers(capability) {
            return Ok(());
        }
        let until =
            self.0.capability().expires().map(|at| format!("; its own permission ends at {}", clock::rfc3339(at)));
        Err(self.0.refuse(&format!("grant more than it has, or for longer{}", until.unwrap_or_default())))
    }
}

/// Gives handlers access by the principal that [`super::admission`] admitted. It refused all that lack the access of
/// the route, so a handler must take the type that its route declares.
macro_rules! extracts {
    ($($access:ident),*) => {
        $(impl<S: Sync> FromRequestParts<S> for $access {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
                parts.extensions.get().cloned().map(Self).ok_or(ApiError::Unauthorized)
            }
        })*
    };
}

extracts!(PushAccess, ReadAccess, EditAccess);

impl<S: Sync> FromRequestParts<S> for AdminAccess {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let principal: Arc<Principal> = parts.extensions.get().cloned().ok_or(ApiError::Unauthorized)?;
        if principal.capability().is_admin() { Ok(Self(principal)) } else { Err(principal.refuse("do this")) }
    }
}
