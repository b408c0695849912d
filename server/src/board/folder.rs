//! The folder of `--boards`: one file per board, `ID.toml` or `ID.json`. It is read at start and whenever a file
//! changes.
//!
//! Not by `notify-debouncer-mini`: it drops the kind of an event, so our own reading of the folder would cause the next
//! one.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecursiveMode, Watcher as _};
use shared::board::document::MAX_DOCUMENT;
use shared::board::keyword::Keyword as _;
use shared::board::{BoardFormat, warnings};
use shared::{BoardId, Millis};
use tokio::sync::Notify;

use super::document::DocumentError;
use super::edition::{DocumentOrigin, Edition, Found};
use super::{BoardRegistry, Document};

/// The folder is read again only after it was quiet for this long: an editor writes a file in several steps.
const QUIET: Duration = Duration::from_millis(100);

/// Maximum number of such waits, for a folder that changes all the time.
const PATIENCE: u32 = 20;

/// Reads all files of the folder that end in `.toml` or `.json`. If two files make the same board, the first by name is
/// used. A link is followed only to a file inside the folder, as Kubernetes mounts a `ConfigMap`. Otherwise a user who
/// can put a link there could make the server show any file that it can read.
///
/// # Errors
/// Where the folder cannot be read. A file that cannot be read is listed in [`Found::broken`].
pub fn read(folder: &Path) -> std::io::Result<Found> {
    let mut files: Vec<(PathBuf, BoardFormat)> = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let file = file?.path();
        let form = file.extension().and_then(|end| end.to_str()).and_then(BoardFormat::of);
        files.extend(form.filter(|_| file.is_file()).map(|form| (file, form)));
    }
    files.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let real_folder = folder.canonicalize()?;
    let mut found = Found::default();
    for (file, form) in files {
        if !file.canonicalize().is_ok_and(|real| real.starts_with(&real_folder)) {
            found.strange.push(format!(
                "{}: this link leads out of the folder; put the file itself into the folder",
                file.display()
            ));
            continue;
        }
        let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let id = match stem.parse::<BoardId>() {
            Ok(id) if found.editions.contains_key(&id) || found.broken.contains_key(&id) => {
                found.strange.push(format!("{}: another file makes the board {id} already", file.display()));
                continue;
            }
            Ok(id) => id,
            Err(error) => {
                found.strange.push(format!("{}: {stem:?} is no name of a board: {error}", file.display()));
                continue;
            }
        };
        match read_file(&file, form) {
            Ok(edition) => {
                found.editions.insert(id, edition);
            }
            Err(message) => {
                found.broken.insert(id, format!("{}: {message}", file.display()));
            }
        }
    }
    Ok(found)
}

fn read_file(file: &Path, form: BoardFormat) -> Result<Edition, String> {
    let metadata = std::fs::metadata(file).map_err(|error| error.to_string())?;
    if metadata.len() > MAX_DOCUMENT as u64 {
        return Err(DocumentError::TooLarge.to_string());
    }
    let changed = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    let changed = Millis(u64::try_from(changed.as_millis()).unwrap_or(u64::MAX));
    // The file may have grown since its size was checked.
    let mut source = Vec::new();
    let opened = std::fs::File::open(file).map_err(|error| error.to_string())?;
    opened.take(MAX_DOCUMENT as u64 + 1).read_to_end(&mut source).map_err(|error| error.to_string())?;
    let document = Document::read(form, source).map_err(|error| one_line(&error))?;
    Ok(Edition { document: Arc::new(document), changed, origin: DocumentOrigin::File(file.to_owned()) })
}

/// All errors of a file, as one line for the log.
fn one_line(error: &DocumentError) -> String {
    let mut line = error.to_string();
    if let DocumentError::Mistakes(mistakes) = error {
        for mistake in mistakes {
            write!(line, "; {mistake}").expect("writing to a String succeeds");
        }
    }
    line
}

/// Logs the problems of the folder that were not there `before`.
pub fn warn(found: &Found, before: &Found) {
    for (id, edition) in found.editions.iter().filter(|(id, edition)| before.editions.get(*id) != Some(*edition)) {
        // Series come and go while nobody edits the folder, so a selector without a match is not worth a warning.
        for warning in warnings(edition.document.board(), &|_| true) {
            tracing::warn!(board = %id, "{warning}");
        }
    }
    for (id, message) in &found.broken {
        if before.broken.get(id) != Some(message) {
            tracing::warn!(board = %id, "{message}; the board stays as it was");
        }
    }
    for message in &found.strange {
        if !before.strange.contains(message) {
            tracing::warn!("{message}; it is passed over");
        }
    }
}

/// Updates the board registry from the folder whenever it changes, until the runtime ends. Returns a `Notify` that
/// makes it read the folder again, also if no change was noticed.
///
/// # Errors
/// Where the system does not let the folder be watched.
pub fn watch(folder: PathBuf, registry: BoardRegistry, mut known: Found) -> notify::Result<Arc<Notify>> {
    let changed = Arc::new(Notify::new());
    let (waker, again) = (Arc::clone(&changed), Arc::clone(&changed));
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !is_mere_look(event.kind)) {
            waker.notify_one();
        }
    })?;
    watcher.watch(&folder, RecursiveMode::NonRecursive)?;
    // Picks up changes between the first reading and now.
    changed.notify_one();
    tokio::spawn(async move {
        let _kept = watcher;
        loop {
            changed.notified().await;
            for _ in 0..PATIENCE {
                if tokio::time::timeout(QUIET, changed.notified()).await.is_err() {
                    break;
                }
            }
            let path = folder.clone();
            let before = std::mem::take(&mut known);
            let look = move || {
                let found = read(&path);
                if let Ok(found) = &found {
                    warn(found, &before);
                }
                (found, before)
            };
            let read = tokio::task::spawn_blocking(look).await.map(|(found, before)| {
                known = before;
                found
            });
            match read {
                Ok(Ok(found)) => {
                    known.clone_from(&found);
                    if let Err(error) = registry.apply_folder(found).await {
                        tracing::warn!(%error, "cannot take over the boards of {}", folder.display());
                    }
                }
                Ok(Err(error)) => tracing::warn!(%error, "cannot read {}; its boards stay", folder.display()),
                Err(error) => tracing::error!(%error, "reading the folder of boards failed"),
            }
        }
    });
    Ok(again)
}

/// True for events that only show that somebody has read the folder. Our own reading causes them too, and must not lead
/// to another reading.
fn is_mere_look(kind: EventKind) -> bool {
    matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_is_a_board_or_a_warning_that_says_where() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("ops.toml", "title = \"Ops\""),
            ("ops.json", "{}"),
            ("dev.json", r#"{"title": "Dev", "widgets": [{"id": "a", "type": "pie"}]}"#),
            ("half.toml", "title = "),
            ("no name.toml", ""),
            ("notes.txt", "not a board"),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let found = read(folder.path()).unwrap();
        let names: Vec<_> = found.editions.keys().map(BoardId::as_str).collect();
        assert_eq!(names, ["ops"], "by the file that comes first");
        let broken: Vec<_> = found.broken.values().collect();
        assert!(broken[0].contains("dev.json: 1 mistakes; widgets[0].type: expected stat"), "{broken:?}");
        assert!(broken[1].contains("half.toml: broken TOML") && broken[1].contains("line 1"), "{broken:?}");
        assert_eq!(found.strange.len(), 2, "{:?}", found.strange);
    }

    #[test]
    fn link_is_followed_only_within_the_folder() {
        use std::os::unix::fs::symlink;

        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let at = |name: &str| folder.path().join(name);
        // As Kubernetes mounts a `ConfigMap`.
        std::fs::create_dir(at("..2026_11_27")).unwrap();
        std::fs::write(at("..2026_11_27/ops.toml"), "title = \"Ops\"").unwrap();
        symlink("..2026_11_27", at("..data")).unwrap();
        symlink("..data/ops.toml", at("ops.toml")).unwrap();
        std::fs::write(outside.path().join("secret.json"), r#"{"title": "Secret"}"#).unwrap();
        symlink(outside.path().join("secret.json"), at("direct.json")).unwrap();
        symlink(outside.path(), at("away")).unwrap();
        symlink("away/secret.json", at("roundabout.json")).unwrap();
        symlink("nowhere.json", at("broken.json")).unwrap();
        let found = read(folder.path()).unwrap();
        assert_eq!(found.editions.keys().map(BoardId::as_str).collect::<Vec<_>>(), ["ops"]);
        assert!(found.strange.iter().all(|message| message.contains("leads out of the folder")), "{:?}", found.strange);
        assert_eq!((found.strange.len(), found.broken.len()), (2, 0));
        // The folder itself may be a link.
        symlink(folder.path(), outside.path().join("boards")).unwrap();
        assert_eq!(read(&outside.path().join("boards")).unwrap().editions.len(), 1);
    }
}
