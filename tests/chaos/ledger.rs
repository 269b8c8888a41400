//! What people saw: what they handed in, what was answered, what their listeners heard. And beside it
//! what was done to the house, so that a failure can be read as a story.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::work::Work;

/// An event, as one listener heard it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    pub at: Duration,
    pub id: u64,
    /// `job.running` and so on.
    pub event: String,
    pub job: String,
    pub attempt: u64,
}

impl Heard {
    pub fn is_end(&self) -> bool {
        matches!(
            self.event.as_str(),
            "job.completed" | "job.failed" | "job.cancelled"
        )
    }

    pub fn is_progress(&self) -> bool {
        self.event == "job.progress"
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    None,
    /// 202.
    Accepted {
        job: String,
        recording: String,
    },
    /// Told to try again later, so it must not be there.
    Refused(u16),
    /// The connection broke: nobody knows.
    Lost,
}

/// One thing that was handed in.
#[derive(Debug, Clone)]
pub struct Upload {
    pub session: usize,
    pub work: Work,
    pub posted: Duration,
    pub answer: Answer,
    /// Seen, compared, and deleted.
    pub deleted: bool,
    /// Its result was compared.
    pub seen: bool,
}

impl Upload {
    pub fn job(&self) -> Option<&str> {
        match &self.answer {
            Answer::Accepted { job, .. } => Some(job),
            _ => None,
        }
    }
}

/// Something that must not be.
#[derive(Debug, Clone)]
pub struct Complaint {
    pub job: Option<String>,
    pub at: Duration,
    pub what: String,
}

#[derive(Default)]
pub struct Pages {
    /// By serial number.
    pub uploads: BTreeMap<u64, Upload>,
    /// By session, then by listener.
    pub heard: Vec<Vec<Vec<Heard>>>,
    /// The jobs whose end was heard, by the same.
    ended: Vec<Vec<HashSet<String>>>,
    pub happened: Vec<(Duration, String)>,
    pub complaints: Vec<Complaint>,
    /// What a kind's result is: the first one seen.
    pub results: BTreeMap<(Work, bool), String>,
    pub reconnects: u64,
    /// Attempts whose beginning was heard.
    pub begun: u64,
}

pub struct Ledger {
    begun: Instant,
    pages: Mutex<Pages>,
}

impl Ledger {
    pub fn new() -> Self {
        Self {
            begun: Instant::now(),
            pages: Mutex::default(),
        }
    }

    pub fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    pub fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn happened(&self, what: String) {
        let now = self.now();
        self.pages().happened.push((now, what));
    }

    pub fn complain(&self, job: Option<&str>, what: String) {
        self.happened(format!("COMPLAINT: {what}"));
        let (job, at) = (job.map(str::to_owned), self.now());
        self.pages().complaints.push(Complaint { job, at, what });
    }

    /// Its serial number.
    pub fn posted(&self, session: usize, work: Work) -> u64 {
        let posted = self.now();
        let mut pages = self.pages();
        let serial = pages.uploads.len() as u64;
        let upload = Upload {
            session,
            work,
            posted,
            answer: Answer::None,
            deleted: false,
            seen: false,
        };
        pages.uploads.insert(serial, upload);
        serial
    }

    pub fn answered(&self, serial: u64, answer: Answer) {
        if let Some(upload) = self.pages().uploads.get_mut(&serial) {
            upload.answer = answer;
        }
    }
}

impl Pages {
    pub fn add_session(&mut self, listeners: usize) {
        self.heard.push(vec![Vec::new(); listeners]);
        self.ended.push(vec![HashSet::new(); listeners]);
    }

    pub fn hear(&mut self, session: usize, listener: usize, heard: Heard) {
        self.begun += u64::from(heard.event == "job.running");
        if heard.is_end() {
            self.ended[session][listener].insert(heard.job.clone());
        }
        self.heard[session][listener].push(heard);
    }

    /// Whether every listener of the session has heard the job's end.
    pub fn everyone_heard_the_end_of(&self, session: usize, job: &str) -> bool {
        self.ended[session].iter().all(|ended| ended.contains(job))
    }

    /// Accepted by the session and not seen yet.
    pub fn open(&self, session: usize) -> Vec<(u64, Upload)> {
        self.uploads
            .iter()
            .filter(|(_, upload)| upload.session == session)
            .filter(|(_, upload)| !upload.seen && upload.job().is_some())
            .map(|(serial, upload)| (*serial, upload.clone()))
            .collect()
    }
}
