//! A folder held open, and the only ways in which files in it are read and replaced.
//!
//! Promises: what is checked is what is used, since everything happens in the folder that was opened; a symbolic link in
//! a file's place is refused; a file is whole at every instant, because it is written beside its place, brought to the
//! disk and then renamed; a private file is never more permissive than 0600; one process at a time changes anything.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, CWD, FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::error::{Error, Result, Status};
use crate::memory::SecretBuf;

/// The largest file that is read, in bytes.
const MAX_LEN: usize = 64 * 1024;
/// How long another process may hold the lock. It generates a key pair meanwhile, which takes seconds at worst.
const LOCK_PATIENCE: Duration = Duration::from_secs(60);
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Who may read a file, or write it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Only its owner: others may neither read nor write it.
    Private,
    /// Others may read it.
    Public,
    /// Others may read it, and a file that they may write is refused.
    Trusted,
}

impl Access {
    fn mode(self) -> Mode {
        match self {
            Access::Private | Access::Trusted => Mode::from_raw_mode(0o600),
            Access::Public => Mode::from_raw_mode(0o644),
        }
    }

    /// The bits that an existing file must not have.
    fn forbidden(self) -> u32 {
        match self {
            Access::Private => 0o077,
            Access::Trusted => 0o022,
            Access::Public => 0,
        }
    }
}

/// An open folder.
pub(super) struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Opens the folder at `path`, which must not be a symbolic link.
    pub(super) fn open(path: &Path) -> Result<Folder> {
        // Without the slashes at its end: with them a link would be followed.
        let path: PathBuf = path.components().collect();
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::open(&path, flags, Mode::empty()).map_err(|e| match e {
            Errno::LOOP | Errno::NOTDIR => {
                unsafe_file(&path, "it is a symbolic link or no directory; name the directory itself")
            }
            e => io("could not be opened", &path, e),
        })?;
        Ok(Folder { fd, path })
    }

    /// Opens the folder at `path`, wherever links lead.
    pub(super) fn open_linked(path: &Path) -> Result<Folder> {
        let fd = rustix::fs::open(path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|e| io("could not be opened", path, e))?;
        Ok(Folder { fd, path: path.to_owned() })
    }

    /// Opens the folder at `path`; makes it, for its owner alone, when there is none. Its parent must be there.
    pub(super) fn open_or_make(path: &Path) -> Result<Folder> {
        match rustix::fs::mkdir(path, Mode::from_raw_mode(0o700)) {
            Ok(()) | Err(Errno::EXIST) => Folder::open(path),
            Err(Errno::NOENT) => {
                Err(io("could not be made, because its parent directory is missing", path, Errno::NOENT))
            }
            // Where nothing may be made, there may still be something to read.
            Err(e) => Folder::open(path).map_err(|_| io("could not be made", path, e)),
        }
    }

    /// Where `name` is, for people.
    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Whether there is anything under `name`, a link included.
    pub(super) fn has(&self, name: &str) -> Result<bool> {
        match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(e) => Err(io("could not be looked at", &self.path_of(name), e)),
        }
    }

    /// The file `name`, whole.
    pub(super) fn read(&self, name: &str, access: Access) -> Result<SecretBuf> {
        read_at(self.fd.as_fd(), Path::new(name), &self.path_of(name), access)
    }

    /// What was written beside the place of `name`, whole.
    pub(super) fn read_staged(&self, name: &str, access: Access) -> Result<SecretBuf> {
        self.read(&staged(name), access)
    }

    /// Whether something was written beside the place of `name`.
    pub(super) fn is_staged(&self, name: &str) -> Result<bool> {
        self.has(&staged(name))
    }

    /// Waits until no other process or thread changes the folder, as long as `still_wanted` does not fail. `None` where
    /// nothing can be written: there nobody changes anything through this library.
    pub(super) fn lock(&self, still_wanted: &dyn Fn() -> Result<()>) -> Result<Option<Lock<'_>>> {
        const NAME: &str = ".nomyo.lock";
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = match rustix::fs::openat(&self.fd, NAME, flags, Mode::from_raw_mode(0o600)) {
            Ok(fd) => fd,
            Err(Errno::ROFS | Errno::ACCESS | Errno::PERM | Errno::NOSPC | Errno::DQUOT) => return Ok(None),
            Err(e) => return Err(io("could not be opened", &self.path_of(NAME), e)),
        };
        let since = Instant::now();
        loop {
            match rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Some(Lock { folder: self, fd })),
                Err(Errno::WOULDBLOCK | Errno::INTR) if since.elapsed() < LOCK_PATIENCE => {
                    still_wanted()?;
                    std::thread::sleep(LOCK_PAUSE);
                }
                Err(e) => return Err(io("is held by another process, or cannot be locked", &self.path_of(NAME), e)),
            }
        }
    }
}

/// The right to change a folder, and so the only way to.
pub(super) struct Lock<'a> {
    folder: &'a Folder,
    fd: OwnedFd,
}

impl Lock<'_> {
    /// Writes `bytes` beside the place of `name`, down to the disk.
    pub(super) fn stage(&self, name: &str, bytes: &[u8], access: Access) -> Result<()> {
        self.unstage(name)?;
        let staged = staged(name);
        let failed =
            |e| io("could not be written, and what was there before is as it was", &self.folder.path_of(&staged), e);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::openat(&self.folder.fd, &staged, flags, access.mode()).map_err(failed)?);
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        written.map_err(|e| {
            // What could not be written whole is of no use; that it is left behind is not worse than the first error.
            let _ = self.unstage(name);
            failed(Errno::from_io_error(&e).unwrap_or(Errno::IO))
        })
    }

    /// Removes what was written beside the place of `name`.
    pub(super) fn unstage(&self, name: &str) -> Result<()> {
        match rustix::fs::unlinkat(&self.folder.fd, staged(name), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(e) => Err(io("could not be removed", &self.folder.path_of(&staged(name)), e)),
        }
    }

    /// Puts what was written beside it in the place of `name`, at once.
    pub(super) fn commit(&self, name: &str) -> Result<()> {
        rustix::fs::renameat(&self.folder.fd, staged(name), &self.folder.fd, name)
            .map_err(|e| io("could not be replaced, and is as it was", &self.folder.path_of(name), e))
    }

    /// Brings renames down to the disk.
    pub(super) fn sync(&self) -> Result<()> {
        rustix::fs::fsync(&self.folder.fd).map_err(|e| io("could not be synchronised", &self.folder.path, e))
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        // Said aloud: a child forked meanwhile has a copy of the descriptor, and closing ours would leave it locked.
        let _ = rustix::fs::flock(&self.fd, FlockOperation::Unlock);
    }
}

/// The file at `path`, whole.
pub(super) fn read(path: &Path, access: Access) -> Result<SecretBuf> {
    read_at(CWD, path, path, access)
}

fn read_at(folder: BorrowedFd<'_>, name: &Path, shown: &Path, access: Access) -> Result<SecretBuf> {
    // Without NONBLOCK a pipe in the file's place would hang.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(folder, name, flags, Mode::empty()).map_err(|e| match e {
        Errno::LOOP => unsafe_file(shown, "it is a symbolic link; name the file itself"),
        Errno::NOENT => Error::new(Status::Key, format!("{} is not there; check the path", shown.display())),
        e => io("could not be opened", shown, e),
    })?;
    let stat = rustix::fs::fstat(&fd).map_err(|e| io("could not be looked at", shown, e))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(unsafe_file(shown, "it is not a regular file"));
    }
    if stat.st_mode & access.forbidden() != 0 {
        // Quoted as a shell wants it.
        let quoted = shown.display().to_string().replace('\'', r"'\''");
        let why = format!("other users may read or change it; run: chmod 600 '{quoted}'");
        return Err(unsafe_file(shown, &why));
    }
    let mut bytes = SecretBuf::zeroed(MAX_LEN + 1, 0)?;
    let len = fill(&mut File::from(fd), &mut bytes)
        .map_err(|e| io("could not be read", shown, Errno::from_io_error(&e).unwrap_or(Errno::IO)))?;
    if len > MAX_LEN {
        return Err(unsafe_file(shown, "it is larger than 64 KiB; give the right file"));
    }
    bytes.truncate(len);
    Ok(bytes)
}

/// Reads until `buffer` is full or the file ends.
fn fill(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut len = 0;
    while len < buffer.len() {
        match file.read(&mut buffer[len..]) {
            Ok(0) => break,
            Ok(n) => len += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(len)
}

/// The name beside the place of `name`. One for each, so that a process that was killed leaves one at most.
fn staged(name: &str) -> String {
    format!(".{name}.new")
}

fn unsafe_file(path: &Path, why: &str) -> Error {
    Error::new(Status::Key, format!("{} cannot be used: {why}", path.display()))
}

fn io(what: &str, path: &Path, e: Errno) -> Error {
    let why = std::io::Error::from(e).kind();
    Error::new(Status::Io, format!("{} {what}: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn refused<T>(outcome: Result<T>, part: &str) {
        let error = outcome.err().expect("an error");
        assert_eq!(error.status(), Status::Key);
        assert!(error.message().contains(part), "{error}");
    }

    #[test]
    fn links_pipes_and_folders_in_a_files_place_are_refused_at_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        fs::write(at("file"), b"x").expect("a file");
        symlink(at("file"), at("link")).expect("a link");
        symlink(dir.path(), at("linked")).expect("a link");
        rustix::fs::mknodat(CWD, at("pipe"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).expect("a pipe");
        fs::create_dir(at("folder")).expect("a folder");
        for access in [Access::Public, Access::Private] {
            refused(read(&at("link"), access), "symbolic link");
            refused(read(&at("pipe"), access), "not a regular file");
            refused(read(&at("folder"), access), "not a regular file");
            refused(read(&at("nothing"), access), "not there");
        }
        refused(Folder::open(&at("linked")), "symbolic link");
        refused(Folder::open(&at("linked/")), "symbolic link");
        refused(Folder::open(&at("file")), "no directory");
        let folder = Folder::open(dir.path()).expect("the directory");
        refused(folder.read("link", Access::Public), "symbolic link");
    }

    #[test]
    fn a_file_that_others_may_read_is_private_no_more_and_the_error_says_the_chmod() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        for (mode, private, trusted) in
            [(0o600, true, true), (0o400, true, true), (0o640, false, true), (0o602, false, false)]
        {
            fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).expect("our file");
            for (access, accepted) in [(Access::Private, private), (Access::Trusted, trusted), (Access::Public, true)] {
                match read(file.path(), access) {
                    Ok(_) => assert!(accepted, "{mode:o}"),
                    refusal => {
                        assert!(!accepted, "{mode:o}");
                        refused(refusal, "chmod 600");
                    }
                }
            }
        }
    }

    #[test]
    fn a_file_of_more_than_64_kib_is_refused() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), vec![b'x'; MAX_LEN]).expect("our file");
        assert_eq!(read(file.path(), Access::Public).expect("small enough").len(), MAX_LEN);
        fs::write(file.path(), vec![b'x'; MAX_LEN + 1]).expect("our file");
        refused(read(file.path(), Access::Public), "larger than 64 KiB");
    }

    #[test]
    fn what_is_staged_replaces_nothing_until_it_is_committed() {
        let dir = tempfile::tempdir().expect("a directory");
        let folder = Folder::open(dir.path()).expect("the directory");
        let lock = folder.lock(&|| Ok(())).expect("a lock").expect("a writable directory");
        lock.stage("file", b"old", Access::Private).expect("staged");
        lock.commit("file").expect("committed");
        lock.stage("file", b"new", Access::Private).expect("staged");
        assert_eq!(&*folder.read("file", Access::Private).expect("a file"), b"old");
        lock.commit("file").expect("committed");
        assert_eq!(&*folder.read("file", Access::Private).expect("a file"), b"new");
        assert!(!folder.is_staged("file").expect("a look"));
    }

    #[test]
    fn one_has_the_lock_and_the_next_waits_as_long_as_it_is_wanted() {
        let dir = tempfile::tempdir().expect("a directory");
        let folder = Folder::open(dir.path()).expect("the directory");
        let lock = folder.lock(&|| Ok(())).expect("a lock").expect("a writable directory");
        let unwanted = || Err(Error::new(Status::Cancelled, "no"));
        assert_eq!(folder.lock(&unwanted).err().expect("locked").status(), Status::Cancelled);
        drop(lock);
        assert!(folder.lock(&unwanted).is_ok());
    }
}
