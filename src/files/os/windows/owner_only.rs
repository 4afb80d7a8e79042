//! The security descriptor of a new file or folder that is for its owner alone.

use std::io;

use windows_sys::Win32::Security::{
    ACL, ACL_REVISION, AddAccessAllowedAceEx, CONTAINER_INHERIT_ACE, InitializeAcl, InitializeSecurityDescriptor,
    OBJECT_INHERIT_ACE, SE_DACL_PROTECTED, SECURITY_ATTRIBUTES, SECURITY_DESCRIPTOR, SetSecurityDescriptorControl,
    SetSecurityDescriptorDacl, SetSecurityDescriptorOwner,
};
use windows_sys::Win32::Storage::FileSystem::FILE_ALL_ACCESS;

use super::done;
use super::sid::Sid;

/// The only revision of a security descriptor.
const REVISION: u32 = 1;
/// 64-bit words that hold a list with one entry for any identifier: headers of 16 bytes, and 68 bytes.
const LIST_WORDS: usize = 16;

/// Calls `create` with the attributes of a file for its owner alone. Files in a new folder inherit them. No entry is
/// inherited from above.
pub(super) fn for_owner_only(create: impl FnOnce(*const SECURITY_ATTRIBUTES) -> io::Result<()>) -> io::Result<()> {
    let owner = Sid::own()?;
    let mut list = [0_u64; LIST_WORDS];
    let acl: *mut ACL = list.as_mut_ptr().cast();
    let mut descriptor = SECURITY_DESCRIPTOR::default();
    let about = (&raw mut descriptor).cast();
    // SAFETY: `descriptor`, `list` and `owner` are live and writable until `create` has returned, and large enough.
    unsafe {
        done(InitializeAcl(acl, u32::try_from(size_of_val(&list)).unwrap_or(0), ACL_REVISION))?;
        let inherited = OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE;
        done(AddAccessAllowedAceEx(acl, ACL_REVISION, inherited, FILE_ALL_ACCESS, owner.as_ptr()))?;
        done(InitializeSecurityDescriptor(about, REVISION))?;
        done(SetSecurityDescriptorOwner(about, owner.as_ptr(), 0))?;
        done(SetSecurityDescriptorDacl(about, 1, acl, 0))?;
        done(SetSecurityDescriptorControl(about, SE_DACL_PROTECTED, SE_DACL_PROTECTED))?;
    }
    create(&SECURITY_ATTRIBUTES {
        nLength: u32::try_from(size_of::<SECURITY_ATTRIBUTES>()).unwrap_or(0),
        lpSecurityDescriptor: about,
        bInheritHandle: 0,
    })
}
