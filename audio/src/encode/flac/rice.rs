//! Partitioned Rice codes for a residual (RFC 9639 section 9.2.7).

use super::bits::BitWriter;

/// At most 2^5 partitions.
const ORDER_MAX: u32 = 5;
/// Parameters up to here have 4 bits, larger ones 5 for all partitions.
const NARROW_MAX: u32 = 14;
const WIDE_MAX: u32 = 30;

/// How a residual will be written.
#[derive(Clone, Default)]
pub(super) struct RicePlan {
    order: u32,
    parameters: Vec<u32>,
    /// Estimated size: exact but for the fractions of the quotients.
    pub bits: u64,
}

impl RicePlan {
    /// `folded` is the residual with its signs folded in, without the `warm_up` samples before it.
    pub(super) fn new(folded: &[u32], warm_up: usize) -> Self {
        let frames = folded.len() + warm_up;
        let mut order = (0..=ORDER_MAX)
            .rev()
            .find(|&order| frames.is_multiple_of(1 << order) && frames >> order > warm_up)
            .unwrap_or(0);
        let mut sums = partition_sums(folded, warm_up, frames >> order);
        let mut best = Self::for_order(order, &sums, frames, warm_up);
        while order > 0 {
            order -= 1;
            sums = sums.chunks_exact(2).map(|pair| pair[0] + pair[1]).collect();
            let plan = Self::for_order(order, &sums, frames, warm_up);
            if plan.bits <= best.bits {
                best = plan;
            }
        }
        best
    }

    fn for_order(order: u32, sums: &[u64], frames: usize, warm_up: usize) -> Self {
        let mut bits = 2 + 4;
        let mut parameters = Vec::with_capacity(sums.len());
        for (partition, &sum) in sums.iter().enumerate() {
            let count = (frames >> order) - if partition == 0 { warm_up } else { 0 };
            let (parameter, size) = best_parameter(sum, count as u64);
            parameters.push(parameter);
            bits += size;
        }
        bits += parameters.len() as u64 * u64::from(parameter_width(&parameters));
        Self {
            order,
            parameters,
            bits,
        }
    }

    pub(super) fn write(&self, folded: &[u32], warm_up: usize, out: &mut BitWriter) {
        let width = parameter_width(&self.parameters);
        out.put(u64::from(width == 5), 2);
        out.put(u64::from(self.order), 4);
        let partition_frames = (folded.len() + warm_up) >> self.order;
        let mut from = 0;
        for (partition, &parameter) in self.parameters.iter().enumerate() {
            let to = (partition + 1) * partition_frames - warm_up;
            out.put(u64::from(parameter), width);
            for &value in &folded[from..to] {
                out.put_rice(value, parameter);
            }
            from = to;
        }
    }
}

/// A residual's signs go into the lowest bit, so that small magnitudes become small numbers.
#[inline(always)]
pub(super) fn fold(residual: i32) -> u32 {
    ((residual << 1) ^ (residual >> 31)) as u32
}

fn parameter_width(parameters: &[u32]) -> u32 {
    if parameters.iter().all(|&p| p <= NARROW_MAX) {
        4
    } else {
        5
    }
}

fn partition_sums(folded: &[u32], warm_up: usize, partition_frames: usize) -> Vec<u64> {
    let (first, rest) = folded.split_at(partition_frames - warm_up);
    std::iter::once(first)
        .chain(rest.chunks(partition_frames))
        .map(|partition| partition.iter().map(|&value| u64::from(value)).sum())
        .collect()
}

/// The size of `count` codes that add up to `sum`: for each the stop bit, the parameter's bits and
/// the quotient, which is on average half a step less than the fraction.
fn best_parameter(sum: u64, count: u64) -> (u32, u64) {
    let size = |parameter: u32| {
        let quotients =
            (sum >> parameter).saturating_sub(if parameter == 0 { 0 } else { count / 2 });
        count * u64::from(parameter + 1) + quotients
    };
    // The best one is close to log2 of the mean.
    let guess = (sum / count.max(1)).checked_ilog2().unwrap_or(0);
    (guess.saturating_sub(1)..=guess + 1)
        .map(|parameter| parameter.min(WIDE_MAX))
        .map(|parameter| (parameter, size(parameter)))
        .min_by_key(|&(_, size)| size)
        .expect("the range is not empty")
}
