//! Takes the weights out of their file, in the order in which `weights/extract.py` wrote them.

use retake_signal::halves::Halves;

/// Magic word, then the version of the layout.
const HEADER: [u8; 8] = *b"DFN3\x01\0\0\0";
static FILE: &[u8] = include_bytes!("../weights/dfn3.f16");

pub struct Weights(Halves);

impl Weights {
    pub fn open() -> Self {
        Self(Halves::open(FILE, &HEADER))
    }

    pub fn take(&mut self, count: usize) -> Vec<f32> {
        self.0.take(count)
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
        self.0.is_empty()
    }
}

fn boxed<T: std::fmt::Debug, const N: usize>(all: Vec<T>) -> Box<[T; N]> {
    all.into_boxed_slice()
        .try_into()
        .expect("as many were taken")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_weight_of_the_file_is_a_number() {
        let mut weights = Weights::open();
        let all = weights.take(weights.0.len());
        assert_eq!(all.len(), 2_134_384);
        assert!(all.iter().all(|weight| weight.is_finite()));
        assert!(weights.is_empty());
    }
}
