//! The environment with which this process began, for the switches of debug builds (sysctl KERN_PROCARGS2).

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::ptr::null_mut;

/// Whether a variable was in the environment with which the process began. The environment of now may be changing.
pub(crate) fn began_with(variable: &[u8]) -> bool {
    value_of(variable).is_some()
}

/// The value of a variable in the environment with which the process began. Another thread may be changing the environment of
/// now.
pub(crate) fn variable_at_start(variable: &str) -> Option<OsString> {
    value_of(variable.as_bytes()).map(OsString::from_vec)
}

fn value_of(variable: &[u8]) -> Option<Vec<u8>> {
    let start = start()?;
    let value_of = |entry: &[u8]| entry.strip_prefix(variable)?.strip_prefix(b"=").map(<[u8]>::to_vec);
    variables(&start)?.find_map(value_of)
}

/// The kernel's copy of what execve() was given.
fn start() -> Option<Vec<u8>> {
    let mut name = [libc::CTL_KERN, libc::KERN_PROCARGS2, libc::c_int::try_from(std::process::id()).ok()?];
    let mut read = |buffer: *mut u8, len: &mut usize| {
        // SAFETY: `name` has three numbers; the kernel writes at most `len` bytes to `buffer`, or none if it is null.
        unsafe { libc::sysctl(name.as_mut_ptr(), 3, buffer.cast(), len, null_mut(), 0) == 0 }
    };
    let mut len = 0;
    if !read(null_mut(), &mut len) {
        return None;
    }
    let mut bytes = vec![0; len];
    let is_read = read(bytes.as_mut_ptr(), &mut len);
    bytes.truncate(len);
    is_read.then_some(bytes)
}

/// The variables in `start`: the number of arguments, the path of the program, NULs, the arguments, the variables.
fn variables(start: &[u8]) -> Option<impl Iterator<Item = &[u8]>> {
    let (count, rest) = start.split_first_chunk()?;
    let count = usize::try_from(i32::from_ne_bytes(*count)).ok()?;
    let behind_path = &rest[rest.iter().position(|&byte| byte == 0)?..];
    let arguments = &behind_path[behind_path.iter().position(|&byte| byte != 0)?..];
    Some(arguments.split(|&byte| byte == 0).skip(count))
}
