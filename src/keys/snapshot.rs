//! The files of a key directory at one moment, read without a lock.

use std::time::Duration;

use super::task::Task;
use crate::error::Result;
use crate::files::{Access, Folder, Mark, staged};
use crate::memory::{self, SecretBuf};

pub(super) const PRIVATE: &str = "private_key.pem";
pub(super) const PUBLIC: &str = "public_key.pem";

/// How often the files are read again while another process replaces them, and the time between.
const ATTEMPTS: usize = 200;
const PAUSE: Duration = Duration::from_millis(5);

/// The files, as they were together.
pub(super) struct Snapshot {
    pub(super) private: Option<SecretBuf>,
    pub(super) public: Option<SecretBuf>,
    /// The temporary public file of a replacement whose private file was renamed.
    pub(super) second_half: Option<SecretBuf>,
    /// Whether there are temporary files of a replacement that was not begun.
    pub(super) not_begun: bool,
    marks: [Mark; 4],
}

impl Snapshot {
    /// Reads the files. If another process replaces them meanwhile, they are read again.
    pub(super) fn take(folder: &Folder, access: Access, task: &Task) -> Result<Snapshot> {
        task.at("the key files were read");
        read_together(|| marks(folder), || read(folder, access), task)
    }

    /// Whether any file was replaced, written, made or removed since.
    pub(super) fn has_changed(&self, folder: &Folder) -> Result<bool> {
        Ok(self.marks != marks(folder)?)
    }

    /// Whether any file is replaced, written, made or removed within the next 0.1 s.
    pub(super) fn changes_soon(&self, folder: &Folder, task: &Task) -> Result<bool> {
        for _ in 0..20 {
            if self.has_changed(folder)? {
                return Ok(true);
            }
            task.wait_at("key files that do not belong together were looked at once more")?;
            memory::outside(|| std::thread::sleep(PAUSE));
        }
        Ok(false)
    }
}

fn marks(folder: &Folder) -> Result<[Mark; 4]> {
    Ok([folder.mark(PRIVATE)?, folder.mark(PUBLIC)?, folder.mark(&staged(PRIVATE))?, folder.mark(&staged(PUBLIC))?])
}

/// The outcome of `read`. It is repeated while `marks` differ before and after it, because then another process has replaced
/// a file meanwhile. An error may also be due to that.
pub(super) fn read_together<T, M: PartialEq>(
    marks: impl Fn() -> Result<M>,
    read: impl Fn() -> Result<T>,
    task: &Task,
) -> Result<T> {
    for _ in 1..ATTEMPTS {
        let before = marks()?;
        let outcome = read();
        if before == marks()? {
            return outcome;
        }
        task.wait_at("another process replaced the key files while they were read")?;
        memory::outside(|| std::thread::sleep(PAUSE));
    }
    read()
}

fn read(folder: &Folder, access: Access) -> Result<Snapshot> {
    let marks = marks(folder)?;
    let file = |name, access| if folder.has(name)? { folder.read_linked(name, access).map(Some) } else { Ok(None) };
    let (begun, half) = (!folder.is_staged(PRIVATE)?, folder.is_staged(PUBLIC)?);
    Ok(Snapshot {
        private: file(PRIVATE, access)?,
        public: file(PUBLIC, Access::Public)?,
        second_half: if begun && half { Some(folder.read_staged(PUBLIC, Access::Public)?) } else { None },
        not_begun: !begun,
        marks,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::keys::task::Kind;

    #[test]
    fn files_that_are_replaced_all_the_time_are_read_as_they_were_together() {
        let dir = tempfile::tempdir().expect("a directory");
        let folder = Folder::open(dir.path()).expect("the directory");
        let done = std::sync::atomic::AtomicBool::new(false);
        let task = Task::new(Kind::Requested);
        let rename = |name: &str, text: &str| {
            let new = dir.path().join(format!("{name}.x"));
            fs::write(&new, text).expect("a file");
            fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).expect("our file");
            fs::rename(new, dir.path().join(name)).expect("a rename");
        };
        let replace = |number: usize| {
            rename(PRIVATE, &number.to_string());
            rename(PUBLIC, &number.to_string());
        };
        replace(0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 1.. {
                    replace(number);
                    std::thread::sleep(Duration::from_millis(1));
                    if done.load(std::sync::atomic::Ordering::Relaxed) {
                        return;
                    }
                }
            });
            let number =
                |file: &Option<SecretBuf>| -> Option<i64> { std::str::from_utf8(file.as_ref()?).ok()?.parse().ok() };
            let seen = (0..300).map(|_| Snapshot::take(&folder, Access::Private, &task)).collect::<Vec<_>>();
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            for seen in seen {
                let seen = seen.expect("a pair");
                // Between the two renames the private file is one ahead.
                let ahead = number(&seen.private).expect("a number") - number(&seen.public).expect("a number");
                assert!((0..=1).contains(&ahead), "{ahead}");
            }
        });
    }
}
