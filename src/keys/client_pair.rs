//! The pair that answers are sealed for, and the header that names it.

use pem_rfc7468::LineEnding;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::crypto::KeyPair;
use crate::error::{Error, Result};

/// What the Python SDK leaves as it is: letters, digits, `_ . - ~ /`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~').remove(b'/');

/// A pair, with its public half in the form that the `X-Public-Key` header wants.
pub(crate) struct ClientPair {
    pub(crate) keys: KeyPair,
    pem: String,
    header: String,
}

impl ClientPair {
    pub(crate) fn new(keys: KeyPair) -> Result<ClientPair> {
        let pem = pem_rfc7468::encode_string("PUBLIC KEY", LineEnding::LF, keys.spki())
            .map_err(|_| Error::internal("the public key could not be written as PEM"))?;
        let header = utf8_percent_encode(&pem, ESCAPED).to_string();
        Ok(ClientPair { keys, pem, header })
    }

    /// The public half as SPKI PEM.
    pub(crate) fn public_pem(&self) -> &str {
        &self.pem
    }

    /// The percent-encoded SPKI PEM.
    pub(crate) fn header(&self) -> &str {
        &self.header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_the_one_that_the_python_sdk_sends() {
        let fixture = |name: &str| {
            std::fs::read(format!("{}/tests/fixtures/protocol/{name}", env!("CARGO_MANIFEST_DIR"))).expect("a fixture")
        };
        let der = pem_rfc7468::decode_vec(&fixture("keys/client_private.pem")).expect("PEM").1;
        let pair = ClientPair::new(KeyPair::from_pkcs8(&der).expect("a good key")).expect("a pair");
        let meta: serde_json::Value =
            serde_json::from_slice(&fixture("requests/req_01_minimal.meta.json")).expect("JSON");
        assert_eq!(pair.header(), meta["headers_set_by_sdk"]["X-Public-Key"]);
    }
}
