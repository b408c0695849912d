//! Keeps the files of the store from other users of the machine.

use std::fs::{DirBuilder, DirEntry, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// Mode of a file: only the owner may read and write it.
const FILE_MODE: u32 = 0o600;

/// Mode of a folder: only the owner may use it.
const FOLDER_MODE: u32 = 0o700;

/// The beginning of the names of all files of the store.
const PREFIX: &str = "pulseboard.";

/// Creates the folder, for its owner alone, unless it exists.
///
/// # Errors
/// [`io::Error`].
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)
}

/// Takes away the rights of other users on a folder that existed already, if its owner is the owner of `file`, which
/// this program wrote, and it holds only files of the store. Otherwise warns of those rights: other programs may need
/// them.
pub(super) fn close_folder(folder: &Path, file: &File) {
    let (Ok(found), Ok(file)) = (std::fs::metadata(folder), file.metadata()) else { return };
    let mode = found.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return;
    }
    let is_ours = |entry: io::Result<DirEntry>| {
        entry.is_ok_and(|entry| entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes()))
    };
    let holds_only_ours = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.all(is_ours));
    let is_closed = found.uid() == file.uid()
        && holds_only_ours
        && std::fs::set_permissions(folder, Permissions::from_mode(mode & FOLDER_MODE)).is_ok();
    if is_closed {
        tracing::info!(folder = %folder.display(), mode = format!("{mode:o}"), "other users can no longer use the folder of the store");
    } else {
        tracing::warn!(folder = %folder.display(), mode = format!("{mode:o}"), "other users can use the folder of the store; if they need not, run chmod 700 on it");
    }
}

/// Opens a file for writing; creates it if there is none. Takes away the rights of other users: SQLite gives its
/// other files the mode of the database.
///
/// # Errors
/// [`io::Error`].
pub(super) fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(FILE_MODE).open(path)?;
    close_to_others(path);
    Ok(file)
}

/// Takes away the rights of other users on a file, if it exists.
pub(super) fn close_to_others(path: &Path) {
    let Ok(found) = std::fs::metadata(path) else { return };
    let mode = found.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return;
    }
    match std::fs::set_permissions(path, Permissions::from_mode(mode & FOLDER_MODE)) {
        Ok(()) => {
            tracing::info!(file = %path.display(), mode = format!("{mode:o}"), "other users can no longer read this file of the store");
        }
        Err(error) => {
            tracing::warn!(file = %path.display(), mode = format!("{mode:o}"), %error, "cannot change the mode of this file of the store; other users can read it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn existing_folder_is_closed_to_others_unless_it_holds_other_files() {
        let folder = tempfile::tempdir().unwrap();
        let mode = || std::fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777;
        let file = open(&folder.path().join("pulseboard.lock")).unwrap();
        for (other, closed) in [(None, 0o700), (Some("notes.txt"), 0o755)] {
            other.inspect(|name| std::fs::write(folder.path().join(name), "").unwrap());
            std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
            close_folder(folder.path(), &file);
            assert_eq!(mode(), closed);
        }
    }

    #[test]
    fn rights_of_other_users_on_a_file_are_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("deep/data");
        make_folder(&data).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&data), mode(data.parent().unwrap())), (0o700, 0o700));
        let file = data.join("x");
        std::fs::write(&file, "kept").unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o664)).unwrap();
        drop(open(&file).unwrap());
        assert_eq!((mode(&file), std::fs::read_to_string(&file).unwrap().as_str()), (0o600, "kept"));
    }
}
