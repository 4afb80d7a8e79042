//! Paths as the caller gave them.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result, Status};

/// `path`, independent of later changes of the current directory. `what` names the setting in errors.
///
/// # Errors
/// - [`Status::Argument`]: the path is empty.
/// - [`Status::Io`]: the path is relative and there is no current directory.
pub(crate) fn absolute(path: &Path, what: &str) -> Result<PathBuf> {
    if path.as_os_str().is_empty() {
        return Err(Error::argument(format!("{what} is an empty path; give the path")));
    }
    std::path::absolute(path).map_err(|e| {
        let why = e.kind();
        Error::new(
            Status::Io,
            format!("{what} is relative and the current directory cannot be read: {why}; give an absolute path"),
        )
    })
}

/// The folder and the name of a file. None if the path names no file, or its name is not UTF-8.
pub(super) fn split(path: &Path) -> Option<(&Path, &str)> {
    let name = path.file_name()?.to_str()?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some((folder, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_absolute_and_an_empty_one_is_refused() {
        let here = std::env::current_dir().expect("a current directory");
        assert_eq!(absolute(Path::new("a/b"), "key_dir").expect("a path"), here.join("a/b"));
        assert_eq!(absolute(Path::new("/a/b"), "key_dir").expect("a path"), Path::new("/a/b"));
        let error = absolute(Path::new(""), "key_dir").expect_err("empty");
        assert_eq!(error.status(), Status::Argument);
        assert!(error.message().contains("key_dir is an empty path"), "{error}");
    }

    #[test]
    fn a_path_is_a_folder_and_a_name() {
        assert_eq!(split(Path::new("a")), Some((Path::new("."), "a")));
        assert_eq!(split(Path::new("/a/b")), Some((Path::new("/a"), "b")));
        for none in ["/", "..", "a/..", ""] {
            assert_eq!(split(Path::new(none)), None, "{none}");
        }
    }
}
