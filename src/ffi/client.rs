//! `nomyo_client`, and the one call that everything is for.

use std::ffi::c_char;
use std::path::Path;

use super::arguments::{bytes, hand_out, optional_text, output, shared, take_back, text};
use super::config::{defaults, nomyo_config};
use super::error::nomyo_error;
use super::guard::{guard, guard_or_poison, guard_value};
use super::request::{nomyo_request, options_or_none};
use super::response::nomyo_response;
use super::text::nomyo_text;
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
///         is NULL, there is a key password and no key directory, or the
///         environment names a proxy that cannot be used; NOMYO_ERR_MEMORY.
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

/// Gets ready for the first call, now: loads or generates the client's RSA-4096 pair (0.7 s on average, several at worst),
/// connects, fetches the server's key.
///
/// Any thread. Blocks for the key generation and then at most for the client's timeout.
///
/// @return NOMYO_OK, NOMYO_ERR_CONNECTION, NOMYO_ERR_TIMEOUT, NOMYO_ERR_PROTOCOL: the server's key is not usable;
///         NOMYO_ERR_PIN: it is not an accepted one; NOMYO_ERR_KEY, NOMYO_ERR_IO: the key directory; one
///         of the HTTP statuses, NOMYO_ERR_FORKED, NOMYO_ERR_ARGUMENT: `c` is NULL; NOMYO_ERR_INTERNAL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_client_warm_up(c: *const nomyo_client, err: *mut *mut nomyo_error) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { with_client(c, err, Client::warm_up) }
}

/// Generates an RSA-4096 pair and uses it from now on. `dir` NULL: in memory. Otherwise it is saved in the directory `dir`,
/// which is made if need be and must have no pair yet, with the password `pw` (`len` bytes, at least 8 characters) or, for
/// a length of 0, without encryption; from then on it is rotated there.
///
/// Files: PKCS#8, with a password PBES2 with PBKDF2-HMAC-SHA-256, 600 000 iterations, and AES-256-CBC, so that OpenSSL and
/// the Python SDK read them; the private one has mode 0600 from its first byte on and appears whole or not at all.
///
/// Any thread. Blocks for the generation (0.7 s on average, several at worst), and at most a minute for another process
/// that uses the directory. Requests under way keep the pair that they named.
///
/// @return NOMYO_OK, NOMYO_ERR_KEY: a file of a pair is there already; NOMYO_ERR_IO: cannot be written; NOMYO_ERR_ARGUMENT:
///         a short password, or one without a directory; NOMYO_ERR_FORKED, NOMYO_ERR_MEMORY, NOMYO_ERR_INTERNAL. The
///         pair in use stays then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_client_generate_keys(
    c: *const nomyo_client,
    dir: *const c_char,
    pw: *const u8,
    len: usize,
    err: *mut *mut nomyo_error,
) -> i32 {
    let generate = |client: &Client| {
        // SAFETY: the caller promises that `dir` is NULL or NUL-terminated, and `len` readable bytes at `pw`.
        let (dir, password) = unsafe { (optional_text(dir, "dir")?, bytes(pw, len, "pw")?) };
        client.generate_keys(dir.map(Path::new), password)
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { with_client(c, err, generate) }
}

/// Loads a pair from files and uses it from now on. `public_pem` NULL: the public half comes out of the private one;
/// otherwise it must belong to it. `pw`, `len`: the password, or a length of 0 for a file that is not encrypted.
///
/// Read are, in PEM, RSA keys of 2048 bits or more: PKCS#8, PKCS#1, PBES2 with PBKDF2 (every PRF) or scrypt, and the form
/// that the JavaScript SDK writes. A private file that other users may read, and a symbolic link, are refused. The files
/// are not changed, and the pair is not rotated by time.
///
/// Any thread. Blocks on reading, and as long as the password's derivation takes. Requests under way keep the pair that
/// they named.
///
/// @return NOMYO_OK, NOMYO_ERR_KEY: missing, a wrong or superfluous password, not a strong RSA key, not one pair, unsafe
///         permissions (the error says the chmod to run); NOMYO_ERR_IO: cannot be read; NOMYO_ERR_ARGUMENT: NULL;
///         NOMYO_ERR_FORKED, NOMYO_ERR_MEMORY, NOMYO_ERR_INTERNAL. The pair in use stays then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_client_load_keys(
    c: *const nomyo_client,
    private_pem: *const c_char,
    public_pem: *const c_char,
    pw: *const u8,
    len: usize,
    err: *mut *mut nomyo_error,
) -> i32 {
    let load = |client: &Client| {
        // SAFETY: the caller promises that the paths are NULL or NUL-terminated, and `len` readable bytes at `pw`.
        let (private, public, password) = unsafe {
            (text(private_pem, "private_pem")?, optional_text(public_pem, "public_pem")?, bytes(pw, len, "pw")?)
        };
        client.load_keys(Path::new(private), public.map(Path::new), password)
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { with_client(c, err, load) }
}

/// Writes a copy of the pair in use to the directory `dir`, which is made if need be and must have no pair yet: to convert a
/// pair, or to set a password. `pw`, `len`, the files, blocking and the statuses are as for nomyo_client_generate_keys().
/// The client goes on with the pair that it has, where it has it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_client_save_keys(
    c: *const nomyo_client,
    dir: *const c_char,
    pw: *const u8,
    len: usize,
    err: *mut *mut nomyo_error,
) -> i32 {
    let save = |client: &Client| {
        // SAFETY: the caller promises that `dir` is NULL or NUL-terminated, and `len` readable bytes at `pw`.
        let (dir, password) = unsafe { (text(dir, "dir")?, bytes(pw, len, "pw")?) };
        client.save_keys(Path::new(dir), password)
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { with_client(c, err, save) }
}

/// Replaces the pair by a new one now, in its key directory too; a pair from nomyo_client_load_keys() is replaced by one in
/// memory. Requests under way keep the pair that they named; the old one is wiped when the last of them is over.
///
/// Any thread. Blocks as nomyo_client_generate_keys().
///
/// @return NOMYO_OK, NOMYO_ERR_KEY: what is in the directory cannot be loaded, and so is not replaced; NOMYO_ERR_IO: it
///         cannot be written; NOMYO_ERR_ARGUMENT: `c` is NULL, or the password is too short to write with;
///         NOMYO_ERR_FORKED, NOMYO_ERR_MEMORY, NOMYO_ERR_INTERNAL. The pair in use stays then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_client_rotate_keys(c: *const nomyo_client, err: *mut *mut nomyo_error) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { with_client(c, err, Client::rotate_keys) }
}

/// The public half of the pair in use, as SubjectPublicKeyInfo PEM. Loads or generates the pair if there is none yet, and
/// blocks for that.
///
/// Any thread.
///
/// @param out receives the text; free it with nomyo_text_free().
/// @return NOMYO_OK, NOMYO_ERR_KEY, NOMYO_ERR_IO: the key directory; NOMYO_ERR_ARGUMENT: NULL; NOMYO_ERR_FORKED,
///         NOMYO_ERR_MEMORY, NOMYO_ERR_INTERNAL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_client_public_key(
    c: *const nomyo_client,
    out: *mut *mut nomyo_text,
    err: *mut *mut nomyo_error,
) -> i32 {
    let show = |client: &Client| {
        let out = output(out, "out")?;
        let text = nomyo_text::new(client.public_key()?)?;
        // SAFETY: `out` is not NULL, and writable by the caller's promise.
        unsafe { hand_out(out, text) };
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { with_client(c, err, show) }
}

/// The server's key, as SubjectPublicKeyInfo PEM, and its fingerprint: SHA-256 of the SubjectPublicKeyInfo (DER) as 64
/// hexadecimal digits, which is what nomyo_config_set_server_key_pin() takes. Compare it with what the operator says,
/// before the first use: this fetches the key unless it is there, sends nothing else, and remembers nothing among the
/// known servers.
///
/// Any thread. Blocks for at most the client's timeout.
///
/// @param pem        receives the PEM; may be NULL. Free it with nomyo_text_free().
/// @param sha256_hex receives the fingerprint; may be NULL. Free it with nomyo_text_free().
/// @return NOMYO_OK, NOMYO_ERR_PIN: the key is not an accepted one (the error shows its fingerprint); the statuses of
///         nomyo_client_warm_up().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_client_server_key(
    c: *const nomyo_client,
    pem: *mut *mut nomyo_text,
    sha256_hex: *mut *mut nomyo_text,
    err: *mut *mut nomyo_error,
) -> i32 {
    let show = |client: &Client| {
        let (key, fingerprint) = client.server_key()?;
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
    unsafe { with_client(c, err, show) }
}

/// Sends one chat request, encrypted, and waits for the whole answer.
///
/// `json` is the OpenAI-style request body: a JSON object of `len` bytes of UTF-8, at most 10 MiB and 128 levels deep,
/// read while the call lasts and not kept. Its members `security_tier` and `api_key` act as the options of
/// that name and are not sent; `base_url` is refused; everything else goes through byte for byte, encrypted.
///
/// Any thread, several at once. Blocks at most for the call's timeout, and before that, the first time and when the pair
/// is due, for the key generation. Installs no signal handler.
///
/// @param options may be NULL; read only during the call.
/// @param out     receives the answer; free it with nomyo_response_free(), which wipes it.
/// @return NOMYO_OK, or
///         - NOMYO_ERR_ARGUMENT, NOMYO_ERR_FORKED: nothing was sent;
///         - NOMYO_ERR_CONNECTION, NOMYO_ERR_TIMEOUT, NOMYO_ERR_CANCELLED: the request may have reached the server;
///         - NOMYO_ERR_BAD_REQUEST, _AUTHENTICATION, _FORBIDDEN, _NOT_FOUND, _RATE_LIMIT, _SERVER, _UNAVAILABLE,
///           _HTTP: the server refused it, or the key fetch before it;
///         - NOMYO_ERR_PROTOCOL: the server's key (nothing was sent) or answer is not what the protocol has;
///         - NOMYO_ERR_PIN: the server's key is not an accepted one; the request did not leave;
///         - NOMYO_ERR_KEY, NOMYO_ERR_IO: the client's key directory, or the file of known servers; nothing was sent;
///         - NOMYO_ERR_ATTESTATION: the configuration's policy requires more than the answer's TPM quote proves; the answer
///           is wiped, and the prompt has been sent;
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
