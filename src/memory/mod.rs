//! The vault: every byte the library allocates.
//!
//! Promises: every allocation, of Rust (feature `capi`) and of AWS-LC (but for the few hundred bytes that each thread's
//! error queue takes, and which hold no secret), is in regions of our own, between guard pages,
//! locked as the [`Policy`] asks and the system allows, excluded from core dumps, and wiped before it is reused or
//! given back. Prompts, answers, keys and passwords proper are in a [`SecretBuf`] or in what the crypto provider
//! allocates inside a [`key_scope`]: regions that also read as zeros in a forked child. A `SecretBuf` moves by borrow,
//! never grows (so no stale copy is left behind) and prints nothing of itself. [`MemoryInfo`] tells what is in force,
//! from what the system calls returned.
//!
//! Does not promise: anything about the caller's own copies, the kernel's buffers, or a debugger.

mod arena;
mod block;
#[cfg(all(feature = "capi", feature = "aws-lc"))]
mod c_heap;
mod fork;
#[cfg(feature = "capi")]
mod guarded;
mod heap;
mod info;
mod lock;
#[cfg(feature = "capi")]
mod pages;
mod policy;
mod process;
mod region;
mod registers;
mod secret;
mod stack;
mod system;
mod wire;

#[cfg(all(feature = "capi", feature = "aws-lc"))]
pub(crate) use c_heap::{c_free, c_malloc, c_realloc};
pub(crate) use fork::settle;
#[cfg(feature = "capi")]
pub use guarded::{alloc_guarded, free_guarded, retire_guarded};
#[cfg(feature = "capi")]
pub(crate) use heap::Vault;
pub(crate) use heap::key_scope;
pub use info::{MemoryInfo, MemoryLevel};
#[cfg(feature = "capi")]
pub use pages::{lock_pages, unlock_pages};
pub use policy::Policy;
pub(crate) use policy::{Vote, enforce};
pub(crate) use process::{OwnProcess, Process};
#[cfg(feature = "capi")]
pub(crate) use registers::clear_registers;
pub(crate) use secret::SecretBuf;
pub(crate) use stack::scrubbed;
#[cfg(all(test, target_os = "linux"))]
pub(crate) use stack::{SCRUBBED, stack_after};
#[cfg(feature = "capi")]
pub use system::wipe;
pub(crate) use wire::WireBuf;
