//! Locks on memory that belongs to the caller, counted per page, because mlock does not nest on most systems.

use std::collections::BTreeMap;

use super::page_counts::COUNTS;
use super::{fork, os, region};
use crate::error::{Error, Result, Status};

/// Locks the pages that `start..start + len` touches, once more each.
///
/// # Errors
/// [`Status::Security`]: the system refused, and nothing more is locked than before.
///
/// # Safety
/// The range is mapped.
pub unsafe fn lock_pages(start: *const u8, len: usize) -> Result<()> {
    fork::watch();
    let pages = pages(start, len)?;
    COUNTS.with(|counts| lock_each(counts, &pages))
}

fn lock_each(counts: &mut BTreeMap<usize, usize>, pages: &Pages) -> Result<()> {
    for (done, page) in pages.clone().enumerate() {
        // A count does not say that the page is locked: it may stand for memory that was unmapped before it was unlocked.
        // SAFETY: the page is part of a range that is mapped, by the promise of lock_pages' caller.
        if !unsafe { os::lock(address(page), 1) } {
            let error = std::io::Error::last_os_error();
            let (why, ours) = (error.kind(), touched(pages));
            if os::may_be_locked_after(&error) {
                *counts.entry(page).or_insert(0) += 1;
                give_up(counts, page, ours);
            }
            for page in pages.clone().take(done) {
                give_up(counts, page, ours);
            }
            return Err(Error::new(
                Status::Security,
                format!(
                    "the system refused to lock the memory ({why}): {}, and see that the range is yours",
                    os::lock_limit_advice()
                ),
            ));
        }
        *counts.entry(page).or_insert(0) += 1;
    }
    Ok(())
}

/// Undoes one [`lock_pages`] of the same range. Pages that others locked stay locked.
///
/// # Errors
/// [`Status::Argument`]: a page of the range is not locked by `lock_pages`.
///
/// # Safety
/// The range was locked by the caller. Where it has been unmapped meanwhile, nothing happens; what others have mapped
/// there since loses a lock that it has by other means.
pub unsafe fn unlock_pages(start: *const u8, len: usize) -> Result<()> {
    let pages = pages(start, len)?;
    COUNTS.with(|counts| {
        if !pages.clone().all(|page| counts.contains_key(&page)) {
            return Err(Error::argument("this memory was not locked with nomyo_lock; unlock what was locked, once"));
        }
        let ours = touched(&pages);
        for page in pages {
            give_up(counts, page, ours);
        }
        Ok(())
    })
}

/// Whether some of the pages are the vault's, which keeps its own locks.
fn touched(pages: &Pages) -> bool {
    let mut pages = pages.clone();
    pages.next().is_some_and(|first| region::touches(first, pages.next_back().unwrap_or(first) + os::page_size()))
}

/// Takes one lock off a page that has one. `ours`: it may be the vault's. Where the system counts locks, it counts the vault's lock
/// apart from the caller's.
fn give_up(counts: &mut BTreeMap<usize, usize>, page: usize, ours: bool) {
    let Some(count) = counts.get_mut(&page) else { return };
    *count -= 1;
    let is_last = *count == 0;
    if is_last {
        counts.remove(&page);
    }
    if os::LOCKS_NEST || (is_last && !(ours && region::touches(page, page + 1))) {
        // SAFETY: unlocking changes no contents, and does nothing where nothing is mapped.
        unsafe { os::unlock(address(page), 1) };
    }
}

fn address(page: usize) -> *const u8 {
    std::ptr::without_provenance(page)
}

type Pages = std::iter::StepBy<std::ops::Range<usize>>;

/// The addresses of the pages that a range touches.
fn pages(start: *const u8, len: usize) -> Result<Pages> {
    let page = os::page_size();
    let first = start.addr() / page * page;
    let end = start
        .addr()
        .checked_add(len)
        .ok_or_else(|| Error::argument("this much memory does not exist behind that address"))?;
    Ok((first..if len == 0 { first } else { end }).step_by(page))
}
