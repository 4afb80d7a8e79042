//! Opening a connection: the name, TCP, TLS, each within the connect timeout and for as long as the call is wanted.
//!
//! Chained from our own steps for the first two, because the agent's resolver looks the name up for every request, pooled
//! connection or not, and its connector cannot be interrupted.

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{self, ResolvedSocketAddrs};
use ureq::unversioned::transport::{ConnectionDetails, Connector, Either, NextTimeout, RustlsConnector, Transport};

use super::connect;
use super::exchange::Watching;
use super::limit::Limit;
use super::resolve::Resolver;
use super::wire::Wire;

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
        let socket = connect::to_one_of(&self.names.addresses(host, port, limit)?, limit)?;
        let (input, output) = (details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(Wire::new(socket, input, output))))
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

/// Name, TCP, TLS.
pub(super) fn connector() -> impl Connector<()> {
    Opening(().chain(Dial::default()).chain(RustlsConnector::default()).chain(Watching))
}
