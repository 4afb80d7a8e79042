//! Open: a response package becomes an answer, or one of two errors.

pub(crate) use super::metadata::Expected;
use super::metadata::{ADDED_LEN, Merged, merge};
use super::package::Package;
use crate::attestation::Metadata;
use crate::crypto::{self, KeyPair, TAG_LEN};
use crate::error::Result;
#[cfg(test)]
use crate::json;
use crate::json::LongStrings;
use crate::memory::{SecretBuf, deliver_signals};

/// An answer.
pub(crate) struct Answer {
    /// Its JSON with `_metadata` merged, followed by one NUL byte. UTF-8.
    pub(crate) json: SecretBuf,
    metadata: Merged,
}

impl Answer {
    /// Its `_metadata`, for the verdict on its quote.
    pub(crate) fn metadata(&self) -> Metadata<'_> {
        let Merged { place, names_request, .. } = &self.metadata;
        let json = self.json.get(place.clone()).and_then(|span| std::str::from_utf8(span).ok()).unwrap_or_default();
        Metadata { json, names_request: *names_request }
    }

    /// An answer that is `json`, a valid answer.
    #[cfg(test)]
    pub(crate) fn of(json: &str) -> Answer {
        let long = json::read(json.as_bytes()).expect("JSON").into_long_strings();
        let json = SecretBuf::copy_of(format!("{json}\0").as_bytes()).expect("memory");
        Answer { json, metadata: Merged { place: 0..0, names_request: false, long } }
    }

    /// The JSON, and its long strings.
    pub(crate) fn into_parts(self) -> (SecretBuf, LongStrings) {
        (self.json, self.metadata.long)
    }
}

/// Opens `body` with the pair that the request named.
pub(crate) fn open(body: &[u8], pair: &KeyPair, expected: &Expected<'_>) -> Result<Answer> {
    let package = Package::read(body, pair.modulus_len()?)?;
    let added = ADDED_LEN + expected.payload_id.len() + package.processed_at.map_or(0, str::len);
    let mut answer = SecretBuf::zeroed(package.ciphertext_len + TAG_LEN, added)?;
    deliver_signals();
    package.decode_ciphertext(&mut answer)?;
    deliver_signals();
    answer.truncate(package.ciphertext_len);
    let key = pair.unwrap_key(&package.wrapped_key)?;
    crypto::open(&key, &package.nonce, &package.tag, &mut answer)?;
    deliver_signals();
    let metadata = merge(&mut answer, package.processed_at, expected)?;
    answer.push(b"\0");
    deliver_signals();
    Ok(Answer { json: answer, metadata })
}
