//! Opening a connection: the name, TCP, a proxy's consent, TLS, all within the connect timeout.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use once_cell::sync::OnceCell;
use rustls::ClientConfig;
use rustls::pki_types::UnixTime;

use super::chain::Chain;
use super::channel::{Channel, Waiting};
use super::failure::{Failure, Peer};
use super::proxy::{Kind, Via};
use super::resolve::Resolver;
use super::stage::Stage;
use super::step::Step;
use super::tcp::Tcp;
use super::tls::Tls;
use super::verifier::Verifier;
use super::{BaseUrl, ClientCertificate, TlsPins, TrustedRoots, connect, provider, socks, tunnel};
use crate::crypto;

/// The settings of a [`Dialer`].
pub(crate) struct Settings {
    pub(crate) server: BaseUrl,
    pub(crate) via: Option<Via>,
    pub(crate) connect_timeout: Duration,
    pub(crate) roots: TrustedRoots,
    pub(crate) tls_pins: TlsPins,
    pub(crate) client_certificate: Option<ClientCertificate>,
    pub(crate) post_quantum: bool,
    pub(crate) user_agent: String,
}

/// Opens connections to one server.
pub(crate) struct Dialer {
    settings: Settings,
    names: Resolver,
    /// Whether the last connection went to an address of version 4, where the name had both.
    v4_first: AtomicBool,
    tls: OnceCell<TlsSettings>,
    /// The verified chain of the last connection.
    chain: Mutex<Option<Chain>>,
}

/// Made when the first connection needs it, because it reads the trust store.
struct TlsSettings {
    server: Arc<ClientConfig>,
    /// For a proxy that is spoken to by TLS. The pins and the client certificate are for the server.
    proxy: Arc<ClientConfig>,
    verifier: Arc<Verifier>,
}

impl Dialer {
    pub(crate) fn new(settings: Settings) -> Dialer {
        Dialer {
            settings,
            names: Resolver::default(),
            v4_first: AtomicBool::new(false),
            tls: OnceCell::new(),
            chain: Mutex::default(),
        }
    }

    /// Opens a connection.
    pub(crate) fn open(&self, step: &Step<'_>) -> Result<Channel, Failure> {
        let step = &step.within(self.settings.connect_timeout);
        let server = &self.settings.server;
        let tls =
            if server.is_secure() || self.is_by_tls() { Some(self.tls.get_or_try_init(|| self.tls())?) } else { None };
        let (host, port) = (server.host(), server.port());
        let (to, at) = self.settings.via.as_ref().map_or((host, port), |via| (via.host.as_str(), via.port));
        let tcp = self.tcp(to, at, step)?;
        let socket = tcp.socket().clone();
        step.wait().interrupting(&socket, || {
            let mut channel = Channel::Tcp(tcp);
            if let Some(via) = &self.settings.via {
                channel = self.through(via, channel, tls, step)?;
            }
            let Some(tls) = tls.filter(|_| server.is_secure()) else { return Ok(channel) };
            let over = Tls::over(channel, tls.server.clone(), host, Peer::Server, step)?;
            self.note_chain(&over, &tls.verifier);
            Ok(Channel::Tls(Box::new(over)))
        })
    }

    /// The verified chain of the last connection, as JSON; `None` before the first.
    pub(crate) fn chain(&self) -> Option<String> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(Chain::json)
    }

    fn is_by_tls(&self) -> bool {
        self.settings.via.as_ref().is_some_and(|via| via.kind == Kind::Https)
    }

    fn tcp(&self, host: &str, port: u16, step: &Step<'_>) -> Result<Tcp, Failure> {
        let mut addresses = self.names.addresses(host, port, step)?;
        if self.v4_first.load(Ordering::Relaxed) {
            addresses.sort_by_key(SocketAddr::is_ipv6);
        }
        let socket = connect::to_one_of(&addresses, step)?;
        if addresses.iter().any(SocketAddr::is_ipv6) && addresses.iter().any(SocketAddr::is_ipv4) {
            self.v4_first.store(socket.peer_addr().is_ok_and(|peer| peer.is_ipv4()), Ordering::Relaxed);
        }
        Ok(Tcp::new(socket))
    }

    /// Has the proxy connect to the server.
    fn through(
        &self,
        via: &Via,
        mut channel: Channel,
        tls: Option<&TlsSettings>,
        step: &Step<'_>,
    ) -> Result<Channel, Failure> {
        let (server, credentials) = (&self.settings.server, via.credentials.as_ref());
        if let Some(tls) = tls.filter(|_| via.kind == Kind::Https) {
            channel = Channel::Tls(Box::new(Tls::over(channel, tls.proxy.clone(), &via.host, Peer::Proxy, step)?));
        }
        step.enters(Stage::AskingProxy);
        let mut waiting = Waiting { channel: &mut channel, step };
        match via.kind {
            Kind::Socks => socks::connect(&mut waiting, credentials, server.host(), server.port())?,
            Kind::Http | Kind::Https => {
                tunnel::connect(&mut waiting, credentials, &self.settings.user_agent, server.host(), server.port())?;
            }
        }
        Ok(channel)
    }

    fn tls(&self) -> Result<TlsSettings, Failure> {
        crypto::ready();
        let mut provider = provider::gated();
        if !self.settings.post_quantum {
            provider.kx_groups.retain(|group| group.name() != rustls::NamedGroup::X25519MLKEM768);
        }
        let provider = Arc::new(provider);
        let roots = self.settings.roots.load()?;
        let verifier = |pins| Verifier::new(roots.clone(), &provider, pins).map(Arc::new);
        let config = |verifier: Arc<Verifier>, certificate: Option<&ClientCertificate>| {
            let builder =
                ClientConfig::builder_with_provider(provider.clone()).with_protocol_versions(rustls::ALL_VERSIONS);
            let builder = builder.map_err(|error| Failure::Tls(Peer::Server, Box::new(error)))?;
            let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
            Ok::<_, Failure>(Arc::new(match certificate {
                Some(certificate) => builder.with_client_cert_resolver(certificate.resolver()),
                None => builder.with_no_client_auth(),
            }))
        };
        let empty = || Failure::EmptyTrustStore(self.settings.roots.name().to_owned());
        let pinned = verifier(self.settings.tls_pins.clone()).ok_or_else(empty)?;
        let unpinned = verifier(TlsPins::default()).ok_or_else(empty)?;
        let certificate = self.settings.client_certificate.as_ref();
        Ok(TlsSettings {
            server: config(pinned.clone(), certificate)?,
            proxy: config(unpinned, None)?,
            verifier: pinned,
        })
    }

    fn note_chain(&self, tls: &Tls<Channel>, verifier: &Verifier) {
        let [leaf, intermediates @ ..] = tls.presented() else { return };
        let pins = &self.settings.tls_pins;
        let accept = |chain: &Chain| pins.accept(&chain.fingerprints());
        if let Some(chain) = verifier.chain(leaf, intermediates, UnixTime::now(), accept) {
            *self.chain.lock().unwrap_or_else(PoisonError::into_inner) = Some(chain);
        }
    }
}
