//! Seal: a chat request becomes a package that only the server can open.

use super::package;
use crate::crypto::{self, ContentKey, PublicKey};
use crate::error::Result;
use crate::memory::WireBuf;

/// Encrypts `payload` under a fresh content key, wrapped for `server`, and returns the package. The content key is
/// wiped before this returns: nothing can open the package again but the server.
pub(crate) fn seal(payload: &[u8], server: &PublicKey) -> Result<WireBuf> {
    let key = ContentKey::generate()?;
    let nonce = crypto::random()?;
    let wrapped = server.wrap_key(&key)?;
    package::write(payload.len(), &nonce, &wrapped, |ciphertext| crypto::seal(&key, &nonce, payload, ciphertext))
}
