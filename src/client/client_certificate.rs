//! The client certificate that a configuration keeps until a client is made of it.

use std::fs::File;
use std::io::{Error as IoError, Read};
use std::path::Path;

use super::credential::Credential;
use crate::connection::{CertificateChain, ClientCertificate};
use crate::error::{Error, Result, Status};
use crate::memory::SecretBuf;

/// A certificate chain and the PEM text of its key, which have been read once: they fit each other.
#[derive(Debug)]
pub(super) struct CertificateAndKey {
    chain: CertificateChain,
    key: Credential,
}

impl CertificateAndKey {
    pub(super) fn checked(chain: &[u8], key: &[u8]) -> Result<CertificateAndKey> {
        let chain = CertificateChain::from_pem(chain)?;
        ClientCertificate::new(chain.clone(), key)?;
        Ok(CertificateAndKey { chain, key: Credential::new("key of the client certificate", SecretBuf::copy_of(key)?) })
    }

    pub(super) fn key(&self) -> &Credential {
        &self.key
    }

    /// `Status::Forked` in a child of the process that set it.
    pub(super) fn read(&self) -> Result<ClientCertificate> {
        ClientCertificate::new(self.chain.clone(), self.key.bytes()?)
    }
}

/// The file of a certificate chain. The file may hold the key too, so that its text is a secret.
pub(super) fn chain_file(path: &Path) -> Result<SecretBuf> {
    const LARGEST: u64 = 1024 * 1024;
    let shown = path.display();
    let cannot = |why: IoError| {
        Error::new(
            Status::Io,
            format!("the client certificate {shown} could not be read: {}; check the path", why.kind()),
        )
    };
    // Opening a pipe can block until somebody writes to it.
    let known = std::fs::metadata(path).map_err(cannot)?;
    if !known.is_file() || known.len() > LARGEST {
        return Err(Error::argument(format!(
            "the client certificate {shown} is not a regular file of at most 1 MiB; give the path of a PEM file"
        )));
    }
    let mut file = File::open(path).map_err(cannot)?;
    let len = file.metadata().map_err(cannot)?.len().min(LARGEST);
    let mut text = SecretBuf::zeroed(usize::try_from(len).unwrap_or(0), 0)?;
    file.read_exact(&mut text).map_err(cannot)?;
    Ok(text)
}
