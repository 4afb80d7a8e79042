//! A pair out of two files.

use std::path::Path;

use super::folder::{self, Access};
use super::password::Password;
use super::{ClientPair, private_key, spki};
use crate::crypto::KeyPair;
use crate::error::{Error, Result, Status};

/// Loads the pair whose private half is in the file `private`, and checks that the public half in the file `public`, when
/// one is given, belongs to it. Changes nothing.
pub(super) fn load(private: &Path, public: Option<&Path>, password: &Password) -> Result<ClientPair> {
    let keys = self::private(&folder::read(private, Access::Private)?, private, password)?;
    if let Some(public) = public {
        check_public(&folder::read(public, Access::Public)?, public, private, &keys)?;
    }
    ClientPair::new(keys)
}

/// The pair whose private half is `pem`, the text of the file `path`.
pub(super) fn private(pem: &[u8], path: &Path, password: &Password) -> Result<KeyPair> {
    let unusable = |refusal: private_key::Refusal| refusal.of(&path.display().to_string());
    let pkcs8 = private_key::from_pem(pem, password).map_err(unusable)?;
    KeyPair::from_pkcs8(&pkcs8)
        .map_err(|_| unusable("its RSA numbers do not fit each other; restore it from a copy".into()))
}

/// Refuses the text of a public file that is not the other half of `keys`.
pub(super) fn check_public(pem: &[u8], path: &Path, private: &Path, keys: &KeyPair) -> Result<()> {
    let unusable = |why: &str| Error::new(Status::Key, format!("{} cannot be used: {why}", path.display()));
    let spki = spki::from_pem(pem).map_err(unusable)?;
    if spki::rsa_key(&spki).map_err(unusable)? != spki::rsa_key(keys.spki()).map_err(Error::internal)? {
        return Err(unusable(&format!(
            "it is not the other half of {}; put the right one there: openssl pkey -in PRIVATE -pubout",
            private.display()
        )));
    }
    Ok(())
}
