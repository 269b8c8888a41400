//! What an owner's recordings are listed by: short rows beside those with the bytes. Counts and newest job are
//! kept by triggers of the jobs' table.

use jiff::Timestamp;
use retake_jobs::{
    entry::{
        EXAMINED_MAX, Entry, EntryPlace, EntryQuery, Facts, Found, JobCounts, JobQuery, Metadata,
        Sort, folded,
    },
    id::{JobId, OwnerId, RecordingId},
    job::{Job, Status},
    recording::Recording,
};
use rusqlite::{Connection, OptionalExtension, Row, ToSql};

use super::{
    connection::{SqliteError, nanos, time},
    rows::{job_by_id, json, named, parsed, parsed_text, recording_by_id, signed, status, to_json},
};

const COLUMNS: &str = "recording_id, created_at, name, folded_name, tags, version, duration_ms, newest_job, \
     newest_status, queued, running, completed, failed, cancelled, notes";

/// As it is shown to its owner, but without what stands in other rows.
#[derive(Clone)]
pub(super) struct EntryRow {
    pub id: RecordingId,
    created_at: Timestamp,
    pub folded_name: String,
    pub metadata: Metadata,
    pub version: u64,
    duration_ms: Option<u64>,
    newest_job: Option<JobId>,
    newest_status: Option<Status>,
    jobs: JobCounts,
}

/// Before its first job.
pub(super) fn insert(connection: &Connection, recording: &Recording) -> Result<(), SqliteError> {
    let name = folded(recording.file_name.as_deref().unwrap_or_default());
    connection
        .prepare_cached(
            "INSERT INTO entries (owner, recording_id, created_at, folded_name)
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute((
            recording.owner.to_string(),
            recording.id.to_string(),
            nanos(recording.created_at),
            name,
        ))?;
    Ok(())
}

pub(super) fn find(
    connection: &Connection,
    owner: OwnerId,
    id: RecordingId,
) -> Result<Option<EntryRow>, SqliteError> {
    let sql = format!("SELECT {COLUMNS} FROM entries WHERE owner = ?1 AND recording_id = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((owner.to_string(), id.to_string()))?;
    rows.next()?.map(entry_row).transpose()
}

/// Whether the owner sees such a recording.
pub(super) fn is_there(
    connection: &Connection,
    owner: OwnerId,
    id: RecordingId,
) -> Result<bool, SqliteError> {
    let found: Option<i64> = connection
        .prepare_cached("SELECT 1 FROM entries WHERE owner = ?1 AND recording_id = ?2")?
        .query_row((owner.to_string(), id.to_string()), |row| row.get(0))
        .optional()?;
    Ok(found.is_some())
}

/// With the recording and its newest job.
pub(super) fn whole(connection: &Connection, row: EntryRow) -> Result<Option<Entry>, SqliteError> {
    let newest_job = match row.newest_job {
        Some(id) => job_by_id(connection, id)?,
        None => None,
    };
    Ok(recording_by_id(connection, row.id)?.map(|recording| Entry {
        recording,
        metadata: row.metadata,
        version: row.version,
        duration_ms: row.duration_ms,
        jobs: row.jobs,
        newest_job,
    }))
}

pub(super) fn write(
    connection: &Connection,
    owner: OwnerId,
    row: &EntryRow,
) -> Result<(), SqliteError> {
    connection
        .prepare_cached(
            "UPDATE entries SET name = ?3, folded_name = ?4, tags = ?5, notes = ?6, version = ?7
             WHERE owner = ?1 AND recording_id = ?2",
        )?
        .execute((
            owner.to_string(),
            row.id.to_string(),
            &row.metadata.name,
            &row.folded_name,
            to_json(&row.metadata.tags),
            &row.metadata.notes,
            signed(row.version),
        ))?;
    Ok(())
}

/// Once it is known; a second correction may say another, of another track.
pub(super) fn set_duration(
    connection: &Connection,
    job: &Job,
    duration_ms: u64,
) -> Result<(), SqliteError> {
    connection
        .prepare_cached(
            "UPDATE entries SET duration_ms = ?3
             WHERE owner = ?1 AND recording_id = ?2 AND duration_ms <> ?3",
        )?
        .execute((
            job.owner.to_string(),
            job.recording_id.to_string(),
            signed(duration_ms),
        ))?;
    Ok(())
}

pub(super) fn list(
    connection: &Connection,
    owner: OwnerId,
    query: &EntryQuery,
) -> Result<Found<Entry, EntryPlace>, SqliteError> {
    let (key, after) = match &query.after {
        None => (key_of(query.sort), None),
        Some(EntryPlace::Time(id)) => ("recording_id", Some((None, *id))),
        Some(EntryPlace::Name(name, id)) => {
            let name: Box<dyn ToSql> = Box::new(name.clone());
            ("folded_name", Some((Some(name), *id)))
        }
        Some(EntryPlace::Duration(ms, id)) => {
            let ms: Box<dyn ToSql> = Box::new(*ms);
            ("duration_ms", Some((Some(ms), *id)))
        }
    };
    let (order, beyond) = if query.sort.descends() {
        ("DESC", "<")
    } else {
        ("ASC", ">")
    };
    let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(owner.to_string())];
    let mut only = String::new();
    if let Some((value, id)) = after {
        values.push(Box::new(id.to_string()));
        only = match value {
            None => format!(" AND recording_id {beyond} ?2"),
            Some(value) => {
                values.push(value);
                format!(" AND ({key}, recording_id) {beyond} (?3, ?2)")
            }
        };
    }
    let by_id = if key == "recording_id" {
        String::new()
    } else {
        format!(", recording_id {order}")
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM entries WHERE owner = ?1{only} ORDER BY {key} {order}{by_id}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query(rusqlite::params_from_iter(values))?;
    let taken = page(rows, query.limit, entry_row, |row| {
        query.takes(&Facts {
            folded_name: &row.folded_name,
            tags: &row.metadata.tags,
            created_at: row.created_at,
            newest_status: row.newest_status,
        })
    })?;
    let next = taken.next.map(|last| {
        query
            .sort
            .place(last.id, &last.folded_name, last.duration_ms)
    });
    let items = taken.items.into_iter();
    let items = items.map(|row| whole(connection, row));
    let items: Vec<Option<Entry>> = items.collect::<Result<_, _>>()?;
    Ok(Found {
        items: items.into_iter().flatten().collect(),
        next,
    })
}

fn key_of(sort: Sort) -> &'static str {
    match sort {
        Sort::Newest | Sort::Oldest => "recording_id",
        Sort::Name | Sort::NameDown => "folded_name",
        Sort::Shortest | Sort::Longest => "duration_ms",
    }
}

pub(super) fn jobs(
    connection: &Connection,
    owner: OwnerId,
    query: &JobQuery,
) -> Result<Found<Job, JobId>, SqliteError> {
    let mut values = vec![owner.to_string()];
    let mut only = String::new();
    if let Some(recording) = query.recording {
        // Its jobs are its owner's.
        if !is_there(connection, owner, recording)? {
            return Ok(Found {
                items: Vec::new(),
                next: None,
            });
        }
        values = vec![recording.to_string()];
    }
    if let Some(before) = query.before {
        values.push(before.to_string());
        only = " AND id < ?2".to_owned();
    }
    let key = query.recording.map_or("owner", |_| "recording_id");
    let sql =
        format!("SELECT id, status, preset FROM jobs WHERE {key} = ?1{only} ORDER BY id DESC");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query(rusqlite::params_from_iter(values))?;
    let read = |row: &Row<'_>| {
        let id: JobId = parsed(row.get_ref(0)?)?;
        let status = named(&row.get::<_, String>(1)?, status)?;
        Ok((id, status, row.get::<_, Option<String>>(2)?))
    };
    let taken = page(rows, query.limit, read, |(_, status, preset)| {
        query.takes(*status, preset.as_deref())
    })?;
    let items = taken.items.into_iter();
    let items = items.map(|(id, ..)| job_by_id(connection, id));
    let items: Vec<Option<Job>> = items.collect::<Result<_, _>>()?;
    Ok(Found {
        items: items.into_iter().flatten().collect(),
        next: taken.next.map(|(id, ..)| id),
    })
}

/// As many rows as are wanted of those that are taken; `next` is the last one that was looked at, where there may
/// be more.
fn page<T>(
    mut rows: rusqlite::Rows<'_>,
    limit: usize,
    read: impl Fn(&Row<'_>) -> Result<T, SqliteError>,
    takes: impl Fn(&T) -> bool,
) -> Result<Found<T, T>, SqliteError>
where
    T: Clone,
{
    let mut items: Vec<T> = Vec::new();
    let (mut examined, mut last) = (0, None);
    while let Some(row) = rows.next()? {
        if items.len() == limit || examined == EXAMINED_MAX {
            return Ok(Found { items, next: last });
        }
        examined += 1;
        let row = read(row)?;
        last = Some(row.clone());
        if takes(&row) {
            items.push(row);
        }
    }
    Ok(Found { items, next: None })
}

fn entry_row(row: &Row<'_>) -> Result<EntryRow, SqliteError> {
    let count = |column: &str| -> Result<u64, SqliteError> {
        Ok(row.get::<_, i64>(column)?.unsigned_abs())
    };
    let newest_status: Option<String> = row.get("newest_status")?;
    let newest_job: Option<String> = row.get("newest_job")?;
    Ok(EntryRow {
        id: parsed(row.get_ref("recording_id")?)?,
        created_at: time(row.get("created_at")?),
        folded_name: row.get("folded_name")?,
        metadata: Metadata {
            name: row.get("name")?,
            tags: json(&row.get::<_, String>("tags")?)?,
            notes: row.get("notes")?,
        },
        version: count("version")?,
        duration_ms: u64::try_from(row.get::<_, i64>("duration_ms")?).ok(),
        newest_job: newest_job.map(|id| parsed_text(&id)).transpose()?,
        newest_status: newest_status.map(|name| named(&name, status)).transpose()?,
        jobs: JobCounts {
            queued: count("queued")?,
            running: count("running")?,
            completed: count("completed")?,
            failed: count("failed")?,
            cancelled: count("cancelled")?,
        },
    })
}
