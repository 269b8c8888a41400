//! Chains that have a name.

use async_trait::async_trait;
use retake_jobs::{
    id::OwnerId,
    saved_preset::{PresetName, Saved, SavedPreset, Summary, VERSIONS_MAX},
    seams::{Presets, StoreError},
};
use rusqlite::{Connection, OptionalExtension, Row};

use super::{
    SqliteStore,
    connection::{SqliteError, nanos, time},
    rows::{json, named, signed, to_json},
};

const COLUMNS: &str = "name, version, summary, chain, saved_at";

#[async_trait]
impl Presets for SqliteStore {
    async fn save_preset(
        &self,
        owner: OwnerId,
        preset: &SavedPreset,
        presets_max: u64,
    ) -> Result<Saved, StoreError> {
        let preset = preset.clone();
        self.database
            .write(move |connection| save(connection, owner, &preset, presets_max))
            .await
    }

    async fn presets(&self, owner: OwnerId) -> Result<Vec<SavedPreset>, StoreError> {
        self.database
            .read(move |connection| {
                let sql = format!(
                    "SELECT {COLUMNS} FROM presets WHERE owner = ?1 AND newest = 1 ORDER BY name"
                );
                let mut statement = connection.prepare_cached(&sql)?;
                statement
                    .query_and_then([owner.to_string()], preset)?
                    .collect()
            })
            .await
    }

    async fn preset(
        &self,
        owner: OwnerId,
        name: &PresetName,
        version: Option<u64>,
    ) -> Result<Option<SavedPreset>, StoreError> {
        let name = name.as_str().to_owned();
        self.database
            .read(move |connection| {
                let version = match version {
                    Some(version) => Some(signed(version)),
                    None => newest(connection, owner, &name)?,
                };
                let sql = format!(
                    "SELECT {COLUMNS} FROM presets WHERE owner = ?1 AND name = ?2 AND version = ?3"
                );
                let mut statement = connection.prepare_cached(&sql)?;
                let mut found =
                    statement.query_and_then((owner.to_string(), name, version), preset)?;
                found.next().transpose()
            })
            .await
    }

    async fn remove_preset(
        &self,
        owner: OwnerId,
        name: &PresetName,
        version: u64,
    ) -> Result<bool, StoreError> {
        let name = name.as_str().to_owned();
        self.database
            .write(move |connection| {
                if newest(connection, owner, &name)? != Some(signed(version)) {
                    return Ok(false);
                }
                connection
                    .prepare_cached("DELETE FROM presets WHERE owner = ?1 AND name = ?2")?
                    .execute((owner.to_string(), name))?;
                Ok(true)
            })
            .await
    }
}

fn newest(connection: &Connection, owner: OwnerId, name: &str) -> Result<Option<i64>, SqliteError> {
    let version = connection
        .prepare_cached(
            "SELECT version FROM presets WHERE owner = ?1 AND name = ?2 AND newest = 1",
        )?
        .query_row((owner.to_string(), name), |row| row.get(0))
        .optional()?;
    Ok(version)
}

fn save(
    connection: &Connection,
    owner: OwnerId,
    preset: &SavedPreset,
    presets_max: u64,
) -> Result<Saved, SqliteError> {
    let name = preset.name.as_str();
    let (version, owned) = (signed(preset.version), owner.to_string());
    let before = newest(connection, owner, name)?;
    if before.unwrap_or(0) + 1 != version {
        return Ok(Saved::Changed);
    }
    if before.is_none() {
        let had: i64 = connection
            .prepare_cached("SELECT count(*) FROM presets WHERE owner = ?1 AND newest = 1")?
            .query_row([&owned], |row| row.get(0))?;
        if had >= signed(presets_max) {
            return Ok(Saved::TooMany);
        }
    }
    connection
        .prepare_cached(
            "UPDATE presets SET newest = 0 WHERE owner = ?1 AND name = ?2 AND newest = 1",
        )?
        .execute((&owned, name))?;
    connection
        .prepare_cached("DELETE FROM presets WHERE owner = ?1 AND name = ?2 AND version <= ?3")?
        .execute((&owned, name, version - signed(VERSIONS_MAX)))?;
    connection
        .prepare_cached(
            "INSERT INTO presets (owner, name, version, newest, summary, chain, saved_at)
             VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6)",
        )?
        .execute((
            owned,
            name,
            version,
            preset.summary.as_str(),
            to_json(&preset.chain),
            nanos(preset.saved_at),
        ))?;
    Ok(Saved::Done)
}

fn preset(row: &Row<'_>) -> Result<SavedPreset, SqliteError> {
    Ok(SavedPreset {
        name: named(&row.get::<_, String>("name")?, PresetName::parse)?,
        version: row.get::<_, i64>("version")?.unsigned_abs(),
        summary: named(&row.get::<_, String>("summary")?, Summary::parse)?,
        chain: json(&row.get::<_, String>("chain")?)?,
        saved_at: time(row.get("saved_at")?),
    })
}
