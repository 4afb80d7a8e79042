//! The ready file: how a script learns that the server listens, and where.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::state_dir::write_public;

/// The content of the file.
#[derive(Serialize)]
pub(crate) struct Ready<'a> {
    pub base_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plain_base_url: Option<&'a str>,
    pub ca_file: &'a Path,
    pub key_fingerprint: &'a str,
    pub pid: u32,
}

/// The file; removed when the server stops, so that nobody takes an old one for a live server.
pub(crate) struct ReadyFile(PathBuf);

impl ReadyFile {
    /// Takes the place: removes what an earlier server left there.
    pub fn claim(path: &Path) -> io::Result<ReadyFile> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(ReadyFile(path.to_owned())),
        }
    }

    /// Writes it, whole or not at all.
    pub fn write(&self, ready: &Ready<'_>) -> io::Result<()> {
        write_public(&self.0, &serde_json::to_string(ready)?)
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        // It may have been taken away already, which is what is wanted.
        let _ = std::fs::remove_file(&self.0);
    }
}
