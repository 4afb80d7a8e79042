//! The vault's calls to the operating system: one file per system.
//!
//! Each function returns the system's real answer. No function here knows the purpose of the memory.

#[cfg(windows)]
mod error_reports;
#[cfg(all(target_os = "linux", not(miri)))]
mod linux;
#[cfg(miri)]
mod miri;
#[cfg(all(target_os = "linux", not(miri)))]
mod proc;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
mod working_set;

#[cfg(all(target_os = "linux", not(miri)))]
pub use linux::*;
#[cfg(miri)]
pub use miri::*;
#[cfg(windows)]
pub use windows::*;
