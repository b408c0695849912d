//! The beginning of a shared log that was not empty: a copy of the database of the node that published its folder. It
//! is stored in pieces, which a new node reads before the first row.

use std::io::{self, Read, Write};
use std::sync::Arc;

use super::link::Link;
use super::shared_log::SharedLog;
use super::tables::reason;

/// The bytes of a piece.
const PIECE: usize = 4 << 20;

/// Writes the beginning of a log in one transaction. Dropping it before [`SeedWriter::finish`] undoes the transaction.
#[derive(Debug)]
pub struct SeedWriter<'a> {
    log: &'a SharedLog,
    link: Arc<Link>,
    piece: Vec<u8>,
    number: i64,
    is_finished: bool,
}

/// Reads the beginning of a log.
#[derive(Debug)]
pub struct SeedReader<'a> {
    log: &'a SharedLog,
    link: Arc<Link>,
    piece: io::Cursor<Vec<u8>>,
    number: i64,
}

fn failed(error: &tokio_postgres::Error) -> io::Error {
    io::Error::other(format!("the shared log: {}", reason(error)))
}

impl SharedLog {
    /// Begins to write the beginning of the log.
    ///
    /// # Errors
    /// The log cannot be reached, or is no longer empty.
    pub fn write_seed(&self) -> io::Result<SeedWriter<'_>> {
        let link = self.link().map_err(io::Error::other)?;
        let mut writer =
            SeedWriter { log: self, link, piece: Vec::with_capacity(PIECE), number: 0, is_finished: false };
        let id = &self.identity().id;
        let head = self.block(async {
            let client = writer.link.client();
            client.batch_execute("BEGIN").await?;
            let select = "SELECT position = 0 AND NOT EXISTS (SELECT FROM pulseboard_seed) FROM pulseboard_head WHERE id = $1 FOR UPDATE";
            client.query_opt(select, &[id]).await
        });
        let is_empty = head.map_err(|error| failed(&error))?.is_some_and(|row| row.get(0));
        if is_empty {
            return Ok(writer);
        }
        writer.piece.clear();
        Err(io::Error::other(
            "the shared log is no longer empty; name an empty folder with --data, or another database",
        ))
    }

    /// Begins to read the beginning of the log.
    ///
    /// # Errors
    /// The log cannot be reached.
    pub fn read_seed(&self) -> io::Result<SeedReader<'_>> {
        let link = self.link().map_err(io::Error::other)?;
        Ok(SeedReader { log: self, link, piece: io::Cursor::default(), number: 0 })
    }
}

impl SeedWriter<'_> {
    fn write_piece(&mut self) -> io::Result<()> {
        let insert = "INSERT INTO pulseboard_seed (number, data) VALUES ($1, $2)";
        let written = self.log.block(self.link.client().execute(insert, &[&self.number, &self.piece]));
        written.map_err(|error| failed(&error))?;
        self.number += 1;
        self.piece.clear();
        Ok(())
    }

    /// Writes the rest, and gives the log the id of the node that begins it. From then on, nodes that joined the empty
    /// log can no longer append to it.
    ///
    /// # Errors
    /// Nothing is written then, unless the connection was lost during the last step.
    pub fn finish(mut self, id: &str) -> io::Result<()> {
        if !self.piece.is_empty() {
            self.write_piece()?;
        }
        self.is_finished = true;
        let done = self.log.block(async {
            let client = self.link.client();
            client.execute("UPDATE pulseboard_head SET id = $1", &[&id]).await?;
            client.batch_execute("COMMIT").await
        });
        done.map_err(|error| failed(&error))
    }
}

impl Write for SeedWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        if self.piece.len() == PIECE {
            self.write_piece()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for SeedWriter<'_> {
    fn drop(&mut self) {
        if !self.is_finished {
            // Where it fails, the connection is gone, and the transaction with it.
            _ = self.log.block(self.link.client().batch_execute("ROLLBACK"));
        }
    }
}

impl Read for SeedReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.piece.read(into)?;
        if read > 0 || into.is_empty() {
            return Ok(read);
        }
        let select = "SELECT data FROM pulseboard_seed WHERE number = $1";
        let next = self.log.block(self.link.client().query_opt(select, &[&self.number]));
        let Some(row) = next.map_err(|error| failed(&error))? else { return Ok(0) };
        self.number += 1;
        self.piece = io::Cursor::new(row.get(0));
        self.piece.read(into)
    }
}
