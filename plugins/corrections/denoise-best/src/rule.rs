//! How much of the recording stays as it was, so that no more is taken than there is noise.
//!
//! Left to itself the network changes a clean voice too, most of all where one begins after silence. What it
//! takes is therefore held against the noise that there is: the power that each band has in pauses, which are
//! where next to nothing is kept. The clearer the voice is of that noise, the less may be taken beyond it. A
//! voice that is not clear is the network's alone.

use std::collections::VecDeque;

use retake_dfn3::{BAND_BINS, BANDS, BINS, Spectrum};

use crate::levels::Levels;

/// Frames that are heard before one is judged: 4 s.
pub const AHEAD: usize = 400;
/// How much of what was heard is remembered from frame to frame: 10 s.
const MEMORY: f32 = 0.999;
/// A frame counts as a pause by the share of its power that is taken, to this power.
const PAUSE_EXPONENT: i32 = 8;
/// As little it counts at least, for recordings without a pause.
const TAKEN_MIN: f32 = 0.05;
/// Power of a frame that is silent: that of noise at -90 dBFS.
const SILENT: f32 = 2.5e-10;
/// Silence counts as a pause for so many frames, 2 s: a recording that was cut together of clean words and
/// silence is clean, and one that begins with a minute of silence need not be.
const SILENCE_COUNTS: u32 = 200;
/// The noise is as loud as this share of all pauses is at most: strokes of a keyboard are more than the rest,
/// the beginnings of words that are mistaken for noise are less.
const PAUSES_SHARE: f32 = 0.75;
/// Voice over noise, dB: above the first no more is taken than [`MARGIN_DB`] over the noise; below the second
/// anything is.
const CLEAR_DB: f32 = 35.0;
const NOISY_DB: f32 = 20.0;
const MARGIN_DB: f32 = 6.0;
const NO_LIMIT_DB: f32 = 46.0;
/// Frames from one look at all levels to the next.
const EVERY: usize = 10;

pub struct Rule {
    /// As much stays at least.
    floor: f32,
    pauses: Levels,
    silent_frames: u32,
    voice: f32,
    voice_squared: f32,
    /// Power that the network took from the frames that were not judged yet.
    taken: VecDeque<[f32; BANDS]>,
    /// Power that may be taken, and how many frames ago that was found.
    limit: [f32; BANDS],
    limit_age: usize,
    is_over: bool,
    found: Found,
}

/// The share of each band that stays as it was.
pub struct Dry([f32; BANDS]);

/// For the report, of all frames that were judged.
#[derive(Default)]
pub struct Found {
    frames: f64,
    ratio_db: f64,
    noise_power: f64,
}

impl Rule {
    pub fn new(floor: f32) -> Self {
        Self {
            floor,
            pauses: Levels::new(),
            silent_frames: 0,
            voice: 0.0,
            voice_squared: 0.0,
            taken: VecDeque::with_capacity(AHEAD + 1),
            limit: [0.0; BANDS],
            limit_age: EVERY,
            is_over: false,
            found: Found::default(),
        }
    }

    /// A frame as it was, and what the network would leave of it.
    pub fn hear(&mut self, dry: &Spectrum, wet: &Spectrum) {
        let (mut before, mut after, mut taken) = ([0.0; BANDS], [0.0; BANDS], [0.0; BANDS]);
        let mut first = 0;
        for (band, bins) in BAND_BINS.iter().enumerate() {
            for bin in first..first + bins {
                let (re, im) = (dry.re[bin] - wet.re[bin], dry.im[bin] - wet.im[bin]);
                before[band] += dry.power(bin);
                after[band] += wet.power(bin);
                taken[band] += re * re + im * im;
            }
            first += bins;
        }
        self.taken.push_back(taken);
        let (all_before, all_after): (f32, f32) = (before.iter().sum(), after.iter().sum());
        if !all_before.is_finite() || !all_after.is_finite() {
            return;
        }
        let is_silent = all_before <= SILENT;
        self.silent_frames = if is_silent { self.silent_frames + 1 } else { 0 };
        if self.silent_frames > SILENCE_COUNTS {
            return;
        }
        let share = if is_silent {
            1.0
        } else {
            1.0 - all_after / all_before
        };
        let weight = share.clamp(TAKEN_MIN, 1.0).powi(PAUSE_EXPONENT);
        self.pauses.add(&before, weight, MEMORY);
        self.voice = self.voice * MEMORY + all_after;
        self.voice_squared = self.voice_squared * MEMORY + all_after * all_after;
    }

    /// A frame that is nobody's business: it stays, and nothing is learnt of it.
    pub fn skip(&mut self) {
        self.taken.push_back([0.0; BANDS]);
    }

    /// No frame comes any more: all that were heard can be judged.
    pub fn end(&mut self) {
        self.is_over = true;
    }

    /// Judges the oldest frame, once enough was heard after it.
    pub fn judge(&mut self) -> Option<Dry> {
        if self.taken.len() <= AHEAD && !self.is_over {
            return None;
        }
        let taken = self.taken.pop_front()?;
        if self.limit_age >= EVERY {
            self.look();
            self.limit_age = 0;
        }
        self.limit_age += 1;
        Some(Dry(std::array::from_fn(|band| {
            let wet = (self.limit[band] / (taken[band] + 1e-20)).sqrt();
            (1.0 - wet).max(self.floor)
        })))
    }

    /// What may be taken, by all that is remembered.
    fn look(&mut self) {
        let noise = self.pauses.share(PAUSES_SHARE);
        let all_noise: f32 = noise.iter().sum();
        let voice = self.voice_squared / self.voice.max(1e-12);
        let ratio_db = 10.0 * (voice / (all_noise + 1e-14) + 1e-9).log10();
        let noisy = ((CLEAR_DB - ratio_db) / (CLEAR_DB - NOISY_DB)).clamp(0.0, 1.0);
        let over = 10f32.powf(0.1 * (MARGIN_DB + noisy * (NO_LIMIT_DB - MARGIN_DB)));
        self.limit = noise.map(|noise| over * noise);
        self.found.frames += 1.0;
        self.found.ratio_db += f64::from(ratio_db);
        self.found.noise_power += f64::from(all_noise);
    }

    pub fn found(&self) -> &Found {
        &self.found
    }
}

impl Found {
    /// Voice over noise, dB, on average; nothing before anything was heard.
    pub fn ratio_db(&self) -> Option<f64> {
        (self.frames > 0.0).then(|| self.ratio_db / self.frames)
    }

    /// Level of the noise in pauses, dBFS.
    pub fn noise_dbfs(&self) -> Option<f64> {
        // A frame's power is a quarter of the mean square of its samples.
        (self.frames > 0.0).then(|| 10.0 * (4.0 * self.noise_power / self.frames + 1e-14).log10())
    }
}

impl Dry {
    /// More of it stays, if it is less.
    pub fn at_least(&mut self, share: f32) {
        self.0.iter_mut().for_each(|dry| *dry = dry.max(share));
    }

    /// Brings what was made of a frame back towards the frame.
    pub fn apply(&self, dry: &Spectrum, wet: &mut Spectrum) {
        let mut first = 0;
        for (bins, share) in BAND_BINS.iter().zip(self.0) {
            for bin in first..first + bins {
                wet.re[bin] += share * (dry.re[bin] - wet.re[bin]);
                wet.im[bin] += share * (dry.im[bin] - wet.im[bin]);
            }
            first += bins;
        }
        debug_assert_eq!(first, BINS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spectrum(amplitude: f32) -> Spectrum {
        Spectrum {
            re: [amplitude; BINS],
            im: [0.0; BINS],
        }
    }

    /// Frames as pairs of amplitudes, before and after; returns what stays of each.
    fn judged(frames: &[(f32, f32)]) -> Vec<Dry> {
        let mut rule = Rule::new(0.0);
        let mut dry = Vec::new();
        for (before, after) in frames {
            rule.hear(&spectrum(*before), &spectrum(*after));
            dry.extend(rule.judge());
        }
        rule.end();
        dry.extend(std::iter::from_fn(|| rule.judge()));
        assert_eq!(dry.len(), frames.len());
        dry
    }

    /// Half a second of noise, half a second of voice, so many times.
    fn talk(times: usize, voice: (f32, f32)) -> Vec<(f32, f32)> {
        let second = [[(NOISE, 0.0); 50], [voice; 50]].concat();
        second.repeat(times)
    }

    const NOISE: f32 = 1e-4;

    #[test]
    fn a_voice_far_above_the_noise_loses_no_more_than_that() {
        // A tenth of its amplitude is taken, ten times the noise's.
        let dry = judged(&talk(12, (100.0 * NOISE, 90.0 * NOISE)));
        for second in dry.chunks(100) {
            assert!(second[..50].iter().all(|dry| dry.0[7] == 0.0), "noise goes");
            for dry in &second[50..] {
                let taken = 10.0 * (1.0 - dry.0[7]);
                assert!((1.5..2.5).contains(&taken), "{taken} times the noise");
            }
        }
    }

    #[test]
    fn a_voice_amid_noise_is_the_networks() {
        let dry = judged(&talk(12, (5.0 * NOISE, 2.0 * NOISE)));
        assert!(dry.iter().all(|dry| dry.0 == [0.0; BANDS]));
    }

    #[test]
    fn the_beginning_of_a_voice_after_silence_is_not_noise() {
        let mut frames = vec![(0.0, 0.0); 100];
        frames.extend([(100.0 * NOISE, 0.0); 20]);
        frames.extend([(100.0 * NOISE, 99.0 * NOISE); 200]);
        let dry = judged(&frames);
        assert!(dry[100..].iter().all(|dry| dry.0[7] > 0.99));
    }

    #[test]
    fn a_minute_of_silence_does_not_make_what_follows_clean() {
        let mut frames = vec![(0.0, 0.0); 6_000];
        frames.extend(talk(12, (3.0 * NOISE, 1.5 * NOISE)));
        let dry = judged(&frames);
        assert!(dry[6_000..].iter().all(|dry| dry.0[7] == 0.0));
    }

    #[test]
    fn what_is_no_number_is_not_learnt() {
        let mut frames = talk(6, (100.0 * NOISE, 90.0 * NOISE));
        frames[70] = (f32::INFINITY, f32::NAN);
        let dry = judged(&frames);
        for second in dry[100..].chunks(100) {
            assert!(second[50..].iter().all(|dry| dry.0[7] > 0.7));
        }
    }
}
