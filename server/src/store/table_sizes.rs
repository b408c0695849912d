//! Measures the bytes of each table, for `/metrics`. SQLite has to read the whole file for that, so it happens seldom,
//! on a thread and a connection of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};

use super::FILE;

/// The least time between two measurements.
const LEAST: Duration = Duration::from_secs(60);

/// A measurement may take this part of the time.
const PART: u32 = 100;

/// The last measurement. Clones share it.
#[derive(Clone, Debug)]
pub struct TableSizes(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    file: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The bytes of each table, with its indexes.
    sizes: Vec<(String, u64)>,
    /// The earliest time of the next measurement; `None` while one is running.
    next: Option<Instant>,
    is_running: bool,
}

impl TableSizes {
    /// Makes the sizes of the tables in a data folder, and measures them for the first time.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        let sizes = Self(Arc::new(Shared { file: folder.join(FILE), state: Mutex::default() }));
        _ = sizes.current();
        sizes
    }

    /// Returns the last measurement, and starts the next one if it is due. Empty until the first one has ended.
    #[must_use]
    pub fn current(&self) -> Vec<(String, u64)> {
        let mut state = self.0.state.lock();
        if !state.is_running && state.next.is_none_or(|next| next <= Instant::now()) {
            let shared = self.0.clone();
            let started = std::thread::Builder::new().name("sizes".to_owned()).spawn(move || shared.measure());
            state.is_running = started.is_ok();
        }
        state.sizes.clone()
    }
}

impl Shared {
    fn measure(&self) {
        let begun = Instant::now();
        let measured = measure(&self.file);
        let mut state = self.state.lock();
        match measured {
            Ok(sizes) => state.sizes = sizes,
            Err(error) => tracing::debug!(%error, "cannot measure the tables"),
        }
        state.next = Some(Instant::now() + LEAST.max(begun.elapsed() * PART));
        state.is_running = false;
    }
}

fn measure(file: &Path) -> rusqlite::Result<Vec<(String, u64)>> {
    let conn = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut select = conn.prepare(
        "SELECT ifnull(tbl_name, 'sqlite_schema') AS name, sum(pgsize) FROM dbstat
         LEFT JOIN sqlite_schema USING (name) WHERE aggregate = TRUE GROUP BY 1 ORDER BY 1",
    )?;
    let sizes = select.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?;
    sizes.collect()
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::*;

    #[test]
    fn each_table_has_a_size() {
        let folder = tempfile::tempdir().unwrap();
        let _store = Store::open(folder.path()).unwrap();
        let sizes = measure(&folder.path().join(FILE)).unwrap();
        for table in ["log", "blocks", "extents", "lines", "series", "pushes"] {
            assert!(sizes.iter().any(|(name, bytes)| name == table && *bytes >= 4_096), "{table} of {sizes:?}");
        }
        assert!(sizes.iter().all(|(name, _)| name != "pushes_by_age"), "an index counts with its table");
    }
}
