//! How audio work fails, in the words that the parent understands.

use std::io;

use retake_audio::{AudioError, RunError, StageError};
use retake_plugin_manifest::SettingError;

use crate::{
    chain::Trouble,
    child::{AudioFault, Expect, Failed},
};

pub(super) fn audio_failed(error: AudioError, expect: Option<&Expect>) -> Failed {
    let detail = match &error {
        AudioError::UnknownCodec { codec } => {
            format!("{error}; {}", retake_formats::advice(codec))
        }
        error => error.to_string(),
    };
    let fault = match error {
        error
            if expect.is_some() && !matches!(&error, AudioError::Io(io) if !is_of_the_file(io)) =>
        {
            return Failed::Unexpected { detail };
        }
        // Where a recording ends too early or says what cannot be, that is its own.
        AudioError::Io(error) if is_of_the_file(&error) => AudioFault::Damaged,
        AudioError::Io(error) => return own(detail, &error),
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
                no_room: false,
            },
        },
        RunError::Audio(error) => audio_failed(error, None),
        RunError::Io(error) => own(format!("running the steps: {error}"), &error),
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
        StageError::Io { message } => Failed::Ours {
            detail: message,
            no_room: false,
        },
        StageError::Stopped => Failed::Ours {
            detail: "the pipeline stopped without saying why".to_owned(),
            no_room: false,
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
    move |error| own(format!("{what}: {error}"), &error)
}

/// Trouble of this machine's.
fn own(detail: String, error: &io::Error) -> Failed {
    let no_room = Trouble::of(error) == Trouble::NoRoom;
    Failed::Ours { detail, no_room }
}

fn is_of_the_file(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
    )
}
