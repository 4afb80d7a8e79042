//! The client's pair: generated, loaded, saved, replaced, shown.

use std::ffi::c_char;
use std::path::Path;

use super::arguments::{bytes, hand_out, optional_text, output, text};
use super::client::{nomyo_client, with_client};
use super::error_handle::nomyo_error;
use super::text::nomyo_text;
use crate::client::Client;
use crate::memory;

/// Generates an RSA-4096 pair and uses it from now on. `dir` NULL: in memory. Otherwise the pair is saved in the directory
/// `dir`, which must have no pair yet, and is rotated there from then on. A directory that is missing is created for its
/// owner alone, in a parent that exists. A relative path is resolved when the call begins.
///
/// Files: PKCS#8, with a password PBES2 with PBKDF2-HMAC-SHA-256, 600 000 iterations, and AES-256-CBC, so that OpenSSL and
/// the Python SDK read them. The private file has mode 0600 from its first byte on and appears whole or not at all. Owner
/// and mode of the new file are checked before a key is written to it: a file system that ignores modes is refused.
///
/// @param pw  the password, `len` bytes, as for nomyo_config_set_key_password(): 8 to 1023, none of them NUL. A length of
///            0 writes the private file without encryption.
///
/// Any thread. Blocks for at most the client's timeout. Requests in flight keep the pair that they named.
///
/// @return NOMYO_OK, or, while the pair in use stays and no file is half-written,
///         - NOMYO_ERR_KEY: a file of a pair is there already;
///         - NOMYO_ERR_KEY: `dir` is unsafe, as nomyo_config_set_key_dir() says, or its file system ignores modes;
///         - NOMYO_ERR_IO: the directory or a file cannot be written;
///         - NOMYO_ERR_ARGUMENT: `client` is NULL; or a password that is too short, too long, has a NUL, or has no directory;
///         - NOMYO_ERR_TIMEOUT, NOMYO_ERR_CANCELLED: nothing is written later, unless the message says that the writing had
///           begun and is being completed;
///         - NOMYO_ERR_FORKED, NOMYO_ERR_SECURITY, NOMYO_ERR_MEMORY, NOMYO_ERR_INTERNAL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_client_generate_keys(
    client: *const nomyo_client,
    dir: *const c_char,
    pw: *const u8,
    len: usize,
    error: *mut *mut nomyo_error,
) -> i32 {
    let generate = |client: &Client| {
        // SAFETY: the caller promises that `dir` is NULL or NUL-terminated, and `len` readable bytes at `pw`.
        let (dir, password) = unsafe { (optional_text(dir, "dir")?, bytes(pw, len, "pw")?) };
        client.generate_keys(dir.map(Path::new), password)
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { with_client(client, error, generate) }
}

/// Loads a pair from two files and uses it from now on. The files are not changed, and the pair is not rotated by time.
///
/// Keys are RSA of 2048 to 8192 bits. The private file is PEM, of at most 64 KiB, in one of these forms:
///
/// | label                 | content                                                                              |
/// |-----------------------|--------------------------------------------------------------------------------------|
/// | PRIVATE KEY           | PKCS#8, version 1 or 2                                                               |
/// | RSA PRIVATE KEY       | PKCS#1, with two primes                                                              |
/// | ENCRYPTED PRIVATE KEY | PKCS#8 with PBES2: PBKDF2 with any PRF, or scrypt                                    |
/// | PRIVATE KEY           | the encrypted form that the JavaScript SDK writes                                    |
///
/// A byte order mark, CRLF, lines of any length, blank lines, text around the blocks and other blocks are skipped. A file
/// with two private keys is refused. The public file is PEM too: PUBLIC KEY (SubjectPublicKeyInfo) or RSA PUBLIC KEY
/// (PKCS#1).
///
/// Owner, mode and links are checked as nomyo_config_set_key_dir() says, with one difference: the directory of the file may
/// be writable by others if it is sticky, as `/tmp` is. A relative path is resolved when the call begins.
///
/// @param private_pem  the path of the private file.
/// @param public_pem   the path of the public file, which must be the other half; NULL: derived from the private one.
/// @param pw           the password, `len` bytes; a length of 0 for a file that is not encrypted.
///
/// Any thread. Blocks for at most the client's timeout. Requests in flight keep the pair that they named.
///
/// @return NOMYO_OK, or, while the pair in use stays,
///         - NOMYO_ERR_KEY: a file is missing, or is too large;
///         - NOMYO_ERR_KEY: a wrong, a missing or a superfluous password;
///         - NOMYO_ERR_KEY: not a strong RSA key, numbers that do not fit each other, or not one pair;
///         - NOMYO_ERR_KEY: unsafe owner, mode or link; the error names the command that repairs it;
///         - NOMYO_ERR_IO: a file cannot be read;
///         - NOMYO_ERR_ARGUMENT: `client` or `private_pem` is NULL, or a path is not UTF-8;
///         - NOMYO_ERR_TIMEOUT, NOMYO_ERR_CANCELLED, NOMYO_ERR_FORKED, NOMYO_ERR_SECURITY, NOMYO_ERR_MEMORY,
///           NOMYO_ERR_INTERNAL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_client_load_keys(
    client: *const nomyo_client,
    private_pem: *const c_char,
    public_pem: *const c_char,
    pw: *const u8,
    len: usize,
    error: *mut *mut nomyo_error,
) -> i32 {
    let load = |client: &Client| {
        // SAFETY: the caller promises that the paths are NULL or NUL-terminated, and `len` readable bytes at `pw`.
        let (private, public, password) = unsafe {
            (text(private_pem, "private_pem")?, optional_text(public_pem, "public_pem")?, bytes(pw, len, "pw")?)
        };
        client.load_keys(Path::new(private), public.map(Path::new), password)
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { with_client(client, error, load) }
}

/// Loads a pair from PEM texts in memory and uses it from now on: for keys from a secret manager, an environment variable or
/// a file descriptor. The pair is not rotated by time.
///
/// The forms of the texts are those of nomyo_client_load_keys(). Both texts and the password are copied into the vault at
/// once. The copies are wiped before the call returns, or, after a timeout or a cancel, when the thread at work ends. The
/// caller wipes its own memory, with nomyo_wipe().
///
/// @param private_pem  the private key, `private_len` bytes, at most 64 KiB.
/// @param public_pem   the public key, `public_len` bytes, at most 64 KiB, which must be the other half. NULL, or a length
///                     of 0: derived from the private key.
/// @param pw           the password, `len` bytes; a length of 0 for a text that is not encrypted.
///
/// Any thread. Blocks for at most the client's timeout. Requests in flight keep the pair that they named.
///
/// @return NOMYO_OK, or, while the pair in use stays,
///         - NOMYO_ERR_KEY: a wrong, a missing or a superfluous password;
///         - NOMYO_ERR_KEY: not a strong RSA key, numbers that do not fit each other, or not one pair;
///         - NOMYO_ERR_ARGUMENT: `client` is NULL; `private_pem` is empty; a text is longer than 64 KiB; NULL with a length;
///         - NOMYO_ERR_TIMEOUT, NOMYO_ERR_CANCELLED, NOMYO_ERR_FORKED, NOMYO_ERR_SECURITY, NOMYO_ERR_MEMORY,
///           NOMYO_ERR_INTERNAL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_client_load_keys_pem(
    client: *const nomyo_client,
    private_pem: *const u8,
    private_len: usize,
    public_pem: *const u8,
    public_len: usize,
    pw: *const u8,
    len: usize,
    error: *mut *mut nomyo_error,
) -> i32 {
    let load = |client: &Client| {
        // SAFETY: the caller promises the bytes at the three pointers.
        let (private, public, password) = unsafe {
            (
                bytes(private_pem, private_len, "private_pem")?,
                bytes(public_pem, public_len, "public_pem")?,
                bytes(pw, len, "pw")?,
            )
        };
        client.load_keys_pem(private, Some(public), password)
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { with_client(client, error, load) }
}

/// The private half of the pair in use, as PKCS#8 PEM: for another process, or for a secret manager. Loads or generates the
/// pair if there is none yet.
///
/// @param pw       the password, `len` bytes, as for nomyo_client_generate_keys(), which encrypts in the same way. A length
///                 of 0: the text is the private key itself.
/// @param out      receives memory as nomyo_secret_alloc() gives it. Free it with nomyo_secret_free(), which wipes it. It
///                 belongs to the caller and may outlive the client.
/// @param out_len  receives the length of the text in bytes. A NUL that is not counted follows the text.
///
/// Any thread. Blocks for at most the client's timeout.
///
/// @return NOMYO_OK, or
///         - NOMYO_ERR_KEY, NOMYO_ERR_IO: the key directory;
///         - NOMYO_ERR_ARGUMENT: `client`, `out` or `out_len` is NULL; or a password that is too short, too long, or has a NUL;
///         - NOMYO_ERR_SECURITY: a lock is required and refused;
///         - NOMYO_ERR_TIMEOUT, NOMYO_ERR_CANCELLED, NOMYO_ERR_FORKED, NOMYO_ERR_MEMORY, NOMYO_ERR_INTERNAL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_client_private_key_pem(
    client: *const nomyo_client,
    pw: *const u8,
    len: usize,
    out: *mut *mut u8,
    out_len: *mut usize,
    error: *mut *mut nomyo_error,
) -> i32 {
    let export = |client: &Client| {
        let (out, out_len) = (output(out, "out")?, output(out_len, "out_len")?);
        // SAFETY: the caller promises `len` readable bytes at `pw`.
        let text = client.private_key_pem(unsafe { bytes(pw, len, "pw") }?)?;
        // Fresh memory is zero: the NUL is there.
        let copy = memory::alloc_guarded(text.len() + 1)?;
        // SAFETY: `copy` has room for the text, and nobody else has it yet.
        unsafe { copy.as_ptr().copy_from_nonoverlapping(text.as_ptr(), text.len()) };
        // SAFETY: neither is NULL, and both are writable by the caller's promise.
        unsafe {
            out.write(copy.as_ptr());
            out_len.write(text.len());
        }
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { with_client(client, error, export) }
}

/// Writes a copy of the pair in use to the directory `dir`, which is made if need be and must have no pair yet: to convert a
/// pair, or to set a password. `pw`, `len`, the files, blocking and the statuses are as for nomyo_client_generate_keys().
/// The client goes on with the pair that it has, where it has it.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_client_save_keys(
    client: *const nomyo_client,
    dir: *const c_char,
    pw: *const u8,
    len: usize,
    error: *mut *mut nomyo_error,
) -> i32 {
    let save = |client: &Client| {
        // SAFETY: the caller promises that `dir` is NULL or NUL-terminated, and `len` readable bytes at `pw`.
        let (dir, password) = unsafe { (text(dir, "dir")?, bytes(pw, len, "pw")?) };
        client.save_keys(Path::new(dir), password)
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { with_client(client, error, save) }
}

/// Replaces the pair by a new one now, in its key directory too. A pair from nomyo_client_load_keys() or
/// nomyo_client_load_keys_pem() is replaced by one in memory. Requests in flight keep the pair that they named. The old pair
/// is wiped when the last of these requests is over.
///
/// Any thread. Blocks for at most the client's timeout.
///
/// @return NOMYO_OK, or, while the pair in use stays,
///         - NOMYO_ERR_KEY: the pair in the directory cannot be loaded, and so is not replaced; or its files are links;
///         - NOMYO_ERR_IO: the directory cannot be written. If the private file was replaced and the public one could not
///           be, the message says that the new pair is in force in the directory;
///         - NOMYO_ERR_ARGUMENT: `client` is NULL, or a file cannot be written with the configured password;
///         - NOMYO_ERR_TIMEOUT, NOMYO_ERR_CANCELLED, NOMYO_ERR_FORKED, NOMYO_ERR_SECURITY, NOMYO_ERR_MEMORY,
///           NOMYO_ERR_INTERNAL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_client_rotate_keys(client: *const nomyo_client, error: *mut *mut nomyo_error) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { with_client(client, error, Client::rotate_keys) }
}

/// The public half of the pair in use, as SubjectPublicKeyInfo PEM. Loads or generates the pair if there is none yet.
///
/// Any thread. Blocks for at most the client's timeout.
///
/// @param out receives the text; free it with nomyo_text_free().
/// @return NOMYO_OK, or
///         - NOMYO_ERR_KEY, NOMYO_ERR_IO: the key directory;
///         - NOMYO_ERR_ARGUMENT: `client` or `out` is NULL;
///         - NOMYO_ERR_TIMEOUT, NOMYO_ERR_CANCELLED, NOMYO_ERR_FORKED, NOMYO_ERR_SECURITY, NOMYO_ERR_MEMORY,
///           NOMYO_ERR_INTERNAL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_client_public_key(
    client: *const nomyo_client,
    out: *mut *mut nomyo_text,
    error: *mut *mut nomyo_error,
) -> i32 {
    let show = |client: &Client| {
        let out = output(out, "out")?;
        let text = nomyo_text::new(client.public_key()?)?;
        // SAFETY: `out` is not NULL, and writable by the caller's promise.
        unsafe { hand_out(out, text) };
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { with_client(client, error, show) }
}
