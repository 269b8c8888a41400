//! Everything that has no reader of its own: symphonia finds the container and splits it into
//! packets, which symphonia or our Opus decoder decode.
//!
//! What symphonia does not do, or does wrong, is mended here: encoder delay in MP4, MP3 and CAF,
//! Opus, chained streams, files that end too early, codecs that would decode to something else.

use symphonia::core::{
    codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions, well_known as codec},
    codecs::registry::CodecRegistry,
    errors::Error,
    formats::{FormatOptions, FormatReader, Track, TrackType, probe::Hint},
    io::{MediaSourceStream, MediaSourceStreamOptions},
    meta::MetadataOptions,
    packet::Packet,
};

use super::{
    End, Reading,
    aac::{self, SbrWatch},
    mp4::Movie,
    opus::{OpusHead, OpusPackets},
    recorder::{Recorder, Trim},
    signature,
    source::{Source, Ticker},
};
use crate::{AudioError, Block, SourceInfo, Spec};

/// A reader that fails this often in a row will not recover.
const READ_ERRORS_MAX: u32 = 16;
/// So many packets of another rate or channel count are damage; more are a change of stream.
const STRAY_PACKETS_MAX: u64 = 8;

/// What is known of the container from elsewhere.
#[derive(Default)]
pub(super) struct Known<'a> {
    pub movie: Option<&'a Movie>,
    /// The first audio track's codec, as the container calls it.
    pub codec: Option<String>,
}

pub(super) fn read(
    source: Source,
    known: &Known<'_>,
    recorder: &mut Recorder,
    progress: &mut dyn FnMut(f32),
) -> Result<Reading, AudioError> {
    let mut ticker = Ticker::new(&source, progress);
    let stream = MediaSourceStream::new(Box::new(source), MediaSourceStreamOptions::default());
    let mut format = symphonia::default::get_probe()
        .probe(
            &Hint::new(),
            stream,
            FormatOptions::default(),
            MetadataOptions::default(),
        )
        .map_err(not_audio)?;
    let container = container_name(format.format_info().short_name);
    let mut stream = Stream::open(format.as_ref(), container, known)?;
    recorder.trim(stream.trim);
    let mut reading = Reading::new(stream.source.clone(), End::Complete);

    let mut read_errors = 0;
    let mut strays = 0;
    reading.end = loop {
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break End::Complete,
            Err(Error::ResetRequired) => {
                // A chained stream: another track, described anew.
                stream = Stream::open(format.as_ref(), container, known)?;
                recorder.trim(stream.trim);
                continue;
            }
            Err(Error::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                break End::Truncated;
            }
            Err(Error::IoError(error)) => return Err(error.into()),
            Err(error) => {
                read_errors += 1;
                if read_errors == READ_ERRORS_MAX {
                    break End::Damaged(error.to_string());
                }
                continue;
            }
        };
        read_errors = 0;
        if packet.track_id != stream.track_id {
            continue;
        }
        ticker.tick();
        reading.packets += 1;
        if stream
            .sbr
            .as_mut()
            .is_some_and(|sbr| sbr.is_sbr(&packet.data))
        {
            return Err(AudioError::UnknownCodec {
                codec: "HE-AAC".to_owned(),
            });
        }
        let Some((spec, decoded)) = stream.decode(&packet) else {
            reading.errors += 1;
            continue;
        };
        if recorder.spec().is_some_and(|started| started != spec) {
            strays += 1;
            reading.errors += 1;
            if strays > STRAY_PACKETS_MAX {
                return Err(changed(recorder, spec));
            }
            continue;
        }
        let channels: Vec<&[f32]> = decoded.planes().collect();
        recorder.push(spec, &channels)?;
    };
    reading.held_is_padding = stream.frames_with_trim == Some(recorder.frames_seen());
    Ok(reading)
}

/// One track, from one description to the next.
struct Stream {
    track_id: u32,
    source: SourceInfo,
    decoder: Decoder,
    trim: Trim,
    /// How many frames there are, delay and padding included, where the file says so.
    frames_with_trim: Option<u64>,
    sbr: Option<SbrWatch>,
    planar: Block,
}

enum Decoder {
    Opus(OpusPackets),
    Symphonia(Box<dyn AudioDecoder>),
}

impl Stream {
    fn open(
        format: &dyn FormatReader,
        container: &'static str,
        known: &Known<'_>,
    ) -> Result<Self, AudioError> {
        let track = format.default_track(TrackType::Audio);
        let Some((track, params)) =
            track.and_then(|track| Some((track, track.codec_params.as_ref()?.audio()?)))
        else {
            return Err(match &known.codec {
                Some(codec) => AudioError::UnknownCodec {
                    codec: codec.clone(),
                },
                None => AudioError::NotAudio {
                    detail: "it has no audio track".to_owned(),
                },
            });
        };
        let (decoder, head) = decoder(params, container, known)?;
        let rate = params.sample_rate.unwrap_or(48_000);
        let codec = codec_name(params);
        let is_lossless = ["PCM", "FLAC", "ALAC"].contains(&codec.as_str());
        Ok(Self {
            track_id: track.id,
            source: SourceInfo {
                container: container.to_owned(),
                codec,
                lossless_bits: lossless_bits(params).filter(|_| is_lossless),
            },
            trim: trim(track, container, known, head.as_ref(), rate),
            frames_with_trim: match (track.num_frames, track.delay, track.padding) {
                (Some(frames), Some(delay), Some(padding)) => {
                    frames.checked_add(u64::from(delay) + u64::from(padding))
                }
                _ => None,
            },
            sbr: (params.codec == codec::CODEC_ID_AAC).then(SbrWatch::default),
            decoder,
            planar: Block::default(),
        })
    }

    /// The packet's frames, without what the container says is not to be heard; `None` if it
    /// cannot be decoded.
    fn decode(&mut self, packet: &Packet) -> Option<(Spec, &Block)> {
        match &mut self.decoder {
            Decoder::Opus(opus) => {
                let spec = opus.spec();
                self.planar.clone_from(opus.decode(&packet.data).ok()?);
                // Ogg's end: the last page's granule position is short of what its packets hold.
                let dropped = packet.trim_end.get() as usize;
                let frames = self.planar.frames().saturating_sub(dropped);
                self.planar.resize(frames);
                Some((spec, &self.planar))
            }
            Decoder::Symphonia(decoder) => {
                let decoded = match decoder.decode(packet) {
                    Ok(decoded) => decoded,
                    Err(Error::ResetRequired) => {
                        decoder.reset();
                        return None;
                    }
                    Err(_) => return None,
                };
                let spec = Spec {
                    sample_rate: decoded.spec().rate(),
                    channels: decoded.num_planes() as u32,
                };
                if spec.channels == 0 {
                    return None;
                }
                let mut planes = std::mem::take(&mut self.planar).into_planes();
                decoded.copy_to_vecs_planar::<f32>(&mut planes);
                self.planar = Block::from_planes(planes)?;
                Some((spec, &self.planar))
            }
        }
    }
}

/// As the container says. ALAC's own configuration says it, too, and some containers leave it to
/// that; in old files it stands behind two atoms.
fn lossless_bits(params: &AudioCodecParameters) -> Option<u32> {
    if let Some(bits) = params.bits_per_sample.filter(|bits| *bits > 0) {
        return Some(bits);
    }
    let config = params
        .extra_data
        .as_deref()
        .filter(|_| params.codec == codec::CODEC_ID_ALAC)?;
    let start = if config.get(4..8) == Some(b"frma") {
        24
    } else {
        0
    };
    config.get(start + 5).copied().map(u32::from)
}

fn decoder(
    params: &AudioCodecParameters,
    container: &str,
    known: &Known<'_>,
) -> Result<(Decoder, Option<OpusHead>), AudioError> {
    if params.codec == codec::CODEC_ID_OPUS {
        let extra = params.extra_data.as_deref().unwrap_or_default();
        let channels = params
            .channels
            .as_ref()
            .map_or(1, |channels| channels.count());
        let head = OpusHead::parse(extra, container == "MP4")
            .unwrap_or_else(|| OpusHead::assumed(channels));
        return Ok((Decoder::Opus(OpusPackets::new(&head)?), Some(head)));
    }
    let unknown = |codec: String| AudioError::UnknownCodec { codec };
    if params.codec == codec::CODEC_ID_AAC {
        let config = params.extra_data.as_deref().unwrap_or_default();
        if let Some(name) = aac::unsupported_config(config) {
            return Err(unknown(name));
        }
        let channels = params
            .channels
            .as_ref()
            .map_or(0, |channels| channels.count());
        if config.is_empty() && channels > 2 {
            return Err(unknown(aac::channels_name(channels as u32)));
        }
    }
    // Delay and padding of MP3 are trimmed here: symphonia would believe a count that is wrong
    // where files were joined or have no count.
    let options = AudioDecoderOptions::default().gapless(params.codec != codec::CODEC_ID_MP3);
    let decoder = registry()
        .make_audio_decoder(params, &options)
        .map_err(|_| {
            let named_by_container = known.codec.clone().filter(|_| codec_is_nameless(params));
            unknown(named_by_container.unwrap_or_else(|| codec_name(params)))
        })?;
    Ok((Decoder::Symphonia(decoder), None))
}

fn registry() -> &'static CodecRegistry {
    symphonia::default::get_codecs()
}

/// What is not part of the recording, by whoever knows it best.
fn trim(
    track: &Track,
    container: &str,
    known: &Known<'_>,
    head: Option<&OpusHead>,
    rate: u32,
) -> Trim {
    let delay = u64::from(track.delay.unwrap_or(0));
    match container {
        "MP4" => known
            .movie
            .and_then(|movie| movie.trim(track.id, rate))
            .unwrap_or(Trim {
                skip: head.map_or(0, |head| head.pre_skip),
                ..Trim::default()
            }),
        // Symphonia's Ogg reader cuts the end; only Opus has a delay there.
        "Ogg" => Trim {
            skip: head.map_or(0, |head| head.pre_skip),
            ..Trim::default()
        },
        "MP3" | "CAF" => Trim {
            skip: if delay > 0 {
                delay
            } else {
                head.map_or(0, |head| head.pre_skip)
            },
            keep: None,
            hold_back: track.padding.unwrap_or(0) as usize,
        },
        _ => Trim::default(),
    }
}

fn not_audio(error: Error) -> AudioError {
    match error {
        Error::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => error.into(),
        Error::IoError(_) => AudioError::NotAudio {
            detail: "it ends too early".to_owned(),
        },
        other => AudioError::NotAudio {
            detail: other.to_string(),
        },
    }
}

fn changed(recorder: &Recorder, spec: Spec) -> AudioError {
    let (before, at) = match recorder.spec() {
        Some(before) => (
            before,
            recorder.frames_seen() as f64 / f64::from(before.sample_rate),
        ),
        None => (spec, 0.0),
    };
    AudioError::UnsupportedStream {
        field: "stream",
        value: format!("{before}, then {spec} from {at:.1} s on"),
        allowed: "one sample rate and channel count throughout".to_owned(),
    }
}

fn container_name(short: &str) -> &'static str {
    match short {
        "wave" => "WAV",
        "matroska" => "Matroska",
        "isomp4" => "MP4",
        "ogg" => "Ogg",
        "flac" => "FLAC",
        "mp1" | "mp2" | "mp3" => "MP3",
        "aiff" => "AIFF",
        "caf" => "CAF",
        "aac" => "ADTS",
        _ => "audio file",
    }
}

fn codec_is_nameless(params: &AudioCodecParameters) -> bool {
    codec_name(params).starts_with("codec ")
}

fn codec_name(params: &AudioCodecParameters) -> String {
    let name = match params.codec {
        codec::CODEC_ID_OPUS => "Opus",
        codec::CODEC_ID_VORBIS => "Vorbis",
        codec::CODEC_ID_AAC => "AAC",
        codec::CODEC_ID_MP1 => "MP1",
        codec::CODEC_ID_MP2 => "MP2",
        codec::CODEC_ID_MP3 => "MP3",
        codec::CODEC_ID_FLAC => "FLAC",
        codec::CODEC_ID_ALAC => "ALAC",
        codec::CODEC_ID_AC3 => "AC-3",
        codec::CODEC_ID_EAC3 => "E-AC-3",
        codec::CODEC_ID_AC4 => "AC-4",
        codec::CODEC_ID_DCA => "DTS",
        codec::CODEC_ID_TRUEHD => "TrueHD",
        codec::CODEC_ID_WMA => "Windows Media Audio",
        codec::CODEC_ID_WAVPACK => "WavPack",
        codec::CODEC_ID_TTA => "True Audio",
        codec::CODEC_ID_MONKEYS_AUDIO => "Monkey's Audio",
        codec::CODEC_ID_SPEEX => "Speex",
        codec::CODEC_ID_MUSEPACK => "Musepack",
        codec::CODEC_ID_ADPCM_MS | codec::CODEC_ID_ADPCM_IMA_WAV | codec::CODEC_ID_ADPCM_IMA_QT => {
            "ADPCM"
        }
        codec::CODEC_ID_PCM_ALAW => "A-law",
        codec::CODEC_ID_PCM_MULAW => "mu-law",
        // All kinds of PCM are numbered one after the other.
        other => match registry().get_audio_decoder(other) {
            Some(decoder) if decoder.codec.info.short_name.starts_with("pcm") => "PCM",
            Some(decoder) => decoder.codec.info.long_name,
            None => return format!("codec {other}"),
        },
    };
    name.to_owned()
}

/// What a container calls a codec, as people call it.
pub(super) fn codec_in_movie(movie: &Movie) -> Option<String> {
    let track = movie.tracks.iter().find(|track| track.is_audio)?;
    Some(signature::mp4_codec(&track.codec))
}
