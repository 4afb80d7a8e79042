//! The client's pair and the server's key, for whoever wants to see or to change them.

use std::path::Path;

use super::Client;
use crate::error::Result;
use crate::keys::{KeyDirectory, Password};
use crate::transport::still_wanted;

impl Client {
    /// Generates a pair and uses it from now on: in `dir`, which must have no pair yet, with `password` for the private
    /// file unless empty; or in memory. Blocks for the generation (0.7 s on average, several at worst).
    ///
    /// # Errors
    /// [`Status::Key`](crate::Status::Key) when a file of a pair is there already, [`Status::Io`](crate::Status::Io) when
    /// one cannot be written, [`Status::Argument`](crate::Status::Argument) for a password shorter than 8 characters or
    /// without a directory, [`Status::Forked`](crate::Status::Forked). The pair in use stays then.
    pub fn generate_keys(&self, dir: Option<&Path>, password: &[u8]) -> Result<()> {
        self.usable()?;
        let password = Password::new(password)?;
        if dir.is_none() {
            password.check_is_none("keys in memory need no password; give a directory too, or neither")?;
        }
        self.keys.generate(dir.map(|dir| KeyDirectory::new(dir, password)), &still_wanted)
    }

    /// Loads a pair from files and uses it from now on. Without `public` the public half comes out of the private one. The
    /// files are not changed, and the pair is not rotated by time.
    ///
    /// # Errors
    /// [`Status::Key`](crate::Status::Key) when the files cannot be used, [`Status::Io`](crate::Status::Io) when they cannot
    /// be read, [`Status::Forked`](crate::Status::Forked). The pair in use stays then.
    pub fn load_keys(&self, private: &Path, public: Option<&Path>, password: &[u8]) -> Result<()> {
        self.usable()?;
        self.keys.load(private, public, &Password::new(password)?, &still_wanted)
    }

    /// Writes a copy of the pair in use to `dir`, which must have no pair yet, with `password` for the private file unless
    /// empty.
    ///
    /// # Errors
    /// As [`generate_keys`](Client::generate_keys).
    pub fn save_keys(&self, dir: &Path, password: &[u8]) -> Result<()> {
        self.usable()?;
        self.keys.save(&KeyDirectory::new(dir, Password::new(password)?), &still_wanted)
    }

    /// Replaces the pair by a new one now, in its key directory too. Requests under way keep the pair that they named. A
    /// pair from [`load_keys`](Client::load_keys) is replaced by one in memory.
    ///
    /// # Errors
    /// [`Status::Key`](crate::Status::Key), [`Status::Io`](crate::Status::Io) when the directory's pair cannot be loaded or
    /// replaced, [`Status::Forked`](crate::Status::Forked). The pair in use stays then.
    pub fn rotate_keys(&self) -> Result<()> {
        self.usable()?;
        self.keys.rotate(&still_wanted)
    }

    /// The public half of the pair in use, as SPKI PEM; loads or generates the pair when there is none yet.
    ///
    /// # Errors
    /// Those of the key directory, [`Status::Forked`](crate::Status::Forked).
    pub fn public_key(&self) -> Result<String> {
        self.usable()?;
        Ok(self.keys.current(&still_wanted)?.public_pem().to_owned())
    }

    /// The server's key, as SPKI PEM, and its fingerprint, SHA-256 of the SubjectPublicKeyInfo in hexadecimal: what a pin
    /// is. Fetches it unless it is there; remembers nothing among the known servers.
    ///
    /// # Errors
    /// Those of the key fetch, [`Status::Pin`](crate::Status::Pin), [`Status::Forked`](crate::Status::Forked).
    pub fn server_key(&self) -> Result<(String, String)> {
        self.usable()?;
        let key = self.fetched_server_key(None, &mut self.transport.get()?.attempts(self.timeout))?;
        Ok((key.pem()?, key.fingerprint().to_string()))
    }
}
