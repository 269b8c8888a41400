//! Waveforms, no finer than they are drawn.

use retake_chain::report::Peaks;

/// At most `points` points, made by merging neighbours: a drawing never misses an extreme.
pub fn reduce(peaks: &Peaks, points: usize) -> Peaks {
    let merged = peaks.min.len().div_ceil(points.max(1)).max(1);
    let fold = |values: &[f32], pick: fn(f32, f32) -> f32| {
        let merge = |chunk: &[f32]| chunk.iter().copied().reduce(pick).unwrap_or_default();
        values.chunks(merged).map(merge).collect()
    };
    Peaks {
        frames_per_point: peaks.frames_per_point * merged as u64,
        min: fold(&peaks.min, f32::min),
        max: fold(&peaks.max, f32::max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reducing_keeps_every_extreme_and_the_stated_number_of_points() {
        let peaks = Peaks {
            frames_per_point: 100,
            min: vec![-0.1, -0.9, -0.2, -0.3, -0.4],
            max: vec![0.1, 0.2, 0.8, 0.3, 0.4],
        };
        let reduced = reduce(&peaks, 3);
        assert_eq!(reduced.frames_per_point, 200);
        assert_eq!(reduced.min, [-0.9, -0.3, -0.4]);
        assert_eq!(reduced.max, [0.2, 0.8, 0.4]);
        assert_eq!(reduce(&peaks, 5), peaks);
        assert_eq!(reduce(&peaks, 2048), peaks);
        assert_eq!(reduce(&peaks, 1).max, [0.8]);
        assert_eq!(reduce(&Peaks::default(), 4), Peaks::default());
    }
}
