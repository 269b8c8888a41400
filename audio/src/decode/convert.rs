//! From what a stretch of the file has to what the recording has: channels by their positions, frames
//! by their rate.

use crate::{AudioError, Block, Resampler, Spec, channels::ChannelMask};

/// What a channel that is shared between two sides, or joined from them, keeps: -3 dB.
const SHARED: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// Converts one stretch: made where it begins, finished where it ends.
pub(super) struct Converter {
    from: Spec,
    to: Spec,
    matrix: Matrix,
    resampler: Resampler,
    frames_in: u64,
    mixed: Block,
}

impl Converter {
    pub(super) fn new(from: Spec, to: Spec) -> Result<Self, AudioError> {
        Ok(Self {
            from,
            to,
            matrix: Matrix::new(from, to),
            resampler: Resampler::new(from.sample_rate, to.sample_rate, to.channels as usize)?,
            frames_in: 0,
            mixed: Block::new(to.channels as usize),
        })
    }

    /// Appends to `out` what is ready.
    pub(super) fn push(&mut self, block: &Block, out: &mut Block) {
        self.frames_in += block.frames() as u64;
        self.matrix.mix(block, &mut self.mixed);
        self.resampler.push(&self.mixed, out);
    }

    /// The rest: as long as the stretch was, to the nearest frame.
    pub(super) fn finish(self, out: &mut Block) {
        let frames = u128::from(self.frames_in) * u128::from(self.to.sample_rate);
        let from = u128::from(self.from.sample_rate);
        self.resampler
            .finish(((frames + from / 2) / from) as u64, out);
    }
}

/// `gains[out]` lists which input channels an output channel is made of.
struct Matrix {
    gains: Vec<Vec<(usize, f32)>>,
}

impl Matrix {
    /// A channel goes where its position is; one that has no such place goes to where it is heard on
    /// the same side; mono goes to the left and to the right, as it is.
    fn new(from: Spec, to: Spec) -> Self {
        let mut gains = vec![Vec::new(); to.channels as usize];
        let places: Vec<_> = to.mask.positions(to.channels).collect();
        let exact = |bit: u32| places.iter().position(|position| *position == Some(bit));
        // Surround behind and beside the listener are the same pair under two names, unless there
        // are both.
        let place = |bit: u32| {
            exact(bit).or_else(|| {
                let other = twin(bit).filter(|other| from.mask.bits() & other == 0)?;
                exact(other)
            })
        };
        let (left, right) = (
            place(ChannelMask::FRONT_LEFT),
            place(ChannelMask::FRONT_RIGHT),
        );
        for (channel, position) in from.mask.positions(from.channels).enumerate() {
            let same = position.and_then(place);
            // Without positions, or where one is nowhere to be found in a recorder's tracks.
            let by_number = || (channel < gains.len()).then_some(channel);
            let sides = match (position, left, right) {
                (Some(bit), Some(left), Some(right)) => Some((bit, left, right)),
                _ => None,
            };
            match (same, sides) {
                (Some(to), _) => gains[to].push((channel, 1.0)),
                (None, Some((_, left, right))) if from.channels == 1 => {
                    gains[left].push((channel, 1.0));
                    gains[right].push((channel, 1.0));
                }
                (None, Some((ChannelMask::LOW_FREQUENCY, ..))) => {}
                (None, Some((bit, left, right))) => match side(bit) {
                    Side::Left => gains[left].push((channel, SHARED)),
                    Side::Right => gains[right].push((channel, SHARED)),
                    Side::Middle => {
                        gains[left].push((channel, SHARED));
                        gains[right].push((channel, SHARED));
                    }
                },
                (None, None) if from.channels == 1 => {
                    gains.iter_mut().for_each(|gain| gain.push((channel, 1.0)));
                }
                (None, None) => match by_number() {
                    Some(to) => gains[to].push((channel, 1.0)),
                    None => gains[0].push((channel, SHARED)),
                },
            }
        }
        Self { gains }
    }

    fn mix(&self, block: &Block, out: &mut Block) {
        out.clear();
        out.append_with(|channel, plane| match self.gains[channel].as_slice() {
            [(source, 1.0)] => plane.extend_from_slice(block.plane(*source)),
            gains => {
                plane.resize(block.frames(), 0.0);
                for (source, gain) in gains {
                    for (out, x) in plane.iter_mut().zip(block.plane(*source)) {
                        *out += gain * x;
                    }
                }
            }
        });
    }
}

fn twin(position: u32) -> Option<u32> {
    match position {
        ChannelMask::BACK_LEFT => Some(ChannelMask::SIDE_LEFT),
        ChannelMask::BACK_RIGHT => Some(ChannelMask::SIDE_RIGHT),
        ChannelMask::SIDE_LEFT => Some(ChannelMask::BACK_LEFT),
        ChannelMask::SIDE_RIGHT => Some(ChannelMask::BACK_RIGHT),
        _ => None,
    }
}

enum Side {
    Left,
    Right,
    Middle,
}

fn side(position: u32) -> Side {
    const LEFT: u32 = ChannelMask::FRONT_LEFT
        | ChannelMask::BACK_LEFT
        | ChannelMask::FRONT_LEFT_OF_CENTER
        | ChannelMask::SIDE_LEFT
        | 0x1000
        | 0x8000;
    const RIGHT: u32 = ChannelMask::FRONT_RIGHT
        | ChannelMask::BACK_RIGHT
        | ChannelMask::FRONT_RIGHT_OF_CENTER
        | ChannelMask::SIDE_RIGHT
        | 0x4000
        | 0x2_0000;
    match position {
        bit if bit & LEFT != 0 => Side::Left,
        bit if bit & RIGHT != 0 => Side::Right,
        _ => Side::Middle,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn spec(mask: u32, channels: u32) -> Spec {
        Spec {
            sample_rate: 48_000,
            channels,
            mask: ChannelMask::stated(mask, channels),
        }
    }

    /// One frame whose channels are 1, 10, 100, … goes through.
    fn check(from: Spec, to: Spec, expected: &[f32]) {
        let planes = (0..from.channels).map(|n| vec![10f32.powi(n as i32)]);
        let block = Block::from_planes(planes.collect()).unwrap();
        let mut out = Block::new(to.channels as usize);
        Matrix::new(from, to).mix(&block, &mut out);
        let got: Vec<f32> = out.planes().map(|plane| plane[0]).collect();
        for (got, expected) in got.iter().zip(expected) {
            assert!(
                (got - expected).abs() < 1e-3 * expected.abs().max(1.0),
                "{got} {expected}"
            );
        }
        assert_eq!(got.len(), expected.len());
    }

    #[test]
    fn channels_go_where_their_positions_are() {
        check(spec(0x4, 1), spec(0x3, 2), &[1.0, 1.0]);
        check(spec(0x3, 2), spec(0x3, 2), &[1.0, 10.0]);
        check(
            spec(0x3, 2),
            spec(0x3f, 6),
            &[1.0, 10.0, 0.0, 0.0, 0.0, 0.0],
        );
        check(spec(0x4, 1), spec(0x3f, 6), &[0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        check(
            spec(0x3f, 6),
            spec(0x60f, 6),
            &[1.0, 10.0, 100.0, 1e3, 1e4, 1e5],
        );
        // Without surround: in front, on the same side; low frequency effects are left out.
        let shared = SHARED;
        check(
            spec(0x3f, 6),
            spec(0x3, 2),
            &[1.0 + shared * (100.0 + 1e4), 10.0 + shared * (100.0 + 1e5)],
        );
        check(spec(0x3, 2), spec(0x4, 1), &[1.0 + 10.0 * shared]);
        check(
            spec(0, 4),
            spec(0, 8),
            &[1.0, 10.0, 100.0, 1e3, 0.0, 0.0, 0.0, 0.0],
        );
    }
}
