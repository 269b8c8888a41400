//! How much a channel counts for loudness, by what it is for: ITU-R BS.1770-5, table 4. Held against the
//! host's own meter by a test of the host.

const LOW_FREQUENCY: u32 = 0x8;
const BACK: u32 = 0x10 | 0x20;
const SIDE: u32 = 0x200 | 0x400;

/// 1.41 between 60 and 120 degrees to the side, nothing for low frequency effects, 1 for all others and
/// for what is no speaker. The back pair is at 110 degrees where there is no side pair (5.1), and at 135
/// where there is one (7.1). `positions` are bits of WAVE's dwChannelMask, 0 for none.
pub fn loudness_weights(positions: &[u32]) -> Vec<f64> {
    const AT_THE_SIDE: f64 = 1.41;
    let has_sides = positions.iter().any(|position| position & SIDE != 0);
    let weight = |&position: &u32| match position {
        LOW_FREQUENCY => 0.0,
        _ if position & SIDE != 0 => AT_THE_SIDE,
        _ if position & BACK != 0 && !has_sides => AT_THE_SIDE,
        _ => 1.0,
    };
    positions.iter().map(weight).collect()
}
