//! The second pass: all frames but those that are cut, and a cross-fade over each joint.

use std::f32::consts::PI;

use retake_plugin_sdk::prelude::Block;

use crate::plan::{Cut, Kind};

pub struct Splicer {
    joints: std::vec::IntoIter<Joint>,
    joint: Option<Joint>,
    /// Frames seen.
    at: u64,
    /// What fades out and what fades in at the joint.
    left: Block,
    right: Block,
}

/// What goes into a fade: frames `left` fade out while frames `right` fade in; those between are cut.
struct Joint {
    left: std::ops::Range<u64>,
    right: std::ops::Range<u64>,
}

impl Joint {
    fn new(cut: &Cut) -> Self {
        let Cut { from, to, fade, .. } = *cut;
        match cut.kind {
            Kind::Start => Self {
                left: from..from,
                right: to..to + 2 * fade,
            },
            Kind::Pause => Self {
                left: from - fade..from + fade,
                right: to - fade..to + fade,
            },
            Kind::End => Self {
                left: from - 2 * fade..from,
                right: to..to,
            },
        }
    }
}

impl Splicer {
    pub fn new(cuts: &[Cut], channels: usize) -> Self {
        let joints: Vec<_> = cuts.iter().map(Joint::new).collect();
        let mut joints = joints.into_iter();
        Self {
            joint: joints.next(),
            joints,
            at: 0,
            left: vec![Vec::new(); channels],
            right: vec![Vec::new(); channels],
        }
    }

    pub fn run(&mut self, block: &Block) -> Block {
        let mut output = vec![Vec::with_capacity(block[0].len()); block.len()];
        let start = self.at;
        let end = start + block[0].len() as u64;
        while self.at < end {
            let Some(joint) = &self.joint else {
                append(
                    &mut output,
                    block,
                    (self.at - start) as usize,
                    (end - start) as usize,
                );
                self.at = end;
                break;
            };
            // The stretch we are in, by its end, and where its frames go.
            let (until, to) = if self.at < joint.left.start {
                (joint.left.start, Some(&mut output))
            } else if self.at < joint.left.end {
                (joint.left.end, Some(&mut self.left))
            } else if self.at < joint.right.start {
                (joint.right.start, None)
            } else {
                (joint.right.end, Some(&mut self.right))
            };
            let until = until.min(end);
            if let Some(to) = to {
                append(
                    to,
                    block,
                    (self.at - start) as usize,
                    (until - start) as usize,
                );
            }
            self.at = until;
            if self.at == joint.right.end {
                for (output, channel) in output.iter_mut().zip(self.faded()) {
                    output.extend(channel);
                }
                self.joint = self.joints.next();
            }
        }
        output
    }

    /// The frames over the joint. Their power is that of what they are made of: noise and noise are
    /// faded as powers, an offset and the same offset as amplitudes, and what is between as it is
    /// alike.
    fn faded(&mut self) -> Block {
        let take = |block: &mut Block| -> Block { block.iter_mut().map(std::mem::take).collect() };
        let (left, right) = (take(&mut self.left), take(&mut self.right));
        let frames = left[0].len().max(right[0].len());
        let alike = alike(&left, &right);
        let mut faded = vec![Vec::with_capacity(frames); left.len()];
        for frame in 0..frames {
            let phase = (frame as f32 + 0.5) / frames as f32;
            let rising = 0.5 - 0.5 * (PI * phase).cos();
            let falling = 1.0 - rising;
            let power = rising * rising + falling * falling + 2.0 * rising * falling * alike;
            let scale = if left[0].is_empty() || right[0].is_empty() {
                1.0
            } else {
                1.0 / power.sqrt()
            };
            for ((faded, left), right) in faded.iter_mut().zip(&left).zip(&right) {
                let at = |channel: &[f32]| channel.get(frame).copied().unwrap_or(0.0);
                faded.push(scale * (falling * at(left) + rising * at(right)));
            }
        }
        faded
    }
}

/// Correlation, 0.0 to 1.0, over all channels: what is opposed counts as different.
fn alike(left: &Block, right: &Block) -> f32 {
    let sum = |a: &Block, b: &Block| -> f64 {
        let samples = a.iter().flatten().zip(b.iter().flatten());
        samples.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    let powers = sum(left, left) * sum(right, right);
    if powers <= 0.0 {
        return 1.0;
    }
    (sum(left, right) / powers.sqrt()).clamp(0.0, 1.0) as f32
}

fn append(to: &mut Block, block: &Block, from: usize, until: usize) {
    for (to, channel) in to.iter_mut().zip(block) {
        to.extend_from_slice(&channel[from..until]);
    }
}
