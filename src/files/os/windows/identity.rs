//! The identity of a file at one moment.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::os::windows::io::AsRawHandle as _;
use std::path::Path;

use windows_sys::Win32::Foundation::ERROR_CANT_RESOLVE_FILENAME;
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, FILE_FLAG_BACKUP_SEMANTICS, FILE_READ_ATTRIBUTES, GetFileInformationByHandle,
};

use super::done;
use crate::error::Result;
use crate::files::{Mark, io};

/// The mark of the file that `path` leads to.
pub(in crate::files) fn mark(path: &Path) -> Result<Mark> {
    mark_shown(path, path)
}

/// The mark of the file that `path` leads to; errors show it as `shown`.
pub(super) fn mark_shown(path: &Path, shown: &Path) -> Result<Mark> {
    let opened =
        OpenOptions::new().access_mode(FILE_READ_ATTRIBUTES).custom_flags(FILE_FLAG_BACKUP_SEMANTICS).open(path);
    match opened.and_then(|file| identity(&file)) {
        Ok(numbers) => Ok(Mark(Some(numbers))),
        // Links that lead nowhere, or to each other, lead to no file.
        Err(e) if leads_nowhere(&e) => Ok(Mark(None)),
        Err(e) => Err(io("could not be looked at", shown, e)),
    }
}

fn leads_nowhere(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        || error.raw_os_error().and_then(|code| u32::try_from(code).ok()) == Some(ERROR_CANT_RESOLVE_FILENAME)
}

/// Volume, file, size and time of the last write.
fn identity(file: &File) -> io::Result<[i128; 5]> {
    let mut about = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the handle is open, and `about` is writable.
    done(unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut about) })?;
    let whole = |high: u32, low: u32| i128::from(u64::from(high) << 32 | u64::from(low));
    let written = about.ftLastWriteTime;
    Ok([
        about.dwVolumeSerialNumber.into(),
        whole(about.nFileIndexHigh, about.nFileIndexLow),
        whole(about.nFileSizeHigh, about.nFileSizeLow),
        whole(written.dwHighDateTime, written.dwLowDateTime),
        0,
    ])
}
