//! Which plugins there are.

use async_trait::async_trait;

use super::{
    SqliteStore,
    connection::nanos,
    rows::{json, to_json},
};
use crate::store::{Catalogue, InstalledPlugin, StoreError, newest_by_id};

#[async_trait]
impl Catalogue for SqliteStore {
    async fn put_plugin(&self, plugin: &InstalledPlugin) -> Result<(), StoreError> {
        let (plugin, now) = (plugin.clone(), nanos(self.database.clock.now()));
        self.database
            .write(move |connection| {
                connection
                    .prepare_cached(
                        "INSERT OR REPLACE INTO plugins (id, version, digest, manifest, installed_at)
                         VALUES (?1, ?2, ?3, ?4, ?5)",
                    )?
                    .execute((
                        &plugin.manifest.id,
                        &plugin.manifest.version,
                        &plugin.digest,
                        to_json(&plugin.manifest),
                        now,
                    ))?;
                Ok(())
            })
            .await
    }

    async fn plugins(&self) -> Result<Vec<InstalledPlugin>, StoreError> {
        self.database
            .read(|connection| {
                let mut statement = connection
                    .prepare_cached("SELECT manifest, digest FROM plugins ORDER BY installed_at")?;
                let plugins = statement.query_and_then([], |row| {
                    let manifest = json(&row.get::<_, String>(0)?)?;
                    Ok(InstalledPlugin {
                        manifest,
                        digest: row.get(1)?,
                    })
                })?;
                Ok(newest_by_id(plugins.collect::<Result<_, StoreError>>()?))
            })
            .await
    }
}
