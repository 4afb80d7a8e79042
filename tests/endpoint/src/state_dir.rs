//! The directory where the server key and the CA live: a lasting one, or a temporary one that is
//! removed at the end.
//!
//! A private file is 0600 from its first byte and appears whole or not at all. When two servers
//! start on one directory, the first to write a file wins and both use it.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir};

/// The directory; dropping it removes a temporary one.
pub(crate) struct StateDir {
    path: PathBuf,
    _temporary: Option<TempDir>,
}

impl StateDir {
    /// Opens `wanted`, made when missing, or a temporary directory.
    pub fn open(wanted: Option<&Path>) -> io::Result<StateDir> {
        match wanted {
            Some(path) => {
                private_directory().create(path)?;
                // Clients in other working directories are given paths into it.
                Ok(StateDir { path: path.canonicalize()?, _temporary: None })
            }
            None => {
                let temporary = TempDir::with_prefix("nomyo-endpoint-")?;
                Ok(StateDir { path: temporary.path().to_owned(), _temporary: Some(temporary) })
            }
        }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The private file `name`, made by `make` when it does not exist.
    pub fn private_file(&self, name: &str, make: impl FnOnce() -> io::Result<String>) -> io::Result<String> {
        let path = self.file(name);
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            read => return read,
        }
        let text = make()?;
        let mut file = NamedTempFile::new_in(&self.path)?;
        file.write_all(text.as_bytes())?;
        match file.persist_noclobber(&path) {
            Ok(_) => Ok(text),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => fs::read_to_string(&path),
            Err(error) => Err(error.error),
        }
    }
}

/// Writes a file that others may read, whole or not at all.
pub(crate) fn write_public(path: &Path, text: &str) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o644));
    }
    let mut file = builder.tempfile_in(parent)?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn private_directory() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_file_is_made_once_and_only_for_its_owner() {
        let parent = TempDir::new().expect("a temporary directory");
        let state = StateDir::open(Some(&parent.path().join("a/b"))).expect("made on the way");
        assert_eq!(state.private_file("key", || Ok("one".to_owned())).expect("written"), "one");
        assert_eq!(state.private_file("key", || Ok("two".to_owned())).expect("read"), "one");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(state.file("key")).expect("it exists").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_temporary_directory_goes_away() {
        let state = StateDir::open(None).expect("a temporary directory");
        let path = state.file("ca.pem");
        write_public(&path, "x").expect("written");
        drop(state);
        assert!(!path.exists());
    }
}
