//! The one order of channels inside (WAVE's, which FLAC shares) and Vorbis's, which Opus uses.

/// `order[i]` is where, among WAVE's channels, the i-th of Vorbis's is found. RFC 7845 section
/// 5.1.1.2 and RFC 9639 section 9.1.3.
pub(crate) fn vorbis_from_wave(channels: usize) -> &'static [usize] {
    match channels {
        1 => &[0],
        2 => &[0, 1],
        3 => &[0, 2, 1],
        4 => &[0, 1, 2, 3],
        5 => &[0, 2, 1, 3, 4],
        6 => &[0, 2, 1, 4, 5, 3],
        7 => &[0, 2, 1, 5, 6, 4, 3],
        8 => &[0, 2, 1, 6, 7, 4, 5, 3],
        _ => unreachable!("channel counts are checked to be 1 to 8"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_has_exactly_one_place() {
        for channels in 1..=8 {
            let mut places = vorbis_from_wave(channels).to_vec();
            places.sort_unstable();
            assert_eq!(places, (0..channels).collect::<Vec<_>>());
        }
    }
}
