//! Integrated loudness: EBU R 128's gated mean over blocks of 400 ms, of any number, in bounded
//! memory: exactly for the first hour, and with the relative gate rounded to 0.1 LU beyond. In a short
//! recording a single block at the gate can be worth half a LU.

/// Blocks quieter than this are silence and count for nothing.
const ABSOLUTE_LUFS: f64 = -70.0;
/// Nor do those that are this much quieter than the mean of the others.
const RELATIVE_LU: f64 = -10.0;

/// Bins of 0.1 LU, from the absolute gate up. Each keeps the exact sum of what fell into it; only
/// the relative gate is rounded, to whole bins.
const BINS_PER_LU: f64 = 10.0;
const BINS: usize = 1000;

/// So many blocks, ten to a second, are kept one by one.
const EXACT_MAX: usize = 36_000;

pub struct Gate {
    bins: Vec<Bin>,
    /// Every block so far, if there are no more than [`EXACT_MAX`].
    powers: Vec<f64>,
    blocks: usize,
}

#[derive(Clone, Copy, Default)]
struct Bin {
    blocks: u64,
    power: f64,
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl Gate {
    pub fn new() -> Self {
        Self {
            bins: vec![Bin::default(); BINS],
            powers: Vec::new(),
            blocks: 0,
        }
    }

    /// Takes a block's weighted mean power, summed over channels.
    pub fn add(&mut self, power: f64) {
        let above = lufs(power) - ABSOLUTE_LUFS;
        if above >= 0.0 {
            let bin = &mut self.bins[((above * BINS_PER_LU) as usize).min(BINS - 1)];
            bin.blocks += 1;
            bin.power += power;
            self.blocks += 1;
            if self.blocks <= EXACT_MAX {
                self.powers.push(power);
            }
        }
    }

    /// `None` if all was silence, or shorter than a block.
    pub fn integrated_lufs(&self) -> Option<f64> {
        let ungated = mean(self.bins.iter())?;
        let threshold = ungated * 10f64.powf(RELATIVE_LU / 10.0);
        if self.blocks <= EXACT_MAX {
            let loud = self.powers.iter().filter(|&&power| power >= threshold);
            let (blocks, power) = loud.fold((0, 0.0), |(n, sum), power| (n + 1, sum + power));
            return (blocks > 0).then(|| lufs(power / f64::from(blocks)));
        }
        let loud = |bin: &&Bin| bin.power >= threshold * bin.blocks as f64;
        mean(self.bins.iter().filter(loud)).map(lufs)
    }
}

fn mean<'a>(bins: impl Iterator<Item = &'a Bin>) -> Option<f64> {
    let (blocks, power) = bins.fold((0, 0.0), |(blocks, power), bin| {
        (blocks + bin.blocks, power + bin.power)
    });
    (blocks > 0).then(|| power / blocks as f64)
}

fn lufs(power: f64) -> f64 {
    -0.691 + 10.0 * power.log10()
}
