//! Trust at first use: a file that remembers each server's key.
//!
//! One line for each server: its base URL, blanks, the fingerprint of its key. Empty lines and lines that begin with `#` are
//! the reader's own. The file is read as editors leave it: with or without a byte order mark, lines that end with LF, CRLF
//! or CR, any spelling of a URL. A line that cannot be read is an error, because the server in it would be unknown.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::ServerKey;
use crate::connection::BaseUrl;
use crate::crypto::Fingerprint;
use crate::error::{Error, Result, Status};
use crate::files::{Access, Folder, MAX_LEN, absolute, aside};
use crate::wait::Wait;

/// The step of a call in messages.
const READING: &str = "the file of known servers was read or written";

/// The memory of one server's key.
#[derive(Clone, Debug)]
pub(crate) struct KnownServers {
    folder: PathBuf,
    name: String,
    server: String,
}

impl KnownServers {
    /// The file at `path`, made absolute, about `server`. The file is not looked at yet. `Status::Argument` if the path names
    /// no file.
    pub(crate) fn new(path: &Path, server: &BaseUrl) -> Result<KnownServers> {
        // Windows resolves "..", so that the absolute path has a name.
        let has_name = path.file_name().is_some();
        let path = absolute(path, "known_servers")?;
        let name = path.file_name().and_then(|name| name.to_str()).filter(|_| has_name);
        let (Some(folder), Some(name)) = (path.parent(), name) else {
            return Err(Error::argument("known_servers must be the path of a file, with a name in UTF-8; give one"));
        };
        Ok(KnownServers { folder: folder.to_owned(), name: name.to_owned(), server: server.identity() })
    }

    /// `Status::Pin` if another key than `key` is remembered. Changes nothing.
    pub(crate) fn check(&self, key: &ServerKey, wait: &Wait) -> Result<()> {
        let (known, key) = (self.clone(), key.fingerprint());
        aside(wait, READING, move || {
            let folder = Folder::open_linked(&known.folder)?;
            known.compare(known.remembered(&folder)?.1, key).map(|_| ())
        })
    }

    /// As [`check`](KnownServers::check), and remembers `key` if none is remembered: it is about to be used. Costs nothing
    /// when repeated. Blocks on the lock file, but only if there is something to remember.
    pub(crate) fn admit(&self, key: &ServerKey, wait: &Wait) -> Result<()> {
        key.admit_once(|| {
            let (known, fingerprint, its_wait) = (self.clone(), key.fingerprint(), wait.clone());
            aside(wait, READING, move || known.compare_or_remember(fingerprint, &its_wait))
        })
    }

    fn compare_or_remember(&self, key: Fingerprint, wait: &Wait) -> Result<()> {
        let folder = Folder::open_linked(&self.folder)?;
        // The file is replaced by a rename, and so is whole without a lock.
        if self.compare(self.remembered(&folder)?.1, key)? {
            return Ok(());
        }
        let not_remembered = |error: Error| error.because("the server's key cannot be remembered, so it is not used");
        if folder.is_link(&self.name)? {
            let why = "is a link, and a new server is not added through it; name the file itself";
            return Err(not_remembered(Error::new(Status::Io, format!("{} {why}", self.shown()))));
        }
        let lock = folder.lock(|holder| wait.check(holder)).map_err(|error| match error.status() {
            Status::Io => not_remembered(error),
            _ => error,
        })?;
        let (mut text, known) = self.remembered(&folder)?;
        if self.compare(known, key)? {
            return Ok(());
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&format!("{} {key}\n", self.server));
        if text.len() > MAX_LEN {
            let why = "is full: with another line it would be larger than 64 KiB; remove lines that are not needed";
            return Err(not_remembered(Error::new(Status::Io, format!("{} {why}", self.shown()))));
        }
        // Nothing is written for a call that has ended.
        wait.check(READING)?;
        lock.stage(&self.name, text.as_bytes(), Access::Trusted)?;
        lock.commit(&self.name)?;
        lock.sync()
    }

    /// Whether `known` is `key`'s; false if there is none.
    fn compare(&self, known: Option<Fingerprint>, key: Fingerprint) -> Result<bool> {
        match known {
            None => Ok(false),
            Some(known) if known == key => Ok(true),
            Some(known) => Err(Error::new(
                Status::Pin,
                format!(
                    "the key of {} is not the one remembered in {}: it is {}, remembered is {known}. If \
                     the operator confirms the new key, remove that server's line from the file; otherwise somebody sits \
                     between this client and the server",
                    self.server,
                    self.shown(),
                    key
                ),
            )),
        }
    }

    /// The file's text, and the key that it remembers of the server.
    fn remembered(&self, folder: &Folder) -> Result<(String, Option<Fingerprint>)> {
        if !folder.has(&self.name)? {
            return Ok((String::new(), None));
        }
        let bytes = folder.read_linked(&self.name, Access::Trusted).map_err(|error| match error.status() {
            Status::Key => Error::new(Status::Pin, error.message().to_owned()),
            _ => error,
        })?;
        let text = std::str::from_utf8(&bytes).map_err(|e| {
            let line = lines(&String::from_utf8_lossy(&bytes[..e.valid_up_to()])).count().max(1);
            self.unusable(&format!("line {line} is not UTF-8; save the file as UTF-8"))
        })?;
        let (mut known, mut servers) = (None, HashSet::new());
        for (number, line) in (1..).zip(lines(text)) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (server, fingerprint) = line.split_once([' ', '\t']).ok_or_else(|| self.damaged(number))?;
            let server = BaseUrl::parse(server).map_err(|_| self.damaged(number))?.identity();
            let fingerprint = Fingerprint::parse(fingerprint.trim()).ok_or_else(|| self.damaged(number))?;
            if server == self.server {
                known = Some(fingerprint);
            }
            if !servers.insert(server) {
                return Err(self.unusable(&format!("line {number} is the second about one server; remove one")));
            }
        }
        Ok((text.to_owned(), known))
    }

    fn damaged(&self, line: usize) -> Error {
        self.unusable(&format!(
            "line {line} is not a URL (https://host) and a fingerprint (64 hexadecimal digits); correct it, or remove it"
        ))
    }

    fn unusable(&self, why: &str) -> Error {
        Error::new(Status::Pin, format!("{} cannot be used: {why}", self.shown()))
    }

    fn shown(&self) -> String {
        self.folder.join(&self.name).display().to_string()
    }
}

/// The lines of a text, however they end, without a byte order mark.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).flat_map(|line| line.split('\r'))
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
        KnownServers::new(file, &BaseUrl::parse("https://api.nomyo.ai").expect("a URL")).expect("a file's path")
    }

    #[test]
    fn the_first_key_is_remembered_when_it_is_used_and_another_is_refused_showing_both() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("known_servers");
        let (first, second) = (key("server_public.pem"), key("other_public.pem"));
        known(&file).check(&first, &Wait::patient()).expect("none is remembered");
        assert!(!file.exists());
        known(&file).admit(&first, &Wait::patient()).expect("remembered");
        assert_eq!(
            fs::read_to_string(&file).expect("a file"),
            format!("https://api.nomyo.ai {}\n", first.fingerprint())
        );
        assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
        known(&file).admit(&key("server_public.pem"), &Wait::patient()).expect("the same key");
        for error in [known(&file).check(&second, &Wait::patient()), known(&file).admit(&second, &Wait::patient())] {
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
        known(&file).admit(&key("server_public.pem"), &Wait::patient()).expect("remembered");
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
            let error = known(&file).admit(&key("server_public.pem"), &Wait::patient()).expect_err(text);
            assert_eq!(error.status(), Status::Pin);
            assert_eq!(fs::read_to_string(&file).expect("a file"), text);
        }
        assert_eq!(
            KnownServers::new(Path::new("/"), &BaseUrl::parse("https://x").expect("a URL"))
                .expect_err("no name")
                .status(),
            Status::Argument
        );
    }

    #[test]
    fn every_call_waits_for_the_lock_file_by_its_own_deadline_and_names_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let (file, key) = (dir.path().join("known_servers"), key("server_public.pem"));
        let locked = fs::File::create(dir.path().join(".nomyo.lock")).expect("a file");
        rustix::fs::flock(&locked, rustix::fs::FlockOperation::LockExclusive).expect("a lock");
        let cancel = crate::wait::Cancel::new();
        let call = |ms| {
            let wait = Wait::new(std::time::Duration::from_millis(ms), Some(&cancel));
            let begun = std::time::Instant::now();
            (known(&file).admit(&key, &wait).expect_err("locked"), begun.elapsed())
        };
        std::thread::scope(|scope| {
            let patient = scope.spawn(|| call(600_000));
            for hurried in [0; 3].map(|_| scope.spawn(|| call(100))) {
                let (error, time) = hurried.join().expect("no panic");
                assert_eq!(error.status(), Status::Timeout);
                assert!(error.message().contains(&format!("held the lock file {}/.nomyo.lock", dir.path().display())));
                assert!(time.as_secs() < 2, "{time:?}");
            }
            cancel.trigger();
            let (error, time) = patient.join().expect("no panic");
            assert_eq!(error.status(), Status::Cancelled);
            assert!(time.as_secs() < 5, "{time:?}");
        });
    }

    #[test]
    fn a_key_that_is_remembered_already_needs_no_lock() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("known_servers");
        known(&file).admit(&key("server_public.pem"), &Wait::patient()).expect("remembered");
        let locked = fs::File::open(dir.path().join(".nomyo.lock")).expect("a file");
        rustix::fs::flock(&locked, rustix::fs::FlockOperation::LockExclusive).expect("a lock");
        let short = Wait::new(std::time::Duration::from_millis(50), None);
        known(&file).admit(&key("server_public.pem"), &short).expect("the same key");
        assert_eq!(known(&file).admit(&key("other_public.pem"), &short).expect_err("another").status(), Status::Pin);
    }

    #[test]
    fn a_server_is_known_however_its_line_is_spelt() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("known_servers");
        let (right, wrong) = (key("server_public.pem"), key("other_public.pem"));
        let print = right.fingerprint();
        for text in [
            format!("https://api.nomyo.ai/ {print}\n"),
            format!("HTTPS://API.Nomyo.AI:0443 {print}"),
            format!("\u{feff}https://api.nomyo.ai\t {print} \n"),
            format!("# mine\rhttps://api.nomyo.ai {print}\r"),
            format!("# mine\r\n\r\n  https://api.nomyo.ai.  {print}\r\n"),
        ] {
            fs::write(&file, &text).expect("a file");
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("our file");
            known(&file).check(&right, &Wait::patient()).unwrap_or_else(|error| panic!("{text:?}: {error}"));
            assert_eq!(known(&file).check(&wrong, &Wait::patient()).expect_err(&text).status(), Status::Pin);
        }
        for (text, line) in [
            (format!("api.nomyo.ai {print}\n"), "line 1"),
            (format!("# mine\r\nhttps://a b {print}\r\n"), "line 2"),
            (format!("# mine\r\rhttps://[::1]x {print}"), "line 3"),
            (format!("https://x {print} {print}"), "line 1"),
        ] {
            fs::write(&file, &text).expect("a file");
            let error = known(&file).check(&right, &Wait::patient()).expect_err(&text);
            assert_eq!(error.status(), Status::Pin);
            assert!(error.message().contains(line), "{text:?}: {error}");
        }
        fs::write(&file, b"# a\n# b\n\xff\n").expect("a file");
        let error = known(&file).check(&right, &Wait::patient()).expect_err("not UTF-8");
        assert!(error.message().contains("line 3 is not UTF-8"), "{error}");
    }

    #[test]
    fn a_file_that_another_line_would_make_unreadable_is_left_as_it_is() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("known_servers");
        let full = format!("#{}\n", "x".repeat(MAX_LEN - 60));
        fs::write(&file, &full).expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("our file");
        let error = known(&file).admit(&key("server_public.pem"), &Wait::patient()).expect_err("full");
        assert_eq!(error.status(), Status::Io);
        assert!(error.message().contains("is full") && error.message().contains("not used"), "{error}");
        assert_eq!(fs::read_to_string(&file).expect("a file"), full);
    }
}
