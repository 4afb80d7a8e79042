//! The functions that read `nomyo_error`.

use std::ffi::c_char;

use super::arguments::{address, take_back, text, write_length};
use super::error_handle::nomyo_error;
use super::guard::guard_value;
use super::headers::listed;
use super::status::{NOMYO_OK, NOMYO_SENT_NO, sent_number};

/// Reads from an error, or gives `otherwise` for NULL.
///
/// # Safety
/// `error` is NULL, or an error that is not freed during the call.
unsafe fn read<T>(error: *const nomyo_error, otherwise: T, get: impl FnOnce(&nomyo_error) -> T) -> T {
    // SAFETY: by the contract above, a non-NULL `error` is alive.
    match unsafe { error.as_ref() } {
        Some(error) => guard_value(otherwise, || get(error)),
        None => otherwise,
    }
}

/// The status of the failed call, one of the NOMYO_ERR_ numbers; NOMYO_OK for NULL.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_error_status(error: *const nomyo_error) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { read(error, NOMYO_OK, |error| error.error.status().code()) }
}

/// What happened, and what to do: one sentence of UTF-8, NUL-terminated, never prompt text, keys, memory addresses or
/// the server's words.
///
/// Lives in `error`: gone with nomyo_error_free(). `""` for NULL.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_error_message(error: *const nomyo_error) -> *const c_char {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { read(error, c"".as_ptr(), |error| error.message.as_ptr()) }
}

/// The HTTP status of the server's answer; 0 when there was no answer.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_error_http_status(error: *const nomyo_error) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { read(error, 0, |error| error.error.http_status().map_or(0, i32::from)) }
}

/// How long the server asked to wait before the next attempt, in milliseconds; -1 when it did not say.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_error_retry_after_ms(error: *const nomyo_error) -> i64 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe {
        read(error, -1, |error| {
            error.error.retry_after().map_or(-1, |wait| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
        })
    }
}

/// 1 when the same call may succeed if it is repeated soon (within two minutes), otherwise 0.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_error_retryable(error: *const nomyo_error) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { read(error, 0, |error| i32::from(error.error.is_retryable())) }
}

/// How many times the request was sent; if it never was, how many times the server's key was fetched. 0 if the network was
/// not used.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_error_attempts(error: *const nomyo_error) -> u32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { read(error, 0, |error| error.error.attempts()) }
}

/// Whether the request left this process: one of NOMYO_SENT_NO, NOMYO_SENT_MAYBE, NOMYO_SENT_YES. NOMYO_SENT_NO for functions
/// that send no request, and for NULL.
///
/// Send a request again without thinking only after NOMYO_SENT_NO: after NOMYO_SENT_MAYBE the server may have processed it.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_error_sent(error: *const nomyo_error) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { read(error, NOMYO_SENT_NO, |error| sent_number(error.error.sent())) }
}

/// The id of the failed request, as in its X-Payload-ID header and in the server's log: 36 ASCII characters, NUL-terminated.
///
/// Lives in `error`: gone with nomyo_error_free(). NULL if no request was sealed, and for NULL.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_error_payload_id(error: *const nomyo_error) -> *const c_char {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe {
        read(error, std::ptr::null(), |error| error.payload_id.as_ref().map_or(std::ptr::null(), |id| id.as_ptr()))
    }
}

/// The `X-Request-ID` of the last HTTP response, NUL-terminated: the log of a gateway in front of the server has the same. At
/// most 128 visible ASCII characters; a longer one counts as absent. UNTRUSTED: nobody has authenticated it.
///
/// Lives in `error`: gone with nomyo_error_free(). NULL if there was no such header, and for NULL.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_error_request_id(error: *const nomyo_error) -> *const c_char {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { read(error, std::ptr::null(), |error| address(error.error.headers().request_id())) }
}

/// The value of the header `name`, in any case, of the last HTTP response, NUL-terminated. Otherwise as
/// nomyo_response_header().
///
/// Lives in `error`: gone with nomyo_error_free(). NULL if there was no such header, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_error_header(error: *const nomyo_error, name: *const c_char) -> *const c_char {
    let value = |error: &nomyo_error| {
        // SAFETY: the caller promises that `name` is NULL or NUL-terminated.
        let name = unsafe { text(name, "name") }.ok();
        address(name.and_then(|name| error.error.headers().with_nul(name)))
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { read(error, std::ptr::null(), value) }
}

/// All headers of the last HTTP response, as nomyo_response_headers().
///
/// Lives in `error`: gone with nomyo_error_free(). NULL if there was no response or no such header, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_error_headers(error: *const nomyo_error, len: *mut usize) -> *const c_char {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    let (data, size) =
        unsafe { read(error, (std::ptr::null(), 0), |error| listed(error.error.headers(), &error.headers)) };
    // SAFETY: the caller promises that `len`, unless NULL, is writable.
    unsafe { write_length(len, size) };
    data
}

/// The body of the server's error answer: at most 64 KiB, NUL-terminated, any bytes. UNTRUSTED: nobody has
/// authenticated it; do not show it as if the server's enclave had said it.
///
/// `len`, unless NULL, receives its length in bytes without the NUL. Lives in `error`: gone with nomyo_error_free().
/// NULL when there is none.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_error_details(error: *const nomyo_error, len: *mut usize) -> *const c_char {
    let measure = |error: &nomyo_error| match error.details.len() {
        0 => (std::ptr::null(), 0),
        n => (error.details.as_ptr().cast(), n - 1),
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    let (data, size) = unsafe { read(error, (std::ptr::null(), 0), measure) };
    // SAFETY: the caller promises that `len`, unless NULL, is writable.
    unsafe { write_length(len, size) };
    data
}

/// Frees an error. NULL does nothing.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_error_free(error: *mut nomyo_error) {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    guard_value((), || unsafe { take_back(error) });
}
