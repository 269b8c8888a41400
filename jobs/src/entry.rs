//! A recording as its owner keeps it: what they call it, what has come of it, and how their list is asked for.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    id::{JobId, RecordingId},
    job::{Job, Status},
    recording::Recording,
};

#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub recording: Recording,
    pub metadata: Metadata,
    /// How often the metadata was changed.
    pub version: u64,
    /// Known once a job of it is completed.
    pub duration_ms: Option<u64>,
    pub jobs: JobCounts,
    pub newest_job: Option<Job>,
}

/// What the owner may change of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    /// Shown instead of the file's name.
    pub name: Option<String>,
    pub tags: Vec<String>,
    pub notes: Option<String>,
}

/// A change of the metadata; `None` leaves what is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edit {
    pub name: Option<Option<String>>,
    pub tags: Option<Vec<String>>,
    pub notes: Option<Option<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JobCounts {
    pub queued: u64,
    pub running: u64,
    pub completed: u64,
    pub failed: u64,
    pub cancelled: u64,
}

/// Which recordings, and in which order.
#[derive(Debug, Clone, Default)]
pub struct EntryQuery {
    pub sort: Sort,
    pub after: Option<EntryPlace>,
    pub limit: usize,
    /// Of the newest job; none asks for all.
    pub statuses: Vec<Status>,
    /// In the name, whatever the case.
    pub text: Option<String>,
    /// All of them.
    pub tags: Vec<String>,
    pub created_from: Option<Timestamp>,
    /// Before then.
    pub created_to: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    #[default]
    Newest,
    Oldest,
    /// A to Z.
    Name,
    NameDown,
    /// One whose duration is not known counts as the shortest.
    Shortest,
    Longest,
}

/// Where a page of a list ended, in the order of its sort.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EntryPlace {
    Time(RecordingId),
    Name(String, RecordingId),
    Duration(i64, RecordingId),
}

/// Which jobs, the newest first.
#[derive(Debug, Clone, Default)]
pub struct JobQuery {
    pub before: Option<JobId>,
    pub limit: usize,
    pub recording: Option<RecordingId>,
    /// None asks for all.
    pub statuses: Vec<Status>,
    pub preset: Option<String>,
}

/// A page of a list. It may be shorter than was asked for, even empty, and not the last: only so many rows are
/// looked at for one.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<T, Place> {
    pub items: Vec<T>,
    /// Where to go on; `None` at the end.
    pub next: Option<Place>,
}

/// Rows looked at for one page.
pub const EXAMINED_MAX: usize = 5_000;

impl JobCounts {
    pub fn total(self) -> u64 {
        self.queued + self.running + self.completed + self.failed + self.cancelled
    }

    pub fn of(statuses: impl Iterator<Item = Status>) -> Self {
        let mut counts = Self::default();
        for status in statuses {
            *match status {
                Status::Queued => &mut counts.queued,
                Status::Running => &mut counts.running,
                Status::Completed => &mut counts.completed,
                Status::Failed => &mut counts.failed,
                Status::Cancelled => &mut counts.cancelled,
            } += 1;
        }
        counts
    }
}

impl Edit {
    pub fn apply(&self, metadata: &mut Metadata) {
        if let Some(name) = &self.name {
            metadata.name.clone_from(name);
        }
        if let Some(tags) = &self.tags {
            metadata.tags.clone_from(tags);
        }
        if let Some(notes) = &self.notes {
            metadata.notes.clone_from(notes);
        }
    }
}

/// As names are compared: `A` is `a`.
pub fn folded(name: &str) -> String {
    name.to_lowercase()
}

/// What a list of recordings is searched in, of one.
pub struct Facts<'a> {
    pub folded_name: &'a str,
    pub tags: &'a [String],
    pub created_at: Timestamp,
    pub newest_status: Option<Status>,
}

impl EntryQuery {
    pub fn takes(&self, facts: &Facts<'_>) -> bool {
        let of_status = self.statuses.is_empty()
            || facts
                .newest_status
                .is_some_and(|status| self.statuses.contains(&status));
        let text = self.text.as_deref().map(folded);
        of_status
            && text.is_none_or(|text| facts.folded_name.contains(&text))
            && self.tags.iter().all(|tag| facts.tags.contains(tag))
            && self
                .created_from
                .is_none_or(|from| facts.created_at >= from)
            && self.created_to.is_none_or(|to| facts.created_at < to)
    }
}

impl Sort {
    pub fn descends(self) -> bool {
        matches!(self, Self::Newest | Self::NameDown | Self::Longest)
    }

    pub fn place(self, id: RecordingId, folded_name: &str, duration_ms: Option<u64>) -> EntryPlace {
        match self {
            Self::Newest | Self::Oldest => EntryPlace::Time(id),
            Self::Name | Self::NameDown => EntryPlace::Name(folded_name.to_owned(), id),
            Self::Shortest | Self::Longest => {
                let known = duration_ms.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX));
                EntryPlace::Duration(known.unwrap_or(-1), id)
            }
        }
    }

    /// A place of another sort's list is none of this one's.
    pub fn has(self, place: &EntryPlace) -> bool {
        match place {
            EntryPlace::Time(_) => matches!(self, Self::Newest | Self::Oldest),
            EntryPlace::Name(..) => matches!(self, Self::Name | Self::NameDown),
            EntryPlace::Duration(..) => matches!(self, Self::Shortest | Self::Longest),
        }
    }
}

impl JobQuery {
    pub fn takes(&self, status: Status, preset: Option<&str>) -> bool {
        (self.statuses.is_empty() || self.statuses.contains(&status))
            && self
                .preset
                .as_deref()
                .is_none_or(|wanted| preset == Some(wanted))
    }
}
