//! Users that a proxy signs in: `Remote-User` and `Remote-Groups`, believed only from the addresses of `--trusted-proxy`.
//!
//! Proxies on this machine are believed for this only if `--trusted-proxy` names them: any local program could send the
//! headers.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use axum::http::HeaderMap;
use parking_lot::Mutex;
use serde::Deserialize;
use shared::access::{Grant, GrantError};
use shared::{Capability, Seq};

use super::principal::{Principal, Who};
use crate::http::forwarded::ProxyNetwork;
use crate::limits::client::Client;
use crate::log::{UserName, UserState};

/// The header with the name of the user.
const USER: &str = "remote-user";

/// The header with the groups of the user, separated by commas.
const GROUPS: &str = "remote-groups";

/// The most users, each with each set of groups, that are remembered.
const MAX_KNOWN: usize = 10_000;

/// A grant to the members of a group: `GROUP=GRANT`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct GroupGrant {
    group: String,
    grant: Grant,
}

/// Error: the text is not a grant to a group.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupGrantError {
    /// There is no `=`, or no group before it.
    #[error("{0:?} is no grant to a group; write GROUP=GRANT, such as staff=read:**")]
    Form(String),
    /// The grant is wrong.
    #[error(transparent)]
    Grant(#[from] GrantError),
}

impl FromStr for GroupGrant {
    type Err = GroupGrantError;

    fn from_str(text: &str) -> Result<Self, GroupGrantError> {
        let parts = text.split_once('=').filter(|(group, _)| !group.trim().is_empty());
        let (group, grant) = parts.ok_or_else(|| GroupGrantError::Form(text.to_owned()))?;
        Ok(Self { group: group.trim().to_owned(), grant: grant.parse()? })
    }
}

impl TryFrom<String> for GroupGrant {
    type Error = GroupGrantError;

    fn try_from(text: String) -> Result<Self, GroupGrantError> {
        text.parse()
    }
}

impl fmt::Display for GroupGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.group, self.grant)
    }
}

/// The proxies that sign users in, and what they permit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteUsers {
    /// The proxies whose headers are believed.
    pub proxies: Vec<ProxyNetwork>,
    /// The grants of groups.
    pub groups: Vec<GroupGrant>,
}

/// Finds the users that proxies sign in.
#[derive(Debug)]
pub struct ProxyUsers {
    settings: RemoteUsers,
    /// By name and groups. A user who returns has the same principal, so that its end ends all streams.
    known: Mutex<HashMap<(UserName, String), Arc<Principal>>>,
}

impl ProxyUsers {
    /// Makes the users of these settings.
    #[must_use]
    pub fn new(settings: RemoteUsers) -> Self {
        Self { settings, known: Mutex::default() }
    }

    /// Returns the principal of a request that came from `client`; `None` if no proxy that is believed names one. `user` is
    /// the user of a name, if there is one; `head` is a position after the last change of it.
    pub fn principal(
        &self,
        headers: &HeaderMap,
        client: Option<Client>,
        head: Seq,
        user: impl FnOnce(&UserName) -> Option<UserState>,
    ) -> Option<Arc<Principal>> {
        let mut names = headers.get_all(USER).iter();
        let name = names.next()?;
        let address = client?.address();
        if !self.settings.proxies.iter().any(|network| network.contains(address)) {
            return None;
        }
        // Two names: the client added one to that of the proxy.
        if names.next().is_some() {
            return Some(Arc::new(Principal::new(Who::Anonymous, Capability::nothing(), head)));
        }
        let name: UserName = name.to_str().ok()?.trim().parse().ok()?;
        let groups =
            headers.get_all(GROUPS).iter().filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(",");
        let mut known = self.known.lock();
        let key = (name, groups);
        if let Some(principal) = known.get(&key) {
            return Some(principal.clone());
        }
        // Looked up under the lock: `forget` comes after a change.
        let capability = self.capability(user(&key.0), &key.1);
        let principal = Arc::new(Principal::new(Who::User(key.0.clone()), capability, head));
        if known.len() >= MAX_KNOWN {
            known.drain().for_each(|(_, former)| former.read_scope().lease().end());
        }
        known.insert(key, principal.clone());
        Some(principal)
    }

    /// Returns what a user with these groups may do: what the user of that name may do here, and what the groups may.
    fn capability(&self, user: Option<UserState>, groups: &str) -> Capability {
        let own = user.map(|state| state.user.capability.grants().to_vec()).unwrap_or_default();
        let is_member = |group: &str| groups.split(',').any(|one| one.trim() == group);
        let of_groups = self.settings.groups.iter().filter(|one| is_member(&one.group)).map(|one| one.grant.clone());
        Capability::new(own.into_iter().chain(of_groups).collect(), None).unwrap_or_else(|_| Capability::nothing())
    }

    /// Forgets a user that changed. The streams end, and begin anew with the present permissions.
    pub fn forget(&self, name: &UserName) {
        self.known.lock().retain(|(known, _), principal| {
            let is_kept = known != name;
            if !is_kept {
                principal.read_scope().lease().end();
            }
            is_kept
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{PasswordHash, UserRecord};
    use shared::Millis;

    fn users() -> ProxyUsers {
        let groups = ["staff=read:ops/**", "admins=admin", "wiki editors=edit:*"];
        let groups = groups.iter().map(|text| text.parse().unwrap()).collect();
        ProxyUsers::new(RemoteUsers { proxies: vec!["10.0.0.0/24".parse().unwrap()], groups })
    }

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        all.iter().for_each(|(name, value)| _ = headers.append(*name, value.parse().unwrap()));
        headers
    }

    fn ann() -> UserState {
        let capability = Capability::new(vec!["read:own".parse().unwrap()], None).unwrap();
        let user = UserRecord {
            name: "ann".parse().unwrap(),
            password: PasswordHash(String::new()),
            capability,
            created: Millis(1),
            changed: Millis(1),
            removed: None,
            since: Seq(1),
        };
        UserState { user, sessions: Vec::new() }
    }

    fn found(users: &ProxyUsers, from: &str, all: &[(&'static str, &str)]) -> Option<(String, String)> {
        let client = Some(Client::at(from.parse().unwrap()));
        let own = |name: &UserName| (name.as_str() == "ann").then(ann);
        let principal = users.principal(&headers(all), client, Seq(9), own)?;
        let grants: Vec<_> = principal.capability().grants().iter().map(Grant::to_string).collect();
        Some((principal.who().to_string(), grants.join(" ")))
    }

    #[test]
    fn headers_are_believed_from_named_proxies_only() {
        let users = users();
        let admin = [("remote-user", "eve"), ("remote-groups", "admins")];
        for from in ["127.0.0.1", "::1", "10.0.1.1", "192.0.2.1"] {
            assert_eq!(found(&users, from, &admin), None, "{from}");
        }
        let some = |who: &str, grants: &str| Some((who.to_owned(), grants.to_owned()));
        assert_eq!(found(&users, "10.0.0.7", &admin), some("user eve", "admin"));
        assert_eq!(found(&users, "::ffff:10.0.0.7", &[("remote-user", "ann")]), some("user ann", "read:own"));
        let both = [("remote-user", "ann"), ("remote-groups", "x, staff ,wiki editors")];
        assert_eq!(found(&users, "10.0.0.7", &both), some("user ann", "read:ops/** read:own edit:*"));
        assert_eq!(
            found(&users, "10.0.0.7", &[("remote-user", "bob"), ("remote-groups", "staffer")]),
            some("user bob", "")
        );
        for wrong in ["", "a/b", "a\tb", "ü"] {
            assert_eq!(found(&users, "10.0.0.7", &[("remote-user", wrong)]), None, "{wrong:?}");
        }
        let twice = [("remote-user", "eve"), ("remote-user", "ann"), ("remote-groups", "admins")];
        assert_eq!(found(&users, "10.0.0.7", &twice), some("anonymous", ""));
    }

    #[test]
    fn user_who_returns_is_the_same_until_the_user_changes() {
        let users = users();
        let client = Some(Client::at("10.0.0.7".parse().unwrap()));
        let find = || users.principal(&headers(&[("remote-user", "ann")]), client, Seq(9), |_| Some(ann())).unwrap();
        let (one, other) = (find(), find());
        assert!(Arc::ptr_eq(&one, &other));
        users.forget(&"bob".parse().unwrap());
        assert!(!one.read_scope().lease().is_over());
        users.forget(&"ann".parse().unwrap());
        assert!(one.read_scope().lease().is_over() && !find().read_scope().lease().is_over());
    }

    #[test]
    fn grant_to_a_group_is_read_as_it_is_written() {
        assert_eq!("wiki editors=edit:*".parse::<GroupGrant>().unwrap().to_string(), "wiki editors=edit:*");
        for wrong in ["", "staff", "=admin", "staff=", "staff=write:x"] {
            assert!(wrong.parse::<GroupGrant>().is_err(), "{wrong}");
        }
    }
}
