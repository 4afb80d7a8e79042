//! The certificate authorities of a Linux distribution.

use std::path::Path;

use rustls::pki_types::CertificateDer;

/// The bundles of certificate authorities of Linux distributions. The first that exists is read.
const BUNDLES: [&str; 7] = [
    "/etc/ssl/certs/ca-certificates.crt",                // Debian, Ubuntu, Gentoo, Arch
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // RHEL, Fedora
    "/etc/pki/tls/certs/ca-bundle.crt",                  // RHEL, older
    "/etc/ssl/ca-bundle.pem",                            // openSUSE
    "/etc/pki/tls/cacert.pem",                           // OpenELEC
    "/etc/ssl/cert.pem",                                 // Alpine
    "/opt/etc/ssl/certs/ca-certificates.crt",            // Entware
];
/// The directory of the certificates if there is no bundle. Each file holds one.
const DIRECTORY: &str = "/etc/ssl/certs";

/// The certificates of the system's store, and the places that were looked at.
pub(in crate::connection) fn trust_store() -> (Vec<CertificateDer<'static>>, Vec<String>) {
    match BUNDLES.map(Path::new).into_iter().find(|bundle| bundle.exists()) {
        Some(bundle) => {
            (rustls_native_certs::load_certs_from_paths(Some(bundle), None).certs, vec![bundle.display().to_string()])
        }
        None => (
            rustls_native_certs::load_certs_from_paths(None, Some(Path::new(DIRECTORY))).certs,
            BUNDLES.iter().chain([&DIRECTORY]).map(|place| (*place).to_owned()).collect(),
        ),
    }
}

/// Whether there is a file or a directory that [`trust_store`] would read.
#[cfg(feature = "capi")]
pub(in crate::connection) fn has_trust_store() -> bool {
    let has_entries = |directory: &Path| std::fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some());
    BUNDLES.iter().any(|bundle| Path::new(bundle).exists()) || has_entries(Path::new(DIRECTORY))
}
