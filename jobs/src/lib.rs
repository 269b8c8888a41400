//! What server and worker must agree on.
//!
//! A thing lives here only if server and worker would both be wrong if they disagreed about it: the
//! words (recording, job, chain, report), the job's state machine, the messages, and the four seams
//! to the outside: `store`, `blobs`, `queue` and `events`.

// Words, in the order one job meets them.
pub mod id;
pub mod email;
pub mod problem;
pub mod chain;
pub mod preset;
pub mod format;
pub mod recording;
pub mod job;
pub mod report;
pub mod message;
pub mod clock;

// Seams. Each module holds the trait, its doc and its backends.
pub mod store;
pub mod blobs;
pub mod queue;
pub mod events;

// What moves jobs safely between them.
pub mod relay;
