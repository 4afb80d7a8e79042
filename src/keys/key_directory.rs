//! A directory that holds one key pair, for any number of processes.
//!
//! Promises: both files are there, or neither, or nothing is done; a pair is replaced whole. The private file is renamed
//! first and the public one after it. So a temporary public file without a temporary private file, that belongs to the
//! private file, is the second half of a replacement that was cut off: the pair is complete with it, and the next process
//! that may write renames it. Two temporary files are a replacement that was not begun.
//!
//! A load takes no lock. A generated pair is encrypted before the lock is taken, and discarded if the directory has changed
//! by then. The lock is held to look again and to rename.

use std::path::{Path, PathBuf};

use super::password::Password;
use super::task::Task;
use super::{ClientPair, key_file, private_key, snapshot};
use crate::crypto::KeyPair;
use crate::error::{Error, Result, Status};
use crate::files::{Access, Folder, Lock, absolute};
use crate::memory::SecretBuf;
use snapshot::{PRIVATE, PUBLIC, Snapshot};

/// Where a pair is kept, and the password of its private file.
#[derive(Debug)]
pub(crate) struct KeyDirectory {
    path: PathBuf,
    password: Password,
    access: Access,
}

/// A pair that is ready to be written.
struct Encoded {
    pair: ClientPair,
    private: SecretBuf,
}

impl KeyDirectory {
    /// The directory at `path`, made absolute; it is not looked at yet. `access` judges an existing private file.
    pub(crate) fn new(path: &Path, password: Password, access: Access) -> Result<KeyDirectory> {
        Ok(KeyDirectory { path: absolute(path, "the key directory")?, password, access })
    }

    /// The pair that is there, or the pair of `make` in an empty directory. Makes the directory.
    pub(super) fn load_or_make(&self, task: &Task, make: impl FnOnce() -> Result<KeyPair>) -> Result<ClientPair> {
        let mut make = Make::Not(make);
        loop {
            let folder = self.open(task)?;
            let (seen, pair) = self.load(&folder, task)?;
            if let Some(pair) = pair {
                return Ok(pair);
            }
            self.check_writable(&folder, task)?;
            let new = self.encoded(&mut make, task)?;
            match replace(&folder, &seen, new, task)? {
                Replaced::By(pair) => return Ok(pair),
                Replaced::Not(new) => make = Make::Done(Box::new(new)),
            }
        }
    }

    /// Keeps the pair of `make` in a directory that has no pair yet.
    pub(super) fn keep(&self, task: &Task, make: impl FnOnce() -> Result<KeyPair>) -> Result<ClientPair> {
        let mut make = Make::Not(make);
        loop {
            self.password.check_for_writing()?;
            let folder = self.open(task)?;
            let seen = Snapshot::take(&folder, self.access, task)?;
            for name in [PRIVATE, PUBLIC] {
                if folder.has(name)? {
                    return Err(Error::new(
                        Status::Key,
                        format!(
                            "{} is there already, and is not overwritten; choose another directory, or rotate the keys \
                             of a client that uses this one",
                            folder.path_of(name).display()
                        ),
                    ));
                }
            }
            self.check_writable(&folder, task)?;
            let new = self.encoded(&mut make, task)?;
            match replace(&folder, &seen, new, task)? {
                Replaced::By(pair) => return Ok(pair),
                Replaced::Not(new) => make = Make::Done(Box::new(new)),
            }
        }
    }

    /// Replaces the pair by the pair of `make`. A pair that cannot be loaded is not replaced. If `replaced` is not the pair
    /// that is there, another process has replaced it: then that pair is returned. A mounted pair is replaced by whoever
    /// mounted it; if it falls due (`replaced` is given), it is loaded again.
    pub(super) fn rotate(
        &self,
        replaced: Option<&ClientPair>,
        task: &Task,
        make: impl FnOnce() -> Result<KeyPair>,
    ) -> Result<ClientPair> {
        let mut make = Make::Not(make);
        loop {
            let folder = self.open(task)?;
            if replaced.is_none() {
                self.password.check_for_writing()?;
                refuse_links(&folder)?;
            }
            let (seen, current) = self.load(&folder, task)?;
            if let (Some(old), Some(current)) = (replaced, current)
                && (old.keys.spki() != current.keys.spki() || refuse_links(&folder).is_err())
            {
                return Ok(current);
            }
            self.check_writable(&folder, task)?;
            let new = self.encoded(&mut make, task)?;
            match replace(&folder, &seen, new, task)? {
                Replaced::By(pair) => return Ok(pair),
                Replaced::Not(new) => make = Make::Done(Box::new(new)),
            }
        }
    }

    fn open(&self, task: &Task) -> Result<Folder> {
        task.at("the key directory was opened");
        task.proceed()?;
        Folder::open_or_make(&self.path)
    }

    /// The pair that is there, if there is one, and the files that it is in.
    fn load(&self, folder: &Folder, task: &Task) -> Result<(Snapshot, Option<ClientPair>)> {
        loop {
            let mut seen = Snapshot::take(folder, self.access, task)?;
            match self.pair_in(folder, &mut seen, task) {
                // Another program may be replacing the files, in its own way.
                Err(error) if error.status() == Status::Key && seen.changes_soon(folder, task)? => {}
                outcome => return outcome.map(|pair| (seen, pair)),
            }
        }
    }

    /// The pair in `seen`, if there is one. Tidies the directory up where that is possible.
    fn pair_in(&self, folder: &Folder, seen: &mut Snapshot, task: &Task) -> Result<Option<ClientPair>> {
        task.at("the key files were read and decrypted");
        let (private, public) = (folder.path_of(PRIVATE), folder.path_of(PUBLIC));
        let pem = match (&seen.private, &seen.public) {
            (None, None) => return Ok(None),
            (None, Some(_)) => return Err(missing(&private, PUBLIC)),
            (Some(_), None) if seen.second_half.is_none() => return Err(missing(&public, PRIVATE)),
            (Some(pem), _) => pem,
        };
        let (private_name, public_name) = (private.display().to_string(), public.display().to_string());
        let keys = key_file::pair(pem, &private_name, &self.password)?;
        let belongs = |pem: &[u8]| key_file::check_other_half(pem, &public_name, &private_name, &keys);
        let refused = match &seen.public {
            Some(pem) => belongs(pem).err(),
            None => Some(missing(&public, PRIVATE)),
        };
        if let Some(error) = refused {
            // Only the other half of the private file completes the pair. No replacement leaves anything else.
            if seen.second_half.as_ref().is_none_or(|pem| belongs(pem).is_err()) {
                return Err(error);
            }
        } else {
            // A temporary file of something else, as after a restored backup.
            seen.second_half = None;
        }
        let pair = ClientPair::new(keys)?;
        if (seen.second_half.is_some() || seen.not_begun) && task.proceed().is_ok() {
            // A directory that cannot be written to, or that another process is writing to, stays as it is.
            let _ = tidy(folder, seen);
        }
        Ok(Some(pair))
    }

    /// Fails before a pair is generated if nothing can be written, or if another process holds the lock for too long.
    fn check_writable(&self, folder: &Folder, task: &Task) -> Result<()> {
        self.password.check_for_writing()?;
        refuse_links(folder)?;
        let lock = folder.lock(|holder| task.wait_at(holder));
        lock.map(drop).map_err(|error| match error.status() {
            Status::Io => error.because("choose another directory, or put a pair there"),
            _ => error,
        })
    }

    fn encoded(&self, make: &mut Make<impl FnOnce() -> Result<KeyPair>>, task: &Task) -> Result<Encoded> {
        match std::mem::replace(make, Make::Taken) {
            Make::Done(encoded) => Ok(*encoded),
            Make::Not(make) => {
                let keys = make()?;
                task.at("the key files were encrypted and written");
                let private = private_key::to_pem(&keys.to_pkcs8()?, &self.password)?;
                Ok(Encoded { pair: ClientPair::new(keys)?, private })
            }
            Make::Taken => Err(Error::internal("a pair was to be made twice")),
        }
    }
}

/// The new pair of an operation, which is made at most once.
enum Make<F> {
    Not(F),
    Done(Box<Encoded>),
    Taken,
}

enum Replaced {
    By(ClientPair),
    /// The directory has changed since it was looked at.
    Not(Encoded),
}

/// Puts `new` in the place of the pair in `seen`, unless another process was faster.
fn replace(folder: &Folder, seen: &Snapshot, new: Encoded, task: &Task) -> Result<Replaced> {
    let lock = folder.lock(|holder| task.wait_at(holder))?;
    task.at("the key files were encrypted and written");
    if seen.has_changed(folder)? {
        return Ok(Replaced::Not(new));
    }
    // Also the second half of a replacement that was cut off: it must not be lost before the next one is complete.
    tidy_locked(&lock, seen)?;
    let begun = task
        .proceed()
        .and_then(|()| lock.stage(PRIVATE, &new.private, Access::Private))
        .and_then(|()| lock.stage(PUBLIC, new.pair.public_pem().as_bytes(), Access::Public))
        .and_then(|()| lock.sync())
        .and_then(|()| task.begin())
        .and_then(|()| lock.commit(PRIVATE).map_err(|error| error.because("the pair before is in force")));
    begun.inspect_err(|_| {
        // If this fails too, the next process that writes here does it.
        let _ = clear_away(&lock);
    })?;
    lock.commit(PUBLIC).and_then(|()| lock.sync()).map_err(|error| {
        error.because(
            "the new pair is in force in this directory and is used by the next client that starts; this client goes on \
             with the old one",
        )
    })?;
    Ok(Replaced::By(new.pair))
}

/// Finishes a replacement that was cut off, or removes one that was not begun, if nobody else is writing.
fn tidy(folder: &Folder, seen: &Snapshot) -> Result<()> {
    match folder.try_lock()? {
        Some(lock) if !seen.has_changed(folder)? => tidy_locked(&lock, seen),
        _ => Ok(()),
    }
}

fn tidy_locked(lock: &Lock<'_>, seen: &Snapshot) -> Result<()> {
    if seen.private.is_some() && seen.second_half.is_some() {
        lock.commit(PUBLIC)?;
        return lock.sync();
    }
    if seen.not_begun { clear_away(lock) } else { Ok(()) }
}

/// Removes a replacement that was not begun. In this order, because a temporary public file alone looks like a replacement
/// that was cut off.
fn clear_away(lock: &Lock<'_>) -> Result<()> {
    lock.unstage(PUBLIC)?;
    lock.unstage(PRIVATE)
}

/// Refuses to write where the files are links: the pair belongs to the system that mounted it.
fn refuse_links(folder: &Folder) -> Result<()> {
    for name in [PRIVATE, PUBLIC] {
        if folder.is_link(name)? {
            return Err(Error::new(
                Status::Key,
                format!(
                    "{} is a link, so this pair is only read: replace it where it is mounted from, or choose another \
                     directory",
                    folder.path_of(name).display()
                ),
            ));
        }
    }
    Ok(())
}

fn missing(gone: &Path, there: &str) -> Error {
    let gone = gone.display();
    let advice = format!("put it back, or move {there} away for a new pair; nothing was changed");
    Error::new(Status::Key, format!("{gone} is missing beside {there}: {advice}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::keys::task::Kind;

    fn fixture(name: &str) -> Vec<u8> {
        fs::read(format!("{}/tests/fixtures/protocol/keys/{name}", env!("CARGO_MANIFEST_DIR"))).expect("a fixture")
    }

    /// Fixture keys: generating takes its time.
    fn keys(name: &str) -> Result<KeyPair> {
        key_file::pair(&fixture(name), name, &Password::none())
    }

    fn directory(path: &Path, password: &[u8]) -> KeyDirectory {
        KeyDirectory::new(path, Password::new(password).expect("memory"), Access::Private).expect("a path")
    }

    fn task() -> Task {
        Task::new(Kind::Requested)
    }

    fn nothing() -> Result<KeyPair> {
        panic!("no pair is to be made")
    }

    /// A directory with the fixture pair in it, and its path.
    fn kept(password: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let parent = tempfile::tempdir().expect("a directory");
        let path = parent.path().join("keys");
        directory(&path, password).keep(&task(), || keys("client_private.pem")).expect("a pair");
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
        let loaded = directory(&path, b"a password").load_or_make(&task(), nothing).expect("the pair");
        assert_eq!(loaded.keys.spki(), keys("client_private.pem").expect("a key").spki());
        refused(directory(&path, b"another one").load_or_make(&task(), nothing), Status::Key, "wrong");
        refused(directory(&path, b"").load_or_make(&task(), nothing), Status::Key, "give its password");
    }

    #[test]
    fn a_pair_that_is_there_is_never_overwritten_by_keeping_another() {
        let (_parent, path) = kept(b"");
        let before = files(&path);
        refused(directory(&path, b"").keep(&task(), nothing), Status::Key, "private_key.pem is there already");
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
            refused(directory(&path, b"").load_or_make(&task(), nothing), Status::Key, why);
            refused(directory(&path, b"").rotate(None, &task(), nothing), Status::Key, why);
            assert_eq!(files(&path), before, "{why}");
        }
    }

    #[test]
    fn a_replacement_that_was_cut_off_is_finished_and_one_that_was_not_begun_is_cleared_away() {
        let (_parent, path) = kept(b"");
        let folder = Folder::open(&path).expect("the directory");
        let lock = || folder.lock(|_| Ok(())).expect("a lock");
        let write = |name: &str, from: &str| lock().stage(name, &fixture(from), Access::Private).expect("a file");
        write(PRIVATE, "other_private.pem");
        write(PUBLIC, "other_public.pem");
        let old = directory(&path, b"").load_or_make(&task(), nothing).expect("the old pair");
        assert_eq!(old.keys.spki(), keys("client_private.pem").expect("a key").spki());
        assert!(!folder.is_staged(PRIVATE).expect("a look") && !folder.is_staged(PUBLIC).expect("a look"));
        write(PRIVATE, "other_private.pem");
        write(PUBLIC, "other_public.pem");
        lock().commit(PRIVATE).expect("a rename");
        let new = directory(&path, b"").load_or_make(&task(), nothing).expect("the new pair");
        assert_eq!(new.keys.spki(), keys("other_private.pem").expect("a key").spki());
    }

    #[test]
    fn whoever_finds_that_another_has_rotated_takes_that_pair() {
        let (_parent, path) = kept(b"");
        let mine = ClientPair::new(keys("other_private.pem").expect("a key")).expect("a pair");
        let taken = directory(&path, b"").rotate(Some(&mine), &task(), nothing).expect("the other's pair");
        assert_eq!(taken.keys.spki(), keys("client_private.pem").expect("a key").spki());
    }

    #[test]
    fn a_short_password_and_a_missing_parent_are_refused_before_anything_is_made() {
        let parent = tempfile::tempdir().expect("a directory");
        refused(
            directory(&parent.path().join("a"), b"short").load_or_make(&task(), nothing),
            Status::Argument,
            "8 characters",
        );
        assert!(files(&parent.path().join("a")).keys().all(|file| file.ends_with(".nomyo.lock")));
        refused(
            directory(&parent.path().join("b/c"), b"").load_or_make(&task(), nothing),
            Status::Io,
            "parent directory",
        );
        assert!(!parent.path().join("b").exists());
    }

    #[test]
    fn a_pair_behind_links_is_read_again_when_it_is_due_and_is_never_replaced() {
        let parent = tempfile::tempdir().expect("a directory");
        let path = parent.path().join("mounted");
        fs::create_dir(&path).expect("a directory");
        let mount = |version: &str, pair: &str| {
            let volume = parent.path().join(version);
            fs::create_dir(&volume).expect("a directory");
            for (name, half) in [(PRIVATE, "private"), (PUBLIC, "public")] {
                fs::write(volume.join(name), fixture(&format!("{pair}_{half}.pem"))).expect("a file");
                fs::set_permissions(volume.join(name), fs::Permissions::from_mode(0o400)).expect("our file");
                let _ = fs::remove_file(path.join(name));
                std::os::unix::fs::symlink(volume.join(name), path.join(name)).expect("a link");
            }
        };
        mount("first", "client");
        let first = directory(&path, b"").load_or_make(&task(), nothing).expect("the pair");
        let again = directory(&path, b"").rotate(Some(&first), &task(), nothing).expect("the same pair");
        assert_eq!(again.keys.spki(), first.keys.spki());
        mount("second", "other");
        let second = directory(&path, b"").rotate(Some(&first), &task(), nothing).expect("the new secret");
        assert_eq!(second.keys.spki(), keys("other_private.pem").expect("a key").spki());
        let before = files(&path);
        refused(directory(&path, b"").rotate(None, &task(), nothing), Status::Key, "is a link");
        refused(directory(&path, b"").keep(&task(), nothing), Status::Key, "is there already");
        assert_eq!(files(&path), before);
    }

    #[test]
    fn a_directory_that_changed_since_it_was_looked_at_is_not_written_to() {
        let (_parent, path) = kept(b"");
        let beside = || {
            // Another process rotates while this one generates.
            directory(&path, b"").rotate(None, &task(), || keys("other_private.pem")).expect("the other's pair");
            keys("client2048_private.pem")
        };
        let mine = ClientPair::new(keys("client_private.pem").expect("a key")).expect("a pair");
        let taken = directory(&path, b"").rotate(Some(&mine), &task(), beside).expect("the other's pair");
        assert_eq!(taken.keys.spki(), keys("other_private.pem").expect("a key").spki());
    }

    #[test]
    fn a_replacement_whose_caller_has_given_up_changes_no_file_and_leaves_none_behind() {
        let (_parent, path) = kept(b"");
        let before = files(&path);
        let given_up = task();
        let make = || {
            given_up.wait(&crate::wait::Wait::new(std::time::Duration::ZERO, None), None).expect_err("no time");
            keys("other_private.pem")
        };
        assert!(directory(&path, b"").rotate(None, &given_up, make).is_err());
        assert_eq!(files(&path), before);
    }
}
