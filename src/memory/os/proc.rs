//! The kernel's files about this process (proc(5)). No function here takes much of a stack, and only [`variable_at_start`]
//! allocates.

use std::ffi::CStr;
#[cfg(debug_assertions)]
use std::ffi::OsString;
#[cfg(debug_assertions)]
use std::os::unix::ffi::OsStringExt as _;

/// Whether a variable was in the environment with which the process began. The environment of now may be changing.
#[cfg(debug_assertions)]
pub(crate) fn began_with(variable: &[u8]) -> bool {
    let mut found = false;
    read_parts(c"/proc/self/environ", 0, |part| {
        found = part.strip_prefix(variable).is_some_and(|rest| rest.starts_with(b"="));
        !found
    });
    found
}

/// The value of a variable in the environment with which the process began. Another thread may be changing the environment of
/// now.
#[cfg(debug_assertions)]
pub(crate) fn variable_at_start(variable: &str) -> Option<OsString> {
    let environment = std::fs::read("/proc/self/environ").ok()?;
    let value_of = |entry: &[u8]| entry.strip_prefix(variable.as_bytes())?.strip_prefix(b"=").map(<[u8]>::to_vec);
    environment.split(|byte| *byte == 0).find_map(value_of).map(OsString::from_vec)
}

/// Whether each of the two-letter VmFlags is set for the mapping that contains `address`. `None` if the kernel shows no flags.
pub(in crate::memory) fn flags_at<const N: usize>(address: usize, wanted: [&[u8]; N]) -> Option<[bool; N]> {
    let mut is_ours = false;
    let mut found = None;
    read_parts(c"/proc/self/smaps", b'\n', |line| {
        if line.first().is_some_and(|first| first.is_ascii_digit() || first.is_ascii_lowercase()) {
            is_ours = range_of(line).is_some_and(|(start, end)| (start..end).contains(&address));
        } else if let Some(flags) = line.strip_prefix(b"VmFlags:").filter(|_| is_ours) {
            found = Some(wanted.map(|flag| flags.split(|&byte| byte == b' ').any(|set| set == flag)));
        }
        found.is_none()
    });
    found
}

/// The addresses at the beginning of a mapping's first line.
fn range_of(line: &[u8]) -> Option<(usize, usize)> {
    let end = line.iter().position(|&byte| byte == b' ')?;
    let (start, end) = std::str::from_utf8(&line[..end]).ok()?.split_once('-')?;
    Some((usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?))
}

/// Calls `see` with the beginning of each part of a file until `see` returns false. `end` is behind each part.
fn read_parts(path: &CStr, end: u8, mut see: impl FnMut(&[u8]) -> bool) {
    // SAFETY: a NUL-terminated path.
    let fd = unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    if fd < 0 {
        return;
    }
    let (mut block, mut part, mut len) = ([0_u8; 512], [0_u8; 256], 0);
    // SAFETY: `block` is writable for its length, and the descriptor is ours.
    let next = |block: &mut [u8]| unsafe { libc::read(fd, block.as_mut_ptr().cast(), block.len()) };
    'file: while let Ok(read @ 1..) = usize::try_from(next(&mut block)) {
        for &byte in &block[..read] {
            if byte == end {
                if !see(&part[..len]) {
                    break 'file;
                }
                len = 0;
            } else if len < part.len() {
                part[len] = byte;
                len += 1;
            }
        }
    }
    // SAFETY: opened above, closed once.
    unsafe { libc::close(fd) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_of_an_ordinary_variable_are_those_of_readable_memory() {
        let local = 7_u8;
        let address = (&raw const local).addr();
        assert_eq!(flags_at(address, [b"rd", b"wr", b"ex", b"wf"]), Some([true, true, false, false]));
        assert_eq!(flags_at(8, [b"rd"]), None);
    }

    #[test]
    #[cfg(feature = "capi")]
    fn big_buffers_ask_for_huge_pages_and_small_ones_do_not() {
        use crate::memory::{SecretBuf, WireBuf};
        if !std::path::Path::new("/sys/kernel/mm/transparent_hugepage").exists() {
            return; // a kernel without them
        }
        let asks = |bytes: &[u8]| flags_at(bytes.as_ptr().addr(), [b"hg"]);
        for (len, expected) in [(1 << 20, [false]), (5 << 20, [true])] {
            let mut wire = WireBuf::with_capacity(len).expect("memory");
            assert_eq!(asks(wire.append(len)), Some(expected), "{len} bytes of a package");
            assert_eq!(asks(&SecretBuf::zeroed(len, 0).expect("memory")), Some(expected), "{len} secret bytes");
        }
    }
}
