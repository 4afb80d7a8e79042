//! The running endpoint: its listeners, what its connections share, and its end.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;

use crate::connection;
use crate::faults::Faults;
use crate::keys::ServerKey;
use crate::ledger::Ledger;
use crate::options::Options;
use crate::ready::{Ready, ReadyFile};
use crate::shutdown::Shutdown;
use crate::state_dir::StateDir;
use crate::stats::{Stats, StatsSnapshot};
use crate::tls::{self, CA_FILE, Tls};
use crate::tpm::{Swtpm, Tpm, TpmKind};
use crate::upstream::Upstream;

const SERVER_KEY_FILE: &str = "server_private.pem";
/// A thread that waits for an upstream cannot be woken; it is left behind after this.
const PATIENCE: Duration = Duration::from_secs(2);
/// After a failed `accept`, usually for want of file descriptors.
const BREATH: Duration = Duration::from_millis(50);

/// What all connections share.
pub(crate) struct Server {
    pub options: Options,
    pub stats: Stats,
    pub faults: Faults,
    pub ledger: Ledger,
    pub shutdown: Shutdown,
    pub upstream: Option<Upstream>,
    pub tpm: Option<Tpm>,
    key: RwLock<Arc<ServerKey>>,
}

impl Server {
    pub fn key(&self) -> Arc<ServerKey> {
        Arc::clone(&self.key.read().expect("nothing panics while it holds this lock"))
    }

    pub fn replace_key(&self, key: Arc<ServerKey>) {
        *self.key.write().expect("nothing panics while it holds this lock") = key;
    }
}

/// A running endpoint. Dropping it closes its listeners and connections and ends its threads.
pub struct Endpoint {
    server: Arc<Server>,
    listeners: Vec<Listener>,
    ca_file: PathBuf,
    ca_pem: String,
    base_url: String,
    plain_base_url: Option<String>,
    swtpm: Option<Swtpm>,
    // Dropped, in this order, after the threads have ended.
    _ready_file: Option<ReadyFile>,
    _state_dir: StateDir,
}

struct Listener {
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl Endpoint {
    /// Starts an endpoint. When this returns, it accepts connections.
    ///
    /// The first start on a state directory, and every start without one, generates an RSA-4096
    /// key, which takes seconds; `server_key_pem` avoids that.
    pub fn start(options: Options) -> io::Result<Endpoint> {
        let ready_file = options.ready_file.as_deref().map(ReadyFile::claim).transpose()?;
        let state_dir = StateDir::open(options.state_dir.as_deref())?;
        let tls = Arc::new(Tls::new(&state_dir)?);
        let key_pem = match &options.server_key_pem {
            Some(pem) => pem.clone(),
            None => state_dir.private_file(SERVER_KEY_FILE, ServerKey::generate_pem)?,
        };
        let upstream =
            options.upstream.as_deref().map(|url| Upstream::new(url, options.upstream_key.as_deref(), tls::provider()));
        let (tpm, swtpm) = match options.tpm {
            TpmKind::None => (None, None),
            TpmKind::Swtpm => Tpm::start().map(|(tpm, swtpm)| (Some(tpm), Some(swtpm)))?,
        };
        let (port, http) = (options.port, options.http);
        let server = Arc::new(Server {
            options,
            stats: Stats::default(),
            faults: Faults::default(),
            ledger: Ledger::default(),
            shutdown: Shutdown::default(),
            upstream,
            tpm,
            key: RwLock::new(Arc::new(ServerKey::from_pem(&key_pem)?)),
        });

        // Built up piece by piece, so that its destructor ends what has been started when a later
        // step fails.
        let mut endpoint = Endpoint {
            server,
            listeners: Vec::new(),
            ca_file: state_dir.file(CA_FILE),
            ca_pem: tls.ca_pem.clone(),
            base_url: String::new(),
            plain_base_url: None,
            swtpm,
            _ready_file: ready_file,
            _state_dir: state_dir,
        };
        endpoint.base_url = format!("https://{}", endpoint.listen(port, Some(tls))?);
        if http {
            endpoint.plain_base_url = Some(format!("http://{}", endpoint.listen(0, None)?));
        }
        endpoint.announce()?;
        Ok(endpoint)
    }

    /// `https://127.0.0.1:<port>`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// `http://127.0.0.1:<port>`, when the option `http` is set.
    pub fn plain_base_url(&self) -> Option<&str> {
        self.plain_base_url.as_deref()
    }

    /// The CA certificate's file. A temporary one is removed with the endpoint.
    pub fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// The CA certificate as PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// SHA-256, in lower-case hex, of the SubjectPublicKeyInfo DER of the server's present key.
    pub fn key_fingerprint(&self) -> String {
        self.server.key().fingerprint.clone()
    }

    /// The server's present public key as SPKI PEM.
    pub fn public_key_pem(&self) -> String {
        self.server.key().public_pem.clone()
    }

    /// The counters.
    pub fn stats(&self) -> StatsSnapshot {
        self.server.stats.snapshot()
    }

    /// Sets the counters to zero.
    pub fn reset_stats(&self) {
        self.server.stats.reset();
    }

    /// Sets the server's faults, as `POST /control/faults` does; `{}` clears them. Needs no
    /// `control`.
    pub fn set_faults(&self, faults: Value) -> io::Result<()> {
        self.server
            .faults
            .replace(faults)
            .map_err(|refusal| io::Error::other(String::from_utf8_lossy(&refusal.body).into_owned()))
    }

    /// Changes the server's key to another private key in PEM. Needs no `control`.
    pub fn rotate_key(&self, pem: &str) -> io::Result<()> {
        self.server.replace_key(Arc::new(ServerKey::from_pem(pem)?));
        Ok(())
    }

    fn listen(&mut self, port: u16, tls: Option<Arc<Tls>>) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        let server = Arc::clone(&self.server);
        let thread = thread::Builder::new()
            .name("endpoint-accept".to_owned())
            .spawn(move || accept(&server, &listener, tls.as_ref()))?;
        self.listeners.push(Listener { address, thread: Some(thread) });
        Ok(address)
    }

    fn announce(&self) -> io::Result<()> {
        let Some(file) = &self._ready_file else {
            return Ok(());
        };
        file.write(&Ready {
            base_url: &self.base_url,
            plain_base_url: self.plain_base_url.as_deref(),
            ca_file: &self.ca_file,
            key_fingerprint: &self.key_fingerprint(),
            pid: std::process::id(),
        })
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.server.shutdown.stop();
        for listener in &mut self.listeners {
            // A blocking accept is woken by a connection. When that fails, the listener is gone
            // already.
            let _ = TcpStream::connect(listener.address);
            if let Some(thread) = listener.thread.take() {
                // A listener that panicked has ended as well.
                let _ = thread.join();
            }
        }
        // A thread that waits for the TPM ends with it.
        self.swtpm.take();
        self.server.shutdown.wait_until_idle(PATIENCE);
    }
}

fn accept(server: &Arc<Server>, listener: &TcpListener, tls: Option<&Arc<Tls>>) {
    loop {
        let accepted = listener.accept();
        if server.shutdown.is_stopping() {
            return;
        }
        let Ok((tcp, _)) = accepted else {
            // Fails only when stopping, which the next round sees.
            let _ = server.shutdown.pause(BREATH);
            continue;
        };
        // Decided here, so that a count of faults follows the order of connections.
        let fault = server.faults.accept();
        let tls = tls.map(|tls| tls.config(server.faults.certificate()));
        let server = Arc::clone(server);
        // Without a thread to serve it, the connection is dropped, and the client sees it closed.
        let _ = thread::Builder::new()
            .name("endpoint-client".to_owned())
            .spawn(move || connection::serve(&server, tcp, tls, fault));
    }
}
