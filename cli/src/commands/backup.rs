//! `retake backup DIR` and `retake restore DIR`: everything that is kept, in a folder of its own.
//!
//! ```text
//! DIR/retake.db     rows, recordings, corrections, plugins: one file, without a log
//! DIR/admin.key     where there is one, mode 600
//! DIR/backup.json   what it is, and the SHA-256 of the files; written last
//! ```
//!
//! A backup needs nothing to stop. Both write under another name first, so that a folder called DIR
//! is whole, and data that is there is never written over.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use jiff::Timestamp;
use retake_backends::sqlite::{Backup, back_up, verify};
use retake_jobs::digest::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use crate::{admin_key, config::Config, private};

const FORMAT: u32 = 1;
const DATABASE: &str = "retake.db";
const ADMIN_KEY: &str = "admin.key";
const ABOUT: &str = "backup.json";
const COPY_BYTES: usize = 256 * 1024;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The backup's folder; for `backup` one that is not there yet, or is empty
    folder: PathBuf,
}

/// `backup.json`.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    format: u32,
    created_at: Timestamp,
    retake_version: String,
    schema_version: i64,
    recordings: u64,
    corrections: u64,
    deltas: u64,
    plugin_files: u64,
    blob_bytes: u64,
    database: Digested,
    admin_key: Option<Digested>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Digested {
    size_bytes: u64,
    sha256: String,
}

pub fn backup(config: &Config, arguments: &Arguments) -> Result<()> {
    let folder = std::path::absolute(&arguments.folder)?;
    ensure!(
        is_free(&folder)?,
        "{} is there and not empty; a backup gets a folder of its own",
        folder.display()
    );
    let parent = folder
        .parent()
        .context("the folder has no place to be in")?;
    fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
    // Beside it, so that it can be renamed.
    let partial = tempfile::Builder::new()
        .prefix(".retake-backup-")
        .tempdir_in(parent)
        .with_context(|| parent.display().to_string())?;

    let database = partial.path().join(DATABASE);
    let held = back_up(&config.database(), &database)?;
    let about = About {
        format: FORMAT,
        created_at: Timestamp::now(),
        retake_version: env!("CARGO_PKG_VERSION").to_owned(),
        schema_version: held.schema_version,
        recordings: held.recordings,
        corrections: held.corrections,
        deltas: held.deltas,
        plugin_files: held.plugin_files,
        blob_bytes: held.blob_bytes,
        database: digested(&database)?,
        admin_key: keep_admin_key(config, partial.path())?,
    };
    let mut file = File::create_new(partial.path().join(ABOUT))?;
    serde_json::to_writer_pretty(&mut file, &about)?;
    writeln!(file)?;
    for name in [DATABASE, ADMIN_KEY, ABOUT] {
        match File::open(partial.path().join(name)) {
            Ok(file) => file.sync_all()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    File::open(partial.path())?.sync_all()?;
    let partial = partial.keep();
    // Over an empty folder too; never over one that somebody has filled meanwhile.
    if let Err(error) = fs::rename(&partial, &folder) {
        let _ = fs::remove_dir_all(&partial);
        return Err(error).with_context(|| folder.display().to_string());
    }
    File::open(parent)?.sync_all()?;
    say(&format!(
        "{}: {} recordings, {} corrections, {} plugins; {} bytes, read back and compared\n",
        folder.display(),
        held.recordings,
        held.corrections,
        held.plugin_files,
        about.database.size_bytes,
    ))
}

pub fn restore(config: &Config, arguments: &Arguments) -> Result<()> {
    let folder = &arguments.folder;
    let about = read_about(folder)?;
    let (database, key) = (config.database(), admin_key::path(&config.data));
    let log = with_ending(&database, "-wal");
    for path in [&database, &log, &key] {
        ensure!(
            !path.exists(),
            "{} is there already; a backup is restored only where nothing is kept yet: stop Retake \
             and move the old data away, or name another folder with --data",
            path.display()
        );
    }
    let parent = database
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    private::folder(&config.data)?;
    if !parent.exists() {
        private::folder(parent)?;
    }
    let copied = copy(&folder.join(DATABASE), parent, &about.database)?;
    let held = verify(copied.path())?;
    ensure!(
        held.recordings == about.recordings && held.corrections == about.corrections,
        "the backup holds {} recordings and {} corrections, and says {} and {}",
        held.recordings,
        held.corrections,
        about.recordings,
        about.corrections
    );
    let key_copied = match &about.admin_key {
        Some(expected) => Some(copy(&folder.join(ADMIN_KEY), &config.data, expected)?),
        None => None,
    };
    // The key first: a database alone would be a whole installation with another key.
    if let Some(copied) = key_copied {
        put(copied, &key)?;
    }
    put(copied, &database)?;
    File::open(parent)?.sync_all()?;
    File::open(&config.data)?.sync_all()?;
    tell_restored(&held, config, &about)
}

fn tell_restored(held: &Backup, config: &Config, about: &About) -> Result<()> {
    say(&format!(
        "{}: {} recordings, {} corrections, {} plugins of {}; every one compared with its digest\n",
        config.data.display(),
        held.recordings,
        held.corrections,
        held.plugin_files,
        about.created_at,
    ))
}

fn read_about(folder: &Path) -> Result<About> {
    let path = folder.join(ABOUT);
    let text = fs::read_to_string(&path)
        .with_context(|| format!("{}: no whole backup is there", path.display()))?;
    let about: About = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    if about.format != FORMAT {
        bail!(
            "{} has format {}; this program reads {FORMAT}",
            path.display(),
            about.format
        );
    }
    Ok(about)
}

fn keep_admin_key(config: &Config, into: &Path) -> Result<Option<Digested>> {
    let from = admin_key::path(&config.data);
    if admin_key::read(&from)?.is_none() {
        return Ok(None);
    }
    let found = digested(&from)?;
    let copied = copy(&from, into, &found)?;
    put(copied, &into.join(ADMIN_KEY))?;
    Ok(Some(found))
}

/// A copy under no name yet, mode 600, that is what it should be.
fn copy(from: &Path, into: &Path, expected: &Digested) -> Result<NamedTempFile> {
    let shown = || from.display().to_string();
    let mut source = File::open(from).with_context(shown)?;
    let mut target = NamedTempFile::new_in(into).with_context(|| into.display().to_string())?;
    let found = pass(&mut source, &mut target).with_context(shown)?;
    ensure!(
        found == *expected,
        "{} is damaged: it has {} bytes with SHA-256 {}, and must have {} with {}",
        from.display(),
        found.size_bytes,
        found.sha256,
        expected.size_bytes,
        expected.sha256
    );
    target.as_file().sync_all()?;
    Ok(target)
}

fn put(copied: NamedTempFile, path: &Path) -> Result<()> {
    copied
        .persist_noclobber(path)
        .map_err(|failed| failed.error)
        .with_context(|| path.display().to_string())?;
    Ok(())
}

fn digested(path: &Path) -> Result<Digested> {
    let mut file = File::open(path).with_context(|| path.display().to_string())?;
    Ok(pass(&mut file, &mut io::sink())?)
}

fn pass(from: &mut impl io::Read, to: &mut impl io::Write) -> io::Result<Digested> {
    let mut hash = Sha256::new();
    let mut size_bytes = 0;
    let mut buffer = vec![0; COPY_BYTES];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hash.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
        size_bytes += read as u64;
    }
    Ok(Digested {
        size_bytes,
        sha256: hex(&hash.finalize()),
    })
}

/// Not there, or an empty folder.
fn is_free(folder: &Path) -> Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error).with_context(|| folder.display().to_string()),
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

/// What was done, for whoever asked; logs go elsewhere.
fn say(text: &str) -> Result<()> {
    io::stdout().write_all(text.as_bytes())?;
    Ok(())
}
