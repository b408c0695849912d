//! A document of a board with its origin.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use shared::{BoardId, Millis};

use super::Document;

/// A document that is shown, and its origin.
#[derive(Clone, Debug, PartialEq)]
pub struct Edition {
    /// The document.
    pub document: Arc<Document>,
    /// The time when it was uploaded, or when its file was last written.
    pub changed: Millis,
    /// Its origin.
    pub origin: DocumentOrigin,
}

/// The origin of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DocumentOrigin {
    /// It was uploaded.
    Stored,
    /// It comes from this file.
    File(PathBuf),
}

/// The contents of a folder of boards.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Boards with a valid file.
    pub editions: BTreeMap<BoardId, Edition>,
    /// Boards whose file is not valid, with the reason.
    pub broken: BTreeMap<BoardId, String>,
    /// Files that cannot be a board, with the reason.
    pub strange: Vec<String>,
}
