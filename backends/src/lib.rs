//! What stands behind the seams of `retake_jobs`: each technology one room with one door. Which of
//! them is used, the wiring says; nobody else knows them by name.

pub mod memory;
pub mod rabbitmq;
pub mod sqlite;
