//! Sends what the outbox holds, and sweeps up what went missing.
