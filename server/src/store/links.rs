//! Stores live links: hashes of their secrets, never the secrets.

use rusqlite::{Connection, OptionalExtension as _, Row};
use shared::access::Grant;
use shared::{BoardId, Millis};

use super::damage::Part;
use super::{CommitError, Store, meta, sql};
use crate::log::link::{MAX_LINKS, MAX_LINKS_OF_MAKER};
use crate::log::{LinkChange, LinkId, LinkRecord, LinkRefusal, NewLink, TokenHash};

const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS links (
        id      TEXT    PRIMARY KEY,
        hash    BLOB    NOT NULL,
        board   TEXT    NOT NULL,
        scope   TEXT    NOT NULL,
        maker   TEXT    NOT NULL,
        created INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        revoked INTEGER,
        since   INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS links_by_maker ON links (maker);
";

const COLUMNS: &str = "id, hash, board, scope, maker, created, expires, revoked, since";

pub(super) fn create(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(TABLE)
}

impl Store {
    /// Reads every link, also ended ones, by id. One that cannot be read opens nothing.
    ///
    /// # Errors
    /// Any SQLite error.
    pub fn links(&self) -> rusqlite::Result<Vec<LinkRecord>> {
        let mut select = self.conn.prepare(&format!("SELECT {COLUMNS} FROM links ORDER BY id"))?;
        let mut rows = select.query([])?;
        let mut links = Vec::new();
        while let Some(row) = rows.next()? {
            match self.read_link(row)? {
                Some(link) => links.push(link),
                None => self.damage.note(Part::Table("links"), "a link cannot be read, and opens nothing"),
            }
        }
        Ok(links)
    }

    /// Applies a change of a link; on return it is on the disk. Returns the link as it is now.
    ///
    /// # Errors
    /// [`CommitError`] if the store cannot write; the inner error if the change does not fit. Then nothing has changed.
    pub fn apply_link(&mut self, change: &LinkChange) -> Result<Result<LinkRecord, LinkRefusal>, CommitError> {
        let since = self.head;
        let after = match change {
            LinkChange::Create(link) => {
                if self.link(&link.id)?.is_some() {
                    return Ok(Err(LinkRefusal::Taken(link.id.clone())));
                }
                let (all, own) = self.count_links(&link.maker, link.created)?;
                if own >= MAX_LINKS_OF_MAKER {
                    return Ok(Err(LinkRefusal::TooManyOfMaker));
                }
                if all >= MAX_LINKS {
                    return Ok(Err(LinkRefusal::TooMany));
                }
                LinkRecord { link: link.clone(), revoked: None, since }
            }
            LinkChange::Revoke { id, at } => match self.link(id)?.filter(|link| link.revoked.is_none()) {
                Some(before) => LinkRecord { revoked: Some(*at), since, ..before },
                None => return Ok(Err(LinkRefusal::Absent(id.clone()))),
            },
        };
        self.keep_link(&after)?;
        Ok(Ok(after))
    }

    fn link(&self, id: &LinkId) -> rusqlite::Result<Option<LinkRecord>> {
        let select = format!("SELECT {COLUMNS} FROM links WHERE id = ?1");
        let mut select = self.conn.prepare_cached(&select)?;
        Ok(select.query_row([id.as_str()], |row| self.read_link(row)).optional()?.flatten())
    }

    /// Counts the links that are valid at `now`: all, and those of a maker.
    fn count_links(&self, maker: &str, now: Millis) -> rusqlite::Result<(usize, usize)> {
        let count =
            "SELECT count(*), count(*) FILTER (WHERE maker = ?1) FROM links WHERE revoked IS NULL AND expires > ?2";
        let mut count = self.conn.prepare_cached(count)?;
        let counts: (i64, i64) = count.query_row((maker, sql(now.0)), |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok((usize::try_from(counts.0).unwrap_or(usize::MAX), usize::try_from(counts.1).unwrap_or(usize::MAX)))
    }

    fn keep_link(&mut self, LinkRecord { link, revoked, since }: &LinkRecord) -> Result<(), CommitError> {
        let scope = serde_json::to_string(&link.scope).expect("grants are always JSON");
        self.change_rows(|tx| {
            // The oldest ended links make room.
            tx.execute(
                "DELETE FROM links WHERE id IN (SELECT id FROM links WHERE id <> ?1 AND (revoked IS NOT NULL OR expires <= ?2)
                 ORDER BY created DESC LIMIT -1 OFFSET ?3)",
                (link.id.as_str(), sql(revoked.unwrap_or(link.created).0), sql(MAX_LINKS as u64)),
            )?;
            tx.execute(
                "INSERT OR REPLACE INTO links (id, hash, board, scope, maker, created, expires, revoked, since)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                (
                    link.id.as_str(),
                    link.hash.0,
                    link.board.as_str(),
                    scope,
                    link.maker.as_str(),
                    sql(link.created.0),
                    sql(link.expires.0),
                    revoked.map(|at| sql(at.0)),
                    sql(since.0),
                ),
            )
        })
    }

    /// Reads a row; `None` if it is damaged.
    fn read_link(&self, row: &Row<'_>) -> rusqlite::Result<Option<LinkRecord>> {
        let text = |column| row.get_ref(column).map(|value| value.as_str().ok().map(str::to_owned));
        let time = |column| -> rusqlite::Result<Option<Millis>> {
            let number = row.get_ref(column)?.as_i64_or_null().ok().flatten();
            Ok(number.and_then(|number| u64::try_from(number).ok()).map(Millis))
        };
        let id: Option<LinkId> = text(0)?.and_then(|id| id.parse().ok());
        let hash = row.get_ref(1)?.as_blob().ok().and_then(|hash| <[u8; 32]>::try_from(hash).ok());
        let board: Option<BoardId> = text(2)?.and_then(|board| board.parse().ok());
        let scope: Option<Vec<Grant>> = text(3)?.and_then(|scope| serde_json::from_str(&scope).ok());
        let (Some(id), Some(hash), Some(board), Some(scope), Some(maker)) = (id, hash, board, scope, text(4)?) else {
            return Ok(None);
        };
        let is_revoked = row.get_ref(7)? != rusqlite::types::ValueRef::Null;
        // A time that cannot be read must not make an ended link valid.
        let revoked = is_revoked.then_some(time(7)?.unwrap_or_default());
        let (created, expires) = (time(5)?.unwrap_or_default(), time(6)?.unwrap_or_default());
        let since = meta::seq(row, 8)?.filter(|since| *since <= self.head).unwrap_or(self.head);
        let link = NewLink { id, hash: TokenHash(hash), board, scope, maker, created, expires };
        Ok(Some(LinkRecord { link, revoked, since }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(number: usize, maker: &str, created: u64) -> NewLink {
        NewLink {
            id: format!("l{number}").parse().unwrap(),
            hash: TokenHash([u8::try_from(number % 256).unwrap(); 32]),
            board: "ops".parse().unwrap(),
            scope: vec!["read:ops/**".parse().unwrap()],
            maker: maker.to_owned(),
            created: Millis(created),
            expires: Millis(created + 100),
        }
    }

    #[test]
    fn link_is_made_once_and_stays_revoked() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let new = link(1, "user ann", 1);
        let made = store.apply_link(&LinkChange::Create(new.clone())).unwrap().unwrap();
        assert_eq!(
            store.apply_link(&LinkChange::Create(new.clone())).unwrap(),
            Err(LinkRefusal::Taken(new.id.clone()))
        );
        let revoke = LinkChange::Revoke { id: new.id.clone(), at: Millis(5) };
        assert_eq!(store.links().unwrap(), [made]);
        let revoked = store.apply_link(&revoke).unwrap().unwrap();
        assert_eq!((&revoked.link, revoked.revoked), (&new, Some(Millis(5))));
        assert_eq!(store.apply_link(&revoke).unwrap(), Err(LinkRefusal::Absent(new.id)));
        drop(store);
        assert_eq!(Store::open(folder.path()).unwrap().links().unwrap(), [revoked]);
    }

    #[test]
    fn links_of_a_maker_are_bounded_and_ended_ones_do_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let mut make =
            |number, maker, at| store.apply_link(&LinkChange::Create(link(number, maker, at))).unwrap().err();
        for number in 0..MAX_LINKS_OF_MAKER {
            assert_eq!(make(number, "user ann", 1), None);
        }
        assert_eq!(make(901, "user ann", 2), Some(LinkRefusal::TooManyOfMaker));
        assert_eq!((make(902, "user bob", 2), make(903, "user ann", 200)), (None, None));
    }

    #[test]
    fn link_that_cannot_be_read_opens_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        store.apply_link(&LinkChange::Create(link(1, "user ann", 1))).unwrap().unwrap();
        store.conn.execute("UPDATE links SET scope = 'x'", []).unwrap();
        assert_eq!(store.links().unwrap(), []);
    }
}
