//! Takes the weights out of their file, in the order in which `weights/extract.py` wrote them.

/// Magic word, then the version of the layout.
const HEADER: [u8; 8] = *b"ISMN\x01\0\0\0";
static FILE: &[u8] = include_bytes!("../weights/smn.f16");

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
        let halves = taken.as_chunks::<2>().0.iter();
        halves
            .map(|half| widened(u16::from_le_bytes(*half)))
            .collect()
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
