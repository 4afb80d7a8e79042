//! A folder held open by its handle.

use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::windows::ffi::OsStringExt as _;
use std::os::windows::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::os::windows::io::AsRawHandle as _;
use std::path::{Path, PathBuf};

use windows_sys::Win32::Foundation::GENERIC_READ;
use windows_sys::Win32::Storage::FileSystem::{
    CreateDirectoryW, FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_REPARSE_POINT, FILE_FLAG_BACKUP_SEMANTICS,
    FILE_FLAG_OPEN_REPARSE_POINT, FILE_READ_ATTRIBUTES, FILE_SHARE_READ, FILE_SHARE_WRITE, FILE_TRAVERSE,
    GetFinalPathNameByHandleW, READ_CONTROL, SECURITY_IDENTIFICATION, SYNCHRONIZE,
};

use super::access::{Writable, judge, judge_folder};
use super::identity::mark_shown;
use super::owner_only::for_owner_only;
use super::{done, wide};
use crate::error::Result;
use crate::files::{Access, Mark, io, not_there, unsafe_file};

/// An open folder that nobody but the administrators, the system and the process's user can change.
pub(crate) struct Folder {
    /// Keeps the folder in its place.
    _held: File,
    /// The folder's path without links, which is valid as long as the folder is held.
    place: PathBuf,
    /// The folder's path, for people.
    path: PathBuf,
}

impl Folder {
    /// Opens the folder at `path`, which must not be a symbolic link.
    pub(crate) fn open(path: &Path) -> Result<Folder> {
        // Without the separators at its end: with them a link would be followed.
        let path: PathBuf = path.components().collect();
        Folder::open_as(&path, FILE_FLAG_OPEN_REPARSE_POINT, Writable::Refused)
    }

    /// Opens the folder at `path`, wherever links lead.
    pub(crate) fn open_linked(path: &Path) -> Result<Folder> {
        Folder::open_as(path, 0, Writable::Refused)
    }

    /// Opens the folder at `path`, wherever links lead, to read a file of ours in it. Other users may make files in it.
    pub(in crate::files) fn open_to_read(path: &Path) -> Result<Folder> {
        Folder::open_as(path, 0, Writable::Allowed)
    }

    /// Opens the folder at `path`; makes it, for its owner alone, if there is none. Its parent must be there.
    pub(crate) fn open_or_make(path: &Path) -> Result<Folder> {
        let make = |name: Vec<u16>| {
            // SAFETY: the name ends in NUL, and the attributes are valid during the call.
            for_owner_only(|attributes| done(unsafe { CreateDirectoryW(name.as_ptr(), attributes) }))
        };
        match wide(path).and_then(make) {
            Ok(()) => Folder::open(path).inspect_err(|_| {
                // A file system without lists. The error says so; the empty folder is not worth a second one.
                let _ = std::fs::remove_dir(path);
            }),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => Folder::open(path),
            Err(e) if e.kind() == ErrorKind::NotFound => {
                Err(io("could not be made, because its parent directory is missing", path, e))
            }
            // Where nothing may be made, there may still be something to read.
            Err(e) => Folder::open(path).map_err(|_| io("could not be made", path, e)),
        }
    }

    fn open_as(path: &Path, flags: u32, writable: Writable) -> Result<Folder> {
        let failed = |e| io("could not be opened", path, e);
        // FILE_TRAVERSE makes the system look at the sharing. It needs no right to list the folder.
        let held = OpenOptions::new()
            .access_mode(FILE_TRAVERSE | FILE_READ_ATTRIBUTES | READ_CONTROL | SYNCHRONIZE)
            .share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE)
            .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | flags)
            .open(path)
            .map_err(failed)?;
        let attributes = held.metadata().map_err(failed)?.file_attributes();
        if attributes & FILE_ATTRIBUTE_DIRECTORY == 0 || attributes & FILE_ATTRIBUTE_REPARSE_POINT != 0 {
            return Err(unsafe_file(path, "it is a symbolic link or no directory; name the directory itself"));
        }
        judge_folder(&held, path, writable)?;
        let place = place_of(&held).map_err(failed)?;
        Ok(Folder { _held: held, place, path: path.to_owned() })
    }

    /// The folder's path, for people.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of `name`, for people.
    pub(crate) fn path_of(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    /// The path of `name`, for the system.
    pub(super) fn place_of(&self, name: &str) -> PathBuf {
        self.place.join(name)
    }

    /// Whether there is anything under `name`, a link included.
    pub(crate) fn has(&self, name: &str) -> Result<bool> {
        Ok(self.look(name)?.is_some())
    }

    /// Whether there is a symbolic link under `name`.
    pub(crate) fn is_link(&self, name: &str) -> Result<bool> {
        Ok(self.look(name)?.is_some_and(|about| about.file_type().is_symlink()))
    }

    /// The mark of the file that `name` leads to.
    pub(crate) fn mark(&self, name: &str) -> Result<Mark> {
        mark_shown(&self.place_of(name), &self.path_of(name))
    }

    fn look(&self, name: &str) -> Result<Option<Metadata>> {
        match std::fs::symlink_metadata(self.place_of(name)) {
            Ok(about) => Ok(Some(about)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(io("could not be looked at", &self.path_of(name), e)),
        }
    }

    /// Opens the file `name` to read it. Its owner and its access control list are judged. A symbolic link is refused.
    pub(in crate::files) fn open_file(&self, name: &str, access: Access) -> Result<File> {
        let shown = self.path_of(name);
        // With backup semantics a folder in the file's place is opened, too, and refused with the reason. A pipe's server must
        // not act as this user.
        let opened = OpenOptions::new()
            .access_mode(GENERIC_READ | READ_CONTROL)
            .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS)
            .security_qos_flags(SECURITY_IDENTIFICATION)
            .open(self.place_of(name));
        let file = opened.map_err(|e| match e.kind() {
            ErrorKind::NotFound => not_there(&shown),
            _ => io("could not be opened", &shown, e),
        })?;
        judge(access, &file, &shown)?;
        Ok(file)
    }

    /// Refuses the link `name`. No volume of mounted secrets has links here.
    pub(in crate::files) fn open_linked_file(&self, name: &str, _: Access) -> Result<(File, PathBuf)> {
        Err(unsafe_file(&self.path_of(name), "it is a symbolic link; name the file itself"))
    }
}

/// The path of an open folder, without links.
fn place_of(folder: &File) -> io::Result<PathBuf> {
    let mut units = vec![0_u16; 512];
    loop {
        let room = u32::try_from(units.len()).unwrap_or(u32::MAX);
        // SAFETY: the handle is open, and `units` is writable for `room` units.
        let len = unsafe { GetFinalPathNameByHandleW(folder.as_raw_handle(), units.as_mut_ptr(), room, 0) } as usize;
        match len {
            0 => return Err(io::Error::last_os_error()),
            len if len < units.len() => return Ok(OsString::from_wide(&units[..len]).into()),
            len => units.resize(len + 1, 0),
        }
    }
}
