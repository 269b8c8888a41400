//! Finds the comb of a mains hum in power spectra, and follows its frequency.

/// Most harmonics that are looked for: up to 2.4 kHz.
pub const HARMONICS_MAX: i64 = 40;

/// Hz by which the fundamental may be off its nominal value: a power line stays within 0.2 Hz, but a tape does
/// not turn at the same speed twice.
const OFF_HZ_MAX: f64 = 0.5;
/// Hz on each side of a line: its neighbourhood.
const AROUND_HZ: f64 = 10.0;
/// Bins from a line to its flanks, beyond the window's own width. A held vowel is as wide as that, a line is not.
const FLANK_BINS: std::ops::RangeInclusive<usize> = 5..=12;
/// A spectrum shows hum if the prominences of its lines (natural logarithms of power ratios) add up
/// to this: one line of 26 dB, or two of 13 dB. Noise does that once in some thousand spectra.
const EVIDENCE_MIN: f64 = 6.0;
/// Lines at multiples of this belong to both mains frequencies and speak for neither.
const SHARED_HZ: f64 = 300.0;
/// One of the lowest harmonics must be there, as it is in any hum. Held notes of music are often in tune with a
/// higher one: F4 is the seventh of 49.9 Hz.
const ROOTS: usize = 4;
/// What lies so far below a spectrum's highest bin is the rounding of the transform.
const ROUNDING: f64 = 1e-12;
/// Part of the spectra that must show hum.
const PART_MIN: f64 = 0.25;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mains {
    Hz50,
    Hz60,
}

impl Mains {
    pub fn nominal_hz(self) -> f64 {
        match self {
            Self::Hz50 => 50.0,
            Self::Hz60 => 60.0,
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Hz50 => "50 Hz mains",
            Self::Hz60 => "60 Hz mains",
        }
    }
}

/// The hum of a recording.
pub struct Finding {
    pub mains: Mains,
    /// The harmonics to look at, from 1 on: all that were asked for and that the rate carries. One may hide under a
    /// voice in every spectrum; the second pass, which looks into the pauses, says which are there.
    pub harmonics: Vec<usize>,
    pub evidence: f64,
    /// Fundamental in Hz, one per `hop_s` seconds; the first belongs to the time `hop_s`.
    track_hz: Vec<f64>,
    hop_s: f64,
}

impl Finding {
    /// The fundamental at a time, between the measured ones on a straight line.
    pub fn hz_at(&self, time_s: f64) -> f64 {
        let place = (time_s / self.hop_s - 1.0).clamp(0.0, (self.track_hz.len() - 1) as f64);
        let index = place as usize;
        let next = self.track_hz[(index + 1).min(self.track_hz.len() - 1)];
        self.track_hz[index] + (next - self.track_hz[index]) * place.fract()
    }

    pub fn median_hz(&self) -> f64 {
        let mut sorted = self.track_hz.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    }

    pub fn range_hz(&self) -> (f64, f64) {
        let fold = |pick: fn(f64, f64) -> f64| self.track_hz.iter().copied().reduce(pick);
        (fold(f64::min).unwrap_or(0.0), fold(f64::max).unwrap_or(0.0))
    }
}

/// Collects what the spectra of one recording say about one mains frequency.
pub struct Comb {
    mains: Mains,
    harmonics: usize,
    prominence: f64,
    /// One per spectrum; the frequency is known where there was hum.
    seen_hz: Vec<Option<f32>>,
    evidence: f64,
}

impl Comb {
    /// `prominence` is the ratio of a line's power to its neighbourhood's.
    pub fn new(mains: Mains, harmonics: usize, prominence: f64) -> Self {
        Self {
            mains,
            harmonics,
            prominence,
            seen_hz: Vec::new(),
            evidence: 0.0,
        }
    }

    pub fn has_seen_nothing(&self) -> bool {
        self.seen_hz.is_empty()
    }

    pub fn look(&mut self, power: &[f32], bin_hz: f64) {
        let view = View::new(power, bin_hz, self.mains.nominal_hz(), self.harmonics);
        let rough_hz = view.strongest_comb(self.prominence);
        let lines: Vec<(usize, f64)> = (1..=self.harmonics)
            .map(|harmonic| (harmonic, view.prominence(harmonic, rough_hz)))
            .filter(|(_, prominence)| *prominence >= self.prominence)
            .collect();
        let own = |harmonic: usize| harmonic as f64 * self.mains.nominal_hz() % SHARED_HZ != 0.0;
        let evidence: f64 = lines
            .iter()
            .filter(|(harmonic, _)| own(*harmonic))
            .map(|(_, prominence)| prominence.ln())
            .sum();
        let rooted = lines.iter().any(|(harmonic, _)| *harmonic <= ROOTS);
        if evidence < EVIDENCE_MIN || !rooted {
            self.seen_hz.push(None);
            return;
        }
        self.evidence += evidence;
        self.seen_hz
            .push(Some(view.exact_hz(&lines, rough_hz) as f32));
    }

    /// What stands at the end, spectra being `hop_s` apart.
    pub fn finding(&self, hop_s: f64) -> Option<Finding> {
        let hummed = self.seen_hz.iter().flatten().count();
        if hummed == 0 || (hummed as f64) < PART_MIN * self.seen_hz.len() as f64 {
            return None;
        }
        Some(Finding {
            mains: self.mains,
            harmonics: (1..=self.harmonics).collect(),
            evidence: self.evidence,
            track_hz: filled(&self.seen_hz),
            hop_s,
        })
    }
}

/// The known frequencies, and straight lines between them.
fn filled(seen_hz: &[Option<f32>]) -> Vec<f64> {
    let known: Vec<(usize, f64)> = seen_hz
        .iter()
        .enumerate()
        .filter_map(|(index, hz)| hz.map(|hz| (index, f64::from(hz))))
        .collect();
    (0..seen_hz.len())
        .map(|index| {
            let after = known.partition_point(|(at, _)| *at < index);
            let next = known[after.min(known.len() - 1)];
            let last = known[after.saturating_sub(1)];
            if next.0 <= index || last.0 == next.0 {
                return next.1;
            }
            let part = (index.max(last.0) - last.0) as f64 / (next.0 - last.0) as f64;
            last.1 + (next.1 - last.1) * part
        })
        .collect()
}

/// One spectrum, seen against the neighbourhood of each harmonic.
struct View<'a> {
    power: &'a [f32],
    bin_hz: f64,
    nominal_hz: f64,
    /// Median power around each harmonic; infinite where the spectrum does not reach or is silent.
    floors: Vec<f64>,
}

impl<'a> View<'a> {
    fn new(power: &'a [f32], bin_hz: f64, nominal_hz: f64, harmonics: usize) -> Self {
        let rounding = ROUNDING * f64::from(power.iter().copied().fold(0.0, f32::max));
        let floors = (1..=harmonics)
            .map(|harmonic| {
                let half_hz = AROUND_HZ
                    .max(OFF_HZ_MAX * harmonic as f64 + 2.0)
                    .min(0.45 * nominal_hz);
                let centre_hz = nominal_hz * harmonic as f64;
                let first = ((centre_hz - half_hz) / bin_hz) as usize;
                let last = ((centre_hz + half_hz) / bin_hz) as usize;
                let floor = power.get(first..last).map_or(0.0, median);
                if floor > 0.0 {
                    floor.max(rounding)
                } else {
                    f64::INFINITY
                }
            })
            .collect();
        Self {
            power,
            bin_hz,
            nominal_hz,
            floors,
        }
    }

    /// The fundamental, on a grid fine enough for the highest harmonic, whose lines stand out most.
    fn strongest_comb(&self, prominence: f64) -> f64 {
        let step_hz = 0.4 * self.bin_hz / self.floors.len() as f64;
        let steps = (OFF_HZ_MAX / step_hz) as i64;
        let mut best = (0.0, self.nominal_hz);
        // From the nominal frequency outwards: of equals the nearest wins.
        for step in (0..=steps).flat_map(|step| [step, -step]) {
            let hz = self.nominal_hz + step as f64 * step_hz;
            let score: f64 = (1..=self.floors.len())
                .map(|harmonic| {
                    let bin = (hz * harmonic as f64 / self.bin_hz).round() as usize;
                    let power = self.power.get(bin).map_or(0.0, |power| f64::from(*power));
                    (power / (0.5 * prominence * self.floors[harmonic - 1]))
                        .max(1.0)
                        .ln()
                })
                .sum();
            if score > best.0 {
                best = (score, hz);
            }
        }
        best.1
    }

    /// The strongest bin at a harmonic: neighbours count, for the grid and the drift.
    fn peak(&self, harmonic: usize, hz: f64) -> Option<usize> {
        let bin = (hz * harmonic as f64 / self.bin_hz).round() as usize;
        let reach = *FLANK_BINS.end() + 2;
        if bin < reach || bin + reach >= self.power.len() {
            return None;
        }
        (bin - 1..=bin + 1).max_by(|a, b| self.power[*a].total_cmp(&self.power[*b]))
    }

    /// Ratio of a line's power to its neighbourhood's, or to its flanks where those are higher.
    fn prominence(&self, harmonic: usize, hz: f64) -> f64 {
        let Some(peak) = self.peak(harmonic, hz) else {
            return 0.0;
        };
        let flanks: f64 = FLANK_BINS
            .flat_map(|off| [self.power[peak - off], self.power[peak + off]])
            .map(f64::from)
            .sum::<f64>()
            / (2 * FLANK_BINS.count()) as f64;
        f64::from(self.power[peak]) / self.floors[harmonic - 1].max(flanks)
    }

    /// The fundamental that fits the lines best. A sine's two highest bins under a Hann window say
    /// exactly where between them it lies; higher harmonics say it more exactly.
    fn exact_hz(&self, lines: &[(usize, f64)], rough_hz: f64) -> f64 {
        let (mut sum, mut weights) = (0.0, 0.0);
        for &(harmonic, prominence) in lines {
            let Some(peak) = self.peak(harmonic, rough_hz) else {
                continue;
            };
            let height = |bin: usize| f64::from(self.power[bin]).sqrt();
            let (below, at, above) = (height(peak - 1), height(peak), height(peak + 1));
            let (side, sign) = if above > below {
                (above, 1.0)
            } else {
                (below, -1.0)
            };
            let off = sign * ((2.0 * side - at) / (side + at)).clamp(0.0, 0.6);
            let weight = (harmonic * harmonic) as f64 * prominence.min(1e4);
            sum += weight * (peak as f64 + off) * self.bin_hz / harmonic as f64;
            weights += weight;
        }
        if weights > 0.0 {
            sum / weights
        } else {
            rough_hz
        }
    }
}

fn median(power: &[f32]) -> f64 {
    let mut sorted = power.to_vec();
    let middle = sorted.len() / 2;
    if sorted.is_empty() {
        return 0.0;
    }
    f64::from(*sorted.select_nth_unstable_by(middle, f32::total_cmp).1)
}
