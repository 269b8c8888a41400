//! What the fuzzer does with the encoders for as long as one likes, here for a while and always the same.
#![allow(clippy::unwrap_used)]

mod odd;

/// xorshift64*
fn bytes(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let step = |_| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 56) as u8
    };
    (0..count).map(step).collect()
}

#[test]
fn whatever_an_encoder_is_given_reads_back_as_long() {
    for seed in 1..=200 {
        odd::check(&bytes(seed, 64));
    }
}
