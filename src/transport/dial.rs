//! Opening a connection: the name, TCP, a proxy's consent, TLS, all within the connect timeout and for as long as the call
//! is wanted.
//!
//! The first two are our own, because the agent's resolver looks the name up for every request, pooled
//! connection or not, and its connector cannot be interrupted.

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{self, ResolvedSocketAddrs};
use ureq::unversioned::transport::{
    ConnectProxyConnector, ConnectionDetails, Connector, Either, NextTimeout, RustlsConnector, Transport,
    TransportAdapter,
};

use super::exchange::Watching;
use super::limit::Limit;
use super::resolve::Resolver;
use super::wire::Wire;
use super::{connect, socks};

/// Leaves the lookup to [`Dial`].
#[derive(Debug)]
pub(super) struct Later;

impl resolver::Resolver for Later {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}

/// Looks the name up and connects.
#[derive(Debug, Default)]
struct Dial {
    names: Resolver,
}

impl<In: Transport> Connector<In> for Dial {
    type Out = Either<In, Wire>;

    fn connect(&self, details: &ConnectionDetails<'_>, made: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        if let Some(made) = made {
            return Ok(Some(Either::A(made)));
        }
        let host = details.uri.host().ok_or(ureq::Error::HostNotFound)?;
        let default = if details.needs_tls() { 443 } else { 80 };
        let port = details.uri.port_u16().unwrap_or(default);
        let limit = Limit::of(details.timeout);
        let wire = |host, port| {
            let socket = connect::to_one_of(&self.names.addresses(host, port, limit)?, limit)?;
            let (input, output) = (details.config.input_buffer_size(), details.config.output_buffer_size());
            Ok::<_, ureq::Error>(Wire::new(socket, input, output))
        };
        // A proxy that is asked to CONNECT is in nobody's settings any more when this connects to it.
        let Some(proxy) = details.config.proxy() else { return Ok(Some(Either::B(wire(host, port)?))) };
        let mut adapter = TransportAdapter::new(wire(proxy.host(), proxy.port())?, details.current_time.clone());
        adapter.set_timeout(details.timeout);
        socks::connect(&mut adapter, proxy, host, port)?;
        Ok(Some(Either::B(adapter.into_inner())))
    }
}

/// Runs a chain of connectors within one limit, with the agent's settings.
#[derive(Debug)]
struct Opening<C>(C);

impl<C: Connector<()>> Connector<()> for Opening<C> {
    type Out = C::Out;

    fn connect(&self, details: &ConnectionDetails<'_>, none: Option<()>) -> Result<Option<C::Out>, ureq::Error> {
        let details = ConnectionDetails {
            // A request's own settings are its timeouts. Taken for more than that, each connection would read the trust
            // store anew and could resume no session.
            request_level: false,
            addrs: details.resolver.empty(),
            uri: details.uri,
            config: details.config,
            resolver: details.resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        };
        Limit::of(details.timeout).while_opening(|| self.0.connect(&details, none))
    }
}

/// What the agent opens its connections with; `by_connect`, if that is by way of a proxy that is asked to CONNECT.
pub(super) fn connector(by_connect: bool) -> impl Connector<()> {
    Opening(
        ().chain(ConnectProxyConnector::default())
            .chain(Dial::default())
            .chain(RustlsConnector::default())
            .chain(Watching { by_connect }),
    )
}
