//! Which plugins there are, and were.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use retake_chain::InstalledPlugin;
use retake_jobs::{
    plugin::{Origin, PluginVersion},
    seams::{BlobKey, Catalogue, Removal, StoreError},
    submission::publishing::{self, NewVersion},
};
use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::Value;

use super::{
    SqliteStore,
    connection::{SqliteError, nanos, time},
    keyed,
    rows::{json, parsed_text, signed, to_json},
};

const COLUMNS: &str =
    "manifest, digest, size_bytes, origin, published_at, removed_at, realtime_factor";

#[async_trait]
impl Catalogue for SqliteStore {
    async fn put_plugin(
        &self,
        plugin: &InstalledPlugin,
        size_bytes: u64,
    ) -> Result<(), StoreError> {
        let (plugin, now) = (plugin.clone(), self.database.clock.now());
        let bytes_are_here = self.database.holds_blobs();
        self.database
            .write(move |connection| {
                if bytes_are_here {
                    check_bytes(connection, &plugin.digest)?;
                }
                connection
                    .prepare_cached(
                        "INSERT INTO plugins (id, version, digest, manifest, published_at,
                             size_bytes, origin)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'built_in')
                         ON CONFLICT (id, version) DO UPDATE SET digest = excluded.digest,
                             manifest = excluded.manifest, size_bytes = excluded.size_bytes,
                             origin = excluded.origin,
                             removed_at = NULL, check_report = NULL,
                             realtime_factor = NULL
                         WHERE digest <> excluded.digest OR origin <> excluded.origin
                             OR size_bytes <> excluded.size_bytes",
                    )?
                    .execute((
                        &plugin.manifest.id,
                        &plugin.manifest.version,
                        &plugin.digest,
                        to_json(&*plugin.manifest),
                        nanos(now),
                        signed(size_bytes),
                    ))?;
                Ok(())
            })
            .await
    }

    async fn plugins(&self) -> Result<Vec<PluginVersion>, StoreError> {
        let known = self.database.catalogue.known();
        let read = self
            .database
            .read(move |connection| read_unless_known(connection, known))
            .await?;
        Ok(self.database.catalogue.learn(read))
    }

    async fn check_report(&self, id: &str, version: &str) -> Result<Option<Value>, StoreError> {
        let (id, version) = (id.to_owned(), version.to_owned());
        self.database
            .read(move |connection| {
                let report: Option<Option<String>> = connection
                    .prepare_cached(
                        "SELECT check_report FROM plugins WHERE id = ?1 AND version = ?2",
                    )?
                    .query_row((id, version), |row| row.get(0))
                    .optional()?;
                report.flatten().as_deref().map(json).transpose()
            })
            .await
    }

    async fn remove_plugin(&self, id: &str, version: &str) -> Result<Removal, StoreError> {
        let (id, version) = (id.to_owned(), version.to_owned());
        let now = self.database.clock.now();
        self.database
            .write(move |connection| {
                let removed = match find(connection, &id, &version)? {
                    None => Removal::Gone,
                    Some(found) if found.removed_at.is_some() => Removal::Gone,
                    Some(found) if found.origin == Origin::BuiltIn => Removal::BuiltIn,
                    Some(_) => Removal::Removed,
                };
                if removed == Removal::Removed {
                    connection
                        .prepare_cached(
                            "UPDATE plugins SET removed_at = ?3 WHERE id = ?1 AND version = ?2",
                        )?
                        .execute((id, version, nanos(now)))?;
                }
                Ok(removed)
            })
            .await
    }
}

/// The catalogue as it was last read, so that its manifests are parsed once and not for every request.
#[derive(Default)]
pub(super) struct Known(Mutex<Read>);

#[derive(Default, Clone)]
pub(super) struct Read {
    /// Of the catalogue, when it was read: `None` before.
    change: Option<i64>,
    versions: Vec<PluginVersion>,
}

impl Known {
    fn known(&self) -> Read {
        self.0.lock().expect("no panic while held").clone()
    }

    fn learn(&self, read: Read) -> Vec<PluginVersion> {
        let versions = read.versions.clone();
        *self.0.lock().expect("no panic while held") = read;
        versions
    }
}

fn read_unless_known(connection: &Connection, known: Read) -> Result<Read, SqliteError> {
    let change: i64 = connection
        .prepare_cached("SELECT count FROM catalogue_changes WHERE only = 1")?
        .query_row([], |row| row.get(0))?;
    if known.change == Some(change) {
        return Ok(known);
    }
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM plugins"))?;
    let versions = statement.query_and_then([], version)?;
    let mut versions: Vec<_> = versions.collect::<Result<_, SqliteError>>()?;
    publishing::sort(&mut versions);
    Ok(Read {
        change: Some(change),
        versions,
    })
}

pub(super) fn find(
    connection: &Connection,
    id: &str,
    version_text: &str,
) -> Result<Option<PluginVersion>, SqliteError> {
    let sql = format!("SELECT {COLUMNS} FROM plugins WHERE id = ?1 AND version = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((id, version_text))?;
    rows.next()?.map(version).transpose()
}

/// Writes what [`publishing::settle`] asks for.
pub(super) fn insert(
    connection: &Connection,
    new: &NewVersion,
    bytes_are_here: bool,
) -> Result<(), SqliteError> {
    let PluginVersion {
        plugin,
        size_bytes,
        published_at,
        ..
    } = &new.version;
    if bytes_are_here {
        check_bytes(connection, &plugin.digest)?;
    }
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO plugins (id, version, digest, manifest, published_at,
                 size_bytes, origin, check_report, realtime_factor)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'published', ?7, ?8)",
        )?
        .execute((
            &plugin.manifest.id,
            &plugin.manifest.version,
            &plugin.digest,
            to_json(&*plugin.manifest),
            nanos(*published_at),
            signed(*size_bytes),
            to_json(&new.check),
            plugin.realtime_factor,
        ))?;
    Ok(())
}

/// Whoever names the plugin must be able to run it.
fn check_bytes(connection: &Connection, digest: &str) -> Result<(), SqliteError> {
    let key = BlobKey::Plugin {
        digest: parsed_text(digest)?,
    };
    if keyed::is_there(connection, key)? {
        return Ok(());
    }
    Err(StoreError::Broken(format!("the bytes of plugin {digest} are not there")).into())
}

fn version(row: &Row<'_>) -> Result<PluginVersion, SqliteError> {
    let origin: String = row.get(3)?;
    Ok(PluginVersion {
        plugin: InstalledPlugin {
            manifest: Arc::new(json(&row.get::<_, String>(0)?)?),
            digest: row.get(1)?,
            realtime_factor: row.get(6)?,
        },
        size_bytes: row.get::<_, i64>(2)?.unsigned_abs(),
        origin: match origin.as_str() {
            "built_in" => Origin::BuiltIn,
            _ => Origin::Published,
        },
        published_at: time(row.get(4)?),
        removed_at: row.get::<_, Option<i64>>(5)?.map(time),
    })
}
