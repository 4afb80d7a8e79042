//! The endpoint's own CA and its certificate for loopback.
//!
//! The CA is kept in the state directory, so that a client that trusts `ca.pem` still does after a
//! restart. The leaf is made anew at every start and its key never leaves memory.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivatePkcs8KeyDer;

use crate::faults::CertificateFault;
use crate::state_dir::{StateDir, write_public};

/// The certificate of the CA, in the state directory.
pub(crate) const CA_FILE: &str = "ca.pem";
const CA_KEY_FILE: &str = "ca_private.pem";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Some platforms refuse server certificates that live longer than 398 days.
const LEAF_DAYS: u32 = 397;
const CA_DAYS: u32 = 3650;
/// The last for tests of name resolution, which `localhost` may do without.
const NAMES: [&str; 4] = ["localhost", "127.0.0.1", "::1", "endpoint.test"];

/// The crypto provider of every TLS connection here, passed on explicitly: a process default
/// belongs to the program.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// What HTTPS needs.
pub(crate) struct Tls {
    pub ca_pem: String,
    config: Arc<ServerConfig>,
    ca_params: CertificateParams,
    ca_key: KeyPair,
}

impl Tls {
    /// Loads or makes the CA, and makes a certificate for loopback.
    pub fn new(state: &StateDir) -> io::Result<Tls> {
        let make_key = || Ok(KeyPair::generate().map_err(io::Error::other)?.serialize_pem());
        let ca_key = KeyPair::from_pem(&state.private_file(CA_KEY_FILE, make_key)?).map_err(io::Error::other)?;
        let ca_params = ca_params();
        let ca_pem = ca_certificate(state, &ca_params, &ca_key)?;

        let config = server_config(None, &ca_params, &ca_key)?;
        Ok(Tls { ca_pem, config, ca_params, ca_key })
    }

    /// The configuration of one connection, with what is to be wrong with its certificate.
    pub fn config(&self, fault: Option<CertificateFault>) -> Arc<ServerConfig> {
        match fault {
            None => Arc::clone(&self.config),
            Some(_) => server_config(fault, &self.ca_params, &self.ca_key).expect("as it was made without a fault"),
        }
    }
}

/// A new leaf certificate, good or with `fault`, and what serves it.
fn server_config(
    fault: Option<CertificateFault>,
    ca_params: &CertificateParams,
    ca_key: &KeyPair,
) -> io::Result<Arc<ServerConfig>> {
    let (leaf, key) = leaf(fault, ca_params, ca_key).map_err(io::Error::other)?;
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key.into())
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn leaf(
    fault: Option<CertificateFault>,
    ca_params: &CertificateParams,
    ca_key: &KeyPair,
) -> Result<(Certificate, KeyPair), rcgen::Error> {
    use CertificateFault as Fault;
    let key = KeyPair::generate()?;
    let mut params = leaf_params(if fault == Some(Fault::WrongHost) { &["example.invalid"] } else { &NAMES })?;
    let now = SystemTime::now();
    match fault {
        Some(Fault::Expired) => params.not_after = (now - DAY / 2).into(),
        Some(Fault::NotYetValid) => params.not_before = (now + DAY).into(),
        _ => {}
    }
    let certificate = match fault {
        Some(Fault::SelfSigned) => params.self_signed(&key)?,
        Some(Fault::UnknownCa) => {
            let mut stranger = ca_params.clone();
            stranger.distinguished_name.push(DnType::CommonName, "An authority that nobody knows");
            params.signed_by(&key, &Issuer::from_params(&stranger, &KeyPair::generate()?))?
        }
        _ => params.signed_by(&key, &Issuer::from_params(ca_params, ca_key))?,
    };
    Ok((certificate, key))
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

fn leaf_params(names: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names.iter().copied().map(String::from).collect::<Vec<_>>())?;
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
