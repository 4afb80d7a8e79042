//! What crypto leaves on the stack.

use std::hint::black_box;
use std::mem::MaybeUninit;
use std::ptr::write_volatile;

use super::registers::clear_registers;

/// How deep operations reach, in bytes, rounded up: measured at 8 KiB for AWS-LC, 27 KiB for key files without
/// optimisation (7 KiB with it) and 86 KiB for RSA in pure Rust, and held by tests in `crypto` and `keys`.
pub(crate) const SCRUBBED: usize = if cfg!(feature = "aws-lc") { 32 * 1024 } else { 96 * 1024 };

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

/// How deep below its entry `body` reaches into the stack, in bytes, and what is left of `secret` there afterwards.
#[cfg(all(test, target_os = "linux"))]
pub(crate) fn stack_after(body: fn(), secret: &[u8]) -> (usize, usize) {
    const SIZE: usize = 1024 * 1024;
    const PAINT: u8 = 0xd7;

    extern "C" fn enter(body: *mut libc::c_void) -> *mut libc::c_void {
        // SAFETY: the address of the function that was passed in, below.
        let body: fn() = unsafe { std::mem::transmute(body) };
        body();
        std::ptr::null_mut()
    }

    let layout = std::alloc::Layout::from_size_align(SIZE, 4096).expect("a layout");
    // SAFETY: a thread runs on memory of ours, which outlives it: it is joined before the memory is read and freed.
    unsafe {
        let stack = std::alloc::alloc(layout);
        stack.write_bytes(PAINT, SIZE);
        let (mut attributes, mut thread) = (std::mem::zeroed(), std::mem::zeroed());
        assert_eq!(libc::pthread_attr_init(&raw mut attributes), 0);
        assert_eq!(libc::pthread_attr_setstack(&raw mut attributes, stack.cast(), SIZE), 0);
        assert_eq!(libc::pthread_create(&raw mut thread, &raw const attributes, enter, body as *mut libc::c_void), 0);
        assert_eq!(libc::pthread_join(thread, std::ptr::null_mut()), 0);
        libc::pthread_attr_destroy(&raw mut attributes);
        let bytes = std::slice::from_raw_parts(stack, SIZE);
        let depth = SIZE - bytes.iter().position(|&byte| byte != PAINT).unwrap_or(SIZE);
        let copies = bytes.windows(secret.len()).filter(|window| *window == secret).count();
        std::alloc::dealloc(stack, layout);
        (depth, copies)
    }
}
