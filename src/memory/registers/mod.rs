//! Clearing of the vector registers, which hold remains of crypto and of copying.
//!
//! A register's old value disappears when the register is next written. Until then, the dynamic linker (at a function's first
//! call) and the kernel (for a signal) may save all registers on the caller's stack, which is neither locked nor ours.
//!
//! A register that belongs to the caller is left as it is: a function that uses it restores it before it returns. There is one
//! file per calling convention.

#[cfg_attr(all(target_arch = "aarch64", not(miri)), path = "aarch64.rs")]
#[cfg_attr(all(target_arch = "x86_64", unix, not(miri)), path = "x86_64_unix.rs")]
#[cfg_attr(all(target_arch = "x86_64", windows, not(miri)), path = "x86_64_windows.rs")]
#[cfg_attr(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))), path = "unknown.rs")]
mod convention;

pub(crate) use convention::clear_registers;
