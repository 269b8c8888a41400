//! Any recording in, planar `f32` in a spill file out, or straight into an encoder.
//!
//! A *container's* reader ([`container`]) finds the tracks and gives the packets of one of them; a
//! *codec's* decoder ([`codec`]) makes frames of them; the [`timeline`] puts these where their stamps
//! say; the [`recorder`] brings them to one rate and one set of channels, measures them and hands them to
//! a [`sink`]. A
//! declared duration is never believed; what is wrong with a file and could be mended becomes a
//! finding.
//!
//! A decoder that panics or hangs on a hostile file takes the process with it: run this in one that
//! may end.

mod as_is;
mod bit_reader;
mod codec;
mod container;
mod convert;
mod demux;
pub(crate) mod pcm;
mod recorder;
mod sink;
mod source;
mod spikes;
mod timeline;
mod tracks;
mod vorbis_blocks;

use std::{fs::File, ops::RangeInclusive, path::Path};

use retake_findings::{Code, Finding};
use serde::{Deserialize, Serialize};

use crate::{
    AudioError, Encoding, Measured, Spec, Tags,
    channels::CHANNELS_MAX,
    spill::{KeptSpill, Spill, SpillPlace},
};
use as_is::AsIs;
use demux::{End, Next, Packet, Stream};
use recorder::{Interrupted, Recorded, Recorder};
pub use sink::Looker;
use sink::{Sink, ToEncoder, ToLooker, ToSpill};
use source::{Source, Ticker};
use timeline::Timeline;

pub(crate) use as_is::AsIs as RecordingAsIs;
pub use tracks::TrackInfo;

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
            channels_max: CHANNELS_MAX,
        }
    }
}

/// Where the audio came from, in words for people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceInfo {
    /// "WebM", "Ogg", "WAV", …
    pub container: String,
    /// "Opus", "AAC", "PCM", …
    pub codec: String,
    /// Bits per sample where the codec is lossless.
    pub lossless_bits: Option<u32>,
}

/// A decoded recording. Its samples wait in an unlinked file, which goes when this does, or went to an
/// encoder.
#[derive(Debug)]
pub struct Decoded<Kept = Spill> {
    pub spec: Spec,
    pub source: SourceInfo,
    /// All audio tracks of the file, also those that were not read.
    pub tracks: Vec<TrackInfo>,
    pub frames: u64,
    pub measured: Measured,
    /// What was mended or missing, and what the recording itself is like.
    pub findings: Vec<Finding>,
    pub(crate) kept: Kept,
}

/// What there is to say of a file that ended like this.
fn of_end(end: &End, read_s: f64, stated_s: Option<f64>) -> Option<Finding> {
    if *end == End::Truncated {
        return Some(Finding::new(Code::Truncated, [("read_s", read_s.into())]));
    }
    // Less than was stated by more than its writer's rounding.
    let stated_s = stated_s.filter(|stated| stated - read_s > 0.03 + 0.001 * stated)?;
    let params = [("stated_s", stated_s.into()), ("read_s", read_s.into())];
    Some(Finding::new(Code::LengthDiffers, params))
}

impl SourceInfo {
    fn of(stream: &Stream, container: &str) -> Self {
        let params = &stream.params;
        Self {
            container: container.to_owned(),
            codec: params.codec.name().to_owned(),
            lossless_bits: params.bits.filter(|_| params.codec.is_lossless()),
        }
    }
}

impl<Kept> Decoded<Kept> {
    /// Without the samples.
    pub fn about(&self) -> Decoded<()> {
        Decoded {
            spec: self.spec,
            source: self.source.clone(),
            tracks: self.tracks.clone(),
            frames: self.frames,
            measured: self.measured.clone(),
            findings: self.findings.clone(),
            kept: (),
        }
    }
}

/// A decoded recording without its samples, as one process tells another.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptRecording {
    spec: Spec,
    source: SourceInfo,
    tracks: Vec<TrackInfo>,
    frames: u64,
    measured: Measured,
    findings: Vec<Finding>,
    spill: KeptSpill,
}

impl KeptRecording {
    /// Whether the samples are read from the recording itself.
    pub fn is_recording(&self) -> bool {
        self.spill.is_recording()
    }

    /// `file` is that which it was kept in, or the recording.
    pub fn open(self, file: File) -> Decoded {
        Decoded {
            spec: self.spec,
            source: self.source,
            tracks: self.tracks,
            frames: self.frames,
            measured: self.measured,
            findings: self.findings,
            kept: self.spill.open(file),
        }
    }
}

impl Decoded {
    /// For another process.
    pub fn kept(&self) -> KeptRecording {
        KeptRecording {
            spec: self.spec,
            source: self.source.clone(),
            tracks: self.tracks.clone(),
            frames: self.frames,
            measured: self.measured.clone(),
            findings: self.findings.clone(),
            spill: self.kept.kept(),
        }
    }
}

impl Decoded<()> {
    fn with(self, spill: Spill) -> Decoded {
        Decoded {
            spec: self.spec,
            source: self.source,
            tracks: self.tracks,
            frames: self.frames,
            measured: self.measured,
            findings: self.findings,
            kept: spill,
        }
    }
}

/// How often the reading may begin again because something richer came later.
const RESTARTS_MAX: u32 = 3;

/// Decodes and measures in one pass. `track` counts from 1; without it the file's default track is
/// read, or else the first that can be. `progress` hears 0.0..=1.0, by bytes read, on this thread; it
/// starts again where a file has to be read again. At most [`CHANNELS_MAX`] channels are understood,
/// whatever the limits say.
pub fn decode(
    file: File,
    limits: &Limits,
    track: Option<u32>,
    spill_dir: &Path,
    progress: &mut dyn FnMut(f32),
) -> Result<Decoded, AudioError> {
    decode_to(
        file,
        limits,
        track,
        SpillPlace::In(spill_dir.to_owned()),
        progress,
    )
}

/// The same for another process, which reads the samples from `to`, or from the recording where it can: see
/// [`KeptRecording`].
pub fn decode_and_keep(
    file: File,
    limits: &Limits,
    track: Option<u32>,
    to: &Path,
    progress: &mut dyn FnMut(f32),
) -> Result<Decoded, AudioError> {
    let place = SpillPlace::At(to.to_owned());
    decode_to(file, limits, track, place, progress)
}

fn decode_to(
    file: File,
    limits: &Limits,
    track: Option<u32>,
    place: SpillPlace,
    progress: &mut dyn FnMut(f32),
) -> Result<Decoded, AudioError> {
    let mut sink = ToSpill::new(place);
    let (decoded, as_is) = read_whole(&file, limits, track, &mut sink, progress)?;
    if let Some(as_is) = as_is {
        let spill = Spill::of_recording(file, as_is);
        return Ok(decoded.with(spill));
    }
    if !sink.has_kept() {
        // It looked as if nothing had to be.
        sink.keep();
        let (decoded, _) = read_whole(&file, limits, track, &mut sink, progress)?;
        return Ok(decoded.with(sink.finish()?));
    }
    Ok(decoded.with(sink.finish()?))
}

/// Decodes, measures and encodes in one pass, with nothing in between: `out`, which is writable and readable, then
/// holds all of the recording, in what `wanted` says. It is asked again where a file has to be read
/// again. What `out` holds after an error is worth nothing.
pub fn convert<'a>(
    file: File,
    limits: &Limits,
    track: Option<u32>,
    wanted: &'a mut (dyn FnMut(&SourceInfo, Spec) -> (Encoding, Tags) + 'a),
    out: File,
    progress: &mut dyn FnMut(f32),
) -> Result<Decoded<()>, AudioError> {
    let mut sink = ToEncoder {
        out,
        wanted,
        encoder: None,
    };
    let (decoded, _) = read_whole(&file, limits, track, &mut sink, progress)?;
    sink.finish()?;
    Ok(decoded)
}

/// Decodes and measures in one pass, shows everything to `looker` and keeps nothing.
pub fn look(
    file: File,
    limits: &Limits,
    track: Option<u32>,
    looker: &mut dyn Looker,
    progress: &mut dyn FnMut(f32),
) -> Result<Decoded<()>, AudioError> {
    let (decoded, _) = read_whole(&file, limits, track, &mut ToLooker(looker), progress)?;
    Ok(decoded)
}

fn read_whole(
    file: &File,
    limits: &Limits,
    track: Option<u32>,
    sink: &mut dyn Sink,
    progress: &mut dyn FnMut(f32),
) -> Result<(Decoded<()>, Option<AsIs>), AudioError> {
    let limits = Limits {
        channels_max: limits.channels_max.min(CHANNELS_MAX),
        ..limits.clone()
    };
    let mut aim = None;
    for restart in 0..=RESTARTS_MAX {
        let recorder = Recorder::new(&limits, sink, aim, restart < RESTARTS_MAX);
        match read(file, track, recorder, progress) {
            Ok(read) => {
                progress(1.0);
                return Ok(read);
            }
            Err(Interrupted::Richer(spec)) => aim = Some(spec),
            Err(Interrupted::Failed(error)) => return Err(error),
        }
    }
    unreachable!("the last reading may not aim higher")
}

/// Streams behind the first one whose codec is not decoded.
#[derive(Default)]
struct Unread {
    is_passing: bool,
    bytes: u64,
    codec: String,
}

impl Unread {
    fn finding(&self) -> Option<Finding> {
        (self.bytes > 0).then(|| {
            Finding::new(
                Code::PartNotRead,
                [
                    ("bytes", self.bytes.into()),
                    ("detail", format!("they are {}", self.codec).into()),
                ],
            )
        })
    }
}

fn read(
    file: &File,
    wish: Option<u32>,
    recorder: Recorder<'_>,
    progress: &mut dyn FnMut(f32),
) -> Result<(Decoded<()>, Option<AsIs>), Interrupted> {
    let source = Source::open(file)?;
    let mut demuxer = container::open(&source)?;
    let chosen = tracks::choose(demuxer.tracks(), wish)?;
    let infos = tracks::infos(demuxer.tracks(), chosen);
    let mut ticker = Ticker::new(&source, progress);
    demuxer.select(chosen);

    let mut timeline = Timeline::new(recorder);
    let mut packet = Packet::default();
    let mut of_first: Option<SourceInfo> = None;
    let mut streams = 0u64;
    let mut unread = Unread::default();
    let mut as_is: Option<AsIs> = None;
    let end = loop {
        packet.clear();
        match demuxer.next(&mut packet)? {
            Next::Packet if unread.is_passing => unread.bytes += packet.data.len() as u64,
            Next::Packet => {
                as_is = as_is.take_if(|as_is| as_is.takes(&packet));
                timeline.packet(&packet)?;
            }
            Next::Stream(stream) => {
                streams += 1;
                let is_first = of_first.is_none();
                if is_first {
                    let source = SourceInfo::of(&stream, demuxer.container().name());
                    timeline.recorder().set_source(source.clone());
                    as_is = AsIs::of(&stream);
                    if as_is.is_some() {
                        timeline.recorder().can_be_read_again();
                    }
                    of_first = Some(source);
                } else {
                    as_is = None;
                }
                unread.is_passing = match timeline.start(*stream) {
                    // What came before is read all the same.
                    Err(Interrupted::Failed(AudioError::UnknownCodec { codec })) if !is_first => {
                        unread.codec = codec;
                        true
                    }
                    started => started.map(|()| false)?,
                };
            }
            Next::End(end) => break end,
        }
        ticker.tick();
    };
    let container = demuxer.container();
    if timeline.lost() * 2 > timeline.packets() {
        let (name, lost, packets) = (container.name(), timeline.lost(), timeline.packets());
        let detail =
            format!("it looks like {name}, yet {lost} of {packets} packets cannot be decoded");
        return Err(AudioError::NotAudio { detail }.into());
    }
    let (recorder, on_the_way) = timeline.finish()?;
    let Recorded {
        spec,
        measured,
        findings: of_samples,
        is_as_it_came,
    } = recorder.finish()?;

    let read_s = measured.measurement.frames as f64 / f64::from(spec.sample_rate);
    let mut findings = demuxer.findings();
    findings.extend(of_end(&end, read_s, demuxer.stated_s()));
    findings.extend(unread.finding());
    if streams > 1 {
        findings.push(Finding::new(
            Code::FilesJoined,
            [("streams", streams.into())],
        ));
    }
    findings.extend(on_the_way);
    findings.extend(of_samples);
    findings.extend(tracks::findings(&source, &infos, chosen, &measured)?);
    findings.extend(measured.findings.iter().cloned());
    let as_is =
        as_is.filter(|as_is| is_as_it_came && as_is.is_all_of(spec, measured.measurement.frames));
    let decoded = Decoded {
        spec,
        source: SourceInfo {
            container: container.name().to_owned(),
            ..of_first.unwrap_or_default()
        },
        tracks: infos,
        frames: measured.measurement.frames,
        measured,
        findings,
        kept: (),
    };
    Ok((decoded, as_is))
}
