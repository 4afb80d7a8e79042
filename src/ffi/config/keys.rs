//! Where the client's pair lives, and which keys of the server are accepted.

use std::ffi::c_char;
use std::path::Path;
use std::time::Duration;

use super::super::arguments::{bytes, text};
use super::super::error::nomyo_error;
use super::{change, nomyo_config};
use crate::client::Config;

/// Keeps the client's pair in the directory `dir`, as `private_key.pem` and `public_key.pem`. Default: none; the pair lives
/// in memory, as long as the client.
///
/// Looked at when the pair is first needed, not here. Both files there: they are loaded (every form that
/// nomyo_client_load_keys() reads). Neither: a pair is generated and saved; the directory, if need be, is made for its
/// owner alone, in a parent that exists. Anything else is an error, and nothing is touched. Several clients and
/// processes may use one directory: they end with one pair. A file `.nomyo.lock` stays in it.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: NULL, or not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_key_dir(
    c: *mut nomyo_config,
    dir: *const c_char,
    err: *mut *mut nomyo_error,
) -> i32 {
    let set = |config: &mut Config| {
        // SAFETY: the caller promises that `dir` is NULL or NUL-terminated.
        config.set_key_dir(Path::new(unsafe { text(dir, "dir") }?));
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(c, err, set) }
}

/// Sets the password of the private file in the key directory. Default, and for a length of 0: none; the file is then not
/// encrypted, and its mode, 0600, is all that protects it. `pw` (UTF-8, if the SDKs are to read the file) is copied.
///
/// A password is refused for a file that is not encrypted. One of less than 8 characters is refused when a file is to be
/// written. nomyo_client_new() refuses a password without a directory.
///
/// @return NOMYO_OK, NOMYO_ERR_ARGUMENT: NULL; NOMYO_ERR_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_key_password(
    c: *mut nomyo_config,
    pw: *const u8,
    len: usize,
    err: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(c, err, |config| config.set_key_password(bytes(pw, len, "pw")?)) }
}

/// Sets how long a pair is used before a new one takes its place, in the key directory too, in milliseconds; 0 for ever.
/// Default: 86 400 000, a day. Counted from the moment at which this client made or loaded it; pairs from
/// nomyo_client_load_keys() are not replaced.
///
/// The pair is replaced at the start of a request, by that request; others go on meanwhile, each with the pair that it has
/// named. When another process has replaced the pair in the directory already, that one is taken. When it cannot be
/// replaced, the request uses the old pair, the log says so, and it is tried again a minute later.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: `c` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_key_rotation_ms(
    c: *mut nomyo_config,
    ms: u64,
    err: *mut *mut nomyo_error,
) -> i32 {
    let set = |config: &mut Config| {
        config.set_key_rotation(Duration::from_millis(ms));
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(c, err, set) }
}

/// Accepts a key of the server: SHA-256 of its SubjectPublicKeyInfo (DER), as 64 hexadecimal digits, or as `sha256/` and
/// base64. May be called for several, such as the key in use and the next; with any, every other key is NOMYO_ERR_PIN,
/// and nothing is sent. Default: none; any strong RSA key is accepted.
///
/// WARNING: without a pin, and without nomyo_config_set_known_servers(), the encryption holds as far as TLS does: whoever
/// can present a certificate that this machine trusts can put a key of his own in the place of the server's.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: anything else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_server_key_pin(
    c: *mut nomyo_config,
    sha256_hex: *const c_char,
    err: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(c, err, |config| config.add_server_key_pin(text(sha256_hex, "sha256_hex")?)) }
}

/// Remembers the server's key in `file` when it is first used, and refuses any other from then on with NOMYO_ERR_PIN, which
/// shows both fingerprints. Default: none.
///
/// One line for each server: the base URL, a space, the fingerprint. Made with mode 0600 in a directory that exists; a file
/// that others can write, or a symbolic link, is refused. Several clients and processes may share it; a file `.nomyo.lock`
/// stays beside it. With pins too, a key
/// must satisfy both. nomyo_client_server_key() shows a key before it is used and remembered.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: NULL, or not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_known_servers(
    c: *mut nomyo_config,
    file: *const c_char,
    err: *mut *mut nomyo_error,
) -> i32 {
    let set = |config: &mut Config| {
        // SAFETY: the caller promises that `file` is NULL or NUL-terminated.
        config.set_known_servers(Path::new(unsafe { text(file, "file") }?));
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(c, err, set) }
}

/// Sets how long the server's key is used before it is fetched again, in milliseconds; 0 for every request. Default:
/// 300 000. It is fetched at once, whatever its age, when the server says that it could not decrypt a request; that
/// request is then sealed and sent once more, if the key is another one and is accepted.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: `c` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_server_key_ttl_ms(
    c: *mut nomyo_config,
    ms: u64,
    err: *mut *mut nomyo_error,
) -> i32 {
    let set = |config: &mut Config| {
        config.set_server_key_ttl(Duration::from_millis(ms));
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(c, err, set) }
}
