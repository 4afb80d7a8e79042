//! `nomyo_sealed`: the crypto core alone, for callers with an HTTP stack of their own.

use std::ffi::{CString, c_char};

use super::arguments::{bytes, hand_out, output, write_length};
use super::call_options::{nomyo_call_options, options_or_none};
use super::client::{nomyo_client, with_client};
use super::error_handle::nomyo_error;
use super::guard::guard_value;
use super::handle::{give, keep, release};
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
/// `server_pem` is the body of `GET {base URL}/pki/public_key`, which needs no Authorization header. The sealed request goes to
/// `POST {base URL}/v1/chat/secure_completion`, with nomyo_sealed_body() and nomyo_sealed_headers().
///
/// `json`, `len`, `options` as for nomyo_create(); an API key in them has no effect. The key must satisfy the pins and the
/// file of known servers, which is read and not written.
///
/// Any thread, several at once. Blocks for at most the call's timeout, on the file of known servers and on the client's own
/// pair. The first call generates the pair, which takes 0.7 s on average and several seconds at worst. To have it ready, call
/// nomyo_client_public_key() before, on another thread: it uses no network.
///
/// nomyo_error_sent() is NOMYO_SENT_NO for nomyo_seal() and nomyo_open(), because the caller sends.
///
/// @param out receives the sealed request; free it with nomyo_sealed_free().
/// @return NOMYO_OK, or
///         - NOMYO_ERR_ARGUMENT: a bad request, or NULL;
///         - NOMYO_ERR_PROTOCOL: `server_pem` is no usable server key;
///         - NOMYO_ERR_PIN: the key is none of the pinned, or not the one in the file of known servers;
///         - NOMYO_ERR_PIN: the file of known servers cannot be used, as nomyo_config_set_known_servers() says;
///         - NOMYO_ERR_KEY, NOMYO_ERR_IO: the key directory, or the file of known servers;
///         - NOMYO_ERR_TIMEOUT, NOMYO_ERR_CANCELLED, NOMYO_ERR_FORKED, NOMYO_ERR_SECURITY, NOMYO_ERR_MEMORY,
///           NOMYO_ERR_INTERNAL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_seal(
    client: *const nomyo_client,
    server_pem: *const u8,
    pem_len: usize,
    json: *const u8,
    len: usize,
    options: *const nomyo_call_options,
    out: *mut *mut nomyo_sealed,
    error: *mut *mut nomyo_error,
) -> i32 {
    let seal = |client: &Client| {
        let out = output(out, "out")?;
        // SAFETY: the caller promises the bytes at both pointers, and options that are NULL or alive.
        let (pem, json, options) =
            unsafe { (bytes(server_pem, pem_len, "server_pem")?, bytes(json, len, "json")?, options_or_none(options)) };
        let sealed = nomyo_sealed::new(client.seal(pem, json, &options)?)?;
        // SAFETY: `out` is not NULL, and writable by the caller's promise.
        unsafe { out.write(give(sealed)) };
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { with_client(client, error, seal) }
}

/// The HTTP body to POST to `/v1/chat/secure_completion`. It may be sent any number of times.
///
/// `len`, unless NULL, receives its length in bytes. Lives in `sealed`. NULL for NULL.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_sealed_body(sealed: *const nomyo_sealed, len: *mut usize) -> *const u8 {
    // SAFETY: the caller promises that `sealed` is NULL or alive.
    let body = unsafe { sealed.as_ref() }.map(|sealed| sealed.sealed.body());
    // SAFETY: the caller promises that `len`, unless NULL, is writable.
    unsafe { write_length(len, body.map_or(0, <[u8]>::len)) };
    body.map_or(std::ptr::null(), <[u8]>::as_ptr)
}

/// The HTTP headers to send with it, as a JSON object of strings: X-Payload-ID, X-Public-Key, Content-Type and, if a
/// tier was asked for, X-Security-Tier. The API key is not among them: add `Authorization: Bearer ...` yourself.
///
/// NUL-terminated; `len`, unless NULL, receives the length in bytes. Lives in `sealed`. NULL for NULL.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_sealed_headers(sealed: *const nomyo_sealed, len: *mut usize) -> *const c_char {
    // SAFETY: the caller promises that `sealed` is NULL or alive.
    let headers = unsafe { sealed.as_ref() }.map(|sealed| &sealed.headers);
    // SAFETY: the caller promises that `len`, unless NULL, is writable.
    unsafe { write_length(len, headers.map_or(0, |text| text.as_bytes().len())) };
    headers.map_or(std::ptr::null(), |text| text.as_ptr())
}

/// Opens `body` (`len` bytes), the body of the 200 that answered `sealed`. `client` is the client that sealed it, or
/// another: the pair is the one that the request named. The body must not be compressed.
///
/// Any thread, several at once; blocks on nothing. Computes on the calling thread, some milliseconds for each MiB.
///
/// @param out receives the answer; free it with nomyo_response_free(), which wipes it.
/// @return NOMYO_OK, or
///         - NOMYO_ERR_PROTOCOL: not a package;
///         - NOMYO_ERR_SECURITY: it does not decrypt, or answers another request, or was made at a lower tier;
///         - NOMYO_ERR_ATTESTATION: it proves less than the policy of `client` requires;
///         - NOMYO_ERR_ARGUMENT: NULL;
///         - NOMYO_ERR_FORKED, NOMYO_ERR_MEMORY, NOMYO_ERR_INTERNAL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_open(
    client: *const nomyo_client,
    sealed: *const nomyo_sealed,
    body: *const u8,
    len: usize,
    out: *mut *mut nomyo_response,
    error: *mut *mut nomyo_error,
) -> i32 {
    let open = |client: &Client| {
        let out = output(out, "out")?;
        // SAFETY: the caller promises a request that is NULL or alive, and the bytes of the body.
        let (sealed, body) = unsafe { (keep(sealed, "sealed")?, bytes(body, len, "body")?) };
        let response = client.open(&sealed.sealed, body)?;
        // SAFETY: `out` is not NULL, and writable by the caller's promise.
        unsafe { hand_out(out, nomyo_response::new(response)) };
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { with_client(client, error, open) }
}

/// Frees a sealed request. The last user of its key pair wipes the private key. NULL does nothing.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_sealed_free(sealed: *mut nomyo_sealed) {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    guard_value((), || unsafe { release(sealed) });
}
