//! How much a decoder makes of Vorbis's setup header before it has seen a packet: a few bytes can
//! state a codebook of millions of numbers, and there may be 256 of them.

/// Numbers of all codebooks together. Encoders need a hundred thousand.
const NUMBERS_MAX: u64 = 1 << 22;
const SYNC: u32 = 0x56_4342;
/// Kind of packet and "vorbis".
const HEADER_BITS: usize = 8 * 7;

/// Whether the codebooks are of a size that a decoder can be given (Vorbis I, section 3.2.1). Not
/// whether they are right.
pub(super) fn are_moderate(setup: &[u8]) -> bool {
    numbers(setup).is_some()
}

/// `None` where the header ends before its codebooks do, and where there are too many numbers.
fn numbers(setup: &[u8]) -> Option<u64> {
    let mut bits = Bits {
        bytes: setup,
        at: HEADER_BITS,
    };
    let mut sum = 0;
    for _ in 0..=bits.take(8)? {
        sum += codebook(&mut bits)?;
        if sum > NUMBERS_MAX {
            return None;
        }
    }
    Some(sum)
}

fn codebook(bits: &mut Bits<'_>) -> Option<u64> {
    if bits.take(24)? != SYNC {
        return None;
    }
    let (dimensions, entries) = (bits.take(16)?, bits.take(24)?);
    let is_ordered = bits.take(1)? == 1;
    if is_ordered {
        bits.take(5)?;
        let mut left = entries;
        while left > 0 {
            let run = bits.take(u32::BITS - left.leading_zeros())?;
            left = left.checked_sub(run)?;
        }
    } else if bits.take(1)? == 1 {
        for _ in 0..entries {
            let is_used = bits.take(1)? == 1;
            bits.take(if is_used { 5 } else { 0 })?;
        }
    } else {
        bits.skip(5 * u64::from(entries))?;
    }
    let product = u64::from(entries) * u64::from(dimensions);
    let stored = match bits.take(4)? {
        0 => return Some(entries.into()),
        1 => u64::from(root(entries, dimensions)),
        2 => product,
        _ => return None,
    };
    // The least value and the step.
    bits.skip(32 + 32)?;
    let value_bits = bits.take(4)? + 1;
    // Whether they add up.
    bits.take(1)?;
    bits.skip(stored * u64::from(value_bits))?;
    Some(u64::from(entries) + product)
}

/// The greatest number whose power does not exceed the entries.
fn root(entries: u32, dimensions: u32) -> u32 {
    let fits = |number: u32| {
        number
            .checked_pow(dimensions)
            .is_some_and(|power| power <= entries)
    };
    // Bit by bit, the highest first.
    (0..24).rev().fold(0, |root, bit| {
        let next = root | 1 << bit;
        if dimensions > 0 && fits(next) {
            next
        } else {
            root
        }
    })
}

/// The least significant bit first, unlike everywhere else.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for bit in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value |= u32::from(byte >> (self.at % 8) & 1) << bit;
            self.at += 1;
        }
        Some(value)
    }

    fn skip(&mut self, count: u64) -> Option<()> {
        let left = (self.bytes.len() * 8).checked_sub(self.at)?;
        let count = usize::try_from(count).ok().filter(|count| *count <= left)?;
        self.at += count;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Default)]
    struct Written(Vec<bool>);

    impl Written {
        fn put(&mut self, value: u32, count: u32) {
            self.0.extend((0..count).map(|bit| value >> bit & 1 != 0));
        }

        fn bytes(&self) -> Vec<u8> {
            let byte = |bits: &[bool]| {
                let bits = bits.iter().enumerate();
                bits.fold(0u8, |byte, (at, bit)| byte | u8::from(*bit) << at)
            };
            self.0.chunks(8).map(byte).collect()
        }
    }

    /// So many codebooks of 2^17 vectors with 32 dimensions, all of which are the same number.
    fn large(codebooks: u32) -> Vec<u8> {
        let mut setup = Written::default();
        b"\x05vorbis"
            .iter()
            .for_each(|&byte| setup.put(byte.into(), 8));
        setup.put(codebooks - 1, 8);
        for _ in 0..codebooks {
            setup.put(SYNC, 24);
            setup.put(32, 16);
            setup.put(1 << 17, 24);
            // All codewords have 17 bits.
            setup.put(1, 1);
            setup.put(16, 5);
            setup.put(1 << 17, 18);
            setup.put(1, 4);
            setup.put(0, 32);
            setup.put(0, 32);
            setup.put(0, 4);
            setup.put(0, 1);
            setup.put(1, 1);
        }
        setup.bytes()
    }

    #[test]
    fn a_few_bytes_that_would_be_gigabytes_are_too_much() {
        let setup = large(256);
        assert!(setup.len() < 8 << 10);
        assert!(!are_moderate(&setup));
        assert_eq!(numbers(&large(1)), None);
    }

    #[test]
    fn what_an_encoder_writes_is_moderate() {
        let file = include_bytes!("../../../tests/fixtures/chirp-vorbis-5.1.ogg");
        let at = file.windows(7).position(|name| name == b"\x05vorbis");
        // In pages, so not all of it lies together.
        let setup = &file[at.unwrap()..];
        let mut bits = Bits {
            bytes: setup,
            at: HEADER_BITS + 8,
        };
        let first = codebook(&mut bits).unwrap();
        assert!((1..100_000).contains(&first), "{first}");
        assert_eq!(bits.take(24), Some(SYNC));
    }

    #[test]
    fn the_root_is_the_greatest_that_fits() {
        for (entries, dimensions, expected) in [
            (6561, 8, 3),
            (6560, 8, 2),
            (1 << 17, 32, 1),
            (81, 2, 9),
            (80, 2, 8),
            (5, 1, 5),
            (0, 3, 0),
            (9, 0, 0),
        ] {
            assert_eq!(
                root(entries, dimensions),
                expected,
                "{entries} {dimensions}"
            );
        }
    }
}
