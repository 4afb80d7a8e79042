//! Secrets for callers: each in a region of its own, ending where the guard page begins.

use std::ptr::NonNull;

use super::refusal::refused;
use super::region::{self, Header, Kind};
use super::{heap, os};
use crate::error::Result;

/// `len` zero bytes; the byte behind them faults when it is touched. Aligned for any type whose size divides `len`.
///
/// # Errors
/// [`Status::Memory`](crate::Status::Memory), or [`Status::Security`](crate::Status::Security): the policy requires a
/// lock that the system refuses.
pub fn alloc_guarded(len: usize) -> Result<NonNull<u8>> {
    let header = heap::region_of_its_own(Kind::Secret, len.max(1)).map_err(|why| refused(why, len))?;
    // SAFETY: just mapped.
    let region = unsafe { header.as_ref() };
    // SAFETY: the region is at least `len` bytes long, so this lies within it or, for 0, just behind it.
    Ok(unsafe { region.data().add(region.len() - len) })
}

/// Wipes a secret and gives back its lock and its pages. The addresses stay mapped until [`free_guarded`]. Until then a late
/// read finds zeros, and a late write does not fault.
///
/// # Safety
/// `secret` came from [`alloc_guarded`] and has not been freed, and nobody relies on what is in it any more.
pub unsafe fn retire_guarded(secret: NonNull<u8>) {
    // SAFETY: as for free_guarded.
    unsafe {
        let header = region::find(secret);
        wipe_all(header);
        region::retire(header);
    }
}

/// Wipes and unmaps.
///
/// # Safety
/// `secret` came from [`alloc_guarded`], and nobody uses it any more.
pub unsafe fn free_guarded(secret: NonNull<u8>) {
    // SAFETY: a secret begins within its region's first page of data (or ends a one-page one), whatever its length:
    // that is within the first megabyte.
    let header = unsafe { region::find(secret) };
    // SAFETY: alive until unmapped below; its data is ours by the contract.
    unsafe {
        wipe_all(header);
        region::unmap(header);
    }
}

/// # Safety
/// `header` is alive, and its data the caller's.
unsafe fn wipe_all(header: NonNull<Header>) {
    // SAFETY: by the contract above.
    unsafe {
        let region = header.as_ref();
        os::wipe(std::slice::from_raw_parts_mut(region.data().as_ptr(), region.len()));
    }
}
