//! Opening a connection: name resolution on the calling thread, when it is needed, then TCP, then TLS.
//!
//! The agent's own resolver looks the name up for every request, pooled connection or not, and starts a thread for it. A
//! library in somebody else's process starts none: it would be forked away, outlive the call, or not be allowed. The
//! price: how long a name may take is the system resolver's business (`resolv.conf`: usually 5 s for each attempt), not
//! the deadline's.

use std::sync::{Arc, OnceLock, Weak};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::time::Duration;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, NextTimeout, RustlsConnector, ShutdownHandle, TcpConnector, Transport,
};

use super::cancel::interruptible;
use super::exchange::Watching;

/// Leaves the lookup to [`Dial`].
#[derive(Debug)]
pub(super) struct Later;

impl Resolver for Later {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}

/// Looks the name up and connects.
#[derive(Debug, Default)]
struct Dial(TcpConnector);

impl Connector<()> for Dial {
    type Out = Interruptible<<TcpConnector as Connector<()>>::Out>;

    fn connect(&self, details: &ConnectionDetails<'_>, none: Option<()>) -> Result<Option<Self::Out>, ureq::Error> {
        // Without a timeout it asks the system directly. All that can go wrong there is that there is no such name.
        let unbounded = NextTimeout { after: Duration::NotHappening, ..details.timeout };
        let addrs =
            DefaultResolver::default().resolve(details.uri, details.config, unbounded).map_err(|e| match e {
                ureq::Error::Io(_) => ureq::Error::HostNotFound,
                other => other,
            })?;
        // The connector tells the agent how to shut its socket down; that is overheard.
        let overheard: Arc<OnceLock<Weak<dyn ShutdownHandle>>> = Arc::default();
        let (tell, agent) = (overheard.clone(), details.register_shutdown.clone());
        let details = ConnectionDetails {
            addrs,
            uri: details.uri,
            config: details.config,
            request_level: details.request_level,
            resolver: details.resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: Arc::new(move |handle: Weak<dyn ShutdownHandle>| {
                // One socket, one handle: it is empty.
                let _ = tell.set(handle.clone());
                agent(handle)
            }),
        };
        let Some(socket) = self.0.connect(&details, none)? else { return Ok(None) };
        let handle = overheard.get().cloned().ok_or(ureq::Error::ConnectionFailed)?;
        Ok(Some(Interruptible { socket, handle }))
    }
}

/// A socket whose I/O ends when its call is cancelled.
struct Interruptible<T> {
    socket: T,
    handle: Weak<dyn ShutdownHandle>,
}

impl<T: Transport> Transport for Interruptible<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.socket.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        interruptible(&self.handle, || self.socket.transmit_output(amount, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        interruptible(&self.handle, || self.socket.await_input(timeout))
    }

    fn is_open(&mut self) -> bool {
        self.socket.is_open()
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for Interruptible<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.socket.fmt(f)
    }
}

/// Name, TCP, TLS.
pub(super) fn connector() -> impl Connector<()> {
    Dial::default().chain(RustlsConnector::default()).chain(Watching)
}
