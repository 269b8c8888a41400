//! Impossible samples: far beyond full scale and alone.
//!
//! A bit that tipped over or a glitch of a converter leaves single samples tens of decibels above all
//! that is around them. Every step after would smear them: filters ring, meters see nothing else. A
//! float recording may well be louder than full scale; it is then loud for longer than this.

use crate::Block;

/// 18 dB over full scale.
const IMPOSSIBLE: f32 = 8.0;
/// Above all that is near by this factor.
const ABOVE: f32 = 10.0;
/// In parts of a second: no longer than this, and so much on either side is looked at.
const RUN_HZ: u32 = 2_500;
const NEAR_HZ: u32 = 160;

/// What was replaced.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Spikes {
    pub count: u64,
    pub highest: f32,
}

/// Whether there is anything to look at more closely: an impossible sample, or one that is no number.
pub(super) fn may_be_in(block: &Block) -> bool {
    block.planes().any(|plane| {
        // Bits of the magnitude are in the order of the numbers, with infinity and NaN above all.
        let beyond = |run: &[f32]| {
            let magnitudes = run.iter().map(|x| (x.to_bits() & 0x7fff_ffff) as i32);
            magnitudes.fold(0, |max, x| if x > max { x } else { max }) as u32
                >= IMPOSSIBLE.to_bits()
        };
        plane.chunks(256).any(beyond)
    })
}

/// Replaces them by a line between their neighbours. Samples are finite.
pub(super) fn replace(block: &mut Block, rate: u32, found: &mut Spikes) {
    let run_max = (rate / RUN_HZ).max(1) as usize;
    let near = (rate / NEAR_HZ).max(8) as usize;
    for plane in block.planes_mut() {
        let mut at = 0;
        while at < plane.len() {
            if plane[at].abs() < IMPOSSIBLE {
                at += 1;
                continue;
            }
            let highest = plane[at..plane.len().min(at + run_max)]
                .iter()
                .fold(0.0f32, |highest, x| highest.max(x.abs()));
            // From the first sample that is impossible to the last one near it.
            let last = (at..plane.len().min(at + run_max))
                .rev()
                .find(|n| plane[*n].abs() * ABOVE >= highest)
                .unwrap_or(at);
            let before = at.saturating_sub(near)..at;
            let after = last + 1..plane.len().min(last + 1 + near);
            let around = before.len() + after.len();
            let loudest = plane[before.clone()]
                .iter()
                .chain(&plane[after.clone()])
                .fold(0.0f32, |loudest, x| loudest.max(x.abs()));
            if around >= near / 2 && loudest * ABOVE <= highest {
                let left = plane[before].last().copied();
                let right = plane[after].first().copied();
                let (from, to) = (left.or(right).unwrap_or(0.0), right.or(left).unwrap_or(0.0));
                let steps = (last + 2 - at) as f32;
                for (n, x) in plane[at..=last].iter_mut().enumerate() {
                    *x = from + (to - from) * (n + 1) as f32 / steps;
                }
                found.count += (last + 1 - at) as u64;
                found.highest = found.highest.max(highest);
            }
            at = last + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tone of `level`, with samples put in.
    fn check(level: f32, put: &[(usize, f32)], expected: u64) {
        let tone = |n: usize| level * (n as f32 * 0.05).sin();
        for rate in [8_000, 48_000, 192_000] {
            let mut samples: Vec<f32> = (0..4_096).map(tone).collect();
            for (at, value) in put {
                samples[*at] = *value;
            }
            let before = samples.clone();
            let mut block = Block::mono(samples);
            let mut found = Spikes::default();
            if may_be_in(&block) {
                replace(&mut block, rate, &mut found);
            }
            assert_eq!(found.count, expected, "{put:?} at {rate} Hz");
            for (n, (after, before)) in block.plane(0).iter().zip(&before).enumerate() {
                match put.iter().any(|(at, _)| *at == n) && expected > 0 {
                    true => assert!((after - tone(n)).abs() < 0.2 * level.max(0.01)),
                    false => assert_eq!(after, before),
                }
            }
        }
    }

    #[test]
    fn impossible_samples_are_replaced_wherever_they_stand() {
        check(0.3, &[(2_000, 1_000.0)], 1);
        check(0.3, &[(0, 1_000.0)], 1);
        check(0.3, &[(4_095, -50.0)], 1);
        check(0.3, &[(1_000, 100.0), (3_000, -100.0)], 2);
        check(0.3, &[(1_000, 100.0), (1_001, -90.0), (1_002, 80.0)], 3);
    }

    #[test]
    fn what_is_loud_is_left_alone() {
        check(100.0, &[], 0);
        check(0.3, &[(2_000, 5.0)], 0);
        check(2.0, &[(2_000, 15.0)], 0);
    }
}
