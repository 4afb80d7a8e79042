//! Where the client's pair lives, and which keys of the server are accepted.

use std::ffi::c_char;
use std::path::Path;
use std::time::Duration;

use super::super::arguments::{bytes, text};
use super::super::error_handle::nomyo_error;
use super::{change, nomyo_config};
use crate::client::Config;

/// Keeps the client's pair in the directory `dir`, as `private_key.pem` and `public_key.pem`. Default: none; the pair lives
/// in memory, as long as the client. A relative path is resolved by nomyo_client_new(), once.
///
/// The directory is looked at when the pair is first needed, not here:
/// - both files are there: they are loaded, in any form that nomyo_client_load_keys() reads;
/// - neither is there: a pair is generated and saved; a directory that is missing is created for its owner alone, in a
///   parent that exists;
/// - anything else is an error, and nothing is touched.
///
/// Several clients and processes may use one directory: they end with one pair. A file `.nomyo.lock` stays in it.
///
/// A call that needs the pair is NOMYO_ERR_KEY unless these rules hold. The error names the path and the command that
/// repairs it:
/// - The directory is not a link, belongs to the effective user or to root, and is writable by nobody else, sticky or not. A
///   sticky directory on a read-only mount is accepted: so is the root of a Secret volume of Kubernetes.
/// - Each key file belongs to the effective user or to root. The private file gives nothing to its group and to others;
///   nomyo_config_set_key_group_read() opens one case.
/// - A key file may be a symbolic link if the link, each directory that it leads through and the file belong to the
///   effective user or to root, and if nobody else can write these directories or they are sticky. A directory whose key
///   files are links is read-only for this library: no pair is generated or rotated there. When its pair falls due, the
///   pair is read again.
///
/// On Windows owners and access control lists are judged instead. The owner is the user of the process, the administrators or
/// the system. No entry of a list may let anybody else change the directory, or read or change the private file. Links are
/// refused, and nomyo_config_set_key_group_read() changes nothing.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or
///         - NOMYO_ERR_ARGUMENT: `config` or `dir` is NULL, or `dir` is not UTF-8.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_key_dir(
    config: *mut nomyo_config,
    dir: *const c_char,
    error: *mut *mut nomyo_error,
) -> i32 {
    let set = |config: &mut Config| {
        // SAFETY: the caller promises that `dir` is NULL or NUL-terminated.
        config.set_key_dir(Path::new(unsafe { text(dir, "dir") }?));
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, set) }
}

/// Sets the password of the private file in the key directory. Default, and for a length of 0: none; the file is then not
/// encrypted, and its mode, 0600, is all that protects it. `pw` (`len` bytes) is copied into the vault.
///
/// A password is bytes, used as they are. Text is not normalised: one word in two Unicode forms is two passwords, as for
/// OpenSSL and the SDKs. The SDKs take UTF-8.
///
/// A file is read with any password. A file is written only with a password of at least 8 characters and at most 1023
/// bytes, without a NUL: PBKDF2 takes `a` and `a` with a NUL behind it for one password. A password is refused for a file
/// that is not encrypted. nomyo_client_new() refuses a password without a directory.
///
/// The password belongs to the process that sets it. A forked child must set the password again: until then
/// nomyo_client_new() is NOMYO_ERR_FORKED there.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or
///         - NOMYO_ERR_ARGUMENT: `config` is NULL, or NULL with a length;
///         - NOMYO_ERR_MEMORY.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_key_password(
    config: *mut nomyo_config,
    pw: *const u8,
    len: usize,
    error: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, |config| config.set_key_password(bytes(pw, len, "pw")?)) }
}

/// Sets whether a private file that belongs to root may be readable by its group: mode 0440 or 0640. Default: 0, no. For a
/// Secret volume of Kubernetes, whose files belong to root and to the group `fsGroup`. A private file that its group can
/// write, that others can read, or that belongs to the user and is readable by its group is refused all the same.
///
/// One thread at a time; blocks on nothing.
///
/// @param yes  0 for no, anything else for yes.
///
/// @return NOMYO_OK, or
///         - NOMYO_ERR_ARGUMENT: `config` is NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_key_group_read(
    config: *mut nomyo_config,
    yes: i32,
    error: *mut *mut nomyo_error,
) -> i32 {
    let set = |config: &mut Config| {
        config.set_key_group_read(yes != 0);
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, set) }
}

/// Sets how long a pair is used before a new one takes its place, in the key directory too, in milliseconds; 0 means never.
/// Default: 86 400 000, a day. Counted from the moment at which this client made or loaded it. Pairs from
/// nomyo_client_load_keys() and nomyo_client_load_keys_pem() are not replaced.
///
/// The pair is replaced at the start of a request, by that request. Other requests in flight keep the pair that they named.
/// If another process has replaced the pair in the directory already, that one is taken. If the pair cannot be replaced, or
/// not within half of the call's time and 10 s at most, the request uses the old pair, and the log says so. A replacement
/// that failed is tried again a minute later.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: `config` is NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_key_rotation_ms(
    config: *mut nomyo_config,
    ms: u64,
    error: *mut *mut nomyo_error,
) -> i32 {
    let set = |config: &mut Config| {
        config.set_key_rotation(Duration::from_millis(ms));
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, set) }
}

/// Accepts a key of the server: SHA-256 of its SubjectPublicKeyInfo (DER), as 64 hexadecimal digits, or as `sha256/` and
/// base64. May be called for several, such as the key in use and the next; with any, every other key is NOMYO_ERR_PIN. Default: none; any strong RSA key is accepted.
///
/// WARNING: without a pin, and without nomyo_config_set_known_servers(), the encryption holds as far as TLS does: whoever
/// can present a certificate that this machine trusts can put a key of his own in the place of the server's.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: anything else.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_add_server_key_pin(
    config: *mut nomyo_config,
    sha256_hex: *const c_char,
    error: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, |config| config.add_server_key_pin(text(sha256_hex, "sha256_hex")?)) }
}

/// Remembers the server's key in `file` when nomyo_create() first uses it, and refuses any other key from then on with
/// NOMYO_ERR_PIN, which shows both fingerprints. Default: none. With pins too, a key must satisfy both. nomyo_seal() and
/// nomyo_client_server_key() compare with the file and remember nothing.
///
/// A relative path is resolved by nomyo_client_new(), once. The file is created with mode 0600 in a directory that exists.
/// Several clients and processes may share it. A file `.nomyo.lock` stays beside it.
///
/// The file is UTF-8, with or without a byte order mark, of at most 64 KiB. Lines end in LF, CRLF or CR. An empty line and a
/// line that begins with `#` are skipped. Every other line is a base URL, blanks, and a fingerprint: SHA-256 of the server's
/// SubjectPublicKeyInfo as 64 hexadecimal digits, or as `sha256/` and base64. URLs are compared in the form that
/// nomyo_config_set_base_url() gives them: upper case, a default port or a slash at the end make no difference.
///
/// A call that uses the server's key fails unless these rules hold. The error names the path and the command or the line:
/// - NOMYO_ERR_PIN: the file belongs to the effective user or to root, and nobody else can write it.
/// - NOMYO_ERR_PIN: every line can be parsed, and no two lines are about one server.
/// - NOMYO_ERR_KEY: its directory belongs to the effective user or to root and is writable by nobody else, sticky or not.
/// - NOMYO_ERR_IO: a key is to be remembered, and the file can be written and has room for the line.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or
///         - NOMYO_ERR_ARGUMENT: `config` or `file` is NULL, or `file` is not UTF-8.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_known_servers(
    config: *mut nomyo_config,
    file: *const c_char,
    error: *mut *mut nomyo_error,
) -> i32 {
    let set = |config: &mut Config| {
        // SAFETY: the caller promises that `file` is NULL or NUL-terminated.
        config.set_known_servers(Path::new(unsafe { text(file, "file") }?));
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, set) }
}

/// Sets how long the server's key is used before it is fetched again, in milliseconds; 0 for every request. Default:
/// 300 000. It is fetched at once, whatever its age, when the server says that it could not decrypt a request; that
/// request is then sealed for the other key and sent again, if that key is accepted and a retry is left.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: `config` is NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_server_key_ttl_ms(
    config: *mut nomyo_config,
    ms: u64,
    error: *mut *mut nomyo_error,
) -> i32 {
    let set = |config: &mut Config| {
        config.set_server_key_ttl(Duration::from_millis(ms));
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, set) }
}
