//! A gated recurrent layer of 256 units (K. Cho et al., 2014), its reset gate behind the multiplication.

use crate::activation::{sigmoid, tanh};
use crate::matrix::{Matrix, Recurrence, Stride};
use crate::weights::Weights;
use crate::{BATCH, UNITS};

/// Update, reset and new, one behind the other.
const GATES: usize = 3 * UNITS;

pub struct Recurrent {
    from_input: Matrix,
    input_bias: Vec<f32>,
    from_state: Recurrence,
    state_bias: Vec<f32>,
    state: [f32; UNITS],
    gates: Vec<f32>,
}

impl Recurrent {
    pub fn new(weights: &mut Weights) -> Self {
        Self {
            from_input: Matrix::new(&weights.take(UNITS * GATES), GATES),
            from_state: Recurrence::new(&weights.take(UNITS * GATES), GATES),
            input_bias: weights.take(GATES),
            state_bias: weights.take(GATES),
            state: [0.0; UNITS],
            gates: vec![0.0; BATCH * GATES],
        }
    }

    /// Takes a batch of frames, and hands out the states after each.
    pub fn run(&mut self, input: &[f32], output: &mut [f32]) {
        let gates = (self.gates.as_mut_slice(), Stride(GATES));
        self.from_input
            .times((input, Stride(UNITS)), BATCH, Some(&self.input_bias), gates);
        let mut recurrent = [0.0; GATES];
        let frames = self.gates.as_chunks::<GATES>().0.iter();
        for (gates, output) in frames.zip(output.as_chunks_mut::<UNITS>().0) {
            self.from_state
                .times(&self.state, &self.state_bias, &mut recurrent);
            step(gates, &recurrent, &mut self.state);
            *output = self.state;
        }
    }
}

fn step(input: &[f32; GATES], recurrent: &[f32; GATES], state: &mut [f32; UNITS]) {
    let [input_update, input_reset, input_new] = thirds(input);
    let [update, reset, new] = thirds(recurrent);
    for n in 0..UNITS {
        let update = sigmoid(input_update[n] + update[n]);
        let reset = sigmoid(input_reset[n] + reset[n]);
        let new = tanh(input_new[n] + reset * new[n]);
        state[n] = new + update * (state[n] - new);
    }
}

fn thirds(gates: &[f32; GATES]) -> [&[f32; UNITS]; 3] {
    let parts = gates.as_chunks::<UNITS>().0;
    [&parts[0], &parts[1], &parts[2]]
}
