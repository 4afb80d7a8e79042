//! The vault: every byte the library allocates.
//!
//! Promises: with feature `capi`, every allocation of Rust and of AWS-LC is in regions of our own, between guard pages, locked
//! as the [`MemoryPolicy`] asks and the system allows, excluded from core dumps, and wiped before it is reused or given back. The
//! exception is a small part of AWS-LC that calls malloc() itself: each thread's error queue and table of pointers. They hold no
//! secret. Prompts, answers, keys and passwords are in a [`SecretBuf`], or are allocated by the crypto provider inside a
//! [`key_scope`]. Their regions also read as zeros in a forked child. A `SecretBuf` moves by borrow, never grows (so no stale
//! copy is left behind) and prints nothing of itself. [`MemoryInfo`] reports the protection in force, from the results of the
//! system calls.
//!
//! Does not promise: anything about the caller's own copies, the kernel's buffers, or a debugger.

mod arena;
mod block;
#[cfg(all(feature = "capi", feature = "aws-lc"))]
mod c_heap;
#[cfg(all(feature = "capi", feature = "aws-lc"))]
mod c_names;
mod fork;
pub(crate) mod fork_gate;
#[cfg(feature = "capi")]
mod guarded;
mod heap;
mod idle_stacks;
mod mutex;
mod os;
#[cfg(feature = "capi")]
mod page_counts;
#[cfg(feature = "capi")]
mod pages;
mod policy;
mod process;
mod refusal;
mod region;
mod registers;
mod report;
mod scope;
mod secret;
mod stack;
mod valgrind;
mod vote;
mod wire;

#[cfg(all(feature = "capi", feature = "aws-lc"))]
pub(crate) use c_heap::{c_free, c_malloc, c_realloc, judge_c_allocator};
#[cfg(all(feature = "capi", feature = "aws-lc"))]
pub(crate) use c_names::bind_c_names;
pub(crate) use fork::{settle, watch as watch_forks};
#[cfg(feature = "capi")]
pub use guarded::{alloc_guarded, free_guarded, retire_guarded};
#[cfg(feature = "capi")]
pub(crate) use heap::Vault;
pub(crate) use heap::key_scope;
pub(crate) use os::Signals;
#[cfg(all(debug_assertions, not(miri)))]
pub(crate) use os::variable_at_start;
#[cfg(feature = "capi")]
pub use os::wipe;
#[cfg(feature = "capi")]
pub use pages::{lock_pages, unlock_pages};
pub use policy::MemoryPolicy;
pub(crate) use process::OwnProcess;
pub(crate) use refusal::{enforce, enforce_within, keys_outside, refusals};
pub use report::{MemoryInfo, MemoryLevel};
#[cfg(all(test, not(miri)))]
pub(crate) use scope::tests::left_on_the_stack;
#[cfg(feature = "capi")]
pub(crate) use scope::undisturbed;
pub(crate) use scope::{deliver_signals, inside, outside};
pub(crate) use secret::SecretBuf;
#[cfg(all(test, not(miri)))]
pub(crate) use stack::{SIZE as STACK_SIZE, tests::depth_of};
pub(crate) use vote::Vote;
pub(crate) use wire::WireBuf;
