//! How audio work fails, in the words that the parent understands.

use std::io;

use retake_audio::{AudioError, RunError, StageError};
use retake_plugin_manifest::SettingError;

use crate::child::{AudioFault, Expect, Failed};

pub(super) fn audio_failed(error: AudioError, expect: Option<&Expect>) -> Failed {
    let detail = match &error {
        AudioError::UnknownCodec { codec } => {
            format!("{error}; {}", retake_formats::advice(codec))
        }
        error => error.to_string(),
    };
    let fault = match error {
        AudioError::Io(_) => return Failed::Ours { detail },
        _ if expect.is_some() => return Failed::Unexpected { detail },
        AudioError::NotAudio { .. } => AudioFault::NotAudio,
        AudioError::UnknownCodec { .. } => AudioFault::UnknownCodec,
        AudioError::Empty => AudioFault::Empty,
        AudioError::TooLong { .. } => AudioFault::TooLong,
        AudioError::UnsupportedStream { field: "track", .. } => AudioFault::NoSuchTrack,
        AudioError::UnsupportedStream { .. } => AudioFault::UnsupportedStream,
        AudioError::Damaged { .. } => AudioFault::Damaged,
    };
    Failed::Audio { fault, detail }
}

pub(super) fn run_failed(error: RunError, index_of: impl Fn(usize) -> Option<usize>) -> Failed {
    match error {
        RunError::Stage { index, source, .. } => match index_of(index) {
            Some(index) => stage_failed(index, source),
            None => Failed::Ours {
                detail: source.to_string(),
            },
        },
        RunError::Audio(error) => audio_failed(error, None),
        RunError::Io(error) => Failed::Ours {
            detail: format!("running the steps: {error}"),
        },
    }
}

pub(super) fn stage_failed(index: usize, error: StageError) -> Failed {
    match error {
        StageError::Refused { message, param } => Failed::Refused {
            index,
            detail: message,
            param,
        },
        StageError::Crashed { message } => Failed::Crashed {
            index,
            detail: message,
        },
        StageError::Harmful { message } => Failed::Harmful {
            index,
            detail: message,
        },
        StageError::Io { message } => Failed::Ours { detail: message },
        StageError::Stopped => Failed::Ours {
            detail: "the pipeline stopped without saying why".to_owned(),
        },
    }
}

pub(super) fn params_refused(index: usize, errors: &[SettingError]) -> Failed {
    let first = errors.first();
    Failed::Refused {
        index,
        detail: first.map_or_else(String::new, ToString::to_string),
        param: first.map(|error| error.param.clone()),
    }
}

pub(super) fn ours(what: &'static str) -> impl Fn(io::Error) -> Failed {
    move |error| Failed::Ours {
        detail: format!("{what}: {error}"),
    }
}
