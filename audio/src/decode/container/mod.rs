//! One reader per container, all of one shape: see [`super::demux`].

mod ahead;
mod aiff;
mod amr;
mod au;
mod avi;
mod bytes;
mod caf;
mod chunks;
mod flac;
mod flac_frame;
mod flv;
mod frames;
mod info_frame;
mod layout;
mod matroska;
mod mp4;
mod mpeg;
mod mpegts;
mod ogg;
mod pieces;
mod plain;
#[cfg(test)]
mod testing;
mod wave;
mod wavpack;

use std::io::Read;

use retake_formats::{Container, PREFIX_BYTES, Sniffed, sniff};

use self::{
    amr::AmrReader, avi::AviReader, flac::FlacReader, flv::FlvReader, matroska::MatroskaReader,
    mp4::Mp4Reader, mpeg::MpegReader, mpegts::TsReader, ogg::OggReader, plain::PlainReader,
    wave::WaveReader, wavpack::WavPackReader,
};
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
        Sniffed::Audio(container) => open_as(container, source).map_err(|error| match error {
            AudioError::NotAudio { .. } if head.iter().all(|byte| *byte == 0) => {
                AudioError::NotAudio {
                    detail: "it begins with nothing but zero bytes".to_owned(),
                }
            }
            other => other,
        }),
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
        Container::Wave | Container::Wave64 => boxed(WaveReader::open(source.again())?),
        Container::Aiff => boxed(aiff::open(source.again())?),
        Container::Caf => boxed(caf::open(source.again())?),
        Container::Au => boxed(au::open(source.again())?),
        Container::Webm | Container::Matroska => boxed(MatroskaReader::open(source.again())?),
        Container::Ogg => boxed(OggReader::open(source.again())?),
        Container::Amr => boxed(AmrReader::open(source.again())?),
        Container::Ac3 => boxed(PlainReader::ac3(source.again())?),
        // A tag in front may be longer than what the first bytes show.
        Container::Flac | Container::Mpeg => match boxed(FlacReader::open(source.again())?) {
            None => match boxed(MpegReader::open(source.again())?) {
                None => boxed(PlainReader::adts(source.again())?),
                mpeg => mpeg,
            },
            flac => flac,
        },
        Container::WavPack => boxed(WavPackReader::open(source.again())?),
        Container::Adts => boxed(PlainReader::adts(source.again())?),
        Container::Mp4 | Container::QuickTime => boxed(Mp4Reader::open(source.again())?),
        Container::Avi => boxed(AviReader::open(source.again())?),
        Container::Flv => boxed(FlvReader::open(source.again())?),
        Container::MpegTs => boxed(TsReader::open(source.again())?),
    };
    reader.ok_or_else(|| AudioError::NotAudio {
        detail: format!(
            "it begins like {} and goes on like something else",
            container.name()
        ),
    })
}
