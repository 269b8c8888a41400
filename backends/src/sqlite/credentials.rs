//! Sessions and API keys. Only a secret's SHA-256 is stored.

use async_trait::async_trait;
use jiff::Timestamp;
use retake_jobs::{
    credential::{ApiKey, KeyName, Scope, Session},
    id::{ApiKeyId, OwnerId, SessionId},
    seams::{Credentials, StoreError},
};
use rusqlite::{Connection, OptionalExtension, Row};

use super::{
    SqliteStore,
    connection::{SqliteError, nanos, time},
    rows::{named, parsed, parsed_text, signed},
};

const SESSION_COLUMNS: &str = "id, owner, created_at, used_at";
const KEY_COLUMNS: &str = "id, name, scopes, owner, created_at, expires_at, used_at, revoked_at";

#[async_trait]
impl Credentials for SqliteStore {
    async fn add_session(&self, token_sha256: [u8; 32]) -> Result<Session, StoreError> {
        let now = self.database.clock.now();
        self.database
            .write(move |connection| add(connection, OwnerId::new(), token_sha256, now))
            .await
    }

    async fn add_session_by_code(
        &self,
        token_sha256: [u8; 32],
        code_sha256: [u8; 32],
    ) -> Result<Option<Session>, StoreError> {
        let now = self.database.clock.now();
        self.database
            .write(move |connection| {
                let owner: Option<String> = connection
                    .prepare_cached(
                        "DELETE FROM session_codes WHERE code_sha256 = ?1 AND expires_at > ?2
                         RETURNING owner",
                    )?
                    .query_row((code_sha256, nanos(now)), |row| row.get(0))
                    .optional()?;
                owner
                    .map(|owner| add(connection, parsed_text(&owner)?, token_sha256, now))
                    .transpose()
            })
            .await
    }

    async fn add_code(
        &self,
        owner: OwnerId,
        code_sha256: [u8; 32],
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.database
            .write(move |connection| {
                connection
                    .prepare_cached(
                        "INSERT OR REPLACE INTO session_codes (owner, code_sha256, expires_at)
                         VALUES (?1, ?2, ?3)",
                    )?
                    .execute((owner.to_string(), code_sha256, nanos(expires_at)))?;
                Ok(())
            })
            .await
    }

    async fn session(&self, token_sha256: [u8; 32]) -> Result<Option<Session>, StoreError> {
        self.database
            .read(move |connection| {
                let sql = format!("SELECT {SESSION_COLUMNS} FROM sessions WHERE token_sha256 = ?1");
                first(connection, &sql, [token_sha256], session)
            })
            .await
    }

    async fn sessions(&self, owner: OwnerId) -> Result<Vec<Session>, StoreError> {
        self.database
            .read(move |connection| {
                let sql = format!(
                    "SELECT {SESSION_COLUMNS} FROM sessions WHERE owner = ?1 ORDER BY created_at, id"
                );
                let mut statement = connection.prepare_cached(&sql)?;
                let found = statement.query_and_then([owner.to_string()], session)?;
                found.collect()
            })
            .await
    }

    async fn remove_session(&self, owner: OwnerId, id: SessionId) -> Result<bool, StoreError> {
        self.database
            .write(move |connection| {
                let removed = connection
                    .prepare_cached("DELETE FROM sessions WHERE id = ?1 AND owner = ?2")?
                    .execute((id.to_string(), owner.to_string()))?;
                Ok(removed == 1)
            })
            .await
    }

    async fn note_session_used(&self, id: SessionId, at: Timestamp) -> Result<(), StoreError> {
        self.note_used(
            "UPDATE sessions SET used_at = ?2 WHERE id = ?1",
            id.to_string(),
            at,
        )
        .await
    }

    async fn add_api_key(
        &self,
        key: &ApiKey,
        secret_sha256: [u8; 32],
        keys_max: u64,
    ) -> Result<bool, StoreError> {
        let key = key.clone();
        self.database
            .write(move |connection| {
                let (open, revoked): (i64, i64) = connection
                    .prepare_cached(
                        "SELECT (SELECT count(*) FROM api_keys WHERE revoked_at IS NULL),
                             (SELECT count(*) FROM api_keys WHERE revoked_at IS NOT NULL)",
                    )?
                    .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
                let keys_max = signed(keys_max);
                if open >= keys_max {
                    return Ok(false);
                }
                let too_many = (revoked + 1 - keys_max).max(0);
                connection
                    .prepare_cached(
                        "DELETE FROM api_keys WHERE id IN (SELECT id FROM api_keys
                         WHERE revoked_at IS NOT NULL ORDER BY revoked_at LIMIT ?1)",
                    )?
                    .execute([too_many])?;
                insert(connection, &key, secret_sha256)?;
                Ok(true)
            })
            .await
    }

    async fn api_key(&self, secret_sha256: [u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        self.database
            .read(move |connection| {
                let sql = format!("SELECT {KEY_COLUMNS} FROM api_keys WHERE secret_sha256 = ?1");
                first(connection, &sql, [secret_sha256], api_key)
            })
            .await
    }

    async fn api_key_by_id(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        self.database
            .read(move |connection| by_id(connection, id))
            .await
    }

    async fn api_keys(
        &self,
        before: Option<ApiKeyId>,
        limit: usize,
    ) -> Result<Vec<ApiKey>, StoreError> {
        self.database
            .read(move |connection| {
                let sql = format!(
                    "SELECT {KEY_COLUMNS} FROM api_keys
                     WHERE id < ?1 ORDER BY id DESC LIMIT ?2"
                );
                let mut statement = connection.prepare_cached(&sql)?;
                // Sorts behind every id.
                let before = before.map_or("~".to_owned(), |id| id.to_string());
                let found = statement.query_and_then((before, signed(limit as u64)), api_key)?;
                found.collect()
            })
            .await
    }

    async fn revoke_api_key(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        let now = self.database.clock.now();
        self.database
            .write(move |connection| {
                connection
                    .prepare_cached(
                        "UPDATE api_keys SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL",
                    )?
                    .execute((id.to_string(), nanos(now)))?;
                by_id(connection, id)
            })
            .await
    }

    async fn note_api_key_used(&self, id: ApiKeyId, at: Timestamp) -> Result<(), StoreError> {
        self.note_used(
            "UPDATE api_keys SET used_at = ?2 WHERE id = ?1",
            id.to_string(),
            at,
        )
        .await
    }
}

impl SqliteStore {
    async fn note_used(
        &self,
        sql: &'static str,
        id: String,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.database
            .write_lightly(move |connection| {
                connection.prepare_cached(sql)?.execute((id, nanos(at)))?;
                Ok(())
            })
            .await
    }
}

fn add(
    connection: &Connection,
    owner: OwnerId,
    token_sha256: [u8; 32],
    now: Timestamp,
) -> Result<Session, SqliteError> {
    let session = Session {
        id: SessionId::new(now),
        owner,
        created_at: now,
        used_at: now,
    };
    add_owner(connection, owner, now)?;
    connection
        .prepare_cached(
            "INSERT INTO sessions (id, token_sha256, owner, created_at, used_at)
             VALUES (?1, ?2, ?3, ?4, ?4)",
        )?
        .execute((
            session.id.to_string(),
            token_sha256,
            owner.to_string(),
            nanos(now),
        ))?;
    Ok(session)
}

fn add_owner(connection: &Connection, owner: OwnerId, now: Timestamp) -> Result<(), SqliteError> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO owners (id, created_at) VALUES (?1, ?2)")?
        .execute((owner.to_string(), nanos(now)))?;
    Ok(())
}

fn insert(
    connection: &Connection,
    key: &ApiKey,
    secret_sha256: [u8; 32],
) -> Result<(), SqliteError> {
    add_owner(connection, key.owner, key.created_at)?;
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.name()).collect();
    connection
        .prepare_cached(
            "INSERT INTO api_keys (id, secret_sha256, name, scopes, owner, created_at, expires_at,
                 used_at, revoked_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute((
            key.id.to_string(),
            secret_sha256,
            key.name.as_str(),
            scopes.join(" "),
            key.owner.to_string(),
            nanos(key.created_at),
            key.expires_at.map(nanos),
            key.used_at.map(nanos),
            key.revoked_at.map(nanos),
        ))?;
    Ok(())
}

fn by_id(connection: &Connection, id: ApiKeyId) -> Result<Option<ApiKey>, SqliteError> {
    let sql = format!("SELECT {KEY_COLUMNS} FROM api_keys WHERE id = ?1");
    first(connection, &sql, [id.to_string()], api_key)
}

fn first<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
    read: fn(&Row<'_>) -> Result<T, SqliteError>,
) -> Result<Option<T>, SqliteError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query_and_then(parameters, read)?;
    rows.next().transpose()
}

fn session(row: &Row<'_>) -> Result<Session, SqliteError> {
    Ok(Session {
        id: parsed(row.get_ref("id")?)?,
        owner: parsed(row.get_ref("owner")?)?,
        created_at: time(row.get("created_at")?),
        used_at: time(row.get("used_at")?),
    })
}

fn api_key(row: &Row<'_>) -> Result<ApiKey, SqliteError> {
    let scopes: String = row.get("scopes")?;
    let scopes = scopes.split(' ').map(|name| named(name, Scope::parse));
    Ok(ApiKey {
        id: parsed(row.get_ref("id")?)?,
        name: named(&row.get::<_, String>("name")?, KeyName::parse)?,
        scopes: scopes.collect::<Result<_, _>>()?,
        owner: parsed(row.get_ref("owner")?)?,
        created_at: time(row.get("created_at")?),
        expires_at: row.get::<_, Option<i64>>("expires_at")?.map(time),
        used_at: row.get::<_, Option<i64>>("used_at")?.map(time),
        revoked_at: row.get::<_, Option<i64>>("revoked_at")?.map(time),
    })
}
