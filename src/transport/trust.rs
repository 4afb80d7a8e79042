//! Which certificate authorities are believed.

use std::path::Path;
use std::sync::Arc;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

use crate::crypto;
use crate::error::{Error, Result, Status};

/// The platform's trust store (SSL_CERT_FILE and SSL_CERT_DIR honoured where it is made of files), or the
/// certificates of one PEM file instead of it.
#[derive(Clone, Default)]
pub(crate) struct TrustedRoots {
    instead: Option<Arc<Vec<Certificate<'static>>>>,
}

impl TrustedRoots {
    /// The certificates in the PEM file at `path`, and no others.
    pub(crate) fn from_file(path: &Path) -> Result<TrustedRoots> {
        let shown = path.display();
        let pem = std::fs::read(path).map_err(|e| {
            Error::new(Status::Io, format!("the CA file {shown} could not be read: {}; check the path", e.kind()))
        })?;
        let mut certificates = Vec::new();
        for item in parse_pem(&pem) {
            match item {
                Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
                Ok(_) => {}
                Err(_) => return Err(Error::argument(format!("the CA file {shown} is not valid PEM"))),
            }
        }
        if certificates.is_empty() {
            return Err(Error::argument(format!("the CA file {shown} holds no certificate; give a PEM bundle of CAs")));
        }
        Ok(TrustedRoots { instead: Some(Arc::new(certificates)) })
    }

    /// How errors call the store that was used.
    pub(crate) fn name(&self) -> &'static str {
        if self.instead.is_some() { "the given CA file" } else { "the platform's trust store" }
    }

    pub(super) fn tls_config(&self) -> TlsConfig {
        crypto::ready();
        let roots = match &self.instead {
            Some(certificates) => RootCerts::Specific(certificates.clone()),
            None => RootCerts::PlatformVerifier,
        };
        TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(crypto_provider()))
            .root_certs(roots)
            .build()
    }
}

#[cfg(feature = "aws-lc")]
fn crypto_provider() -> rustls::crypto::CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}

#[cfg(not(feature = "aws-lc"))]
fn crypto_provider() -> rustls::crypto::CryptoProvider {
    rustls::crypto::ring::default_provider()
}

impl std::fmt::Debug for TrustedRoots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
