//! Changes in a folder: the lock file, new files, renames.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::windows::io::FromRawHandle as _;
use std::path::Path;
use std::ptr::{null, null_mut};
use std::time::Duration;

use windows_sys::Win32::Foundation::{GENERIC_READ, GENERIC_WRITE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::Storage::FileSystem::{
    CREATE_NEW, CreateFileW, FILE_CREATION_DISPOSITION, FILE_FLAG_OPEN_REPARSE_POINT, FILE_SHARE_MODE, FILE_SHARE_READ,
    FILE_SHARE_WRITE, MOVEFILE_REPLACE_EXISTING, MOVEFILE_WRITE_THROUGH, MoveFileExW, OPEN_ALWAYS, READ_CONTROL,
};

use super::access::{judge, judge_new};
use super::folder::Folder;
use super::owner_only::for_owner_only;
use super::{done, wide};
use crate::error::{Error, Result, Status};
use crate::files::{Access, io};
use crate::memory;

/// How often a rename is attempted while another process has the replaced file open for a moment, and the time between. A reader
/// of this library has it open for less than a millisecond.
const ATTEMPTS: usize = 200;
const PAUSE: Duration = Duration::from_millis(5);

/// A lock file that this process holds.
pub(in crate::files) struct Held(File);

impl Folder {
    /// Takes the lock file `name`. `None` if another process or thread holds it.
    pub(in crate::files) fn try_hold(&self, name: &str) -> Result<Option<Held>> {
        let shown = self.path_of(name);
        let shared = FILE_SHARE_READ | FILE_SHARE_WRITE;
        let file = private(&self.place_of(name), shared, OPEN_ALWAYS).map_err(|e| match e.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::StorageFull => {
                io("cannot be written to", self.path(), e)
            }
            _ => io("could not be opened", &shown, e),
        })?;
        judge(Access::Public, &file, &shown)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Held(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) if e.kind() == ErrorKind::Unsupported => Err(Error::new(
                Status::Io,
                format!("{} cannot be written to safely: its file system has no file locks", self.path().display()),
            )),
            Err(TryLockError::Error(e)) => Err(io("cannot be locked", &shown, e)),
        }
    }

    /// Creates the file `name`, which must not be there. The file is judged.
    pub(in crate::files) fn create(&self, name: &str, access: Access) -> Result<File> {
        let (shown, place) = (self.path_of(name), self.place_of(name));
        let created = match access {
            Access::Private | Access::Mounted | Access::Trusted => private(&place, 0, CREATE_NEW),
            // As readable as the folder.
            Access::Public => open(&place, 0, CREATE_NEW, null()),
        };
        let file =
            created.map_err(|e| io("could not be written, and what was there before is as it was", &shown, e))?;
        judge_new(access, &file, &shown)?;
        Ok(file)
    }

    /// Removes the file `name`, if it is there.
    pub(in crate::files) fn remove(&self, name: &str) -> Result<()> {
        match std::fs::remove_file(self.place_of(name)) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(io("could not be removed", &self.path_of(name), e)),
            _ => Ok(()),
        }
    }

    /// Renames the file `from` to `to`, at once and down to the disk. A file `to` is replaced. The error is half a sentence.
    pub(in crate::files) fn replace(&self, from: &str, to: &str) -> Result<()> {
        let failed = |e| io("could not be replaced", &self.path_of(to), e);
        let (from, to) = (wide(&self.place_of(from)).map_err(failed)?, wide(&self.place_of(to)).map_err(failed)?);
        let flags = MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH;
        // SAFETY: both names end in NUL.
        let rename = || done(unsafe { MoveFileExW(from.as_ptr(), to.as_ptr(), flags) });
        for _ in 1..ATTEMPTS {
            match rename() {
                // ERROR_ACCESS_DENIED and ERROR_SHARING_VIOLATION: the file is open.
                Err(e) if matches!(e.raw_os_error(), Some(5 | 32)) => memory::outside(|| std::thread::sleep(PAUSE)),
                outcome => return outcome.map_err(failed),
            }
        }
        rename().map_err(failed)
    }

    /// Does nothing: [`replace`](Folder::replace) returns after the rename is on the disk.
    pub(in crate::files) fn sync(&self) -> Result<()> {
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Unlock explicitly. Windows may unlock a closed file later.
        let _ = self.0.unlock();
    }
}

/// Opens or creates a file. A new one is for its owner alone.
fn private(place: &Path, share: FILE_SHARE_MODE, disposition: FILE_CREATION_DISPOSITION) -> io::Result<File> {
    let mut opened = None;
    for_owner_only(|attributes| {
        opened = Some(open(place, share, disposition, attributes)?);
        Ok(())
    })?;
    opened.ok_or_else(|| ErrorKind::Other.into())
}

/// Opens or creates a file to read and write it. A link in its place is opened itself. `attributes` may be null.
fn open(
    place: &Path,
    share: FILE_SHARE_MODE,
    disposition: FILE_CREATION_DISPOSITION,
    attributes: *const SECURITY_ATTRIBUTES,
) -> io::Result<File> {
    let (name, access) = (wide(place)?, GENERIC_READ | GENERIC_WRITE | READ_CONTROL);
    let flags = FILE_FLAG_OPEN_REPARSE_POINT;
    // SAFETY: the name ends in NUL, and `attributes` are null or valid during the call. The handle is new and ours.
    unsafe {
        let handle = CreateFileW(name.as_ptr(), access, share, attributes, disposition, flags, null_mut());
        if handle == INVALID_HANDLE_VALUE { Err(io::Error::last_os_error()) } else { Ok(File::from_raw_handle(handle)) }
    }
}
