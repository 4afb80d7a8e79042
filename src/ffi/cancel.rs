//! `nomyo_cancel`.

use super::arguments::take_back;
use super::guard::guard_value;
use crate::client::Cancel;

/// Cancels the calls that it was given to. Any number of threads may use it at once; one frees it.
#[expect(non_camel_case_types, reason = "the name in C")]
pub struct nomyo_cancel {
    pub(super) cancel: Cancel,
}

/// Makes one that is not triggered.
///
/// Any thread; blocks on nothing. Free it with nomyo_cancel_free(). NULL after an internal error.
#[unsafe(no_mangle)]
pub extern "C" fn nomyo_cancel_new() -> *mut nomyo_cancel {
    guard_value(std::ptr::null_mut(), || Box::into_raw(Box::new(nomyo_cancel { cancel: Cancel::new() })))
}

/// Ends the calls under way whose options have `c`, and every later one, with NOMYO_ERR_CANCELLED. It stays triggered. A
/// call that generates keys ends when that is over; any other, whatever it waits for (a name, a connection, the server, its
/// turn, another thread's key fetch), at once or within a twentieth of a second. NULL does nothing.
///
/// Any thread; blocks on nothing. Not from a signal handler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_cancel_trigger(c: *const nomyo_cancel) {
    // SAFETY: the caller promises that `c` is NULL or alive.
    if let Some(handle) = unsafe { c.as_ref() } {
        guard_value((), || handle.cancel.trigger());
    }
}

/// Frees one. NULL does nothing. Calls and options that have it keep it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_cancel_free(c: *mut nomyo_cancel) {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    guard_value((), || unsafe { take_back(c) });
}
