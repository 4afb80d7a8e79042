//! The certificate by which the client shows the server who it is (mutual TLS; RFC 8446, section 4.3.2).

use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use rustls::sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey};
use rustls::{Error as TlsError, SignatureAlgorithm, SignatureScheme};

use super::{provider, trust};
use crate::crypto::{self, drawing_secretly};
use crate::error::{Error, Result};
use crate::pem::{self, Block};

/// A certificate chain and the private key of its first certificate.
#[derive(Clone, Debug)]
pub(crate) struct ClientCertificate(Arc<SingleCertAndKey>);

impl ClientCertificate {
    /// Takes a chain that begins with the client's own certificate, and a PEM text with one private key in the form PKCS#8,
    /// PKCS#1 or SEC 1, without encryption. Other blocks are skipped.
    pub(crate) fn new(chain: CertificateChain, key: &[u8]) -> Result<ClientCertificate> {
        let CertificateChain(chain) = chain;
        let certified = CertifiedKey::new(chain, Arc::new(Gated(signing_key(key)?)));
        match certified.keys_match() {
            Ok(()) | Err(TlsError::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
            Err(TlsError::InconsistentKeys(_)) => {
                return Err(cannot(
                    "the private key is not that of its first certificate; give the key that belongs to it",
                ));
            }
            Err(_) => {
                return Err(cannot(
                    "its first certificate cannot be read as X.509 version 3; if openssl x509 -text shows another version, \
                     have it issued again with extensions",
                ));
            }
        }
        Ok(ClientCertificate(Arc::new(SingleCertAndKey::from(certified))))
    }

    pub(super) fn resolver(&self) -> Arc<dyn ResolvesClientCert> {
        self.0.clone()
    }
}

/// The certificates of a chain. They are public: what else a PEM text holds is left out.
#[derive(Clone, Debug)]
pub(crate) struct CertificateChain(Vec<CertificateDer<'static>>);

impl CertificateChain {
    /// Reads the certificates of a PEM text. Other blocks are skipped.
    pub(crate) fn from_pem(text: &[u8]) -> Result<CertificateChain> {
        let blocks = trust::certificates(text).map_err(|why| cannot(&why))?;
        let chain = blocks.iter().map(|block| block.public().map(Into::into));
        let chain = chain.collect::<std::result::Result<Vec<_>, _>>().map_err(|why| cannot(&why))?;
        if chain.is_empty() {
            return Err(cannot("it holds no certificate; give the PEM text of the chain"));
        }
        Ok(CertificateChain(chain))
    }
}

fn cannot(why: &str) -> Error {
    Error::argument(format!("the client certificate cannot be used: {why}"))
}

fn signing_key(text: &[u8]) -> Result<Arc<dyn SigningKey>> {
    let cannot = |why: &str| Error::argument(format!("the key of the client certificate cannot be used: {why}"));
    let mut blocks = pem::blocks(text).map_err(|why| cannot(&why))?;
    blocks.retain(Block::is_private);
    let [block] = &blocks[..] else {
        return Err(cannot("it does not hold one private key; give the PEM text of the key"));
    };
    if block.label == b"ENCRYPTED PRIVATE KEY" || block.has_old_encryption() {
        return Err(cannot("it is encrypted; decrypt it in memory, or run: openssl pkey -in FILE -out NEWFILE"));
    }
    let der = block.secret()?.map_err(|why| cannot(&why))?;
    let key = match block.label {
        b"PRIVATE KEY" => PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(&der[..])),
        b"RSA PRIVATE KEY" => PrivateKeyDer::Pkcs1(PrivatePkcs1KeyDer::from(&der[..])),
        b"EC PRIVATE KEY" => PrivateKeyDer::Sec1(PrivateSec1KeyDer::from(&der[..])),
        _ => return Err(cannot("it is not an RSA, ECDSA or Ed25519 key; give one of these")),
    };
    crypto::ready();
    let provider = provider::gated();
    let mut loaded = None;
    drawing_secretly(|| {
        loaded = provider.key_provider.load_private_key(key.clone_key()).ok();
        loaded.is_some()
    })?;
    loaded.ok_or_else(|| cannot("TLS cannot sign with it; give an RSA key of 2048 bits or a P-256 key"))
}

/// A key whose signatures draw random bytes, and therefore pass the gate of forks. Its numbers are in the secret arenas.
#[derive(Debug)]
struct Gated<T>(T);

impl SigningKey for Gated<Arc<dyn SigningKey>> {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        self.0.choose_scheme(offered).map(|signer| Box::new(Gated(signer)) as Box<dyn Signer>)
    }

    fn public_key(&self) -> Option<rustls::pki_types::SubjectPublicKeyInfoDer<'_>> {
        self.0.public_key()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }
}

impl Signer for Gated<Box<dyn Signer>> {
    fn sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, TlsError> {
        let mut signature = None;
        let scope = drawing_secretly(|| {
            signature = Some(self.0.sign(message));
            true
        });
        let no_memory = || TlsError::General("no memory to sign".to_owned());
        scope.ok().and(signature).unwrap_or_else(|| Err(no_memory()))
    }

    fn scheme(&self) -> SignatureScheme {
        self.0.scheme()
    }
}
