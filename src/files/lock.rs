//! The right to change a folder, and the only way in which files in it are replaced.

use std::fmt::Arguments;
use std::io::Write;
use std::time::Duration;

use super::os::Held;
use super::{Access, Folder, io};
use crate::error::Result;
use crate::memory::{self, SecretBuf};

/// The lock file. It stays in the folder.
const NAME: &str = ".nomyo.lock";
/// Time between two attempts to take the lock file.
const PAUSE: Duration = Duration::from_millis(20);

/// The right to change a folder.
pub(crate) struct Lock<'a> {
    folder: &'a Folder,
    _held: Held,
}

impl Folder {
    /// Waits until no other process or thread changes the folder. `may_wait` is called every 20 ms, and its error ends the
    /// wait; its argument follows the word "while" in that error.
    ///
    /// # Errors
    /// - [`Status::Io`](crate::Status::Io): nothing can be written here, or the file system has no locks.
    /// - The error of `may_wait`.
    pub(crate) fn lock(&self, may_wait: impl Fn(Arguments<'_>) -> Result<()>) -> Result<Lock<'_>> {
        loop {
            if let Some(lock) = self.try_lock()? {
                return Ok(lock);
            }
            let name = self.path_of(NAME);
            let holder = "another process, or another client of this process, held the lock file";
            may_wait(format_args!("{holder} {}", name.display()))?;
            memory::outside(|| std::thread::sleep(PAUSE));
        }
    }

    /// As [`lock`](Folder::lock), without waiting. None if another process or thread has the lock.
    pub(crate) fn try_lock(&self) -> Result<Option<Lock<'_>>> {
        Ok(self.try_hold(NAME)?.map(|held| Lock { folder: self, _held: held }))
    }

    /// The content of the temporary file of `name`.
    pub(crate) fn read_staged(&self, name: &str, access: Access) -> Result<SecretBuf> {
        self.read(&staged(name), access)
    }

    /// Whether there is a temporary file of `name`.
    pub(crate) fn is_staged(&self, name: &str) -> Result<bool> {
        self.has(&staged(name))
    }
}

impl Lock<'_> {
    /// Writes `bytes` to the temporary file of `name`, down to the disk. The owner that the file system gives the file, and who
    /// may read it, are looked at before the first byte is written.
    pub(crate) fn stage(&self, name: &str, bytes: &[u8], access: Access) -> Result<()> {
        self.unstage(name)?;
        let staged = staged(name);
        let written = self.folder.create(&staged, access).and_then(|mut file| {
            file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|e| {
                io("could not be written, and what was there before is as it was", &self.folder.path_of(&staged), e)
            })
        });
        written.inspect_err(|_| {
            // An incomplete file is of no use. If it cannot be removed, the first error still says more.
            let _ = self.unstage(name);
        })
    }

    /// Removes the temporary file of `name`.
    pub(crate) fn unstage(&self, name: &str) -> Result<()> {
        self.folder.remove(&staged(name))
    }

    /// Renames the temporary file of `name` to `name`, at once. The error is half a sentence.
    pub(crate) fn commit(&self, name: &str) -> Result<()> {
        self.folder.replace(&staged(name), name)
    }

    /// Brings renames down to the disk, where the file system can do that.
    pub(crate) fn sync(&self) -> Result<()> {
        self.folder.sync()
    }
}

/// The temporary file of `name`. There is one for each name, so that a process that was killed leaves one at most.
pub(crate) fn staged(name: &str) -> String {
    format!(".{name}.new")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;
    use crate::wait::Wait;

    #[test]
    fn a_staged_file_replaces_nothing_until_it_is_committed() {
        let dir = tempfile::tempdir().expect("a directory");
        let folder = Folder::open(dir.path()).expect("the directory");
        let lock = folder.lock(|_| Ok(())).expect("a lock");
        lock.stage("file", b"old", Access::Private).expect("staged");
        lock.commit("file").expect("committed");
        lock.stage("file", b"new", Access::Private).expect("staged");
        assert_eq!(&*folder.read("file", Access::Private).expect("a file"), b"old");
        lock.commit("file").expect("committed");
        assert_eq!(&*folder.read("file", Access::Private).expect("a file"), b"new");
        assert!(!folder.is_staged("file").expect("a look"));
    }

    #[test]
    fn one_has_the_lock_and_the_next_waits_until_its_call_ends_and_names_the_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let folder = Folder::open(dir.path()).expect("the directory");
        let lock = folder.lock(|_| Ok(())).expect("a lock");
        assert!(folder.try_lock().expect("no failure").is_none());
        let wait = Wait::new(Duration::from_millis(50), None);
        let error = folder.lock(|doing| wait.check(doing)).err().expect("locked");
        assert_eq!(error.status(), Status::Timeout);
        let file = dir.path().join(".nomyo.lock");
        let words =
            format!("another process, or another client of this process, held the lock file {}", file.display());
        assert!(error.message().contains(&words), "{error}");
        drop(lock);
        assert!(folder.lock(|doing| wait.check(doing)).is_ok());
    }
}
