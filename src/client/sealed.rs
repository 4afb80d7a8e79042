//! A sealed request: what goes on the wire, and what its answer must fit.

use std::sync::Arc;

use crate::envelope::{Expected, Tier};
use crate::keys::ClientPair;
use crate::memory::WireBuf;

/// A request that only the server can open. Holds no plaintext and no content key; may be shared by any number of
/// threads, and sent any number of times.
pub struct Sealed {
    pub(super) body: WireBuf,
    pub(super) payload_id: String,
    pub(super) tier: Option<Tier>,
    pub(super) pair: Arc<ClientPair>,
}

impl Sealed {
    /// The HTTP body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The HTTP headers that go with it, as name and value; the API key is not among them.
    pub fn headers(&self) -> Vec<(&'static str, &str)> {
        let mut headers = vec![
            ("X-Payload-ID", self.payload_id.as_str()),
            ("X-Public-Key", self.pair.header()),
            ("Content-Type", "application/octet-stream"),
        ];
        headers.extend(self.tier.map(|tier| ("X-Security-Tier", tier.name())));
        headers
    }

    /// The id that the answer must name.
    pub fn payload_id(&self) -> &str {
        &self.payload_id
    }

    pub(super) fn expected(&self) -> Expected<'_> {
        Expected { payload_id: &self.payload_id, tier: self.tier }
    }
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealed({} bytes)", self.body.len())
    }
}
