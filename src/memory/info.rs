//! The honest report: what protection is in force, from what the system calls returned.

use std::sync::atomic::Ordering;

use super::policy::{self, Policy};
use super::{fork, region, system};

/// How well secrets are protected in memory, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
#[non_exhaustive]
pub enum MemoryLevel {
    /// Secrets are wiped when they are released; no page could be, or was to be, locked.
    WipeOnly = 0,
    /// Some of the library's memory is locked and kept out of core dumps, some could not be.
    Partial = 1,
    /// All of the library's memory but ciphertext is locked, and all of it is kept out of core dumps.
    Full = 2,
}

/// What is in force, in bytes where a size is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryInfo {
    /// The policy in force: the strictest of the clients that are alive.
    pub policy: Policy,
    /// The level that is reached.
    pub level: MemoryLevel,
    /// The system's page size.
    pub page_size: u64,
    /// `RLIMIT_MEMLOCK`; `u64::MAX` when there is no limit.
    pub limit: u64,
    /// Mapped for what is to be locked.
    pub mapped: u64,
    /// Locked of it.
    pub locked: u64,
    /// Refused by the system.
    pub refused: u64,
    /// Whether all of it is excluded from core dumps.
    pub dump_excluded: bool,
    /// Whether prompts, answers, private keys and AES keys read as zeros in a forked child.
    pub fork_excluded: bool,
}

impl MemoryInfo {
    /// Reads the counters. Does not block; any thread may call it.
    pub fn get() -> MemoryInfo {
        fork::settle();
        let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let (mapped, locked, refused) = (read(&region::MAPPED), read(&region::LOCKED), read(&region::REFUSED));
        let dump_excluded = read(&region::DUMPABLE) == 0;
        let level = match (locked, mapped) {
            (0, _) => MemoryLevel::WipeOnly,
            (locked, mapped) if locked >= mapped && dump_excluded => MemoryLevel::Full,
            _ => MemoryLevel::Partial,
        };
        MemoryInfo {
            policy: policy::current(),
            level,
            page_size: system::page_size() as u64,
            limit: system::lock_limit(),
            mapped,
            locked,
            refused,
            dump_excluded,
            fork_excluded: read(&region::INHERITED) == 0,
        }
    }
}
