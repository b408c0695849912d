//! The setup of all scenarios: a binary, and a data folder full of series. Each scenario gets a copy of the folder.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use tempfile::TempDir;

use super::subject::{Setup, Subject};

/// The number of series under `past/`, each with [`Scale::past`] points a second apart, so that their history is
/// expensive to read.
pub(crate) const PAST_SERIES: usize = 40;

/// The size of the data and the duration of an attack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// The number of series that exist before an attack.
    pub(crate) series: usize,
    /// The number of points of each series under `past/`.
    pub(crate) past: usize,
    /// The duration of an attack.
    pub(crate) lasts: Duration,
    /// The divisor of the counts of connections and requests.
    pub(crate) divisor: usize,
}

impl Scale {
    /// Scales a count down, to at least one.
    pub(crate) fn of(&self, count: usize) -> usize {
        (count / self.divisor).max(1)
    }
}

/// The setup in which servers are started.
pub(crate) struct Ground {
    binary: PathBuf,
    help: String,
    folder: TempDir,
    /// The size of the data and the duration of an attack.
    pub(crate) scale: Scale,
    full: OnceLock<PathBuf>,
}

impl Ground {
    /// Makes a setup whose data folder is not filled yet.
    pub(crate) fn new(binary: &Path, scale: Scale) -> anyhow::Result<Self> {
        let help = Command::new(binary).args(["serve", "--help"]).output();
        let help = help.with_context(|| {
            format!("cannot run {}; build it, or name another with PULSEBOARD_BIN", binary.display())
        })?;
        let help = String::from_utf8_lossy(&help.stdout).into_owned();
        let folder = tempfile::Builder::new().prefix("pulseboard-attack").tempdir()?;
        Ok(Self { binary: binary.to_owned(), help, folder, scale, full: OnceLock::new() })
    }

    /// Returns a new, empty folder.
    pub(crate) fn fresh(&self) -> anyhow::Result<PathBuf> {
        let folder = tempfile::Builder::new().prefix("data").tempdir_in(self.folder.path())?;
        Ok(folder.keep())
    }

    /// Returns a copy of the data folder full of series.
    pub(crate) fn filled(&self) -> anyhow::Result<PathBuf> {
        let full = match self.full.get() {
            Some(full) => full,
            None => {
                let filled = self.fill()?;
                self.full.get_or_init(|| filled)
            }
        };
        let copy = self.fresh()?;
        copy_folder(full, &copy)?;
        Ok(copy)
    }

    /// Starts a server on this folder.
    pub(crate) fn start_on(&self, setup: &Setup, data: &Path) -> anyhow::Result<Subject> {
        let log = data.with_extension("log");
        Subject::start(&self.binary, &self.help, setup, data, &log)
    }

    /// Starts a server full of series.
    pub(crate) fn start(&self, setup: &Setup) -> anyhow::Result<Subject> {
        self.start_on(setup, &self.filled()?)
    }

    fn fill(&self) -> anyhow::Result<PathBuf> {
        let data = self.fresh()?;
        let server = self.start_on(&Setup::default(), &data)?;
        let numbers: Vec<usize> = (0..self.scale.series).collect();
        for chunk in numbers.chunks(5_000) {
            let line =
                |n: &usize| format!("{{\"series\":\"site{}/rack{}/sensor{n}\",\"value\":{n}.25}}\n", n % 10, n % 1_000);
            server.push("/in", chunk.iter().map(line).collect::<String>().as_bytes())?;
        }
        let newest = now_ms()? / 1_000 - 60;
        for first in (0..self.scale.past).step_by(100) {
            let mut body = String::new();
            for back in first..(first + 100).min(self.scale.past) {
                let ts = (newest - (self.scale.past - back) as u64) * 1_000;
                for n in 0..PAST_SERIES {
                    body.push_str(&format!("{{\"series\":\"past/s{n}\",\"value\":{}.5,\"ts\":{ts}}}\n", back + n));
                }
            }
            server.push("/in", body.as_bytes())?;
        }
        server.end()
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> anyhow::Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis().try_into()?)
}

/// Copies the files of a stopped server's folder.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
