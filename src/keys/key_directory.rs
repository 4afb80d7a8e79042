//! A directory that holds one key pair, for any number of processes.
//!
//! Promises: both files are there, or neither, or nothing is done; a pair is replaced whole. The private file is renamed
//! first and the public one after it: what lies beside the public file alone, and belongs to the private one, is the other
//! half of a replacement that was cut off there, and is put in its place by whoever loads the pair next. What lies beside
//! both was never begun.

use std::path::{Path, PathBuf};

use super::folder::{Access, Folder, Lock};
use super::password::Password;
use super::{ClientPair, key_file, private_key};
use crate::crypto::KeyPair;
use crate::error::{Error, Result, Status};
use crate::memory::SecretBuf;

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
        match self.load(&folder, lock.as_ref())? {
            Some(pair) => Ok(pair),
            None => {
                let lock = lock.ok_or_else(|| self.cannot_write())?;
                self.password.check_for_writing()?;
                self.save(&lock, KeyPair::generate()?)
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
        let lock = locked(&folder, still_wanted)?.ok_or_else(|| self.cannot_write())?;
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
        self.save(&lock, keys()?)
    }

    /// Replaces the pair by a new one. A pair that cannot be loaded is not replaced. When `replaced` is not the pair that is
    /// there, somebody else has replaced it: then that one is taken.
    pub(super) fn rotate(&self, replaced: Option<&ClientPair>, still_wanted: StillWanted<'_>) -> Result<ClientPair> {
        self.password.check_for_writing()?;
        let folder = Folder::open_or_make(&self.path)?;
        let lock = locked(&folder, still_wanted)?.ok_or_else(|| self.cannot_write())?;
        match self.load(&folder, Some(&lock))? {
            Some(other) if replaced.is_some_and(|pair| pair.keys.spki() != other.keys.spki()) => Ok(other),
            _ => self.save(&lock, KeyPair::generate()?),
        }
    }

    /// The pair in the folder, if there is one. Finishes a replacement that was cut off, where `lock` allows it.
    fn load(&self, folder: &Folder, lock: Option<&Lock<'_>>) -> Result<Option<ClientPair>> {
        let (private, public) = (folder.path_of(PRIVATE), folder.path_of(PUBLIC));
        let staged = folder.is_staged(PUBLIC)?;
        let has_public = match (folder.has(PRIVATE)?, folder.has(PUBLIC)?) {
            (false, false) => return Ok(None),
            (false, true) => return Err(missing(&private, PUBLIC)),
            (true, false) if !staged => return Err(missing(&public, PRIVATE)),
            (true, has_public) => has_public,
        };
        let keys = key_file::private(&folder.read(PRIVATE, Access::Private)?, &private, &self.password)?;
        let belongs = |pem: Result<SecretBuf>| key_file::check_public(&pem?, &public, &private, &keys);
        let refused = if has_public {
            belongs(folder.read(PUBLIC, Access::Public)).err()
        } else {
            Some(missing(&public, PRIVATE))
        };
        if let Some(error) = refused {
            // Only the other half of the private file: anything else was not put there by the replacement that made that.
            if !staged || belongs(folder.read_staged(PUBLIC, Access::Public)).is_err() {
                return Err(error);
            }
            if let Some(lock) = lock {
                lock.commit(PUBLIC)?;
                lock.sync()?;
            }
        }
        ClientPair::new(keys).map(Some)
    }

    /// Puts `keys` in the place of whatever pair is there. Whoever calls has looked.
    fn save(&self, lock: &Lock<'_>, keys: KeyPair) -> Result<ClientPair> {
        let private = private_key::to_pem(&keys.to_pkcs8()?, &self.password)?;
        let pair = ClientPair::new(keys)?;
        let begun = lock
            .stage(PRIVATE, &private, Access::Private)
            .and_then(|()| lock.stage(PUBLIC, pair.public_pem().as_bytes(), Access::Public))
            .and_then(|()| lock.sync())
            .and_then(|()| lock.commit(PRIVATE));
        begun.inspect_err(|_| {
            // If this fails too, the next one who locks the directory does it.
            let _ = clear_away(lock);
        })?;
        lock.commit(PUBLIC)?;
        lock.sync()?;
        Ok(pair)
    }

    fn cannot_write(&self) -> Error {
        Error::new(
            Status::Io,
            format!("{} cannot be written to; choose another directory, or put a pair there", self.path.display()),
        )
    }
}

/// Locks the folder and clears away a replacement that was not begun. `None` where nothing can be written.
fn locked<'a>(folder: &'a Folder, still_wanted: StillWanted<'_>) -> Result<Option<Lock<'a>>> {
    let Some(lock) = folder.lock(still_wanted)? else { return Ok(None) };
    if folder.is_staged(PRIVATE)? {
        clear_away(&lock)?;
    }
    Ok(Some(lock))
}

fn missing(gone: &Path, there: &str) -> Error {
    let gone = gone.display();
    let advice = format!("put it back, or move {there} away for a new pair; nothing was changed");
    Error::new(Status::Key, format!("{gone} is missing beside {there}: {advice}"))
}

/// Removes a replacement that was not begun: in this order, since the other one would leave what looks like a replacement
/// that was cut off.
fn clear_away(lock: &Lock<'_>) -> Result<()> {
    lock.unstage(PUBLIC)?;
    lock.unstage(PRIVATE)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn fixture(name: &str) -> Vec<u8> {
        fs::read(format!("{}/tests/fixtures/protocol/keys/{name}", env!("CARGO_MANIFEST_DIR"))).expect("a fixture")
    }

    /// Fixture keys: generating takes its time.
    fn keys(name: &str) -> Result<KeyPair> {
        key_file::private(&fixture(name), Path::new(name), &Password::none())
    }

    fn patient() -> Result<()> {
        Ok(())
    }

    fn directory(path: &Path, password: &[u8]) -> KeyDirectory {
        KeyDirectory::new(path, Password::new(password).expect("memory"))
    }

    /// A directory with the fixture pair in it, and its path.
    fn kept(password: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let parent = tempfile::tempdir().expect("a directory");
        let path = parent.path().join("keys");
        directory(&path, password).keep(&patient, || keys("client_private.pem")).expect("a pair");
        (parent, path)
    }

    fn refused(outcome: Result<ClientPair>, status: Status, part: &str) {
        let error = outcome.err().expect("an error");
        assert_eq!(error.status(), status);
        assert!(error.message().contains(part), "{error}");
    }

    fn files(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let entries = fs::read_dir(path).expect("a directory");
        entries
            .map(|entry| entry.expect("an entry").path())
            .map(|file| (file.clone(), fs::read(file).expect("a file")))
            .collect()
    }

    #[test]
    fn a_kept_pair_is_for_its_owner_alone_and_is_loaded_by_the_next_start() {
        let (_parent, path) = kept(b"a password");
        let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&path.join(PRIVATE))), (0o700, 0o600));
        let loaded = directory(&path, b"a password").load_or_generate(&patient).expect("the pair");
        assert_eq!(loaded.keys.spki(), keys("client_private.pem").expect("a key").spki());
        refused(directory(&path, b"another one").load_or_generate(&patient), Status::Key, "wrong");
        refused(directory(&path, b"").load_or_generate(&patient), Status::Key, "give its password");
    }

    #[test]
    fn a_pair_that_is_there_is_never_overwritten_by_keeping_another() {
        let (_parent, path) = kept(b"");
        let before = files(&path);
        let another = || panic!("nothing to be made");
        refused(directory(&path, b"").keep(&patient, another), Status::Key, "private_key.pem is there already");
        assert_eq!(files(&path), before);
    }

    #[test]
    fn half_a_pair_a_mismatch_and_what_cannot_be_loaded_are_errors_and_nothing_is_touched() {
        let cases: [(&str, Option<&str>, &str); 5] = [
            (PRIVATE, None, "private_key.pem is missing"),
            (PUBLIC, None, "public_key.pem is missing"),
            (PUBLIC, Some("other_public.pem"), "not the other half"),
            (PUBLIC, Some("client_private.pem"), "holds a private key"),
            (PRIVATE, Some("client1024_private.pem"), "1024 bits"),
        ];
        for (name, instead, why) in cases {
            let (_parent, path) = kept(b"");
            match instead {
                None => fs::remove_file(path.join(name)).expect("a file"),
                Some(other) => fs::write(path.join(name), fixture(other)).expect("a file"),
            }
            let before = files(&path);
            refused(directory(&path, b"").load_or_generate(&patient), Status::Key, why);
            refused(directory(&path, b"").rotate(None, &patient), Status::Key, why);
            assert_eq!(files(&path), before, "{why}");
        }
    }

    #[test]
    fn a_replacement_that_was_cut_off_is_finished_and_one_that_was_not_begun_is_cleared_away() {
        let (_parent, path) = kept(b"");
        let folder = Folder::open(&path).expect("the directory");
        let lock = || folder.lock(&patient).expect("a lock").expect("a writable directory");
        let write = |name: &str, from: &str| lock().stage(name, &fixture(from), Access::Private).expect("a file");
        write(PRIVATE, "other_private.pem");
        write(PUBLIC, "other_public.pem");
        let old = directory(&path, b"").load_or_generate(&patient).expect("the old pair");
        assert_eq!(old.keys.spki(), keys("client_private.pem").expect("a key").spki());
        assert!(!folder.is_staged(PRIVATE).expect("a look") && !folder.is_staged(PUBLIC).expect("a look"));
        write(PRIVATE, "other_private.pem");
        write(PUBLIC, "other_public.pem");
        lock().commit(PRIVATE).expect("a rename");
        let new = directory(&path, b"").load_or_generate(&patient).expect("the new pair");
        assert_eq!(new.keys.spki(), keys("other_private.pem").expect("a key").spki());
    }

    #[test]
    fn whoever_finds_that_another_has_rotated_takes_that_pair() {
        let (_parent, path) = kept(b"");
        let mine = ClientPair::new(keys("other_private.pem").expect("a key")).expect("a pair");
        let taken = directory(&path, b"").rotate(Some(&mine), &patient).expect("the other's pair");
        assert_eq!(taken.keys.spki(), keys("client_private.pem").expect("a key").spki());
    }

    #[test]
    fn a_short_password_and_a_missing_parent_are_refused_before_anything_is_made() {
        let parent = tempfile::tempdir().expect("a directory");
        refused(
            directory(&parent.path().join("a"), b"short").load_or_generate(&patient),
            Status::Argument,
            "8 characters",
        );
        assert!(files(&parent.path().join("a")).keys().all(|file| file.ends_with(".nomyo.lock")));
        refused(directory(&parent.path().join("b/c"), b"").load_or_generate(&patient), Status::Io, "parent directory");
        assert!(!parent.path().join("b").exists());
    }
}
