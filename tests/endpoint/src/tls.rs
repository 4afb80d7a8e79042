//! The endpoint's own CA and its certificate for loopback.
//!
//! The CA is kept in the state directory, so that a client that trusts `ca.pem` still does after a
//! restart. The leaf is made anew at every start and its key never leaves memory.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivatePkcs8KeyDer;

use crate::state_dir::{StateDir, write_public};

/// The certificate of the CA, in the state directory.
pub(crate) const CA_FILE: &str = "ca.pem";
const CA_KEY_FILE: &str = "ca_private.pem";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Some platforms refuse server certificates that live longer than 398 days.
const LEAF_DAYS: u32 = 397;
const CA_DAYS: u32 = 3650;

/// The crypto provider of every TLS connection here, passed on explicitly: a process default
/// belongs to the program.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// What HTTPS needs.
pub(crate) struct Tls {
    pub config: Arc<ServerConfig>,
    pub ca_pem: String,
}

impl Tls {
    /// Loads or makes the CA, and makes a certificate for `localhost`, `127.0.0.1` and `::1`.
    pub fn new(state: &StateDir) -> io::Result<Tls> {
        let make_key = || Ok(KeyPair::generate().map_err(io::Error::other)?.serialize_pem());
        let ca_key = KeyPair::from_pem(&state.private_file(CA_KEY_FILE, make_key)?).map_err(io::Error::other)?;
        let ca_params = ca_params();
        let ca_pem = ca_certificate(state, &ca_params, &ca_key)?;

        let leaf_key = KeyPair::generate().map_err(io::Error::other)?;
        let leaf = leaf_params()
            .and_then(|params| params.signed_by(&leaf_key, &Issuer::from_params(&ca_params, &ca_key)))
            .map_err(io::Error::other)?;
        let leaf_key = PrivatePkcs8KeyDer::from(leaf_key.serialize_der());
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], leaf_key.into())
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Tls { config: Arc::new(config), ca_pem })
    }
}

/// The CA's certificate from the state directory, or a new one for the same key and name, which
/// vouches as well.
fn ca_certificate(state: &StateDir, params: &CertificateParams, key: &KeyPair) -> io::Result<String> {
    let path = state.file(CA_FILE);
    match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let pem = params.self_signed(key).map_err(io::Error::other)?.pem();
            write_public(&path, &pem)?;
            Ok(pem)
        }
        read => read,
    }
}

fn ca_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "NOMYO local endpoint CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    limit_life(&mut params, CA_DAYS);
    params
}

fn leaf_params() -> Result<CertificateParams, rcgen::Error> {
    let names = ["localhost", "127.0.0.1", "::1"].map(String::from);
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "NOMYO local endpoint");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Strict verifiers (Python 3.13's default) want to see it.
    params.use_authority_key_identifier_extension = true;
    limit_life(&mut params, LEAF_DAYS);
    Ok(params)
}

fn limit_life(params: &mut CertificateParams, days: u32) {
    let now = SystemTime::now();
    // A day back, for clocks that disagree a little.
    params.not_before = (now - DAY).into();
    params.not_after = (now + DAY * (days - 1)).into();
}
