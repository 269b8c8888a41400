//! What a list is asked by: filters, an order, and how much of it. Whatever is not known is refused.

use std::{fmt::Display, str::FromStr};

use jiff::Timestamp;
use retake_chain::problem::ProblemKind;
use retake_jobs::{
    entry::{EntryPlace, EntryQuery, JobQuery, Sort},
    id::RecordingId,
    job::Status,
};

use super::paging;
use crate::{
    app::App,
    call::Call,
    http::respond::{Refusal, shorten},
};

/// Rows of a page, where nothing is said.
const LIMIT: usize = 50;

pub const SORTS: [(&str, Sort); 6] = [
    ("-created_at", Sort::Newest),
    ("created_at", Sort::Oldest),
    ("name", Sort::Name),
    ("-name", Sort::NameDown),
    ("duration", Sort::Shortest),
    ("-duration", Sort::Longest),
];

pub const STATUSES: [Status; 5] = [
    Status::Queued,
    Status::Running,
    Status::Completed,
    Status::Failed,
    Status::Cancelled,
];

/// Longest text that is looked for, in characters.
const TEXT_CHARS_MAX: usize = 255;

/// The query's fields, all of them known.
struct Fields(Vec<(String, String)>);

impl Fields {
    /// `often` are those that may be there more than once.
    fn of(call: &Call, known: &[&str], often: &[&str]) -> Result<Self, Refusal> {
        call.only_query(known)?;
        let fields = call.query_fields();
        for (at, (name, _)) in fields.iter().enumerate() {
            let again = fields[..at].iter().any(|(before, _)| before == name);
            if again && !often.contains(&name.as_str()) {
                return Err(wrong(
                    name,
                    format!("{name} is given twice; once is enough"),
                ));
            }
        }
        Ok(Self(fields))
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let of_name = self.0.iter().filter(move |(field, _)| field == name);
        of_name.map(|(_, value)| value.as_str())
    }

    fn one(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    fn parsed<T: FromStr>(&self, name: &str, is: impl Display) -> Result<Option<T>, Refusal> {
        let Some(text) = self.one(name) else {
            return Ok(None);
        };
        let parsed = text.parse().map(Some);
        parsed.map_err(|_| {
            wrong(
                name,
                format!("{name} is \"{}\"; it must be {is}", shorten(text)),
            )
        })
    }

    fn limit(&self, app: &App) -> Result<usize, Refusal> {
        let max = app.config.page_rows_max;
        let is = format!("a number from 1 to {max}");
        let limit = self
            .parsed::<usize>("limit", &is)?
            .unwrap_or(LIMIT.min(max));
        if (1..=max).contains(&limit) {
            return Ok(limit);
        }
        Err(wrong("limit", format!("limit is {limit}; it must be {is}")))
    }

    /// Separated by commas, or given several times.
    fn statuses(&self) -> Result<Vec<Status>, Refusal> {
        let names = self.all("status").flat_map(|text| text.split(','));
        names.map(status).collect()
    }

    fn time(&self, name: &str) -> Result<Option<Timestamp>, Refusal> {
        self.parsed(name, "a time as in 2026-11-28T12:00:00Z (RFC 3339)")
    }

    fn text(&self, name: &str, chars_max: usize) -> Result<Option<String>, Refusal> {
        self.one(name)
            .map(|text| within(name, text, chars_max))
            .transpose()
    }
}

fn within(name: &str, text: &str, chars_max: usize) -> Result<String, Refusal> {
    let chars = text.chars().count();
    if (1..=chars_max).contains(&chars) {
        return Ok(text.to_owned());
    }
    let detail = format!("{name} has {chars} characters; it must have 1 to {chars_max}");
    Err(wrong(name, detail))
}

fn status(name: &str) -> Result<Status, Refusal> {
    let found = STATUSES.into_iter().find(|status| status.name() == name);
    found.ok_or_else(|| {
        let names = STATUSES.map(Status::name).join(", ");
        let detail = format!("status is \"{}\"; it must be one of {names}", shorten(name));
        wrong("status", detail)
    })
}

fn wrong(name: &str, detail: String) -> Refusal {
    let pointer = retake_chain::problem::below("", name);
    Refusal::field(ProblemKind::InvalidField, &pointer, detail)
}

pub fn recordings(app: &App, call: &Call) -> Result<EntryQuery, Refusal> {
    let known = [
        "page_token",
        "limit",
        "sort",
        "status",
        "q",
        "tag",
        "created_from",
        "created_to",
    ];
    let fields = Fields::of(call, &known, &["status", "tag"])?;
    let sort = match fields.one("sort") {
        None => Sort::default(),
        Some(text) => {
            let found = SORTS.iter().find(|(name, _)| *name == text);
            let names = SORTS.map(|(name, _)| name).join(", ");
            let refused = || {
                let detail = format!("sort is \"{}\"; it must be one of {names}", shorten(text));
                wrong("sort", detail)
            };
            found.ok_or_else(refused)?.1
        }
    };
    let after: Option<EntryPlace> = fields.one("page_token").map(paging::place).transpose()?;
    if after.as_ref().is_some_and(|place| !sort.has(place)) {
        return Err(paging::no_token());
    }
    let tags = fields.all("tag");
    let tags = tags.map(|tag| within("tag", tag, app.config.tag_chars_max));
    Ok(EntryQuery {
        sort,
        after,
        limit: fields.limit(app)?,
        statuses: fields.statuses()?,
        text: fields.text("q", TEXT_CHARS_MAX)?,
        tags: tags.collect::<Result<_, _>>()?,
        created_from: fields.time("created_from")?,
        created_to: fields.time("created_to")?,
    })
}

/// Of one recording, or of all.
pub fn jobs(app: &App, call: &Call, recording: Option<RecordingId>) -> Result<JobQuery, Refusal> {
    let known = ["page_token", "limit", "status", "preset", "recording_id"];
    let known = &known[..known.len() - usize::from(recording.is_some())];
    let fields = Fields::of(call, known, &["status"])?;
    let asked = fields.parsed("recording_id", "a recording's id")?;
    Ok(JobQuery {
        before: fields.one("page_token").map(paging::place).transpose()?,
        limit: fields.limit(app)?,
        recording: recording.or(asked),
        statuses: fields.statuses()?,
        preset: fields.text("preset", TEXT_CHARS_MAX)?,
    })
}
