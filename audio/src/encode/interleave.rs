//! Planes to bytes, frame by frame.

/// In place of what was in `bytes`: of all channels' equally long planes, each value as `write` gives it.
#[inline(always)]
pub(super) fn interleave<'a, T: Copy + 'a, const WIDTH: usize>(
    planes: impl ExactSizeIterator<Item = &'a [T]>,
    bytes: &mut Vec<u8>,
    write: impl Fn(T) -> [u8; WIDTH],
) {
    let channels = planes.len();
    let mut planes = planes.peekable();
    let frames = planes.peek().map_or(0, |plane| plane.len());
    bytes.resize(frames * channels * WIDTH, 0);
    let (samples, _) = bytes.as_chunks_mut::<WIDTH>();
    if channels == 2
        && let (Some(left), Some(right)) = (planes.next(), planes.next())
    {
        // The common case, in a form that vectorizes.
        let (pairs, _) = samples.as_chunks_mut::<2>();
        for (pair, (left, right)) in pairs.iter_mut().zip(left.iter().zip(right)) {
            *pair = [write(*left), write(*right)];
        }
        return;
    }
    for (channel, plane) in planes.enumerate() {
        let samples = samples.iter_mut().skip(channel).step_by(channels);
        for (sample, value) in samples.zip(plane) {
            *sample = write(*value);
        }
    }
}

/// The lowest bytes, little-endian.
pub(super) fn low_bytes<const WIDTH: usize>(value: i32) -> [u8; WIDTH] {
    let bytes = value.to_le_bytes();
    std::array::from_fn(|place| bytes[place])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_frame_by_frame_whatever_the_channels_and_the_width() {
        for channels in [1, 2, 3, 16] {
            let planes: Vec<Vec<i32>> = (0..channels)
                .map(|channel| (0..5).map(|frame| (channel << 16) - 300 * frame).collect())
                .collect();
            let mut bytes = vec![9; 7];
            interleave(planes.iter().map(Vec::as_slice), &mut bytes, low_bytes::<3>);
            let mut expected = Vec::new();
            for frame in 0..5 {
                for plane in &planes {
                    expected.extend_from_slice(&plane[frame].to_le_bytes()[..3]);
                }
            }
            assert_eq!(bytes, expected);
        }
    }
}
