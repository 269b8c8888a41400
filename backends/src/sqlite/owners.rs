//! Sessions. Only a token's SHA-256 is stored.

use async_trait::async_trait;
use retake_jobs::{
    id::OwnerId,
    seams::{Owners, StoreError},
};
use rusqlite::OptionalExtension;

use super::{SqliteStore, connection::nanos};

#[async_trait]
impl Owners for SqliteStore {
    async fn add_session(&self, token_sha256: [u8; 32]) -> Result<OwnerId, StoreError> {
        let now = nanos(self.database.clock.now());
        self.database
            .write(move |connection| {
                let owner = OwnerId::new();
                connection
                    .prepare_cached("INSERT INTO owners (id, created_at) VALUES (?1, ?2)")?
                    .execute((owner.to_string(), now))?;
                connection
                    .prepare_cached(
                        "INSERT INTO sessions (token_sha256, owner, created_at) VALUES (?1, ?2, ?3)",
                    )?
                    .execute((token_sha256, owner.to_string(), now))?;
                Ok(owner)
            })
            .await
    }

    async fn owner_of(&self, token_sha256: [u8; 32]) -> Result<Option<OwnerId>, StoreError> {
        self.database
            .read(move |connection| {
                let owner: Option<String> = connection
                    .prepare_cached("SELECT owner FROM sessions WHERE token_sha256 = ?1")?
                    .query_row([token_sha256], |row| row.get(0))
                    .optional()?;
                let parse = |owner: String| owner.parse();
                owner.map(parse).transpose().map_err(|error: uuid::Error| {
                    StoreError::Broken(format!("a session's owner does not parse: {error}")).into()
                })
            })
            .await
    }
}
