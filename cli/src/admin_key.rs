//! The key that publishes plugins, where the configuration names none: made at the first start and
//! kept in the data folder, readable by nobody else.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::{TryRngCore as _, rngs::OsRng};
use retake_jobs::digest::hex;
use retake_secrets::Secret;
use sha2::{Digest as _, Sha256};

use crate::config::Config;

const PREFIX: &str = "rtadm_";
const SECRET_BYTES: usize = 32;

pub fn path(data: &Path) -> PathBuf {
    data.join("admin.key")
}

/// The SHA-256 of each key that the server takes: those of the configuration, or else that of the file.
pub fn accepted(config: &Config) -> Result<Vec<String>> {
    if !config.server.admin_key_sha256.is_empty() {
        return Ok(config.server.admin_key_sha256.clone());
    }
    let path = path(&config.data);
    let key = match read(&path)? {
        Some(key) => key,
        None => make(&path)?,
    };
    tracing::info!(file = %path.display(), "plugins are published with the key in this file");
    Ok(vec![hex(&Sha256::digest(key.expose()))])
}

/// `None`: there is no such file.
pub fn read(path: &Path) -> Result<Option<Secret>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    let mode = fs::metadata(path)?.permissions().mode() & 0o777;
    ensure!(
        mode & 0o077 == 0,
        "{} can be read by others (mode {mode:o}); it must be 600",
        path.display()
    );
    let key = text.trim();
    let secret = key.strip_prefix(PREFIX).unwrap_or_default();
    let secret = BASE64_URL_SAFE_NO_PAD.decode(secret).unwrap_or_default();
    if secret.len() != SECRET_BYTES {
        bail!(
            "{} holds no admin key ({PREFIX}… with 43 characters behind); delete it, and the next \
             start makes one",
            path.display()
        );
    }
    Ok(Some(key.into()))
}

/// Whole or not at all, and the same for everybody where two processes start at once.
fn make(path: &Path) -> Result<Secret> {
    let mut secret = [0; SECRET_BYTES];
    OsRng.try_fill_bytes(&mut secret)?;
    let key: Secret = format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(secret)).into();
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    // Mode 600, as every temporary file of this library.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    writeln!(file, "{}", key.expose())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(key),
        Err(failed) if failed.error.kind() == ErrorKind::AlreadyExists => {
            read(path)?.context("the admin key was there and is gone")
        }
        Err(failed) => Err(failed.error).with_context(|| path.display().to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn config(data: &Path) -> Config {
        Config {
            data: data.to_owned(),
            ..Config::default()
        }
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(&folder.path().join("data"));
        let first = accepted(&config).unwrap();
        assert_eq!(accepted(&config).unwrap(), first);
        let path = path(&config.data);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let key = read(&path).unwrap().unwrap();
        assert_eq!(first, [hex(&Sha256::digest(key.expose()))]);
    }

    #[test]
    fn keys_of_the_configuration_are_taken_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(folder.path());
        config.server.admin_key_sha256 = vec!["ab".repeat(32)];
        assert_eq!(accepted(&config).unwrap(), ["ab".repeat(32)]);
        assert!(!path(folder.path()).exists());
    }

    #[test]
    fn a_key_that_others_can_read_and_what_is_none_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        accepted(&config).unwrap();
        let path = path(folder.path());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = accepted(&config).unwrap_err().to_string();
        assert!(error.contains("644") && error.contains("600"), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "rtadm_short").unwrap();
        let error = accepted(&config).unwrap_err().to_string();
        assert!(error.contains("no admin key"), "{error}");
    }
}
