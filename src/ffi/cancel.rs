//! `nomyo_cancel`.

use super::arguments::take_back;
use super::guard::{guard_new, guard_value};
use crate::client::Cancel;

/// Cancels the calls that it was given to. Any number of threads may use it at once; one frees it.
#[expect(non_camel_case_types, reason = "the name in C")]
pub struct nomyo_cancel {
    pub(super) cancel: Cancel,
}

/// Makes one that is not triggered.
///
/// Any thread; blocks on nothing. Free it with nomyo_cancel_free(). NULL after an internal error, or
/// if there is no memory.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn nomyo_cancel_new() -> *mut nomyo_cancel {
    guard_new(|| Box::into_raw(Box::new(nomyo_cancel { cancel: Cancel::new() })))
}

/// Ends the calls in flight that have `cancel`, in their options or in those of their client handle, and every later one, with
/// NOMYO_ERR_CANCELLED. It stays triggered. A call returns within a tenth of a second, whatever it waits for. NULL does
/// nothing.
///
/// Any thread; blocks on nothing. Not from a signal handler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_cancel_trigger(cancel: *const nomyo_cancel) {
    // SAFETY: the caller promises that `cancel` is NULL or alive.
    if let Some(handle) = unsafe { cancel.as_ref() } {
        guard_value((), || handle.cancel.trigger());
    }
}

/// Frees one. NULL does nothing. Calls and options that have it keep it.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_cancel_free(cancel: *mut nomyo_cancel) {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    guard_value((), || unsafe { take_back(cancel) });
}
