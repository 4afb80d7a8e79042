//! The right to change a folder, and the only way in which files in it are replaced.

use std::fmt::Arguments;
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::access::Access;
use super::folder::{Folder, looked_at};
use super::io;
use crate::error::{Error, Result, Status};
use crate::memory::{self, SecretBuf};

/// The lock file. It stays in the folder.
const NAME: &str = ".nomyo.lock";
/// Time between two attempts to take the lock file.
const PAUSE: Duration = Duration::from_millis(20);

/// The right to change a folder.
pub(crate) struct Lock<'a> {
    folder: &'a Folder,
    fd: OwnedFd,
}

impl Folder {
    /// Waits until no other process or thread changes the folder. `may_wait` is called every 20 ms, and its error ends the
    /// wait; its argument follows the word "while" in that error.
    ///
    /// # Errors
    /// - [`Status::Io`]: nothing can be written here, or the file system has no locks.
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
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(self, NAME, flags, Mode::from_raw_mode(0o600)).map_err(|e| match e {
            Errno::ROFS | Errno::ACCESS | Errno::PERM | Errno::NOSPC | Errno::DQUOT => {
                io("cannot be written to", self.path(), e)
            }
            e => io("could not be opened", &self.path_of(NAME), e),
        })?;
        match rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Lock { folder: self, fd })),
            Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(None),
            Err(e @ (Errno::NOSYS | Errno::NOLCK | Errno::OPNOTSUPP | Errno::INVAL)) => Err(Error::new(
                Status::Io,
                format!(
                    "{} cannot be written to safely: its file system has no file locks (flock: {})",
                    self.path().display(),
                    std::io::Error::from(e)
                ),
            )),
            Err(e) => Err(io("cannot be locked", &self.path_of(NAME), e)),
        }
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
    /// Writes `bytes` to the temporary file of `name`, down to the disk. The file system's owner and mode for the file are
    /// looked at before the first byte is written.
    pub(crate) fn stage(&self, name: &str, bytes: &[u8], access: Access) -> Result<()> {
        self.unstage(name)?;
        let staged = staged(name);
        let path = self.folder.path_of(&staged);
        let failed = |e| io("could not be written, and what was there before is as it was", &path, e);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(self.folder, &staged, flags, access.mode()).map_err(failed)?;
        let written = looked_at(&fd, &path).and_then(|stat| access.judge_new(&stat, &path)).and_then(|()| {
            let mut file = File::from(fd);
            let written = file.write_all(bytes).map_err(|e| Errno::from_io_error(&e).unwrap_or(Errno::IO));
            written.and_then(|()| rustix::fs::fsync(&file)).map_err(failed)
        });
        written.inspect_err(|_| {
            // An incomplete file is of no use. If it cannot be removed, the first error still says more.
            let _ = self.unstage(name);
        })
    }

    /// Removes the temporary file of `name`.
    pub(crate) fn unstage(&self, name: &str) -> Result<()> {
        match rustix::fs::unlinkat(self.folder, staged(name), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(e) => Err(io("could not be removed", &self.folder.path_of(staged(name)), e)),
        }
    }

    /// Renames the temporary file of `name` to `name`, at once. The error is half a sentence.
    pub(crate) fn commit(&self, name: &str) -> Result<()> {
        rustix::fs::renameat(self.folder, staged(name), self.folder, name)
            .map_err(|e| io("could not be replaced", &self.folder.path_of(name), e))
    }

    /// Brings renames down to the disk, where the file system can do that.
    pub(crate) fn sync(&self) -> Result<()> {
        synchronised(rustix::fs::fsync(self.folder)).map_err(|e| io("could not be synchronised", self.folder.path(), e))
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        // Unlock explicitly. A forked child still holds the descriptor, so close() alone would leave the file locked.
        let _ = rustix::fs::flock(&self.fd, FlockOperation::Unlock);
    }
}

/// A file system that cannot synchronise a folder says so by these errors: some network and overlay file systems do.
fn synchronised(outcome: std::result::Result<(), Errno>) -> std::result::Result<(), Errno> {
    match outcome {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Ok(()),
        outcome => outcome,
    }
}

/// The temporary file of `name`. There is one for each name, so that a process that was killed leaves one at most.
pub(crate) fn staged(name: &str) -> String {
    format!(".{name}.new")
}

#[cfg(test)]
mod tests {
    use super::*;
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

    #[test]
    fn a_file_system_that_cannot_synchronise_is_written_to_and_a_failing_disk_is_an_error() {
        for none in [Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP] {
            assert_eq!(synchronised(Err(none)), Ok(()));
        }
        assert_eq!(synchronised(Err(Errno::IO)), Err(Errno::IO));
        assert_eq!(synchronised(Err(Errno::NOSPC)), Err(Errno::NOSPC));
    }
}
