//! `nomyo_client`, and the one call that everything is for.

use std::sync::Arc;

use super::arguments::{bytes, hand_out, output};
use super::call_options::{nomyo_call_options, options_or_none};
use super::config::{defaults, nomyo_config};
use super::error_handle::nomyo_error;
use super::guard::{guard, guard_free, guard_or_poison};
use super::handle::{give, keep, keep_or_none, release};
use super::response::nomyo_response;
use super::text::nomyo_text;
use crate::client::{Client, PublishedKey};
use crate::error::Result;

/// A client of one server. Any number of threads may use it at once; one frees it, when no call is under way. In a
/// forked child it answers NOMYO_ERR_FORKED to everything but nomyo_client_free().
#[expect(non_camel_case_types, reason = "the name in C")]
pub struct nomyo_client {
    client: Client,
}

/// Uses a client; a panic meanwhile poisons it.
///
/// # Safety
/// `client` and `error` as in nomyo.h, Conventions.
pub(super) unsafe fn with_client(
    client: *const nomyo_client,
    error: *mut *mut nomyo_error,
    body: impl FnOnce(&Client) -> Result<()>,
) -> i32 {
    // SAFETY: by the contract above.
    let client = unsafe { keep(client, "client") };
    let weak = client.as_ref().ok().map(Arc::downgrade);
    let poison = || {
        // A handle that was freed during the call needs no poison.
        if let Some(handle) = weak.and_then(|weak| weak.upgrade()) {
            handle.client.poison();
        }
    };
    // The body drops its reference. If it is the last reference, the keys are wiped inside the guard.
    guard_or_poison(error, move || body(&client?.client), poison)
}

/// Makes a client from `config`, or from the defaults when `config` is NULL. Copies what it needs of `config`.
///
/// Any thread; blocks on nothing: keys are generated and connections opened when first needed, or by
/// nomyo_client_warm_up().
///
/// @param out receives the client; free it with nomyo_client_free().
/// @return NOMYO_OK, or
///         - NOMYO_ERR_SECURITY: the base URL is `http://` and that is not allowed; or a lock is required and refused;
///         - NOMYO_ERR_ARGUMENT: `out` is NULL; a key password without a key directory; TLS pins or a client certificate for an
///           `http://` server; a
///           path of known servers that names no file; a proxy of the environment that cannot be used;
///         - NOMYO_ERR_FORKED: a parent process set the API key, the key password, a header or the client
///           certificate in `config`; set it again in the child;
///         - NOMYO_ERR_MEMORY.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_client_new(
    config: *const nomyo_config,
    out: *mut *mut nomyo_client,
    error: *mut *mut nomyo_error,
) -> i32 {
    guard(error, || {
        let out = output(out, "out")?;
        // SAFETY: the caller promises that `config` is NULL or a configuration that is not freed yet.
        let client = match unsafe { keep_or_none(config) } {
            Some(handle) => Client::new(&handle.config)?,
            None => Client::new(&defaults()?)?,
        };
        // SAFETY: `out` is not NULL, and writable by the caller's promise.
        unsafe { out.write(give(nomyo_client { client })) };
        Ok(())
    })
}

/// Makes another handle of `client`, for calls with a timeout and a cancel of their own: every function that blocks
/// takes them from the handle that it is given.
///
/// The handles share everything: connections, keys, the server's key. The timeout, the cancel, the security tier and the API
/// key of `options` become the defaults of the new handle, over those of `client`; the options of a nomyo_create() or a
/// nomyo_seal() win over them. NULL `options` change nothing. Copies what it needs of `options`.
///
/// Any thread; blocks on nothing.
///
/// @param out receives the handle; free it with nomyo_client_free(), before or after `client`.
/// @return NOMYO_OK, or
///         - NOMYO_ERR_ARGUMENT: `client` or `out` is NULL;
///         - NOMYO_ERR_FORKED, NOMYO_ERR_MEMORY, NOMYO_ERR_INTERNAL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_client_with_options(
    client: *const nomyo_client,
    options: *const nomyo_call_options,
    out: *mut *mut nomyo_client,
    error: *mut *mut nomyo_error,
) -> i32 {
    let derive = |client: &Client| {
        let out = output(out, "out")?;
        // SAFETY: the caller promises options that are NULL or alive.
        let options = unsafe { options_or_none(options) };
        let client = client.with_options(&options)?;
        // SAFETY: `out` is not NULL, and writable by the caller's promise.
        unsafe { out.write(give(nomyo_client { client })) };
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { with_client(client, error, derive) }
}

/// Frees a handle of a client. The last handle wipes the keys and closes the idle connections. A sealed request keeps the private
/// key of its pair, for nomyo_open(), until nomyo_sealed_free(). NULL does nothing. Not while another thread is in a call with this
/// handle. The log function may free the handle of its own call: the call keeps the handle
/// and frees it at its end. Blocks on nothing. Safe in a forked child.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_client_free(client: *mut nomyo_client) {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    guard_free(|| unsafe { release(client) });
}

/// Gets ready for the first call, now: loads or generates the client's RSA-4096 pair (0.7 s on average, several at worst),
/// connects, fetches the server's key.
///
/// Any thread. Blocks for at most the client's timeout.
///
/// @return NOMYO_OK, or
///         - NOMYO_ERR_CONNECTION, NOMYO_ERR_TIMEOUT, NOMYO_ERR_CANCELLED, one of the HTTP statuses;
///         - NOMYO_ERR_PROTOCOL: the server's key is not usable;
///         - NOMYO_ERR_PIN: the server's key, or its certificate chain, is not an accepted one;
///         - NOMYO_ERR_KEY, NOMYO_ERR_IO: the key directory;
///         - NOMYO_ERR_FORKED; NOMYO_ERR_ARGUMENT: `client` is NULL; NOMYO_ERR_INTERNAL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_client_warm_up(client: *const nomyo_client, error: *mut *mut nomyo_error) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { with_client(client, error, Client::warm_up) }
}

/// The server's key, as SubjectPublicKeyInfo PEM, and its fingerprint: SHA-256 of the SubjectPublicKeyInfo (DER) as 64
/// hexadecimal digits, which is what nomyo_config_add_server_key_pin() takes. Compare it with what the operator says,
/// before the first use: this fetches the key unless it is there, sends nothing else, and remembers nothing among the
/// known servers. nomyo_client_tls_chain() shows what a TLS pin is.
///
/// Any thread. Blocks for at most the client's timeout.
///
/// @param pem        receives the PEM; may be NULL. Free it with nomyo_text_free().
/// @param sha256_hex receives the fingerprint; may be NULL. Free it with nomyo_text_free().
/// @return NOMYO_OK, NOMYO_ERR_PIN: the key is not an accepted one (the error shows its fingerprint); the statuses of
///         nomyo_client_warm_up().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_client_server_key(
    client: *const nomyo_client,
    pem: *mut *mut nomyo_text,
    sha256_hex: *mut *mut nomyo_text,
    error: *mut *mut nomyo_error,
) -> i32 {
    let show = |client: &Client| {
        let PublishedKey { pem: key, sha256: fingerprint } = client.server_key()?;
        let (key, fingerprint) = (nomyo_text::new(key)?, nomyo_text::new(fingerprint)?);
        for (out, text) in [(pem, key), (sha256_hex, fingerprint)] {
            if !out.is_null() {
                // SAFETY: `out` is not NULL, and writable by the caller's promise.
                unsafe { hand_out(out, text) };
            }
        }
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { with_client(client, error, show) }
}

/// The verified certificate chain of the connection to the server, as a JSON array: for each certificate an object with
/// `role` (`leaf`, `intermediate` or `root`), `sha256` (which nomyo_config_add_tls_pin() takes) and `subject` (RFC 4514).
/// Connects if there was no connection yet. The order is from the leaf to the root.
///
/// Any thread. Blocks for at most the client's timeout.
///
/// @param out receives the text; free it with nomyo_text_free().
/// @return NOMYO_OK, or
///         - NOMYO_ERR_ARGUMENT: NULL, or the server is `http://`;
///         - NOMYO_ERR_PIN: no certificate of the chain is pinned (the error shows the chain);
///         - the statuses of nomyo_client_warm_up().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_client_tls_chain(
    client: *const nomyo_client,
    out: *mut *mut nomyo_text,
    error: *mut *mut nomyo_error,
) -> i32 {
    let show = |client: &Client| {
        let out = output(out, "out")?;
        let text = nomyo_text::new(client.tls_chain()?)?;
        // SAFETY: `out` is not NULL, and writable by the caller's promise.
        unsafe { hand_out(out, text) };
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { with_client(client, error, show) }
}

/// Sends one chat request, encrypted, and waits for the whole answer.
///
/// `json` is the OpenAI-style request body: a JSON object of `len` bytes of UTF-8, at most 10 MiB and 128 levels deep,
/// read while the call lasts and not kept. Its members `security_tier` and `api_key` act as the options of
/// that name and are not sent; `base_url` is refused; everything else goes through byte for byte, encrypted.
///
/// Any thread, several at once. Blocks for at most the call's timeout.
///
/// nomyo_error_sent() tells for every error whether the request had left this process.
///
/// @param options may be NULL; read only during the call.
/// @param out     receives the response; free it with nomyo_response_free(), which wipes it.
/// @return NOMYO_OK, or
///         - NOMYO_ERR_ARGUMENT, NOMYO_ERR_FORKED: the request was not sent;
///         - NOMYO_ERR_CONNECTION, NOMYO_ERR_TIMEOUT, NOMYO_ERR_CANCELLED: at any step;
///         - NOMYO_ERR_BAD_REQUEST, _AUTHENTICATION, _FORBIDDEN, _NOT_FOUND, _RATE_LIMIT, _SERVER, _UNAVAILABLE,
///           _HTTP: the server refused it, or the key fetch before it;
///         - NOMYO_ERR_PROTOCOL: the server's key or response is not what the protocol has;
///         - NOMYO_ERR_PIN: the server's key, or its certificate chain, is not an accepted one;
///         - NOMYO_ERR_KEY, NOMYO_ERR_IO: the client's key directory, or the file of known servers;
///         - NOMYO_ERR_ATTESTATION: the configuration's policy requires more than the response's TPM quote proves; the
///           response is wiped, and the server has processed the request;
///         - NOMYO_ERR_SECURITY: the response does not decrypt, belongs to another request, or was made at a lower tier
///           than the one asked for (the HTTP status is 200 then, and the server has processed the request); or a lock is
///           required and refused;
///         - NOMYO_ERR_MEMORY: at any step; NOMYO_ERR_INTERNAL: a bug.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_create(
    client: *const nomyo_client,
    json: *const u8,
    len: usize,
    options: *const nomyo_call_options,
    out: *mut *mut nomyo_response,
    error: *mut *mut nomyo_error,
) -> i32 {
    let create = |client: &Client| {
        let out = output(out, "out")?;
        // SAFETY: the caller promises `len` readable bytes at `json`, and options that are NULL or alive.
        let (json, options) = unsafe { (bytes(json, len, "json")?, options_or_none(options)) };
        let response = client.create(json, &options)?;
        // SAFETY: `out` is not NULL, and writable by the caller's promise.
        unsafe { hand_out(out, nomyo_response::new(response)) };
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { with_client(client, error, create) }
}
