//! A principal: the sender of a request, as far as its credential identifies it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use shared::access::{Grant, SeriesScope};
use shared::{Capability, Millis, Seq};

use super::read_scope::ReadScope;
use crate::http::problem::ApiError;
use crate::log::{LinkId, TokenName, TokenRecord, UserName};

/// The time of the last use is kept in steps of a minute: nobody needs it more exactly, and few requests write to it.
const USE_STEP_MS: u64 = 60_000;

/// The identity of a principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Everyone, on a server without credentials.
    Everyone,
    /// A visitor without a credential.
    Anonymous,
    /// The holder of a token.
    Token(TokenName),
    /// A user who has signed in.
    User(UserName),
    /// The holder of a link.
    Link(LinkId),
    /// The server's own agent.
    Agent,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("everyone"),
            Self::Anonymous => f.write_str("anonymous"),
            Self::Token(name) => write!(f, "token {name}"),
            Self::User(name) => write!(f, "user {name}"),
            Self::Link(id) => write!(f, "link {id}"),
            Self::Agent => f.write_str("agent"),
        }
    }
}

/// The sender of a request and everything that it may do.
#[derive(Debug)]
pub struct Principal {
    who: Who,
    capability: Capability,
    push: SeriesScope,
    read: Arc<ReadScope>,
    /// The time of the last use in milliseconds; 0 if there was none.
    used: AtomicU64,
}

impl Principal {
    /// Makes a principal, which has its capability since this position of the log.
    #[must_use]
    pub fn new(who: Who, capability: Capability, since: Seq) -> Self {
        let push = capability.push_scope();
        let read = Arc::new(ReadScope::new(capability.clone(), since));
        Self { who, capability, push, read, used: AtomicU64::new(0) }
    }

    /// Makes the holder of a token, which was last used at `used`.
    #[must_use]
    pub fn of_token(token: &TokenRecord, used: Option<Millis>) -> Self {
        let principal = Self::new(Who::Token(token.name.clone()), token.capability.clone(), token.since);
        principal.used.store(used.unwrap_or_default().0, Ordering::Relaxed);
        principal
    }

    /// The identity.
    #[must_use]
    pub fn who(&self) -> &Who {
        &self.who
    }

    /// Everything that it may do.
    #[must_use]
    pub fn capability(&self) -> &Capability {
        &self.capability
    }

    /// The series that it may push to.
    #[must_use]
    pub fn push_scope(&self) -> &SeriesScope {
        &self.push
    }

    /// The series and boards that it may read.
    #[must_use]
    pub fn read_scope(&self) -> &Arc<ReadScope> {
        &self.read
    }

    /// Notes that it was used, some seconds late.
    pub fn note_use(&self, now: Millis) {
        if now.0.saturating_sub(self.used.load(Ordering::Relaxed)) >= USE_STEP_MS {
            self.used.store(now.floor(USE_STEP_MS).0, Ordering::Relaxed);
        }
    }

    /// Returns the time of its last use; `None` if there was none.
    #[must_use]
    pub fn last_use(&self) -> Option<Millis> {
        match self.used.load(Ordering::Relaxed) {
            0 => None,
            used => Some(Millis(used)),
        }
    }

    /// Makes the error for something that it may not do: `what` completes "may not …".
    #[must_use]
    pub fn refuse(&self, what: &str) -> ApiError {
        match &self.who {
            // A credential may help.
            Who::Anonymous => ApiError::Unauthorized,
            who => {
                let holder = match who {
                    Who::Token(_) | Who::User(_) | Who::Link(_) => format!("the {who}"),
                    _ => "this client".to_owned(),
                };
                ApiError::Forbidden {
                    detail: format!("{holder} may not {what}; {}", self.grants()),
                    errors: Vec::new(),
                }
            }
        }
    }

    /// Describes what it may do.
    fn grants(&self) -> String {
        let grants: Vec<_> = self.capability.grants().iter().map(Grant::to_string).collect();
        if grants.is_empty() { "it grants nothing".to_owned() } else { format!("it grants {}", grants.join(", ")) }
    }
}
