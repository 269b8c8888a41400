//! Any recording in, planar `f32` in a spill file out.
//!
//! Three readers share the work: [`wav`] and [`webm`] read what comes most often and is most often
//! incomplete, [`packets`] reads everything else. All hand their frames to a [`recorder`], which
//! trims, checks, spills and measures. A declared duration is never believed; what is wrong with a
//! file and could be mended becomes a warning.
//!
//! A decoder that panics or hangs on a hostile file takes the process with it: run this in one that
//! may end.

mod aac;
mod bit_reader;
mod codec;
mod container;
mod demux;
mod mp4;
mod opus;
mod packets;
mod pcm;
mod recorder;
mod signature;
mod source;
mod wav;
mod webm;

use std::{fs::File, io::Read, ops::RangeInclusive, path::Path};

use serde::{Deserialize, Serialize};

use crate::{AudioError, Measurement, Peaks, Spec, spill::Spill};
use packets::Known;
use recorder::{Recorded, Recorder};
use signature::Kind;
use source::Source;

/// What is taken in; anything outside is refused by name.
#[derive(Debug, Clone)]
pub struct Limits {
    pub duration_ms_max: u64,
    pub sample_rate: RangeInclusive<u32>,
    pub channels_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            duration_ms_max: 4 * 60 * 60 * 1000,
            sample_rate: 8_000..=192_000,
            channels_max: 8,
        }
    }
}

/// Where the audio came from, in words for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceInfo {
    /// "WebM", "Ogg", "WAV", …
    pub container: String,
    /// "Opus", "AAC", "PCM", …
    pub codec: String,
    /// Bits per sample where the codec is lossless.
    pub lossless_bits: Option<u32>,
}

/// A decoded recording: its samples wait in an unlinked file, which goes when this does.
#[derive(Debug)]
pub struct Decoded {
    pub spec: Spec,
    pub source: SourceInfo,
    pub frames: u64,
    pub measurement: Measurement,
    pub peaks: Peaks,
    /// What was mended or missing, as sentences for the sender.
    pub warnings: Vec<String>,
    pub(crate) spill: Spill,
}

/// Decodes and measures in one pass. `progress` hears 0.0..=1.0, by bytes read, on this thread; it
/// starts again where a file has to be read in another way. At most 8 channels are understood,
/// whatever the limits say.
pub fn decode(
    file: File,
    limits: &Limits,
    spill_dir: &Path,
    progress: &mut dyn FnMut(f32),
) -> Result<Decoded, AudioError> {
    let limits = Limits {
        channels_max: limits.channels_max.min(8),
        ..limits.clone()
    };
    let mut head = Vec::new();
    Source::open(&file, true)?
        .take(signature::HEAD_BYTES as u64)
        .read_to_end(&mut head)?;
    if head.is_empty() {
        return Err(AudioError::Empty);
    }
    let mut attempt = Attempt {
        file: &file,
        limits: &limits,
        spill_dir,
        progress,
    };
    let (reading, recorded) = match signature::kind(&head) {
        Kind::Unknown(codec) => {
            return Err(AudioError::UnknownCodec {
                codec: codec.to_owned(),
            });
        }
        Kind::BrokenCaf => {
            let detail = "the description of its audio makes no sense".to_owned();
            return Err(AudioError::Damaged { detail });
        }
        Kind::Wave => attempt.wave()?,
        Kind::Matroska => attempt.matroska()?,
        Kind::Mp4 => {
            let movie = mp4::movie(Source::open(&file, true)?)?;
            let codec = movie.as_ref().and_then(packets::codec_in_movie);
            match attempt.any(&Known {
                movie: movie.as_ref(),
                codec,
            }) {
                // Recorders write the index last.
                Err(AudioError::NotAudio { .. }) if movie.is_none() => {
                    let detail = "its index (moov) is missing: it was never finished".to_owned();
                    return Err(AudioError::Damaged { detail });
                }
                other => other?,
            }
        }
        Kind::Other => attempt.any(&Known::default())?,
    };
    (attempt.progress)(1.0);
    let mut warnings = reading.warnings();
    warnings.extend(recorded.warnings);
    Ok(Decoded {
        spec: recorded.spec,
        source: reading.source,
        frames: recorded.spill.frames(),
        measurement: recorded.measurement,
        peaks: recorded.peaks,
        warnings,
        spill: recorded.spill,
    })
}

/// How a reader came to the end of its file.
struct Reading {
    source: SourceInfo,
    end: End,
    packets: u64,
    /// Packets that could not be decoded.
    errors: u64,
    held_is_padding: bool,
}

enum End {
    Complete,
    /// The file stops where there should be more.
    Truncated,
    Damaged(String),
}

impl Reading {
    fn new(source: SourceInfo, end: End) -> Self {
        Self {
            source,
            end,
            packets: 0,
            errors: 0,
            held_is_padding: false,
        }
    }

    /// Whether this is not audio at all but something that looked like it.
    fn is_noise(&self) -> bool {
        self.errors * 2 > self.packets
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        match &self.end {
            End::Complete => {}
            End::Truncated => {
                warnings.push("the file is truncated: it ends in the middle of the audio".into());
            }
            End::Damaged(detail) => {
                warnings.push(format!(
                    "the file is damaged and some audio may be lost: {detail}"
                ));
            }
        }
        if self.errors > 0 {
            warnings.push(format!(
                "{} of {} packets could not be decoded and were left out",
                self.errors, self.packets
            ));
        }
        warnings
    }
}

/// One file and how to try to read it.
struct Attempt<'a> {
    file: &'a File,
    limits: &'a Limits,
    spill_dir: &'a Path,
    progress: &'a mut dyn FnMut(f32),
}

impl Attempt<'_> {
    fn wave(&mut self) -> Result<(Reading, Recorded), AudioError> {
        let mut recorder = Recorder::new(self.limits, self.spill_dir);
        let source = Source::open(self.file, true)?;
        match wav::read(source, &mut recorder, self.progress)? {
            Some(reading) => settle(reading, recorder),
            None => match self.any(&Known::default()) {
                Err(AudioError::NotAudio { detail }) => {
                    Err(match wav::codec(Source::open(self.file, true)?)? {
                        Some(codec) => AudioError::UnknownCodec { codec },
                        None => AudioError::NotAudio { detail },
                    })
                }
                other => other,
            },
        }
    }

    fn matroska(&mut self) -> Result<(Reading, Recorded), AudioError> {
        let codec = webm::audio_codec(Source::open(self.file, true)?)?;
        if codec.as_deref() != Some("A_OPUS") {
            let codec = codec.map(|id| signature::matroska_codec(&id));
            return self.any(&Known { movie: None, codec });
        }
        let mut recorder = Recorder::new(self.limits, self.spill_dir);
        let reading = webm::read(Source::open(self.file, true)?, &mut recorder, self.progress)?;
        settle(reading, recorder)
    }

    /// Seekable first. A reader that trusts an index gets nothing out of a truncated file; the same
    /// reader gets almost all if it cannot seek.
    fn any(&mut self, known: &Known<'_>) -> Result<(Reading, Recorded), AudioError> {
        let first = match self.packets(known, true) {
            Ok((reading, recorded)) if !matches!(reading.end, End::Damaged(_)) => {
                return Ok((reading, recorded));
            }
            Err(error @ (AudioError::NotAudio { .. } | AudioError::Empty)) => Err(error),
            Err(error) => return Err(error),
            damaged => damaged,
        };
        let second = self.packets(known, false);
        match (first, second) {
            (Ok(first), Ok(second)) if first.1.spill.frames() >= second.1.spill.frames() => {
                Ok(first)
            }
            (_, Ok(second)) => Ok(second),
            (first, Err(_)) => first,
        }
    }

    fn packets(
        &mut self,
        known: &Known<'_>,
        is_seekable: bool,
    ) -> Result<(Reading, Recorded), AudioError> {
        let mut recorder = Recorder::new(self.limits, self.spill_dir);
        let source = Source::open(self.file, is_seekable)?;
        let reading = packets::read(source, known, &mut recorder, self.progress)?;
        settle(reading, recorder)
    }
}

fn settle(reading: Reading, recorder: Recorder) -> Result<(Reading, Recorded), AudioError> {
    if reading.is_noise() {
        return Err(AudioError::NotAudio {
            detail: format!(
                "it looks like {}, yet {} of {} packets cannot be decoded",
                reading.source.container, reading.errors, reading.packets
            ),
        });
    }
    let recorded = recorder.finish(reading.held_is_padding)?;
    Ok((reading, recorded))
}
