//! `nomyo_sealed`: the crypto core alone, for callers with an HTTP stack of their own.

use std::ffi::{CString, c_char};

use super::arguments::{bytes, hand_out, output, shared, take_back, write_length};
use super::client::{nomyo_client, with_client};
use super::error::nomyo_error;
use super::guard::guard_value;
use super::request::{nomyo_request, options_or_none};
use super::response::nomyo_response;
use crate::client::{Client, Sealed};
use crate::error::{Error, Result};

/// A sealed request: what to send, and what its answer must fit. Holds no plaintext. Any number of threads may read it
/// at once; one frees it.
#[expect(non_camel_case_types, reason = "the name in C")]
pub struct nomyo_sealed {
    sealed: Sealed,
    headers: CString,
}

impl nomyo_sealed {
    fn new(sealed: Sealed) -> Result<nomyo_sealed> {
        let object: serde_json::Map<_, _> =
            sealed.headers().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let headers = serde_json::to_string(&object)
            .ok()
            .and_then(|json| CString::new(json).ok())
            .ok_or_else(|| Error::internal("the headers could not be written as JSON"))?;
        Ok(nomyo_sealed { sealed, headers })
    }
}

/// Seals a request for the server whose public key is `server_pem` (`pem_len` bytes, SPKI or PKCS#1 PEM, RSA of at
/// least 3072 bits, one of the pinned if there are pins), and sends nothing. Where that key comes from is the caller's
/// business, and the whole security of the request hangs on it.
///
/// `json`, `len`, `options` as for nomyo_create(); a timeout and an API key in them have no effect. Any thread, several
/// at once. Blocks on nothing but the client's own pair, when it is loaded, generated or due.
///
/// @param out receives the sealed request; free it with nomyo_sealed_free().
/// @return NOMYO_OK, NOMYO_ERR_ARGUMENT: a bad request, or NULL; NOMYO_ERR_PROTOCOL: not a usable server key, or none;
///         NOMYO_ERR_PIN: none of the pinned; NOMYO_ERR_KEY, NOMYO_ERR_IO: the key directory; NOMYO_ERR_FORKED, NOMYO_ERR_MEMORY, NOMYO_ERR_INTERNAL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_seal(
    c: *const nomyo_client,
    server_pem: *const u8,
    pem_len: usize,
    json: *const u8,
    len: usize,
    options: *const nomyo_request,
    out: *mut *mut nomyo_sealed,
    err: *mut *mut nomyo_error,
) -> i32 {
    let seal = |client: &Client| {
        let out = output(out, "out")?;
        // SAFETY: the caller promises the bytes at both pointers, and options that are NULL or alive.
        let (pem, json, options) =
            unsafe { (bytes(server_pem, pem_len, "server_pem")?, bytes(json, len, "json")?, options_or_none(options)) };
        let sealed = nomyo_sealed::new(client.seal(pem, json, &options)?)?;
        // SAFETY: `out` is not NULL, and writable by the caller's promise.
        unsafe { hand_out(out, sealed) };
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { with_client(c, err, seal) }
}

/// The HTTP body to POST to `/v1/chat/secure_completion`. It may be sent any number of times.
///
/// `len`, unless NULL, receives its length in bytes. Lives in `s`. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_sealed_body(s: *const nomyo_sealed, len: *mut usize) -> *const u8 {
    // SAFETY: the caller promises that `s` is NULL or alive.
    let body = unsafe { s.as_ref() }.map(|s| s.sealed.body());
    // SAFETY: the caller promises that `len`, unless NULL, is writable.
    unsafe { write_length(len, body.map_or(0, <[u8]>::len)) };
    body.map_or(std::ptr::null(), <[u8]>::as_ptr)
}

/// The HTTP headers to send with it, as a JSON object of strings: X-Payload-ID, X-Public-Key, Content-Type and, if a
/// tier was asked for, X-Security-Tier. The API key is not among them: add `Authorization: Bearer ...` yourself.
///
/// NUL-terminated; `len`, unless NULL, receives the length in bytes. Lives in `s`. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_sealed_headers(s: *const nomyo_sealed, len: *mut usize) -> *const c_char {
    // SAFETY: the caller promises that `s` is NULL or alive.
    let headers = unsafe { s.as_ref() }.map(|s| &s.headers);
    // SAFETY: the caller promises that `len`, unless NULL, is writable.
    unsafe { write_length(len, headers.map_or(0, |text| text.as_bytes().len())) };
    headers.map_or(std::ptr::null(), |text| text.as_ptr())
}

/// Opens `body` (`len` bytes), the body of the 200 that answered `request`. `c` is the client that sealed it, or
/// another: the pair is the one that the request named.
///
/// Any thread, several at once; blocks on nothing.
///
/// @param out receives the answer; free it with nomyo_response_free(), which wipes it.
/// @return NOMYO_OK, NOMYO_ERR_PROTOCOL: not a package; NOMYO_ERR_SECURITY: it does not decrypt, or answers another
///         request, or was made at a lower tier; NOMYO_ERR_ATTESTATION: it proves less than the policy of `c` requires;
///         NOMYO_ERR_ARGUMENT: NULL; NOMYO_ERR_FORKED, NOMYO_ERR_MEMORY,
///         NOMYO_ERR_INTERNAL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_open(
    c: *const nomyo_client,
    request: *const nomyo_sealed,
    body: *const u8,
    len: usize,
    out: *mut *mut nomyo_response,
    err: *mut *mut nomyo_error,
) -> i32 {
    let open = |client: &Client| {
        let out = output(out, "out")?;
        // SAFETY: the caller promises a request that is NULL or alive, and the bytes of the body.
        let (request, body) = unsafe { (shared(request, "request")?, bytes(body, len, "body")?) };
        let response = client.open(&request.sealed, body)?;
        // SAFETY: `out` is not NULL, and writable by the caller's promise.
        unsafe { hand_out(out, nomyo_response::new(response)) };
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { with_client(c, err, open) }
}

/// Frees a sealed request. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_sealed_free(s: *mut nomyo_sealed) {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    guard_value((), || unsafe { take_back(s) });
}
