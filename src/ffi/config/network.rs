//! Where a client calls, as whom, and how long that may take.

use std::ffi::c_char;
use std::path::Path;
use std::time::Duration;

use super::super::arguments::{bytes, text};
use super::super::error_handle::nomyo_error;
use super::{change, nomyo_config};
use crate::client::Config;

/// Sets the server: `https://host[:port][/path]`. Default: `https://api.nomyo.ai`.
///
/// The URL is read as the WHATWG URL standard does: the host in lower case, its IDNA A-labels, one form of IPv4 and IPv6
/// addresses, the default port left out. Blanks, backslashes, signs in a port and text behind an address are refused.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: not such a URL, or one with a user name, a query or a fragment.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_base_url(
    config: *mut nomyo_config,
    url: *const c_char,
    error: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, |config| config.set_base_url(text(url, "url")?)) }
}

/// Sets the API key, sent as a bearer token. Default, and for a length of 0: none is sent.
///
/// `key` is copied; wipe yours when you need it no longer. The copy belongs to the process that sets it. A forked child
/// must set the key again: until then nomyo_client_new() is NOMYO_ERR_FORKED there.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, NOMYO_ERR_ARGUMENT: longer than 8192 bytes, or anything but visible ASCII in it (a line break
///         from a file, a space); NOMYO_ERR_MEMORY.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_api_key(
    config: *mut nomyo_config,
    key: *const u8,
    len: usize,
    error: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, |config| config.set_api_key(bytes(key, len, "key")?)) }
}

/// Adds a header to both requests, the fetch of the server's key and the chat, for a gateway in front of the server. At most 32
/// headers. A `name` that was given before gets the new value. `value` is treated as a secret, and copied. A forked child must set
/// it again: until then nomyo_client_new() is NOMYO_ERR_FORKED there. Default: none.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or
///         - NOMYO_ERR_ARGUMENT: `config` or `name` is NULL; a name that HTTP does not allow (RFC 9110, section 5.6.2); a header
///           that the client sets itself, or that would change how a body is read; a value with other than visible ASCII
///           characters and spaces, or of more than 8192 bytes; a 33rd header; NULL with a length;
///         - NOMYO_ERR_MEMORY, NOMYO_ERR_SECURITY: no locked memory for the copy.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_header(
    config: *mut nomyo_config,
    name: *const c_char,
    value: *const u8,
    len: usize,
    error: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, |config| config.set_header(text(name, "name")?, bytes(value, len, "value")?)) }
}

/// Allows `http://` (yes not 0), for a server on the same machine. Default: 0.
///
/// WARNING: without TLS the API key is readable on the way and the server's key can be replaced, and with it the
/// encryption. Each client made so says so through the log function.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: `config` is NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_allow_http(
    config: *mut nomyo_config,
    yes: i32,
    error: *mut *mut nomyo_error,
) -> i32 {
    let allow = |config: &mut Config| {
        config.set_allow_http(yes != 0);
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, allow) }
}

/// Sets how many failed attempts of a call are retried, key fetch and request together. Default: 2.
///
/// Retried are attempts that met HTTP 408, 409, 425, 429, any 5xx but 501 and 505, or no response at all, unless the server
/// says `x-should-retry: true` or `false`. The same sealed bytes go out again. Before a retry the call waits as long as the
/// server's Retry-After says (up to two minutes; longer means no retry), otherwise 0.5 s, doubled each time up to 8 s, minus
/// up to 25 % jitter. A wait that would outlive the call's timeout is not begun.
///
/// Not retried: a response that broke off after its first byte; refused certificates and packages; a name that does not
/// exist; a second 503 in a row, or one that speaks of a rate limit, abuse or a cool-down (nomyo_error_retry_after_ms() is
/// half an hour then). With 0, a request whose bytes may have reached the server is never sent again. If a pooled connection
/// turns out to be closed before a byte has left, the request goes out on a fresh one, and that does not count.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: more than 10.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_max_retries(
    config: *mut nomyo_config,
    n: u32,
    error: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, |config| config.set_max_retries(n)) }
}

/// Sets the timeout of a whole call, in milliseconds: the client's keys, the key fetch, attempts, and the waits between them.
/// Default: 900 000. It bounds every function that blocks (see Time, above).
///
/// There is no idle timeout, because the server sends nothing until its response is complete. A call fails with
/// NOMYO_ERR_CONNECTION if the other side's system acknowledges nothing for 30 s.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: 0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_timeout_ms(
    config: *mut nomyo_config,
    total: u64,
    error: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, |config| config.set_timeout(Duration::from_millis(total))) }
}

/// Sets the timeout for one connection, in milliseconds: the server's name, TCP, a proxy, TLS. Default: 10 000.
///
/// If a name has several addresses, the next is tried 250 ms after the one before, while that goes on, and the family that
/// worked comes first next time (RFC 8305).
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: 0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_connect_timeout_ms(
    config: *mut nomyo_config,
    ms: u64,
    error: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, |config| config.set_connect_timeout(Duration::from_millis(ms))) }
}

/// Sets the proxy: `[scheme://][user:password@]host[:port]`. The scheme is http or https (both are asked to CONNECT), socks5
/// or socks5h (which are the same here); without one it is http. Special characters of the user name and the password are
/// percent-encoded. `""` is no proxy, whatever the environment says. Default: none, or the one that
/// nomyo_config_load_env() finds.
///
/// The proxy looks the server's name up. It sees only the TLS connection: sizes and timing, no content. Its user name and
/// password are in no error and no log line. The certificate of an https proxy is checked as the server's is, with the same
/// trust store; TLS pins are for the server alone.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: not such a URL, or one with a path.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_proxy(
    config: *mut nomyo_config,
    url: *const c_char,
    error: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, |config| config.set_proxy(text(url, "url")?)) }
}

/// Limits how many attempts begin in a second, all threads of the client and its key fetch together: `per_second` in the
/// long run, up to `burst` at once after a pause. Default, and for a `per_second` of 0: no limit.
///
/// A call waits for its turn, within its timeout. A call whose turn would come later is NOMYO_ERR_TIMEOUT at once, and
/// nomyo_error_retryable() is 0.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: a rate below 0.001, above 1 000 000 or not a number, or a `burst` of 0 with a
///         rate.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_rate_limit(
    config: *mut nomyo_config,
    per_second: f64,
    burst: u32,
    error: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, |config| config.set_rate_limit(per_second, burst)) }
}

/// Sets the largest answer that is read, in bytes, as it comes over the wire: a package is a third larger than what is in
/// it. A larger one is NOMYO_ERR_PROTOCOL. Default: 67 108 864.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: 0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_response_limit(
    config: *mut nomyo_config,
    bytes: u64,
    error: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, |config| config.set_response_limit(bytes)) }
}

/// Trusts the certificate authorities in the PEM file `pem`, instead of the system's trust store. Certificates are always
/// checked; there is no way to switch that off.
///
/// Reads the file now and not later.
///
/// One thread at a time; blocks while it reads the file.
///
/// @return NOMYO_OK, or
///         - NOMYO_ERR_IO: it cannot be read;
///         - NOMYO_ERR_ARGUMENT: no certificate in it.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_ca_file(
    config: *mut nomyo_config,
    pem: *const c_char,
    error: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, |config| config.set_ca_file(Path::new(text(pem, "pem")?))) }
}

/// Trusts the certificate authorities in a PEM text too, `len` bytes at `pem`, beside the trust store. May be called for several
/// texts. Certificates that are trusted already do no harm.
///
/// If the system has no trust store at any of its usual places, these authorities alone are trusted. That does not hold for a
/// store that SSL_CERT_FILE or SSL_CERT_DIR names: if it is empty, connections fail.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: no certificate in the text, a certificate that cannot be read as an authority, or
///         NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_add_ca_pem(
    config: *mut nomyo_config,
    pem: *const u8,
    len: usize,
    error: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, |config| config.add_ca_pem(bytes(pem, len, "pem")?)) }
}

/// Shows a client certificate to a server that asks for one (mutual TLS), from two PEM files, which are read now. The client shows
/// it to no proxy. With TLS 1.2 the certificate crosses the network unencrypted; its key never leaves the process. A forked child
/// must set it again: until then nomyo_client_new() is NOMYO_ERR_FORKED there. Default: none.
///
/// The key is an RSA, ECDSA or Ed25519 key, as PKCS#8, PKCS#1 or SEC 1, without encryption. Its file is judged as
/// nomyo_config_set_key_dir() says; nomyo_config_set_key_group_read() counts if it was called before.
///
/// One thread at a time; blocks while it reads the files.
///
/// @param certificate the path of the client's certificate, followed by the intermediate ones.
/// @param key         the path of its private key. It may be the same file.
/// @return NOMYO_OK, or, while the configuration stays as it was,
///         - NOMYO_ERR_ARGUMENT: NULL; no certificate or not one key in a file; a certificate file that is not a regular file of at
///           most 1 MiB; an encrypted key; a key of another certificate;
///         - NOMYO_ERR_KEY: the key file is missing, is larger than 64 KiB, or its mode, owner or directory is not private;
///         - NOMYO_ERR_IO: a file cannot be read;
///         - NOMYO_ERR_MEMORY, NOMYO_ERR_SECURITY: no locked memory for the key.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_client_certificate(
    config: *mut nomyo_config,
    certificate: *const c_char,
    key: *const c_char,
    error: *mut *mut nomyo_error,
) -> i32 {
    let set = |config: &mut Config| {
        // SAFETY: the caller promises that both are NULL or NUL-terminated.
        let (certificate, key) = unsafe { (text(certificate, "certificate")?, text(key, "key")?) };
        config.set_client_certificate(Path::new(certificate), Path::new(key))
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, set) }
}

/// As nomyo_config_set_client_certificate(), from two PEM texts in memory. Both are copied, and the copies are wiped by
/// nomyo_config_free() and with the last handle of the client. The caller wipes its own memory, with nomyo_wipe().
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT, NOMYO_ERR_MEMORY, NOMYO_ERR_SECURITY as there.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_client_certificate_pem(
    config: *mut nomyo_config,
    certificate: *const u8,
    certificate_len: usize,
    key: *const u8,
    key_len: usize,
    error: *mut *mut nomyo_error,
) -> i32 {
    let set = |config: &mut Config| {
        // SAFETY: the caller promises that both are NULL or readable for their lengths.
        let (certificate, key) =
            unsafe { (bytes(certificate, certificate_len, "certificate")?, bytes(key, key_len, "key")?) };
        config.set_client_certificate_pem(certificate, key)
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, set) }
}

/// Accepts a certificate of the server: SHA-256 of its SubjectPublicKeyInfo (DER), as `sha256/` and base64 (the form of
/// RFC 7469), or as 64 hexadecimal digits. May be called for several. At least one certificate of the verified chain (leaf,
/// intermediate or root) must have one of the pins. Default: none; every chain that leads to a trusted authority is accepted.
///
/// Checked in the handshake of each connection, before the API key or the prompt leaves. A chain without a pinned certificate
/// is NOMYO_ERR_PIN, and the message shows the fingerprints of the chain. Through a proxy it pins the server, not the proxy.
/// A pin of the server's key, nomyo_config_add_server_key_pin(), protects the prompt; a TLS pin protects the response too.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: anything else.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_add_tls_pin(
    config: *mut nomyo_config,
    sha256: *const c_char,
    error: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, |config| config.add_tls_pin(text(sha256, "sha256")?)) }
}

/// Offers the post-quantum key share X25519MLKEM768 in TLS (yes not 0), or does not. Default: 1. A library whose TLS is not
/// AWS-LC's (feature rustcrypto) never offers it.
///
/// With it the first message of a handshake has some 1400 bytes, and some middleboxes drop a message of that size: the
/// handshake then gets no answer. Without it the message has some 250 bytes, and a recording of the connection may be
/// decrypted by a future quantum computer, except for the package inside, which is encrypted with RSA and AES.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: `config` is NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_post_quantum(
    config: *mut nomyo_config,
    yes: i32,
    error: *mut *mut nomyo_error,
) -> i32 {
    let set = |config: &mut Config| {
        config.set_post_quantum(yes != 0);
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, set) }
}
