//! Reading the files of a folder that is held open.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::{Access, Folder, io, unsafe_file};
use crate::error::Result;
use crate::memory::SecretBuf;

/// The largest file that is read, in bytes.
pub(crate) const MAX_LEN: usize = 64 * 1024;

impl Folder {
    /// The file `name`, whole. A symbolic link is refused.
    pub(crate) fn read(&self, name: &str, access: Access) -> Result<SecretBuf> {
        whole(self.open_file(name, access)?, &self.path_of(name))
    }

    /// The file that `name` is or leads to, whole.
    pub(crate) fn read_linked(&self, name: &str, access: Access) -> Result<SecretBuf> {
        if !self.is_link(name)? {
            return self.read(name, access);
        }
        let (file, path) = self.open_linked_file(name, access)?;
        whole(file, &path)
    }
}

fn whole(mut file: File, shown: &Path) -> Result<SecretBuf> {
    let mut bytes = SecretBuf::zeroed(MAX_LEN + 1, 0)?;
    let len = fill(&mut file, &mut bytes).map_err(|e| io("could not be read", shown, e))?;
    if len > MAX_LEN {
        return Err(unsafe_file(shown, "it is larger than 64 KiB; give the right file"));
    }
    bytes.truncate(len);
    Ok(bytes)
}

/// Reads until `buffer` is full or the file ends.
fn fill(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut len = 0;
    while len < buffer.len() {
        match file.read(&mut buffer[len..]) {
            Ok(0) => break,
            Ok(n) => len += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(len)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::error::Status;
    use crate::files::read;

    #[test]
    fn a_file_of_more_than_64_kib_is_refused() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), vec![b'x'; MAX_LEN]).expect("our file");
        assert_eq!(read(file.path(), Access::Public).expect("small enough").len(), MAX_LEN);
        fs::write(file.path(), vec![b'x'; MAX_LEN + 1]).expect("our file");
        let error = read(file.path(), Access::Public).expect_err("too large");
        assert_eq!(error.status(), Status::Key);
        assert!(error.message().contains("larger than 64 KiB"), "{error}");
    }
}
