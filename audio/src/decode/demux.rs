//! What a container's reader gives: the tracks that it has, and the packets of one of them.

use retake_findings::Finding;
use retake_formats::{Codec, Container};

use super::pcm::PcmLayout;
use crate::{AudioError, channels::ChannelMask};

/// A time or a length as the container counts it: exact where its ticks are the sample rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time {
    pub ticks: i64,
    /// Never 0.
    pub per_second: u64,
}

impl Time {
    pub(super) fn new(ticks: i64, per_second: u64) -> Self {
        Self {
            ticks,
            per_second: per_second.max(1),
        }
    }

    /// To the nearest frame at a rate.
    pub(super) fn frames(self, rate: u32) -> i64 {
        let scaled = i128::from(self.ticks) * i128::from(rate);
        let scale = i128::from(self.per_second);
        let rounded = (scaled * 2 + scale).div_euclid(scale * 2);
        rounded.clamp(i128::from(i64::MIN / 2), i128::from(i64::MAX / 2)) as i64
    }

    /// From an earlier time to this one, where both count alike.
    pub(super) fn since(self, earlier: Self) -> Option<Self> {
        let ticks = self.ticks.checked_sub(earlier.ticks)?;
        (ticks > 0 && self.per_second == earlier.per_second).then_some(Self { ticks, ..self })
    }

    pub(super) fn seconds(self) -> f64 {
        self.ticks as f64 / self.per_second as f64
    }
}

/// How a track is coded, as far as the container says. Every field is a claim.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CodecParams {
    pub codec: Codec,
    /// For [`Codec::Pcm`] and [`Codec::PcmFloat`]: how samples lie in the bytes.
    pub pcm: Option<PcmLayout>,
    pub sample_rate: Option<u32>,
    pub channels: Option<u32>,
    /// Where the container states one. `Some(NONE)`: it says that there is none.
    pub mask: Option<ChannelMask>,
    /// Bits per sample where the codec is lossless and the container says it.
    pub bits: Option<u32>,
    /// Bytes of a block of codecs whose blocks all have the same size (ADPCM, GSM), all channels.
    pub block_bytes: Option<u32>,
    /// The codec's own configuration, the same whatever the container:
    /// AAC: AudioSpecificConfig (empty: packets are ADTS frames). Opus: OpusHead in the byte order of
    /// RFC 7845. Vorbis: the identification header right before the setup header. FLAC: STREAMINFO,
    /// 34 bytes. ALAC: the magic cookie without any atoms around it (24 bytes or more). AMR, AC-3,
    /// MPEG, ADPCM, GSM, PCM: empty. MS ADPCM: what follows `cbSize` in the format chunk.
    pub extra: Vec<u8>,
}

impl CodecParams {
    pub(super) fn new(codec: Codec) -> Self {
        Self {
            codec,
            pcm: None,
            sample_rate: None,
            channels: None,
            mask: None,
            bits: None,
            block_bytes: None,
            extra: Vec::new(),
        }
    }
}

/// An audio track, for the report and for choosing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Track {
    pub params: CodecParams,
    /// The container says that this one is to be played if nobody chooses.
    pub is_default: bool,
    pub name: Option<String>,
    /// As the container writes it: ISO 639-2 or BCP 47.
    pub language: Option<String>,
}

impl Track {
    /// Of a container that has one track and says nothing else about it.
    pub(super) fn only(params: &CodecParams) -> Self {
        Self {
            params: params.clone(),
            is_default: true,
            name: None,
            language: None,
        }
    }
}

/// The beginning of a stream: the track's own, or another one behind it in the same file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stream {
    pub params: CodecParams,
    /// Decoded at the start and not part of the recording: encoder delay, pre-skip.
    pub delay: Option<Time>,
    /// All that is to be heard after the delay, where the container knows exactly (a LAME tag, the
    /// comment of iTunes, a page's granule): the rest is padding. Ignored where it is more than there is.
    pub heard: Option<Time>,
    /// Which stamp is the beginning of the recording. `None`: that of the first packet, because the
    /// clock merely starts late.
    pub origin: Option<Time>,
}

impl Stream {
    pub(super) fn new(params: CodecParams) -> Self {
        Self {
            params,
            delay: None,
            heard: None,
            origin: None,
        }
    }
}

/// One packet, as the decoder takes it.
#[derive(Debug, Clone, Default)]
pub(super) struct Packet {
    pub data: Vec<u8>,
    /// The stamp of its first decoded frame, `trim_start` and the stream's delay not taken off.
    /// `None`: right behind the packet before.
    pub at: Option<Time>,
    /// How long it is by the container. Stands in where it cannot be decoded.
    pub duration: Option<Time>,
    /// Of what is decoded from it, what is not to be heard. Unlike the stream's delay, just of this
    /// packet; more than there is drops all of it.
    pub trim_start: Option<Time>,
    pub trim_end: Option<Time>,
    /// The decoder has to forget what came before: the packet does not follow on the one before it.
    pub is_jump: bool,
    /// Where its bytes stand in the file, where they stand there as they are here.
    pub place: Option<u64>,
}

impl Packet {
    /// Ready to be filled anew; keeps its memory.
    pub(super) fn clear(&mut self) {
        self.data.clear();
        (self.at, self.duration, self.trim_start, self.trim_end) = (None, None, None, None);
        self.is_jump = false;
        self.place = None;
    }

    /// What the container says of it.
    pub(super) fn without_bytes(&self) -> Self {
        Self {
            data: Vec::new(),
            ..*self
        }
    }
}

/// What comes next of the selected track.
#[derive(Debug)]
pub(super) enum Next {
    /// The packet that was given to be filled.
    Packet,
    /// A stream begins: once before the first packet, and again wherever the description changes or
    /// another file follows in the same one.
    Stream(Box<Stream>),
    End(End),
}

/// How a reader came to the end of its file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum End {
    Complete,
    /// The file stops where there should be more.
    Truncated,
}

/// A container's reader. It is made from a [`super::source::Source`] and has read as far as it must
/// to know its tracks. Damage inside does not end it: it goes on where it can and counts.
pub(super) trait Demuxer {
    fn container(&self) -> Container;

    /// Audio tracks in the order of the file; those that cannot be decoded are among them.
    fn tracks(&self) -> &[Track];

    /// Which track `next` is about. Called once, before the first `next`; it is one of `tracks`.
    fn select(&mut self, track: usize);

    /// Fills `packet`, which the caller has cleared, or says what else comes next. After
    /// [`Next::End`] it is not called again. An error is that of reading the file, or says that it is
    /// not what it looked like.
    fn next(&mut self, packet: &mut Packet) -> Result<Next, AudioError>;

    /// How long the file says that what was read is, where nothing else would tell that some of it is
    /// missing. Asked once at the end.
    fn stated_s(&self) -> Option<f64> {
        None
    }

    /// What was found on the way, asked once at the end: damage in the container with how many places
    /// and bytes, edits that were followed or not.
    fn findings(&mut self) -> Vec<Finding> {
        Vec::new()
    }
}

/// At most so much of a packet is read: a second of 16 channels of 64-bit samples at 192 kHz.
pub(super) const PACKET_BYTES_MAX: usize = 32 << 20;

#[cfg(test)]
mod tests {
    use super::Time;

    #[test]
    fn time_rounds_to_the_nearest_frame() {
        let check = |ticks, per_second, rate, expected| {
            assert_eq!(Time::new(ticks, per_second).frames(rate), expected);
        };
        check(1024, 48_000, 48_000, 1024);
        check(21, 1000, 48_000, 1008);
        check(6_500_000, 1_000_000_000, 48_000, 312);
        check(-1024, 44_100, 44_100, -1024);
        check(-1, 3, 1, 0);
        check(1, 2, 1, 1);
        check(i64::MAX, 1, 192_000, i64::MAX / 2);
        check(5, 0, 10, 50);
    }
}
