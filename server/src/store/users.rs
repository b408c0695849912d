//! Stores users and their sessions: hashes of passwords and of secrets, never the originals.

use rusqlite::{Connection, OptionalExtension as _, Row};
use shared::{Capability, Millis};

use super::damage::Part;
use super::{CommitError, Store, meta, sql};
use crate::log::user::{MAX_SESSIONS, MAX_USERS};
use crate::log::{PasswordHash, SessionRecord, TokenHash, UserChange, UserName, UserRecord, UserRefusal, UserState};

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS users (
        name       TEXT    PRIMARY KEY,
        password   TEXT    NOT NULL,
        capability TEXT    NOT NULL,
        created    INTEGER NOT NULL,
        changed    INTEGER NOT NULL,
        removed    INTEGER,
        since      INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS sessions (
        hash    BLOB    PRIMARY KEY,
        user    TEXT    NOT NULL,
        created INTEGER NOT NULL,
        expires INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS sessions_by_user ON sessions (user, created);
";

const COLUMNS: &str = "name, password, capability, created, changed, removed, since";

/// The users in the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredUsers {
    /// The users that can be read, also removed ones, by name.
    pub users: Vec<UserState>,
    /// The number of users that cannot be read. They cannot sign in.
    pub unreadable: usize,
}

impl StoredUsers {
    /// Returns true if there was never a user.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.unreadable == 0
    }
}

pub(super) fn create(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(TABLES)
}

impl Store {
    /// Reads every user, also removed ones, with their sessions.
    ///
    /// # Errors
    /// Any SQLite error: a server that cannot read its users must not start as if there were none.
    pub fn users(&self) -> rusqlite::Result<StoredUsers> {
        let mut select = self.conn.prepare(&format!("SELECT {COLUMNS} FROM users ORDER BY name"))?;
        let mut rows = select.query([])?;
        let mut stored = StoredUsers::default();
        while let Some(row) = rows.next()? {
            match self.read_user(row)? {
                Some(user) => {
                    let sessions = self.sessions(&user.name)?;
                    stored.users.push(UserState { user, sessions });
                }
                None => {
                    self.damage.note(Part::Table("users"), "a user cannot be read, and cannot sign in");
                    stored.unreadable += 1;
                }
            }
        }
        Ok(stored)
    }

    /// Applies a change of a user; on return it is on the disk. Returns the user as it is now.
    ///
    /// # Errors
    /// [`CommitError`] if the store cannot write; the inner error if the change does not fit. Then nothing has changed.
    pub fn apply_user(&mut self, change: &UserChange) -> Result<Result<UserState, UserRefusal>, CommitError> {
        let Some(name) = self.user_of(change)? else { return Ok(Err(UserRefusal::NoSession)) };
        let before = self.present_user(&name)?;
        if let UserChange::Add { password, capability, at, .. } = change {
            if before.is_some() {
                return Ok(Err(UserRefusal::NameTaken(name)));
            }
            if self.count_users()? >= MAX_USERS {
                return Ok(Err(UserRefusal::TooMany));
            }
            let (password, capability, since) = (password.clone(), capability.clone(), self.head);
            let user = UserRecord { name, password, capability, created: *at, changed: *at, removed: None, since };
            return self.keep_user(user, Sessions::EndAll).map(Ok);
        }
        let Some(before) = before else { return Ok(Err(UserRefusal::Absent(name))) };
        let since = self.head;
        let (after, sessions) = match change {
            UserChange::SetPassword { password, at, .. } => {
                (UserRecord { password: password.clone(), changed: *at, ..before }, Sessions::EndAll)
            }
            UserChange::SetCapability { capability, at, .. } => {
                (UserRecord { capability: capability.clone(), changed: *at, since, ..before }, Sessions::Keep)
            }
            UserChange::Remove { at, .. } => {
                (UserRecord { removed: Some(*at), changed: *at, ..before }, Sessions::EndAll)
            }
            UserChange::BeginSession(session) => (before, Sessions::Begin(session)),
            UserChange::EndSession(hash) => (before, Sessions::End(hash)),
            UserChange::EndSessions { .. } | UserChange::Add { .. } => (before, Sessions::EndAll),
        };
        self.keep_user(after, sessions).map(Ok)
    }

    /// Returns the user that a change is about; `None` if there is no such session.
    fn user_of(&self, change: &UserChange) -> rusqlite::Result<Option<UserName>> {
        match change {
            UserChange::Add { name, .. }
            | UserChange::SetPassword { name, .. }
            | UserChange::SetCapability { name, .. }
            | UserChange::Remove { name, .. }
            | UserChange::EndSessions { name } => Ok(Some(name.clone())),
            UserChange::BeginSession(session) => Ok(Some(session.user.clone())),
            UserChange::EndSession(hash) => {
                let select = "SELECT user FROM sessions WHERE hash = ?1";
                let name = self.conn.prepare_cached(select)?.query_row([hash.0], |row| row.get::<_, String>(0));
                Ok(name.optional()?.and_then(|name| name.parse().ok()))
            }
        }
    }

    /// Reads a user that was not removed.
    fn present_user(&self, name: &UserName) -> rusqlite::Result<Option<UserRecord>> {
        let select = format!("SELECT {COLUMNS} FROM users WHERE name = ?1 AND removed IS NULL");
        let mut select = self.conn.prepare_cached(&select)?;
        // A user that cannot be read is replaced by a new one of its name.
        Ok(select.query_row([name.as_str()], |row| self.read_user(row)).optional()?.flatten())
    }

    fn count_users(&self) -> rusqlite::Result<usize> {
        let count: i64 =
            self.conn.query_row("SELECT count(*) FROM users WHERE removed IS NULL", [], |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    fn keep_user(&mut self, user: UserRecord, sessions: Sessions<'_>) -> Result<UserState, CommitError> {
        let capability = serde_json::to_string(&user.capability).expect("a capability is always JSON");
        self.change_rows(|tx| {
            let name = user.name.as_str();
            match sessions {
                Sessions::Keep => 0,
                Sessions::EndAll => tx.execute("DELETE FROM sessions WHERE user = ?1", [name])?,
                Sessions::End(hash) => tx.execute("DELETE FROM sessions WHERE hash = ?1", [hash.0])?,
                Sessions::Begin(SessionRecord { hash, created, expires, .. }) => {
                    tx.execute("DELETE FROM sessions WHERE user = ?1 AND expires <= ?2", (name, sql(created.0)))?;
                    // The oldest make room.
                    tx.execute(
                        "DELETE FROM sessions WHERE hash IN
                         (SELECT hash FROM sessions WHERE user = ?1 ORDER BY created DESC LIMIT -1 OFFSET ?2)",
                        (name, sql(MAX_SESSIONS as u64 - 1)),
                    )?;
                    let insert =
                        "INSERT OR REPLACE INTO sessions (hash, user, created, expires) VALUES (?1, ?2, ?3, ?4)";
                    tx.execute(insert, (hash.0, name, sql(created.0), sql(expires.0)))?
                }
            };
            // The oldest removed users make room.
            tx.execute(
                "DELETE FROM users WHERE name IN (SELECT name FROM users WHERE removed IS NOT NULL AND name <> ?1
                 ORDER BY removed DESC LIMIT -1 OFFSET ?2)",
                (name, sql(MAX_USERS as u64)),
            )?;
            tx.execute(
                "INSERT OR REPLACE INTO users (name, password, capability, created, changed, removed, since)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                (
                    name,
                    user.password.0.as_str(),
                    capability,
                    sql(user.created.0),
                    sql(user.changed.0),
                    user.removed.map(|at| sql(at.0)),
                    sql(user.since.0),
                ),
            )
        })?;
        let sessions = self.sessions(&user.name)?;
        Ok(UserState { user, sessions })
    }

    /// Reads the sessions of a user, the newest first. Skips those that cannot be read.
    fn sessions(&self, name: &UserName) -> rusqlite::Result<Vec<SessionRecord>> {
        let select = "SELECT hash, created, expires FROM sessions WHERE user = ?1 ORDER BY created DESC, hash";
        let mut select = self.conn.prepare_cached(select)?;
        let rows = select.query_map([name.as_str()], |row| {
            let time = |column| row.get::<_, i64>(column).map(|at| Millis(at.unsigned_abs()));
            Ok((row.get::<_, [u8; 32]>(0)?, time(1)?, time(2)?))
        })?;
        let read = rows.filter_map(Result::ok);
        Ok(read
            .map(|(hash, created, expires)| SessionRecord {
                hash: TokenHash(hash),
                user: name.clone(),
                created,
                expires,
            })
            .collect())
    }

    /// Reads a row; `None` if it is damaged.
    fn read_user(&self, row: &Row<'_>) -> rusqlite::Result<Option<UserRecord>> {
        let text = |column| row.get_ref(column).map(|value| value.as_str().ok().map(str::to_owned));
        let time = |column| -> rusqlite::Result<Option<Millis>> {
            let number = row.get_ref(column)?.as_i64_or_null().ok().flatten();
            Ok(number.and_then(|number| u64::try_from(number).ok()).map(Millis))
        };
        let name: Option<UserName> = text(0)?.and_then(|name| name.parse().ok());
        let capability: Option<Capability> = text(2)?.and_then(|text| serde_json::from_str(&text).ok());
        let (Some(name), Some(password), Some(capability)) = (name, text(1)?, capability) else { return Ok(None) };
        let is_removed = row.get_ref(5)? != rusqlite::types::ValueRef::Null;
        // A time that cannot be read must not bring a user back.
        let removed = is_removed.then_some(time(5)?.unwrap_or_default());
        let since = meta::seq(row, 6)?.filter(|since| *since <= self.head).unwrap_or(self.head);
        let (created, changed) = (time(3)?.unwrap_or_default(), time(4)?.unwrap_or_default());
        Ok(Some(UserRecord { name, password: PasswordHash(password), capability, created, changed, removed, since }))
    }
}

/// The effect of a change on the sessions of its user.
#[derive(Clone, Copy)]
enum Sessions<'a> {
    Keep,
    EndAll,
    End(&'a TokenHash),
    Begin(&'a SessionRecord),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> UserName {
        text.parse().unwrap()
    }

    fn add(text: &str, at: u64) -> UserChange {
        let capability = Capability::new(vec!["read:**".parse().unwrap()], None).unwrap();
        UserChange::Add { name: name(text), password: PasswordHash("$argon2id$x".into()), capability, at: Millis(at) }
    }

    fn session(user: &str, number: u8, expires: u64) -> SessionRecord {
        let (hash, created) = (TokenHash([number; 32]), Millis(number.into()));
        SessionRecord { hash, user: name(user), created, expires: Millis(expires) }
    }

    fn apply(store: &mut Store, change: &UserChange) -> Result<UserState, UserRefusal> {
        let changed = store.apply_user(change).unwrap();
        if let Ok(changed) = &changed {
            let stored = store.users().unwrap();
            assert!(stored.users.contains(changed), "{changed:?} is not stored: {stored:?}");
        }
        changed
    }

    #[test]
    fn sessions_end_with_the_password_and_with_the_user() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        assert!(store.users().unwrap().is_empty());
        apply(&mut store, &add("ann", 1)).unwrap();
        assert_eq!(apply(&mut store, &add("ann", 2)), Err(UserRefusal::NameTaken(name("ann"))));
        let begin = |number| UserChange::BeginSession(session("ann", number, 1_000));
        let count = |state: UserState| state.sessions.len();
        assert_eq!(count(apply(&mut store, &begin(1)).unwrap()), 1);
        assert_eq!(count(apply(&mut store, &begin(2)).unwrap()), 2);
        assert_eq!(count(apply(&mut store, &UserChange::EndSession(TokenHash([1; 32]))).unwrap()), 1);
        assert_eq!(apply(&mut store, &UserChange::EndSession(TokenHash([1; 32]))), Err(UserRefusal::NoSession));
        let capability = Capability::admin();
        let set = UserChange::SetCapability { name: name("ann"), capability, at: Millis(3) };
        assert_eq!(count(apply(&mut store, &set).unwrap()), 1);
        let password = PasswordHash("$argon2id$y".into());
        let set = UserChange::SetPassword { name: name("ann"), password, at: Millis(4) };
        assert_eq!(count(apply(&mut store, &set).unwrap()), 0);
        apply(&mut store, &begin(3)).unwrap();
        assert_eq!(count(apply(&mut store, &UserChange::EndSessions { name: name("ann") }).unwrap()), 0);
        apply(&mut store, &begin(4)).unwrap();
        let remove = UserChange::Remove { name: name("ann"), at: Millis(5) };
        assert_eq!(count(apply(&mut store, &remove).unwrap()), 0);
        for change in [remove, set, begin(5), UserChange::EndSessions { name: name("ann") }] {
            assert_eq!(apply(&mut store, &change), Err(UserRefusal::Absent(name("ann"))));
        }
        drop(store);
        let store = Store::open(folder.path()).unwrap();
        assert!(!store.users().unwrap().is_empty(), "a removed user is remembered, so that the server stays closed");
    }

    #[test]
    fn sessions_are_bounded_and_expired_ones_make_room_first() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        apply(&mut store, &add("ann", 1)).unwrap();
        let most = u8::try_from(MAX_SESSIONS).unwrap();
        for number in 1..=most + 1 {
            apply(&mut store, &UserChange::BeginSession(session("ann", number, 100))).unwrap();
        }
        let sessions = store.users().unwrap().users[0].sessions.clone();
        assert_eq!((sessions.len(), sessions.last().unwrap().hash), (MAX_SESSIONS, TokenHash([2; 32])));
        let late = SessionRecord { created: Millis(100), ..session("ann", 99, 200) };
        assert_eq!(apply(&mut store, &UserChange::BeginSession(late.clone())).unwrap().sessions, [late]);
    }

    #[test]
    fn user_that_cannot_be_read_cannot_sign_in_and_still_counts() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        apply(&mut store, &add("ann", 1)).unwrap();
        store.conn.execute("UPDATE users SET capability = 'x'", []).unwrap();
        assert_eq!(store.users().unwrap(), StoredUsers { users: Vec::new(), unreadable: 1 });
    }
}
