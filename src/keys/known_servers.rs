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
        let lock = lock.ok_or_else(|| {
            let why = "cannot be written to, so the server's key cannot be remembered; nothing was sent";
            Error::new(Status::Io, format!("{} {why}", self.shown()))
        })?;
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&format!("{} {}\n", self.server, key.fingerprint()));
        lock.stage(&self.name, text.as_bytes(), Access::Trusted)?;
        lock.commit(&self.name)?;
        lock.sync()
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn key(name: &str) -> ServerKey {
        let path = format!("{}/tests/fixtures/protocol/keys/{name}", env!("CARGO_MANIFEST_DIR"));
        ServerKey::from_pem(&fs::read(path).expect("a fixture")).expect("a good key")
    }

    fn known(file: &Path) -> KnownServers {
        KnownServers::new(file, "https://api.nomyo.ai").expect("a file's path")
    }

    fn patient() -> Result<()> {
        Ok(())
    }

    #[test]
    fn the_first_key_is_remembered_when_it_is_used_and_another_is_refused_showing_both() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("known_servers");
        let (first, second) = (key("server_public.pem"), key("other_public.pem"));
        known(&file).check(&first).expect("none is remembered");
        assert!(!file.exists());
        known(&file).admit(&first, &patient).expect("remembered");
        assert_eq!(
            fs::read_to_string(&file).expect("a file"),
            format!("https://api.nomyo.ai {}\n", first.fingerprint())
        );
        assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
        known(&file).admit(&key("server_public.pem"), &patient).expect("the same key");
        for error in [known(&file).check(&second), known(&file).admit(&second, &patient)] {
            let error = error.expect_err("another key");
            assert_eq!(error.status(), Status::Pin);
            let both = [first.fingerprint(), second.fingerprint()].map(|f| error.message().contains(&f.to_string()));
            assert_eq!(both, [true, true], "{error}");
        }
    }

    #[test]
    fn other_servers_and_comments_stay_as_they_are() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("known_servers");
        let before = format!("# mine\n\nhttps://other.example {}", "0".repeat(64));
        fs::write(&file, &before).expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("our file");
        known(&file).admit(&key("server_public.pem"), &patient).expect("remembered");
        let after = fs::read_to_string(&file).expect("a file");
        assert!(after.starts_with(&format!("{before}\nhttps://api.nomyo.ai ")), "{after}");
    }

    #[test]
    fn a_file_that_is_damaged_or_says_two_things_admits_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("known_servers");
        let good = format!("https://api.nomyo.ai {}\n", key("server_public.pem").fingerprint());
        for text in ["garbage", "https://api.nomyo.ai", "https://api.nomyo.ai 00", &format!("{good}{good}")] {
            fs::write(&file, text).expect("a file");
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("our file");
            let error = known(&file).admit(&key("server_public.pem"), &patient).expect_err(text);
            assert_eq!(error.status(), Status::Pin);
            assert_eq!(fs::read_to_string(&file).expect("a file"), text);
        }
        assert_eq!(KnownServers::new(Path::new("/"), "x").expect_err("no name").status(), Status::Argument);
    }
}
