//! Open: a response package becomes an answer, or one of two errors.

use std::ops::Range;

use super::members::nests_within_limit;
pub(crate) use super::metadata::Expected;
use super::metadata::{ADDED_LEN, merge};
use super::package::Package;
use crate::crypto::{self, KeyPair, TAG_LEN};
use crate::error::{Error, Result};
use crate::memory::SecretBuf;

/// An answer.
pub(crate) struct Answer {
    /// Its JSON with `_metadata` merged, followed by one NUL byte.
    pub(crate) json: SecretBuf,
    metadata: Range<usize>,
}

impl Answer {
    /// The JSON text of its `_metadata`: an object.
    pub(crate) fn metadata(&self) -> &str {
        self.json.get(self.metadata.clone()).and_then(|span| std::str::from_utf8(span).ok()).unwrap_or_default()
    }
}

/// Opens `body` with the pair that the request named.
pub(crate) fn open(body: &[u8], pair: &KeyPair, expected: &Expected<'_>) -> Result<Answer> {
    let package = Package::read(body, pair.modulus_len()?)?;
    let added = ADDED_LEN + expected.payload_id.len() + package.processed_at.map_or(0, str::len);
    let mut answer = SecretBuf::zeroed(package.ciphertext_len + TAG_LEN, added)?;
    package.decode_ciphertext(&mut answer)?;
    answer.truncate(package.ciphertext_len);
    let key = pair.unwrap_key(&package.wrapped_key)?;
    crypto::open(&key, &package.nonce, &package.tag, &mut answer)?;
    if !nests_within_limit(&answer) {
        return Err(Error::decryption_failed());
    }
    let metadata = merge(&mut answer, package.processed_at, expected)?;
    answer.push(b"\0");
    Ok(Answer { json: answer, metadata })
}
