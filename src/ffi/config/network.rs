//! Where a client calls, as whom, and how long that may take.

use std::ffi::c_char;
use std::path::Path;
use std::time::Duration;

use super::super::arguments::{bytes, text};
use super::super::error::nomyo_error;
use super::{change, nomyo_config};
use crate::client::Config;

/// Sets the server: `https://host[:port][/path]`. Default: `https://api.nomyo.ai`.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: not such a URL, or one with a user name, a query or a fragment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_base_url(
    c: *mut nomyo_config,
    url: *const c_char,
    err: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(c, err, |config| config.set_base_url(text(url, "url")?)) }
}

/// Sets the API key, sent as a bearer token. Default, and for a length of 0: none is sent.
///
/// `key` is copied; wipe yours when you need it no longer.
///
/// @return NOMYO_OK, NOMYO_ERR_ARGUMENT: longer than 8192 bytes, or anything but visible ASCII in it (a line break
///         from a file, a space); NOMYO_ERR_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_api_key(
    c: *mut nomyo_config,
    key: *const u8,
    len: usize,
    err: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(c, err, |config| config.set_api_key(bytes(key, len, "key")?)) }
}

/// Allows `http://` (yes not 0), for a server on the same machine. Default: 0.
///
/// WARNING: without TLS the API key is readable on the way and the server's key can be replaced, and with it the
/// encryption. Each client made so says so through the log function.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: `c` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_allow_http(
    c: *mut nomyo_config,
    yes: i32,
    err: *mut *mut nomyo_error,
) -> i32 {
    let allow = |config: &mut Config| {
        config.set_allow_http(yes != 0);
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(c, err, allow) }
}

/// Sets how many failed attempts of a call are repeated, key fetch and request together: those that met HTTP 408, 409, 429,
/// 500, 502, 503, 504 or no answer at all, unless the server says `x-should-retry: true` or `false`. Default: 2.
///
/// The same sealed bytes go out again. Before each repetition the call waits as long as the server's Retry-After says (up to
/// two minutes; longer means no further attempt), otherwise 0.5 s, doubled each time up to 8 s, less up to a quarter by
/// chance. A wait that would outlive the call's timeout is not begun. Never repeated: what had begun to be answered,
/// refused certificates and packages, a name that does not exist, and a second 503 in a row or one that speaks of a rate
/// limit, abuse or a cool-down: nomyo_error_retry_after_ms() is half an hour then. A connection that the server closed while
/// it was idle is replaced once without counting.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: more than 10.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_max_retries(c: *mut nomyo_config, n: u32, err: *mut *mut nomyo_error) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(c, err, |config| config.set_max_retries(n)) }
}

/// Sets how long a whole call may take, in milliseconds: key fetch, attempts, and the waits between them. Default: 900 000.
/// The first call's key generation comes before it, as it does in nomyo_client_warm_up().
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_timeout_ms(
    c: *mut nomyo_config,
    total: u64,
    err: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(c, err, |config| config.set_timeout(Duration::from_millis(total))) }
}

/// Sets how long one connection may take to be there, in milliseconds: the server's name, TCP and TLS. Default: 10 000.
/// The addresses of a name are tried in turn, each for its share of the time that is left.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_connect_timeout_ms(
    c: *mut nomyo_config,
    ms: u64,
    err: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(c, err, |config| config.set_connect_timeout(Duration::from_millis(ms))) }
}

/// Sets the proxy: `scheme://[user:password@]host[:port]`, where the scheme is http or https (asked to CONNECT), socks5 or
/// socks5h (which are the same here); what is special in the user name and the password is percent-encoded. `""` is no
/// proxy, whatever the environment says.
///
/// Default: the environment's, read when a client is made: `https_proxy` or `HTTPS_PROXY` (for an `http://` server
/// `http_proxy` or `HTTP_PROXY`), otherwise `all_proxy` or `ALL_PROXY`, unless `no_proxy` or `NO_PROXY` names the server
/// by its name, a domain above it, its address or a network. The proxy looks the server's name up; it sees TLS, and of
/// that what anybody on the way sees. Its user name and password are in no error and no log line.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: not such a URL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_proxy(
    c: *mut nomyo_config,
    url: *const c_char,
    err: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(c, err, |config| config.set_proxy(text(url, "url")?)) }
}

/// Limits how many attempts begin in a second, all threads of the client and its key fetch together: `per_second` in the
/// long run, up to `burst` at once after a pause. Default, and for a `per_second` of 0: no limit.
///
/// A call waits for its turn, within its timeout; one whose turn would come later is NOMYO_ERR_TIMEOUT at once.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: a rate below 0.001, above 1 000 000 or not a number, or a `burst` of 0 with a
///         rate.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_rate_limit(
    c: *mut nomyo_config,
    per_second: f64,
    burst: u32,
    err: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(c, err, |config| config.set_rate_limit(per_second, burst)) }
}

/// Sets the largest answer that is read, in bytes, as it comes over the wire: a package is a third larger than what is in
/// it. A larger one is NOMYO_ERR_PROTOCOL. Default: 67 108 864.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_response_limit(
    c: *mut nomyo_config,
    bytes: u64,
    err: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(c, err, |config| config.set_response_limit(bytes)) }
}

/// Believes the certificate authorities in the PEM file `pem`, instead of the platform's trust store (where
/// SSL_CERT_FILE is honoured). Certificates are always checked; there is no way to switch that off.
///
/// Blocks on reading the file, now and not later.
///
/// @return NOMYO_OK, NOMYO_ERR_IO: it cannot be read, or NOMYO_ERR_ARGUMENT: no certificate in it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_ca_file(
    c: *mut nomyo_config,
    pem: *const c_char,
    err: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(c, err, |config| config.set_ca_file(Path::new(text(pem, "pem")?))) }
}
