//! Goes through audio in hops, each with enough around it to see what is wrong and to rebuild it.

use std::collections::VecDeque;

/// Takes audio in blocks of any length and hands it out again with each hop repaired.
pub struct Stretches {
    hop: usize,
    side: usize,
    /// Audio not yet handed out, after `side` frames that were.
    held: Vec<f32>,
    ready: VecDeque<f32>,
    left: u64,
    ended: bool,
}

impl Stretches {
    /// Stretches of `side + hop + side` frames.
    pub fn new(hop: usize, side: usize) -> Self {
        Self {
            hop,
            side,
            // Before the recording there was silence.
            held: vec![0.0; side],
            ready: VecDeque::new(),
            left: 0,
            ended: false,
        }
    }

    /// The hop's place in a stretch. Only there may `repair` change anything: what is before is
    /// out already, and what is after will be seen better.
    pub fn hop(&self) -> std::ops::Range<usize> {
        self.side..self.side + self.hop
    }

    pub fn push(&mut self, input: &[f32], repair: &mut impl FnMut(&mut [f32])) {
        self.held.extend_from_slice(input);
        self.left += input.len() as u64;
        while self.held.len() >= self.stretch() {
            self.next(repair);
        }
    }

    /// No more input: after the recording there is silence.
    pub fn end(&mut self, repair: &mut impl FnMut(&mut [f32])) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        while self.left > 0 {
            self.held.resize(self.held.len().max(self.stretch()), 0.0);
            self.next(repair);
        }
    }

    pub fn take(&mut self, max_frames: usize) -> Vec<f32> {
        let frames = max_frames.min(self.ready.len());
        self.ready.drain(..frames).collect()
    }

    fn stretch(&self) -> usize {
        self.side + self.hop + self.side
    }

    fn next(&mut self, repair: &mut impl FnMut(&mut [f32])) {
        let stretch = self.stretch();
        repair(&mut self.held[..stretch]);
        let out = self.hop.min(self.left as usize);
        self.ready.extend(&self.held[self.side..self.side + out]);
        self.left -= out as u64;
        self.held.drain(..self.hop);
    }
}
