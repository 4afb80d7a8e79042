//! Counters: what clients cost, control requests left out.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde::Serialize;

/// The live counters. They are independent of one another, so relaxed order is enough.
#[derive(Default)]
pub(crate) struct Stats {
    pub connections: AtomicU64,
    pub key_fetches: AtomicU64,
    pub requests: AtomicU64,
    pub bytes_in: AtomicU64,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StatsSnapshot {
    /// Connections that carried at least one request other than control requests.
    pub connections: u64,
    /// Requests for the server's public key.
    pub key_fetches: u64,
    /// Chat requests, refused ones included.
    pub requests: u64,
    /// Bytes of chat request bodies.
    pub bytes_in: u64,
}

impl Stats {
    pub fn snapshot(&self) -> StatsSnapshot {
        StatsSnapshot {
            connections: self.connections.load(Relaxed),
            key_fetches: self.key_fetches.load(Relaxed),
            requests: self.requests.load(Relaxed),
            bytes_in: self.bytes_in.load(Relaxed),
        }
    }

    pub fn reset(&self) {
        for counter in [&self.connections, &self.key_fetches, &self.requests, &self.bytes_in] {
            counter.store(0, Relaxed);
        }
    }
}

/// Adds to a counter.
pub(crate) fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Relaxed);
}
