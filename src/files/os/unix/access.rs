//! Owners and modes: which files and folders are safe to use.

use std::path::Path;

use rustix::fs::{FileType, Mode, RawMode, Stat};
use rustix::process::geteuid;

use crate::error::Result;
use crate::files::{Access, unsafe_file};

const STICKY: RawMode = 0o1000;
const WRITABLE_BY_OTHERS: RawMode = 0o022;

/// The mode of a new file.
pub(super) fn mode(access: Access) -> Mode {
    match access {
        Access::Private | Access::Mounted | Access::Trusted => Mode::from_raw_mode(0o600),
        Access::Public => Mode::from_raw_mode(0o644),
    }
}

/// The bits that a file must not have.
fn forbidden(access: Access, of_root: bool) -> RawMode {
    match access {
        Access::Mounted if of_root => 0o037,
        Access::Private | Access::Mounted => 0o077,
        Access::Trusted => WRITABLE_BY_OTHERS,
        Access::Public => 0,
    }
}

/// Refuses an existing file whose owner or mode is not safe.
pub(super) fn judge(access: Access, stat: &Stat, shown: &Path) -> Result<()> {
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(unsafe_file(shown, "it is not a regular file; give the path of a file"));
    }
    judge_owner(stat, shown)?;
    let forbidden = stat.st_mode & forbidden(access, stat.st_uid == 0);
    if forbidden == 0 {
        return Ok(());
    }
    let (mode, more) = match access {
        Access::Mounted if stat.st_uid == 0 => ("640", ""),
        Access::Private if stat.st_uid == 0 && forbidden == 0o040 => {
            ("600", "for a mounted secret of this group call nomyo_config_set_key_group_read(config, 1), otherwise ")
        }
        _ => ("600", ""),
    };
    let why = format!("other users may read or change it; {more}run: chmod {mode} {}", quoted(shown));
    Err(unsafe_file(shown, &why))
}

/// Refuses a file that was just created with [`mode`], if the file system gave it another owner or mode.
pub(super) fn judge_new(access: Access, stat: &Stat, shown: &Path) -> Result<()> {
    if stat.st_uid == geteuid().as_raw() && stat.st_mode & forbidden(access, false) == 0 {
        return Ok(());
    }
    let folder = shown.parent().unwrap_or(shown);
    Err(unsafe_file(
        folder,
        &format!(
            "its file system gives a new file the mode {:04o} and the owner {}, so others could read or change it; \
             nothing was written: choose a directory on a file system with owners and modes",
            stat.st_mode & 0o7777,
            stat.st_uid
        ),
    ))
}

/// `path` as a shell takes it.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// Whether a folder that other users may write to is safe.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sticky {
    /// Not safe. Files are written to it, and a missing file means something.
    Refused,
    /// Safe if it is sticky: other users cannot replace a file of ours, and the owner of the file is judged too.
    Allowed,
}

/// Refuses a folder that somebody else could change.
pub(super) fn judge_folder(stat: &Stat, shown: &Path, sticky: Sticky) -> Result<()> {
    judge_owner(stat, shown)?;
    let is_sticky = stat.st_mode & STICKY != 0;
    if stat.st_mode & WRITABLE_BY_OTHERS == 0 || (is_sticky && sticky == Sticky::Allowed) {
        return Ok(());
    }
    let why = if is_sticky {
        format!(
            "other users may write to it; make a directory of your own and use that: mkdir -m 700 {}",
            quoted(&shown.join("nomyo"))
        )
    } else {
        format!("other users may write to it; run: chmod go-w {}", quoted(shown))
    };
    Err(unsafe_file(shown, &why))
}

/// Refuses what belongs to somebody else: its owner can change it at any time.
pub(super) fn judge_owner(stat: &Stat, shown: &Path) -> Result<()> {
    let user = geteuid().as_raw();
    if stat.st_uid == 0 || stat.st_uid == user {
        return Ok(());
    }
    // Without -h, chown follows a link.
    let chown = if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink { "chown -h" } else { "chown" };
    let (owner, path) = (stat.st_uid, quoted(shown));
    Err(unsafe_file(
        shown,
        &format!("it belongs to user {owner}, and this process runs as user {user}; run: {chown} {user} {path}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A user who is neither root nor this process's.
    const STRANGER: u32 = 54_321;

    fn stat(kind: FileType, mode: RawMode, owner: u32) -> Stat {
        let mut stat = rustix::fs::stat("/").expect("a root directory");
        stat.st_mode = kind.as_raw_mode() | mode;
        stat.st_uid = owner;
        stat
    }

    fn file(mode: RawMode, owner: u32) -> Stat {
        stat(FileType::RegularFile, mode, owner)
    }

    #[test]
    fn a_file_is_judged_by_its_mode_and_the_error_says_the_chmod() {
        let own = geteuid().as_raw();
        for (mode, private, trusted) in [
            (0o600, true, true),
            (0o400, true, true),
            (0o640, false, true),
            (0o602, false, false),
            (0o620, false, false),
        ] {
            for (access, accepted) in [(Access::Private, private), (Access::Trusted, trusted), (Access::Public, true)] {
                let outcome = judge(access, &file(mode, own), Path::new("/it's/here"));
                assert_eq!(outcome.is_ok(), accepted, "{access:?} {mode:o}");
                if let Err(error) = outcome {
                    assert!(error.message().contains(r"run: chmod 600 '/it'\''s/here'"), "{error}");
                }
            }
        }
    }

    #[test]
    fn the_group_may_read_a_mounted_file_of_root_alone() {
        let judged = |access: Access, mode, owner| judge(access, &file(mode, owner), Path::new("/key")).is_ok();
        assert!(judged(Access::Mounted, 0o440, 0) && judged(Access::Mounted, 0o640, 0));
        assert!(!judged(Access::Private, 0o440, 0));
        for mode in [0o660, 0o444, 0o450, 0o442] {
            assert!(!judged(Access::Mounted, mode, 0), "{mode:o}");
        }
        assert!(!judged(Access::Mounted, 0o440, STRANGER));
        let error = judge(Access::Private, &file(0o440, 0), Path::new("/key")).expect_err("for the group");
        assert!(error.message().contains("nomyo_config_set_key_group_read(config, 1)"), "{error}");
    }

    #[test]
    fn a_strangers_file_and_folder_are_refused_and_roots_are_not() {
        for access in [Access::Private, Access::Mounted, Access::Public, Access::Trusted] {
            assert!(judge(access, &file(0o400, 0), Path::new("/key")).is_ok());
            let error = judge(access, &file(0o400, STRANGER), Path::new("/key")).expect_err("a stranger's");
            assert!(error.message().contains(&format!("run: chown {} '/key'", geteuid().as_raw())), "{error}");
        }
        let folder = |owner| stat(FileType::Directory, 0o755, owner);
        for sticky in [Sticky::Refused, Sticky::Allowed] {
            assert!(judge_folder(&folder(0), Path::new("/keys"), sticky).is_ok());
            assert!(judge_folder(&folder(STRANGER), Path::new("/keys"), sticky).is_err());
        }
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_refused_sticky_or_not() {
        let judged = |mode, sticky| {
            judge_folder(&stat(FileType::Directory, mode, geteuid().as_raw()), Path::new("/keys"), sticky)
        };
        assert!(judged(0o755, Sticky::Refused).is_ok());
        for (mode, command) in
            [(0o775, "chmod go-w '/keys'"), (0o707, "chmod go-w"), (0o1777, "mkdir -m 700 '/keys/nomyo'")]
        {
            let error = judged(mode, Sticky::Refused).expect_err("writable by others");
            assert!(error.message().contains(command), "{error}");
            assert_eq!(judged(mode, Sticky::Allowed).is_ok(), mode & STICKY != 0, "{mode:o}");
        }
    }

    #[test]
    fn a_new_file_with_another_mode_or_owner_than_requested_is_refused() {
        let own = geteuid().as_raw();
        let judged = |access: Access, mode, owner| judge_new(access, &file(mode, owner), Path::new("/keys/.new"));
        assert!(judged(Access::Private, 0o600, own).is_ok() && judged(Access::Public, 0o777, own).is_ok());
        for (access, mode, owner) in [
            (Access::Private, 0o777, own),
            (Access::Private, 0o640, own),
            (Access::Trusted, 0o777, own),
            (Access::Private, 0o600, STRANGER),
        ] {
            let error = judged(access, mode, owner).expect_err("not as requested");
            assert!(
                error.message().contains("/keys cannot be used") && error.message().contains("nothing was written")
            );
        }
    }
}
