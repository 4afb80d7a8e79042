//! `nomyo_error`.

use std::ffi::{CString, c_char};

use super::arguments::{take_back, write_length};
use super::guard::guard_value;
use super::status::NOMYO_OK;
use crate::error::Error;

/// Why a call failed. Any number of threads may read it at once; one frees it.
#[expect(non_camel_case_types, reason = "the name in C")]
pub struct nomyo_error {
    error: Error,
    message: CString,
    /// The server's body with a NUL behind it; empty when there is none.
    details: Vec<u8>,
}

impl nomyo_error {
    pub(super) fn new(error: Error) -> nomyo_error {
        let message = CString::new(error.message().replace('\0', "")).unwrap_or_default();
        let mut details = error.details().to_vec();
        if !details.is_empty() {
            details.push(0);
        }
        nomyo_error { error, message, details }
    }
}

/// Reads from an error, or gives `otherwise` for NULL.
///
/// # Safety
/// `e` is NULL, or an error that is not freed during the call.
unsafe fn read<T>(e: *const nomyo_error, otherwise: T, get: impl FnOnce(&nomyo_error) -> T) -> T {
    // SAFETY: by the contract above, a non-NULL `e` is alive.
    match unsafe { e.as_ref() } {
        Some(e) => guard_value(otherwise, || get(e)),
        None => otherwise,
    }
}

/// The status of the failed call, one of the NOMYO_ERR_ numbers; NOMYO_OK for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_error_status(e: *const nomyo_error) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { read(e, NOMYO_OK, |e| e.error.status().code()) }
}

/// What happened, and what to do: one sentence of UTF-8, NUL-terminated, never prompt text, keys, memory addresses or
/// the server's words.
///
/// Lives in `e`: gone with nomyo_error_free(). `""` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_error_message(e: *const nomyo_error) -> *const c_char {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { read(e, c"".as_ptr(), |e| e.message.as_ptr()) }
}

/// The HTTP status of the server's answer; 0 when there was no answer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_error_http_status(e: *const nomyo_error) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { read(e, 0, |e| e.error.http_status().map_or(0, i32::from)) }
}

/// How long the server asked to wait before the next attempt, in milliseconds; -1 when it did not say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_error_retry_after_ms(e: *const nomyo_error) -> i64 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe {
        read(e, -1, |e| e.error.retry_after().map_or(-1, |wait| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// 1 when the same call may succeed if it is repeated soon (within two minutes), otherwise 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_error_retryable(e: *const nomyo_error) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { read(e, 0, |e| i32::from(e.error.is_retryable())) }
}

/// How many times the network was tried, for the request or for the key fetch before it; 0 when it never was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_error_attempts(e: *const nomyo_error) -> u32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { read(e, 0, |e| e.error.attempts()) }
}

/// The body of the server's error answer: at most 64 KiB, NUL-terminated, any bytes. UNTRUSTED: nobody has
/// authenticated it; do not show it as if the server's enclave had said it.
///
/// `len`, unless NULL, receives its length in bytes without the NUL. Lives in `e`: gone with nomyo_error_free().
/// NULL when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_error_details(e: *const nomyo_error, len: *mut usize) -> *const c_char {
    let measure = |e: &nomyo_error| match e.details.len() {
        0 => (std::ptr::null(), 0),
        n => (e.details.as_ptr().cast(), n - 1),
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    let (data, size) = unsafe { read(e, (std::ptr::null(), 0), measure) };
    // SAFETY: the caller promises that `len`, unless NULL, is writable.
    unsafe { write_length(len, size) };
    data
}

/// Frees an error. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_error_free(e: *mut nomyo_error) {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    guard_value((), || unsafe { take_back(e) });
}
