//! Compares the cost of a block of the vault with one of the system's allocator: 1 and 16 threads, 16 to 4096 bytes.
//!
//! Prints one JSON line; `run.py` runs it among the others.

use std::alloc::{GlobalAlloc, Layout, System};
use std::time::Instant;

// Links the library, whose global allocator is the vault.
use nomyo as _;

const ROUNDS: usize = 5;
const BLOCKS: usize = 100_000;
const HELD: usize = 64;

struct Vault;

// SAFETY: passes on to the global allocator, which keeps the contract.
unsafe impl GlobalAlloc for Vault {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's layout.
        unsafe { std::alloc::alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's block and layout.
        unsafe { std::alloc::dealloc(block, layout) };
    }
}

/// Nanoseconds for one allocation and its release, with `threads` at it at once.
fn cost(allocator: &(impl GlobalAlloc + Sync), threads: usize) -> f64 {
    let start = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                let mut held = [(std::ptr::null_mut::<u8>(), Layout::new::<u8>()); HELD];
                for i in 0..BLOCKS + HELD {
                    let (old, layout) = held[i % HELD];
                    if !old.is_null() {
                        // SAFETY: allocated below with this layout, and released once.
                        unsafe { allocator.dealloc(old, layout) };
                    }
                    let size = 16 + (thread * 7919 + i * 104_729) % 4081;
                    let layout = Layout::from_size_align(size, 8).expect("a layout");
                    let block = if i < BLOCKS {
                        // SAFETY: the size is not zero.
                        unsafe { allocator.alloc(layout) }
                    } else {
                        std::ptr::null_mut()
                    };
                    held[i % HELD] = (block, layout);
                }
            });
        }
    });
    start.elapsed().as_secs_f64() * 1e9 / (threads * BLOCKS) as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let mut fields = Vec::new();
    for threads in [1, 16] {
        let (mut vault, mut system) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            vault.push(cost(&Vault, threads));
            system.push(cost(&System, threads));
        }
        fields.push(format!(
            "\"vault_{threads}_ns\": {:.0}, \"system_{threads}_ns\": {:.0}",
            median(vault),
            median(system)
        ));
    }
    println!("{{{}}}", fields.join(", "));
}
