//! The layers in their order.

use retake_signal::halves::Halves;

use crate::{
    BANDS, Frame, PATCH,
    layers::{Convolution, Map, pool},
    quantized::Quantized,
};

/// Magic word, then the version of the layout.
const HEADER: [u8; 8] = *b"ISMN\x01\0\0\0";
/// In the order in which `weights/extract.py` wrote them.
static WEIGHTS: &[u8] = include_bytes!("../weights/smn.f16");

/// How much a patch is each of three, together 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    pub speech: f32,
    pub music: f32,
    pub noise: f32,
}

pub struct Network {
    /// Of one number at each place; nine tenths of the work are in the others.
    first: Convolution,
    convolutions: [Quantized; 3],
    connected: [Convolution; 5],
    from: Map,
    to: Map,
}

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

impl Network {
    pub fn new() -> Self {
        let mut weights = Halves::open(WEIGHTS, &HEADER);
        let first = weights.take(7 * 4 * 64);
        let first = Convolution::new(7, 4, &first, weights.take(64));
        let mut quantized = |inputs: usize, outputs: usize| {
            let of_window = weights.take(3 * 3 * inputs * outputs);
            Quantized::new(3, 3, &of_window, weights.take(outputs))
        };
        let convolutions = [quantized(64, 128), quantized(128, 128), quantized(128, 256)];
        let mut layer = |outputs: usize| {
            let of_all = weights.take(256 * outputs);
            Convolution::new(1, 1, &of_all, weights.take(outputs))
        };
        let network = Self {
            first,
            convolutions,
            connected: [layer(256), layer(256), layer(256), layer(256), layer(3)],
            from: Map::new(),
            to: Map::new(),
        };
        assert!(weights.is_empty(), "there are weights left over");
        network
    }

    /// Of exactly [`PATCH`] frames; `None` where they are all alike, as silence is, or hold what is no number.
    pub fn listen(&mut self, patch: &[Frame]) -> Option<Share> {
        assert_eq!(patch.len(), PATCH);
        let values = || patch.iter().flat_map(|frame| frame.bands);
        let count = (PATCH * BANDS) as f32;
        let mean = values().sum::<f32>() / count;
        let variance = values().map(|x| (x - mean).powi(2)).sum::<f32>() / count;
        if !(variance.is_finite() && variance > 1e-8) {
            return None;
        }
        let scale = 1.0 / variance.sqrt();
        self.from.shape(PATCH, BANDS, 1);
        for (to, value) in self.from.values.iter_mut().zip(values()) {
            *to = (value - mean) * scale;
        }

        let [second, third, fourth] = &mut self.convolutions;
        let (a, b) = (&mut self.from, &mut self.to);
        self.first.run(a, true, b);
        pool(b, (4, 2), true, a);
        second.run(a, b);
        third.run(b, a);
        pool(a, (2, 2), true, b);
        fourth.run(b, a);
        pool(a, (4, 1), false, b);
        let [hidden @ .., last] = &mut self.connected;
        for layer in hidden {
            layer.run(b, true, a);
            std::mem::swap(a, b);
        }
        last.run(b, false, a);
        let greatest = a.values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let exponents = a.values.iter().map(|x| (x - greatest).exp());
        let all: f32 = exponents.clone().sum();
        let mut shares = exponents.map(|x| x / all);
        let mut next = || shares.next().unwrap_or(0.0);
        Some(Share {
            speech: next(),
            music: next(),
            noise: next(),
        })
    }
}
