//! What can be wrong with a recording, named for what the caller does next.

use std::io;

/// Every variant but [`AudioError::Io`] is the recording's fault: trying again will not help.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    /// Answer 415: there is no audio in this.
    #[error("not an audio file that can be read: {detail}")]
    NotAudio { detail: String },
    /// Answer 415, naming the codec, so that the sender can convert it.
    #[error("audio in {codec} cannot be decoded")]
    UnknownCodec { codec: String },
    /// The container is sound, yet nothing in it can be heard.
    #[error("the recording has no audio frames")]
    Empty,
    /// Answer 413, with the limit.
    #[error("the recording is longer than the limit of {limit_ms} ms")]
    TooLong { limit_ms: u64 },
    /// Audio, but outside of what the limits allow.
    #[error("{field} is {value}, allowed is {allowed}")]
    UnsupportedStream {
        field: &'static str,
        value: String,
        allowed: String,
    },
    /// It began as audio, and what follows cannot be trusted.
    #[error("the recording is damaged: {detail}")]
    Damaged { detail: String },
    /// Ours: the disk or the file. Worth trying again.
    #[error("reading or writing audio: {0}")]
    Io(#[from] io::Error),
}
