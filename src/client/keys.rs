//! The client's pair and the server's key, for callers who want to see or to change them.
//!
//! Each function blocks for at most the client's timeout, or the timeout of the handle's options.

use std::path::Path;

use super::{CallOptions, Client, PrivateKeyPem, PublishedKey};
use crate::error::{Error, Result};
use crate::keys::{KeyDirectory, Password};
use crate::memory::SecretBuf;

/// The longest PEM text of a key that is taken from memory, in bytes.
const MOST_PEM: usize = 64 * 1024;

impl Client {
    /// Generates a pair and uses it from now on: in `dir`, which must have no pair yet, with `password` for the private
    /// file unless empty; or in memory. The generation takes 0.7 s on average, several seconds at worst.
    ///
    /// # Errors
    /// - [`Status::Key`](crate::Status::Key): a file of a pair is there already.
    /// - [`Status::Io`](crate::Status::Io): a file cannot be written.
    /// - [`Status::Argument`](crate::Status::Argument): a password shorter than 8 characters, longer than 1023 bytes, or
    ///   without a directory.
    /// - [`Status::Cancelled`](crate::Status::Cancelled), [`Status::Timeout`](crate::Status::Timeout),
    ///   [`Status::Forked`](crate::Status::Forked).
    ///
    /// The pair in use stays then.
    pub fn generate_keys(&self, dir: Option<&Path>, password: &[u8]) -> Result<()> {
        self.call(&CallOptions::new(), |wait| {
            let password = Password::new(password)?;
            if dir.is_none() {
                password.check_is_none("keys in memory need no password; give a directory too, or neither")?;
            }
            let directory = dir.map(|dir| KeyDirectory::new(dir, password, self.shared.key_access)).transpose()?;
            self.shared.keys.generate(directory, wait)
        })
    }

    /// Loads a pair from files and uses it from now on. Without `public` the public half comes out of the private one. The
    /// files are not changed, and the pair is not rotated by time.
    ///
    /// # Errors
    /// - [`Status::Key`](crate::Status::Key): the files cannot be used.
    /// - [`Status::Io`](crate::Status::Io): the files cannot be read.
    /// - [`Status::Cancelled`](crate::Status::Cancelled), [`Status::Timeout`](crate::Status::Timeout),
    ///   [`Status::Forked`](crate::Status::Forked).
    ///
    /// The pair in use stays then.
    pub fn load_keys(&self, private: &Path, public: Option<&Path>, password: &[u8]) -> Result<()> {
        self.call(&CallOptions::new(), |wait| {
            self.shared.keys.load(private, public, self.shared.key_access, Password::new(password)?, wait)
        })
    }

    /// Loads a pair from PEM texts in memory and uses it from now on, as [`load_keys`](Client::load_keys) does from files.
    /// Without `public`, or if it is empty, the public half comes out of the private one. The texts and the password are
    /// copied into the vault, and the copies are wiped before this returns; the caller wipes its own.
    ///
    /// # Errors
    /// - [`Status::Key`](crate::Status::Key): the texts cannot be used.
    /// - [`Status::Argument`](crate::Status::Argument): `private` is empty, or a text is longer than 64 KiB.
    /// - [`Status::Cancelled`](crate::Status::Cancelled), [`Status::Timeout`](crate::Status::Timeout),
    ///   [`Status::Forked`](crate::Status::Forked), [`Status::Memory`](crate::Status::Memory).
    ///
    /// The pair in use stays then. A call that ends by its timeout or its cancel leaves the copies to the thread at work,
    /// which wipes them when it is done.
    pub fn load_keys_pem(&self, private: &[u8], public: Option<&[u8]>, password: &[u8]) -> Result<()> {
        self.call(&CallOptions::new(), |wait| {
            if private.trim_ascii().is_empty() {
                return Err(Error::argument("the private key given is empty; give the text of a PEM file"));
            }
            let public = public.filter(|text| !text.is_empty());
            let (private, public) =
                (copied(private, "private")?, public.map(|text| copied(text, "public")).transpose()?);
            self.shared.keys.load_pem(private, public, Password::new(password)?, wait)
        })
    }

    /// The private half of the pair in use, in PKCS#8 PEM, for another process or a secret manager. With a password it is
    /// encrypted as [`generate_keys`](Client::generate_keys) encrypts; empty for none. Loads or generates the pair if there
    /// is none yet.
    ///
    /// # Errors
    /// - [`Status::Argument`](crate::Status::Argument): a password that a file cannot be written with.
    /// - The errors of the key directory, [`Status::Cancelled`](crate::Status::Cancelled),
    ///   [`Status::Timeout`](crate::Status::Timeout), [`Status::Forked`](crate::Status::Forked),
    ///   [`Status::Memory`](crate::Status::Memory).
    pub fn private_key_pem(&self, password: &[u8]) -> Result<PrivateKeyPem> {
        self.call(&CallOptions::new(), |wait| {
            self.shared.keys.private_pem(Password::new(password)?, wait).map(PrivateKeyPem::new)
        })
    }

    /// Writes a copy of the pair in use to `dir`, which must have no pair yet, with `password` for the private file unless
    /// empty.
    ///
    /// # Errors
    /// As [`generate_keys`](Client::generate_keys).
    pub fn save_keys(&self, dir: &Path, password: &[u8]) -> Result<()> {
        self.call(&CallOptions::new(), |wait| {
            let directory = KeyDirectory::new(dir, Password::new(password)?, self.shared.key_access)?;
            self.shared.keys.save(directory, wait)
        })
    }

    /// Replaces the pair by a new one now, in its key directory too. Requests in flight keep the pair that they named. A
    /// pair from [`load_keys`](Client::load_keys) is replaced by one in memory.
    ///
    /// # Errors
    /// - [`Status::Key`](crate::Status::Key), [`Status::Io`](crate::Status::Io): the directory's pair cannot be loaded or
    ///   replaced.
    /// - [`Status::Cancelled`](crate::Status::Cancelled), [`Status::Timeout`](crate::Status::Timeout),
    ///   [`Status::Forked`](crate::Status::Forked).
    ///
    /// The pair in use stays then.
    pub fn rotate_keys(&self) -> Result<()> {
        self.call(&CallOptions::new(), |wait| self.shared.keys.rotate(wait))
    }

    /// The public half of the pair in use, as SPKI PEM; loads or generates the pair if there is none yet.
    ///
    /// # Errors
    /// The errors of the key directory, [`Status::Cancelled`](crate::Status::Cancelled),
    /// [`Status::Timeout`](crate::Status::Timeout), [`Status::Forked`](crate::Status::Forked).
    pub fn public_key(&self) -> Result<String> {
        self.call(&CallOptions::new(), |wait| Ok(self.shared.keys.current(wait)?.public_pem().to_owned()))
    }

    /// The server's key, to be compared with what the operator says. Fetches it unless it is there; remembers nothing among the
    /// known servers.
    ///
    /// # Errors
    /// The errors of the key fetch, [`Status::Pin`](crate::Status::Pin), [`Status::Forked`](crate::Status::Forked).
    pub fn server_key(&self) -> Result<PublishedKey> {
        self.call(&CallOptions::new(), |wait| {
            let key = self.fetching(wait, |attempts| self.fetched_server_key(None, attempts))?;
            Ok(PublishedKey { pem: key.pem()?, sha256: key.fingerprint().to_string() })
        })
    }

    /// The verified certificate chain of the connection to the server, as a JSON array of objects with `role` (`leaf`,
    /// `intermediate`, `root`), `sha256` (what a TLS pin is) and `subject`. Connects if there was no connection yet.
    ///
    /// # Errors
    /// - [`Status::Argument`](crate::Status::Argument): the server is `http://`.
    /// - Those of a connection, [`Status::Pin`](crate::Status::Pin), [`Status::Forked`](crate::Status::Forked).
    pub fn tls_chain(&self) -> Result<String> {
        self.call(&CallOptions::new(), |wait| {
            self.fetching(wait, |attempts| self.shared.transport.get()?.tls_chain(attempts))
        })
    }
}

/// A copy of a key's text, in the vault.
fn copied(text: &[u8], half: &str) -> Result<SecretBuf> {
    if text.len() > MOST_PEM {
        return Err(Error::argument(format!(
            "the {half} key given has {} bytes, and at most {MOST_PEM} are read; give the text of one PEM file",
            text.len()
        )));
    }
    SecretBuf::copy_of(text)
}
