//! The command `pulseboard import`: pushes old points from files, in line protocol, NDJSON or CSV, plain or gzip.
//!
//! [`source`] opens a file, [`pieces`] cuts it into pushes, [`table`] turns CSV into NDJSON, [`sender`] pushes,
//! and [`settings`] has the settings.
//! The same file gives the same pushes, each with a key made from its content. So an import that is started again
//! continues where it stopped, since the server ignores points that it has.

mod pieces;
mod sender;
mod settings;
mod source;
mod table;

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use self::pieces::{Piece, Pieces};
use self::sender::Sender;
use self::table::Table;

pub use self::settings::{ImportError, Settings};
pub use self::source::Format;

/// The most refused lines that are printed with their reason.
const MAX_PRINTED: u64 = 20;

/// The result of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The number of lines that the server has.
    pub stored: u64,
    /// The number of lines that the server refused. The first of them were printed.
    pub refused: u64,
}

/// Pushes all files, in order.
///
/// # Errors
/// [`ImportError`]. Points that were pushed before stay on the server.
pub fn run(files: &[PathBuf], settings: &Settings) -> Result<Summary, ImportError> {
    let mut import = Import { sender: Sender::new(settings), summary: Summary::default() };
    for file in files {
        import.file(file, settings)?;
    }
    Ok(import.summary)
}

struct Import {
    sender: Sender,
    summary: Summary,
}

impl Import {
    fn file(&mut self, file: &Path, settings: &Settings) -> Result<(), ImportError> {
        let format =
            settings.format.or_else(|| Format::of(file)).ok_or_else(|| ImportError::Format(file.to_owned()))?;
        let unreadable = |line, source| ImportError::Read { file: file.to_owned(), line, source };
        let progress = progress(file);
        let input = source::open(file, &progress).map_err(|error| unreadable(0, error))?;
        let pushed = match format {
            Format::Lines | Format::Ndjson => {
                let mut pieces = Pieces::new(input, format);
                self.push_all(file, format, &progress, || {
                    pieces.next().map_err(|error| unreadable(pieces.line(), error))
                })
            }
            Format::Csv => {
                let prefix = settings.prefix.as_deref();
                let mut table = Table::read_head(input, prefix)
                    .map_err(|message| ImportError::Table { file: file.to_owned(), message })?;
                self.push_all(file, format, &progress, || {
                    table.next().map_err(|error| unreadable(table.line(), error.into()))
                })
            }
        };
        progress.finish_and_clear();
        pushed
    }

    fn push_all(
        &mut self,
        file: &Path,
        format: Format,
        progress: &ProgressBar,
        mut next: impl FnMut() -> Result<Option<Piece>, ImportError>,
    ) -> Result<(), ImportError> {
        while let Some(piece) = next()? {
            let outcome = self.sender.push(format, piece)?;
            let room = MAX_PRINTED.saturating_sub(self.summary.refused);
            self.summary.stored += outcome.stored;
            self.summary.refused += outcome.refused;
            for refused in outcome.named.iter().take(usize::try_from(room).unwrap_or(usize::MAX)) {
                let text = format!("pulseboard: {}:{}: {}", file.display(), refused.line, refused.why);
                progress.suspend(|| eprintln!("{}", crate::plain_text::Plain(text)));
            }
            progress.set_message(format!("{} lines", self.summary.stored));
        }
        Ok(())
    }
}

/// Creates a progress bar, which is shown only on a terminal.
fn progress(file: &Path) -> ProgressBar {
    let length = std::fs::metadata(file).ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len());
    let progress = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{prefix} {bar:30} {percent}% {binary_bytes_per_sec} {msg}, {eta} left");
    progress.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    progress.set_prefix(file.file_name().unwrap_or_default().to_string_lossy().into_owned());
    progress
}
