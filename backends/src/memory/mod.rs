//! Everything in one process's memory, for tests and simulations; the news also for backends that
//! hear of them by themselves.

mod blobs;
mod events;
mod queue;
mod store;

pub use blobs::MemoryBlobs;
pub use events::LocalEvents;
pub use queue::MemoryQueue;
pub use store::MemoryStore;
