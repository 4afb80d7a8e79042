//! The network calls in which operating systems differ: one folder per system.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
pub(super) use linux::*;
