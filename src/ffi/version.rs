//! Which library this is.

use std::ffi::{CStr, c_char};

/// The version that this header belongs to: major.
#[allow(dead_code, reason = "for C, by way of the header")]
pub const NOMYO_VERSION_MAJOR: u32 = 0;
/// The version that this header belongs to: minor.
#[allow(dead_code, reason = "for C, by way of the header")]
pub const NOMYO_VERSION_MINOR: u32 = 1;
/// The version that this header belongs to: patch.
#[allow(dead_code, reason = "for C, by way of the header")]
pub const NOMYO_VERSION_PATCH: u32 = 0;
/// The ABI that this header belongs to (see Versions, above).
pub const NOMYO_ABI_VERSION: u32 = 0;

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");

/// The version of the library that is loaded, such as `"0.1.0"`.
///
/// Any thread; blocks on nothing. The text is static: never free it.
#[unsafe(no_mangle)]
pub extern "C" fn nomyo_version() -> *const c_char {
    CStr::from_bytes_with_nul(VERSION.as_bytes()).map_or(std::ptr::null(), CStr::as_ptr)
}

/// The ABI of the library that is loaded; works with headers whose NOMYO_ABI_VERSION is the same.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub extern "C" fn nomyo_abi_version() -> u32 {
    NOMYO_ABI_VERSION
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headers_version_is_the_packages() {
        let header = format!("{NOMYO_VERSION_MAJOR}.{NOMYO_VERSION_MINOR}.{NOMYO_VERSION_PATCH}");
        assert_eq!(header, env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn the_abi_is_the_first_number_of_the_version() {
        assert_eq!(NOMYO_ABI_VERSION, NOMYO_VERSION_MAJOR);
    }
}
