//! Symbolic links in a file's place.
//!
//! A link is followed if nobody but root and the effective user could have set it up: each link, each folder that it leads
//! through and the file belong to one of them, and no one else may write to those folders. A volume of mounted secrets is
//! such a chain of links.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, FileType};
use rustix::io::Errno;

use super::access::judge_owner;
use super::folder::{Folder, open_file};
use crate::error::Result;
use crate::files::{io, not_there, unsafe_file};

/// The most links on the way to one file, as in Linux.
const MAX_LINKS: usize = 40;

/// Opens the file that the link `name` in `folder` leads to. Returns its descriptor and its path.
pub(super) fn open(folder: &Folder, name: &str) -> Result<(OwnedFd, PathBuf)> {
    let shown = folder.path_of(name);
    let mut place: Option<Folder> = None;
    let mut rest = VecDeque::from([OsString::from(name)]);
    let mut links = 0;
    while let Some(part) = rest.pop_front() {
        let here = place.as_ref().unwrap_or(folder);
        let path = here.path_of(&part);
        let stat = rustix::fs::statat(here, &part, AtFlags::SYMLINK_NOFOLLOW).map_err(|e| match e {
            Errno::NOENT if links > 0 => {
                unsafe_file(&shown, &format!("it is a link, and {} is not there; correct the link", path.display()))
            }
            Errno::NOENT => not_there(&path),
            e => io("could not be looked at", &path, e),
        })?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Symlink => {
                judge_owner(&stat, &path)?;
                links += 1;
                if links > MAX_LINKS {
                    return Err(unsafe_file(&shown, "its links lead to each other; name the file itself"));
                }
                let target = rustix::fs::readlinkat(here, &part, Vec::new());
                let target = target.map_err(|e| io("could not be read", &path, e))?;
                let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
                if target.is_absolute() {
                    place = Some(Folder::open_to_read(Path::new("/"))?);
                }
                for step in target.components().rev() {
                    if let Component::ParentDir | Component::Normal(_) = step {
                        rest.push_front(step.as_os_str().to_owned());
                    }
                }
            }
            // A file in a folder's place is an error of this step.
            _ if !rest.is_empty() => place = Some(here.enter(OsStr::new(&part))?),
            _ => return open_file(here, Path::new(&part), &path).map(|fd| (fd, path)),
        }
    }
    Err(unsafe_file(&shown, "its link leads to a directory; name a file"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use crate::error::Status;
    use crate::files::{Access, read};

    #[test]
    fn a_chain_of_links_of_our_own_is_followed_as_far_as_a_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("..2026")).expect("a folder");
        fs::write(at("..2026/key.pem"), b"a key").expect("a file");
        fs::set_permissions(at("..2026/key.pem"), fs::Permissions::from_mode(0o400)).expect("our file");
        for (link, target) in [
            ("..data", "..2026".into()),
            ("key.pem", "..data/key.pem".into()),
            ("absolute", at("key.pem")),
            ("dotted", "./..data/../..2026/./key.pem".into()),
        ] {
            symlink(target, at(link)).expect("a link");
        }
        for name in ["key.pem", "absolute", "dotted", "..data/key.pem"] {
            assert_eq!(&*read(&at(name), Access::Private).expect(name), b"a key", "{name}");
        }
    }

    #[test]
    fn a_link_that_leads_nowhere_to_itself_or_to_a_folder_is_refused_with_the_reason() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("file"), b"").expect("a file");
        for (link, target, status, why) in [
            ("nowhere", "nothing", Status::Key, "nothing is not there"),
            ("itself", "itself", Status::Key, "lead to each other"),
            ("folder", ".", Status::Key, "leads to a directory"),
            ("parent", "..", Status::Key, "not a regular file"),
            ("through", "file/x", Status::Key, "no directory"),
        ] {
            symlink(target, dir.path().join(link)).expect("a link");
            let error = read(&dir.path().join(link), Access::Public).expect_err(link);
            assert_eq!(error.status(), status, "{link}");
            assert!(error.message().contains(why), "{link}: {error}");
        }
    }

    #[test]
    fn a_link_through_a_folder_that_others_may_write_to_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let open = dir.path().join("open");
        fs::create_dir(&open).expect("a folder");
        fs::write(open.join("key.pem"), b"a key").expect("a file");
        symlink("open/key.pem", dir.path().join("key.pem")).expect("a link");
        for (mode, accepted) in [(0o755, true), (0o1777, true), (0o775, false), (0o757, false)] {
            fs::set_permissions(&open, fs::Permissions::from_mode(mode)).expect("our folder");
            assert_eq!(read(&dir.path().join("key.pem"), Access::Public).is_ok(), accepted, "{mode:o}");
        }
    }
}
