//! One reader per container, all of one shape: see [`super::demux`].

mod bytes;
mod frames;
mod matroska;
mod mp4;
mod wave;

use std::io::Read;

use retake_formats::{Container, PREFIX_BYTES, Sniffed, sniff};

use self::{matroska::MatroskaReader, mp4::Mp4Reader};
use super::{demux::Demuxer, source::Source};
use crate::AudioError;

/// The reader for a file, by its first bytes.
pub(super) fn open(source: &Source) -> Result<Box<dyn Demuxer>, AudioError> {
    let mut head = Vec::new();
    source
        .again()
        .take(PREFIX_BYTES as u64)
        .read_to_end(&mut head)?;
    if head.is_empty() {
        return Err(AudioError::Empty);
    }
    match sniff(&head) {
        Sniffed::Audio(container) => open_as(container, source),
        Sniffed::Unsupported(codec) => Err(AudioError::UnknownCodec {
            codec: codec.to_owned(),
        }),
        Sniffed::Other(what) => Err(AudioError::NotAudio {
            detail: format!("it seems to be {what}"),
        }),
    }
}

fn open_as(container: Container, source: &Source) -> Result<Box<dyn Demuxer>, AudioError> {
    fn boxed(reader: Option<impl Demuxer + 'static>) -> Option<Box<dyn Demuxer>> {
        reader.map(|reader| Box::new(reader) as _)
    }
    let reader = match container {
        Container::Webm | Container::Matroska => boxed(MatroskaReader::open(source.again())?),
        Container::Mp4 | Container::QuickTime => boxed(Mp4Reader::open(source.again())?),
        _ => None,
    };
    reader.ok_or_else(|| AudioError::NotAudio {
        detail: format!(
            "it begins like {} and goes on like something else",
            container.name()
        ),
    })
}
