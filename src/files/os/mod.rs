//! Folders, files and their owners as each operating system has them: one folder per system.
//!
//! A system defines [`Folder`] with its ways to open, look at and change files, the mark of a path, and [`Held`], a lock file
//! that is held. Each of its errors says what to do with the commands of that system.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::Folder;
#[cfg(unix)]
pub(in crate::files) use unix::{Held, mark};
#[cfg(windows)]
pub(crate) use windows::Folder;
#[cfg(windows)]
pub(in crate::files) use windows::{Held, mark};
