//! Windows: handles of folders, access control lists and owners.
//!
//! Paths are used, because Win32 opens no file relative to a folder. A folder is held open without FILE_SHARE_DELETE: nobody can
//! rename or replace it meanwhile, nor a folder above it. Its path is asked of the handle, so that no link is in it.

mod access;
mod change;
mod folder;
mod identity;
mod owner_only;
mod sid;

pub(in crate::files) use change::Held;
pub(crate) use folder::Folder;
pub(in crate::files) use identity::mark;

use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::path::Path;

/// A path as Win32 takes it, with a NUL at its end.
fn wide(path: &Path) -> io::Result<Vec<u16>> {
    let mut units: Vec<u16> = path.as_os_str().encode_wide().collect();
    if units.contains(&0) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    units.push(0);
    Ok(units)
}

/// The outcome of a function that returns 0 for a failure.
fn done(outcome: i32) -> io::Result<()> {
    if outcome == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
