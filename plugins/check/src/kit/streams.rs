//! Streams of every kind: rates, channels, blocks.

use retake_audio::Block;
use retake_plugin_manifest::ChannelUse;

use super::{
    Found,
    chance::Chance,
    drive::{Bad, Take},
    signals,
    subject::Subject,
};

/// Where the manifest names no rates it takes any; these are what recordings have, in Hz.
pub const RATES_HZ: [u32; 7] = [8_000, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000];
/// Sequences of odd blocks, drawn for each plugin.
const ODD_PATTERNS: usize = 3;
/// The most channels a recording has.
const CHANNELS_MAX: u32 = 16;

pub fn rates(subject: &Subject<'_>) -> Found {
    let named = &subject.manifest().sample_rates;
    let rates: &[u32] = if named.is_empty() { &RATES_HZ } else { named };
    for &rate in rates {
        // Not a whole number of blocks.
        let input = Block::mono(signals::voice(rate, rate as usize / 3 + 17, 1));
        let take = Take {
            rate,
            ..subject.take()
        };
        if let Err(bad) = take.sound(&input) {
            let promise = if named.is_empty() {
                "sample-rates is empty in the manifest, which means any"
            } else {
                "The manifest names this rate"
            };
            return Found::failed(format!(
                "a third of a second at {rate} Hz went in: {}. {promise}; the host resamples for a plugin \
                 that names the rates it works at",
                bad.words()
            ));
        }
    }
    Found::passed(format!("{rates:?} Hz: finite and as long as the input"))
}

pub fn channels(subject: &Subject<'_>) -> Found {
    let manifest = subject.manifest();
    let linked = manifest.channels == ChannelUse::Linked;
    let max = match manifest.max_channels {
        max if linked && max != 0 => max.min(CHANNELS_MAX),
        _ => CHANNELS_MAX,
    };
    let rate = subject.usual_hz();
    for channels in 1..=max {
        let input = signals::voices(rate, rate as usize / 4 + 1, channels as usize);
        if let Err(bad) = subject.take().sound(&input) {
            return Found::failed(format!(
                "a quarter of a second with {channels} channels went in: {}. max-channels in the manifest \
                 is {}",
                bad.words(),
                manifest.max_channels
            ));
        }
    }
    let sessions = if linked {
        "in one session"
    } else {
        "each in a session of its own"
    };
    Found::passed(format!("1 to {max} channels, {sessions}"))
}

pub fn blocks(subject: &Subject<'_>) -> Found {
    let rate = subject.usual_hz();
    let input = subject.in_channels(2, |channel| signals::voice(rate, 30_011, 1 + channel));
    let run = |blocks: &[usize]| {
        let take = Take {
            blocks,
            ..subject.take()
        };
        take.sound(&input)
            .map_err(|bad| format!("in blocks of {blocks:?} frames: {}", bad.words()))
    };
    let expected = match run(&[4800]) {
        Ok(taken) => taken,
        Err(words) => return Found::failed(words),
    };
    let mut patterns: Vec<Vec<usize>> = vec![
        vec![1],
        vec![64],
        vec![480],
        vec![1, 2, 3, 4000],
        vec![8192],
        vec![997, 4800, 13],
        vec![441],
    ];
    let mut chance = Chance::new(subject.seed());
    patterns.extend((0..ODD_PATTERNS).map(|_| chance.odd_blocks()));
    for blocks in &patterns {
        let taken = match run(blocks) {
            Ok(taken) => taken,
            Err(words) => return Found::failed(words),
        };
        if let Some(words) = first_difference(&expected.planes, &taken.planes) {
            return Found::failed(format!(
                "the same {} frames went in, in blocks of 4800 and of {blocks:?} frames (rounded up to \
                 block-quantum, {}), and {words}. How the host cuts blocks must not be heard: keep what \
                 spans blocks in the session, or ask for a block-quantum",
                input.frames(),
                subject.manifest().block_quantum
            ));
        }
    }
    Found::passed(format!(
        "the same output to the last bit in blocks of 1 to 8192 frames, and in mixed ones: {:?}",
        &patterns[patterns.len() - ODD_PATTERNS..]
    ))
}

/// Where two outputs part, and by how much.
pub fn first_difference(one: &[Vec<f32>], other: &[Vec<f32>]) -> Option<String> {
    one.iter()
        .zip(other)
        .enumerate()
        .find_map(|(channel, (one, other))| {
            if one.len() != other.len() {
                return Some(format!(
                    "one output has {} frames, the other {}",
                    one.len(),
                    other.len()
                ));
            }
            let pairs = one.iter().zip(other);
            let frame = pairs
                .clone()
                .position(|(a, b)| a.to_bits() != b.to_bits())?;
            let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            Some(format!(
                "the outputs differ from frame {frame} of channel {channel} on ({} and {}, by {worst} at \
                 most)",
                one[frame], other[frame]
            ))
        })
}

/// Where the parameters are at their ends: every one alone, and all together.
pub fn parameters(subject: &Subject<'_>) -> Found {
    let settings = match subject.ends() {
        Ok(settings) => settings,
        Err(words) => return Found::failed(words),
    };
    let rate = subject.usual_hz();
    let input = Block::mono(signals::voice(rate, rate as usize / 4, 1));
    let mut refused = Vec::new();
    for (name, settings) in &settings {
        let take = Take {
            settings,
            ..subject.take()
        };
        match take.sound(&input) {
            Ok(_) => {}
            Err(Bad::Refused(_)) => refused.push(name.as_str()),
            Err(Bad::Broke(words)) => {
                return Found::failed(format!(
                    "with {name}, and the others as they were, a quarter of a second of a voice went in: \
                     {words}. Every value within a parameter's range is worked with or refused in open, \
                     by the parameter's name"
                ));
            }
        }
    }
    let said = format!("{} settings at the ends of ranges", settings.len());
    if refused.is_empty() {
        Found::passed(said)
    } else {
        Found::passed(format!(
            "{said}; refused in good order: {}",
            refused.join(", ")
        ))
    }
}
