//! Trust at first use: a file that remembers each server's key.
//!
//! One line for each server: its base URL, a space, the fingerprint of its key in hexadecimal. Empty lines and lines that
//! begin with `#` are the reader's own. Written whole, for its owner alone.

use std::path::{Path, PathBuf};

use super::folder::{Access, Folder};
use super::key_directory::StillWanted;
use super::{Fingerprint, ServerKey};
use crate::error::{Error, Result, Status};

/// The memory of one server's key.
#[derive(Debug)]
pub(crate) struct KnownServers {
    folder: PathBuf,
    name: String,
    server: String,
}

impl KnownServers {
    /// The file at `path`, about the server whose base URL is `server`; nothing is looked at yet. `Status::Argument` when
    /// the path names no file.
    pub(crate) fn new(path: &Path, server: &str) -> Result<KnownServers> {
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
            Error::argument("known_servers must be the path of a file, with a name in UTF-8; give one")
        })?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(KnownServers { folder: folder.to_owned(), name: name.to_owned(), server: server.to_owned() })
    }

    /// `Status::Pin` when another key than `key` is remembered. Changes nothing.
    pub(crate) fn check(&self, key: &ServerKey) -> Result<()> {
        let folder = Folder::open_linked(&self.folder)?;
        self.compare(self.remembered(&folder)?.1, key).map(|_| ())
    }

    /// As [`check`](KnownServers::check), and remembers `key` when none is: it is about to be used. Costs nothing when
    /// repeated.
    pub(crate) fn admit(&self, key: &ServerKey, still_wanted: StillWanted<'_>) -> Result<()> {
        key.admit_once(|| self.compare_or_remember(key, still_wanted))
    }

    fn compare_or_remember(&self, key: &ServerKey, still_wanted: StillWanted<'_>) -> Result<()> {
        let folder = Folder::open_linked(&self.folder)?;
        let lock = folder.lock(still_wanted)?;
        let (mut text, known) = self.remembered(&folder)?;
        if self.compare(known, key)? {
            return Ok(());
        }
        if lock.is_none() {
            return Err(Error::new(
                Status::Io,
                format!(
                    "{} cannot be written to, so the server's key cannot be remembered; nothing was sent",
                    self.shown()
                ),
            ));
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&format!("{} {}\n", self.server, key.fingerprint()));
        folder.stage(&self.name, text.as_bytes(), Access::Trusted)?;
        folder.commit(&self.name)?;
        folder.sync()
    }

    /// Whether `known` is `key`'s; false when there is none.
    fn compare(&self, known: Option<Fingerprint>, key: &ServerKey) -> Result<bool> {
        match known {
            None => Ok(false),
            Some(known) if known == key.fingerprint() => Ok(true),
            Some(known) => Err(Error::new(
                Status::Pin,
                format!(
                    "the key of {} is not the one remembered in {}: it is {}, remembered is {known}; nothing was sent. If \
                     the operator confirms the new key, remove that server's line from the file; otherwise somebody sits \
                     between this client and the server",
                    self.server,
                    self.shown(),
                    key.fingerprint()
                ),
            )),
        }
    }

    /// The file's text, and what it remembers of the server.
    fn remembered(&self, folder: &Folder) -> Result<(String, Option<Fingerprint>)> {
        if !folder.has(&self.name)? {
            return Ok((String::new(), None));
        }
        let bytes = folder.read(&self.name, Access::Trusted)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| self.damaged(0))?;
        let mut known = None;
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (server, fingerprint) = line.split_once(' ').ok_or_else(|| self.damaged(number))?;
            let fingerprint = Fingerprint::parse(fingerprint.trim()).ok_or_else(|| self.damaged(number))?;
            if server == self.server && known.replace(fingerprint).is_some() {
                return Err(self.unusable(&format!("line {number} is the second about {server}; remove one")));
            }
        }
        Ok((text.to_owned(), known))
    }

    fn damaged(&self, line: usize) -> Error {
        self.unusable(&format!("line {line} is not a URL and a fingerprint; correct it, or remove it"))
    }

    fn unusable(&self, why: &str) -> Error {
        Error::new(Status::Pin, format!("{} cannot be used: {why}; nothing was sent", self.shown()))
    }

    fn shown(&self) -> String {
        self.folder.join(&self.name).display().to_string()
    }
}
