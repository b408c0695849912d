//! Stores tokens: their hashes and capabilities, never their secrets.

use rusqlite::{Connection, OptionalExtension as _, Row};
use shared::{Capability, Millis};

use super::damage::Part;
use super::{CommitError, Store, meta, sql};
use crate::log::token::MAX_TOKENS;
use crate::log::{TokenChange, TokenHash, TokenName, TokenRecord, TokenRefusal};

const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS tokens (
        name       TEXT    PRIMARY KEY,
        hash       BLOB    NOT NULL,
        capability TEXT    NOT NULL,
        created    INTEGER NOT NULL,
        rotated    INTEGER,
        revoked    INTEGER,
        since      INTEGER NOT NULL,
        used       INTEGER
    ) WITHOUT ROWID
";

/// The columns of a [`TokenRecord`], and the time of the last use.
const COLUMNS: &str = "name, hash, capability, created, rotated, revoked, since, used";

/// A token in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredToken {
    /// The token.
    pub record: TokenRecord,
    /// The time of its last use, some minutes late. It is no part of the log.
    pub used: Option<Millis>,
}

/// The tokens in the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredTokens {
    /// The tokens that can be read, also revoked ones, by name.
    pub tokens: Vec<StoredToken>,
    /// The number of tokens that cannot be read. They permit nothing.
    pub unreadable: usize,
}

impl StoredTokens {
    /// Returns true if there was never a token.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty() && self.unreadable == 0
    }
}

pub(super) fn create(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(TABLE)
}

impl Store {
    /// Reads every token, also revoked ones.
    ///
    /// # Errors
    /// Any SQLite error: a server that cannot read its tokens must not start as if there were none.
    pub fn tokens(&self) -> rusqlite::Result<StoredTokens> {
        let mut select = self.conn.prepare(&format!("SELECT {COLUMNS} FROM tokens ORDER BY name"))?;
        let mut rows = select.query([])?;
        let mut stored = StoredTokens::default();
        while let Some(row) = rows.next()? {
            match self.read_token(row)? {
                Some(token) => stored.tokens.push(token),
                None => {
                    self.damage.note(Part::Table("tokens"), "a token cannot be read, and permits nothing");
                    stored.unreadable += 1;
                }
            }
        }
        Ok(stored)
    }

    /// Applies a change of a token; on return it is on the disk. Returns the token as it is now.
    ///
    /// # Errors
    /// [`CommitError`] if the store cannot write; the inner error if the change does not fit. Then nothing has changed.
    pub fn apply_token(&mut self, change: &TokenChange) -> Result<Result<TokenRecord, TokenRefusal>, CommitError> {
        let before = self.live_token(change.name())?;
        let since = self.head;
        let absent = || TokenRefusal::Absent(change.name().clone());
        let after = match (change, before) {
            (TokenChange::Create { name, .. }, Some(_)) => return Ok(Err(TokenRefusal::NameTaken(name.clone()))),
            (TokenChange::Create { name, hash, capability, at }, None) => {
                if self.count_tokens(name)? >= MAX_TOKENS {
                    return Ok(Err(TokenRefusal::TooMany));
                }
                let (name, hash, capability) = (name.clone(), *hash, capability.clone());
                TokenRecord { name, hash, capability, created: *at, rotated: None, revoked: None, since }
            }
            (_, None) => return Ok(Err(absent())),
            (TokenChange::Rotate { hash, at, .. }, Some(before)) => {
                TokenRecord { hash: *hash, rotated: Some(*at), since, ..before }
            }
            (TokenChange::Revoke { at, .. }, Some(before)) => TokenRecord { revoked: Some(*at), since, ..before },
        };
        self.keep_token(&after)?;
        Ok(Ok(after))
    }

    /// Stores the times at which tokens were last used.
    ///
    /// # Errors
    /// [`CommitError`].
    pub fn note_token_uses(&mut self, uses: &[(TokenName, Millis)]) -> Result<(), CommitError> {
        self.change_rows(|tx| {
            let mut update = tx.prepare_cached("UPDATE tokens SET used = ?2 WHERE name = ?1")?;
            uses.iter().try_fold(0, |count, (name, at)| Ok(count + update.execute((name.as_str(), sql(at.0)))?))
        })
    }

    /// Reads a token that is not revoked.
    fn live_token(&self, name: &TokenName) -> rusqlite::Result<Option<TokenRecord>> {
        let select = format!("SELECT {COLUMNS} FROM tokens WHERE name = ?1 AND revoked IS NULL");
        let mut select = self.conn.prepare_cached(&select)?;
        // A token that cannot be read is replaced by a new one of its name.
        let token = select.query_row([name.as_str()], |row| self.read_token(row)).optional()?.flatten();
        Ok(token.map(|token| token.record))
    }

    /// Counts the tokens of other names. Revoked ones make room for new ones, so only valid ones count.
    fn count_tokens(&self, beside: &TokenName) -> rusqlite::Result<usize> {
        let count = "SELECT count(*) FROM tokens WHERE name <> ?1 AND revoked IS NULL";
        let count: i64 = self.conn.prepare_cached(count)?.query_row([beside.as_str()], |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    fn keep_token(&mut self, token: &TokenRecord) -> Result<(), CommitError> {
        let capability = serde_json::to_string(&token.capability).expect("a capability is always JSON");
        let time = |at: Option<Millis>| at.map(|at| sql(at.0));
        self.change_rows(|tx| {
            // The oldest revoked tokens make room.
            tx.prepare_cached(
                "DELETE FROM tokens WHERE name IN (SELECT name FROM tokens WHERE revoked IS NOT NULL AND name <> ?1
                 ORDER BY revoked DESC LIMIT -1 OFFSET ?2)",
            )?
            .execute((token.name.as_str(), sql(MAX_TOKENS as u64)))?;
            tx.prepare_cached(
                "INSERT INTO tokens (name, hash, capability, created, rotated, revoked, since)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (name) DO UPDATE SET hash = excluded.hash,
                 capability = excluded.capability, created = excluded.created, rotated = excluded.rotated,
                 revoked = excluded.revoked, since = excluded.since,
                 used = CASE WHEN created = excluded.created THEN used END",
            )?
            .execute((
                token.name.as_str(),
                token.hash.0,
                capability,
                sql(token.created.0),
                time(token.rotated),
                time(token.revoked),
                sql(token.since.0),
            ))
        })
    }

    /// Reads a row; `None` if it is damaged.
    fn read_token(&self, row: &Row<'_>) -> rusqlite::Result<Option<StoredToken>> {
        let text = |column| row.get_ref(column).map(|value| value.as_str().ok().map(str::to_owned));
        let time = |column| -> rusqlite::Result<Option<Millis>> {
            let number = row.get_ref(column)?.as_i64_or_null().ok().flatten();
            Ok(number.and_then(|number| u64::try_from(number).ok()).map(Millis))
        };
        let name: Option<TokenName> = text(0)?.and_then(|name| name.parse().ok());
        let hash = row.get_ref(1)?.as_blob().ok().and_then(|hash| <[u8; 32]>::try_from(hash).ok());
        let capability: Option<Capability> = text(2)?.and_then(|text| serde_json::from_str(&text).ok());
        let is_revoked = row.get_ref(5)? != rusqlite::types::ValueRef::Null;
        let (Some(name), Some(hash), Some(capability)) = (name, hash, capability) else { return Ok(None) };
        // A time that cannot be read must not make a revoked token valid.
        let revoked = is_revoked.then_some(time(5)?.unwrap_or_default());
        let since = meta::seq(row, 6)?.filter(|since| *since <= self.head).unwrap_or(self.head);
        let (created, rotated, used) = (time(3)?.unwrap_or_default(), time(4)?, time(7)?);
        let record = TokenRecord { name, hash: TokenHash(hash), capability, created, rotated, revoked, since };
        Ok(Some(StoredToken { record, used }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Seq;

    fn name(text: &str) -> TokenName {
        text.parse().unwrap()
    }

    fn create(text: &str, at: u64) -> TokenChange {
        let hash = TokenHash([u8::try_from(at).unwrap(); 32]);
        let capability = Capability::new(vec!["push:ops/**".parse().unwrap()], Some(Millis(99))).unwrap();
        TokenChange::Create { name: name(text), hash, capability, at: Millis(at) }
    }

    #[test]
    fn token_is_read_back_as_it_was_changed_and_a_revoked_one_gives_its_name_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        assert!(store.tokens().unwrap().is_empty());
        let made = store.apply_token(&create("a", 1)).unwrap().unwrap();
        assert_eq!(store.apply_token(&create("a", 2)).unwrap(), Err(TokenRefusal::NameTaken(name("a"))));
        let rotate = TokenChange::Rotate { name: name("a"), hash: TokenHash([7; 32]), at: Millis(3) };
        let rotated = store.apply_token(&rotate).unwrap().unwrap();
        assert_eq!(rotated, TokenRecord { hash: TokenHash([7; 32]), rotated: Some(Millis(3)), ..made });
        store.note_token_uses(&[(name("a"), Millis(4)), (name("none"), Millis(4))]).unwrap();
        let revoke = TokenChange::Revoke { name: name("a"), at: Millis(5) };
        let revoked = store.apply_token(&revoke).unwrap().unwrap();
        for change in [revoke, rotate] {
            assert_eq!(store.apply_token(&change).unwrap(), Err(TokenRefusal::Absent(name("a"))));
        }
        drop(store);
        let mut store = Store::open(folder.path()).unwrap();
        let stored = StoredToken { record: revoked, used: Some(Millis(4)) };
        assert_eq!(store.tokens().unwrap(), StoredTokens { tokens: vec![stored], unreadable: 0 });
        let again = store.apply_token(&create("a", 6)).unwrap().unwrap();
        let stored = StoredToken { record: again, used: None };
        assert_eq!(store.tokens().unwrap().tokens, [stored], "a new token was never used");
        assert_eq!(store.head(), Seq::ZERO);
    }

    #[test]
    fn token_that_cannot_be_read_permits_nothing_and_still_counts() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        store.apply_token(&create("a", 1)).unwrap().unwrap();
        store.apply_token(&create("b", 2)).unwrap().unwrap();
        store.conn.execute("UPDATE tokens SET capability = '{\"grants\":[\"fly:**\"]}' WHERE name = 'a'", []).unwrap();
        store.conn.execute("UPDATE tokens SET revoked = 'yesterday' WHERE name = 'b'", []).unwrap();
        let stored = store.tokens().unwrap();
        assert_eq!(stored.unreadable, 1);
        assert_eq!(stored.tokens[0].record.revoked, Some(Millis(0)), "it stays revoked");
    }

    #[test]
    fn tokens_are_bounded_and_revoked_ones_make_room() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let insert = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
                      INSERT INTO tokens SELECT 't' || n, x'00', '', 0, NULL, ?2, 0, NULL FROM n";
        store.conn.execute(insert, (i64::try_from(MAX_TOKENS).unwrap(), None::<i64>)).unwrap();
        assert_eq!(store.apply_token(&create("a", 1)).unwrap(), Err(TokenRefusal::TooMany));
        store.conn.execute("UPDATE tokens SET revoked = 1", []).unwrap();
        store.conn.execute("INSERT INTO tokens VALUES ('old', x'00', '', 0, NULL, 0, 0, NULL)", []).unwrap();
        store.apply_token(&create("a", 1)).unwrap().unwrap();
        let names = store.conn.query_row("SELECT count(*), sum(name = 'old') FROM tokens", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        });
        assert_eq!(names.unwrap(), (1 + i64::try_from(MAX_TOKENS).unwrap(), 0));
    }
}
