//! Verifying the other side's certificate: as rustls does it, and against the TLS pins.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};

use super::chain::Chain;
use super::tls_pins::TlsPins;

/// Verifies the certificates of the server, or of a proxy.
#[derive(Debug)]
pub(super) struct Verifier {
    standard: Arc<WebPkiServerVerifier>,
    roots: Arc<RootCertStore>,
    algorithms: WebPkiSupportedAlgorithms,
    pins: TlsPins,
}

/// A verified chain without a pinned certificate.
#[derive(Debug)]
struct NotPinned(String);

impl fmt::Display for NotPinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotPinned {}

/// The text of a refusal for a missing pin, about the chain and the pins. `None` for another refusal.
pub(crate) fn not_pinned<'a>(error: &'a (dyn std::error::Error + Send + Sync + 'static)) -> Option<&'a str> {
    error.downcast_ref::<NotPinned>().map(|refusal| refusal.0.as_str())
}

impl Verifier {
    /// `None` if there are no roots.
    pub(super) fn new(roots: Arc<RootCertStore>, provider: &Arc<CryptoProvider>, pins: TlsPins) -> Option<Verifier> {
        let standard = WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone()).build().ok()?;
        Some(Verifier { standard, roots, algorithms: provider.signature_verification_algorithms, pins })
    }

    /// The first path from `leaf` to a root that `accept` takes.
    pub(super) fn chain(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
        accept: impl Fn(&Chain) -> bool,
    ) -> Option<Chain> {
        let leaf = webpki::EndEntityCert::try_from(leaf).ok()?;
        let found = Mutex::new(None);
        let take = |path: &webpki::VerifiedPath<'_>| {
            let chain = Chain::of(path);
            if !accept(&chain) {
                return Err(webpki::Error::UnknownIssuer);
            }
            *found.lock().unwrap_or_else(PoisonError::into_inner) = Some(chain);
            Ok(())
        };
        let usage = webpki::KeyUsage::server_auth();
        leaf.verify_for_usage(self.algorithms.all, &self.roots.roots, intermediates, now, usage, None, Some(&take))
            .ok()?;
        found.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.standard.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        if self.pins.is_empty()
            || self.chain(end_entity, intermediates, now, |chain| self.pins.accept(&chain.fingerprints())).is_some()
        {
            return Ok(verified);
        }
        let found = self.chain(end_entity, intermediates, now, |_| true).unwrap_or_default();
        let refusal = NotPinned(format!("its verified chain is {}; pinned is {}", found.shown(), self.pins));
        Err(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refusal)))))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.standard.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.standard.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.standard.supported_verify_schemes()
    }
}
