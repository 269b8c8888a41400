//! Where there is speech, and how loud it is around each moment.
//!
//! Speech is what stands out of the noise around it: the noise floor is the least loudness within
//! some seconds (minimum statistics, R. Martin, IEEE Trans. SAP 9(5), 2001). And it rises and falls:
//! a long pause, a hum or a steady bed of music is no speech, even where it is louder than another
//! microphone's. There is a voice in it, or at least beside it: a breath in a long pause is no speech, though it
//! stands out of the noise and nothing around it is louder. Of what stands out, only what is near the usual level around it counts, as in the
//! gates of ITU-R BS.1770-4, but against the median: that keeps the edge where a quiet voice follows
//! a loud one, which a mean would blur.

use retake_signal::hops::{ABSOLUTE_LUFS, lufs};

/// The noise floor is the least loudness within so many hops on either side.
const FLOOR_HOPS: usize = 50;
/// Speech is at least this much louder than the floor.
const ABOVE_FLOOR_DB: f64 = 7.0;
/// Within so many hops on either side its loudness ranges over at least this.
const MODULATED_HOPS: usize = 10;
const MODULATED_DB: f64 = 6.0;
/// The usual level is the median within so many hops on either side.
const MEDIAN_HOPS: usize = 20;
/// Speech is no quieter than this against the usual level.
const BELOW_MEDIAN_DB: f64 = 9.0;
/// What has no pitch may be a consonant within so many hops of what has one; else it is a breath.
const BESIDE_VOICE_HOPS: usize = 2;
/// Where less than this part of what stands out has a pitch, somebody whispers, or it is buried in noise: then
/// the pitch says nothing.
const VOICED_PART: f64 = 0.15;
/// The level at a hop is the mean power of the speech within so many hops on either side...
const LEVEL_HOPS: usize = 25;
/// ...whose usual level is within this of the hop's: those beyond are another voice's.
const SAME_VOICE_DB: f64 = 3.0;

pub struct Activity {
    /// Whether a hop is speech.
    pub speech: Vec<bool>,
    /// The usual loudness around each hop.
    usual: Vec<f64>,
}

impl Activity {
    /// From K-weighted powers in hops of 100 ms, and whether a voice was heard in each, or music.
    pub fn new(powers: &[f32], voiced: &[bool], music: &[bool]) -> Self {
        let loudness = momentary(powers);
        let floor = sliding_min(&loudness, FLOOR_HOPS);
        let modulated = modulated(powers);
        let mut stands_out: Vec<bool> = loudness
            .iter()
            .zip(floor.iter().zip(modulated))
            .zip(music)
            .map(|((&now, (floor, modulated)), music)| {
                !music && modulated && now > ABSOLUTE_LUFS && now > floor + ABOVE_FLOOR_DB
            })
            .collect();
        let near_voice = beside(voiced);
        let of_voice = |hop: &usize| stands_out[*hop] && voiced[*hop];
        let with_pitch = (0..powers.len()).filter(of_voice).count();
        let out = stands_out.iter().filter(|out| **out).count();
        if with_pitch as f64 >= VOICED_PART * out as f64 {
            for (out, near) in stands_out.iter_mut().zip(near_voice) {
                *out &= near;
            }
        }
        let usual = medians(&loudness, &stands_out);
        let speech: Vec<bool> = stands_out
            .iter()
            .zip(loudness.iter().zip(&usual))
            .map(|(&out, (now, usual))| out && *now > usual - BELOW_MEDIAN_DB)
            .collect();
        let usual = medians(&loudness, &speech);
        Self { speech, usual }
    }

    /// Loudness of the speech around each hop that is speech; minus infinity elsewhere. `powers` are
    /// those that it was made from, or what became of them.
    pub fn levels(&self, powers: &[f32]) -> Vec<f64> {
        let (speech, usual) = (&self.speech, &self.usual);
        (0..powers.len())
            .map(|at| {
                if !speech[at] {
                    return f64::NEG_INFINITY;
                }
                let (power, count) = around(powers, at, LEVEL_HOPS)
                    .iter()
                    .zip(around(speech, at, LEVEL_HOPS))
                    .zip(around(usual, at, LEVEL_HOPS))
                    .filter(|((_, speech), there)| {
                        **speech && (*there - usual[at]).abs() < SAME_VOICE_DB
                    })
                    .fold((0.0, 0u32), |(sum, count), ((&power, _), _)| {
                        (sum + f64::from(power), count + 1)
                    });
                lufs(power / f64::from(count))
            })
            .collect()
    }
}

/// The standard deviation of the short-term loudness, over windows of 3 s that are speech for the
/// most part. `None`: there is no such window.
pub fn spread_db(powers: &[f32], speech: &[bool]) -> Option<f64> {
    const WINDOW: usize = 30;
    let loudness: Vec<f64> = powers
        .windows(WINDOW)
        .zip(speech.windows(WINDOW))
        .filter_map(|(powers, speech)| {
            let heard = || powers.iter().zip(speech).filter(|(_, speech)| **speech);
            let count = heard().count();
            let power = heard().map(|(&power, _)| f64::from(power)).sum::<f64>();
            (2 * count > WINDOW).then(|| lufs(power / count as f64))
        })
        .collect();
    let count = loudness.len() as f64;
    let mean = loudness.iter().sum::<f64>() / count;
    let variance = loudness.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / count;
    (!loudness.is_empty()).then(|| variance.sqrt())
}

/// Loudness over the 400 ms around each hop's middle.
fn momentary(powers: &[f32]) -> Vec<f64> {
    const WEIGHTS: [f64; 5] = [0.125, 0.25, 0.25, 0.25, 0.125];
    let at = |hop: usize| powers.get(hop).map_or(0.0, |&power| f64::from(power));
    (0..powers.len())
        .map(|hop| {
            let (power, weight) = WEIGHTS
                .iter()
                .enumerate()
                .filter(|(tap, _)| (2..powers.len() + 2).contains(&(hop + tap)))
                .fold((0.0, 0.0), |(power, sum), (tap, weight)| {
                    (power + weight * at(hop + tap - 2), sum + weight)
                });
            lufs(power / weight)
        })
        .collect()
}

/// The least of the values within `reach` on either side.
fn sliding_min(values: &[f64], reach: usize) -> Vec<f64> {
    let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
    (0..values.len())
        .map(|at| least(around(values, at, reach)))
        .collect()
}

fn modulated(powers: &[f32]) -> Vec<bool> {
    (0..powers.len())
        .map(|at| {
            let (least, most) = around(powers, at, MODULATED_HOPS)
                .iter()
                .fold((f32::MAX, 0f32), |(least, most), &power| {
                    (least.min(power), most.max(power))
                });
            lufs(f64::from(most)) - lufs(f64::from(least)) > MODULATED_DB
        })
        .collect()
}

/// Whether there is a voice at each hop or near it.
fn beside(voiced: &[bool]) -> Vec<bool> {
    (0..voiced.len())
        .map(|at| around(voiced, at, BESIDE_VOICE_HOPS).contains(&true))
        .collect()
}

/// The median of the loudness of what counts around each hop; minus infinity where nothing does.
fn medians(loudness: &[f64], counts: &[bool]) -> Vec<f64> {
    (0..loudness.len())
        .map(|at| {
            let near = around(loudness, at, MEDIAN_HOPS);
            let counts = around(counts, at, MEDIAN_HOPS);
            let heard = near.iter().zip(counts).filter(|(_, counts)| **counts);
            median(heard.map(|(&loudness, _)| loudness).collect()).unwrap_or(f64::NEG_INFINITY)
        })
        .collect()
}

pub fn median(mut values: Vec<f64>) -> Option<f64> {
    let middle = values.len().checked_sub(1)? / 2;
    Some(*values.select_nth_unstable_by(middle, f64::total_cmp).1)
}

fn around<T>(values: &[T], at: usize, reach: usize) -> &[T] {
    &values[at.saturating_sub(reach)..values.len().min(at + reach + 1)]
}
