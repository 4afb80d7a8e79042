//! The honest report: what protection is in force, from what the system calls returned.

use std::sync::atomic::Ordering;

use super::policy::{self, MemoryPolicy};
use super::{fork, os, refusal, region};

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
    pub policy: MemoryPolicy,
    /// The level that is reached.
    pub level: MemoryLevel,
    /// The system's page size.
    pub page_size: u64,
    /// `RLIMIT_MEMLOCK`, in bytes. `None` if there is no limit. On Windows the minimum working set, which is raised on demand.
    pub limit: Option<u64>,
    /// Mapped for what is to be locked.
    pub mapped: u64,
    /// Locked of it.
    pub locked: u64,
    /// Refused by the system.
    pub refused: u64,
    /// Whether all of it is excluded from core dumps. On Windows: from the dumps of Windows Error Reporting, and of nothing else.
    /// False on macOS, which has no such exclusion.
    pub dump_excluded: bool,
    /// Whether prompts, answers, private keys and AES keys read as zeros in a forked child. True on Windows, which has no fork.
    /// False on macOS, where the library wipes them in the child itself.
    pub fork_excluded: bool,
}

impl MemoryInfo {
    /// Reads the counters. Does not block; any thread may call it.
    pub fn get() -> MemoryInfo {
        fork::settle();
        let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let (mapped, locked, refused) = (read(&region::MAPPED), read(&region::LOCKED), read(&region::REFUSED));
        let keys_inside = refusal::keys_outside().is_none();
        let dump_excluded = keys_inside && read(&region::DUMPABLE) == 0;
        let level = match (locked, mapped) {
            (0, _) => MemoryLevel::WipeOnly,
            (locked, mapped) if locked >= mapped && dump_excluded => MemoryLevel::Full,
            _ => MemoryLevel::Partial,
        };
        MemoryInfo {
            policy: policy::current(),
            level,
            page_size: os::page_size() as u64,
            limit: Some(os::lock_limit()).filter(|limit| *limit != u64::MAX),
            mapped,
            locked,
            refused,
            dump_excluded,
            fork_excluded: keys_inside && read(&region::INHERITED) == 0,
        }
    }
}
