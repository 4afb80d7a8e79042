//! Owners and access control lists: which files and folders are safe to use.

use std::fs::File;
use std::io;
use std::os::windows::fs::MetadataExt as _;
use std::os::windows::io::AsRawHandle as _;
use std::path::Path;
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{GENERIC_ALL, GENERIC_READ, GENERIC_WRITE, LocalFree};
use windows_sys::Win32::Security::Authorization::{GetSecurityInfo, SE_FILE_OBJECT};
use windows_sys::Win32::Security::{
    ACE_HEADER, ACL, DACL_SECURITY_INFORMATION, GetAce, INHERIT_ONLY_ACE, OWNER_SECURITY_INFORMATION,
    PSECURITY_DESCRIPTOR, PSID,
};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_APPEND_DATA, FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_REPARSE_POINT, FILE_DELETE_CHILD,
    FILE_READ_DATA, FILE_TYPE_DISK, FILE_WRITE_ATTRIBUTES, FILE_WRITE_DATA, FILE_WRITE_EA, GetFileType, WRITE_DAC,
    WRITE_OWNER,
};

use super::sid::Trusted;
use crate::error::Result;
use crate::files::{Access, io, unsafe_file};

const READ: u32 = FILE_READ_DATA | GENERIC_READ | GENERIC_ALL;
/// Rights to take a file away or to change who may use it. For a folder also the right to take the files in it away.
const REPLACE: u32 = DELETE | FILE_DELETE_CHILD | WRITE_DAC | WRITE_OWNER | GENERIC_ALL;
/// FILE_WRITE_ATTRIBUTES also makes a folder a link to another one.
const WRITE: u32 = REPLACE | FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_ATTRIBUTES | FILE_WRITE_EA | GENERIC_WRITE;

/// Entries of a list that allow something, and have a mask and then an identifier (winnt.h).
const ALLOWED: u8 = 0;
const ALLOWED_CALLBACK: u8 = 9;
/// Entries that deny something. They are ignored: another entry may come before them.
const DENIED: [u8; 4] = [1, 6, 10, 12];

/// The rights of other users that a file must not give.
fn forbidden(access: Access) -> u32 {
    match access {
        Access::Private | Access::Mounted => READ | WRITE,
        Access::Trusted => WRITE,
        Access::Public => 0,
    }
}

/// Whether a folder that other users may write to is safe.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Writable {
    /// Not safe. Files are written to it, and a missing file means something.
    Refused,
    /// Safe if other users cannot take files of ours away. The owner of the file is judged too.
    Allowed,
}

/// Refuses an existing file whose owner or list is not safe, and everything that is no file.
pub(super) fn judge(access: Access, file: &File, shown: &Path) -> Result<()> {
    let attributes = file.metadata().map_err(|e| io("could not be looked at", shown, e))?.file_attributes();
    // SAFETY: the handle is open.
    let is_on_disk = unsafe { GetFileType(file.as_raw_handle()) } == FILE_TYPE_DISK;
    if attributes & FILE_ATTRIBUTE_REPARSE_POINT != 0 {
        return Err(unsafe_file(shown, "it is a symbolic link, or kept elsewhere; name the file itself"));
    }
    if !is_on_disk || attributes & FILE_ATTRIBUTE_DIRECTORY != 0 {
        return Err(unsafe_file(shown, "it is not a regular file; give the path of a file"));
    }
    let rights = Rights::of(file).map_err(|e| io("could not be looked at", shown, e))?;
    judge_owner(&rights, shown)?;
    if rights.others & forbidden(access) == 0 {
        return Ok(());
    }
    let path = shown.display();
    let command = format!("icacls \"{path}\" /inheritance:r /grant:r \"%USERNAME%:F\"");
    Err(unsafe_file(shown, &format!("other users may read or change it; run: {command}")))
}

/// Refuses a file that was just created, if the file system gave it another owner, or rights for other users.
pub(super) fn judge_new(access: Access, file: &File, shown: &Path) -> Result<()> {
    let rights = Rights::of(file).map_err(|e| io("could not be looked at", shown, e))?;
    if rights.is_owned && rights.others & forbidden(access) == 0 {
        return Ok(());
    }
    Err(unsafe_file(
        shown.parent().unwrap_or(shown),
        "its file system keeps no owner or no access control list for a new file, so others could read or change it; nothing \
         was written: choose a directory on NTFS",
    ))
}

/// Refuses a folder that somebody else could change.
pub(super) fn judge_folder(folder: &File, shown: &Path, writable: Writable) -> Result<()> {
    let rights = Rights::of(folder).map_err(|e| io("could not be looked at", shown, e))?;
    judge_owner(&rights, shown)?;
    if rights.others & if writable == Writable::Allowed { REPLACE } else { WRITE } == 0 {
        return Ok(());
    }
    let path = shown.display();
    let command = format!("icacls \"{path}\" /inheritance:r /grant:r \"%USERNAME%:(OI)(CI)F\"");
    Err(unsafe_file(shown, &format!("other users may write to it; run: {command}")))
}

/// Refuses what belongs to somebody else: its owner can change it at any time.
fn judge_owner(rights: &Rights, shown: &Path) -> Result<()> {
    if rights.is_owned {
        return Ok(());
    }
    let why = format!("it belongs to another user; run: takeown /f \"{}\"", shown.display());
    Err(unsafe_file(shown, &why))
}

/// The owner of a file, and the rights of other users.
struct Rights {
    /// Whether it belongs to this process's user, the system or the administrators.
    is_owned: bool,
    /// All rights that some other user or group may have.
    others: u32,
}

impl Rights {
    fn of(file: &File) -> io::Result<Rights> {
        let trusted = Trusted::new()?;
        let (mut owner, mut list, mut descriptor) = (null_mut(), null_mut(), Descriptor(null_mut()));
        let wanted = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
        // SAFETY: the handle is open. The pointers that are filled point into `descriptor`, which is freed at the end.
        unsafe {
            let status = GetSecurityInfo(
                file.as_raw_handle(),
                SE_FILE_OBJECT,
                wanted,
                &raw mut owner,
                null_mut(),
                &raw mut list,
                null_mut(),
                &raw mut descriptor.0,
            );
            if status != 0 {
                return Err(io::Error::from_raw_os_error(i32::try_from(status).unwrap_or(i32::MAX)));
            }
            Ok(Rights {
                is_owned: !owner.is_null() && trusted.is_owner(owner),
                others: rights_of_others(list, &trusted),
            })
        }
    }
}

/// All rights that `list` gives to users who are not trusted.
///
/// # Safety
/// `list` is null or a valid access control list.
unsafe fn rights_of_others(list: *const ACL, trusted: &Trusted) -> u32 {
    // Without a list everybody may do everything.
    // SAFETY: by the contract above.
    let Some(about) = (unsafe { list.as_ref() }) else { return u32::MAX };
    // SAFETY: as above.
    (0..about.AceCount.into())
        .map(|index| unsafe { right_of_other(list, index, trusted) })
        .fold(0, |all, one| all | one)
}

/// The rights that one entry of `list` gives to a user who is not trusted.
///
/// # Safety
/// `list` is a valid access control list.
unsafe fn right_of_other(list: *const ACL, index: u32, trusted: &Trusted) -> u32 {
    /// An entry that allows something.
    #[repr(C)]
    struct Entry {
        header: ACE_HEADER,
        mask: u32,
        sid: u32,
    }
    let mut entry = null_mut();
    // SAFETY: by the contract above the list is valid; then each entry begins with a header, and an entry of the two kinds goes
    // on with a mask and an identifier.
    unsafe {
        if GetAce(list, index, &raw mut entry) == 0 {
            return u32::MAX;
        }
        let entry: *const Entry = entry.cast();
        let header = (*entry).header;
        if u32::from(header.AceFlags) & INHERIT_ONLY_ACE != 0 || DENIED.contains(&header.AceType) {
            return 0;
        }
        if !matches!(header.AceType, ALLOWED | ALLOWED_CALLBACK) {
            // An entry of an unknown kind may allow anything.
            return u32::MAX;
        }
        let sid: PSID = (&raw const (*entry).sid).cast_mut().cast();
        if trusted.has(sid) { 0 } else { (*entry).mask }
    }
}

/// A security descriptor of the system's, freed when it is dropped.
struct Descriptor(PSECURITY_DESCRIPTOR);

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: GetSecurityInfo allocated it, or it is null.
        unsafe { LocalFree(self.0) };
    }
}
