//! Unix: descriptors of folders, modes and owners.

mod access;
mod change;
mod folder;
mod link;

pub(in crate::files) use change::Held;
pub(crate) use folder::Folder;
pub(in crate::files) use folder::mark;
