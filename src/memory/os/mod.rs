//! The vault's calls to the operating system: one file per system, and one for the calls that POSIX defines.
//!
//! Each function returns the system's real answer. No function here knows the purpose of the memory.

#[cfg(windows)]
mod error_reports;
#[cfg(all(target_os = "linux", not(miri)))]
mod linux;
#[cfg(all(target_os = "macos", not(miri)))]
mod macos;
#[cfg(all(target_os = "macos", debug_assertions, not(miri)))]
mod macos_environment;
#[cfg(all(target_os = "macos", not(miri)))]
mod macos_wait;
#[cfg(miri)]
mod miri;
#[cfg(all(target_os = "linux", not(miri)))]
mod proc;
#[cfg(all(unix, not(miri)))]
mod unix;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
mod working_set;

#[cfg(all(target_os = "linux", not(miri)))]
pub use linux::*;
#[cfg(all(target_os = "macos", not(miri)))]
pub use macos::*;
#[cfg(miri)]
pub use miri::*;
#[cfg(all(unix, not(miri)))]
pub(crate) use unix::*;
#[cfg(windows)]
pub use windows::*;
