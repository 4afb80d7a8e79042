//! A directory that holds one key pair, for any number of processes.
//!
//! Promises: both files are there, or neither, or nothing is done; a pair is replaced whole. The private file is renamed
//! first and the public one after it: what lies beside the public file alone is the other half of a replacement that was
//! cut off there, and is put in its place by whoever locks the directory next. What lies beside both was never begun.

use std::path::{Path, PathBuf};

use super::folder::{Access, Folder, Lock};
use super::password::Password;
use super::{ClientPair, key_file, private_key};
use crate::crypto::KeyPair;
use crate::error::{Error, Result, Status};

const PRIVATE: &str = "private_key.pem";
const PUBLIC: &str = "public_key.pem";

/// Where a pair is kept, and the password of its private file.
#[derive(Debug)]
pub(crate) struct KeyDirectory {
    path: PathBuf,
    password: Password,
}

/// How a wait for another process is given up: it fails when the call that waits is not wanted any more.
pub(crate) type StillWanted<'a> = &'a dyn Fn() -> Result<()>;

impl KeyDirectory {
    /// The directory at `path`; nothing is looked at yet.
    pub(crate) fn new(path: &Path, password: Password) -> KeyDirectory {
        KeyDirectory { path: path.to_owned(), password }
    }

    /// The pair that is there, or a new one in an empty directory. Makes the directory.
    pub(super) fn load_or_generate(&self, still_wanted: StillWanted<'_>) -> Result<ClientPair> {
        let folder = Folder::open_or_make(&self.path)?;
        let lock = locked(&folder, still_wanted)?;
        match self.load(&folder)? {
            Some(pair) => Ok(pair),
            None => {
                lock.ok_or_else(|| self.cannot_write())?;
                self.password.check_for_writing()?;
                self.save(&folder, KeyPair::generate()?)
            }
        }
    }

    /// Keeps `keys` in a directory that has no pair yet.
    pub(super) fn keep(
        &self,
        still_wanted: StillWanted<'_>,
        keys: impl FnOnce() -> Result<KeyPair>,
    ) -> Result<ClientPair> {
        self.password.check_for_writing()?;
        let folder = Folder::open_or_make(&self.path)?;
        locked(&folder, still_wanted)?.ok_or_else(|| self.cannot_write())?;
        for name in [PRIVATE, PUBLIC] {
            if folder.has(name)? {
                return Err(Error::new(
                    Status::Key,
                    format!(
                        "{} is there already, and is not overwritten; choose another directory, or rotate the keys of a \
                         client that uses this one",
                        folder.path_of(name).display()
                    ),
                ));
            }
        }
        self.save(&folder, keys()?)
    }

    /// Replaces the pair by a new one. A pair that cannot be loaded is not replaced. When `replaced` is not the pair that is
    /// there, somebody else has replaced it: then that one is taken.
    pub(super) fn rotate(&self, replaced: Option<&ClientPair>, still_wanted: StillWanted<'_>) -> Result<ClientPair> {
        self.password.check_for_writing()?;
        let folder = Folder::open_or_make(&self.path)?;
        locked(&folder, still_wanted)?.ok_or_else(|| self.cannot_write())?;
        match self.load(&folder)? {
            Some(other) if replaced.is_some_and(|pair| pair.keys.spki() != other.keys.spki()) => Ok(other),
            _ => self.save(&folder, KeyPair::generate()?),
        }
    }

    /// The pair in the folder, if there is one.
    fn load(&self, folder: &Folder) -> Result<Option<ClientPair>> {
        let missing = match (folder.has(PRIVATE)?, folder.has(PUBLIC)?) {
            (true, true) => {
                let (private, public) = (folder.path_of(PRIVATE), folder.path_of(PUBLIC));
                let pem = folder.read(PRIVATE, Access::Private)?;
                let keys = key_file::private(&pem, &private, &self.password)?;
                key_file::check_public(&folder.read(PUBLIC, Access::Public)?, &public, &private, &keys)?;
                return ClientPair::new(keys).map(Some);
            }
            (false, false) => return Ok(None),
            (true, false) => (PUBLIC, PRIVATE),
            (false, true) => (PRIVATE, PUBLIC),
        };
        let (gone, there) = missing;
        Err(Error::new(
            Status::Key,
            format!(
                "{} is missing beside {there}: put it back, or move {there} away for a new pair; nothing was changed",
                folder.path_of(gone).display()
            ),
        ))
    }

    /// Puts `keys` in the place of whatever pair is there. Whoever calls has the lock, and has looked.
    fn save(&self, folder: &Folder, keys: KeyPair) -> Result<ClientPair> {
        let private = private_key::to_pem(&keys.to_pkcs8()?, &self.password)?;
        let pair = ClientPair::new(keys)?;
        folder.stage(PRIVATE, &private, Access::Private)?;
        folder.stage(PUBLIC, pair.public_pem().as_bytes(), Access::Public).inspect_err(|_| {
            let _ = folder.unstage(PRIVATE);
        })?;
        folder.sync()?;
        folder.commit(PRIVATE)?;
        folder.commit(PUBLIC)?;
        folder.sync()?;
        Ok(pair)
    }

    fn cannot_write(&self) -> Error {
        Error::new(
            Status::Io,
            format!("{} cannot be written to; choose another directory, or put a pair there", self.path.display()),
        )
    }
}

/// Locks the folder and finishes, or clears away, what was cut off there. `None` where nothing can be written.
fn locked(folder: &Folder, still_wanted: StillWanted<'_>) -> Result<Option<Lock>> {
    let Some(lock) = folder.lock(still_wanted)? else { return Ok(None) };
    match (folder.is_staged(PRIVATE)?, folder.is_staged(PUBLIC)?) {
        (false, false) => {}
        (false, true) => {
            folder.commit(PUBLIC)?;
            folder.sync()?;
        }
        (true, _) => {
            // In this order: the other one would leave what looks like a replacement that was cut off.
            folder.unstage(PUBLIC)?;
            folder.unstage(PRIVATE)?;
        }
    }
    Ok(Some(lock))
}
