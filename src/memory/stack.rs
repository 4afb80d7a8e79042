//! What crypto leaves on the stack.

use std::hint::black_box;
use std::mem::MaybeUninit;
use std::ptr::write_volatile;

use super::registers::clear_registers;

/// How deep the provider's operations reach, in bytes, rounded up: measured at 8 KiB for AWS-LC and 86 KiB in pure Rust,
/// and held by a test in `crypto`.
pub(crate) const SCRUBBED: usize = if cfg!(feature = "aws-lc") { 16 * 1024 } else { 96 * 1024 };

/// Runs `body` and then overwrites the stack and the vector registers that it used.
#[inline(never)]
pub(crate) fn scrubbed<T>(body: impl FnOnce() -> T) -> T {
    let outcome = run(body);
    scrub();
    clear_registers();
    outcome
}

/// A frame of its own, so that everything of `body` lies below the caller's frame.
#[inline(never)]
fn run<T>(body: impl FnOnce() -> T) -> T {
    black_box(body())
}

/// Overwrites what lay where its own frame is now.
#[inline(never)]
fn scrub() {
    let mut below = [MaybeUninit::<u64>::uninit(); SCRUBBED / 8];
    for word in &mut below {
        // SAFETY: a live local; volatile, so that it is written although nobody reads it.
        unsafe { write_volatile(word, MaybeUninit::new(0)) };
    }
    black_box(&mut below);
}
