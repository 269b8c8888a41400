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
    Application, ChannelLayout, MAX_PACKET_BYTES, OggOpusWriter, OpusEncoder, OpusHead,
    OpusMSEncoder, OpusTags,
};

use crate::{AudioError, Block, Resampler, Spec, channels::vorbis_from_wave};

/// Rates the encoder takes as they are.
const RATES: [u32; 5] = [8_000, 12_000, 16_000, 24_000, 48_000];
/// What the format's time is counted in.
const GRANULE_RATE: u32 = 48_000;
/// Least and most per channel; beyond them the format has nothing to offer.
const BITRATE_PER_CHANNEL: std::ops::RangeInclusive<u32> = 6_000..=256_000;

pub(crate) struct OpusWriter {
    writer: OggOpusWriter<BufWriter<File>>,
    encoder: PacketEncoder,
    resampler: Resampler,
    /// Used again for each block.
    resampled: Block,
    channels: usize,
    /// Frames in a packet and in all, at the encoder's rate.
    packet_frames: usize,
    frames: u64,
    packets_left: u64,
    final_granule: u64,
    /// Interleaved, in Vorbis's channel order.
    pending: Vec<f32>,
    packet: Vec<u8>,
}

enum PacketEncoder {
    Plain(Box<OpusEncoder>),
    Surround(Box<OpusMSEncoder>),
}

impl OpusWriter {
    pub(super) fn create(
        out: File,
        spec: Spec,
        frames_in: u64,
        bitrate_bps: Option<u32>,
    ) -> Result<Self, AudioError> {
        let bitrate = bitrate(spec.channels, bitrate_bps)?;
        let channels = spec.channels as usize;
        let rate = if RATES.contains(&spec.sample_rate) {
            spec.sample_rate
        } else {
            GRANULE_RATE
        };
        let resampler = Resampler::new(spec.sample_rate, rate, channels)?;
        let encoder = PacketEncoder::new(rate, channels, bitrate).map_err(broken)?;
        let head = encoder.head(spec.sample_rate);

        // Every Opus rate divides 48 kHz. The encoder lags by its lookahead: that much silence
        // behind the audio pushes the last of it out.
        let ticks = u64::from(GRANULE_RATE / rate);
        let frames = rescale(frames_in, spec.sample_rate, rate);
        let lookahead = u64::from(head.pre_skip).div_ceil(ticks);
        let packet_frames = rate as usize / 50;
        let packets_left = (frames + lookahead).div_ceil(packet_frames as u64);
        let final_granule = u64::from(head.pre_skip) + frames * ticks;

        let mut tags = OpusTags::new();
        tags.push(
            "ENCODER",
            concat!("retake-audio ", env!("CARGO_PKG_VERSION")),
        )
        .map_err(broken)?;
        let out = BufWriter::with_capacity(1 << 16, out);
        Ok(Self {
            writer: OggOpusWriter::with_tags(out, head, tags).map_err(broken)?,
            packet: vec![0; MAX_PACKET_BYTES * encoder.streams()],
            encoder,
            resampler,
            resampled: Block::new(channels),
            channels,
            packet_frames,
            frames,
            packets_left,
            final_granule,
            pending: Vec::new(),
        })
    }

    pub(super) fn push(&mut self, block: &Block) -> Result<(), AudioError> {
        let mut resampled = std::mem::take(&mut self.resampled);
        resampled.reset(self.channels);
        self.resampler.push(block, &mut resampled);
        let encoded = self.encode(&resampled);
        self.resampled = resampled;
        encoded
    }

    pub(super) fn finish(mut self) -> Result<(), AudioError> {
        let rate_of_itself = Resampler::new(GRANULE_RATE, GRANULE_RATE, self.channels)?;
        let resampler = std::mem::replace(&mut self.resampler, rate_of_itself);
        let mut rest = Block::new(self.channels);
        resampler.finish(self.frames, &mut rest);
        self.encode(&rest)?;
        let silence = Block::silence(self.channels, self.packet_frames);
        while self.packets_left > 0 {
            self.encode(&silence)?;
        }
        self.writer.finish().map_err(broken)?;
        Ok(())
    }

    fn encode(&mut self, block: &Block) -> Result<(), AudioError> {
        let order = vorbis_from_wave(self.channels);
        let start = self.pending.len();
        self.pending
            .resize(start + block.frames() * self.channels, 0.0);
        for (place, &channel) in order.iter().enumerate() {
            let to = self.pending[start..]
                .iter_mut()
                .skip(place)
                .step_by(self.channels);
            for (to, sample) in to.zip(block.plane(channel)) {
                *to = sample.clamp(-1.0, 1.0);
            }
        }
        let packet_samples = self.packet_frames * self.channels;
        let mut from = 0;
        while self.pending.len() - from >= packet_samples && self.packets_left > 0 {
            let samples = &self.pending[from..from + packet_samples];
            let len = self
                .encoder
                .encode(samples, self.packet_frames, &mut self.packet)
                .map_err(broken)?;
            let packet = &self.packet[..len];
            if self.packets_left == 1 {
                let duration = self.final_granule - self.writer.granule() as u64;
                self.writer
                    .write_packet_with_duration(packet, duration as u32)
                    .map_err(broken)?;
            } else {
                let duration = self.packet_frames as u32 * (GRANULE_RATE / self.rate());
                self.writer
                    .write_packet_with_duration(packet, duration)
                    .map_err(broken)?;
            }
            self.packets_left -= 1;
            from += packet_samples;
        }
        self.pending.drain(..from);
        Ok(())
    }

    fn rate(&self) -> u32 {
        self.packet_frames as u32 * 50
    }
}

impl PacketEncoder {
    fn new(rate: u32, channels: usize, bitrate: u32) -> opus_pure::Result<Self> {
        if channels <= 2 {
            let mut encoder = OpusEncoder::new(rate as i32, channels, Application::Audio)?;
            encoder.bitrate_bps = bitrate as i32;
            return Ok(Self::Plain(Box::new(encoder)));
        }
        let family = ChannelLayout::surround(channels, 1)?.mapping_family;
        let mut encoder = OpusMSEncoder::new(rate as i32, channels, family, Application::Audio)?;
        encoder.set_bitrate(bitrate as i32);
        Ok(Self::Surround(Box::new(encoder)))
    }

    fn head(&self, input_rate: u32) -> OpusHead {
        match self {
            Self::Plain(encoder) => OpusHead::for_encoder(encoder, input_rate),
            Self::Surround(encoder) => OpusHead::for_ms_encoder(encoder, input_rate),
        }
    }

    fn streams(&self) -> usize {
        match self {
            Self::Plain(_) => 1,
            Self::Surround(encoder) => encoder.nb_streams(),
        }
    }

    fn encode(&mut self, input: &[f32], frames: usize, out: &mut [u8]) -> opus_pure::Result<usize> {
        match self {
            Self::Plain(encoder) => encoder.encode(input, frames, out),
            Self::Surround(encoder) => encoder.encode(input, frames, out),
        }
    }
}

/// Transparent for speech and close to it for music, where nothing is asked for.
fn bitrate(channels: u32, wanted: Option<u32>) -> Result<u32, AudioError> {
    let Some(wanted) = wanted else {
        return Ok(if channels == 1 {
            80_000
        } else {
            64_000 * channels
        });
    };
    let (low, high) = (
        BITRATE_PER_CHANNEL.start() * channels,
        BITRATE_PER_CHANNEL.end() * channels,
    );
    if (low..=high).contains(&wanted) {
        return Ok(wanted);
    }
    Err(AudioError::UnsupportedStream {
        field: "opus bitrate",
        value: format!("{wanted} bit/s"),
        allowed: format!("{low} to {high} bit/s for {channels} channels"),
    })
}

/// The same time at another rate, to the nearest frame.
fn rescale(frames: u64, from_hz: u32, to_hz: u32) -> u64 {
    let scaled = u128::from(frames) * u128::from(to_hz) + u128::from(from_hz / 2);
    (scaled / u128::from(from_hz)) as u64
}

/// The encoder refuses nothing that gets here; what remains is the file.
fn broken(error: opus_pure::Error) -> AudioError {
    match error {
        opus_pure::Error::Io(error) => AudioError::Io(error),
        other => AudioError::Io(io::Error::other(other)),
    }
}
