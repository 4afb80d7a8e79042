//! Requests to Valgrind, so that Memcheck reports no false errors of this library in users' programs.
//!
//! Memcheck treats memory beyond the stack pointer as free. It would report the wiping of a stack after use as an error. A
//! request is a sequence of instructions without effect on a processor (Valgrind's manual, "The Client Request mechanism").

/// Tells Memcheck that `len` bytes at `start` may be written.
pub(super) fn allow_writing(start: *mut u8, len: usize) {
    /// VALGRIND_MAKE_MEM_UNDEFINED of memcheck.h.
    const REQUEST: usize = (b'M' as usize) << 24 | (b'C' as usize) << 16 | 1;
    request(&[REQUEST, start.addr(), len, 0, 0, 0]);
}

#[cfg(all(target_arch = "x86_64", target_os = "linux", not(miri)))]
fn request(arguments: &[usize; 6]) {
    // SAFETY: outside Valgrind rdi is rotated by 128 bits, which changes nothing; within, rdx receives the result, and the
    // arguments are read.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            inout("rdx") 0_usize => _,
            in("rax") arguments.as_ptr(),
            options(nostack),
        );
    }
}

#[cfg(all(target_arch = "aarch64", target_os = "linux", not(miri)))]
fn request(arguments: &[usize; 6]) {
    // SAFETY: outside Valgrind x12 is rotated by 128 bits, which changes nothing; within, x3 receives the result, and the
    // arguments are read.
    unsafe {
        std::arch::asm!(
            "ror x12, x12, #3",
            "ror x12, x12, #13",
            "ror x12, x12, #51",
            "ror x12, x12, #61",
            "orr x10, x10, x10",
            inout("x3") 0_usize => _,
            in("x4") arguments.as_ptr(),
            options(nostack),
        );
    }
}

/// There is no Valgrind for this target.
#[cfg(not(all(any(target_arch = "x86_64", target_arch = "aarch64"), target_os = "linux", not(miri))))]
fn request(_: &[usize; 6]) {}
