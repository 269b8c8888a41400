//! Ogg Opus (RFC 7845) whose audio starts and ends on the frame.
//!
//! Opus knows five sample rates; any other is resampled to 48 kHz, so that the length in time is
//! kept. The encoder's delay is skipped by the header's pre-skip, and the last page's granule
//! position cuts off the padding.

use std::{
    fs::File,
    io::{self, BufWriter},
};

use opus_pure::{
    Application, MAX_PACKET_BYTES, OggOpusWriter, OpusEncoder, OpusHead, OpusMSEncoder, OpusTags,
    Repacketizer,
};

use crate::{
    AudioError, Block, ChannelMask, Resampler, Spec, Tags, channels::vorbis_from_wave,
    encode::fit::written_frames, tags::vorbis,
};

/// Rates the encoder takes as they are.
const RATES: [u32; 5] = [8_000, 12_000, 16_000, 24_000, 48_000];
/// What the format's time is counted in.
pub(crate) const GRANULE_RATE: u32 = 48_000;
/// Least and most per channel; beyond them the format has nothing to offer.
const BITRATE_PER_CHANNEL: std::ops::RangeInclusive<u32> = 6_000..=256_000;

pub(crate) struct OpusWriter {
    writer: OggOpusWriter<BufWriter<File>>,
    encoder: PacketEncoder,
    resampler: Resampler,
    /// Used again for each block.
    resampled: Block,
    channels: usize,
    /// Frames in a packet, at the encoder's rate.
    packet_frames: usize,
    /// Frames that were pushed, and their rate.
    frames_in: u64,
    rate_in: u32,
    /// The encoder's delay, at the format's rate.
    pre_skip: u64,
    /// Where each of the format's channels stands among ours.
    order: Vec<usize>,
    /// Interleaved, in the format's channel order.
    pending: Vec<f32>,
    packet: Vec<u8>,
}

enum PacketEncoder {
    Plain(Box<OpusEncoder>),
    /// Loudspeakers: mapping family 1.
    Surround(Box<OpusMSEncoder>),
    /// Channels that are none, or none of those: mapping family 255.
    Discrete(Vec<OpusEncoder>),
}

/// The loudspeakers that a player takes the channels for; `None`: for no loudspeakers.
pub(super) fn speakers(spec: Spec) -> ChannelMask {
    // 5.0 and 5.1 whose back pair stands at the sides are what the format calls 5.0 and 5.1.
    const AT_SIDES: [u32; 2] = [0x607, 0x60f];
    let usual = ChannelMask::usual(spec.channels);
    let is_speakers =
        spec.channels <= 2 || spec.mask == usual || AT_SIDES.contains(&spec.mask.bits());
    if is_speakers {
        usual
    } else {
        ChannelMask::NONE
    }
}

impl OpusWriter {
    pub(super) fn create(
        out: File,
        spec: Spec,
        bitrate_bps: Option<u32>,
        tags: &Tags,
    ) -> Result<Self, AudioError> {
        let bitrate = bitrate(spec.channels, bitrate_bps);
        let channels = spec.channels as usize;
        let rate = rate(spec.sample_rate);
        let resampler = Resampler::new(spec.sample_rate, rate, channels)?;
        let is_discrete = speakers(spec) == ChannelMask::NONE;
        let encoder = PacketEncoder::new(rate, channels, bitrate, is_discrete).map_err(broken)?;
        let head = encoder.head(spec.sample_rate);

        let pre_skip = u64::from(head.pre_skip);
        let out = BufWriter::with_capacity(super::OUT_BUFFER_BYTES, out);
        Ok(Self {
            writer: OggOpusWriter::with_tags(out, head, comments(tags)?).map_err(broken)?,
            packet: vec![0; MAX_PACKET_BYTES * encoder.streams()],
            encoder,
            resampler,
            resampled: Block::new(channels),
            channels,
            packet_frames: rate as usize / 50,
            frames_in: 0,
            rate_in: spec.sample_rate,
            pre_skip,
            order: match is_discrete {
                true => (0..channels).collect(),
                false => vorbis_from_wave(channels).to_vec(),
            },
            pending: Vec::new(),
        })
    }

    pub(super) fn push(&mut self, block: &Block) -> Result<(), AudioError> {
        self.frames_in += block.frames() as u64;
        let mut resampled = std::mem::take(&mut self.resampled);
        resampled.reset(self.channels);
        self.resampler.push(block, &mut resampled);
        self.take(&resampled);
        self.resampled = resampled;
        self.encode(None)
    }

    pub(super) fn finish(mut self) -> Result<(), AudioError> {
        let rate_of_itself = Resampler::new(GRANULE_RATE, GRANULE_RATE, self.channels)?;
        let resampler = std::mem::replace(&mut self.resampler, rate_of_itself);
        let mut rest = Block::new(self.channels);
        let frames = written_frames(self.frames_in, (self.rate_in, self.rate()));
        resampler.finish(frames, &mut rest);
        self.take(&rest);
        // Every Opus rate divides 48 kHz. The encoder lags by its lookahead: that much silence
        // behind the audio pushes the last of it out.
        let ticks = u64::from(self.ticks());
        let lookahead = self.pre_skip.div_ceil(ticks) as usize;
        let samples = self.pending.len() + lookahead * self.channels;
        let packet_samples = self.packet_frames * self.channels;
        self.pending
            .resize(samples.next_multiple_of(packet_samples), 0.0);
        self.encode(Some(self.pre_skip + frames * ticks))?;
        self.writer.finish().map_err(broken)?;
        Ok(())
    }

    /// Behind what waits to be encoded.
    fn take(&mut self, block: &Block) {
        let start = self.pending.len();
        self.pending
            .resize(start + block.frames() * self.channels, 0.0);
        for (place, &channel) in self.order.iter().enumerate() {
            let to = self.pending[start..]
                .iter_mut()
                .skip(place)
                .step_by(self.channels);
            for (to, sample) in to.zip(block.plane(channel)) {
                *to = sample.clamp(-1.0, 1.0);
            }
        }
    }

    /// All that fills packets, of which the last ends at the granule that is given.
    fn encode(&mut self, last_granule: Option<u64>) -> Result<(), AudioError> {
        let packet_samples = self.packet_frames * self.channels;
        let mut from = 0;
        while self.pending.len() - from >= packet_samples {
            let samples = &self.pending[from..from + packet_samples];
            let len = self
                .encoder
                .encode(samples, self.packet_frames, &mut self.packet)
                .map_err(broken)?;
            from += packet_samples;
            let is_last = self.pending.len() - from < packet_samples;
            let duration = match last_granule.filter(|_| is_last) {
                Some(granule) => (granule - self.writer.granule() as u64) as u32,
                None => self.packet_frames as u32 * self.ticks(),
            };
            self.writer
                .write_packet_with_duration(&self.packet[..len], duration)
                .map_err(broken)?;
        }
        self.pending.drain(..from);
        Ok(())
    }

    fn rate(&self) -> u32 {
        self.packet_frames as u32 * 50
    }

    /// Of the format's clock, for one frame of the encoder's.
    fn ticks(&self) -> u32 {
        GRANULE_RATE / self.rate()
    }
}

impl PacketEncoder {
    fn new(rate: u32, channels: usize, bitrate: u32, is_discrete: bool) -> opus_pure::Result<Self> {
        if is_discrete {
            return Self::discrete(rate, channels, bitrate, Application::Audio);
        }
        if channels <= 2 {
            let encoder = plain(rate, channels, bitrate, Application::Audio)?;
            return Ok(Self::Plain(Box::new(encoder)));
        }
        let mut encoder = OpusMSEncoder::new(rate as i32, channels, 1, Application::Audio)?;
        encoder.set_bitrate(bitrate as i32);
        Ok(Self::Surround(Box::new(encoder)))
    }

    fn discrete(
        rate: u32,
        channels: usize,
        bitrate: u32,
        application: Application,
    ) -> opus_pure::Result<Self> {
        let each = bitrate / channels as u32;
        let encoders = (0..channels).map(|_| plain(rate, 1, each, application));
        Ok(Self::Discrete(encoders.collect::<opus_pure::Result<_>>()?))
    }

    fn head(&self, input_rate: u32) -> OpusHead {
        match self {
            Self::Plain(encoder) => OpusHead::for_encoder(encoder, input_rate),
            Self::Surround(encoder) => OpusHead::for_ms_encoder(encoder, input_rate),
            Self::Discrete(encoders) => {
                let channels = encoders.len() as u8;
                OpusHead {
                    channel_count: channels,
                    mapping_family: 255,
                    stream_count: channels,
                    coupled_count: 0,
                    channel_mapping: (0..channels).collect(),
                    ..OpusHead::for_encoder(&encoders[0], input_rate)
                }
            }
        }
    }

    fn streams(&self) -> usize {
        match self {
            Self::Plain(_) => 1,
            Self::Surround(encoder) => encoder.nb_streams(),
            Self::Discrete(encoders) => encoders.len(),
        }
    }

    fn encode(&mut self, input: &[f32], frames: usize, out: &mut [u8]) -> opus_pure::Result<usize> {
        match self {
            Self::Plain(encoder) => encoder.encode(input, frames, out),
            Self::Surround(encoder) => encoder.encode(input, frames, out),
            Self::Discrete(encoders) => encode_discrete(encoders, input, frames, out),
        }
    }
}

fn plain(
    rate: u32,
    channels: usize,
    bitrate: u32,
    application: Application,
) -> opus_pure::Result<OpusEncoder> {
    let mut encoder = OpusEncoder::new(rate as i32, channels, application)?;
    encoder.bitrate_bps = bitrate as i32;
    Ok(encoder)
}

/// Channels that have nothing to do with each other, at 48 kHz, for another container. All are coded in one
/// way (CELT), whatever they sound like: what differs between them is not the codec.
pub(crate) struct DiscreteOpus(PacketEncoder, usize);

impl DiscreteOpus {
    pub(crate) fn new(channels: usize, bitrate: u32) -> Result<Self, AudioError> {
        let low_delay = Application::RestrictedLowDelay;
        let encoder = PacketEncoder::discrete(GRANULE_RATE, channels, bitrate, low_delay);
        Ok(Self(encoder.map_err(broken)?, channels))
    }

    /// The stream's header, as it stands in every container.
    pub(crate) fn head(&self) -> Vec<u8> {
        let head = self.0.head(GRANULE_RATE);
        let mut bytes = b"OpusHead\x01".to_vec();
        bytes.push(head.channel_count);
        bytes.extend(head.pre_skip.to_le_bytes());
        bytes.extend(GRANULE_RATE.to_le_bytes());
        bytes.extend([
            0,
            0,
            head.mapping_family,
            head.stream_count,
            head.coupled_count,
        ]);
        bytes.extend(&head.channel_mapping);
        bytes
    }

    pub(crate) fn delay_frames(&self) -> u64 {
        u64::from(self.0.head(GRANULE_RATE).pre_skip)
    }

    /// In place of what was in `out`.
    pub(crate) fn encode(
        &mut self,
        input: &[f32],
        frames: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), AudioError> {
        out.resize(MAX_PACKET_BYTES * self.1, 0);
        let bytes = self.0.encode(input, frames, out).map_err(broken)?;
        out.truncate(bytes);
        Ok(())
    }
}

/// A packet of each channel's, all but the last one with its length (RFC 6716 appendix B).
fn encode_discrete(
    encoders: &mut [OpusEncoder],
    input: &[f32],
    frames: usize,
    out: &mut [u8],
) -> opus_pure::Result<usize> {
    let channels = encoders.len();
    let mut packet = vec![0; MAX_PACKET_BYTES];
    let mut whole = Vec::new();
    let mut delimited = Vec::new();
    for (channel, encoder) in encoders.iter_mut().enumerate() {
        let samples: Vec<f32> = input
            .iter()
            .skip(channel)
            .step_by(channels)
            .copied()
            .collect();
        let bytes = encoder.encode(&samples, frames, &mut packet)?;
        if channel + 1 == channels {
            whole.extend_from_slice(&packet[..bytes]);
        } else {
            let mut framing = Repacketizer::new();
            framing.cat(&packet[..bytes])?;
            delimited.clear();
            framing.out_self_delimited_into(&mut delimited)?;
            whole.extend_from_slice(&delimited);
        }
    }
    let room = out
        .get_mut(..whole.len())
        .ok_or(opus_pure::Error::InvalidArgument("a packet is too long"))?;
    room.copy_from_slice(&whole);
    Ok(whole.len())
}

fn comments(tags: &Tags) -> Result<OpusTags, AudioError> {
    let mut comments = OpusTags::new();
    let encoder = concat!("retake-audio ", env!("CARGO_PKG_VERSION"));
    comments.push("ENCODER", encoder).map_err(broken)?;
    for (name, value) in vorbis::comments(tags) {
        comments.push(&name, &value).map_err(broken)?;
    }
    for picture in &tags.pictures {
        let block = vorbis::picture_comment(picture);
        comments
            .push("METADATA_BLOCK_PICTURE", &block)
            .map_err(broken)?;
    }
    Ok(comments)
}

/// What a recording of this rate is coded at.
pub(super) fn rate(sample_rate: u32) -> u32 {
    match RATES.contains(&sample_rate) {
        true => sample_rate,
        false => GRANULE_RATE,
    }
}

/// Within what the format has; where nothing is asked for, transparent for speech and close to it for music.
pub(super) fn bitrate(channels: u32, wanted_bps: Option<u32>) -> u32 {
    let usual = match channels {
        1 => 80_000,
        more => 64_000 * more,
    };
    let (low, high) = BITRATE_PER_CHANNEL.into_inner();
    wanted_bps
        .unwrap_or(usual)
        .clamp(low * channels, high * channels)
}

/// The encoder refuses nothing that gets here; what remains is the file.
fn broken(error: opus_pure::Error) -> AudioError {
    match error {
        opus_pure::Error::Io(error) => AudioError::Io(error),
        other => AudioError::Io(io::Error::other(other)),
    }
}
