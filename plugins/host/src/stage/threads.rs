//! A lane on a thread of its own.
//!
//! Orders go in and answers come out in order; a few are under way at a time, so that the lane works
//! while the pipeline fetches the next batch. The thread ends with the last order, at the first
//! error, or when the stage is dropped.

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use retake_audio::{Block, StageError};

use super::lane::Lane;
use crate::earlier::EarlierStep;

/// Batches a lane may be behind.
const UNDER_WAY_MAX: usize = 2;

enum Order {
    Hear(Vec<EarlierStep>),
    Analyze(Block),
    Process(Block),
    Finish,
}

pub struct LaneThread {
    orders: Sender<Order>,
    answers: Receiver<Result<Block, StageError>>,
    under_way: usize,
}

impl LaneThread {
    pub fn start(mut lane: Lane) -> Result<Self, StageError> {
        // Unbounded, and bounded all the same by the count of what is under way.
        let (orders, ordered) = channel();
        let (answer, answers) = channel();
        thread::Builder::new()
            .name("plugin lane".into())
            .spawn(move || {
                for order in ordered {
                    let mut ready = Block::new(1);
                    let done = match order {
                        Order::Hear(steps) => lane.hear(&steps),
                        Order::Analyze(block) => lane.analyze(&block),
                        Order::Process(block) => lane.process(&block, &mut ready),
                        Order::Finish => lane.finish(&mut ready),
                    };
                    let failed = done.is_err();
                    if answer.send(done.map(|()| ready)).is_err() || failed {
                        return;
                    }
                }
            })
            .map_err(|error| StageError::Crashed {
                message: format!("no thread for a channel of the plugin: {error}"),
            })?;
        Ok(Self {
            orders,
            answers,
            under_way: 0,
        })
    }

    pub fn hear(&mut self, steps: &[EarlierStep]) -> Result<(), StageError> {
        self.order(Order::Hear(steps.to_vec()))
    }

    pub fn analyze(&mut self, block: Block) -> Result<(), StageError> {
        self.order(Order::Analyze(block))
    }

    pub fn process(&mut self, block: Block) -> Result<(), StageError> {
        self.order(Order::Process(block))
    }

    pub fn finish(&mut self) -> Result<(), StageError> {
        self.order(Order::Finish)
    }

    /// The answers that are there; waits until no more than a few orders are under way.
    pub fn wait_while_busy(&mut self) -> Result<Vec<Block>, StageError> {
        self.wait_until(UNDER_WAY_MAX)
    }

    pub fn wait_for_all(&mut self) -> Result<Vec<Block>, StageError> {
        self.wait_until(0)
    }

    fn wait_until(&mut self, under_way_max: usize) -> Result<Vec<Block>, StageError> {
        let mut blocks = Vec::new();
        while self.under_way > under_way_max {
            blocks.push(self.answers.recv().map_err(|_| gone())??);
            self.under_way -= 1;
        }
        Ok(blocks)
    }

    fn order(&mut self, order: Order) -> Result<(), StageError> {
        if self.orders.send(order).is_ok() {
            self.under_way += 1;
            return Ok(());
        }
        // The thread has ended: one of the answers says why.
        while let Ok(answer) = self.answers.recv() {
            answer?;
        }
        Err(gone())
    }
}

/// The thread panicked: a defect of the host, not of the plugin.
fn gone() -> StageError {
    StageError::Crashed {
        message: "the thread of a plugin's channel ended unexpectedly".into(),
    }
}
