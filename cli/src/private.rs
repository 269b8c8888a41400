//! What is kept is nobody else's: folders of mode 700, files of mode 600, whatever the umask was and
//! whoever made them.

use std::{
    fs,
    io::{self, ErrorKind},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use rustix::{fs::Mode, process};

/// Those who are not the owner.
const OTHERS: u32 = 0o077;
/// Everybody may write there, and owns only what is theirs: `/tmp`.
const STICKY: u32 = 0o1000;

/// Whatever this process and its children make from now on is theirs alone.
pub fn from_now_on() {
    process::umask(Mode::from_raw_mode(OTHERS));
}

/// Makes the folder, or takes it from the others who could look into it.
pub fn folder(path: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| path.display().to_string())?;
    mend(path).with_context(|| path.display().to_string())
}

/// The database, what SQLite keeps beside it, and the admin key: as they lie there from before.
pub fn files(database: &Path, admin_key: &Path) -> Result<()> {
    let beside = ["-wal", "-shm", "-journal"].map(|ending| {
        let mut path = database.as_os_str().to_owned();
        path.push(ending);
        PathBuf::from(path)
    });
    let all = [database.to_owned(), admin_key.to_owned()];
    for path in all.iter().chain(&beside) {
        match mend(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            mended => mended.with_context(|| path.display().to_string())?,
        }
    }
    Ok(())
}

fn mend(path: &Path) -> io::Result<()> {
    let found = fs::metadata(path)?;
    let mode = found.permissions().mode() & 0o7777;
    if mode & OTHERS == 0 {
        return Ok(());
    }
    let shown = path.display();
    if mode & STICKY != 0 || found.uid() != process::geteuid().as_raw() {
        tracing::warn!(
            path = %shown,
            mode = format!("{mode:o}"),
            "others can look into what is kept, and it is not ours to change"
        );
        return Ok(());
    }
    let kept = mode & 0o700;
    fs::set_permissions(path, fs::Permissions::from_mode(kept))?;
    tracing::warn!(
        path = %shown,
        was = format!("{mode:o}"),
        now = format!("{kept:o}"),
        "others could look into what is kept; now they cannot"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn what_others_could_read_is_taken_from_them_and_nothing_else_is_touched() {
        let place = tempfile::tempdir().unwrap();
        let data = place.path().join("new/data");
        folder(&data).unwrap();
        assert_eq!(mode(&data), 0o700);
        fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
        folder(&data).unwrap();
        assert_eq!(mode(&data), 0o700);

        let names = [
            "retake.db",
            "retake.db-wal",
            "retake.db-shm",
            "admin.key",
            "mine.txt",
        ];
        for name in names {
            fs::write(data.join(name), "x").unwrap();
            fs::set_permissions(data.join(name), fs::Permissions::from_mode(0o666)).unwrap();
        }
        files(&data.join("retake.db"), &data.join("admin.key")).unwrap();
        for name in &names[..4] {
            assert_eq!(mode(&data.join(name)), 0o600, "{name}");
        }
        assert_eq!(mode(&data.join("mine.txt")), 0o666, "not one of ours");
    }

    #[test]
    fn a_folder_that_belongs_to_everybody_stays_so() {
        let place = tempfile::tempdir().unwrap();
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o1777)).unwrap();
        folder(place.path()).unwrap();
        assert_eq!(mode(place.path()), 0o1777);
    }
}
