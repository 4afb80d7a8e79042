//! Key files and the file of known servers: how they are read, judged and replaced.
//!
//! Promises: the checked file is the file that is used, because each step works in the folder that was opened. A file, its
//! folder and the links that lead to it belong to the effective user or to root. A private file is never readable by others,
//! also on a file system that ignores modes. A file is whole at every instant, because it is written to a temporary file,
//! synchronised and renamed. One process at a time changes a folder. A read takes no lock.

mod access;
mod aside;
mod folder;
mod lock;
mod mark;
mod os;
mod path;

pub(crate) use access::Access;
pub(crate) use aside::aside;
pub(crate) use folder::MAX_LEN;
pub(crate) use lock::{Lock, staged};
pub(crate) use mark::Mark;
pub(crate) use os::Folder;
pub(crate) use path::absolute;

use std::path::Path;

use crate::error::{Error, Result, Status};
use crate::memory::SecretBuf;

/// Reads the file at `path`. Follows a link in its place if nobody else could have put it there.
pub(crate) fn read(path: &Path, access: Access) -> Result<SecretBuf> {
    let (folder, name) = path::split(path)
        .ok_or_else(|| unsafe_file(path, "it does not name a file; give the path of a file with a name in UTF-8"))?;
    let opened = Folder::open_to_read(folder);
    let missing = |error| if matches!(folder.try_exists(), Ok(false)) { not_there(path) } else { error };
    opened.map_err(missing)?.read_linked(name, access)
}

/// The mark of the file that `path` leads to.
pub(crate) fn mark(path: &Path) -> Result<Mark> {
    os::mark(path)
}

/// Refuses the file or the folder at `path`; `why` is half a sentence that ends in what to do.
fn unsafe_file(path: &Path, why: &str) -> Error {
    Error::new(Status::Key, format!("{} cannot be used: {why}", path.display()))
}

/// There is no file at `path`.
fn not_there(path: &Path) -> Error {
    Error::new(Status::Key, format!("{} is not there; check the path", path.display()))
}

/// A failed system call.
fn io(what: &str, path: &Path, error: impl Into<std::io::Error>) -> Error {
    let why = error.into().kind();
    Error::new(Status::Io, format!("{} {what}: {why}", path.display()))
}
