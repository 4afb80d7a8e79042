//! Which certificate authorities are trusted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::TrustAnchor;

use super::failure::Failure;
use super::os;
use crate::error::{Error, Result, Status};
use crate::pem::{self, Block};

/// The trust store, and certificates beside it.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedRoots {
    store: Store,
    more: Vec<TrustAnchor<'static>>,
}

#[derive(Clone, Debug, Default)]
enum Store {
    /// The system's, at its usual places.
    #[default]
    System,
    /// The file and the directories that SSL_CERT_FILE and SSL_CERT_DIR name.
    Named { file: Option<PathBuf>, directories: Vec<PathBuf> },
    /// The certificates of a PEM file that the caller gave.
    Given(Arc<RootCertStore>),
}

impl TrustedRoots {
    /// Takes the PEM file at `path` as the trust store, and keeps the certificates beside it.
    pub(crate) fn take_file(&mut self, path: &Path) -> Result<()> {
        let shown = path.display();
        let pem = std::fs::read(path).map_err(|e| {
            Error::new(Status::Io, format!("the CA file {shown} could not be read: {}; check the path", e.kind()))
        })?;
        self.store = Store::Given(Arc::new(read(&pem, &format!("the CA file {shown}"))?));
        Ok(())
    }

    /// Trusts the certificates of a PEM text too.
    pub(crate) fn add_pem(&mut self, pem: &[u8]) -> Result<()> {
        self.more.extend(read(pem, "the PEM text of CAs")?.roots);
        Ok(())
    }

    /// Takes the store that the environment names, if it names one and the caller has given none.
    pub(crate) fn look_in(&mut self, file: Option<PathBuf>, directories: Option<PathBuf>) {
        let named = file.is_some() || directories.is_some();
        if named && !matches!(self.store, Store::Given(_)) {
            let directories = directories.iter().flat_map(std::env::split_paths).collect();
            self.store = Store::Named { file, directories };
        }
    }

    /// The store's name in messages.
    pub(crate) fn name(&self) -> &'static str {
        match (&self.store, self.more.is_empty()) {
            (Store::Given(_), true) => "the given CA file",
            (Store::System | Store::Named { .. }, true) => "the system's trust store",
            (_, false) => "the trust store and the CAs that were added to it",
        }
    }

    /// The certificates. Reads files, unless they were given. A system without a trust store is a failure only if no certificate
    /// was added.
    pub(super) fn load(&self) -> std::result::Result<Arc<RootCertStore>, Failure> {
        let mut roots = match (self.store.load(), &self.store) {
            (Err(Failure::EmptyTrustStore(_)), Store::System) if !self.more.is_empty() => {
                Arc::new(RootCertStore::empty())
            }
            (loaded, _) => loaded?,
        };
        if !self.more.is_empty() {
            Arc::make_mut(&mut roots).extend(self.more.iter().cloned());
        }
        Ok(roots)
    }
}

impl Store {
    fn load(&self) -> std::result::Result<Arc<RootCertStore>, Failure> {
        let (found, places) = match self {
            Store::Given(roots) => return Ok(roots.clone()),
            Store::Named { file, directories } => {
                let mut places: Vec<_> = file.iter().map(|file| format!("SSL_CERT_FILE={}", file.display())).collect();
                places.extend(directories.iter().map(|directory| format!("SSL_CERT_DIR={}", directory.display())));
                let mut found = rustls_native_certs::load_certs_from_paths(file.as_deref(), None).certs;
                for directory in directories {
                    found.extend(rustls_native_certs::load_certs_from_paths(None, Some(directory)).certs);
                }
                (found, places)
            }
            Store::System => os::trust_store(),
        };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found);
        if roots.is_empty() { Err(Failure::EmptyTrustStore(places.join(", "))) } else { Ok(Arc::new(roots)) }
    }
}

/// Whether there is a trust store of the system's.
#[cfg(feature = "capi")]
pub(crate) fn has_system_trust_store() -> bool {
    os::has_trust_store()
}

/// The CAs of a PEM text, which `shown` names.
fn read(pem: &[u8], shown: &str) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let cannot = |why: &str| Error::argument(format!("{shown} cannot be used: {why}"));
    for (number, block) in certificates(pem).map_err(|why| cannot(&why))?.iter().enumerate() {
        let der = block.public().map_err(|why| cannot(&why))?;
        roots.add(der.into()).map_err(|_| {
            cannot(&format!("certificate {} of it is not a certificate of a CA; remove or replace it", number + 1))
        })?;
    }
    if roots.is_empty() {
        return Err(Error::argument(format!("{shown} holds no certificate; give a PEM bundle of CAs")));
    }
    Ok(roots)
}

/// The blocks of `text` that are certificates; other blocks are ignored.
pub(super) fn certificates(text: &[u8]) -> std::result::Result<Vec<Block<'_>>, String> {
    let mut blocks = if text.trim_ascii().is_empty() { Vec::new() } else { pem::blocks(text)? };
    blocks.retain(|block| matches!(block.label, b"CERTIFICATE" | b"X509 CERTIFICATE"));
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_store_names_the_places_that_were_looked_at() {
        let mut roots = TrustedRoots::default();
        roots.look_in(Some(PathBuf::from("/nonexistent/file")), Some(PathBuf::from("/nonexistent/a:/nonexistent/b")));
        let Err(Failure::EmptyTrustStore(places)) = roots.load() else { panic!("nothing is there") };
        for place in ["SSL_CERT_FILE=/nonexistent/file", "SSL_CERT_DIR=/nonexistent/a", "SSL_CERT_DIR=/nonexistent/b"] {
            assert!(places.contains(place), "{places}");
        }
    }

    #[test]
    fn a_given_file_overrules_the_environment_and_must_hold_certificates() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        assert_eq!(
            TrustedRoots::default().take_file(Path::new("/nonexistent")).expect_err("no file").status(),
            Status::Io
        );
        assert_eq!(TrustedRoots::default().take_file(file.path()).expect_err("empty").status(), Status::Argument);
        std::fs::write(file.path(), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
            .expect("our file");
        assert_eq!(TrustedRoots::default().take_file(file.path()).expect_err("garbage").status(), Status::Argument);
        std::fs::write(file.path(), "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").expect("our file");
        assert!(
            TrustedRoots::default()
                .take_file(file.path())
                .expect_err("none")
                .message()
                .contains("holds no certificate")
        );
        let mut given = TrustedRoots { store: Store::Given(Arc::new(RootCertStore::empty())), more: Vec::new() };
        given.look_in(Some(PathBuf::from("/nonexistent")), None);
        assert_eq!(given.name(), "the given CA file");
    }
}
