//! Everything at once, for as long as one likes: servers and workers under steady load from several
//! sessions whose listeners come and go, while whatever can fail fails, in an order that a seed gives.
//! Then the faults stop, what waits is done, and the verdict is read:
//!
//! - no recording that was answered 202 is lost, none is there twice or although it was refused, and each
//!   has one end and one result, the same bytes as every other of its kind;
//! - none failed but through its own fault, and each that is at fault failed for just that;
//! - every listener heard of everything, in order, each once, whatever became of its connections;
//! - nothing is left over: no lease, file, process, descriptor or message.
//!
//! `plan` says what is struck when, `house` is what is struck, `faults` how. `work` is what is handed
//! in, `load` and `listeners` are the people, `ledger` what they saw, `verdict` what to think of it.
//!
//! `RETAKE_TEST_CHAOS_SEED` repeats an order of faults, `RETAKE_TEST_CHAOS_SECONDS` (25) says how long each queue
//! is struck, `RETAKE_TEST_PROGRAM` which program. `benches/run chaos` does that for twenty minutes.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod disk;
mod faults;
mod full;
mod house;
mod ledger;
mod leftovers;
mod listeners;
mod load;
mod plan;
mod random;
mod run;
mod stories;
mod verdict;
mod work;

use anyhow::Result;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_but_its_own_fails_a_job_on_the_embedded_queue() -> Result<()> {
    run::chaos("embedded", false).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_but_its_own_fails_a_job_on_rabbitmq() -> Result<()> {
    run::chaos("rabbitmq", true).await
}
