//! Handles that a call keeps. The log function may free a handle during the call: the handle lives until the call ends.

use std::sync::Arc;

use super::arguments::null;
use crate::error::Result;

/// Makes a handle for the caller, who releases it once.
pub(super) fn give<T>(value: T) -> *mut T {
    Arc::into_raw(Arc::new(value)).cast_mut()
}

/// Keeps a handle for as long as the result lives. An error names the parameter if the handle is NULL.
///
/// # Safety
/// `handle` is NULL, or came from [`give`] and is not released yet.
pub(super) unsafe fn keep<T>(handle: *const T, name: &str) -> Result<Arc<T>> {
    // SAFETY: by the contract above.
    unsafe { keep_or_none(handle) }.ok_or_else(|| null(name))
}

/// As [`keep`], with NULL for none.
///
/// # Safety
/// As for [`keep`].
pub(super) unsafe fn keep_or_none<T>(handle: *const T) -> Option<Arc<T>> {
    if handle.is_null() {
        return None;
    }
    // SAFETY: by the contract above the caller has a reference of its own, which lasts until the count is incremented.
    unsafe {
        Arc::increment_strong_count(handle);
        Some(Arc::from_raw(handle))
    }
}

/// Drops the caller's reference. NULL does nothing.
///
/// # Safety
/// `handle` is NULL, or came from [`give`] and is not used by the caller again.
pub(super) unsafe fn release<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: by the contract above the caller's reference is this one.
        drop(unsafe { Arc::from_raw(handle) });
    }
}
