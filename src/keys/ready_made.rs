//! Pairs that were generated beforehand, for tests. This file is not in a release build.
//!
//! NOMYO_TEST_PAIRS names a directory of PKCS#8 PEM files. A client then takes one of them instead of generating a pair, which takes
//! most of a second. Tests of the generation itself leave the variable unset.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::crypto::{self, KeyPair};
use crate::memory;

/// The next pair. Pairs repeat in a process only after all were taken.
pub(super) fn next() -> Option<KeyPair> {
    static FILES: OnceLock<Vec<PathBuf>> = OnceLock::new();
    static TAKEN: AtomicUsize = AtomicUsize::new(0);
    let files = FILES.get_or_init(|| {
        // Two processes rarely begin with the same pair.
        let first = crypto::random::<2>().map_or(0, u16::from_le_bytes);
        TAKEN.store(first.into(), Ordering::Relaxed);
        let directory = memory::variable_at_start("NOMYO_TEST_PAIRS").filter(|directory| !directory.is_empty());
        directory.map_or_else(Vec::new, |directory| files_in(Path::new(&directory)))
    });
    let file = files.get(TAKEN.fetch_add(1, Ordering::Relaxed).checked_rem(files.len())?)?;
    let pem = std::fs::read(file).ok()?;
    KeyPair::from_pkcs8(&pem_rfc7468::decode_vec(&pem).ok()?.1).ok()
}

fn files_in(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<_> =
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "pem")).collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_pairs_are_sound_and_differ() {
        let files = files_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pairs"));
        let mut publics: Vec<_> = files
            .iter()
            .map(|file| {
                let der = pem_rfc7468::decode_vec(&std::fs::read(file).expect("a file")).expect("PEM").1;
                KeyPair::from_pkcs8(&der).expect("a sound key").spki().to_vec()
            })
            .collect();
        publics.sort();
        publics.dedup();
        assert_eq!((publics.len(), files.len()), (32, 32));
    }
}
