//! Security identifiers: of this process's user, and of the users who may do everything anyway.

use std::io;
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{CloseHandle, HANDLE};
use windows_sys::Win32::Security::{
    CopySid, CreateWellKnownSid, EqualSid, GetTokenInformation, PSID, SECURITY_MAX_SID_SIZE, TOKEN_QUERY, TOKEN_USER,
    TokenUser, WELL_KNOWN_SID_TYPE, WinBuiltinAdministratorsSid, WinCreatorOwnerRightsSid, WinLocalSystemSid,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use super::done;

/// 64-bit words that hold any security identifier.
const WORDS: usize = (SECURITY_MAX_SID_SIZE as usize).div_ceil(8);

/// A security identifier.
pub(super) struct Sid([u64; WORDS]);

impl Sid {
    /// The user of this process.
    pub(super) fn own() -> io::Result<Sid> {
        let token = Token::own()?;
        // A TOKEN_USER, with the identifier behind it.
        let mut user = [0_u64; size_of::<TOKEN_USER>() / 8 + WORDS];
        let (mut len, mut sid) = (0, Sid([0; WORDS]));
        let room = u32::try_from(size_of_val(&user)).unwrap_or(0);
        // SAFETY: the token is open; `user` is aligned for a TOKEN_USER and writable for `room` bytes. After success it begins
        // with a TOKEN_USER, whose identifier is copied to `sid`, where any identifier fits.
        unsafe {
            done(GetTokenInformation(token.0, TokenUser, user.as_mut_ptr().cast(), room, &raw mut len))?;
            let found = (*user.as_ptr().cast::<TOKEN_USER>()).User.Sid;
            done(CopySid(SECURITY_MAX_SID_SIZE, sid.as_mut_ptr(), found))?;
        }
        Ok(sid)
    }

    fn well_known(kind: WELL_KNOWN_SID_TYPE) -> io::Result<Sid> {
        let (mut sid, mut len) = (Sid([0; WORDS]), SECURITY_MAX_SID_SIZE);
        // SAFETY: `sid` is writable for `len` bytes.
        done(unsafe { CreateWellKnownSid(kind, null_mut(), sid.as_mut_ptr(), &raw mut len) })?;
        Ok(sid)
    }

    pub(super) fn as_ptr(&self) -> PSID {
        self.0.as_ptr().cast_mut().cast()
    }

    fn as_mut_ptr(&mut self) -> PSID {
        self.0.as_mut_ptr().cast()
    }
}

/// The users whose access to a file of ours says nothing: this process's user, the system and the administrators, who can take
/// any file.
pub(super) struct Trusted {
    own: Sid,
    system: Sid,
    administrators: Sid,
    /// Stands for the owner of a file, who is judged too.
    owner_rights: Sid,
}

impl Trusted {
    pub(super) fn new() -> io::Result<Trusted> {
        Ok(Trusted {
            own: Sid::own()?,
            system: Sid::well_known(WinLocalSystemSid)?,
            administrators: Sid::well_known(WinBuiltinAdministratorsSid)?,
            owner_rights: Sid::well_known(WinCreatorOwnerRightsSid)?,
        })
    }

    /// Whether `sid` may own a file.
    ///
    /// # Safety
    /// `sid` is a valid identifier.
    pub(super) unsafe fn is_owner(&self, sid: PSID) -> bool {
        // SAFETY: by the contract above.
        let equals = |one: &Sid| unsafe { EqualSid(one.as_ptr(), sid) != 0 };
        equals(&self.own) || equals(&self.system) || equals(&self.administrators)
    }

    /// Whether `sid` may have any access to a file.
    ///
    /// # Safety
    /// `sid` is a valid identifier.
    pub(super) unsafe fn has(&self, sid: PSID) -> bool {
        // SAFETY: by the contract above.
        unsafe { self.is_owner(sid) || EqualSid(self.owner_rights.as_ptr(), sid) != 0 }
    }
}

/// The access token of this process.
struct Token(HANDLE);

impl Token {
    fn own() -> io::Result<Token> {
        let mut token = null_mut();
        // SAFETY: the pseudo handle of this process, and a writable handle.
        done(unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) })?;
        Ok(Token(token))
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        // SAFETY: opened above, closed once.
        unsafe { CloseHandle(self.0) };
    }
}
