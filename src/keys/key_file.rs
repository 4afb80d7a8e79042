//! A pair out of two files.

use std::path::Path;

use super::password::Password;
use super::snapshot::read_together;
use super::spki::Beside;
use super::task::Task;
use super::{ClientPair, private_key, spki};
use crate::crypto::KeyPair;
use crate::error::{Error, Result, Status};
use crate::files::{self, Access};

/// The numbers of a pair that does not unwrap what is wrapped for it were found to fit each other before.
const NOT_PRIME: &str =
    "one of its primes is not a prime number, and no answer could be opened with it; make a new one";

/// Loads the pair whose private half is in the file `private`, and checks that the public half in the file `public`, if one
/// is given, belongs to it. If another process replaces the files meanwhile, they are read again. Changes nothing.
pub(super) fn load(
    private: &Path,
    public: Option<&Path>,
    access: Access,
    password: &Password,
    task: &Task,
) -> Result<ClientPair> {
    task.at("the key files were read and decrypted");
    let marks = || Ok([files::mark(private)?, public.map_or_else(|| files::mark(private), files::mark)?]);
    let texts =
        || Ok((files::read(private, access)?, public.map(|file| files::read(file, Access::Public)).transpose()?));
    let (private_text, public_text) = read_together(marks, texts, task)?;
    let shown = private.display().to_string();
    let keys = pair(&private_text, &shown, password)?;
    if let (Some(public), Some(text)) = (public, public_text) {
        check_other_half(&text, &public.display().to_string(), &shown, &keys)?;
    }
    ClientPair::new(keys)
}

/// As [`load`], from the texts themselves.
pub(super) fn from_memory(private: &[u8], public: Option<&[u8]>, password: &Password) -> Result<ClientPair> {
    let shown = "the private key given";
    let keys = pair(private, shown, password)?;
    if let Some(public) = public {
        check_other_half(public, "the public key given", shown, &keys)?;
    }
    ClientPair::new(keys)
}

/// The pair whose private half is `pem`, which messages call `shown`. The pair has unwrapped a key once.
pub(super) fn pair(pem: &[u8], shown: &str, password: &Password) -> Result<KeyPair> {
    let unusable = |refusal: private_key::Refusal| refusal.of(shown);
    let pkcs8 = private_key::from_pem(pem, password).map_err(unusable)?;
    let keys = KeyPair::from_pkcs8(&pkcs8)
        .map_err(|_| unusable("the crypto provider refuses it, although its numbers fit; make a new one".into()))?;
    if keys.unwraps()? { Ok(keys) } else { Err(unusable(NOT_PRIME.into())) }
}

/// Refuses `pem`, which messages call `shown`, if it is not the other half of `keys`, whose private half they call `private`.
pub(super) fn check_other_half(pem: &[u8], shown: &str, private: &str, keys: &KeyPair) -> Result<()> {
    let unusable = |why: &str| Error::new(Status::Key, format!("{shown} cannot be used: {why}"));
    let spki = spki::from_pem(pem, Beside::PrivateIsIgnored).map_err(|why| unusable(&why))?;
    if spki::rsa_key(&spki).map_err(unusable)? != spki::rsa_key(keys.spki()).map_err(Error::internal)? {
        return Err(unusable(&format!(
            "it is not the other half of {private}; put the right one there: openssl pkey -in PRIVATE -pubout"
        )));
    }
    Ok(())
}
