//! `pulseboard board`: exports, imports and lists boards as files, over HTTP like any other client.

use std::io::Write;
use std::path::{Path, PathBuf};

use shared::BoardId;
use shared::board::keyword::Keyword as _;
use shared::board::{BoardFormat, Etag};
use shared::name::NameError;
use shared::problem::FieldError;

use crate::board::api::Stored;
use crate::cli::remote::{CallError, Collection};
use crate::cli::server::Server;
use crate::plain_text::Plain;

/// Failure of a command. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The server refused the request, or cannot be reached.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The board exists already.
    #[error("the board {0} is there already; add --replace, or name another with --id")]
    Exists(BoardId),
    /// The file cannot be read.
    #[error("cannot read {}: {source}", file.display())]
    Unreadable {
        /// The path of the file.
        file: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file's name is not a valid name of a board.
    #[error("{name:?} is no name of a board: {source}; name one with --id")]
    Unnamed {
        /// The file's name without its extension.
        name: String,
        /// The reason why it is not valid.
        source: NameError,
    },
    /// The output cannot be written.
    #[error("cannot write: {0}")]
    Output(#[from] std::io::Error),
}

/// Action if the board exists already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Keep it, and report an error.
    Keep,
    /// Replace it with the file.
    Replace,
}

/// A client for the boards of a server.
#[derive(Debug)]
pub struct Remote {
    boards: Collection,
}

impl Remote {
    /// Makes a client for a server.
    #[must_use]
    pub fn new(server: &Server) -> Self {
        Self { boards: Collection::new(server, "/api/boards") }
    }

    /// The address of a board's document.
    fn board(&self, id: &BoardId) -> String {
        format!("{}/{}", self.boards.url, crate::board::escaped(id))
    }

    /// Fetches the document of a board as it was stored, or in `form`.
    ///
    /// # Errors
    /// [`CommandError`].
    pub fn export(&self, id: &BoardId, form: Option<BoardFormat>) -> Result<Vec<u8>, CommandError> {
        let accept = form.map_or("*/*", BoardFormat::content_type);
        let answer = self.boards.http.get(self.board(id)).header("Accept", accept).call();
        Ok(self.boards.read(answer)?.into_body())
    }

    /// Uploads a file as the board `id`, or as the board that the file is named after. Returns the board's name and the
    /// warnings.
    ///
    /// # Errors
    /// [`CommandError`].
    pub fn import(
        &self,
        file: &Path,
        id: Option<BoardId>,
        existing: Existing,
    ) -> Result<(BoardId, Vec<FieldError>), CommandError> {
        let source =
            std::fs::read(file).map_err(|source| CommandError::Unreadable { file: file.to_owned(), source })?;
        let id = match id {
            Some(id) => id,
            None => {
                let name = file.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                name.parse().map_err(|source| CommandError::Unnamed { name, source })?
            }
        };
        let url = self.board(&id);
        let mut request = self.boards.http.put(&url);
        let form = file.extension().and_then(|end| end.to_str()).and_then(BoardFormat::of);
        // If the file has no known extension, the server detects the form.
        request = request.content_type(form.map_or("application/octet-stream", BoardFormat::content_type));
        request = match existing {
            Existing::Keep => request.header("If-None-Match", "*"),
            Existing::Replace => match self.etag(&id)? {
                Some(etag) => request.header("If-Match", etag.to_string()),
                None => request.header("If-None-Match", "*"),
            },
        };
        match self.boards.read(request.send(&source[..])) {
            Ok(answer) => Ok((id, serde_json::from_slice::<Stored>(answer.body()).unwrap_or_default().notices)),
            Err(CallError::Refused(problem)) if problem.status == 412 && existing == Existing::Keep => {
                Err(CommandError::Exists(id))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Lists the boards, one per line: name, origin, title.
    ///
    /// # Errors
    /// [`CommandError`].
    pub fn list(&self, out: &mut impl Write) -> Result<(), CommandError> {
        let answer = self.boards.read(self.boards.http.get(&self.boards.url).call())?;
        let boards: Vec<serde_json::Value> =
            serde_json::from_slice(answer.body()).map_err(|error| self.boards.unavailable(error.to_string()))?;
        for board in boards {
            let field = |key: &str| Plain(board[key].as_str().unwrap_or_default());
            writeln!(out, "{}\t{}\t{}", field("id"), field("origin"), field("title"))?;
        }
        Ok(out.flush()?)
    }

    /// Fetches the tag of the board on the server.
    fn etag(&self, id: &BoardId) -> Result<Option<Etag>, CallError> {
        match self.boards.read(self.boards.http.get(self.board(id)).call()) {
            Ok(answer) => {
                let etag = answer.headers().get("etag").and_then(|etag| etag.to_str().ok()?.parse().ok());
                // Without the tag, replacing the board could overwrite the change of another user.
                let lost =
                    || self.boards.unavailable("the answer has no ETag of a board; does a proxy remove it?".to_owned());
                etag.map(Some).ok_or_else(lost)
            }
            Err(CallError::Refused(problem)) if problem.status == 404 => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Parses the form that `--as` names.
///
/// # Errors
/// A message that lists the forms.
pub fn parse_form(text: &str) -> Result<BoardFormat, String> {
    BoardFormat::of(text).ok_or_else(|| format!("unknown format; use {}", BoardFormat::offer()))
}
