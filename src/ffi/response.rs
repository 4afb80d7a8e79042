//! `nomyo_response`.

use std::collections::BTreeMap;
use std::ffi::{CString, c_char};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::arguments::{take_back, text, write_length};
use super::attestation::{nomyo_attestation, write_verdict};
use super::guard::guard_value;
use super::status::{NOMYO_ERR_ARGUMENT, NOMYO_ERR_INTERNAL, NOMYO_OK};
use crate::client::{Response, Text};

/// A decrypted answer. Any number of threads may read it at once; one frees it. Every pointer taken from it lives until
/// then.
#[expect(non_camel_case_types, reason = "the name in C")]
pub struct nomyo_response {
    response: Response,
    payload_id: CString,
    /// Made on first use.
    report: OnceLock<CString>,
    /// What pointers were followed to, kept because C holds the addresses.
    followed: Mutex<BTreeMap<String, Text>>,
}

impl nomyo_response {
    pub(super) fn new(response: Response) -> nomyo_response {
        let payload_id = CString::new(response.payload_id()).unwrap_or_default();
        nomyo_response { response, payload_id, report: OnceLock::new(), followed: Mutex::default() }
    }
}

/// The address and length of a text, or NULL and 0.
fn parts(text: Option<&Text>) -> (*const c_char, usize) {
    text.map_or((std::ptr::null(), 0), |text| (text.with_nul().as_ptr().cast(), text.as_str().len()))
}

/// Gives a text of the answer to C.
///
/// # Safety
/// `r` is NULL or an answer that is not freed during the call; `len` is NULL or writable.
unsafe fn give(
    r: *const nomyo_response,
    len: *mut usize,
    get: impl FnOnce(&nomyo_response) -> (*const c_char, usize),
) -> *const c_char {
    // SAFETY: by the contract above.
    let handle = unsafe { r.as_ref() };
    let (data, size) = guard_value((std::ptr::null(), 0), || handle.map_or((std::ptr::null(), 0), get));
    // SAFETY: by the contract above.
    unsafe { write_length(len, size) };
    data
}

/// The whole answer as JSON, with the client's members merged into its `_metadata`: `payload_id`, `processed_at`,
/// `is_encrypted`, `encryption_algorithm`.
///
/// Any thread; blocks on nothing. NUL-terminated; `len`, unless NULL, receives the length in bytes without the NUL.
/// Lives in `r`. NULL only for a NULL `r`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_json(r: *const nomyo_response, len: *mut usize) -> *const c_char {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { give(r, len, |r| parts(Some(r.response.json_text()))) }
}

/// How many choices the answer has; 0 when it has none, or for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_choices(r: *const nomyo_response) -> usize {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    let handle = unsafe { r.as_ref() };
    guard_value(0, || handle.map_or(0, |r| r.response.choices()))
}

/// The text of a choice: its message's `content`, unescaped to UTF-8 (a lone surrogate reads as U+FFFD).
///
/// Any thread; blocks on nothing. NUL-terminated, and may hold NULs of its own: use `len`, which, unless NULL, receives
/// the length in bytes. Lives in `r`. NULL when there is no such choice, or its content is null or not a string (with
/// tool calls it usually is null).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_content(
    r: *const nomyo_response,
    choice: usize,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { give(r, len, |r| parts(r.response.content_text(choice))) }
}

/// What a thinking model thought: the message's `reasoning_content`. Otherwise as nomyo_response_content().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_reasoning(
    r: *const nomyo_response,
    choice: usize,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { give(r, len, |r| parts(r.response.reasoning_text(choice))) }
}

/// The message's `tool_calls` as JSON. Otherwise as nomyo_response_content(). NULL when absent or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_tool_calls(
    r: *const nomyo_response,
    choice: usize,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { give(r, len, |r| parts(r.response.tool_calls_text(choice))) }
}

/// Why the choice ended: `stop`, `length`, `tool_calls`, `content_filter`. Otherwise as nomyo_response_content().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_finish_reason(
    r: *const nomyo_response,
    choice: usize,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { give(r, len, |r| parts(r.response.finish_reason_text(choice))) }
}

/// Any value of the answer, as JSON (a string with its quotes and escapes): `rfc6901` is a JSON Pointer such as
/// `/usage/total_tokens`; `""` is the whole answer.
///
/// Any thread; blocks on nothing. NUL-terminated; `len`, unless NULL, receives the length in bytes. Lives in `r`, one
/// copy for each different pointer. NULL when there is no such value, or `rfc6901` is NULL or not a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_pointer(
    r: *const nomyo_response,
    rfc6901: *const c_char,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: the caller promises that `rfc6901` is NULL or NUL-terminated.
    let follow = |r: &nomyo_response| match unsafe { text(rfc6901, "rfc6901") } {
        Ok(pointer) => {
            let mut followed = r.followed.lock().unwrap_or_else(PoisonError::into_inner);
            if !followed.contains_key(pointer)
                && let Some(text) = r.response.pointer_text(pointer)
            {
                followed.insert(pointer.to_owned(), text);
            }
            parts(followed.get(pointer))
        }
        Err(_) => (std::ptr::null(), 0),
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { give(r, len, follow) }
}

/// The id that the request was sent under: 36 ASCII characters. Lives in `r`. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_payload_id(r: *const nomyo_response) -> *const c_char {
    // SAFETY: the caller's promise (nomyo.h, Conventions); no length is written.
    unsafe { give(r, std::ptr::null_mut(), |r| (r.payload_id.as_ptr(), 0)) }
}

/// What the TPM quote in the answer proves; it was judged when the answer was opened. NOMYO_ATTESTATION_CONSISTENT says
/// what that is, and what it is not. `size` is `sizeof *out` as the caller was compiled, as for nomyo_memory_info_get().
///
/// Any thread; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: `r` or `out` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_attestation(
    r: *const nomyo_response,
    out: *mut nomyo_attestation,
    size: usize,
) -> i32 {
    // SAFETY: the caller promises that `r` is NULL or alive.
    let Some(handle) = (unsafe { r.as_ref() }).filter(|_| !out.is_null()) else { return NOMYO_ERR_ARGUMENT };
    guard_value(NOMYO_ERR_INTERNAL, || {
        // SAFETY: `out` is not NULL, and the caller promises `size` writable bytes there.
        unsafe { write_verdict(out, size, handle.response.attestation()) };
        NOMYO_OK
    })
}

/// The verdict on the answer's TPM quote as a JSON object: `level` (a name), `meaning` (a sentence for a person),
/// `hardware_rooted` (always false: nothing in the protocol leads to a certified TPM), `failed_check` (a name, or null), and
/// `checks`: for each check in order its `number`, `name`, `result` (`ok`, `warning`, `failed`, `skipped`) and `detail`.
/// The library's own words: nothing in it is quoted from the answer.
///
/// Any thread; blocks on nothing. NUL-terminated; `len`, unless NULL, receives the length in bytes. Lives in `r`. NULL
/// only for a NULL `r`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_attestation_report(r: *const nomyo_response, len: *mut usize) -> *const c_char {
    let report = |r: &nomyo_response| {
        let report = r.report.get_or_init(|| CString::new(r.response.attestation().report()).unwrap_or_default());
        (report.as_ptr(), report.as_bytes().len())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { give(r, len, report) }
}

/// Wipes and frees an answer, and everything that was taken from it. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_free(r: *mut nomyo_response) {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    guard_value((), || unsafe { take_back(r) });
}
