//! What server and worker must agree on.
//!
//! A thing lives here only if server and worker would both be wrong if they disagreed about it: the
//! words (recording, job, submission), the job's state machine, the messages, and the four seams to
//! the outside: `store`, `blobs`, `queue` and `events`. What a job asks for and reports is said in
//! the language of chains, `retake_chain`.

// Words.
pub mod clock;
pub mod email;
pub mod id;
pub mod job;
pub mod message;
pub mod recording;
pub mod submission;

// Seams. Each module holds the trait, its doc and its backends.
pub mod blobs;
pub mod events;
pub mod queue;
pub mod store;

// What moves jobs safely between them.
pub mod relay;
