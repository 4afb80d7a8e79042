//! A folder held open by its descriptor.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, StatVfsMountFlags};
use rustix::io::Errno;

use super::access::{Sticky, judge, judge_folder};
use super::link;
use crate::error::Result;
use crate::files::{Access, Mark, io, not_there, unsafe_file};

/// Opens a folder to find files in it, also one that may be searched and not listed.
#[cfg(any(target_os = "linux", target_os = "android"))]
const SEARCH: OFlags = OFlags::PATH;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const SEARCH: OFlags = OFlags::RDONLY;

/// An open folder that nobody but root and the effective user can change.
pub(crate) struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

/// The mark of the file that `path` leads to.
pub(in crate::files) fn mark(path: &Path) -> Result<Mark> {
    mark_of(rustix::fs::stat(path), path)
}

/// The mark in the outcome of a look at `shown`.
fn mark_of(looked: std::result::Result<Stat, Errno>, shown: &Path) -> Result<Mark> {
    match looked {
        // The types of these differ between systems.
        Ok(stat) => Ok(Mark(Some([
            i128::from(stat.st_dev),
            i128::from(stat.st_ino),
            i128::from(stat.st_size),
            i128::from(stat.st_mtime),
            i128::from(stat.st_mtime_nsec),
        ]))),
        // Links that lead nowhere, or to each other, lead to no file.
        Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR) => Ok(Mark(None)),
        Err(e) => Err(io("could not be looked at", shown, e)),
    }
}

impl Folder {
    /// Opens the folder at `path`, which must not be a symbolic link.
    pub(crate) fn open(path: &Path) -> Result<Folder> {
        // Without the slashes at its end: with them a link would be followed.
        let path: PathBuf = path.components().collect();
        Folder::open_as(rustix::fs::CWD, &path, path.clone(), OFlags::NOFOLLOW, Sticky::Refused)
    }

    /// Opens the folder at `path`, wherever links lead.
    pub(crate) fn open_linked(path: &Path) -> Result<Folder> {
        Folder::open_as(rustix::fs::CWD, path, path.to_owned(), OFlags::empty(), Sticky::Refused)
    }

    /// Opens the folder at `path`, wherever links lead, to read a file of ours in it. It may be sticky.
    pub(in crate::files) fn open_to_read(path: &Path) -> Result<Folder> {
        Folder::open_as(rustix::fs::CWD, path, path.to_owned(), SEARCH, Sticky::Allowed)
    }

    /// Opens the folder `name` in this one, which must not be a symbolic link, as [`open_to_read`](Folder::open_to_read).
    pub(super) fn enter(&self, name: &OsStr) -> Result<Folder> {
        Folder::open_as(self, Path::new(name), self.path_of(name), SEARCH | OFlags::NOFOLLOW, Sticky::Allowed)
    }

    /// Opens the folder at `path`; makes it, for its owner alone, if there is none. Its parent must be there.
    pub(crate) fn open_or_make(path: &Path) -> Result<Folder> {
        match rustix::fs::mkdir(path, Mode::from_raw_mode(0o700)) {
            Ok(()) => Folder::open(path).inspect_err(|_| {
                // A file system without modes. The error says so; the empty folder is not worth a second one.
                let _ = rustix::fs::rmdir(path);
            }),
            Err(Errno::EXIST) => Folder::open(path),
            Err(Errno::NOENT) => {
                Err(io("could not be made, because its parent directory is missing", path, Errno::NOENT))
            }
            // Where nothing may be made, there may still be something to read.
            Err(e) => Folder::open(path).map_err(|_| io("could not be made", path, e)),
        }
    }

    fn open_as(at: impl AsFd, name: &Path, path: PathBuf, flags: OFlags, sticky: Sticky) -> Result<Folder> {
        let flags = flags | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(at, name, flags, Mode::empty()).map_err(|e| match e {
            Errno::LOOP | Errno::NOTDIR => {
                unsafe_file(&path, "it is a symbolic link or no directory; name the directory itself")
            }
            e => io("could not be opened", &path, e),
        })?;
        // On a read-only mount nobody can write, whatever the mode says: a volume of mounted secrets has 1777.
        let read_only = rustix::fs::fstatvfs(&fd).is_ok_and(|about| about.f_flag.contains(StatVfsMountFlags::RDONLY));
        let sticky = if read_only { Sticky::Allowed } else { sticky };
        judge_folder(&looked_at(&fd, &path)?, &path, sticky)?;
        Ok(Folder { fd, path })
    }

    /// The folder's path, for people.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of `name`, for people.
    pub(crate) fn path_of(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    /// Whether there is anything under `name`, a link included.
    pub(crate) fn has(&self, name: &str) -> Result<bool> {
        Ok(self.stat(name, AtFlags::SYMLINK_NOFOLLOW)?.is_some())
    }

    /// Whether there is a symbolic link under `name`.
    pub(crate) fn is_link(&self, name: &str) -> Result<bool> {
        let stat = self.stat(name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(stat.is_some_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink))
    }

    /// The mark of the file that `name` leads to.
    pub(crate) fn mark(&self, name: &str) -> Result<Mark> {
        mark_of(rustix::fs::statat(&self.fd, name, AtFlags::empty()), &self.path_of(name))
    }

    fn stat(&self, name: &str, flags: AtFlags) -> Result<Option<Stat>> {
        match rustix::fs::statat(&self.fd, name, flags) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(e) => Err(io("could not be looked at", &self.path_of(name), e)),
        }
    }

    /// Opens the file `name` to read it. Its owner and its mode are judged. A symbolic link is refused.
    pub(in crate::files) fn open_file(&self, name: &str, access: Access) -> Result<File> {
        let path = self.path_of(name);
        let fd = open_file(self, Path::new(name), &path).map_err(|error| {
            if self.is_link(name).unwrap_or(false) {
                unsafe_file(&path, "it is a symbolic link; name the file itself")
            } else {
                error
            }
        })?;
        judged(fd, &path, access)
    }

    /// As [`open_file`](Folder::open_file), of the file that the link `name` leads to. Returns its path, too.
    pub(in crate::files) fn open_linked_file(&self, name: &str, access: Access) -> Result<(File, PathBuf)> {
        let (fd, path) = link::open(self, name)?;
        Ok((judged(fd, &path, access)?, path))
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Opens a file to read it; a symbolic link is an error.
pub(super) fn open_file(folder: &Folder, name: &Path, shown: &Path) -> Result<OwnedFd> {
    // Without NONBLOCK a pipe in the file's place would hang.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::openat(folder, name, flags, Mode::empty()).map_err(|e| match e {
        Errno::NOENT => not_there(shown),
        // A socket, on Linux and on macOS.
        Errno::NXIO | Errno::OPNOTSUPP => unsafe_file(shown, "it is not a regular file; give the path of a file"),
        e => io("could not be opened", shown, e),
    })
}

/// The owner, the mode and the kind of an open file.
pub(super) fn looked_at(fd: impl AsFd, shown: &Path) -> Result<Stat> {
    rustix::fs::fstat(fd).map_err(|e| io("could not be looked at", shown, e))
}

fn judged(fd: OwnedFd, shown: &Path, access: Access) -> Result<File> {
    judge(access, &looked_at(&fd, shown)?, shown)?;
    Ok(File::from(fd))
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;
    use std::fs;
    use std::os::unix::ffi::OsStringExt as _;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use crate::error::Status;
    use crate::files::read;

    fn refused<T>(outcome: Result<T>, part: &str) {
        let error = outcome.err().expect("an error");
        assert_eq!(error.status(), Status::Key);
        assert!(error.message().contains(part), "{error}");
    }

    #[test]
    fn pipes_sockets_and_folders_in_a_files_place_are_refused_at_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        let pipe = CString::new(at("pipe").into_os_string().into_vec()).expect("no NUL");
        // SAFETY: a path that ends in NUL.
        assert_eq!(unsafe { libc::mkfifo(pipe.as_ptr(), 0o600) }, 0);
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).expect("a socket");
        fs::create_dir(at("folder")).expect("a folder");
        for access in [Access::Public, Access::Private] {
            for name in ["pipe", "socket", "folder"] {
                refused(read(&at(name), access), "not a regular file");
            }
            refused(read(&at("nothing"), access), "not there");
            refused(read(&at("nowhere/nothing"), access), "not there");
            refused(read(Path::new("/"), access), "does not name a file");
        }
    }

    #[test]
    fn a_folder_that_is_a_link_or_a_file_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        fs::write(at("file"), b"x").expect("a file");
        symlink(dir.path(), at("linked")).expect("a link");
        refused(Folder::open(&at("linked")), "symbolic link");
        refused(Folder::open(&at("linked/")), "symbolic link");
        refused(Folder::open(&at("file")), "no directory");
        assert!(Folder::open_linked(&at("linked")).is_ok());
    }

    #[test]
    fn a_link_is_read_only_where_it_is_expected() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("file"), b"x").expect("a file");
        symlink("file", dir.path().join("link")).expect("a link");
        let folder = Folder::open(dir.path()).expect("the directory");
        refused(folder.read("link", Access::Public), "symbolic link");
        assert_eq!(&*folder.read_linked("link", Access::Public).expect("our link"), b"x");
        assert!(folder.is_link("link").expect("a look") && !folder.is_link("file").expect("a look"));
    }

    #[test]
    fn a_file_in_a_folder_that_others_may_write_to_is_read_only_if_the_folder_is_sticky() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("file"), b"x").expect("a file");
        for (mode, accepted) in [(0o755, true), (0o1777, true), (0o777, false), (0o770, false)] {
            fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).expect("our directory");
            assert_eq!(read(&dir.path().join("file"), Access::Public).is_ok(), accepted, "{mode:o}");
            assert_eq!(Folder::open(dir.path()).is_ok(), mode == 0o755, "{mode:o}");
            assert_eq!(Folder::open_linked(dir.path()).is_ok(), mode == 0o755, "{mode:o}");
        }
    }

    #[test]
    fn a_mark_changes_when_the_file_is_replaced_or_written_or_its_link_leads_elsewhere() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        let folder = Folder::open(dir.path()).expect("the directory");
        let mark = || folder.mark("link").expect("a look");
        for name in ["a", "b"] {
            fs::write(at(name), b"x").expect("a file");
        }
        let mut seen = vec![mark()];
        symlink("a", at("link")).expect("a link");
        seen.push(mark());
        assert_eq!(mark(), mark());
        fs::write(at("a"), b"xy").expect("our file");
        seen.push(mark());
        fs::remove_file(at("link")).expect("our link");
        symlink("b", at("link")).expect("a link");
        seen.push(mark());
        for (i, one) in seen.iter().enumerate() {
            assert!(seen[..i].iter().all(|other| other != one), "{i}: {seen:?}");
        }
    }
}
