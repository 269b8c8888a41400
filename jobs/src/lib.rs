//! What server and worker must agree on.
//!
//! A thing lives here only if server and worker would both be wrong if they disagreed about it: the
//! words (recording, job, submission), the job's state machine, the messages, and the [`seams`] to
//! the outside. What a job asks for and reports is said in the language of chains, `retake_chain`;
//! what stands behind the seams is in `retake_backends`.

// Words.
pub mod clock;
pub mod correction;
pub mod credential;
pub mod derivative;
pub mod digest;
pub mod email;
pub mod entry;
pub mod event;
pub mod health;
pub mod id;
pub mod idempotency;
pub mod job;
pub mod lease;
pub mod message;
pub mod plugin;
pub mod recording;
pub mod saved_preset;
pub mod share;
pub mod submission;
pub mod trace;
pub mod usage;
pub mod webhook;

// Traits.
pub mod seams;

// What moves jobs safely between them.
pub mod announcing;
pub mod backoff;
pub mod relay;
