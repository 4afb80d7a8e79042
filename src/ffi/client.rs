//! `nomyo_client`, and the one call that everything is for.

use super::arguments::{bytes, hand_out, output, shared, take_back};
use super::config::{defaults, nomyo_config};
use super::error::nomyo_error;
use super::guard::{guard, guard_or_poison, guard_value};
use super::request::{nomyo_request, options_or_none};
use super::response::nomyo_response;
use crate::client::Client;
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
/// `c` and `err` as in nomyo.h, Conventions.
pub(super) unsafe fn with_client(
    c: *const nomyo_client,
    err: *mut *mut nomyo_error,
    body: impl FnOnce(&Client) -> Result<()>,
) -> i32 {
    // SAFETY: by the contract above.
    let client = unsafe { shared(c, "client") };
    let poison = || {
        if let Ok(handle) = &client {
            handle.client.poison();
        }
    };
    guard_or_poison(err, || body(&client.as_ref().map_err(Clone::clone)?.client), poison)
}

/// Makes a client from `c`, or from the defaults when `c` is NULL. Copies what it needs of `c`.
///
/// Any thread; blocks on nothing: keys are generated and connections opened when first needed, or by
/// nomyo_client_warm_up().
///
/// @param out receives the client; free it with nomyo_client_free().
/// @return NOMYO_OK, NOMYO_ERR_SECURITY: the base URL is `http://` and that is not allowed; NOMYO_ERR_ARGUMENT: `out`
///         is NULL; NOMYO_ERR_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_client_new(
    c: *const nomyo_config,
    out: *mut *mut nomyo_client,
    err: *mut *mut nomyo_error,
) -> i32 {
    guard(err, || {
        let out = output(out, "out")?;
        // SAFETY: the caller promises that `c` is NULL or a configuration that is not freed during the call.
        let client = match unsafe { c.as_ref() } {
            Some(handle) => Client::new(&handle.config)?,
            None => Client::new(&defaults()?)?,
        };
        // SAFETY: `out` is not NULL, and writable by the caller's promise.
        unsafe { hand_out(out, nomyo_client { client }) };
        Ok(())
    })
}

/// Frees a client: wipes its keys, closes its idle connections. NULL does nothing. Not while another thread is in a
/// call with it. Safe in a forked child.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_client_free(c: *mut nomyo_client) {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    guard_value((), || unsafe { take_back(c) });
}

/// Gets ready for the first call, now: generates the client's RSA-4096 pair (0.7 s on average, several at worst),
/// connects, fetches the server's key.
///
/// Any thread. Blocks for the key generation and then at most for the client's timeout.
///
/// @return NOMYO_OK, NOMYO_ERR_CONNECTION, NOMYO_ERR_TIMEOUT, NOMYO_ERR_PROTOCOL: the server's key is not usable; one
///         of the HTTP statuses, NOMYO_ERR_FORKED, NOMYO_ERR_ARGUMENT: `c` is NULL; NOMYO_ERR_INTERNAL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_client_warm_up(c: *const nomyo_client, err: *mut *mut nomyo_error) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { with_client(c, err, Client::warm_up) }
}

/// Sends one chat request, encrypted, and waits for the whole answer.
///
/// `json` is the OpenAI-style request body: a JSON object of `len` bytes of UTF-8, at most 10 MiB and 128 levels deep,
/// read before the first byte is sent and not kept. Its members `security_tier` and `api_key` act as the options of
/// that name and are not sent; `base_url` is refused; everything else goes through byte for byte, encrypted.
///
/// Any thread, several at once. Blocks at most for the call's timeout, and before that, the first time, for the key
/// generation. Installs no signal handler.
///
/// @param options may be NULL; read only during the call.
/// @param out     receives the answer; free it with nomyo_response_free(), which wipes it.
/// @return NOMYO_OK, or
///         - NOMYO_ERR_ARGUMENT, NOMYO_ERR_FORKED: nothing was sent;
///         - NOMYO_ERR_CONNECTION, NOMYO_ERR_TIMEOUT, NOMYO_ERR_CANCELLED: the request may have reached the server;
///         - NOMYO_ERR_BAD_REQUEST, _AUTHENTICATION, _FORBIDDEN, _NOT_FOUND, _RATE_LIMIT, _SERVER, _UNAVAILABLE,
///           _HTTP: the server refused it, or the key fetch before it;
///         - NOMYO_ERR_PROTOCOL: the server's key (nothing was sent) or answer is not what the protocol has;
///         - NOMYO_ERR_SECURITY: the answer does not decrypt, belongs to another request, or was made at a lower tier
///           than the one asked for (the HTTP status is 200 then: the prompt has been sent), or a lock is required
///           and refused;
///         - NOMYO_ERR_MEMORY: at any step; NOMYO_ERR_INTERNAL: a bug.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_create(
    c: *const nomyo_client,
    json: *const u8,
    len: usize,
    options: *const nomyo_request,
    out: *mut *mut nomyo_response,
    err: *mut *mut nomyo_error,
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
    unsafe { with_client(c, err, create) }
}
