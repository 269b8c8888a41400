//! Takes the weights out of their file, in the order in which `weights/extract.py` wrote them.

/// Magic word, then the version of the layout.
const HEADER: [u8; 8] = *b"DFN3\x01\0\0\0";
static FILE: &[u8] = include_bytes!("../weights/dfn3.f16");

pub struct Weights {
    rest: &'static [u8],
}

impl Weights {
    pub fn open() -> Self {
        let rest = FILE
            .strip_prefix(&HEADER)
            .expect("the file in the source begins like this");
        Self { rest }
    }

    pub fn take(&mut self, count: usize) -> Vec<f32> {
        let (taken, rest) = self.rest.split_at(2 * count);
        self.rest = rest;
        let halves = taken.as_chunks::<2>().0;
        halves
            .iter()
            .map(|half| widened(u16::from_le_bytes(*half)))
            .collect()
    }

    /// One number for each channel or output.
    pub fn row<const N: usize>(&mut self) -> Box<[f32; N]> {
        boxed(self.take(N))
    }

    /// Several of these rows.
    pub fn rows<const N: usize, const ROWS: usize>(&mut self) -> Box<[[f32; N]; ROWS]> {
        let all = self.take(N * ROWS);
        boxed(all.as_chunks::<N>().0.to_vec())
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

fn boxed<T: std::fmt::Debug, const N: usize>(all: Vec<T>) -> Box<[T; N]> {
    all.into_boxed_slice()
        .try_into()
        .expect("as many were taken")
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

    #[test]
    fn every_weight_of_the_file_is_a_number() {
        let mut weights = Weights::open();
        let all = weights.take(weights.rest.len() / 2);
        assert_eq!(all.len(), 2_134_384);
        assert!(all.iter().all(|weight| weight.is_finite()));
        assert!(weights.is_empty());
    }
}
