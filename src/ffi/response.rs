//! `nomyo_response`.

use std::collections::BTreeMap;
use std::ffi::{CString, c_char};
use std::sync::{Mutex, PoisonError};

use once_cell::race::OnceBox;

use super::arguments::{address, take_back, text, write_length};
use super::attestation::{nomyo_attestation, write_verdict};
use super::guard::guard_value;
use super::headers::listed;
use super::status::{NOMYO_ERR_ARGUMENT, NOMYO_ERR_INTERNAL, NOMYO_OK};
use crate::client::{Response, Text};
use crate::memory::OwnProcess;

/// A decrypted answer. Any number of threads may read it at once; one thread frees it. Every pointer taken from it stays
/// valid until then.
#[expect(non_camel_case_types, reason = "the name in C")]
pub struct nomyo_response {
    pub(super) response: Response,
    payload_id: CString,
    /// Built on first use.
    headers: OnceBox<CString>,
    /// Built on first use, without a lock, so that a forked child may read it as well.
    report: OnceBox<CString>,
    /// The values that JSON pointers led to. They are kept because C holds their addresses. A forked child does not use them:
    /// the lock may have been held at the fork, and the answer has no values there.
    followed: OwnProcess<Mutex<BTreeMap<String, Text>>>,
}

impl nomyo_response {
    pub(super) fn new(response: Response) -> nomyo_response {
        let payload_id = CString::new(response.payload_id()).unwrap_or_default();
        let (headers, report) = (OnceBox::new(), OnceBox::new());
        nomyo_response { response, payload_id, headers, report, followed: OwnProcess::new(Mutex::default()) }
    }
}

/// The address and length of a text, or NULL and 0.
pub(super) fn parts(text: Option<&Text>) -> (*const c_char, usize) {
    text.map_or((std::ptr::null(), 0), |text| (text.with_nul().as_ptr().cast(), text.as_str().len()))
}

/// Gives a text of the answer to C.
///
/// # Safety
/// `response` is NULL or an answer that is not freed during the call; `len` is NULL or writable.
pub(super) unsafe fn give(
    response: *const nomyo_response,
    len: *mut usize,
    get: impl FnOnce(&nomyo_response) -> (*const c_char, usize),
) -> *const c_char {
    // SAFETY: by the contract above.
    let handle = unsafe { response.as_ref() };
    let (data, size) = guard_value((std::ptr::null(), 0), || handle.map_or((std::ptr::null(), 0), get));
    // SAFETY: by the contract above.
    unsafe { write_length(len, size) };
    data
}

/// The whole answer as JSON, with the client's members merged into its `_metadata`: `payload_id`, `processed_at`,
/// `is_encrypted`, `encryption_algorithm`.
///
/// Any thread; blocks on nothing; takes the same time for every answer. The text is NUL-terminated and lives in `response`.
///
/// @param len unless NULL, receives the length in bytes without the NUL.
/// @return the text; NULL only for a NULL `response`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_json(response: *const nomyo_response, len: *mut usize) -> *const c_char {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { give(response, len, |response| parts(Some(response.response.json_text()))) }
}

/// How many choices the answer has: at most 1024. An answer with more choices is refused when it arrives:
/// NOMYO_ERR_PROTOCOL.
///
/// Any thread; blocks on nothing.
///
/// @return the number of choices; 0 if `choices` is absent or not an array, or if `response` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_choices(response: *const nomyo_response) -> usize {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    let handle = unsafe { response.as_ref() };
    guard_value(0, || handle.map_or(0, |response| response.response.choice_count()))
}

/// The text of a choice: its message's `content`, unescaped to UTF-8 (a lone surrogate reads as U+FFFD).
///
/// Any thread; blocks on nothing. The first call for a choice unescapes its text. The length of the rest of the answer
/// costs no time. The text is NUL-terminated and lives in `response`. It may contain NULs of its own: use `len`.
///
/// @param choice counts from 0.
/// @param len unless NULL, receives the length in bytes without the NUL that ends the text.
/// @return the text; NULL if `response` is NULL, if there is no such choice, if its content is absent, null (usual with tool
///         calls) or not a string, or if there is no memory for the text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_content(
    response: *const nomyo_response,
    choice: usize,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { give(response, len, |response| parts(response.response.content_text(choice))) }
}

/// The thoughts of a reasoning model: the message's `reasoning_content` if it is a string, otherwise the message's
/// `reasoning` if that is a string. Servers use either name. Otherwise as nomyo_response_content().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_reasoning(
    response: *const nomyo_response,
    choice: usize,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { give(response, len, |response| parts(response.response.reasoning_text(choice))) }
}

/// The message's `tool_calls` as JSON. NULL if they are absent or null. Otherwise as nomyo_response_content().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_tool_calls(
    response: *const nomyo_response,
    choice: usize,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { give(response, len, |response| parts(response.response.tool_calls_text(choice))) }
}

/// Why the choice ended: `stop`, `length`, `tool_calls`, `content_filter`. Otherwise as nomyo_response_content().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_finish_reason(
    response: *const nomyo_response,
    choice: usize,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { give(response, len, |response| parts(response.response.finish_reason_text(choice))) }
}

/// Any value of the answer, as JSON: a string comes with its quotes and escapes.
///
/// Any thread; blocks on nothing, but a pointer that is new to `response` costs one walk through the whole answer, and makes
/// other threads with a pointer for `response` wait for it. The text is NUL-terminated and lives in `response`, one copy for each
/// different pointer. If an object has a name twice, the last member counts.
///
/// @param rfc6901 a JSON Pointer (RFC 6901) such as `/usage/total_tokens`; `""` is the whole answer.
/// @param len unless NULL, receives the length in bytes without the NUL.
/// @return the text; NULL if `response` is NULL, if there is no such value, if `rfc6901` is NULL or not a JSON Pointer, if
///         there is no memory for the copy, or if this process is a forked child, where the answer reads as zeros.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_pointer(
    response: *const nomyo_response,
    rfc6901: *const c_char,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: the caller promises that `rfc6901` is NULL or NUL-terminated.
    let follow = |response: &nomyo_response| match (unsafe { text(rfc6901, "rfc6901") }, response.followed.get()) {
        (Ok(pointer), Ok(followed)) => {
            let mut followed = followed.lock().unwrap_or_else(PoisonError::into_inner);
            if !followed.contains_key(pointer)
                && let Some(text) = response.response.pointer_text(pointer)
            {
                followed.insert(pointer.to_owned(), text);
            }
            parts(followed.get(pointer))
        }
        _ => (std::ptr::null(), 0),
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { give(response, len, follow) }
}

/// The payload id that the request was sent under: 36 ASCII characters. The text lives in `response`. NULL for a NULL `response`.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_payload_id(response: *const nomyo_response) -> *const c_char {
    // SAFETY: the caller's promise (nomyo.h, Conventions); no length is written.
    unsafe { give(response, std::ptr::null_mut(), |response| (response.payload_id.as_ptr(), 0)) }
}

/// The `X-Request-ID` of the HTTP response, NUL-terminated: the log of a gateway in front of the server has the same. At most
/// 128 visible ASCII characters; a longer one counts as absent. UNTRUSTED: nobody has authenticated it. The text lives in
/// `response`. NULL if there was no such header, for a response of nomyo_open(), and for NULL.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_request_id(response: *const nomyo_response) -> *const c_char {
    let id = |response: &nomyo_response| address(response.response.headers().request_id());
    // SAFETY: the caller's promise (nomyo.h, Conventions); no length is written.
    unsafe { give(response, std::ptr::null_mut(), |response| (id(response), 0)) }
}

/// The value of the header `name`, in any case, of the HTTP response: what a gateway says of its limits, for example. The text is
/// NUL-terminated and lives in `response`. UNTRUSTED: nobody has authenticated it.
///
/// Values of the same name become one, with `, ` between them (RFC 9110, section 5.3). A header counts as absent if a value has
/// bytes other than visible ASCII characters, spaces and tabs. Several Set-Cookie headers cannot be told apart again. A value may
/// be a credential: do not log all of them.
///
/// Any thread; blocks on nothing.
///
/// @return the value; NULL if there was no such header, for a response of nomyo_open(), and if `response` or `name` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_header(response: *const nomyo_response, name: *const c_char) -> *const c_char {
    let value = |response: &nomyo_response| {
        // SAFETY: the caller promises that `name` is NULL or NUL-terminated.
        let name = unsafe { text(name, "name") }.ok();
        address(name.and_then(|name| response.response.headers().with_nul(name)))
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions); no length is written.
    unsafe { give(response, std::ptr::null_mut(), |response| (value(response), 0)) }
}

/// All headers of the HTTP response, as a JSON object of strings: the names in small letters, the values as
/// nomyo_response_header() has them. The text is NUL-terminated and lives in `response`. UNTRUSTED: nobody has authenticated it.
///
/// Any thread; blocks on nothing.
///
/// @param len unless NULL, receives the length in bytes without the NUL.
/// @return the text; NULL if there was no such header, for a response of nomyo_open(), and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_headers(response: *const nomyo_response, len: *mut usize) -> *const c_char {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { give(response, len, |response| listed(response.response.headers(), &response.headers)) }
}

/// How many times the request was sent, retries included: at least 1, or 0 for a response of nomyo_open() and for NULL.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_attempts(response: *const nomyo_response) -> u32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    let handle = unsafe { response.as_ref() };
    guard_value(0, || handle.map_or(0, |response| response.response.attempts()))
}

/// The verdict on the TPM quote in the answer. It was reached when the answer was opened. NOMYO_ATTESTATION_CONSISTENT
/// says what a quote proves, and what it does not prove.
///
/// Any thread; blocks on nothing.
///
/// @param out receives the verdict.
/// @param size `sizeof *out` as the caller was compiled, as for nomyo_memory_info_get().
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: `response` or `out` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_attestation(
    response: *const nomyo_response,
    out: *mut nomyo_attestation,
    size: usize,
) -> i32 {
    // SAFETY: the caller promises that `response` is NULL or alive.
    let Some(handle) = (unsafe { response.as_ref() }).filter(|_| !out.is_null()) else { return NOMYO_ERR_ARGUMENT };
    guard_value(NOMYO_ERR_INTERNAL, || {
        // SAFETY: `out` is not NULL, and the caller promises `size` writable bytes there.
        unsafe { write_verdict(out, size, handle.response.attestation()) };
        NOMYO_OK
    })
}

/// The verdict on the answer's TPM quote as a JSON object with the members
///
/// - `level`: a name;
/// - `meaning`: a sentence for a person;
/// - `hardware_rooted`: always false, because nothing in the protocol leads to a certified TPM;
/// - `failed_check`: a name, or null;
/// - `checks`: for each check, in order, its `number`, `name`, `result` (`ok`, `warning`, `failed`, `skipped`) and
///   `detail`.
///
/// A check is `ok` only if it was made and held. The report uses the library's own words and quotes nothing from the
/// answer.
///
/// Any thread; blocks on nothing. The text is NUL-terminated and lives in `response`.
///
/// @param len unless NULL, receives the length in bytes without the NUL.
/// @return the text; NULL only for a NULL `response`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_attestation_report(
    response: *const nomyo_response,
    len: *mut usize,
) -> *const c_char {
    let report = |response: &nomyo_response| {
        let report = response
            .report
            .get_or_init(|| Box::new(CString::new(response.response.attestation().report()).unwrap_or_default()));
        (report.as_ptr(), report.as_bytes().len())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { give(response, len, report) }
}

/// Wipes and frees an answer, together with every text that was taken from it. NULL does nothing.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_free(response: *mut nomyo_response) {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    guard_value((), || unsafe { take_back(response) });
}
