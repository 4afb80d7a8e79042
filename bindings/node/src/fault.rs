//! A mistake on purpose, in builds with AddressSanitizer and in no other: the tests see by it that the sanitizer is on.

use std::alloc::{GlobalAlloc, Layout, System};

use napi_derive::napi;

/// Reads the byte at `index` of 8 that the system's allocator gave.
#[napi]
pub fn read_out_of_bounds(index: u32) -> u8 {
    let layout = Layout::new::<u64>();
    // SAFETY: none where `index` is 8 or more, which is the purpose: the sanitizer ends the process.
    unsafe {
        let bytes = System.alloc_zeroed(layout);
        let byte = bytes.add(index as usize).read_volatile();
        System.dealloc(bytes, layout);
        byte
    }
}
