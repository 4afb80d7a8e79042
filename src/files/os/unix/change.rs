//! Changes in a folder: the lock file, new files, renames.

use std::fs::File;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::access::{judge_new, mode};
use super::folder::{Folder, looked_at};
use crate::error::{Error, Result, Status};
use crate::files::{Access, io};

/// A lock file that this process holds.
pub(in crate::files) struct Held(OwnedFd);

impl Folder {
    /// Takes the lock file `name`. `None` if another process or thread holds it.
    pub(in crate::files) fn try_hold(&self, name: &str) -> Result<Option<Held>> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(self, name, flags, Mode::from_raw_mode(0o600)).map_err(|e| match e {
            Errno::ROFS | Errno::ACCESS | Errno::PERM | Errno::NOSPC | Errno::DQUOT => {
                io("cannot be written to", self.path(), e)
            }
            e => io("could not be opened", &self.path_of(name), e),
        })?;
        match rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Held(fd))),
            Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(None),
            Err(e) if e == Errno::NOLCK || is_unsupported(e) => Err(Error::new(
                Status::Io,
                format!(
                    "{} cannot be written to safely: its file system has no file locks (flock: {})",
                    self.path().display(),
                    std::io::Error::from(e)
                ),
            )),
            Err(e) => Err(io("cannot be locked", &self.path_of(name), e)),
        }
    }

    /// Creates the file `name`, which must not be there. The file is judged.
    pub(in crate::files) fn create(&self, name: &str, access: Access) -> Result<File> {
        let path = self.path_of(name);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(self, name, flags, mode(access))
            .map_err(|e| io("could not be written, and what was there before is as it was", &path, e))?;
        judge_new(access, &looked_at(&fd, &path)?, &path)?;
        Ok(File::from(fd))
    }

    /// Removes the file `name`, if it is there.
    pub(in crate::files) fn remove(&self, name: &str) -> Result<()> {
        match rustix::fs::unlinkat(self, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(e) => Err(io("could not be removed", &self.path_of(name), e)),
        }
    }

    /// Renames the file `from` to `to`, at once. A file `to` is replaced. The error is half a sentence.
    pub(in crate::files) fn replace(&self, from: &str, to: &str) -> Result<()> {
        rustix::fs::renameat(self, from, self, to).map_err(|e| io("could not be replaced", &self.path_of(to), e))
    }

    /// Brings renames down to the disk, where the file system can do that.
    pub(in crate::files) fn sync(&self) -> Result<()> {
        synchronised(flushed(self)).map_err(|e| io("could not be synchronised", self.path(), e))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Unlock explicitly. A forked child still holds the descriptor, so close() alone would leave the file locked.
        let _ = rustix::fs::flock(&self.0, FlockOperation::Unlock);
    }
}

/// Writes the changes of a folder to the disk.
#[cfg(not(target_vendor = "apple"))]
fn flushed(folder: &Folder) -> std::result::Result<(), Errno> {
    rustix::fs::fsync(folder)
}

/// Writes the changes of a folder to the disk. fsync() of macOS leaves them in the cache of the drive.
#[cfg(target_vendor = "apple")]
fn flushed(folder: &Folder) -> std::result::Result<(), Errno> {
    rustix::fs::fcntl_fullfsync(folder)
}

/// A file system that cannot synchronise a folder says so by these errors: some network and overlay file systems do.
fn synchronised(outcome: std::result::Result<(), Errno>) -> std::result::Result<(), Errno> {
    match outcome {
        Err(e) if is_unsupported(e) => Ok(()),
        outcome => outcome,
    }
}

/// Whether a file system does not know an operation. On Linux the last two are one number.
fn is_unsupported(error: Errno) -> bool {
    [Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP, Errno::NOTSUP].contains(&error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_that_cannot_synchronise_is_written_to_and_a_failing_disk_is_an_error() {
        for none in [Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP, Errno::NOTSUP] {
            assert_eq!(synchronised(Err(none)), Ok(()));
        }
        assert_eq!(synchronised(Err(Errno::IO)), Err(Errno::IO));
        assert_eq!(synchronised(Err(Errno::NOSPC)), Err(Errno::NOSPC));
    }
}
