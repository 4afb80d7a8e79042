//! The certificate authorities that the keychain trusts: those of Apple, of the administrator and of the user.

use std::collections::HashMap;

use rustls::pki_types::CertificateDer;
use security_framework::trust_settings::{Domain, TrustSettings, TrustSettingsForCertificate};

/// The settings of the user overrule those of the administrator, and both overrule those of the system.
const DOMAINS: [Domain; 3] = [Domain::User, Domain::Admin, Domain::System];

/// The certificates of the system's store that are trusted for servers, and the store's name.
pub(in crate::connection) fn trust_store() -> (Vec<CertificateDer<'static>>, Vec<String>) {
    (trusted().map(CertificateDer::from).collect(), vec!["the trust settings of the keychain".to_owned()])
}

/// Whether there is a certificate that [`trust_store`] would return.
#[cfg(feature = "capi")]
pub(in crate::connection) fn has_trust_store() -> bool {
    trusted().next().is_some()
}

/// A certificate whose settings cannot be read is not trusted in any domain. A domain that cannot be read has no certificates.
fn trusted() -> impl Iterator<Item = Vec<u8>> {
    let mut judged = HashMap::new();
    for domain in DOMAINS {
        let settings = TrustSettings::new(domain);
        for certificate in settings.iter().into_iter().flatten() {
            // No particular setting for servers means that the certificate is trusted as a root.
            let is_trusted = match settings.tls_trust_settings_for_certificate(&certificate) {
                Ok(None | Some(TrustSettingsForCertificate::TrustRoot | TrustSettingsForCertificate::TrustAsRoot)) => {
                    true
                }
                Ok(Some(_)) | Err(_) => false,
            };
            judged.entry(certificate.to_der()).or_insert(is_trusted);
        }
    }
    judged.into_iter().filter_map(|(certificate, is_trusted)| is_trusted.then_some(certificate))
}
