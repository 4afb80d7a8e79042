//! The names by which AWS-LC looks for an allocator, bound to the vault.
//!
//! AWS-LC refers weakly to four functions and takes its memory from them if the process defines them. A host with hooks of
//! its own, for BoringSSL or for its own AWS-LC, would receive every private key. The definitions here are hidden. Therefore the
//! references inside the library resolve to the vault, and no other library of the process finds the definitions. The
//! definitions are weak, because a program that links the archive that cargo builds may define the names too.
//! [`super::c_heap`] then reports that.

#[cfg(all(not(nomyo_system_allocator), target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod bound {
    use std::ffi::c_void;
    use std::ptr::null;

    use super::super::c_heap::{c_free, c_malloc, c_realloc, c_size};

    extern "C" fn alloc(size: usize) -> *mut c_void {
        c_malloc(size, null(), 0)
    }

    unsafe extern "C" fn free(block: *mut c_void) {
        // SAFETY: AWS-LC passes only blocks from `alloc` or `realloc`.
        unsafe { c_free(block, null(), 0) };
    }

    unsafe extern "C" fn get_size(block: *mut c_void) -> usize {
        // SAFETY: as above.
        unsafe { c_size(block) }
    }

    unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
        // SAFETY: as above.
        unsafe { c_realloc(block, size, null(), 0) }
    }

    /// Defines a hidden function that only jumps. Rust has no hidden functions: rustc exports each one that has a C name.
    macro_rules! hidden {
        ($name:literal, $to:path) => {
            std::arch::global_asm!(
                concat!(".pushsection .text.", $name, ",\"ax\",%progbits"),
                concat!(".weak ", $name),
                concat!(".hidden ", $name),
                concat!(".type ", $name, ",%function"),
                concat!($name, ":"),
                #[cfg(target_arch = "x86_64")]
                "jmp {to}",
                #[cfg(target_arch = "aarch64")]
                "b {to}",
                concat!(".size ", $name, ", . - ", $name),
                ".popsection",
                to = sym $to,
            );
        };
    }
    hidden!("OPENSSL_memory_alloc", alloc);
    hidden!("OPENSSL_memory_free", free);
    hidden!("OPENSSL_memory_get_size", get_size);
    hidden!("OPENSSL_memory_realloc", realloc);

    /// Refers to one definition, so that a linker takes all of them out of an archive. A weak reference, such as AWS-LC's, does
    /// not take an object out of an archive.
    pub(crate) fn bind_c_names() -> bool {
        unsafe extern "C" {
            fn OPENSSL_memory_alloc(size: usize) -> *mut c_void;
        }
        std::hint::black_box(OPENSSL_memory_alloc as *const ());
        true
    }
}

/// Systems without hidden weak functions.
#[cfg(not(all(
    not(nomyo_system_allocator),
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
mod bound {
    pub(crate) fn bind_c_names() -> bool {
        false
    }
}

/// Whether the names are bound. If not, AWS-LC must be given the vault's functions.
pub(crate) use bound::bind_c_names;
