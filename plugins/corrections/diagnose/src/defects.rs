//! What is wrong in a channel's samples themselves: flat tops, clicks, an offset.

/// A flat top is at least so many samples long, …
const FLAT_SAMPLES: usize = 3;
/// … equal within this part of their level, …
const FLAT_PART: f32 = 1e-4;
/// … louder than this, and begins or ends at a corner: the step there is this part of the level at
/// the least. The top of a slow wave is flat too, but has none.
const FLAT_LEVEL_MIN: f32 = 0.05;
const CORNER_PART: f32 = 0.004;
/// Clipping is what happens at the top: this part of the highest level of all.
const TOP_PART: f32 = 0.97;
/// Flat tops are counted by level, in so many classes.
const CLASSES: usize = 400;

/// A click is over within so many seconds, …
const CLICK_S: f32 = 0.001;
/// … stands alone for so many before and after, …
const ALONE_S: f32 = 0.008;
/// … and there the second difference is at most this part of its own.
const ALONE_PART: f32 = 1.0 / 8.0;
/// Second differences below this are not heard as a click.
const CLICK_MIN: f32 = 0.005;

#[derive(Clone)]
pub struct Defects {
    sum: f64,
    samples: u64,
    peak: f32,
    /// The sample before the run of equal samples, its level, and its length.
    before_run: f32,
    run_level: f32,
    run: usize,
    /// Flat tops by level, full scale and a half at the top.
    flat: Vec<u64>,
    clicks: Clicks,
}

/// Second differences by their maximum over cells of half a click.
#[derive(Clone)]
struct Clicks {
    cell_samples: usize,
    alone_cells: usize,
    last: [f32; 2],
    filled: usize,
    cell: f32,
    /// The newest cells, as many as are looked at.
    cells: Vec<f32>,
    found: u64,
}

pub struct Found {
    pub clipped_runs: u64,
    pub clicks: u64,
    pub offset: f64,
    pub peak: f32,
}

impl Defects {
    pub fn new(rate_hz: u32) -> Self {
        let cell_samples = ((rate_hz as f32 * CLICK_S / 2.0) as usize).max(2);
        let alone_cells = (rate_hz as f32 * ALONE_S) as usize / cell_samples;
        Self {
            sum: 0.0,
            samples: 0,
            peak: 0.0,
            before_run: 0.0,
            run_level: 0.0,
            run: 0,
            flat: vec![0; CLASSES],
            clicks: Clicks {
                cell_samples,
                alone_cells,
                last: [0.0; 2],
                filled: 0,
                cell: 0.0,
                cells: Vec::new(),
                found: 0,
            },
        }
    }

    pub fn add(&mut self, samples: &[f32]) {
        for &sample in samples {
            self.sum += f64::from(sample);
            self.peak = self.peak.max(sample.abs());
            if (sample - self.run_level).abs() <= FLAT_PART * self.run_level.abs() {
                self.run += 1;
            } else {
                self.end_run(sample);
            }
            self.clicks.add(sample);
        }
        self.samples += samples.len() as u64;
    }

    pub fn found(&self) -> Found {
        let top = class(TOP_PART * self.peak);
        Found {
            clipped_runs: self.flat[top..].iter().sum(),
            clicks: self.clicks.found,
            offset: (self.sum / self.samples.max(1) as f64).abs(),
            peak: self.peak,
        }
    }

    fn end_run(&mut self, next: f32) {
        let level = self.run_level.abs();
        if self.run >= FLAT_SAMPLES && level >= FLAT_LEVEL_MIN {
            // Towards silence from both sides, by a step at one of them.
            let down = |other: f32| self.run_level.signum() * (self.run_level - other);
            let (before, after) = (down(self.before_run), down(next));
            let corner = before.max(after) >= CORNER_PART * level;
            if before > 0.0 && after > 0.0 && corner {
                self.flat[class(level)] += 1;
            }
        }
        self.before_run = self.run_level;
        self.run_level = next;
        self.run = 1;
    }
}

fn class(level: f32) -> usize {
    ((level / 1.5 * CLASSES as f32) as usize).min(CLASSES - 1)
}

impl Clicks {
    fn add(&mut self, sample: f32) {
        let bend = (sample - 2.0 * self.last[0] + self.last[1]).abs();
        self.last = [sample, self.last[0]];
        self.cell = self.cell.max(bend);
        self.filled += 1;
        if self.filled == self.cell_samples {
            self.filled = 0;
            self.cells.push(std::mem::take(&mut self.cell));
            self.look();
        }
    }

    /// Looks at the cell in the middle, once as many are known before it as after it.
    fn look(&mut self) {
        // A click may lie across cells: the two beside it count as part of it.
        let reach = self.alone_cells + 2;
        if self.cells.len() < 2 * reach + 1 {
            return;
        }
        let cell = self.cells[reach];
        let around = self.cells[..reach - 1]
            .iter()
            .chain(&self.cells[reach + 2..]);
        let loudest = around.copied().fold(0.0, f32::max);
        let is_highest = cell >= self.cells[reach - 1] && cell > self.cells[reach + 1];
        if cell > CLICK_MIN && is_highest && loudest < ALONE_PART * cell {
            self.found += 1;
        }
        self.cells.remove(0);
    }
}
