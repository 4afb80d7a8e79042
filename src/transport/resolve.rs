//! Name resolution on the calling thread.
//!
//! The agent's own resolver starts a thread for every request that has a timeout. A library in somebody else's process
//! starts none: it would be forked away, outlive the call, or not be allowed. The price: how long a name may take is
//! the system resolver's business (`resolv.conf`: usually 5 s for each attempt), not the deadline's.

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use ureq::unversioned::transport::time::Duration;

/// Resolves without a thread.
#[derive(Debug, Default)]
pub(super) struct OnThisThread(DefaultResolver);

impl Resolver for OnThisThread {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        // Without a timeout it asks the system directly. All that can go wrong there is that there is no such name.
        self.0.resolve(uri, config, NextTimeout { after: Duration::NotHappening, ..timeout }).map_err(|e| match e {
            ureq::Error::Io(_) => ureq::Error::HostNotFound,
            other => other,
        })
    }
}
