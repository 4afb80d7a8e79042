//! Idle connections to the one server of a client.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::link::Link;
use crate::memory;

/// The most idle connections that are kept. With a client and idle stacks they fit into 8 MiB of locked memory.
const MOST: usize = 48;
/// How long an idle connection is kept: less than NAT gateways and proxies allow.
const AGE: Duration = Duration::from_secs(90);
/// How long no connection is kept after a lock that the memory policy requires was refused: calls need the memory.
const SHORT: Duration = Duration::from_secs(10);

/// The connections that no request uses at the moment.
#[derive(Default)]
pub(super) struct Pool {
    kept: Mutex<Kept>,
}

struct Kept {
    idle: Vec<Link>,
    /// How many refused locks this has seen, and when it saw that there were more.
    refusals: u64,
    refused: Option<Instant>,
}

impl Pool {
    /// The connection that was used last, if there is one that may serve another request. Closes those that may not.
    pub(super) fn take(&self) -> Option<Link> {
        loop {
            let mut link = self.kept().idle.pop()?;
            // The look at the socket is outside the lock.
            if link.is_fresh(AGE) {
                return Some(link);
            }
        }
    }

    /// Keeps a connection for the next request.
    pub(super) fn keep(&self, link: Link) {
        let Some(link) = link.rests() else { return };
        let mut kept = self.kept();
        kept.idle.push(link);
        let most = if kept.is_short(memory::refusals()) { 0 } else { MOST };
        let oldest = kept.idle.len().saturating_sub(most);
        let closed: Vec<Link> = kept.idle.drain(..oldest).collect();
        drop(kept);
        // Closed without holding up the others.
        drop(closed);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Kept {
    fn default() -> Kept {
        Kept { idle: Vec::new(), refusals: memory::refusals(), refused: None }
    }
}

impl Kept {
    /// Whether locks were refused a short time ago. `refusals` were refused so far.
    fn is_short(&mut self, refusals: u64) -> bool {
        if self.refusals != refusals {
            (self.refusals, self.refused) = (refusals, Some(Instant::now()));
        }
        self.refused.is_some_and(|at| at.elapsed() < SHORT)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;
    use crate::connection::Channel;

    /// A connection that has served a request.
    fn used(listener: &TcpListener) -> (Link, TcpStream) {
        let client = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        client.set_nonblocking(true).expect("a socket option");
        (Link::new(Channel::over_tcp(client)), listener.accept().expect("a connection").0)
    }

    #[test]
    fn no_more_than_48_connections_are_kept_and_none_while_locks_are_short() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let pool = Pool::default();
        let (links, servers): (Vec<Link>, Vec<TcpStream>) = (0..60).map(|_| used(&listener)).unzip();
        for link in links {
            pool.keep(link);
        }
        assert_eq!(pool.kept().idle.len(), 48);
        pool.kept().refused = Some(Instant::now());
        let (link, server) = used(&listener);
        pool.keep(link);
        assert_eq!(pool.kept().idle.len(), 0);
        drop((servers, server));
    }

    #[test]
    fn locks_are_short_for_a_while_after_each_refusal() {
        let mut kept = Kept { idle: Vec::new(), refusals: 0, refused: None };
        assert!(!kept.is_short(0));
        assert!(kept.is_short(1) && kept.is_short(1));
        kept.refused = Instant::now().checked_sub(SHORT);
        assert!(!kept.is_short(1));
        assert!(kept.is_short(3));
    }
}
