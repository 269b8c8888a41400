//! Weights of a network as they lie in its file: a header, then 16-bit floats in the order in which a script
//! wrote them and the network takes them.

pub struct Halves {
    rest: &'static [u8],
}

impl Halves {
    /// `header` is a magic word and the version of the layout.
    pub fn open(file: &'static [u8], header: &[u8; 8]) -> Self {
        let rest = file
            .strip_prefix(header)
            .expect("the file in the source begins like this");
        Self { rest }
    }

    pub fn take(&mut self, count: usize) -> Vec<f32> {
        let (taken, rest) = self.rest.split_at(2 * count);
        self.rest = rest;
        let halves = taken.as_chunks::<2>().0.iter();
        halves
            .map(|half| widened(u16::from_le_bytes(*half)))
            .collect()
    }

    /// How many are left.
    pub fn len(&self) -> usize {
        self.rest.len() / 2
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

/// A 16-bit float as one of 32.
fn widened(half: u16) -> f32 {
    let sign = u32::from(half & 0x8000) << 16;
    // The exponent's offset is 15 there and 127 here; multiplying also makes subnormal halves normal.
    let magnitude =
        f32::from_bits(u32::from(half & 0x7fff) << 13) * f32::from_bits((254 - 15) << 23);
    f32::from_bits(magnitude.to_bits() | sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_widened_exactly() {
        for (half, expected) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x3555, 0.333_251_95),
            (0x7bff, 65504.0),
            (0x0400, 6.103_515_6e-5),
            (0x0001, 5.960_464_5e-8),
            (0x83ff, -6.097_555e-5),
        ] {
            assert_eq!(widened(half), expected, "{half:#06x}");
        }
        assert!(widened(0x8000).is_sign_negative());
    }
}
