//! Another Rust static library, as a program may have beside libnomyo.a.

use std::sync::Mutex;

static KEPT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// Allocates `kib` blocks of 1 KiB and keeps them.
#[unsafe(no_mangle)]
pub extern "C" fn other_keeps(kib: usize) {
    if let Ok(mut kept) = KEPT.lock() {
        kept.extend((0..kib).map(|i| vec![i.to_le_bytes()[0]; 1024]));
    }
}

/// Panics and catches the panic. Returns -7.
#[unsafe(no_mangle)]
pub extern "C" fn other_panics() -> i32 {
    std::panic::set_hook(Box::new(|_| {}));
    std::panic::catch_unwind(|| -> i32 { panic!("other") }).unwrap_or(-7)
}
