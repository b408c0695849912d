//! The authority: knows every principal, and finds the one that sent a request.
//!
//! A request reads a table that is replaced as a whole, so it waits for no lock, and a change of a token delays nobody.

mod links;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use axum::http::{HeaderMap, Uri};
use parking_lot::Mutex;
use shared::{Capability, Millis, Seq};

pub use links::BoardSelectors;
use links::Link;

use super::credentials::Presented;
use super::principal::{Principal, Who};
use super::proxy_users::{ProxyUsers, RemoteUsers};
use super::secret::Secret;
use super::tickets::Tickets;
use crate::clock;
use crate::http::problem::ApiError;
use crate::limits::client::Client;
use crate::log::{
    Applied, LinkId, LinkRecord, LogSubscriber, SessionRecord, TokenHash, TokenName, TokenRecord, Tracks, UserName,
    UserState,
};
use crate::store::tokens::{StoredToken, StoredTokens};
use crate::store::users::StoredUsers;

/// Decides what a server without any token permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Openness {
    /// Everything, to everyone.
    Open(Reach),
    /// Only what the anonymous visitor may do.
    Closed,
}

/// Decides who reaches a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Programs of its machine.
    Loopback,
    /// Others, too.
    Network,
}

/// The credentials in the database.
#[derive(Clone, Debug, Default)]
pub struct StoredCredentials {
    /// The tokens.
    pub tokens: StoredTokens,
    /// The users with their sessions.
    pub users: StoredUsers,
    /// The links. They do not close a server: one that is open has none.
    pub links: Vec<LinkRecord>,
}

impl StoredCredentials {
    /// Returns true if there was never a token nor a user.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty() && self.users.is_empty()
    }
}

/// Finds the principal of a request. Clones share the state.
#[derive(Clone, Debug)]
pub struct Authority(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    table: ArcSwap<Table>,
    tickets: Tickets,
    boards: BoardSelectors,
    /// The users that proxies sign in.
    proxy_users: Option<ProxyUsers>,
    /// The position of the log.
    head: AtomicU64,
    /// The first token may be created over HTTP: only programs of this machine reach the server.
    may_begin: bool,
    /// The times of last uses that are stored already.
    stored_uses: Mutex<HashMap<TokenName, Millis>>,
}

/// All principals at one position of the log.
#[derive(Clone, Debug)]
struct Table {
    /// Everyone, while there was never a token and the server is open.
    everyone: Option<Arc<Principal>>,
    /// The visitor without a credential. It may do nothing unless the operator permits it.
    anonymous: Arc<Principal>,
    by_hash: HashMap<TokenHash, Arc<Principal>>,
    tokens: BTreeMap<TokenName, Token>,
    users: BTreeMap<UserName, UserState>,
    sessions: HashMap<TokenHash, Session>,
    links: BTreeMap<LinkId, Link>,
}

/// A token, valid or revoked.
#[derive(Clone, Debug)]
struct Token {
    record: TokenRecord,
    principal: Arc<Principal>,
}

/// A session of a user.
#[derive(Clone, Debug)]
struct Session {
    record: SessionRecord,
    principal: Arc<Principal>,
}

/// A token as a list shows it.
#[derive(Clone, Debug)]
pub struct ListedToken {
    /// The token.
    pub record: TokenRecord,
    /// The time of its last use, some minutes late.
    pub used: Option<Millis>,
}

/// The principal of a request, and whether the request presented a credential at all.
#[derive(Clone, Debug)]
pub struct Identified {
    /// The principal.
    pub principal: Arc<Principal>,
    /// True if the request presented credentials, and none of them is valid.
    pub is_refused: bool,
}

impl Authority {
    /// Makes the authority of a server at `head`. `anonymous` is what visitors without a credential may do; if there is
    /// any, or any token or user, the server is closed.
    #[must_use]
    pub fn new(
        stored: StoredCredentials,
        openness: Openness,
        anonymous: Option<Capability>,
        boards: BoardSelectors,
        remote_users: Option<RemoteUsers>,
        head: Seq,
    ) -> Self {
        let is_settled = anonymous.is_some() || remote_users.is_some();
        let is_open = openness != Openness::Closed && stored.is_empty() && !is_settled;
        let StoredCredentials { tokens: stored, users, links } = stored;
        let everyone = is_open.then(|| Arc::new(Principal::new(Who::Everyone, Capability::admin(), Seq::ZERO)));
        let anonymous = anonymous.unwrap_or_else(Capability::nothing);
        let anonymous = Arc::new(Principal::new(Who::Anonymous, anonymous, head));
        let mut table = Table {
            everyone,
            anonymous,
            by_hash: HashMap::new(),
            tokens: BTreeMap::new(),
            users: BTreeMap::new(),
            sessions: HashMap::new(),
            links: BTreeMap::new(),
        };
        let uses = stored.tokens.iter().filter_map(|token| Some((token.record.name.clone(), token.used?))).collect();
        for StoredToken { record, used } in stored.tokens {
            table.set(record, used);
        }
        users.users.into_iter().for_each(|user| table.set_user(user));
        // The selectors of a board may have changed since the last run.
        links.into_iter().for_each(|record| {
            let selectors = boards.of(&record.link.board);
            table.set_link(record, selectors, head);
        });
        let table = ArcSwap::from_pointee(table);
        let may_begin = openness == Openness::Open(Reach::Loopback);
        let (proxy_users, head) = (remote_users.map(ProxyUsers::new), AtomicU64::new(head.0));
        Self(Arc::new(Inner {
            table,
            tickets: Tickets::default(),
            boards,
            proxy_users,
            head,
            may_begin,
            stored_uses: Mutex::new(uses),
        }))
    }

    /// Returns everyone, if the server is open.
    #[must_use]
    pub fn everyone(&self) -> Option<Arc<Principal>> {
        self.0.table.load().everyone.clone()
    }

    /// Returns true if a client may create the first token over HTTP.
    #[must_use]
    pub fn may_begin(&self) -> bool {
        self.0.may_begin
    }

    /// Finds the principal of a request that came from `client`. The user that a trusted proxy names comes first.
    #[must_use]
    pub fn identify(&self, headers: &HeaderMap, uri: &Uri, client: Option<Client>) -> Identified {
        let table = self.0.table.load();
        if let Some(everyone) = &table.everyone {
            return Identified { principal: everyone.clone(), is_refused: false };
        }
        let by_proxy = self.0.proxy_users.as_ref().and_then(|users| {
            // The table of now, not of the beginning of the request: the user may have changed meanwhile.
            let head = Seq(self.0.head.load(Ordering::Acquire));
            users.principal(headers, client, head, |name| self.user(name))
        });
        if let Some(principal) = by_proxy {
            return Identified { principal, is_refused: false };
        }
        let presented = Presented::of(headers, uri);
        if !presented.some {
            return Identified { principal: table.anonymous.clone(), is_refused: false };
        }
        let now = clock::now().wall;
        let by_session = |hash| {
            let session = table.sessions.get(hash).filter(|session| session.record.expires > now)?;
            Some(&session.principal)
        };
        let find = |hash| table.by_hash.get(hash).or_else(|| by_session(hash)).filter(|found| is_valid(found, now));
        let by_token = presented.tokens.iter().find_map(find);
        let by_ticket = || presented.ticket.and_then(|hash| self.0.tickets.take(&hash, now));
        match by_token.cloned().or_else(|| by_ticket().filter(|found| is_valid(found, now))) {
            Some(principal) => {
                principal.note_use(now);
                Identified { principal, is_refused: false }
            }
            None => Identified { principal: table.anonymous.clone(), is_refused: true },
        }
    }

    /// Makes a ticket for one stream of the principal.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] if there are too many tickets, or no random numbers.
    pub fn make_ticket(&self, principal: Arc<Principal>) -> Result<Secret, ApiError> {
        let secret = Secret::draw().map_err(no_random)?;
        if self.0.tickets.add(secret.hash(), principal, clock::now().wall) {
            return Ok(secret);
        }
        Err(ApiError::Overloaded("too many tickets wait to be used".to_owned()))
    }

    /// Adds a token that is only in memory, for the server's own agent. It is in no list, and does not close the server.
    ///
    /// # Errors
    /// If there are no random numbers.
    pub fn make_agent(&self, capability: Capability) -> Result<Secret, getrandom::Error> {
        let secret = Secret::draw()?;
        let principal = Arc::new(Principal::new(Who::Agent, capability, Seq::ZERO));
        self.change(|table| _ = table.by_hash.insert(secret.hash(), principal.clone()));
        Ok(secret)
    }

    /// Returns every token, also revoked ones, by name.
    #[must_use]
    pub fn tokens(&self) -> Vec<ListedToken> {
        let table = self.0.table.load();
        let listed = |token: &Token| ListedToken { record: token.record.clone(), used: token.principal.last_use() };
        table.tokens.values().map(listed).collect()
    }

    /// Returns every user with the sessions, also removed ones, by name.
    #[must_use]
    pub fn users(&self) -> Vec<UserState> {
        self.0.table.load().users.values().cloned().collect()
    }

    /// Returns a user; `None` if there is none of that name.
    #[must_use]
    pub fn user(&self, name: &UserName) -> Option<UserState> {
        self.0.table.load().users.get(name).filter(|state| state.user.removed.is_none()).cloned()
    }

    /// Returns the hash of the session that a request presents.
    #[must_use]
    pub fn session(&self, headers: &HeaderMap, uri: &Uri) -> Option<TokenHash> {
        let table = self.0.table.load();
        Presented::of(headers, uri).tokens.into_iter().find(|hash| table.sessions.contains_key(hash))
    }

    /// Ends the leases of all capabilities that have expired at `now`. Returns true if there were any.
    #[must_use]
    pub fn end_expired(&self, now: Millis) -> bool {
        let table = self.0.table.load();
        let principals = table.tokens.values().map(|token| &token.principal).chain([&table.anonymous]);
        let principals = principals.chain(table.links.values().map(|link| &link.principal));
        let mut some = false;
        for principal in principals.filter(|principal| principal.capability().is_expired(now)) {
            let lease = principal.read_scope().lease();
            some |= !lease.is_over();
            lease.end();
        }
        for session in table.sessions.values().filter(|session| session.record.expires <= now) {
            let lease = session.principal.read_scope().lease();
            some |= !lease.is_over();
            lease.end();
        }
        some
    }

    /// Returns the last uses of tokens that were not returned before, to be stored.
    #[must_use]
    pub fn new_uses(&self) -> Vec<(TokenName, Millis)> {
        let table = self.0.table.load();
        let mut stored = self.0.stored_uses.lock();
        let uses = table.tokens.iter().filter_map(|(name, token)| Some((name.clone(), token.principal.last_use()?)));
        let new: Vec<_> = uses.filter(|(name, used)| stored.get(name) != Some(used)).collect();
        stored.retain(|name, _| table.tokens.contains_key(name));
        stored.extend(new.iter().cloned());
        new
    }

    /// Replaces the table by a changed copy.
    fn change(&self, change: impl Fn(&mut Table)) {
        self.0.table.rcu(|table| {
            let mut table = Table::clone(table);
            change(&mut table);
            table
        });
    }
}

/// Returns true if the capability has not ended.
fn is_valid(principal: &Principal, now: Millis) -> bool {
    !principal.read_scope().lease().is_over() && !principal.capability().is_expired(now)
}

/// The error of a server without random numbers.
pub(super) fn no_random(error: getrandom::Error) -> ApiError {
    ApiError::Unavailable(format!("the system gives no random numbers: {error}"))
}

impl Table {
    /// Adds a token, or replaces it.
    fn set(&mut self, record: TokenRecord, used: Option<Millis>) {
        if let Some(before) = self.tokens.get(&record.name) {
            self.by_hash.remove(&before.record.hash);
        }
        let principal = Arc::new(Principal::of_token(&record, used));
        if record.revoked.is_none() {
            self.by_hash.insert(record.hash, principal.clone());
        }
        self.tokens.insert(record.name.clone(), Token { record, principal });
    }
}

impl Table {
    /// Replaces a user with the sessions. A session whose user may do the same as before keeps its principal.
    fn set_user(&mut self, state: UserState) {
        let UserState { user, sessions } = &state;
        let is_same = self.users.get(&user.name).is_some_and(|before| before.user.capability == user.capability);
        let mut former: HashMap<_, _> =
            self.sessions.extract_if(|_, session| session.record.user == user.name).collect();
        for record in sessions.iter().filter(|_| user.removed.is_none()) {
            let session = former.remove(&record.hash).filter(|_| is_same).unwrap_or_else(|| {
                let principal = Principal::new(Who::User(user.name.clone()), user.capability.clone(), user.since);
                Session { record: record.clone(), principal: Arc::new(principal) }
            });
            self.sessions.insert(record.hash, session);
        }
        self.users.insert(user.name.clone(), state);
    }
}

impl Authority {
    fn apply_user(&self, state: &UserState) {
        let before = self.0.table.load_full();
        self.change(|table| {
            table.set_user(state.clone());
            // From the first user on, everything is denied that no capability permits.
            table.everyone = None;
        });
        let after = self.0.table.load();
        let is_kept = |session: &Session| {
            let now = after.sessions.get(&session.record.hash);
            now.is_some_and(|now| Arc::ptr_eq(&now.principal, &session.principal))
        };
        let ended = before.sessions.values().filter(|session| !is_kept(session)).map(|session| &session.principal);
        for principal in ended.chain(&before.everyone) {
            principal.read_scope().lease().end();
        }
        if let Some(users) = &self.0.proxy_users {
            let has_changed = before.users.get(&state.user.name).is_none_or(|former| former.user != state.user);
            if has_changed {
                users.forget(&state.user.name);
            }
        }
    }
}

impl LogSubscriber for Authority {
    fn apply(&mut self, applied: &Applied<'_>, _: &dyn Tracks) {
        let position = match applied {
            Applied::Points(points) => points.last().map(|point| point.at.seq),
            Applied::Board { position, .. } => Some(*position),
            Applied::SeriesRemoved { at, .. } => Some(*at),
            _ => None,
        };
        if let Some(Seq(position)) = position {
            self.0.head.fetch_max(position, Ordering::AcqRel);
        }
        let record = match applied {
            Applied::Token(record) => record,
            Applied::User(state) => return self.apply_user(state),
            Applied::Link(record) => return self.apply_link(record),
            Applied::Board { id, selectors, position, .. } => return self.apply_board(id, selectors, *position),
            _ => return,
        };
        let before = self.0.table.load_full();
        let former = before.tokens.get(&record.name);
        let used =
            former.filter(|token| token.record.created == record.created).and_then(|token| token.principal.last_use());
        self.change(|table| {
            table.set((*record).clone(), used);
            // From the first token on, everything is denied that no capability permits.
            table.everyone = None;
        });
        // After the change, so that nobody gets the former capability once its lease is over.
        let former = former.map(|token| &token.principal);
        for principal in former.into_iter().chain(&before.everyone) {
            principal.read_scope().lease().end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header;

    fn no_boards() -> BoardSelectors {
        BoardSelectors::new(|_| Vec::new())
    }

    struct NoTracks;

    impl Tracks for NoTracks {
        fn track(
            &self,
            _: crate::log::SeriesId,
            _: shared::point::Kind,
        ) -> Result<Option<shared::Track>, crate::log::TrackError> {
            Ok(None)
        }
    }

    fn record(name: &str, secret: &Secret, expires: Option<Millis>) -> TokenRecord {
        let grants = vec!["read:ops/**".parse().unwrap()];
        TokenRecord {
            name: name.parse().unwrap(),
            hash: secret.hash(),
            capability: Capability::new(grants, expires).unwrap(),
            created: Millis(1),
            rotated: None,
            revoked: None,
            since: Seq(7),
        }
    }

    fn who(authority: &Authority, secret: Option<&Secret>) -> (Who, bool) {
        let bearer =
            secret.map(|secret| (header::AUTHORIZATION, format!("Bearer {}", secret.reveal()).parse().unwrap()));
        let found = authority.identify(&bearer.into_iter().collect(), &Uri::from_static("/sse"), None);
        (found.principal.who().clone(), found.is_refused)
    }

    #[test]
    fn server_is_open_until_the_first_token_and_never_again() {
        let mut authority = Authority::new(
            StoredCredentials::default(),
            Openness::Open(Reach::Loopback),
            None,
            no_boards(),
            None,
            Seq::ZERO,
        );
        let (secret, other) = (Secret::draw().unwrap(), Secret::draw().unwrap());
        assert_eq!(who(&authority, None), (Who::Everyone, false));
        assert_eq!(who(&authority, Some(&other)), (Who::Everyone, false), "it ignores what clients send");
        let everyone = authority.everyone().unwrap();
        let token = record("a", &secret, None);
        authority.apply(&Applied::Token(&token), &NoTracks);
        assert!(everyone.read_scope().lease().is_over(), "streams of the open server end");
        assert_eq!(who(&authority, None), (Who::Anonymous, false));
        assert_eq!(who(&authority, Some(&other)), (Who::Anonymous, true));
        assert_eq!(who(&authority, Some(&secret)), (Who::Token("a".parse().unwrap()), false));
        let revoked = TokenRecord { revoked: Some(Millis(2)), ..token.clone() };
        authority.apply(&Applied::Token(&revoked), &NoTracks);
        assert_eq!(who(&authority, Some(&secret)), (Who::Anonymous, true));
        assert!(authority.everyone().is_none() && authority.tokens().len() == 1);
        let stored = StoredTokens { tokens: vec![StoredToken { record: revoked, used: None }], unreadable: 0 };
        for stored in [stored, StoredTokens { unreadable: 1, ..StoredTokens::default() }] {
            assert!(
                Authority::new(
                    StoredCredentials { tokens: stored, ..StoredCredentials::default() },
                    Openness::Open(Reach::Loopback),
                    None,
                    no_boards(),
                    None,
                    Seq::ZERO
                )
                .everyone()
                .is_none()
            );
        }
        let some = Some(Capability::nothing());
        for (openness, anonymous) in [(Openness::Closed, None), (Openness::Open(Reach::Network), some)] {
            assert!(
                Authority::new(StoredCredentials::default(), openness, anonymous, no_boards(), None, Seq::ZERO)
                    .everyone()
                    .is_none()
            );
        }
    }

    #[test]
    fn new_secret_replaces_the_former_one_and_ends_its_streams() {
        let mut authority =
            Authority::new(StoredCredentials::default(), Openness::Closed, None, no_boards(), None, Seq::ZERO);
        let (first, second) = (Secret::draw().unwrap(), Secret::draw().unwrap());
        authority.apply(&Applied::Token(&record("a", &first, None)), &NoTracks);
        let before = authority.0.table.load().by_hash[&first.hash()].clone();
        authority.apply(&Applied::Token(&record("a", &second, None)), &NoTracks);
        assert!(before.read_scope().lease().is_over());
        assert_eq!(who(&authority, Some(&first)), (Who::Anonymous, true));
        assert!(!who(&authority, Some(&second)).1);
    }

    #[test]
    fn expired_token_is_refused_and_its_lease_ends_once() {
        let (mut authority, now) = (
            Authority::new(StoredCredentials::default(), Openness::Closed, None, no_boards(), None, Seq::ZERO),
            clock::now(),
        );
        let (past, future) = (Secret::draw().unwrap(), Secret::draw().unwrap());
        authority.apply(&Applied::Token(&record("past", &past, Some(now.wall))), &NoTracks);
        authority.apply(&Applied::Token(&record("future", &future, Some(now.wall.plus(60_000)))), &NoTracks);
        assert_eq!(who(&authority, Some(&past)), (Who::Anonymous, true));
        assert!(!who(&authority, Some(&future)).1);
        assert!(authority.end_expired(now.wall) && !authority.end_expired(now.wall));
        assert!(authority.end_expired(now.wall.plus(60_000)));
        assert!(who(&authority, Some(&future)).1, "a lease that is over does not begin again");
    }

    #[test]
    fn ticket_ends_with_the_token_that_it_was_made_with() {
        let mut authority =
            Authority::new(StoredCredentials::default(), Openness::Closed, None, no_boards(), None, Seq::ZERO);
        let secret = Secret::draw().unwrap();
        let token = record("a", &secret, None);
        authority.apply(&Applied::Token(&token), &NoTracks);
        let principal = authority.0.table.load().by_hash[&secret.hash()].clone();
        let by_ticket = |authority: &Authority, ticket: &Secret| {
            let uri = format!("/sse?series=a&ticket={}", ticket.reveal()).parse().unwrap();
            authority.identify(&HeaderMap::new(), &uri, None).is_refused
        };
        let tickets = [(); 2].map(|()| authority.make_ticket(principal.clone()).unwrap());
        assert!(!by_ticket(&authority, &tickets[0]) && by_ticket(&authority, &tickets[0]));
        authority.apply(&Applied::Token(&TokenRecord { revoked: Some(Millis(2)), ..token }), &NoTracks);
        assert!(by_ticket(&authority, &tickets[1]));
    }

    #[test]
    fn last_use_of_a_token_is_kept_and_given_once_to_be_stored() {
        let secret = Secret::draw().unwrap();
        let stored = StoredToken { record: record("a", &secret, None), used: Some(Millis(60_000)) };
        let stored = StoredTokens { tokens: vec![stored], unreadable: 0 };
        let stored = StoredCredentials { tokens: stored, ..StoredCredentials::default() };
        let authority = Authority::new(stored, Openness::Closed, None, no_boards(), None, Seq::ZERO);
        assert_eq!((authority.tokens()[0].used, authority.new_uses().len()), (Some(Millis(60_000)), 0));
        assert!(!who(&authority, Some(&secret)).1);
        let used = authority.new_uses();
        assert!(used.len() == 1 && used[0].1 > Millis(60_000) && authority.new_uses().is_empty(), "{used:?}");
    }
}
