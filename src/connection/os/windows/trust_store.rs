//! The certificate authorities of the current user, which include those of the machine.

use rustls::pki_types::CertificateDer;
use schannel::cert_context::{CertContext, ValidUses};
use schannel::cert_store::CertStore;

const STORE: &str = "ROOT";
/// The purpose of a server's certificate (RFC 5280, section 4.2.1.12).
const SERVER_AUTHENTICATION: &str = "1.3.6.1.5.5.7.3.1";

/// The certificates of the system's store that are trusted for servers, and the store's name.
pub(in crate::connection) fn trust_store() -> (Vec<CertificateDer<'static>>, Vec<String>) {
    let certificates = CertStore::open_current_user(STORE).map_or_else(
        |_| Vec::new(),
        |store| store.certs().filter(is_for_servers).map(|authority| authority.to_der().to_vec().into()).collect(),
    );
    (certificates, vec![format!("the certificate store {STORE} of the current user")])
}

/// A use that cannot be read is none.
fn is_for_servers(authority: &CertContext) -> bool {
    let is_allowed = match authority.valid_uses() {
        Ok(ValidUses::All) => true,
        Ok(ValidUses::Oids(uses)) => uses.iter().any(|one| one == SERVER_AUTHENTICATION),
        Err(_) => false,
    };
    is_allowed && authority.is_time_valid().unwrap_or(false)
}

/// Whether there is a certificate that [`trust_store`] would return.
#[cfg(feature = "capi")]
pub(in crate::connection) fn has_trust_store() -> bool {
    CertStore::open_current_user(STORE).is_ok_and(|store| store.certs().any(|authority| is_for_servers(&authority)))
}
